// SPDX-License-Identifier: GPL-2.0-or-later
/* How the tool finds out whether it can ask Xen. Real Xen counts: here libxenctrl is the test's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xentoollog.h>
#include <cmocka.h>

#include "../../src/domctl.h"
#include "../../src/hypervisor.h"
#include "../../src/plugin.h"
#include "../../include/xensplit.h"

static const char *device; /* that there is; NULL: none */
static int open_result, loads, opens, closes, messages;

int __wrap_access(const char *path, int mode);

int __wrap_access(const char *path, int mode)
{
	assert_int_equal(mode, F_OK);
	if (device && !strcmp(path, device))
		return 0;
	errno = ENOENT;
	return -1;
}

static int open_xen(void)
{
	opens++;
	return open_result;
}

static int query_xen(uint32_t domid, struct xensplit_domain *domain)
{
	(void)domain;
	return domid == 5 ? 0 : -ESRCH;
}

static void close_xen(void)
{
	closes++;
}

static const struct domctl_plugin plugin = { .open = open_xen,
					     .query = query_xen,
					     .close = close_xen };

const void *plugin_load(const char *name)
{
	assert_string_equal(name, "domctl");
	loads++;
	return &plugin;
}

static void count_message(struct xentoollog_logger *logger, xentoollog_level level,
			  int errnoval, const char *context, const char *format,
			  va_list args)
{
	(void)logger;
	(void)errnoval;
	(void)context;
	(void)format;
	(void)args;
	assert_int_equal(level, XTL_DEBUG);
	messages++;
}

static struct xentoollog_logger logger = { .vmessage = count_message };

static int ask(uint32_t domid)
{
	struct xensplit_domain domain = { 0 };

	return hypervisor.query(&logger, domid, &domain);
}

static int restart(void **state)
{
	(void)state;
	device = "/dev/xen/privcmd";
	open_result = loads = opens = closes = messages = 0;
	return 0;
}

static void opened_once_and_closed(void **state)
{
	(void)state;
	assert_int_equal(ask(5), 0);
	assert_int_equal(ask(6), -ESRCH);
	assert_int_equal(opens, 1);
	hypervisor_close();
	hypervisor_close();
	assert_int_equal(closes, 1);
	assert_int_equal(messages, 0);
}

static void the_device_of_old_kernels(void **state)
{
	(void)state;
	device = "/proc/xen/privcmd";
	assert_int_equal(ask(5), 0);
	hypervisor_close();
	assert_int_equal(closes, 1);
}

/* It stays so, and is said once. A failure is remembered, so this comes last. */
static void not_permitted(void **state)
{
	(void)state;
	open_result = -EACCES;
	assert_int_equal(ask(5), -EOPNOTSUPP);
	assert_int_equal(opens, 1);
	open_result = 0;
	assert_int_equal(ask(5), -EOPNOTSUPP);
	assert_int_equal(opens, 1);
	assert_int_equal(messages, 1);
	hypervisor_close();
	assert_int_equal(closes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(opened_once_and_closed, restart),
		cmocka_unit_test_setup(the_device_of_old_kernels, restart),
		cmocka_unit_test_setup(not_permitted, restart),
	};

	return cmocka_run_group_tests_name("unit/hypervisor", tests, NULL, NULL);
}
