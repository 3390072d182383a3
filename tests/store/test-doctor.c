// SPDX-License-Identifier: GPL-2.0-or-later
/* What doctor is told by others than the nodes: the hypervisor, and the time an answer takes. */
#include <dlfcn.h>

#include "store.h"

static struct xensplit_domain told;
static uint32_t told_of;
static unsigned int delay_ms;

static int query(void *data, uint32_t domid, struct xensplit_domain *domain)
{
	(void)data;
	if (domid == told_of)
		*domain = told;
	return 0;
}

/* In front of libxenstore's, for the library too. */
void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
	      unsigned int *len)
{
	void *(*read)(struct xs_handle *, xs_transaction_t, const char *, unsigned int *);

	*(void **)&read = dlsym(RTLD_NEXT, "xs_read");
	if (delay_ms)
		sleep_ms(delay_ms);
	return read(h, t, path, len);
}

static struct xensplit_findings *diagnose(struct xensplit_ctx *with, uint32_t domid)
{
	struct xensplit_filter filter = { sizeof(filter), domid, NULL, XENSPLIT_ANY,
					  XENSPLIT_ANY };
	struct xensplit_findings *findings;

	assert_int_equal(xensplit_diagnose(with, &filter, &findings), 0);
	return findings;
}

static void expect_first(uint32_t domid, uint32_t flags, const char *code,
			 const char *what, const char *fix)
{
	static const struct xensplit_hypervisor xen = { sizeof(xen), query };
	struct xensplit_opts opts = { .sz = sizeof(opts), .hypervisor = &xen };
	struct xensplit_ctx *with = new_ctx(&opts);
	struct xensplit_findings *findings;
	const struct xensplit_finding *first;

	told_of = domid;
	told.flags = flags;
	findings = diagnose(with, 5);
	first = xensplit_findings_get(findings, 0);
	assert_non_null(first);
	assert_string_equal(first->code, code);
	assert_string_equal(first->what, what);
	assert_int_equal(first->severity, XENSPLIT_SEVERITY_ERROR);
	if (fix)
		assert_string_equal(first->fix, fix);
	else
		assert_null(first->fix);
	xensplit_findings_free(findings);
	xensplit_free(with);
}

static void a_guest_that_does_not_run(void **state)
{
	(void)state;
	attach_mydevice();
	expect_first(5, XENSPLIT_DOMAIN_PAUSED, "domain-paused", "domain 5 is paused",
		     "xl unpause 5");
	expect_first(5, XENSPLIT_DOMAIN_SHUTDOWN, "domain-shutdown",
		     "domain 5 has shut down", "xl destroy 5");
	expect_first(5, XENSPLIT_DOMAIN_SHUTDOWN | XENSPLIT_DOMAIN_CRASHED,
		     "domain-crashed", "domain 5 has crashed", "xl destroy 5");
	expect_first(5, XENSPLIT_DOMAIN_DYING | XENSPLIT_DOMAIN_CRASHED, "domain-dying",
		     "domain 5 is dying", NULL);
}

static void a_driver_domain_that_does_not_run(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	(void)state;
	opts.backend_domid = 6;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	expect_first(6, XENSPLIT_DOMAIN_PAUSED, "domain-paused", "domain 6 is paused",
		     "xl unpause 6");
	expect_first(6, XENSPLIT_DOMAIN_CRASHED, "domain-crashed", "domain 6 has crashed",
		     "xl destroy 6");
}

/* It is another domain that is paused, and its running would not help this device. */
static void a_stale_device_first_of_all(void **state)
{
	(void)state;
	attach_mydevice();
	put("/local/domain/5/xensplit", "0123456789abcdef", NULL);
	expect_first(5, XENSPLIT_DOMAIN_PAUSED, "stale",
		     "/xensplit/5/mydevice/0 records an earlier domain", "xensplit reap");
}

static void a_slow_xenstored(void **state)
{
	struct xensplit_findings *findings;
	const struct xensplit_finding *first;

	(void)state;
	delay_ms = 21;
	findings = diagnose(ctx, XENSPLIT_ANY);
	delay_ms = 0;
	first = xensplit_findings_get(findings, 0);
	assert_non_null(first);
	assert_string_equal(first->code, "xenstored-slow");
	assert_null(first->id.type);
	assert_contains(first->what, "xenstored takes 2");
	findings = xensplit_findings_free(findings);

	findings = diagnose(ctx, XENSPLIT_ANY);
	assert_null(xensplit_findings_get(findings, 0));
	xensplit_findings_free(findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(a_guest_that_does_not_run),
		store_test(a_driver_domain_that_does_not_run),
		store_test(a_stale_device_first_of_all),
		store_test(a_slow_xenstored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
