// SPDX-License-Identifier: GPL-2.0-or-later
/* Domains: names, domids that are used again, and what a hypervisor says. */
#include "store.h"

static int attach(uint32_t devid)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", devid);

	return xensplit_attach(ctx, &opts, 0, NULL);
}

static void reuse_domid_5(void)
{
	run("\"$SANDBOX\" kill 5 && \"$SANDBOX\" create 5 --name next");
}

static int remove_stale(uint32_t devid)
{
	struct xensplit_id id = { 5, "mydevice", devid };
	struct xensplit_batch *batch;
	int r;

	assert_result(xensplit_batch_new(ctx, &batch), 0);
	assert_result(xensplit_batch_remove(batch, &id, XENSPLIT_REMOVE_STALE), 0);
	r = xensplit_batch_commit(batch);
	xensplit_batch_free(batch);
	return r;
}

static void domains_by_name_and_number(void **state)
{
	static const char *const nobody[] = { "g7", "G5", "g", "g5 ", "-1", " 5" };
	static const char *const mistyped[] = { "5x", "0x5", "5 ", "5\n" };
	static const char *const beyond[] = { "32752", "99999", "4294967301",
					      "18446744073709551621",
					      "000000000000000000000000000099999" };
	uint32_t domid = 77;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(nobody); i++)
		assert_result(xensplit_domain_find(ctx, nobody[i], &domid), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "no such domain: ' 5'");
	for (i = 0; i < ARRAY_SIZE(mistyped); i++)
		assert_result(xensplit_domain_find(ctx, mistyped[i], &domid), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "'5\\x0a' is neither a domid");
	for (i = 0; i < ARRAY_SIZE(beyond); i++)
		assert_result(xensplit_domain_find(ctx, beyond[i], &domid), -ESRCH);
	assert_result(xensplit_domain_find(ctx, "", &domid), -EINVAL);
	assert_int_equal(domid, 77);
	assert_result(xensplit_domain_find(ctx, "g6", &domid), 0);
	assert_int_equal(domid, 6);
	assert_result(xensplit_domain_find(ctx, "Domain-0", &domid), 0);
	assert_int_equal(domid, 0);
	put("/local/domain/6/name", "5x", NULL);
	assert_result(xensplit_domain_find(ctx, "5x", &domid), 0);
	assert_int_equal(domid, 6);
	assert_result(xensplit_domain_find(ctx, "5", &domid), 0);
	assert_int_equal(domid, 5);
	/* A domid is not looked up. */
	assert_result(xensplit_domain_find(ctx, "32751", &domid), 0);
	assert_int_equal(domid, 32751);
	assert_result(xensplit_domain_check(ctx, 32751), -ESRCH);
	assert_result(xensplit_domain_check(ctx, 5), 0);
	assert_result(xensplit_domain_check(ctx, 0), 0);
}

static void a_name_that_two_domains_bear(void **state)
{
	uint32_t domid = 77;

	(void)state;
	put("/local/domain/6/name", "g5", NULL);
	assert_result(xensplit_domain_find(ctx, "g5", &domid), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "2 domains have the name 'g5'");
	assert_int_equal(domid, 77);
	/* A guest that can write its name can't pretend to be another by means of a NUL. */
	put_bytes("/local/domain/6/name", "g5\0x", 4, NULL);
	assert_result(xensplit_domain_find(ctx, "g5", &domid), 0);
	assert_int_equal(domid, 5);
}

static void pitfall_08_a_used_again_domid_is_stale(void **state)
{
	struct xensplit_list *list;
	const char *before;

	(void)state;
	attach_mydevice();
	assert_int_equal(list_one(&list, 0)->stale, 0);
	xensplit_list_free(list);
	reuse_domid_5();
	before = dump();
	assert_true(list_one(&list, 0)->stale);
	xensplit_list_free(list);

	assert_result(xensplit_detach(ctx, &mydevice, 0, 1000), -ESTALE);
	assert_contains(xensplit_errmsg(ctx), "belongs to a domain that is gone");
	assert_result(xensplit_detach(ctx, &mydevice, XENSPLIT_DETACH_FORCE, 0), -ESTALE);
	assert_result(attach(0), -ESTALE);
	assert_untouched(before);

	assert_result(remove_stale(0), 0);
	assert_no_device();
	assert_result(attach(0), 0);
	assert_int_equal(list_one(&list, 0)->stale, 0);
	xensplit_list_free(list);
}

/* A device that a new domain with that domid got from elsewhere is not the old one's. */
static void pitfall_08_what_the_new_domain_has_stays(void **state)
{
	(void)state;
	attach_mydevice();
	reuse_domid_5();
	put(FE "/backend", BE, "n5,r0");
	put(FE "/state", "4", "n5,r0");
	xs_rm(dom0, XBT_NULL, BE);
	put(BE "/state", "4", "n0,r5");
	assert_result(remove_stale(0), 0);
	assert_gone("/xensplit");
	assert_node(FE "/state", "4", "n5,r0");
	assert_node(BE "/state", "4", "n0,r5");
}

static void pitfall_08_a_driver_domain_that_is_another(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	(void)state;
	opts.backend_domid = 6;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	run("\"$SANDBOX\" kill 6 && \"$SANDBOX\" create 6");
	put("/local/domain/6/backend/mydevice/5/0/state", "4", "n6,r5");
	assert_result(xensplit_detach(ctx, &mydevice, 0, 0), -ESTALE);
	assert_result(remove_stale(0), 0);
	assert_gone("/xensplit");
	assert_gone("/local/domain/5/device/mydevice");
	assert_node("/local/domain/6/backend/mydevice/5/0/state", "4", "n6,r5");
}

static void pitfall_08_a_living_device_is_not_stale(void **state)
{
	const char *before;

	(void)state;
	attach_mydevice();
	before = dump();
	assert_result(remove_stale(0), -EBUSY);
	assert_contains(xensplit_errmsg(ctx), "are alive");
	assert_result(remove_stale(1), -ENOENT);
	assert_untouched(before);
}

/* The record outlives what libxl removes with the domain, so nothing is forgotten. */
static void pitfall_22_the_record_outlives_its_domain(void **state)
{
	struct xensplit_list *list;
	const struct xensplit_device *device;

	(void)state;
	attach_mydevice();
	run("\"$SANDBOX\" kill 5");
	assert_gone("/local/domain/5");
	assert_gone("/libxl/5");
	device = list_one(&list, 0);
	assert_true(device->stale);
	assert_int_equal(device->frontend_state, XENSPLIT_STATE_ABSENT);
	assert_int_equal(device->backend_state, XENSPLIT_STATE_INITIALISING);
	assert_null(device->domain);
	xensplit_list_free(list);
	assert_true(exists(BE));
	assert_result(remove_stale(0), 0);
	assert_gone("/xensplit");
	assert_gone("/local/domain/0/backend");
}

static void a_crashed_domain_leaves_the_same(void **state)
{
	(void)state;
	attach_mydevice();
	run("\"$SANDBOX\" kill 5 --crash");
	assert_true(exists(BE));
	xs_rm(dom0, XBT_NULL, "/local/domain/5");
	assert_result(remove_stale(0), 0);
	assert_gone("/xensplit");
	assert_gone("/local/domain/0/backend");
}

static int reap(void)
{
	const struct xensplit_reaped *reaped;
	struct xensplit_reap *all;
	size_t i;
	int r;

	r = xensplit_reap_new(ctx, NULL, 0, &all);
	if (r)
		return r;
	for (i = 0; (reaped = xensplit_reap_get(all, i)); i++)
		r = r ? r : reaped->result;
	xensplit_reap_free(all);
	return r;
}

/* Devices and cursors of dead domains are removed, others stay. */
static void pitfall_08_reap_tells_the_dead_from_the_living(void **state)
{
	struct xensplit_attach_opts opts =
		device_opts(5, "mydevice", XENSPLIT_DEVID_AUTO);
	const char *before;

	(void)state;
	assert_result(reap(), 0);
	attach_mydevice(); /* a driver could still report what has failed after the reap */
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	put("/xensplit/5/mydevice/9", "odd", NULL);
	before = dump();
	opts.domid = 6;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	opts.type = "other";
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	assert_result(xensplit_detach(ctx, &(struct xensplit_id){ 6, "other", 0 }, 0, 0),
		      0);
	assert_result(reap(), 0);
	assert_true(exists("/xensplit/6/mydevice/1"));
	assert_true(exists("/xensplit/6/other/next-devid"));

	run("\"$SANDBOX\" kill 6");
	assert_result(reap(), 0);
	run("\"$SANDBOX\" create 6 --name g6 --uuid " UUID6);
	assert_untouched(before);
}

/* A new domain with that domid continues where the old one's ids ended. */
static void pitfall_09_a_cursor_outlives_a_domain_whose_number_lives(void **state)
{
	struct xensplit_attach_opts opts =
		device_opts(5, "mydevice", XENSPLIT_DEVID_AUTO);
	uint32_t devid;

	(void)state;
	assert_result(xensplit_attach(ctx, &opts, 0, &devid), 0);
	reuse_domid_5();
	assert_result(reap(), 0);
	assert_gone("/xensplit/5/mydevice/0");
	assert_result(xensplit_attach(ctx, &opts, 0, &devid), 0);
	assert_int_equal(devid, 1);
}

/* --- with a hypervisor --- */

static struct {
	uint32_t flags;
	int result;
	uint8_t uuid_end; /* of domain 5; 0: none at all */
	unsigned int asked;
} hypervisor;

static int query(void *data, uint32_t domid, struct xensplit_domain *domain)
{
	assert_ptr_equal(data, &hypervisor);
	assert_int_equal(domain->flags, 0);
	hypervisor.asked++;
	if (domid == 0)
		return 0;
	if (domid > 6)
		return -ESRCH;
	domain->flags = domid == 5 ? hypervisor.flags : 0;
	domain->uuid[0] = hypervisor.uuid_end ? 0xab : 0;
	domain->uuid[15] = hypervisor.uuid_end;
	return hypervisor.result;
}

static void with_hypervisor(void)
{
	static const struct xensplit_hypervisor table = { sizeof(table), query };
	XENSPLIT_OPTS(xensplit_opts, opts);

	memset(&hypervisor, 0, sizeof(hypervisor));
	hypervisor.uuid_end = 1;
	opts.hypervisor = &table;
	opts.hypervisor_data = &hypervisor;
	xensplit_free(ctx);
	ctx = new_ctx(&opts);
}

static void its_uuid_goes_into_the_record(void **state)
{
	(void)state;
	with_hypervisor();
	attach_mydevice();
	assert_true(hypervisor.asked > 0);
	assert_string_equal(record_field(REC, "frontend-uuid"),
			    "ab000000-0000-0000-0000-000000000001");
	assert_null(record_field(REC, "backend-uuid"));
	/* The UUID tells the next domain from this one, whatever the store says. */
	hypervisor.uuid_end = 2;
	assert_result(xensplit_detach(ctx, &mydevice, 0, 0), -ESTALE);
	hypervisor.uuid_end = 1;
	assert_result(xensplit_detach(ctx, &mydevice, 0, 0), 0);
}

/* A missing UUID proves nothing. */
static void a_missing_uuid_is_not_a_different_one(void **state)
{
	(void)state;
	with_hypervisor();
	attach_mydevice();
	hypervisor.uuid_end = 0;
	assert_result(xensplit_detach(ctx, &mydevice, 0, 0), 0);
	assert_no_device();
}

static void a_domain_it_does_not_know(void **state)
{
	const char *before;

	(void)state;
	with_hypervisor();
	put("/local/domain/9/name", "ghost", NULL);
	before = dump();
	assert_result(xensplit_attach(ctx,
				      &(struct xensplit_attach_opts){
					      .sz = sizeof(struct xensplit_attach_opts),
					      .domid = 9,
					      .type = "mydevice" },
				      0, NULL),
		      -ESRCH);
	hypervisor.result = -ESRCH;
	assert_result(attach(0), -ESRCH);
	assert_untouched(before);
	xs_rm(dom0, XBT_NULL, "/local/domain/9");
}

static void a_dying_domain_gets_no_device(void **state)
{
	const char *before;

	(void)state;
	with_hypervisor();
	before = dump();
	hypervisor.flags = XENSPLIT_DOMAIN_DYING;
	assert_result(attach(0), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "domain 5 is dying");
	assert_result(xensplit_domain_check(ctx, 5), -ESRCH);
	assert_untouched(before);
}

/* Xen knows it already, but it has no nodes yet. */
static void a_domain_still_being_built(void **state)
{
	(void)state;
	with_hypervisor();
	xs_rm(dom0, XBT_NULL, "/local/domain/5");
	assert_result(attach(0), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "may still be in creation");
	assert_gone("/local/domain/5");
}

/* If it can't tell, the library asks the store, as without a hypervisor. */
static void a_hypervisor_that_does_not_know(void **state)
{
	(void)state;
	with_hypervisor();
	hypervisor.result = -EPERM;
	attach_mydevice();
	assert_null(record_field(REC, "frontend-uuid"));
	assert_non_null(record_field(REC, "frontend-mark"));
	assert_result(xensplit_detach(ctx, &mydevice, 0, 0), 0);
}

static void a_paused_domain_is_the_cause(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	(void)state;
	with_hypervisor();
	hypervisor.flags = XENSPLIT_DOMAIN_PAUSED;
	assert_result(xensplit_attach(ctx, &opts, 50, NULL), -ETIMEDOUT);
	assert_string_equal(xensplit_last_error(ctx)->cause->code, "domain-paused");
	hypervisor.flags = XENSPLIT_DOMAIN_CRASHED;
	assert_result(xensplit_wait(ctx, &mydevice, XENSPLIT_UNTIL_CONNECTED, 0),
		      -ETIMEDOUT);
	assert_string_equal(xensplit_last_error(ctx)->cause->code, "domain-crashed");
}

static void a_table_without_a_function(void **state)
{
	struct xensplit_hypervisor table = { sizeof(table), NULL };
	XENSPLIT_OPTS(xensplit_opts, opts);
	struct xensplit_ctx *none = NULL;

	(void)state;
	opts.hypervisor = &table;
	assert_int_equal(xensplit_new(&opts, &none), -EINVAL);
	table.query = query;
	table.sz = sizeof(size_t);
	assert_int_equal(xensplit_new(&opts, &none), -EINVAL);
	assert_null(none);
}

/* As init-dom0less leaves it. */
static void a_name_that_the_guest_may_write(void **state)
{
	uint32_t domid = 77;

	(void)state;
	put("/local/domain/5/name", "victim", "n5,r0");
	assert_result(xensplit_domain_find(ctx, "victim", &domid), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "domain 5 is called 'victim', but may have "
					      "chosen that itself: use its domid");
	assert_result(xensplit_domain_wait(ctx, "victim", 0, &domid), -ETIMEDOUT);
	put("/local/domain/6/name", "victim", "n0,r6");
	assert_result(xensplit_domain_find(ctx, "victim", &domid), 0);
	assert_int_equal(domid, 6);
	put("/local/domain/5/name", "victim", "n0,b5");
	put("/local/domain/6/name", "g6", NULL);
	assert_result(xensplit_domain_find(ctx, "victim", &domid), -ESRCH);
	assert_int_equal(domid, 6);
}

/* A guest that owns `device` can make a frontend, so that it keeps the backend of another. */
static void a_frontend_that_the_new_domain_made(void **state)
{
	struct xs_handle *guest;

	(void)state;
	assert_result(attach(0), 0);
	reuse_domid_5();
	put("/local/domain/5/device", "", "n5,r0");
	guest = as_domain(5);
	assert_true(
		xs_write(guest, XBT_NULL, "device/mydevice/0/backend", BE, strlen(BE)));
	assert_true(xs_write(guest, XBT_NULL, "device/mydevice/0/backend-id", "0", 1));
	assert_result(remove_stale(0), 0);
	assert_gone(BE);
	assert_gone(REC);
	assert_node(FE "/backend", BE, "n5,r0");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(domains_by_name_and_number),
		store_test(a_name_that_two_domains_bear),
		store_test(pitfall_08_a_used_again_domid_is_stale),
		store_test(pitfall_08_what_the_new_domain_has_stays),
		store_test(pitfall_08_a_driver_domain_that_is_another),
		store_test(pitfall_08_a_living_device_is_not_stale),
		store_test(pitfall_08_reap_tells_the_dead_from_the_living),
		store_test(pitfall_09_a_cursor_outlives_a_domain_whose_number_lives),
		store_test(pitfall_22_the_record_outlives_its_domain),
		store_test(a_crashed_domain_leaves_the_same),
		store_test(its_uuid_goes_into_the_record),
		store_test(a_missing_uuid_is_not_a_different_one),
		store_test(a_domain_it_does_not_know),
		store_test(a_dying_domain_gets_no_device),
		store_test(a_domain_still_being_built),
		store_test(a_hypervisor_that_does_not_know),
		store_test(a_paused_domain_is_the_cause),
		store_test(a_table_without_a_function),
		store_test(a_name_that_the_guest_may_write),
		store_test(a_frontend_that_the_new_domain_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
