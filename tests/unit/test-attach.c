// SPDX-License-Identifier: GPL-2.0-or-later
/* Which ids an attach picks, what it keeps of an old device, and what others do meanwhile. */
#include "operations.h"

#include "plan.h"

/* Bus ids of it have room for a single digit. */
#define LONG_TYPE "fifteen_letters"
#define CURSOR	  "/xensplit/5/mydevice/next-devid"

static struct xensplit_ctx *ctx, *second;
static struct xs_handle *other;

static int begin(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	second = unit_ctx();
	other = xs_open(0);
	fake_calm();
	fake.backend_closes = true;
	return 0;
}

static int end(void **state)
{
	(void)state;
	xs_close(other);
	xensplit_free(second);
	unit_ctx_free(ctx);
	return 0;
}

static void assert_perms(const char *path, const char *wanted)
{
	struct txn txn = TXN_NONE(ctx);
	struct node_perms perms;

	assert_int_equal(store_get_perms(&txn, path, &perms), 0);
	assert_string_equal(perms.text, wanted);
}

static struct xensplit_attach_opts opts_of(const char *type, uint32_t devid)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	opts.domid = 5;
	opts.type = type;
	opts.devid = devid;
	return opts;
}

static int attach_auto(const char *type)
{
	struct xensplit_attach_opts opts = opts_of(type, XENSPLIT_DEVID_AUTO);
	uint32_t devid;
	int r = xensplit_attach(ctx, &opts, 0, &devid);

	return r ? r : (int)devid;
}

static void attach_at(const char *type, uint32_t devid)
{
	struct xensplit_attach_opts opts = opts_of(type, devid);

	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

static void detach_at(const char *type, uint32_t devid)
{
	const struct xensplit_id id = { 5, type, devid };

	assert_int_equal(xensplit_detach(ctx, &id, 0, 0), 0);
}

/* A guest that owns all of its directory has made it; the library's have hexadecimal digits. */
static void a_mark_is_no_field_of_the_record(void **state)
{
	struct device_id id = { .domid = 5, .type = "mydevice" };
	struct txn txn = TXN_NONE(ctx);
	struct record record;

	(void)state;
	set("/local/domain/5/xensplit", "00\nbackend-id=06");
	attach_at("mydevice", 0);
	assert_int_equal(record_require(&txn, &id, &record), 0);
	assert_int_equal(record.backend_domid, 0);
	assert_string_equal(record.frontend.mark, "other");
}

/* --- ids --- */

static void ids_go_round_and_have_an_end(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_int_equal(attach_auto(LONG_TYPE), i);
	assert_string_equal(fake_value("/xensplit/5/" LONG_TYPE "/next-devid", NULL),
			    "0");
	assert_int_equal(attach_auto(LONG_TYPE), -EEXIST);
	assert_string_equal(xensplit_last_error(ctx)->code, "no-free-id");
	assert_contains(xensplit_errmsg(ctx), "up to 9 is taken");
	detach_at(LONG_TYPE, 3);
	assert_int_equal(attach_auto(LONG_TYPE), 3);
	detach_at(LONG_TYPE, 7);
	detach_at(LONG_TYPE, 1);
	assert_int_equal(attach_auto(LONG_TYPE), 7);
	assert_int_equal(attach_auto(LONG_TYPE), 1);
}

/* A guest may still be busy with the last device of an id. */
static void ids_only_go_forward(void **state)
{
	(void)state;
	assert_int_equal(attach_auto("mydevice"), 0);
	detach_at("mydevice", 0);
	assert_int_equal(attach_auto("mydevice"), 1);
	assert_int_equal(attach_auto("mydevice"), 2);
	assert_string_equal(fake_value(CURSOR, NULL), "3");
}

static void a_cursor_that_makes_no_sense(void **state)
{
	static const char *const values[] = { "12", "99999999999", "x", "", "-1" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		set("/xensplit/5/" LONG_TYPE "/next-devid", values[i]);
		assert_int_equal(attach_auto(LONG_TYPE), 0);
		detach_at(LONG_TYPE, 0);
	}
}

/* Of both names the longer one counts. */
static void ids_with_a_long_backend_type(void **state)
{
	struct xensplit_attach_opts opts = opts_of("aa", XENSPLIT_DEVID_AUTO);
	uint32_t devid;

	(void)state;
	opts.backend_type = LONG_TYPE;
	set("/xensplit/5/aa/next-devid", "10");
	assert_int_equal(xensplit_attach(ctx, &opts, 0, &devid), 0);
	assert_int_equal(devid, 0);
}

static void the_first_id_that_is_free(void **state)
{
	static const uint32_t taken[] = { 7, 0, 3, 1 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(taken); i++)
		attach_at("mydevice", taken[i]);
	/* Half a device of another tool, at either end. */
	set("/local/domain/5/device/mydevice/2/x", "");
	set("/local/domain/0/backend/mydevice/5/4/x", "");
	assert_int_equal(attach_auto("mydevice"), 5);
	assert_int_equal(attach_auto("mydevice"), 6);
	assert_int_equal(attach_auto("mydevice"), 8);
}

static void the_id_of_a_former_domains_device(void **state)
{
	(void)state;
	of_a_former_domain(ctx);
	set(CURSOR, "0");
	assert_int_equal(attach_auto("mydevice"), 1);
}

/* Those that a list gives to other devices, which may be attached later. */
static void ids_to_avoid(void **state)
{
	XENSPLIT_OPTS(xensplit_wanted, any);
	XENSPLIT_OPTS(xensplit_wanted, fixed);
	const struct xensplit_wanted *const list[] = { &any, &fixed };
	struct xensplit_plan *plan;
	struct xensplit_op *op;

	(void)state;
	any.type = fixed.type = "mydevice";
	any.devid = XENSPLIT_DEVID_AUTO;
	assert_int_equal(xensplit_plan_new(ctx, 5, list, 2, 0, &plan), 0);
	assert_int_equal(xensplit_plan_op(plan, 0, 0, &op), 0);
	assert_int_equal(xensplit_op_run(op), 0);
	assert_int_equal(op->spec.id.devid, 1);
	xensplit_op_free(op);
	xensplit_plan_free(plan);
	/* Also where others are taken. */
	detach_at("mydevice", 1);
	attach_at("mydevice", 1);
	fixed.devid = 2;
	set(CURSOR, "1");
	assert_int_equal(xensplit_plan_new(ctx, 5, list, 2, 0, &plan), 0);
	assert_int_equal(xensplit_plan_op(plan, 0, 0, &op), 0);
	assert_int_equal(xensplit_op_run(op), 0);
	assert_int_equal(op->spec.id.devid, 3);
	xensplit_op_free(op);
	xensplit_plan_free(plan);
}

/* --- what is written --- */

static void nodes_and_permissions(void **state)
{
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);

	(void)state;
	opts.backend_domid = 6;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	assert_perms(FE, "n5,r6");
	assert_perms(FE "/state", "n5,r6");
	assert_perms(FE "/backend", "n0,r5,r6");
	assert_perms(FE "/backend-id", "n0,r5,r6");
	assert_string_equal(fake_value(FE "/backend-id", NULL), "6");
	assert_string_equal(
		fake_value("/local/domain/6/backend/mydevice/5/0/online", NULL), "1");
	assert_string_equal(fake_value("/local/domain/6/backend/mydevice/5/0/frontend-id",
				       NULL),
			    "5");
	assert_perms("/local/domain/6/backend/mydevice/5/0", "n6,r5");
	assert_non_null(fake_value("/local/domain/5/xensplit", NULL));
	assert_non_null(fake_value("/local/domain/6/xensplit", NULL));
	assert_non_null(strstr(fake_value(REC, NULL), "frontend-mark="));
	assert_non_null(strstr(fake_value(REC, NULL), "backend-mark="));
}

static void a_backend_type_that_is_the_type(void **state)
{
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);

	(void)state;
	opts.backend_type = "mydevice";
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	assert_null(strstr(fake_value(REC, NULL), "backend-type"));
}

static void halves_of_another_tool_stay(void **state)
{
	static const char *const nodes[] = { FE "/x", BE "/x" };
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		set(nodes[i], "theirs");
		assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), -EEXIST);
		assert_string_equal(xensplit_last_error(ctx)->code, "foreign");
		assert_false(there(REC));
		assert_true(there(nodes[i]));
		assert_true(xs_rm(other, XBT_NULL, i ? BE : FE));
	}
}

#define FRONT_ERR "/local/domain/5/error/device/mydevice/0/error"
#define BACK_ERR  "/local/domain/0/error/backend/mydevice/5/0/error"

static void errors_of_an_earlier_device_go(void **state)
{
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);

	(void)state;
	set(FRONT_ERR, "old");
	assert_int_equal(xensplit_attach(ctx, &opts, 100, NULL), -ETIMEDOUT);
	assert_false(there("/local/domain/5/error/device"));
	detach_at("mydevice", 0);
	set(BACK_ERR, "old");
	assert_int_equal(xensplit_attach(ctx, &opts, 100, NULL), -ETIMEDOUT);
	assert_false(there("/local/domain/0/error"));
}

/* They may say why it failed, also if only a part of it is left. */
static void errors_of_a_device_that_is_there_stay(void **state)
{
	static const char *const parts[] = { FE, BE, REC };
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		char path[64];

		snprintf(path, sizeof(path), i < 2 ? "%s/state" : "%s", parts[i]);
		set(path, i < 2 ? "1" : "nonsense");
		set(FRONT_ERR, "new");
		set(BACK_ERR, "new");
		assert_int_equal(xensplit_attach(ctx, &opts, 100, NULL),
				 i < 2 ? -EEXIST : -EBADMSG);
		assert_true(there(FRONT_ERR) && there(BACK_ERR));
		assert_true(xs_rm(other, XBT_NULL, parts[i]));
	}
}

/* --- keys of the device before --- */

static int replace_with(uint32_t flags, bool in_batch)
{
	static const struct xensplit_pair front[] = { { "key", "new" }, { "more", "x" } };
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);
	struct xensplit_batch *batch;
	int r;

	opts.front = front;
	opts.front_count = ARRAY_SIZE(front);
	opts.flags = XENSPLIT_ATTACH_REPLACE | flags;
	if (!in_batch)
		return xensplit_attach(ctx, &opts, 0, NULL);
	assert_int_equal(xensplit_batch_new(ctx, &batch), 0);
	assert_int_equal(xensplit_batch_attach(batch, &opts), 0);
	r = xensplit_batch_commit(batch);
	xensplit_batch_free(batch);
	return r;
}

static void keys_are_kept_unless_given_again(void **state)
{
	int in_batch;

	(void)state;
	for (in_batch = 0; in_batch < 2; in_batch++) {
		assert_int_equal(attach(ctx), 0);
		assert_int_equal(replace_with(0, in_batch), 0);
		assert_string_equal(fake_value(FE "/key", NULL), "new");
		assert_string_equal(fake_value(FE "/more", NULL), "x");
		assert_string_equal(fake_value(BE "/key", NULL), "value");
		assert_non_null(strstr(fake_value(REC, NULL), "back.key=value\n"));
		assert_int_equal(replace_with(XENSPLIT_ATTACH_DROP_KEYS, in_batch), 0);
		assert_string_equal(fake_value(FE "/key", NULL), "new");
		assert_false(there(BE "/key"));
		detach_at("mydevice", 0);
	}
}

/* --- replacing --- */

/* Only a replace completes it. */
static void an_interrupted_replace(void **state)
{
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);
	char record[2048];

	(void)state;
	assert_int_equal(attach(ctx), 0);
	snprintf(record, sizeof(record), "%sphase=replace\nlisted=fixed\n",
		 fake_value(REC, NULL));
	set(REC, record);
	assert_true(xs_rm(other, XBT_NULL, FE));
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), -EEXIST);
	assert_string_equal(xensplit_last_error(ctx)->code, "interrupted");
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	assert_null(strstr(fake_value(REC, NULL), "phase="));
	assert_non_null(strstr(fake_value(REC, NULL), "listed=fixed\n"));
	assert_non_null(strstr(fake_value(REC, NULL), "front.key=value\n"));
	assert_true(there(FE "/state"));
}

/* Asked to close the device that is there, which it does not do yet. */
static struct xensplit_op *start_replace(void)
{
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);
	struct xensplit_op *op;

	connected(ctx);
	fake.backend_closes = false;
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_int_equal(xensplit_op_attach(ctx, &opts, 2000, &op), 0);
	assert_int_equal(xensplit_op_process(op), 1);
	return op;
}

/* Whoever kills it must leave a record that says what is missing. */
static void a_replace_says_what_it_does(void **state)
{
	uint64_t begun = now_us();
	struct xensplit_op *op = start_replace();

	(void)state;
	assert_string_equal(fake_value(BE "/state", NULL), "5");
	assert_string_equal(fake_value(BE "/online", NULL), "0");
	assert_non_null(strstr(fake_value(REC, NULL), "phase=replace\n"));
	/* It does not close, so it is removed anyway, after half of the time. */
	while (now_us() < begun + 1900000) {
		sleep_until(now_us() + 10000);
		assert_int_equal(xensplit_op_process(op), 1);
	}
	assert_null(strstr(fake_value(REC, NULL), "phase="));
	assert_string_equal(fake_value(BE "/state", NULL), "1");
	assert_int_equal(xensplit_op_run(op), -ETIMEDOUT);
	xensplit_op_free(op);
}

static void remove_all(void)
{
	assert_true(xs_rm(other, XBT_NULL, REC) && xs_rm(other, XBT_NULL, FE) &&
		    xs_rm(other, XBT_NULL, BE));
}

/* Who owns `device` can make something where the old one was. */
static void what_a_guest_makes_meanwhile_goes(void **state)
{
	struct xensplit_op *op = start_replace();
	unsigned int turn;

	(void)state;
	set(BE "/state", "6");
	for (turn = 0; turn < 1000 && there(FE); turn++) {
		sleep_until(now_us() + 10000);
		assert_int_equal(xensplit_op_process(op), 1);
	}
	set(FE "/backend", "/local/domain/6/backend/mydevice/5/0");
	set(FE "/evil", "");
	assert_int_equal(xensplit_op_run(op), -ETIMEDOUT);
	/* At once, as otherwise it could do so again and again. */
	assert_int_equal(op->replaced, 0);
	xensplit_op_free(op);
	assert_false(there(FE "/evil"));
	assert_string_equal(fake_value(FE "/backend", NULL), BE);
}

static void another_client_removes_it_first(void **state)
{
	struct xensplit_op *op = start_replace();

	(void)state;
	remove_all();
	assert_int_equal(xensplit_op_run(op), -ETIMEDOUT);
	assert_contains(xensplit_errmsg(ctx), "not connected");
	assert_true(there(REC) && there(FE "/state"));
	xensplit_op_free(op);
}

/* It has to be asked to close, too, before it is removed. */
static void another_client_attaches_one_meanwhile(void **state)
{
	struct xensplit_op *op = start_replace();
	unsigned int turn;

	(void)state;
	remove_all();
	connected(second);
	for (turn = 0; turn < 1000 && op->step != op->when_cleared; turn++) {
		sleep_until(now_us() + 10000);
		assert_int_equal(xensplit_op_process(op), 1);
	}
	assert_true(op->step == op->when_cleared);
	assert_string_equal(fake_value(FE "/state", NULL), "4");
	xensplit_op_free(op);
}

/* @times: how often another client is faster. Returns the result. */
static int replace_among_others(unsigned int times)
{
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);
	struct xensplit_op *op;
	unsigned int turn;
	int r = 1;

	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_int_equal(xensplit_op_attach(ctx, &opts, 0, &op), 0);
	for (turn = 0; r == 1 && turn < 5000; turn++) {
		r = xensplit_op_process(op);
		/* The place is free for the time that the guest's kernel needs. */
		if (r == 1 && times && !there(FE)) {
			assert_int_equal(attach(second), -EEXIST);
			if (xs_rm(other, XBT_NULL, REC) && !attach(second))
				times--;
		}
		sleep_until(now_us() + 10000);
	}
	assert_int_equal(times, 0);
	assert_true(op->replaced < 4);
	xensplit_op_free(op);
	return r;
}

static void a_replace_among_others(void **state)
{
	(void)state;
	assert_int_equal(attach(ctx), 0);
	assert_int_equal(replace_among_others(1), 0);
	assert_int_equal(replace_among_others(2), 0);
	assert_int_equal(replace_among_others(3), -EEXIST);
	assert_contains(xensplit_errmsg(ctx), "already attached");
}

/* A plan completes what was interrupted, but replaces nothing else unless it may. */
static void a_plan_that_completes_a_replace(void **state)
{
	static const struct xensplit_pair key = { "key", "value" };
	XENSPLIT_OPTS(xensplit_wanted, wanted);
	const struct xensplit_wanted *const list[] = { &wanted };
	int others;

	(void)state;
	wanted.type = "mydevice";
	wanted.front = &key;
	wanted.front_count = 1;
	for (others = 0; others < 2; others++) {
		struct xensplit_plan *plan;
		struct xensplit_op *op;
		char record[2048];

		assert_int_equal(attach(ctx), 0);
		snprintf(record, sizeof(record), "%sphase=replace\nlisted=fixed\n",
			 fake_value(REC, NULL));
		set(REC, record);
		assert_true(xs_rm(other, XBT_NULL, FE) && xs_rm(other, XBT_NULL, BE));
		assert_int_equal(xensplit_plan_new(ctx, 5, list, 1, 0, &plan), 0);
		assert_int_equal(xensplit_plan_get(plan, 0)->kind, XENSPLIT_ACTION_RENEW);
		assert_int_equal(xensplit_plan_op(plan, 0, 0, &op), 0);
		if (others) {
			assert_true(xs_rm(other, XBT_NULL, REC));
			assert_int_equal(attach(second), 0);
		}
		assert_int_equal(xensplit_op_run(op), others ? -EEXIST : 0);
		assert_int_equal(there(BE "/key"), others);
		assert_null(strstr(fake_value(REC, NULL), "phase="));
		assert_true(there(FE "/state") && there(BE "/state"));
		xensplit_op_free(op);
		xensplit_plan_free(plan);
		detach_at("mydevice", 0);
	}
}

/* Another client makes it as wanted, after it was seen to differ. */
static void an_ensure_that_looks_again(void **state)
{
	static const struct xensplit_pair key = { "key", "value" };
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);
	const struct xensplit_device *found;
	char id[UNIQUE_ID_SIZE];
	struct xensplit_op *op;
	uint64_t begun;

	(void)state;
	attach_at("mydevice", 0);
	opts.front = opts.back = &key;
	opts.front_count = opts.back_count = 1;
	opts.flags = XENSPLIT_ATTACH_ENSURE | XENSPLIT_ATTACH_REPLACE;
	fake.tries = 0;
	fake.conflict_at = 2;
	assert_int_equal(xensplit_op_attach(ctx, &opts, 0, &op), 0);
	assert_int_equal(xensplit_op_process(op), 1);
	assert_int_equal(fake.tries, 2);
	remove_all();
	fake.conflict_at = 0;
	assert_int_equal(attach(second), 0);
	snprintf(id, sizeof(id), "%s", strstr(fake_value(REC, NULL), "unique-id=") + 10);
	begun = now_us();
	assert_int_equal(xensplit_op_run(op), 0);
	assert_in_range(now_us() - begun, 0, 2000000);
	assert_int_equal(xensplit_op_get_changed(op), 0);
	assert_true(op->spec.kept);
	assert_int_equal(xensplit_op_get_device(op, &found), 0);
	assert_int_not_equal(found->created, 0);
	xensplit_op_free(op);
	assert_non_null(strstr(fake_value(REC, NULL), id));
	assert_null(strstr(fake_value(REC, NULL), "phase="));
}

/* That its backend's domain is gone says more than that the device is stale. */
static void an_ensure_in_a_domain_that_is_gone(void **state)
{
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);

	(void)state;
	opts.backend_domid = 6;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	opts.flags = XENSPLIT_ATTACH_ENSURE;
	set("/local/domain/5/xensplit", "0123456789abcdef");
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), -ESTALE);
	fake.dead_domid = 6;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 6");
}

static void a_stale_device_is_not_replaced(void **state)
{
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);

	(void)state;
	of_a_former_domain(ctx);
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), -ESTALE);
	assert_null(strstr(fake_value(REC, NULL), "phase="));
}

static void domains_are_checked_before_anything_is_removed(void **state)
{
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);
	char *before, *after;

	(void)state;
	connected(ctx);
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	opts.backend_domid = 7;
	before = device_now();
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), -ESRCH);
	after = device_now();
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* --- detaching --- */

/* Another client has removed it meanwhile, and attached one of the same name. */
static void a_detach_leaves_the_next_device_alone(void **state)
{
	struct xensplit_op *op;

	(void)state;
	connected(ctx);
	fake.backend_closes = false;
	assert_int_equal(xensplit_op_detach(ctx, &device, 0, 5000, &op), 0);
	assert_int_equal(xensplit_op_process(op), 1);
	assert_true(xs_rm(other, XBT_NULL, REC) && xs_rm(other, XBT_NULL, FE) &&
		    xs_rm(other, XBT_NULL, BE));
	connected(second);
	assert_int_equal(xensplit_op_run(op), 0);
	xensplit_op_free(op);
	assert_true(there(REC) && there(FE "/state") && there(BE "/state"));
	assert_string_equal(fake_value(BE "/state", NULL), "4");
	/* Also where the next one is closed. */
	assert_int_equal(xensplit_op_detach(ctx, &device, 0, 5000, &op), 0);
	assert_int_equal(xensplit_op_process(op), 1);
	remove_all();
	connected(second);
	set(BE "/state", "6");
	assert_int_equal(xensplit_op_run(op), 0);
	xensplit_op_free(op);
	assert_true(there(REC) && there(FE "/state") && there(BE "/state"));
}

/* One that was attached since the plan was made is not what it detaches. */
static void a_plan_detaches_what_it_has_seen(void **state)
{
	struct xensplit_plan *plan;
	struct xensplit_op *op;
	char record[2048];

	(void)state;
	assert_int_equal(attach(ctx), 0);
	snprintf(record, sizeof(record), "%slisted=fixed\n", fake_value(REC, NULL));
	set(REC, record);
	assert_int_equal(xensplit_plan_new(ctx, 5, NULL, 0, XENSPLIT_PLAN_PRUNE, &plan),
			 0);
	assert_int_equal(xensplit_plan_op(plan, 0, 1000, &op), 0);
	remove_all();
	assert_int_equal(attach(second), 0);
	assert_int_equal(xensplit_op_run(op), -ENOENT);
	assert_contains(xensplit_errmsg(ctx), "another client has removed");
	xensplit_op_free(op);
	xensplit_plan_free(plan);
	assert_true(there(REC) && there(FE "/state") && there(BE "/state"));
}

/* Its halves go without a transaction, and then the record alone. */
static void a_detach_while_an_end_keeps_writing(void **state)
{
	(void)state;
	connected(ctx);
	fake.flood = true;
	assert_int_equal(xensplit_detach(ctx, &device, 0, 2000), 0);
	assert_false(there(REC) || there(FE) || there(BE));
}

static void a_detach_that_always_collides(void **state)
{
	(void)state;
	connected(ctx);
	fake.conflicts = UINT32_MAX;
	assert_int_equal(xensplit_detach(ctx, &device, 0, 2000), -EBUSY);
	assert_true(there(REC) && there(FE "/state") && there(BE "/state"));
}

static void a_detach_says_why_a_foreign_device_stays(void **state)
{
	const struct xensplit_error *error;

	(void)state;
	connected(ctx);
	assert_true(xs_rm(other, XBT_NULL, REC));
	assert_int_equal(detach(ctx), -ENOENT);
	error = xensplit_last_error(ctx);
	assert_string_equal(error->code, "foreign");
	assert_non_null(error->cause);
	assert_string_equal(error->cause->code, "foreign");
}

static void a_detach_leaves_the_next_domains_device_alone(void **state)
{
	struct xensplit_op *op;

	(void)state;
	connected(ctx);
	fake.backend_closes = false;
	assert_int_equal(xensplit_op_detach(ctx, &device, 0, 5000, &op), 0);
	assert_int_equal(xensplit_op_process(op), 1);
	set("/local/domain/5/xensplit", "0123456789abcdef");
	set(BE "/state", "6");
	assert_int_equal(xensplit_op_run(op), -ESTALE);
	xensplit_op_free(op);
	assert_true(there(REC) && there(FE));
}

static void a_backend_that_does_not_close(void **state)
{
	(void)state;
	connected(ctx);
	fake.backend_closes = false;
	set("/local/domain/0/error/backend/mydevice/5/0/error", "oops");
	assert_int_equal(xensplit_detach(ctx, &device, 0, 1000), -ETIMEDOUT);
	assert_true(there(REC) && there(FE) && there(BE));
	assert_int_equal(xensplit_detach(ctx, &device, XENSPLIT_DETACH_FORCE, 1000), 0);
	assert_false(there(REC) || there(FE) || there(BE));
	assert_false(there("/local/domain/0/error"));
}

static void a_backend_that_no_driver_has(void **state)
{
	uint64_t begun;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	fake.backend_closes = false;
	begun = now_us();
	fake.commits = 0;
	assert_int_equal(detach(ctx), 0);
	assert_int_equal(fake.commits, 1);
	assert_in_range(now_us() - begun, 0, 500000);
	assert_false(there(REC) || there(FE) || there(BE));
}

static void a_damaged_record_needs_force(void **state)
{
	(void)state;
	connected(ctx);
	set(REC, "nothing that makes sense");
	assert_int_equal(detach(ctx), -EBADMSG);
	assert_true(there(REC) && there(FE) && there(BE));
	assert_int_equal(xensplit_detach(ctx, &device, XENSPLIT_DETACH_FORCE, 1000), 0);
	assert_false(there(REC) || there(FE) || there(BE));
}

/* It was as wanted at the first look, whose commit collided. */
static void an_ensure_of_what_goes_meanwhile(void **state)
{
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);
	struct xensplit_op *op;

	(void)state;
	attach_at("mydevice", 0);
	opts.flags = XENSPLIT_ATTACH_ENSURE;
	fake.tries = 0;
	fake.conflict_at = 1;
	assert_int_equal(xensplit_op_attach(ctx, &opts, 0, &op), 0);
	assert_int_equal(xensplit_op_process(op), 1);
	assert_int_equal(fake.tries, 1);
	remove_all();
	fake.conflict_at = 0;
	assert_int_equal(xensplit_op_run(op), 0);
	assert_int_equal(xensplit_op_get_changed(op), 1);
	xensplit_op_free(op);
	assert_true(there(REC) && there(FE) && there(BE));
}

/* An error that is about a device has its states. */
static void assert_there(struct xensplit_attach_opts *opts, const char *code)
{
	const struct xensplit_error *error;

	assert_int_equal(xensplit_attach(ctx, opts, 0, NULL), -EEXIST);
	error = xensplit_last_error(ctx);
	assert_string_equal(error->code, code);
	assert_int_equal(error->frontend_state, XENSPLIT_STATE_CONNECTED);
	assert_int_equal(error->backend_state, XENSPLIT_STATE_INIT_WAIT);
	fake.fail_call = "read " FE "/state";
	fake.fail_errno = ENOSPC;
	assert_int_equal(xensplit_attach(ctx, opts, 0, NULL), -ENOSPC);
	fake.fail_call = NULL;
}

static void states_of_a_device_that_is_there(void **state)
{
	static const struct xensplit_pair key = { "mode", "fast" };
	struct xensplit_attach_opts opts = opts_of("mydevice", 0);

	(void)state;
	attach_at("mydevice", 0);
	set(FE "/state", "4");
	set(BE "/state", "2");
	assert_there(&opts, "already-attached");
	opts.flags = XENSPLIT_ATTACH_ENSURE;
	opts.front = &key;
	opts.front_count = 1;
	fake.failed = false;
	assert_there(&opts, "differs");
	/* A guest that writes its state could make them collide for ever. */
	assert_true(fake.failed_beside);
}

#define attach_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		attach_test(ids_go_round_and_have_an_end),
		attach_test(ids_only_go_forward),
		attach_test(a_cursor_that_makes_no_sense),
		attach_test(ids_with_a_long_backend_type),
		attach_test(the_first_id_that_is_free),
		attach_test(the_id_of_a_former_domains_device),
		attach_test(ids_to_avoid),
		attach_test(nodes_and_permissions),
		attach_test(a_backend_type_that_is_the_type),
		attach_test(halves_of_another_tool_stay),
		attach_test(errors_of_an_earlier_device_go),
		attach_test(errors_of_a_device_that_is_there_stay),
		attach_test(keys_are_kept_unless_given_again),
		attach_test(an_interrupted_replace),
		attach_test(a_replace_says_what_it_does),
		attach_test(what_a_guest_makes_meanwhile_goes),
		attach_test(another_client_removes_it_first),
		attach_test(another_client_attaches_one_meanwhile),
		attach_test(a_replace_among_others),
		attach_test(a_plan_that_completes_a_replace),
		attach_test(an_ensure_of_what_goes_meanwhile),
		attach_test(states_of_a_device_that_is_there),
		attach_test(an_ensure_that_looks_again),
		attach_test(an_ensure_in_a_domain_that_is_gone),
		attach_test(a_stale_device_is_not_replaced),
		attach_test(domains_are_checked_before_anything_is_removed),
		attach_test(a_detach_leaves_the_next_device_alone),
		attach_test(a_plan_detaches_what_it_has_seen),
		attach_test(a_detach_while_an_end_keeps_writing),
		attach_test(a_detach_that_always_collides),
		attach_test(a_detach_says_why_a_foreign_device_stays),
		attach_test(a_mark_is_no_field_of_the_record),
		attach_test(a_detach_leaves_the_next_domains_device_alone),
		attach_test(a_backend_that_does_not_close),
		attach_test(a_backend_that_no_driver_has),
		attach_test(a_damaged_record_needs_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
