// SPDX-License-Identifier: GPL-2.0-or-later
/* What a repair writes, and when it makes the device again: on the fake, whose clock skips waits. */
#include "operations.h"

#define FRONT_ERR "/local/domain/5/error/device/mydevice/0/error"
#define BACK_ERR  "/local/domain/0/error/backend/mydevice/5/0/error"

static struct xensplit_ctx *ctx;
static struct xs_handle *other; /* a client that sees what is written */

static int begin(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	other = xs_open(0);
	connected(ctx);
	fake_calm();
	fake.backend_closes = true;
	return 0;
}

static int end(void **state)
{
	(void)state;
	xs_close(other);
	unit_ctx_free(ctx);
	return 0;
}

static void set_states(const char *front, const char *back)
{
	set(FE "/state", front);
	set(BE "/state", back);
}

static void set_perms(const char *path, const char *text)
{
	struct xs_permissions perms[3];
	unsigned int count = 0;

	for (; *text; text++, count++) {
		perms[count].perms = *text == 'r'   ? XS_PERM_READ
				     : *text == 'w' ? XS_PERM_WRITE
						    : XS_PERM_NONE;
		perms[count].id = (unsigned int)strtoul(text + 1, (char **)&text, 10);
		if (!*text)
			text--;
	}
	assert_true(xs_set_permissions(other, XBT_NULL, path, perms, count));
}

static void assert_perms(const char *path, const char *wanted)
{
	struct txn txn = TXN_NONE(ctx);
	struct node_perms perms;

	assert_int_equal(store_get_perms(&txn, path, &perms), 0);
	assert_string_equal(perms.text, wanted);
}

static int repair(void)
{
	struct xensplit_batch *batch;
	int r;

	assert_int_equal(xensplit_batch_new(ctx, &batch), 0);
	assert_int_equal(xensplit_batch_repair(batch, &device), 0);
	r = xensplit_batch_commit(batch);
	xensplit_batch_free(batch);
	return r;
}

/* How often the two states were written since the last call, as 10 * frontend + backend. */
static unsigned int states_written(void)
{
	unsigned int front = 0, back = 0;
	char **watch;

	while ((watch = xs_check_watch(other))) {
		front += !strcmp(watch[XS_WATCH_PATH], FE "/state");
		back += !strcmp(watch[XS_WATCH_PATH], BE "/state");
		free(watch);
	}
	return 10 * front + back;
}

static void watch_states(void)
{
	assert_true(xs_watch(other, FE "/state", "front"));
	assert_true(xs_watch(other, BE "/state", "back"));
	assert_int_equal(states_written(), 11);
}

/* --- what it writes --- */

/* A driver whose write was refused tries again only when the other end changes. */
static void states_are_written_again_after_a_change(void **state)
{
	(void)state;
	watch_states();
	assert_int_equal(repair(), 0);
	assert_int_equal(states_written(), 0);
	set_perms(FE "/key", "n5,r6");
	assert_int_equal(repair(), 0);
	assert_int_equal(states_written(), 11);
	assert_true(xs_rm(other, XBT_NULL, BE "/online"));
	assert_int_equal(repair(), 0);
	assert_int_equal(states_written(), 11);
	assert_string_equal(fake_value(BE "/online", NULL), "1");
	assert_string_equal(fake_value(FE "/state", NULL), "4");
	assert_string_equal(fake_value(BE "/state", NULL), "4");
}

static void online_is_only_written_if_it_is_missing(void **state)
{
	(void)state;
	watch_states();
	set(BE "/online", "0");
	assert_int_equal(repair(), 0);
	assert_string_equal(fake_value(BE "/online", NULL), "0");
	assert_int_equal(states_written(), 0);
}

/* One that is not there, or makes no sense, is not a driver's. */
static void only_a_state_is_written_again(void **state)
{
	(void)state;
	assert_true(xs_rm(other, XBT_NULL, FE "/state"));
	set(BE "/state", "x");
	watch_states();
	set_perms(BE "/key", "n5,r6");
	assert_int_equal(repair(), 0);
	assert_int_equal(states_written(), 0);
	assert_false(there(FE "/state"));
	assert_string_equal(fake_value(BE "/state", NULL), "x");
}

static void permissions_are_those_of_an_attach(void **state)
{
	static const char *const wrong_ones[] = { "n5,r6", "n6,r0", "n5,w0", "n5",
						  "n5,r0,r6" };
	static const struct {
		const char *path, *wanted;
	} nodes[] = {
		{ FE, "n5,r0" },
		{ FE "/state", "n5,r0" },
		{ FE "/key", "n5,r0" },
		{ FE "/backend", "n0,r5,r0" },
		{ BE, "n0,r5" },
		{ FE "/backend-id", "n0,r5,r0" },
		{ BE "/key", "n0,r5" },
		{ BE "/state", "n0,r5" },
		{ BE "/frontend", "n0,r5" },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(nodes); i++)
		for (j = 0; j < ARRAY_SIZE(wrong_ones); j++) {
			set_perms(nodes[i].path, wrong_ones[j]);
			assert_int_equal(repair(), 0);
			assert_perms(nodes[i].path, nodes[i].wanted);
		}
}

/* --- what it refuses --- */

static void a_stale_device_is_not_repaired(void **state)
{
	char *before;

	(void)state;
	set("/local/domain/5/xensplit", "0123456789abcdef");
	set_perms(FE "/key", "n5,r6");
	before = fake_dump();
	assert_int_equal(repair(), -ESTALE);
	fake.dead_domid = 5;
	assert_int_equal(repair(), -ESTALE);
	free(before);
	assert_perms(FE "/key", "n5,r6");
}

/* A device of another tool, which is to be believed if its halves name each other. */
static void foreign(void)
{
	assert_true(xs_rm(other, XBT_NULL, REC));
	set_perms(FE "/key", "n5,r6");
}

static void a_foreign_device_is_repaired_if_its_halves_agree(void **state)
{
	static const struct {
		const char *path, *value;
	} rows[] = {
		{ FE "/backend", "/local/domain/0/backend/mydevice/5" },
		{ FE "/backend-id", "6" },
		{ BE "/frontend", "/local/domain/6/device/mydevice/0" },
		{ BE "/frontend", "/local" },
		{ BE "/frontend-id", "6" },
		{ BE "/frontend-id", "50" },
	};
	size_t i;

	(void)state;
	foreign();
	assert_int_equal(repair(), 0);
	assert_perms(FE "/key", "n5,r0");
	set_perms(FE "/key", "n5,r6");
	assert_true(xs_write(other, XBT_NULL,
			     "/local/domain/6/backend/mydevice/5/0/state", "1", 1));
	assert_int_equal(repair(), -EPERM);
	assert_contains(xensplit_errmsg(ctx), "has more than one backend");
	assert_true(xs_rm(other, XBT_NULL, "/local/domain/6/backend"));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char *before = strdup(fake_value(rows[i].path, NULL));

		set(rows[i].path, rows[i].value);
		assert_int_equal(repair(), -EPERM);
		assert_contains(xensplit_errmsg(ctx), "does not name the other half");
		set(rows[i].path, before);
		free(before);
	}
	assert_perms(FE "/key", "n5,r6");
	set_perms(FE "/backend-id", "n5");
	assert_int_equal(repair(), -EPERM);
	assert_contains(xensplit_errmsg(ctx), "can be written by a guest");
}

static void a_foreign_device_of_a_dead_domain_is_not_repaired(void **state)
{
	(void)state;
	foreign();
	fake.dead_domid = 5;
	assert_int_equal(repair(), -ESRCH);
	assert_perms(FE "/key", "n5,r6");
	/* Nor is one that needs no repair called repaired. */
	fake.dead_domid = 0;
	assert_int_equal(repair(), 0);
	fake.dead_domid = 5;
	assert_int_equal(repair(), -ESRCH);
}

static void a_request_about_a_foreign_device_that_fails(void **state)
{
	unsigned int at;

	(void)state;
	foreign();
	for (at = 1;; at++) {
		int r;

		fake_calm();
		fake.fail_at = at;
		fake.fail_errno = EACCES;
		r = repair();
		fake.fail_at = 0;
		if (!fake.failed)
			break;
		if (r)
			assert_perms(FE "/key", "n5,r6");
		else
			assert_string_equal(fake.failed_call, "abort ");
	}
	assert_true(at > 20);
}

/* --- the operation --- */

static struct xensplit_op *start(unsigned int timeout_ms)
{
	struct xensplit_op *op;

	assert_int_equal(xensplit_op_repair(ctx, &device, timeout_ms, &op), 0);
	return op;
}

/* Until that time of the fake's clock, since @begun; the result, or 1. */
static int go_on(struct xensplit_op *op, uint64_t begun, unsigned int ms)
{
	uint64_t until = begun + 1000ull * ms;
	int r = 1;

	while (r == 1 && now_us() < until) {
		sleep_until(now_us() + 10000);
		r = xensplit_op_process(op);
	}
	return r;
}

static int finish(struct xensplit_op *op)
{
	int r = xensplit_op_run(op);

	xensplit_op_free(op);
	return r;
}

static char *unique_id(void)
{
	return strndup(strstr(fake_value(REC, NULL), "unique-id=") + 10, 32);
}

static bool is_same_device(const char *before)
{
	char *now = unique_id();
	bool same = !strcmp(now, before);

	free(now);
	return same;
}

static void errors_go_once_it_is_connected(void **state)
{
	struct xensplit_op *op;

	(void)state;
	set_states("4", "2");
	set(FRONT_ERR, "13 writing new state");
	set(BACK_ERR, "13 writing new state");
	op = start(5000);
	assert_int_equal(xensplit_op_process(op), 1);
	set_states("4", "4");
	assert_true(there(FRONT_ERR));
	assert_int_equal(finish(op), 0);
	assert_false(there(FRONT_ERR));
	assert_false(there(BACK_ERR));
}

/* The drivers went on in spite of them. */
static void errors_of_a_connected_device_stay(void **state)
{
	(void)state;
	set(FRONT_ERR, "2 get dev name");
	assert_int_equal(xensplit_repair(ctx, &device, 5000), 0);
	assert_true(there(FRONT_ERR));
}

/* They may connect as soon as it is repaired: the errors are from before that. */
static void errors_from_before_the_repair_go(void **state)
{
	struct xensplit_op *op;

	(void)state;
	set_states("4", "2");
	set(BACK_ERR, "13 writing new state");
	fake.conflicts = 1;
	op = start(5000);
	assert_int_equal(xensplit_op_process(op), 1);
	set_states("4", "4");
	assert_int_equal(finish(op), 0);
	assert_false(there(BACK_ERR));
}

/* A driver that does try again gets time for it. */
static void a_failed_device_is_made_again_after_two_seconds(void **state)
{
	static const char *const errors[] = { FRONT_ERR, BACK_ERR };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		uint64_t begun = now_us();
		char *before = unique_id();
		struct xensplit_op *op;

		set_states("1", "2");
		set(errors[i], "13 writing new state");
		op = start(5000);
		assert_int_equal(go_on(op, begun, 1900), 1);
		assert_true(is_same_device(before));
		assert_int_equal(go_on(op, begun, 3000), 1);
		assert_false(is_same_device(before));
		free(before);
		set_states("4", "4");
		assert_int_equal(finish(op), 0);
		assert_non_null(strstr(fake_value(REC, NULL), "front.key=value\n"));
		assert_string_equal(fake_value(FE "/key", NULL), "value");
		assert_false(there(errors[i]));
	}
}

static void a_device_whose_driver_gives_up_is_made_again(void **state)
{
	char *before = unique_id();
	struct xensplit_op *op;

	(void)state;
	set_states("2", "2");
	set(BACK_ERR, "13 writing new state");
	op = start(5000);
	assert_int_equal(go_on(op, now_us(), 500), 1);
	set(BE "/state", "5");
	assert_int_equal(go_on(op, now_us(), 500), 1);
	assert_false(is_same_device(before));
	free(before);
	set_states("4", "4");
	assert_int_equal(finish(op), 0);
}

/* @before: the device; NULL for one without a record */
static void assert_ends_if_the_driver_gives_up(const char *before)
{
	struct xensplit_op *op;

	set_states("2", "2");
	op = start(5000);
	assert_int_equal(go_on(op, now_us(), 500), 1);
	set(BE "/state", "5");
	assert_int_equal(finish(op), -EPROTO);
	assert_true(before ? is_same_device(before) : !there(REC));
}

/* Nothing says that it would help. */
static void a_device_without_an_error_is_not_made_again(void **state)
{
	char *before = unique_id();

	(void)state;
	set_states("1", "2");
	assert_int_equal(xensplit_repair(ctx, &device, 5000), -ETIMEDOUT);
	assert_true(is_same_device(before));
	assert_ends_if_the_driver_gives_up(before);
	free(before);
}

static void a_foreign_device_is_not_made_again(void **state)
{
	(void)state;
	foreign();
	set_states("1", "2");
	set(BACK_ERR, "13 writing new state");
	assert_int_equal(xensplit_repair(ctx, &device, 5000), -ETIMEDOUT);
	assert_false(there(REC));
	assert_true(there(BACK_ERR));
	assert_ends_if_the_driver_gives_up(NULL);
}

/* With the backend's domain and type, and though libxl manages the type. */
static void the_device_made_again_is_the_same_otherwise(void **state)
{
	static const struct xensplit_id vif = { 5, "vif", 3 };
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	(void)state;
	opts.domid = 5;
	opts.type = "vif";
	opts.devid = 3;
	opts.backend_domid = 6;
	opts.backend_type = "vif2";
	opts.flags = XENSPLIT_ATTACH_RESERVED;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	set("/local/domain/5/error/device/vif/3/error", "13 writing new state");
	/* No driver closes it, and none connects the new one. */
	assert_int_equal(xensplit_repair(ctx, &vif, 20000), -ETIMEDOUT);
	assert_false(there("/local/domain/5/error/device/vif/3/error"));
	assert_non_null(strstr(fake_value("/xensplit/5/vif/3", NULL),
			       "backend-id=6\nbackend-type=vif2\n"));
	assert_true(there("/local/domain/6/backend/vif2/5/3/state"));
	assert_string_equal(fake_value("/local/domain/5/device/vif/3/backend", NULL),
			    "/local/domain/6/backend/vif2/5/3");
}

/* A guest that never stops writing can make every try of a round collide. */
static void collisions_do_not_end_it(void **state)
{
	(void)state;
	fake.conflicts = STORE_TRIES + 2;
	assert_int_equal(xensplit_repair(ctx, &device, 30000), 0);
	assert_true(fake.tries > STORE_TRIES + 2);
	fake.conflicts = UINT32_MAX;
	assert_int_equal(xensplit_repair(ctx, &device, 3000), -EBUSY);
}

/* Its halves are gone; they come back even if there is no time to wait for the drivers. */
static void an_interrupted_replace_is_completed(void **state)
{
	char record[2048];

	(void)state;
	snprintf(record, sizeof(record), "%sphase=replace\n", fake_value(REC, NULL));
	set(REC, record);
	assert_true(xs_rm(other, XBT_NULL, FE));
	assert_true(xs_rm(other, XBT_NULL, BE));
	assert_int_equal(xensplit_repair(ctx, &device, 0), -ETIMEDOUT);
	assert_null(strstr(fake_value(REC, NULL), "phase="));
	assert_non_null(strstr(fake_value(REC, NULL), "back.key=value\n"));
	assert_string_equal(fake_value(BE "/state", NULL), "1");
	assert_string_equal(fake_value(FE "/key", NULL), "value");
}

/* --- another client removes the device --- */

static unsigned int remove_at; /* before that request */

static void remove_device(const char *call, const char *path)
{
	(void)call;
	(void)path;
	if (fake.requests < remove_at || fake.open_transactions)
		return;
	fake.before = NULL;
	assert_true(xs_rm(other, XBT_NULL, REC) && xs_rm(other, XBT_NULL, FE) &&
		    xs_rm(other, XBT_NULL, BE));
}

static void a_device_that_is_removed_meanwhile(void **state)
{
	int r;

	for (remove_at = 1;; remove_at++) {
		end(state);
		begin(state);
		fake.requests = 0;
		fake.before = remove_device;
		r = xensplit_repair(ctx, &device, 100);
		if (fake.before)
			break;
		if (!r)
			continue;
		assert_int_equal(r, -ENOENT);
		if (strcmp(xensplit_errmsg(ctx), "no such device") != 0)
			assert_contains(xensplit_errmsg(ctx), "another client removed");
	}
	assert_int_equal(r, 0);
	assert_true(remove_at > 3);
}

#define repair_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		repair_test(states_are_written_again_after_a_change),
		repair_test(online_is_only_written_if_it_is_missing),
		repair_test(only_a_state_is_written_again),
		repair_test(permissions_are_those_of_an_attach),
		repair_test(a_stale_device_is_not_repaired),
		repair_test(a_foreign_device_is_repaired_if_its_halves_agree),
		repair_test(a_foreign_device_of_a_dead_domain_is_not_repaired),
		repair_test(a_request_about_a_foreign_device_that_fails),
		repair_test(errors_go_once_it_is_connected),
		repair_test(errors_of_a_connected_device_stay),
		repair_test(errors_from_before_the_repair_go),
		repair_test(a_failed_device_is_made_again_after_two_seconds),
		repair_test(a_device_whose_driver_gives_up_is_made_again),
		repair_test(a_device_without_an_error_is_not_made_again),
		repair_test(a_foreign_device_is_not_made_again),
		repair_test(the_device_made_again_is_the_same_otherwise),
		repair_test(collisions_do_not_end_it),
		repair_test(an_interrupted_replace_is_completed),
		repair_test(a_device_that_is_removed_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
