// SPDX-License-Identifier: GPL-2.0-or-later
/* What doctor learns from the hypervisor, and from the time that answers take. */
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

/* Overrides libxenstore's, for the library as well. */
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
			 const char *what, int remedy)
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
	assert_int_equal(first->remedy, remedy);
	assert_int_equal(first->remedy_domid, remedy == XENSPLIT_REMEDY_REAP ? 5 : domid);
	xensplit_findings_free(findings);
	xensplit_free(with);
}

static void a_guest_that_does_not_run(void **state)
{
	(void)state;
	attach_mydevice();
	expect_first(5, XENSPLIT_DOMAIN_PAUSED, "domain-paused", "domain 5 is paused",
		     XENSPLIT_REMEDY_UNPAUSE);
	expect_first(5, XENSPLIT_DOMAIN_SHUTDOWN, "domain-shutdown",
		     "domain 5 has shut down", XENSPLIT_REMEDY_DESTROY);
	expect_first(5, XENSPLIT_DOMAIN_SHUTDOWN | XENSPLIT_DOMAIN_CRASHED,
		     "domain-crashed", "domain 5 has crashed", XENSPLIT_REMEDY_DESTROY);
	expect_first(5, XENSPLIT_DOMAIN_DYING | XENSPLIT_DOMAIN_CRASHED, "domain-dying",
		     "domain 5 is dying", XENSPLIT_REMEDY_NONE);
}

static void a_driver_domain_that_does_not_run(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	(void)state;
	opts.backend_domid = 6;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	expect_first(6, XENSPLIT_DOMAIN_PAUSED, "domain-paused", "domain 6 is paused",
		     XENSPLIT_REMEDY_UNPAUSE);
	expect_first(6, XENSPLIT_DOMAIN_CRASHED, "domain-crashed", "domain 6 has crashed",
		     XENSPLIT_REMEDY_DESTROY);
}

/* The paused domain is another one, so unpausing it would not help this device. */
static void a_stale_device_first_of_all(void **state)
{
	(void)state;
	attach_mydevice();
	put("/local/domain/5/xensplit", "0123456789abcdef", NULL);
	expect_first(5, XENSPLIT_DOMAIN_PAUSED, "stale",
		     "/xensplit/5/mydevice/0 records an earlier domain",
		     XENSPLIT_REMEDY_REAP);
}

/* The finding with that code; NULL if there is none. */
static const struct xensplit_finding *find(const struct xensplit_findings *findings,
					   const char *code)
{
	const struct xensplit_finding *finding;
	size_t i;

	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++)
		if (!strcmp(finding->code, code))
			return finding;
	return NULL;
}

static void assert_not_repairable(const struct xensplit_findings *findings)
{
	const struct xensplit_finding *finding;
	size_t i;

	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++) {
		assert_int_not_equal(finding->remedy, XENSPLIT_REMEDY_REPAIR);
		/* No remedy may trust the domain that the guest chose. */
		if (finding->remedy == XENSPLIT_REMEDY_REPLACE)
			assert_int_equal(finding->backend_trusted, 0);
	}
}

static void a_damaged_record(void **state)
{
	struct xensplit_findings *findings;
	const struct xensplit_finding *first;

	(void)state;
	attach_mydevice();
	put(REC, "nothing that makes sense", NULL);
	findings = diagnose(ctx, 5);
	first = xensplit_findings_get(findings, 0);
	assert_non_null(first);
	assert_string_equal(first->code, "record-damaged");
	assert_string_equal(first->what, REC " is damaged");
	assert_int_equal(first->remedy, XENSPLIT_REMEDY_FORCE);
	assert_int_equal(first->backend_domid, 0);
	assert_null(xensplit_findings_get(findings, 1));
	xensplit_findings_free(findings);
	assert_string_equal(xensplit_errmsg(ctx), "");
}

/* Made by dom0 without a record, with halves that name each other. */
static void by_hand(void)
{
	put(FE "/backend", BE, "n0,r5");
	put(FE "/backend-id", "0", "n0,r5");
	put(FE "/state", "1", "n0,r5");
	put(BE "/frontend", FE, "n0,r5");
	put(BE "/frontend-id", "5", "n0,r5");
	put(BE "/state", "1", "n0,r5");
}

static void a_foreign_device_to_be_believed(void **state)
{
	struct xensplit_findings *findings;

	(void)state;
	by_hand();
	findings = diagnose(ctx, 5);
	assert_int_equal(find(findings, "frontend-permissions")->remedy,
			 XENSPLIT_REMEDY_REPAIR);
	assert_null(find(findings, "pointer-writable"));
	xensplit_findings_free(findings);
}

/* A driver domain that owns its directory can claim any device. */
static void a_foreign_device_that_two_claim(void **state)
{
	struct xensplit_findings *findings;
	const struct xensplit_finding *finding;

	(void)state;
	by_hand();
	put("/local/domain/6/backend/mydevice/5/0/frontend", FE, "n6");
	put("/local/domain/6/backend/mydevice/5/0/frontend-id", "5", "n6");
	put("/local/domain/6/backend/mydevice/5/0/state", "1", "n6");
	findings = diagnose(ctx, 5);
	finding = xensplit_findings_get(findings, 0);
	assert_string_equal(finding->code, "several-backends");
	assert_contains(finding->what, "domains 0, 6 have a backend");
	assert_not_repairable(findings);
	xensplit_findings_free(findings);
	/* Alone, while the frontend names another one. */
	xs_rm(dom0, XBT_NULL, "/local/domain/0/backend");
	findings = diagnose(ctx, 5);
	assert_null(find(findings, "several-backends"));
	assert_non_null(find(findings, "frontend-pointer"));
	assert_not_repairable(findings);
	xensplit_findings_free(findings);
	assert_string_equal(xensplit_errmsg(ctx), "");
}

static void a_pointer_that_a_guest_may_write(void **state)
{
	static const char *const perms[] = { "n5,r0", "n0,b5", "w0", "n0,r5,w6" };
	static const char *const nodes[] = { FE "/backend", FE "/backend-id" };
	struct xensplit_findings *findings;
	const struct xensplit_finding *finding;
	size_t i;

	(void)state;
	for (i = 0; i < 2 * ARRAY_SIZE(perms); i++) {
		by_hand();
		put(nodes[i % 2], i % 2 ? "0" : BE, perms[i / 2]);
		findings = diagnose(ctx, 5);
		finding = find(findings, "pointer-writable");
		assert_non_null(finding);
		assert_int_equal(finding->severity, XENSPLIT_SEVERITY_WARNING);
		assert_contains(finding->what, nodes[i % 2]);
		assert_contains(finding->what, perms[i / 2]);
		assert_not_repairable(findings);
		xensplit_findings_free(findings);
	}
	/* Ignored for a device with a record. */
	xs_rm(dom0, XBT_NULL, "/local/domain/0/backend");
	xs_rm(dom0, XBT_NULL, FE);
	attach_mydevice();
	put(FE "/backend", BE, "n5");
	findings = diagnose(ctx, 5);
	assert_null(find(findings, "pointer-writable"));
	xensplit_findings_free(findings);
}

/* An error of a driver that continued is no cause; of one that closed it is. */
static void an_error_node(void **state)
{
	static const struct {
		const char *front, *back, *error;
		int severity;
		size_t at;
	} rows[] = {
		{ "4", "4", "backend", XENSPLIT_SEVERITY_WARNING, 0 },
		{ "4", "4", "frontend", XENSPLIT_SEVERITY_WARNING, 0 },
		{ "4", "5", "backend", XENSPLIT_SEVERITY_ERROR, 0 },
		{ "6", "5", "frontend", XENSPLIT_SEVERITY_ERROR, 0 },
		{ "1", "2", "frontend", XENSPLIT_SEVERITY_ERROR, 0 },
		/* blkback writes one, and still waits for the frontend */
		{ "1", "2", "backend", XENSPLIT_SEVERITY_WARNING, 1 },
		{ "3", "2", "backend", XENSPLIT_SEVERITY_ERROR, 0 },
		{ "2", "2", "frontend", XENSPLIT_SEVERITY_ERROR, 0 },
	};
	size_t i;

	(void)state;
	attach_mydevice();
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		bool front = *rows[i].error == 'f';
		struct xensplit_findings *findings;
		const struct xensplit_finding *finding;

		put(FE "/state", rows[i].front, NULL);
		put(BE "/state", rows[i].back, NULL);
		xs_rm(dom0, XBT_NULL, "/local/domain/5/error");
		xs_rm(dom0, XBT_NULL, "/local/domain/0/error");
		put(front ? "/local/domain/5/error/device/mydevice/0/error"
			  : "/local/domain/0/error/backend/mydevice/5/0/error",
		    "2 get dev name", NULL);
		findings = diagnose(ctx, 5);
		finding = find(findings, front ? "frontend-error" : "backend-error");
		assert_non_null(finding);
		assert_int_equal(finding->severity, rows[i].severity);
		assert_ptr_equal(finding, xensplit_findings_get(findings, rows[i].at));
		assert_contains(finding->what, "wrote \"2 get dev name\"");
		xensplit_findings_free(findings);
	}
	xs_rm(dom0, XBT_NULL, "/local/domain/0/error");
}

/* A finding has what an attach needs. */
static void a_backend_of_another_type(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "vbd", 0);
	const struct xensplit_finding *first;
	struct xensplit_findings *findings;

	(void)state;
	opts.backend_type = "vbd3";
	opts.flags = XENSPLIT_ATTACH_RESERVED;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	xs_rm(dom0, XBT_NULL, "/local/domain/5/device/vbd/0/state");
	findings = diagnose(ctx, 5);
	first = xensplit_findings_get(findings, 0);
	assert_int_equal(first->remedy, XENSPLIT_REMEDY_REPLACE);
	assert_int_equal(first->backend_trusted, 1);
	assert_int_equal(first->reserved, 1);
	assert_string_equal(first->backend_type, "vbd3");
	xensplit_findings_free(findings);
}

static void a_slow_xenstored(void **state)
{
	struct xensplit_findings *findings;
	const struct xensplit_finding *first;
	uint64_t begun = now_ms();
	bool slow;

	(void)state;
	delay_ms = 21;
	findings = diagnose(ctx, XENSPLIT_ANY);
	delay_ms = 0;
	first = xensplit_findings_get(findings, 0);
	assert_non_null(first);
	assert_string_equal(first->code, "xenstored-slow");
	assert_null(first->id.type);
	assert_contains(first->what, "xenstored takes ");
	findings = xensplit_findings_free(findings);

	/* A busy machine may be as slow for a while. */
	do {
		findings = diagnose(ctx, XENSPLIT_ANY);
		slow = xensplit_findings_get(findings, 0);
		findings = xensplit_findings_free(findings);
	} while (slow && now_ms() < begun + 30000);
	assert_false(slow);
}

/* Its toolstack has removed what it had, and Xen has not destroyed it yet. */
static void a_domain_without_a_directory(void **state)
{
	struct xensplit_findings *findings;

	(void)state;
	attach_mydevice();
	xs_rm(dom0, XBT_NULL, "/local/domain/5");
	findings = diagnose(ctx, 5);
	assert_string_equal(xensplit_findings_get(findings, 0)->code, "leftover");
	assert_string_equal(xensplit_findings_get(findings, 0)->what,
			    "domain 5 does not exist");
	xensplit_findings_free(findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(a_guest_that_does_not_run),
		store_test(a_driver_domain_that_does_not_run),
		store_test(a_stale_device_first_of_all),
		store_test(a_damaged_record),
		store_test(a_foreign_device_to_be_believed),
		store_test(a_foreign_device_that_two_claim),
		store_test(a_pointer_that_a_guest_may_write),
		store_test(an_error_node),
		store_test(a_backend_of_another_type),
		store_test(a_slow_xenstored),
		store_test(a_domain_without_a_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
