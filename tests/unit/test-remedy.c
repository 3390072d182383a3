// SPDX-License-Identifier: GPL-2.0-or-later
/* What the tool says to do about an error or a finding: part of the tool, not of the library. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../src/remedy.h"

static const struct xensplit_id device = { 5, "mydevice", 0 };

static struct xensplit_finding finding_of(int remedy, const char *code)
{
	struct xensplit_finding f = { .severity = XENSPLIT_SEVERITY_ERROR };

	f.code = code;
	f.id = device;
	f.backend_type = "mydevice";
	f.remedy = remedy;
	f.remedy_domid = 5;
	return f;
}

static void assert_text(char *text, const char *expected)
{
	if (expected)
		assert_string_equal(text, expected);
	else
		assert_null(text);
	free(text);
}

static void for_finding(const struct xensplit_finding *f, const char *expected)
{
	struct attempt attempt = { .verb = "doctor" };

	assert_text(remedy_of_finding(&attempt, f), expected);
}

/* @cause: NULL if there is none */
static void for_error(const char *verb, const char *code,
		      const struct xensplit_finding *cause, const char *expected)
{
	struct attempt attempt = { .verb = verb };
	struct xensplit_error error = { .err = -EIO, .code = code, .cause = cause };

	assert_text(remedy_of_error(&attempt, &error, &device), expected);
}

/* --- findings --- */

static void what_a_host_needs(void **state)
{
	struct xensplit_finding f;

	(void)state;
	f = finding_of(XENSPLIT_REMEDY_INSTALL, "no-backend-module");
	for_finding(&f, "in domain 5: insmod the backend's module, or install it and run "
			"depmod -a");
	f.remedy_domid = 0;
	for_finding(&f, "in dom0: insmod the backend's module, or install it and run "
			"depmod -a");
	f = finding_of(XENSPLIT_REMEDY_UNPAUSE, "paused");
	for_finding(&f, "xl unpause 5");
	f = finding_of(XENSPLIT_REMEDY_DESTROY, "crashed");
	for_finding(&f, "xl destroy 5");
	f = finding_of(XENSPLIT_REMEDY_LOAD, "slow-store");
	for_finding(&f, "find the domain that keeps it busy: xentop");
	f = finding_of(1000, "of-a-newer-library");
	for_finding(&f, NULL);
}

static void which_driver_is_idle(void **state)
{
	struct xensplit_finding f = finding_of(XENSPLIT_REMEDY_DRIVER, "driver-idle");

	(void)state;
	for_finding(&f, "call xenbus_switch_state in the backend's probe");
	f.code = "both-wait";
	for_finding(&f, "change one of the drivers: it has to leave InitWait first");
}

static void how_to_make_it_again(void **state)
{
	struct xensplit_finding f = finding_of(XENSPLIT_REMEDY_REPLACE, "backend-error");

	(void)state;
	for_finding(&f, "xensplit attach 5 mydevice/0 --backend=DOMAIN --replace");
	f.backend_domid = 6; /* who says so may lie */
	for_finding(&f, "xensplit attach 5 mydevice/0 --backend=DOMAIN --replace");
	f.backend_trusted = 1;
	f.backend_domid = XENSPLIT_ANY;
	for_finding(&f, "xensplit attach 5 mydevice/0 --backend=0 --replace");
	f.backend_domid = 6;
	f.backend_type = "printer";
	f.reserved = 1;
	for_finding(&f, "xensplit attach 5 mydevice/0 --backend=6 --backend-type=printer "
			"--reserved --replace");
	f.backend_type = NULL;
	f.reserved = 0;
	for_finding(&f, "xensplit attach 5 mydevice/0 --backend=6 --replace");
	f.remedy = XENSPLIT_REMEDY_ADOPT;
	for_finding(&f, "xensplit adopt 5 mydevice/0");
	f.reserved = 1;
	for_finding(&f, "xensplit adopt 5 mydevice/0 --reserved");
}

/* As the user called it, unless that was a number. */
static void what_a_domain_is_called(void **state)
{
	struct xensplit_finding f = finding_of(XENSPLIT_REMEDY_LOG, "frontend-error");
	char name[] = "guest", number[] = "5";
	struct attempt attempt = { .verb = "doctor", .domain = name, .domid = 5 };

	(void)state;
	assert_text(remedy_of_finding(&attempt, &f), "in guest: dmesg");
	attempt.domain = number;
	assert_text(remedy_of_finding(&attempt, &f), "in domain 5: dmesg");
	attempt.domain = name;
	f.remedy_domid = 6;
	assert_text(remedy_of_finding(&attempt, &f), "in domain 6: dmesg");
}

/* --- errors --- */

static void a_device_that_does_not_close(void **state)
{
	struct xensplit_finding f = finding_of(XENSPLIT_REMEDY_UNPAUSE, "paused");

	(void)state;
	for_error("detach", "not-closed", &f, "xl unpause 5");
	f.remedy = XENSPLIT_REMEDY_DESTROY;
	for_error("wait", "not-gone", &f, "xl destroy 5");
	f.remedy = XENSPLIT_REMEDY_LOG;
	for_error("detach", "not-closed", &f, "xensplit detach 5 mydevice/0 --force");
	for_error("wait", "not-gone", &f, "xensplit detach 5 mydevice/0");
	for_error("detach", "not-closed", NULL, "xensplit detach 5 mydevice/0 --force");
}

static void a_driver_that_gave_up(void **state)
{
	struct xensplit_finding f = finding_of(XENSPLIT_REMEDY_REPLACE, "backend-error");

	(void)state;
	f.backend_domid = 6;
	f.backend_trusted = 1;
	for_error("attach", "driver-gave-up", &f,
		  "xensplit attach 5 mydevice/0 --backend=6 --replace");
	/* Then its log says why. */
	f.code = "backend-closing";
	for_error("attach", "driver-gave-up", &f, "in domain 6: dmesg");
	f.code = "frontend-closing";
	for_error("attach", "driver-gave-up", &f, "in domain 5: dmesg");
	f.remedy = XENSPLIT_REMEDY_REPAIR;
	for_error("attach", "driver-gave-up", &f, "xensplit doctor --fix 5 mydevice/0");
	for_error("attach", "driver-gave-up", NULL, "in domain 5: dmesg");
}

static void a_foreign_device(void **state)
{
	struct xensplit_finding f = finding_of(XENSPLIT_REMEDY_ADOPT, "foreign");

	(void)state;
	for_error("attach", "foreign", &f, "add --replace, which removes it first");
	for_error("detach", "foreign", &f,
		  "take it over first: xensplit adopt 5 mydevice/0");
	for_error("detach", "foreign", NULL,
		  "take it over first: xensplit attach 5 mydevice/0 --replace");
	for_error("apply", "foreign", NULL,
		  "take it over first: xensplit adopt 5 mydevice/0");
}

static void a_device_that_differs(void **state)
{
	char arguments[] = " 5 mydevice/0 --key a=b";
	struct attempt attempt = { .verb = "attach", .arguments = arguments };
	struct xensplit_error error = { .err = -EEXIST, .code = "differs" };

	(void)state;
	assert_text(remedy_of_error(&attempt, &error, &device),
		    "xensplit attach --replace 5 mydevice/0 --key a=b");
	for_error("attach", "differs", NULL, NULL);
	for_error("apply", "differs", NULL,
		  "add --replace, which makes it again as the file says");
}

static void what_adopt_refuses(void **state)
{
	(void)state;
	for_error("adopt", "interrupted", NULL, "xensplit doctor --fix 5 mydevice/0");
	for_error("adopt", "reserved-type", NULL,
		  "add --reserved, if xl did not make it");
	for_error("adopt", "partial", NULL, "xensplit doctor 5 mydevice/0");
	for_error("adopt", "already-attached", NULL, NULL);
	for_error("attach", "already-attached", NULL,
		  "TYPE/auto for a further device, or --replace for this one");
}

static void what_is_the_same_for_each_verb(void **state)
{
	struct xensplit_finding f = finding_of(XENSPLIT_REMEDY_LOG, "frontend-error");

	(void)state;
	for_error("detach", "record-damaged", NULL,
		  "xensplit detach 5 mydevice/0 --force");
	for_error("detach", "not-attached", NULL, "xensplit list 5 --all");
	for_error("show", "no-such-device", NULL, "xensplit list 5 --all");
	for_error("attach", "not-connected", &f, "in domain 5: dmesg");
	for_error("attach", "not-connected", NULL, NULL);
	for_error("attach", "stale", NULL, "xensplit reap");
	for_error("list", "no-permission", NULL, geteuid() ? "run it as root" : NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_host_needs),
		cmocka_unit_test(which_driver_is_idle),
		cmocka_unit_test(how_to_make_it_again),
		cmocka_unit_test(what_a_domain_is_called),
		cmocka_unit_test(a_device_that_does_not_close),
		cmocka_unit_test(a_driver_that_gave_up),
		cmocka_unit_test(a_foreign_device),
		cmocka_unit_test(a_device_that_differs),
		cmocka_unit_test(what_adopt_refuses),
		cmocka_unit_test(what_is_the_same_for_each_verb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
