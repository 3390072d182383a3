// SPDX-License-Identifier: GPL-2.0-or-later
/* Plans: lists of wanted devices against what a domain has. */
#include "store.h"

#define OTHER "/xensplit/5/mydevice/1"

static const struct xensplit_pair fast[] = { { "mode", "fast" } };
static const struct xensplit_pair slow[] = { { "mode", "slow" } };

/* The list of the current test. */
static struct xensplit_wanted list[8];
static size_t list_count;
static struct xensplit_plan *plan;

static int begin(void **state)
{
	list_count = 0;
	return world_begin(state);
}

static int end(void **state)
{
	plan = xensplit_plan_free(plan);
	return world_end(state);
}

#define plan_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct xensplit_wanted *want(const char *type, uint32_t devid)
{
	XENSPLIT_OPTS(xensplit_wanted, wanted);

	wanted.type = type;
	wanted.devid = devid;
	list[list_count] = wanted;
	return &list[list_count++];
}

static struct xensplit_wanted *want_auto(const struct xensplit_pair *key)
{
	struct xensplit_wanted *wanted = want("mydevice", XENSPLIT_DEVID_AUTO);

	wanted->front = key;
	wanted->front_count = 1;
	return wanted;
}

static void make_plan(uint32_t flags)
{
	const struct xensplit_wanted *wanted[ARRAY_SIZE(list)];
	size_t i;

	for (i = 0; i < list_count; i++)
		wanted[i] = &list[i];
	plan = xensplit_plan_free(plan);
	assert_result(xensplit_plan_new(ctx, 5, wanted, list_count, flags, &plan), 0);
	assert_string_equal(xensplit_errmsg(ctx), "");
}

static const struct xensplit_action *action(size_t index)
{
	const struct xensplit_action *a = xensplit_plan_get(plan, index);

	assert_non_null(a);
	return a;
}

static void assert_action(size_t index, int kind, int entry, const char *type,
			  uint32_t devid)
{
	const struct xensplit_action *a = action(index);

	if (a->kind != kind)
		wrong("action %zu is %d: %s\n", index, a->kind, a->message);
	assert_int_equal(a->entry, entry);
	assert_int_equal(a->id.domid, 5);
	assert_string_equal(a->id.type, type);
	assert_int_equal(a->id.devid, devid);
	if (kind != XENSPLIT_ACTION_REFUSE) {
		assert_int_equal(a->result, 0);
		assert_null(a->code);
	}
	if (kind == XENSPLIT_ACTION_KEEP || kind == XENSPLIT_ACTION_ATTACH)
		assert_null(a->message);
}

static void assert_refused(size_t index, int result, const char *code,
			   const char *message)
{
	const struct xensplit_action *a = action(index);
	struct xensplit_op *op = NULL;

	if (a->kind != XENSPLIT_ACTION_REFUSE)
		wrong("action %zu is %d\n", index, a->kind);
	assert_int_equal(a->entry, index);
	assert_int_equal(a->result, result);
	assert_string_equal(a->code, code);
	assert_contains(a->message, message);
	assert_result(xensplit_plan_op(plan, index, 0, &op), result);
	assert_null(op);
	assert_string_equal(xensplit_errmsg(ctx), a->message);
	assert_string_equal(xensplit_last_error(ctx)->code, code);
}

static int do_action(size_t index, unsigned int timeout_ms, int *ret_changed)
{
	struct xensplit_op *op;
	int r;

	assert_result(xensplit_plan_op(plan, index, timeout_ms, &op), 0);
	r = xensplit_op_run(op);
	*ret_changed = xensplit_op_get_changed(op);
	xensplit_op_free(op);
	return r;
}

/* Does every action; returns how many have changed something. */
static int apply(uint32_t flags, unsigned int timeout_ms)
{
	int changed, sum = 0;
	size_t i;

	make_plan(flags);
	for (i = 0; xensplit_plan_get(plan, i); i++) {
		assert_result(do_action(i, timeout_ms, &changed), 0);
		sum += changed;
	}
	return sum;
}

static const char *mode_of(uint32_t devid)
{
	char path[64];

	snprintf(path, sizeof(path), "/xensplit/5/mydevice/%u", (unsigned int)devid);
	return record_field(path, "front.mode");
}

/* --- from nothing to all, and again --- */

static void a_second_run_changes_nothing(void **state)
{
	const char *before;
	size_t i;

	(void)state;
	drive_both();
	drive("back 6 other");
	drive("front 5 other");
	want("mydevice", 0)->backend = "0";
	want("other", 3)->backend = "g6";
	want_auto(fast);
	make_plan(0);
	assert_action(0, XENSPLIT_ACTION_ATTACH, 0, "mydevice", 0);
	assert_action(1, XENSPLIT_ACTION_ATTACH, 1, "other", 3);
	assert_action(2, XENSPLIT_ACTION_ATTACH, 2, "mydevice", XENSPLIT_DEVID_AUTO);
	assert_int_equal(action(0)->backend_domid, 0);
	assert_int_equal(action(1)->backend_domid, 6);
	assert_null(xensplit_plan_get(plan, 3));
	assert_gone("/xensplit");
	assert_int_equal(apply(0, 20000), 3);
	assert_string_equal(record_field(REC, "listed"), "fixed");
	assert_string_equal(record_field(OTHER, "listed"), "auto");
	assert_node("/local/domain/6/backend/other/5/3/state", "4", "n6,r5");

	before = dump();
	for (i = 0; i < 3; i++)
		assert_int_equal(
			apply(XENSPLIT_PLAN_REPLACE | XENSPLIT_PLAN_PRUNE, 20000), 0);
	assert_action(2, XENSPLIT_ACTION_KEEP, 2, "mydevice", 1);
	assert_untouched(before);
}

static void an_empty_list(void **state)
{
	struct xensplit_plan *none = NULL;

	(void)state;
	attach_mydevice();
	make_plan(XENSPLIT_PLAN_REPLACE | XENSPLIT_PLAN_PRUNE);
	assert_null(xensplit_plan_get(plan, 0));
	assert_result(xensplit_plan_new(ctx, 5, NULL, 0, 0, &none), 0);
	assert_null(xensplit_plan_free(none));
	assert_null(xensplit_plan_free(NULL));
	assert_null(xensplit_plan_get(NULL, 0));
	assert_result(xensplit_plan_new(ctx, 5, NULL, 0, 1u << 2, &none), -EINVAL);
	assert_result(xensplit_plan_new(ctx, 5, NULL, 1, 0, &none), -EINVAL);
	assert_result(xensplit_plan_new(ctx, 5,
					(const struct xensplit_wanted *[]){ NULL }, 1, 0,
					&none),
		      -EINVAL);
	assert_result(xensplit_plan_new(ctx, 77, NULL, 0, 0, &none), -ESRCH);
	assert_result(xensplit_plan_new(ctx, XENSPLIT_ANY, NULL, 0, 0, &none), -ESRCH);
}

/* --- automatic ids --- */

static void automatic_ids_stay(void **state)
{
	struct xensplit_id first = { 5, "mydevice", 0 };

	(void)state;
	want_auto(fast);
	want_auto(slow);
	want_auto(slow);
	assert_int_equal(apply(0, 0), 3);
	assert_string_equal(mode_of(0), "fast");
	assert_string_equal(mode_of(2), "slow");
	/* Another order of the list is the same list. */
	list[0].front = slow;
	list[2].front = fast;
	assert_int_equal(apply(0, 0), 0);
	assert_action(0, XENSPLIT_ACTION_KEEP, 0, "mydevice", 1);
	assert_action(1, XENSPLIT_ACTION_KEEP, 1, "mydevice", 2);
	assert_action(2, XENSPLIT_ACTION_KEEP, 2, "mydevice", 0);
	/* One that is missing gets another id, and the others keep theirs. */
	assert_result(xensplit_detach(ctx, &first, 0, 0), 0);
	assert_int_equal(apply(0, 0), 1);
	make_plan(0);
	assert_action(1, XENSPLIT_ACTION_KEEP, 1, "mydevice", 2);
	assert_action(2, XENSPLIT_ACTION_KEEP, 2, "mydevice", 3);
}

static void automatic_ids_of_devices_that_differ(void **state)
{
	(void)state;
	want_auto(fast);
	want_auto(slow);
	assert_int_equal(apply(0, 0), 2);
	/* The equal one is taken first, wherever the entry is; what remains is lowest first. */
	want_auto(slow);
	list[0].front_count = list[1].front_count = 0;
	make_plan(0);
	assert_refused(0, -EEXIST, "differs", "front.mode is extra");
	assert_int_equal(action(0)->id.devid, 0);
	assert_action(1, XENSPLIT_ACTION_ATTACH, 1, "mydevice", XENSPLIT_DEVID_AUTO);
	assert_action(2, XENSPLIT_ACTION_KEEP, 2, "mydevice", 1);
	make_plan(XENSPLIT_PLAN_REPLACE);
	assert_action(0, XENSPLIT_ACTION_RENEW, 0, "mydevice", 0);
	assert_string_equal(action(0)->message, "front.mode is extra");
	assert_int_equal(apply(XENSPLIT_PLAN_REPLACE, 0), 2);
	assert_null(record_field(REC, "front.mode"));
	assert_string_equal(record_field(REC, "listed"), "auto");
}

/* Whoever attached it with that id did not mean the list. */
static void an_automatic_id_takes_no_other_device(void **state)
{
	(void)state;
	attach_mydevice();
	want("mydevice", XENSPLIT_DEVID_AUTO);
	want("mydevice", 1);
	assert_int_equal(apply(0, 0), 2);
	assert_string_equal(record_field(OTHER, "listed"), "fixed");
	make_plan(XENSPLIT_PLAN_PRUNE);
	assert_int_equal(action(0)->kind, XENSPLIT_ACTION_KEEP);
	assert_int_equal(action(0)->id.devid, 2);
	assert_null(xensplit_plan_get(plan, 2));
	/* A list with the id itself takes it over from the automatic entry. */
	want("mydevice", 2);
	make_plan(0);
	assert_action(0, XENSPLIT_ACTION_ATTACH, 0, "mydevice", XENSPLIT_DEVID_AUTO);
	assert_action(2, XENSPLIT_ACTION_KEEP, 2, "mydevice", 2);
}

/* --- what differs --- */

static void a_device_that_differs(void **state)
{
	struct xensplit_wanted *wanted = want("mydevice", 0);

	(void)state;
	assert_int_equal(apply(0, 0), 1);
	wanted->backend = "g6";
	wanted->back = fast;
	wanted->back_count = 1;
	make_plan(XENSPLIT_PLAN_PRUNE);
	assert_refused(0, -EEXIST, "differs",
		       "already attached, but differs: backend 0, not 6; back.mode is "
		       "missing");
	assert_int_equal(action(0)->backend_domid, 6);
	assert_null(xensplit_plan_get(plan, 1));
	make_plan(XENSPLIT_PLAN_REPLACE);
	assert_action(0, XENSPLIT_ACTION_RENEW, 0, "mydevice", 0);
	assert_string_equal(action(0)->message, "backend 0, not 6; back.mode is missing");
	assert_int_equal(apply(XENSPLIT_PLAN_REPLACE, 0), 1);
	assert_string_equal(record_field(REC, "backend-id"), "6");
	assert_string_equal(record_field(REC, "listed"), "fixed");
	assert_int_equal(apply(0, 0), 0);
}

static void a_device_of_another_tool(void **state)
{
	want("mydevice", 0);
	(void)state;
	put(BE "/state", "1", "n0,r5");
	make_plan(0);
	assert_refused(0, -EEXIST, "foreign", BE " exists, and xensplit did not make it");
	make_plan(XENSPLIT_PLAN_REPLACE);
	assert_action(0, XENSPLIT_ACTION_RENEW, 0, "mydevice", 0);
	assert_contains(action(0)->message, "did not make it");
	assert_int_equal(apply(XENSPLIT_PLAN_REPLACE, 0), 1);
	assert_int_equal(apply(0, 0), 0);
}

static void a_record_that_is_damaged(void **state)
{
	(void)state;
	want("mydevice", 0);
	want("mydevice", 1);
	assert_int_equal(apply(0, 0), 2);
	put(REC, "nonsense", NULL);
	put(OTHER, "nonsense", NULL);
	list_count = 1;
	make_plan(XENSPLIT_PLAN_REPLACE | XENSPLIT_PLAN_PRUNE);
	assert_refused(0, -EBADMSG, "record-damaged", REC " is damaged");
	/* Nobody can tell if the other one was on a list. */
	assert_null(xensplit_plan_get(plan, 1));
}

/* --- no longer wanted --- */

static void prune_leaves_what_was_never_listed(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "unlisted", 0);
	int changed;

	(void)state;
	drive_both();
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	want("mydevice", 1);
	want_auto(fast);
	want("mydevice", 9);
	assert_int_equal(apply(0, 20000), 3);
	list_count = 1;
	assert_int_equal(apply(0, 20000), 0);
	make_plan(XENSPLIT_PLAN_PRUNE);
	assert_action(0, XENSPLIT_ACTION_KEEP, 0, "mydevice", 1);
	assert_action(1, XENSPLIT_ACTION_DETACH, -1, "mydevice", 0);
	assert_action(2, XENSPLIT_ACTION_DETACH, -1, "mydevice", 9);
	assert_int_equal(action(1)->backend_domid, 0);
	assert_null(xensplit_plan_get(plan, 3));
	assert_result(do_action(1, 20000, &changed), 0);
	assert_int_equal(changed, 1);
	assert_gone(REC);
	assert_gone(FE);
	assert_int_equal(apply(XENSPLIT_PLAN_PRUNE, 20000), 1);
	assert_true(exists("/xensplit/5/unlisted/0"));
	assert_true(exists(OTHER));
}

/* --- halves and leftovers --- */

static void interrupt(const char *record)
{
	char text[4096], *value = xs_read(dom0, XBT_NULL, record, NULL);

	snprintf(text, sizeof(text), "%sphase=replace\n", value);
	free(value);
	put(record, text, NULL);
	xs_rm(dom0, XBT_NULL, FE);
	xs_rm(dom0, XBT_NULL, BE);
}

static void a_replacement_that_was_interrupted(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	int changed;

	(void)state;
	want("mydevice", 0);
	assert_int_equal(apply(0, 0), 1);
	interrupt(REC);
	make_plan(0);
	assert_action(0, XENSPLIT_ACTION_RENEW, 0, "mydevice", 0);
	assert_string_equal(action(0)->message, "replacing it was interrupted");
	assert_result(do_action(0, 0, &changed), 0);
	assert_int_equal(changed, 1);
	assert_null(record_field(REC, "phase"));
	assert_true(exists(FE "/state"));
	assert_int_equal(apply(0, 0), 0);

	/* Another client may finish it first, and not as the list has it. */
	interrupt(REC);
	make_plan(0);
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	opts.front = fast;
	opts.front_count = 1;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	assert_result(do_action(0, 0, &changed), -EEXIST);
	assert_string_equal(xensplit_last_error(ctx)->code, "differs");
	assert_int_equal(changed, 0);
}

static void a_driver_domain_that_comes_back(void **state)
{
	struct driver *front = drive("front 5 mydevice");
	const char *before;
	uint64_t begun;
	int changed;

	(void)state;
	drive("back 6 mydevice");
	want("mydevice", 0)->backend = "g6";
	want_auto(fast)->backend = "g6";
	want_auto(slow)->backend = "g6";
	assert_int_equal(apply(0, 20000), 3);
	run("\"$SANDBOX\" kill 6");
	driver_catch_up(front);
	before = dump();
	make_plan(XENSPLIT_PLAN_PRUNE | XENSPLIT_PLAN_REPLACE);
	assert_refused(0, -ESRCH, "no-such-domain", "no such domain: 'g6'");
	assert_int_equal(action(0)->backend_domid, XENSPLIT_ANY);
	assert_refused(1, -ESRCH, "no-such-domain", "'g6'");
	/* It is still wanted, so it is not pruned. */
	assert_int_equal(action(1)->id.devid, 1);
	assert_null(xensplit_plan_get(plan, 3));
	assert_untouched(before);

	run("\"$SANDBOX\" create 7 --name g6");
	drive("back 7 mydevice");
	list[1].front = slow;
	list[2].front = fast;
	make_plan(XENSPLIT_PLAN_PRUNE);
	assert_action(0, XENSPLIT_ACTION_RENEW, 0, "mydevice", 0);
	assert_string_equal(action(0)->message, "it belongs to a domain that is gone");
	assert_int_equal(action(0)->backend_domid, 7);
	/* With the ids and keys that they had. */
	assert_action(1, XENSPLIT_ACTION_RENEW, 1, "mydevice", 2);
	assert_action(2, XENSPLIT_ACTION_RENEW, 2, "mydevice", 1);
	assert_null(xensplit_plan_get(plan, 3));
	/* The guest gets time to see that its frontend is gone. */
	begun = now_ms();
	assert_result(do_action(0, 20000, &changed), 0);
	assert_true(now_ms() - begun >= 250);
	assert_int_equal(apply(0, 20000), 2);
	assert_string_equal(mode_of(1), "fast");
	assert_string_equal(mode_of(2), "slow");
	assert_node("/local/domain/7/backend/mydevice/5/2/state", "4", "n7,r5");
	assert_int_equal(apply(XENSPLIT_PLAN_PRUNE, 20000), 0);
	run("\"$SANDBOX\" kill 7");
}

static void a_guest_that_comes_back_with_its_domid(void **state)
{
	struct xensplit_attach_opts other = device_opts(5, "mydevice", 9);
	int changed;

	(void)state;
	want("mydevice", 0);
	want_auto(fast);
	assert_int_equal(apply(0, 0), 2);
	run("\"$SANDBOX\" kill 5");
	run("\"$SANDBOX\" create 5 --name g5");
	list_count = 1;
	make_plan(XENSPLIT_PLAN_PRUNE);
	assert_action(0, XENSPLIT_ACTION_RENEW, 0, "mydevice", 0);
	assert_action(1, XENSPLIT_ACTION_DETACH, -1, "mydevice", 1);
	assert_result(do_action(0, 0, &changed), 0);
	assert_int_equal(changed, 1);
	assert_result(do_action(1, 0, &changed), 0);
	assert_gone(OTHER);
	assert_gone("/local/domain/0/backend/mydevice/5/1");
	assert_true(exists(FE "/state"));
	/* Once is enough. */
	assert_result(do_action(0, 0, &changed), 0);
	assert_int_equal(changed, 0);
	assert_result(do_action(1, 0, &changed), -ENOENT);
	assert_result(xensplit_attach(ctx, &other, 0, NULL), 0);
	assert_int_equal(apply(XENSPLIT_PLAN_PRUNE, 0), 0);
}

/* --- entries that are wrong --- */

static void wrong_entries_do_not_stop_the_others(void **state)
{
	static const struct xensplit_pair bad = { "state", "4" };
	struct xensplit_wanted *newer;
	const char *before = dump();

	(void)state;
	want("a/b", 0);
	want(NULL, 0);
	want("vbd", 0);
	want("mydevice", 0);
	want("mydevice", 0)->backend = "";
	want("mydevice", 1)->backend = "99999999";
	want("mydevice", 2)->flags = 1u << 5;
	newer = want("mydevice", XENSPLIT_DEVID_AUTO);
	newer->front = &bad;
	newer->front_count = 1;
	make_plan(0);
	assert_refused(0, -EINVAL, "invalid-argument", "'a/b' is not a device type");
	assert_refused(1, -EINVAL, "invalid-argument", "is not a device type");
	assert_refused(2, -EINVAL, "reserved-type", "libxl manages");
	assert_action(3, XENSPLIT_ACTION_ATTACH, 3, "mydevice", 0);
	assert_refused(4, -EINVAL, "no-such-domain", "the domain is empty");
	assert_refused(5, -EINVAL, "no-such-domain", "domids are below");
	assert_refused(6, -EINVAL, "invalid-argument", "unknown flags 0x20");
	assert_refused(7, -EINVAL, "invalid-argument", "'state' is written by xensplit");
	assert_untouched(before);
	list[2].flags = XENSPLIT_WANTED_RESERVED | XENSPLIT_WANTED_NO_WAIT;
	make_plan(0);
	assert_action(2, XENSPLIT_ACTION_ATTACH, 2, "vbd", 0);
}

static void two_entries_with_one_id(void **state)
{
	(void)state;
	want("mydevice", 0);
	want("other", 0);
	want("mydevice", 0);
	make_plan(0);
	assert_action(1, XENSPLIT_ACTION_ATTACH, 1, "other", 0);
	assert_refused(2, -EINVAL, "listed-twice", "the list has mydevice/0 twice");
	list_count = 2;
	assert_int_equal(apply(0, 0), 2);
	list_count = 3;
	make_plan(0);
	assert_action(0, XENSPLIT_ACTION_KEEP, 0, "mydevice", 0);
	assert_refused(2, -EINVAL, "listed-twice", "twice");
}

/* What its device is now, it stays. */
static void a_wrong_entry_is_no_reason_to_detach(void **state)
{
	static const struct xensplit_pair bad = { "no/key", "" };

	(void)state;
	want("mydevice", 7);
	want_auto(fast);
	assert_int_equal(apply(0, 0), 2);
	list[0].back = list[1].back = &bad;
	list[0].back_count = list[1].back_count = 1;
	make_plan(XENSPLIT_PLAN_PRUNE | XENSPLIT_PLAN_REPLACE);
	assert_refused(0, -EINVAL, "invalid-argument", "'no/key'");
	assert_refused(1, -EINVAL, "invalid-argument", "'no/key'");
	assert_null(xensplit_plan_get(plan, 2));
}

static void backends_that_are_not_there(void **state)
{
	(void)state;
	want("mydevice", 0)->backend = "77";
	want("mydevice", 1)->backend = "nobody";
	want("mydevice", 2)->backend = "0day";
	want("mydevice", 3)->backend = "g5";
	make_plan(0);
	assert_refused(0, -ESRCH, "no-such-domain", "no such domain: 77");
	assert_refused(1, -ESRCH, "no-such-domain", "'nobody'");
	assert_refused(2, -ESRCH, "no-such-domain", "'0day'");
	/* With both ends in one domain, as dom0 may have it. */
	assert_action(3, XENSPLIT_ACTION_ATTACH, 3, "mydevice", 3);
	put("/local/domain/6/name", "g5", NULL);
	make_plan(0);
	assert_refused(3, -ESRCH, "ambiguous-domain", "2 domains have the name 'g5'");
}

/* --- plans that are old --- */

static void what_has_changed_since_is_noticed(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	struct xensplit_id other = { 5, "mydevice", 1 };
	const char *before;
	int changed;

	(void)state;
	want("mydevice", 0);
	want("mydevice", 1);
	make_plan(0);
	opts.front = fast;
	opts.front_count = 1;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	before = dump();
	assert_result(do_action(0, 0, &changed), -EEXIST);
	assert_string_equal(xensplit_last_error(ctx)->code, "differs");
	assert_int_equal(changed, 0);
	assert_untouched(before);
	assert_result(do_action(1, 0, &changed), 0);
	make_plan(0);
	assert_result(xensplit_detach(ctx, &other, 0, 0), 0);
	/* It was to be kept, so it is missing. */
	assert_result(do_action(1, 0, &changed), 0);
	assert_int_equal(changed, 1);
	/* Only the device that the plan has seen is detached. */
	list_count = 0;
	make_plan(XENSPLIT_PLAN_PRUNE);
	assert_action(0, XENSPLIT_ACTION_DETACH, -1, "mydevice", 1);
	assert_result(xensplit_detach(ctx, &other, 0, 0), 0);
	opts.devid = 1;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	assert_result(do_action(0, 0, &changed), -ENOENT);
	assert_string_equal(xensplit_last_error(ctx)->code, "removed");
	assert_true(exists(OTHER));
}

static void an_operation_outlives_its_plan(void **state)
{
	const struct xensplit_device *device;
	struct xensplit_op *op;

	(void)state;
	want_auto(fast);
	make_plan(0);
	assert_result(xensplit_plan_op(plan, 1, 0, &op), -EINVAL);
	assert_result(xensplit_plan_op(plan, 0, 0, &op), 0);
	plan = xensplit_plan_free(plan);
	assert_result(xensplit_op_run(op), 0);
	assert_int_equal(xensplit_op_get_device(op, &device), 0);
	assert_string_equal(device->listed, "auto");
	assert_string_equal(device->front[0].value, "fast");
	xensplit_op_free(op);

	list_count = 0;
	make_plan(XENSPLIT_PLAN_PRUNE);
	assert_result(xensplit_plan_op(plan, 0, 0, &op), 0);
	plan = xensplit_plan_free(plan);
	assert_result(xensplit_op_run(op), 0);
	xensplit_op_free(op);
	assert_gone(REC);
}

/* --- what it costs --- */

static unsigned int requests_of_a_plan(void)
{
	const char *line = logged;
	unsigned int count = 0;

	logged[0] = '\0';
	make_plan(0);
	for (; *line; line += strcspn(line, "\n") + 1)
		count += !strncmp(line, "xensplit: debug: ", 17);
	return count;
}

static void the_number_of_requests(void **state)
{
	unsigned int one, four, missing, named;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		want("mydevice", (uint32_t)i)->backend = "6";
	assert_int_equal(apply(0, 0), 4);
	four = requests_of_a_plan();
	list_count = 1;
	one = requests_of_a_plan();
	assert_int_equal(one, four); /* the devices are still there */
	list_count = 4;
	for (i = 0; i < 4; i++)
		list[i].backend = "g6";
	named = requests_of_a_plan();
	for (i = 0; i < 4; i++)
		list[i].devid += 4;
	missing = requests_of_a_plan();
	print_message("# 4 devices: %u requests; with the backend's name: %u; none of "
		      "them there: %u\n",
		      four, named, missing);
	assert_true(four <= 14);
	/* Three domains, one list of them, and who may write the name that was found. */
	assert_int_equal(named, four + 5);
	assert_int_equal(missing, named + 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		plan_test(a_second_run_changes_nothing),
		plan_test(an_empty_list),
		plan_test(automatic_ids_stay),
		plan_test(automatic_ids_of_devices_that_differ),
		plan_test(an_automatic_id_takes_no_other_device),
		plan_test(a_device_that_differs),
		plan_test(a_device_of_another_tool),
		plan_test(a_record_that_is_damaged),
		plan_test(prune_leaves_what_was_never_listed),
		plan_test(a_replacement_that_was_interrupted),
		plan_test(a_driver_domain_that_comes_back),
		plan_test(a_guest_that_comes_back_with_its_domid),
		plan_test(wrong_entries_do_not_stop_the_others),
		plan_test(two_entries_with_one_id),
		plan_test(a_wrong_entry_is_no_reason_to_detach),
		plan_test(backends_that_are_not_there),
		plan_test(what_has_changed_since_is_noticed),
		plan_test(an_operation_outlives_its_plan),
		plan_test(the_number_of_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
