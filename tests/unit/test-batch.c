// SPDX-License-Identifier: GPL-2.0-or-later
/* Batches, the removal of what dead domains left, and records, on the fake. */
#include "operations.h"

#define BACK_ERR "/local/domain/0/error/backend/mydevice/5/0/error"
#define FORMER	 "0123456789abcdef"

static struct xensplit_ctx *ctx;
static struct xs_handle *other;
static struct xensplit_batch *batch;

static int begin(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	other = xs_open(0);
	assert_int_equal(xensplit_batch_new(ctx, &batch), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	batch = xensplit_batch_free(batch);
	xs_close(other);
	unit_ctx_free(ctx);
	return 0;
}

static struct xensplit_id id_of(uint32_t domid, const char *type, uint32_t devid)
{
	struct xensplit_id id = { domid, type, devid };

	return id;
}

static int add_attach(const char *type, uint32_t devid, uint32_t flags)
{
	static const struct xensplit_pair key = { "key", "value" };
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	opts.front = &key;
	opts.front_count = 1;
	opts.domid = 5;
	opts.type = type;
	opts.devid = devid;
	opts.flags = flags;
	return xensplit_batch_attach(batch, &opts);
}

static void attach_more(uint32_t domid, const char *type, uint32_t devid,
			uint32_t backend_domid)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	opts.domid = domid;
	opts.type = type;
	opts.devid = devid;
	opts.backend_domid = backend_domid;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

/* --- batches --- */

static void a_batch_stops_at_a_failure(void **state)
{
	const struct xensplit_id none = id_of(5, "none", 0);

	(void)state;
	assert_int_equal(add_attach("first", 0, 0), 0);
	assert_int_equal(xensplit_batch_remove(batch, &none, 0), 1);
	assert_int_equal(add_attach("second", 0, 0), 2);
	fake.requests = 0;
	assert_int_equal(xensplit_batch_commit(batch), -ENOENT);
	assert_string_equal(xensplit_errmsg(ctx), "not attached");
	assert_int_equal(fake.commits, 0);
	assert_false(there("/xensplit/5/first/0") || there("/xensplit/5/second/0"));
}

/* Pauses before each new try grow, and are random, so that clients which collided separate. */
static void a_batch_that_collides(void **state)
{
	uint64_t least = UINT64_MAX, most = 0;
	unsigned int i;

	(void)state;
	assert_int_equal(add_attach("mydevice", 0, 0), 0);
	for (i = 0; i < 8; i++) {
		fake_calm();
		fake.conflicts = 6;
		assert_int_equal(xensplit_batch_commit(batch), 0);
		assert_int_equal(fake.tries, 7);
		assert_int_equal(fake.pauses, 6);
		/* 500 us, doubled each time, or half of that. */
		assert_in_range(fake.pause_us[0], 400, 1100);
		assert_in_range(fake.pause_us[5], 15500, 33000);
		least = fake.pause_us[5] < least ? fake.pause_us[5] : least;
		most = fake.pause_us[5] > most ? fake.pause_us[5] : most;
		assert_true(xs_rm(other, XBT_NULL, REC) && xs_rm(other, XBT_NULL, FE) &&
			    xs_rm(other, XBT_NULL, BE));
	}
	assert_true(most > least + 1000);
}

static void what_a_batch_refuses(void **state)
{
	(void)state;
	assert_int_equal(add_attach("mydevice", 0, XENSPLIT_ATTACH_ROLLBACK), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "can't roll back");
	assert_int_equal(xensplit_batch_remove(batch, &device, 2), -EINVAL);
	assert_int_equal(xensplit_batch_stage(batch, XBT_NULL), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "inside a transaction");
	assert_int_equal(add_attach("mydevice", 0, 0), 0);
}

static void ids_of_a_batch(void **state)
{
	uint32_t devid = 77;

	(void)state;
	assert_int_equal(add_attach("mydevice", XENSPLIT_DEVID_AUTO, 0), 0);
	assert_int_equal(add_attach("mydevice", 9, 0), 1);
	assert_int_equal(xensplit_batch_devid(batch, 0, &devid), -ENODATA);
	assert_int_equal(xensplit_batch_devid(batch, 2, &devid), -EINVAL);
	assert_int_equal(xensplit_batch_devid(batch, -1, &devid), -EINVAL);
	assert_int_equal(devid, 77);
	assert_int_equal(xensplit_batch_devid(batch, 1, &devid), 0);
	assert_int_equal(devid, 9);
	assert_int_equal(xensplit_batch_preview(batch), 0);
	assert_int_equal(xensplit_batch_devid(batch, 0, &devid), 0);
	assert_int_equal(devid, 0);
	/* With another step, it has not been tried yet. */
	assert_int_equal(add_attach("mydevice", 10, 0), 2);
	assert_int_equal(xensplit_batch_devid(batch, 0, &devid), -ENODATA);
	assert_int_equal(xensplit_batch_commit(batch), 0);
	assert_int_equal(xensplit_batch_devid(batch, 0, &devid), 0);
}

static size_t count_changes(void)
{
	size_t count = 0;

	while (xensplit_batch_change(batch, count))
		count++;
	return count;
}

static void a_preview_changes_nothing(void **state)
{
	char *before = fake_dump(), *after;

	(void)state;
	assert_int_equal(add_attach("mydevice", 0, 0), 0);
	assert_int_equal(xensplit_batch_preview(batch), 0);
	assert_true(count_changes() > 10);
	assert_int_equal(fake.commits, 0);
	after = fake_dump();
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* The changes are those of the last time. */
static void a_batch_that_is_staged_twice(void **state)
{
	xs_transaction_t t;
	size_t once;

	(void)state;
	assert_int_equal(add_attach("mydevice", 0, 0), 0);
	t = xs_transaction_start(other);
	assert_int_equal(xensplit_batch_stage(batch, t), 0);
	once = count_changes();
	assert_true(once > 10);
	assert_true(xs_transaction_end(other, t, true));
	t = xs_transaction_start(other);
	assert_int_equal(xensplit_batch_stage(batch, t), 0);
	assert_int_equal(count_changes(), once);
	assert_true(xs_transaction_end(other, t, false));
	assert_true(there(REC));
}

/* Its end keeps writing to it: the halves go first, the record by a commit. */
static void a_removal_gets_through_collisions(void **state)
{
	(void)state;
	connected(ctx);
	fake_calm();
	set(BACK_ERR, "oops");
	fake.flood = true;
	assert_int_equal(xensplit_batch_remove(batch, &device, 0), 0);
	assert_int_equal(xensplit_batch_commit(batch), 0);
	assert_false(there(REC) || there(FE) || there(BE) || there(BACK_ERR));
}

/* That the domain is gone has to be read in the commit. */
static void a_stale_removal_does_not_go_without_a_commit(void **state)
{
	(void)state;
	of_a_former_domain(ctx);
	fake_calm();
	set(BACK_ERR, "oops");
	fake.flood = true;
	assert_int_equal(xensplit_batch_remove(batch, &device, XENSPLIT_REMOVE_STALE), 0);
	assert_int_equal(xensplit_batch_commit(batch), -EBUSY);
	assert_true(there(REC) && there(BE));
	fake_calm();
	assert_int_equal(xensplit_batch_commit(batch), 0);
	assert_false(there(REC) || there(BE));
	assert_true(there(BACK_ERR));
}

static void a_living_device_is_not_stale(void **state)
{
	(void)state;
	connected(ctx);
	assert_int_equal(xensplit_batch_remove(batch, &device, XENSPLIT_REMOVE_STALE), 0);
	assert_int_equal(xensplit_batch_commit(batch), -EBUSY);
	assert_string_equal(xensplit_last_error(ctx)->code, "not-stale");
	assert_true(there(REC) && there(FE) && there(BE));
}

static void a_close_of_each_state(void **state)
{
	static const struct {
		const char *front, *back, *front_then, *back_then;
	} rows[] = {
		{ "1", "1", "6", "6" }, { "4", "4", "4", "5" }, { "1", "2", "6", "5" },
		{ "4", "5", "4", "5" }, { "6", "6", "6", "6" }, { "4", "1", "4", "6" },
	};
	size_t i;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	assert_int_equal(xensplit_batch_close(batch, &device), 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		set(FE "/state", rows[i].front);
		set(BE "/state", rows[i].back);
		set(BE "/online", "1");
		assert_int_equal(xensplit_batch_commit(batch), 0);
		assert_string_equal(fake_value(FE "/state", NULL), rows[i].front_then);
		assert_string_equal(fake_value(BE "/state", NULL), rows[i].back_then);
		assert_string_equal(fake_value(BE "/online", NULL), "0");
	}
	/* A guest may make what it reads collide, but not what is written. */
	assert_true(xs_rm(other, XBT_NULL, BE));
	assert_int_equal(xensplit_batch_commit(batch), 0);
	assert_false(there(BE));
	set("/local/domain/5/xensplit", FORMER);
	assert_int_equal(xensplit_batch_commit(batch), -ESTALE);
}

/* --- what dead domains left --- */

static struct xensplit_reap *reap(uint32_t domid, uint32_t backend_domid, uint32_t flags)
{
	struct xensplit_filter filter = { sizeof(filter), domid, NULL, XENSPLIT_ANY,
					  backend_domid };
	struct xensplit_reap *results;

	assert_int_equal(xensplit_reap_new(ctx, &filter, flags, &results), 0);
	return results;
}

/* How many, of which none failed. */
static size_t reap_count(uint32_t domid, uint32_t backend_domid, uint32_t flags)
{
	struct xensplit_reap *results = reap(domid, backend_domid, flags);
	const struct xensplit_reaped *reaped;
	size_t i, count = 0;

	for (i = 0; (reaped = xensplit_reap_get(results, i)); i++) {
		assert_int_equal(reaped->result, 0);
		count += reaped->id.type != NULL;
	}
	xensplit_reap_free(results);
	return count;
}

static void only_devices_of_dead_domains_go(void **state)
{
	(void)state;
	attach_more(5, "one", 0, 0);
	attach_more(5, "two", 0, 6);
	attach_more(6, "one", 0, 0);
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0), 0);
	fake.dead_domid = 5;
	assert_int_equal(reap_count(6, XENSPLIT_ANY, 0), 0);
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, XENSPLIT_REAP_DRY_RUN),
			 2);
	assert_true(there("/xensplit/5/one/0") && there("/xensplit/5/two/0"));
	assert_int_equal(reap_count(XENSPLIT_ANY, 6, 0), 1);
	assert_true(there("/xensplit/5/one/0"));
	assert_false(there("/xensplit/5/two") || there("/local/domain/6/backend/two"));
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0), 1);
	assert_false(there("/xensplit/5") || there("/local/domain/0/backend/one/5"));
	assert_true(there("/xensplit/6/one/0") &&
		    there("/local/domain/0/backend/one/6/0/state"));
}

/* One that has its backend in a dead domain goes, too. */
static void a_dead_driver_domain(void **state)
{
	(void)state;
	attach_more(5, "one", 0, 6);
	attach_more(5, "two", 0, 0);
	fake.dead_domid = 6;
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0), 1);
	assert_false(there("/local/domain/5/device/one"));
	assert_true(there("/local/domain/5/device/two/0/state"));
}

/* The cursor for ids goes with the domain, unless a device could not be removed. */
static void cursors_of_dead_domains(void **state)
{
	(void)state;
	set("/xensplit/5/mydevice/next-devid", "3");
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0), 0);
	assert_true(there("/xensplit/5/mydevice/next-devid"));
	fake.dead_domid = 5;
	assert_int_equal(reap_count(6, XENSPLIT_ANY, 0), 0);
	assert_int_equal(reap_count(XENSPLIT_ANY, 6, 0), 0);
	assert_true(there("/xensplit/5/mydevice/next-devid"));
	assert_int_equal(reap_count(5, XENSPLIT_ANY, 0), 0);
	assert_false(there("/xensplit/5"));
}

/* A record that can't be read: of a living domain it stays. */
static void a_damaged_record(void **state)
{
	(void)state;
	connected(ctx);
	set(REC, "nothing that makes sense");
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0), 0);
	assert_true(there(REC) && there(BE));
	fake.dead_domid = 5;
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0), 1);
	assert_false(there("/xensplit/5") || there(BE));
}

/* One that fails does not stop the others. */
static void a_failure_belongs_to_its_device(void **state)
{
	const struct xensplit_reaped *reaped;
	struct xensplit_reap *results;
	unsigned int at, failed = 0;
	size_t i;

	(void)state;
	for (at = 1; at < 200; at++) {
		size_t count = 0, bad = 0;

		fake_calm();
		attach_more(5, "one", 0, 6);
		attach_more(5, "two", 0, 6);
		fake.dead_domid = 5;
		fake.requests = 0;
		fake.fail_at = at;
		fake.fail_errno = ENOSPC;
		if (xensplit_reap_new(ctx, NULL, 0, &results)) {
			fake_calm();
			fake.dead_domid = 5;
			reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0);
			continue;
		}
		for (i = 0; (reaped = xensplit_reap_get(results, i)); i++) {
			count += reaped->id.type && !reaped->result;
			bad += reaped->id.type && reaped->result;
		}
		failed += bad > 0;
		assert_int_equal(count + bad, 2);
		/* What failed is still there, with the cursor. */
		assert_int_equal(there("/xensplit/5"), bad > 0);
		xensplit_reap_free(results);
		fake.fail_at = 0;
		reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0);
	}
	assert_true(failed > 0);
}

/* Its end keeps writing to it: the halves go first, the record by a commit. */
static void a_reap_gets_through_collisions(void **state)
{
	(void)state;
	attach_more(5, "one", 0, 6);
	attach_more(5, "two", 0, 6);
	fake_calm();
	fake.dead_domid = 5;
	fake.flood = true;
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0), 2);
	assert_false(there("/xensplit/5/one") || there("/local/domain/6/backend/one") ||
		     there("/local/domain/5/device/one"));
	assert_false(there("/xensplit/5/two") || there("/local/domain/6/backend/two") ||
		     there("/local/domain/5/device/two"));
}

/* The new domain has the domid of a backend: what is there is its own, whatever fails. */
static void the_half_in_a_new_driver_domain_stays(void **state)
{
	unsigned int at;

	(void)state;
	for (at = 1; at < 80; at++) {
		struct xensplit_reap *results;

		fake_calm();
		attach_more(5, "one", 0, 6);
		set("/local/domain/6/xensplit", FORMER);
		fake.dead_domid = 5;
		fake.fail_at = at;
		fake.fail_errno = ENOSPC;
		fake.requests = 0;
		if (!xensplit_reap_new(ctx, NULL, 0, &results))
			xensplit_reap_free(results);
		fake.fail_at = 0;
		assert_true(there("/local/domain/6/backend/one/5/0/state"));
		reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0);
		assert_false(there("/xensplit/5/one"));
		assert_true(there("/local/domain/6/backend/one/5/0/state"));
		assert_true(xs_rm(other, XBT_NULL, "/local/domain/6/backend") &&
			    xs_rm(other, XBT_NULL, "/local/domain/6/xensplit"));
	}
}

static void one_type_is_gone_already(void **state)
{
	(void)state;
	attach_more(5, "one", 0, 0);
	attach_more(5, "one", 1, 0);
	attach_more(5, "two", 0, 0);
	assert_true(xs_rm(other, XBT_NULL, "/local/domain/5/device/one"));
	fake.dead_domid = 5;
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0), 3);
	assert_false(there("/local/domain/5/device/two"));
}

static void a_single_one_and_its_backend(void **state)
{
	const struct xensplit_reaped *reaped;
	struct xensplit_reap *results;

	(void)state;
	attach_more(5, "one", 0, 6);
	fake.dead_domid = 5;
	assert_int_equal(reap_count(XENSPLIT_ANY, 0, 0), 0);
	assert_true(there("/xensplit/5/one/0"));
	results = reap(5, 6, 0);
	reaped = xensplit_reap_get(results, 0);
	assert_non_null(reaped);
	assert_int_equal(reaped->backend_domid, 6);
	xensplit_reap_free(results);
}

/* Then each is removed on its own. */
static void a_commit_of_many_that_collides(void **state)
{
	struct xensplit_reap *results;

	(void)state;
	attach_more(5, "one", 0, 6);
	attach_more(5, "two", 0, 6);
	fake.dead_domid = 5;
	fake.conflicts = 1;
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0), 2);
	assert_int_equal(xensplit_reap_new(ctx, NULL, 4, &results), -EINVAL);
}

/* A new domain has the domid: what it has made stays. */
static void halves_of_a_new_domain_stay(void **state)
{
	(void)state;
	connected(ctx);
	set("/local/domain/5/xensplit", FORMER);
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0), 1);
	assert_false(there(REC));
	assert_true(there(FE "/state") && there(BE "/state"));
}

/* A guest that owns `device` can make a frontend, but not let it agree with a backend. */
static void a_frontend_that_the_new_domain_has_forged(void **state)
{
	struct xs_permissions own = { 5, XS_PERM_NONE };

	(void)state;
	connected(ctx);
	set("/local/domain/5/xensplit", FORMER);
	assert_true(xs_set_permissions(other, XBT_NULL, "/local/domain/5/device/mydevice",
				       &own, 1));
	assert_true(xs_set_permissions(other, XBT_NULL, FE "/backend", &own, 1));
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0), 1);
	assert_true(there(FE));
	assert_false(there(BE) || there(REC));
}

static void many_at_once(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		attach_more(5, "one", i, 0);
		attach_more(5, "two", i, 6);
	}
	attach_more(6, "one", 0, 0);
	fake.dead_domid = 5;
	assert_int_equal(reap_count(XENSPLIT_ANY, XENSPLIT_ANY, 0), 6);
	assert_false(there("/xensplit/5") || there("/local/domain/5/device/one") ||
		     there("/local/domain/6/backend") ||
		     there("/local/domain/0/backend/one/5"));
	assert_true(there("/xensplit/6/one/0"));
}

#define batch_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		batch_test(a_batch_stops_at_a_failure),
		batch_test(a_batch_that_collides),
		batch_test(what_a_batch_refuses),
		batch_test(ids_of_a_batch),
		batch_test(a_preview_changes_nothing),
		batch_test(a_batch_that_is_staged_twice),
		batch_test(a_removal_gets_through_collisions),
		batch_test(a_stale_removal_does_not_go_without_a_commit),
		batch_test(a_living_device_is_not_stale),
		batch_test(a_close_of_each_state),
		batch_test(only_devices_of_dead_domains_go),
		batch_test(a_dead_driver_domain),
		batch_test(cursors_of_dead_domains),
		batch_test(a_damaged_record),
		batch_test(a_failure_belongs_to_its_device),
		batch_test(a_reap_gets_through_collisions),
		batch_test(the_half_in_a_new_driver_domain_stays),
		batch_test(one_type_is_gone_already),
		batch_test(a_single_one_and_its_backend),
		batch_test(a_commit_of_many_that_collides),
		batch_test(halves_of_a_new_domain_stay),
		batch_test(a_frontend_that_the_new_domain_has_forged),
		batch_test(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
