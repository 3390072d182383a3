// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes every request of an operation fail in turn, in every way. Each time: no transaction is
 * left open, none is committed after a failure inside it, the device exists as a whole or not at
 * all, and the caller gets an error. The sanitizers find leaks.
 */
#include "unit.h"

#define REC	   "/xensplit/5/mydevice/0"
#define FE	   "/local/domain/5/device/mydevice/0"
#define BE	   "/local/domain/0/backend/mydevice/5/0"
#define POINTS_MAX 400
/* Of the domain that has the domid of a former one. */
#define NEW_MARK "00000000deadbeef"

static const struct xensplit_id device = { 5, "mydevice", 0 };
static const struct xensplit_pair pair = { "key", "value" };

static int attach_with(struct xensplit_ctx *ctx, uint32_t devid, uint32_t flags)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	uint32_t ret = 77;
	int r;

	opts.domid = 5;
	opts.type = "mydevice";
	opts.devid = devid;
	opts.flags = flags;
	opts.front = opts.back = &pair;
	opts.front_count = opts.back_count = 1;
	r = xensplit_attach(ctx, &opts, 0, &ret);
	/* One that is found as wanted is known before its states are. */
	if (!r || !(flags & XENSPLIT_ATTACH_ENSURE))
		assert_int_equal(ret, r ? 77 : 0);
	return r;
}

static int attach(struct xensplit_ctx *ctx)
{
	return attach_with(ctx, 0, 0);
}

static int attach_auto(struct xensplit_ctx *ctx)
{
	return attach_with(ctx, XENSPLIT_DEVID_AUTO, 0);
}

static int attach_replacing(struct xensplit_ctx *ctx)
{
	return attach_with(ctx, 0, XENSPLIT_ATTACH_REPLACE);
}

static int ensure(struct xensplit_ctx *ctx)
{
	return attach_with(ctx, 0, XENSPLIT_ATTACH_ENSURE);
}

static int ensure_replacing(struct xensplit_ctx *ctx)
{
	return attach_with(ctx, 0, XENSPLIT_ATTACH_ENSURE | XENSPLIT_ATTACH_REPLACE);
}

/* Every action of a plan. */
static int plan_of(struct xensplit_ctx *ctx, const struct xensplit_wanted *const *list,
		   size_t count)
{
	struct xensplit_plan *p;
	size_t i;
	int r = xensplit_plan_new(ctx, 5, list, count, XENSPLIT_PLAN_PRUNE, &p);

	if (r)
		return r;
	for (i = 0; !r && xensplit_plan_get(p, i); i++) {
		struct xensplit_op *op;

		r = xensplit_plan_op(p, i, 0, &op);
		if (r)
			break;
		r = xensplit_op_run(op);
		xensplit_op_free(op);
	}
	xensplit_plan_free(p);
	return r;
}

static int plan(struct xensplit_ctx *ctx)
{
	XENSPLIT_OPTS(xensplit_wanted, wanted);
	const struct xensplit_wanted *list = &wanted;

	wanted.type = "mydevice";
	wanted.backend = "Domain-0";
	wanted.front = wanted.back = &pair;
	wanted.front_count = wanted.back_count = 1;
	return plan_of(ctx, &list, 1);
}

static int plan_none(struct xensplit_ctx *ctx)
{
	return plan_of(ctx, NULL, 0);
}

static int detach(struct xensplit_ctx *ctx)
{
	return xensplit_detach(ctx, &device, 0, 5000);
}

static int batch(struct xensplit_ctx *ctx,
		 int (*add)(struct xensplit_batch *batch, const struct xensplit_id *id),
		 int (*run)(struct xensplit_batch *batch))
{
	struct xensplit_batch *b;
	int r = xensplit_batch_new(ctx, &b);

	if (r)
		return r;
	r = add(b, &device);
	if (r >= 0)
		r = run(b);
	xensplit_batch_free(b);
	return r;
}

static int add_remove(struct xensplit_batch *b, const struct xensplit_id *id)
{
	return xensplit_batch_remove(b, id, 0);
}

static int add_reap(struct xensplit_batch *b, const struct xensplit_id *id)
{
	return xensplit_batch_remove(b, id, XENSPLIT_REMOVE_STALE);
}

static int close_(struct xensplit_ctx *ctx)
{
	return batch(ctx, xensplit_batch_close, xensplit_batch_commit);
}

static int remove_(struct xensplit_ctx *ctx)
{
	return batch(ctx, add_remove, xensplit_batch_commit);
}

static int preview_remove(struct xensplit_ctx *ctx)
{
	return batch(ctx, add_remove, xensplit_batch_preview);
}

static int reap(struct xensplit_ctx *ctx)
{
	return batch(ctx, add_reap, xensplit_batch_commit);
}

static int reap_all(struct xensplit_ctx *ctx)
{
	const struct xensplit_reaped *reaped;
	struct xensplit_reap *all;
	int r = xensplit_reap_new(ctx, NULL, 0, &all);

	if (r)
		return r;
	/* A failure belongs to that device. */
	reaped = xensplit_reap_get(all, 0);
	r = reaped ? reaped->result : 0;
	if (r)
		failure_set(ctx, reaped->result, NULL, "%s", reaped->message);
	xensplit_reap_free(all);
	return r;
}

static int repair(struct xensplit_ctx *ctx)
{
	return batch(ctx, xensplit_batch_repair, xensplit_batch_commit);
}

static int list(struct xensplit_ctx *ctx)
{
	struct xensplit_list *l;
	int r = xensplit_list_new(ctx, NULL, XENSPLIT_LIST_FOREIGN, &l);

	if (!r) {
		assert_non_null(xensplit_list_get(l, 0));
		xensplit_list_free(l);
	}
	return r;
}

static int nodes(struct xensplit_ctx *ctx)
{
	struct xensplit_nodes *n;
	int r = xensplit_nodes_new(ctx, &device, &n);

	if (!r) {
		assert_non_null(xensplit_nodes_get(n, 0));
		xensplit_nodes_free(n);
	}
	return r;
}

static int diagnose(struct xensplit_ctx *ctx)
{
	struct xensplit_findings *f;
	int r = xensplit_diagnose(ctx, NULL, &f);

	if (!r)
		xensplit_findings_free(f);
	return r;
}

static int watch(struct xensplit_ctx *ctx)
{
	const struct xensplit_event *event;
	struct xensplit_monitor *monitor;
	int r = xensplit_monitor_new(ctx, NULL, &monitor);

	if (r)
		return r;
	fake_set(BE "/state", "2", 1);
	fake_set("/local/domain/0/error/backend/mydevice/5/0/error", "oops", 4);
	r = xensplit_monitor_process(monitor);
	while (xensplit_monitor_next(monitor, &event) > 0)
		;
	xensplit_monitor_free(monitor);
	return r;
}

static int wait_connected(struct xensplit_ctx *ctx)
{
	return xensplit_wait(ctx, &device, XENSPLIT_UNTIL_CONNECTED, 5000);
}

static int wait_gone(struct xensplit_ctx *ctx)
{
	return xensplit_wait(ctx, &device, XENSPLIT_UNTIL_GONE, 0);
}

static int find_by_name(struct xensplit_ctx *ctx)
{
	uint32_t domid;

	return xensplit_domain_find(ctx, "g5", &domid);
}

/* --- initial states --- */

static void nothing(struct xensplit_ctx *ctx)
{
	(void)ctx;
}

static void attached(struct xensplit_ctx *ctx)
{
	assert_int_equal(attach(ctx), 0);
}

/* Without the keys that are wanted. */
static void attached_plain(struct xensplit_ctx *ctx)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	opts.domid = 5;
	opts.type = "mydevice";
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

static void connected(struct xensplit_ctx *ctx)
{
	attached(ctx);
	fake_set(FE "/state", "4", 1);
	fake_set(BE "/state", "4", 1);
}

static void of_a_former_domain(struct xensplit_ctx *ctx)
{
	attached(ctx);
	assert_true(xs_rm(ctx->xs, XBT_NULL, FE)); /* with its domain */
	fake_set("/local/domain/5/xensplit", NEW_MARK, strlen(NEW_MARK));
}

/* With an id that is not on the list any more. */
static void listed(struct xensplit_ctx *ctx)
{
	char record[2048];

	attached(ctx);
	snprintf(record, sizeof(record), "%slisted=fixed\n", fake_value(REC, NULL));
	fake_set("/xensplit/5/mydevice/0", record, strlen(record));
}

static void with_wrong_permissions(struct xensplit_ctx *ctx)
{
	connected(ctx);
	fake_set(BE "/new", "", 0);
	assert_true(xs_set_permissions(ctx->xs, XBT_NULL, FE "/state",
				       &(struct xs_permissions){ 0, XS_PERM_READ }, 1));
	assert_true(xs_rm(ctx->xs, XBT_NULL, BE "/online"));
}

static const struct operation {
	const char *name;
	void (*prepare)(struct xensplit_ctx *ctx);
	int (*run)(struct xensplit_ctx *ctx);
	unsigned int at_least; /* about as many requests, so that none is left out */
	int result;
} operations[] = {
	{ "attach", nothing, attach, 20, 0 },
	{ "attach auto", nothing, attach_auto, 22, 0 },
	{ "attach --replace", attached, attach_replacing, 35, 0 },
	{ "ensure absent", nothing, ensure, 23, 0 },
	{ "ensure equal", attached, ensure, 6, 0 },
	{ "ensure different", attached_plain, ensure, 6, -EEXIST },
	{ "ensure --replace", attached_plain, ensure_replacing, 40, 0 },
	{ "plan, absent", nothing, plan, 35, 0 },
	{ "plan, equal", attached, plan, 18, 0 },
	{ "plan, stale", of_a_former_domain, plan, 50, 0 },
	{ "plan, no longer listed", listed, plan_none, 20, 0 },
	{ "detach unclaimed", attached, detach, 12, 0 },
	{ "detach connected", connected, detach, 25, 0 },
	{ "close", connected, close_, 8, 0 },
	{ "remove", connected, remove_, 12, 0 },
	{ "remove preview", connected, preview_remove, 12, 0 },
	{ "reap", of_a_former_domain, reap, 10, 0 },
	{ "reap all", of_a_former_domain, reap_all, 15, 0 },
	{ "repair", with_wrong_permissions, repair, 20, 0 },
	{ "list", connected, list, 15, 0 },
	{ "nodes", connected, nodes, 35, 0 },
	{ "diagnose", connected, diagnose, 20, 0 },
	{ "watch", connected, watch, 15, 0 },
	{ "wait until connected", connected, wait_connected, 7, 0 },
	{ "wait until gone", connected, wait_gone, 12, -ETIMEDOUT },
	{ "domain by name", nothing, find_by_name, 3, 0 },
};

/* --- one run --- */

static bool is_below(const char *line, const char *top)
{
	return !strncmp(line, top, strlen(top));
}

/* The lines of the device: its record, halves and all parents, without the id. */
static char *device_of(const char *dump)
{
	char *kept = calloc(1, strlen(dump) + 1);

	while (*dump) {
		size_t len = strcspn(dump, "\n") + 1;

		/* A line that is not a path is a field of the record. */
		if (is_below(dump, "/xensplit") || *dump != '/' ||
		    memmem(dump, len, "/mydevice", 9))
			if (!is_below(dump, "unique-id=") &&
			    !is_below(dump, "created=") &&
			    !is_below(dump, "frontend-mark=") &&
			    !is_below(dump, "/local/domain/0/error"))
				strncat(kept, dump, len);
		dump += len;
	}
	return kept;
}

static char *device_now(void)
{
	char *dump = fake_dump(), *kept = device_of(dump);

	free(dump);
	return kept;
}

struct outcome {
	int r;
	char *before, *after;
};

static struct outcome run_with_failure(const struct operation *op, unsigned int at,
				       int err, bool from_there_on)
{
	struct xensplit_ctx *ctx;
	struct outcome outcome;

	fake_reset();
	ctx = unit_ctx();
	op->prepare(ctx);
	outcome.before = device_now();
	fake_calm();
	fake.backend_closes = true;
	fake.fail_at = at;
	fake.fail_errno = err;
	fake.fail_from_there_on = from_there_on;
	outcome.r = op->run(ctx);
	fake.fail_at = 0;
	outcome.after = device_now();
	if (outcome.r && !*xensplit_errmsg(ctx))
		wrong("%s: %s failed, and nothing is said\n", op->name, fake.failed_call);
	unit_ctx_free(ctx);
	return outcome;
}

static void outcome_free(struct outcome *outcome)
{
	free(outcome->before);
	free(outcome->after);
}

static bool there(const char *path)
{
	return fake_value(path, NULL) != NULL;
}

static void assert_whole_or_none(const struct operation *op)
{
	const char *record = fake_value(REC, NULL);
	/* That of a former domain went with it. */
	bool front = record && (op->prepare != of_a_former_domain ||
				strstr(record, "\nfrontend-mark=" NEW_MARK));

	if (there(FE "/state") != there(FE) || there(BE "/state") != there(BE))
		wrong("%s: %s failed, and half an end is left\n", op->name,
		      fake.failed_call);
	/* The next replace completes a record that says so. */
	if (record && strstr(record, "\nphase=replace\n") && there(FE) == there(BE))
		return;
	if (there(FE) != front || there(BE) != !!record)
		wrong("%s: %s failed, and half a device is left\n", op->name,
		      fake.failed_call);
}

static void assert_sound(const struct operation *op)
{
	if (fake.committed_failure)
		wrong("%s: committed after '%s' failed\n", op->name, fake.failed_call);
	if (fake.open_transactions)
		wrong("%s: a transaction is open after '%s' failed\n", op->name,
		      fake.failed_call);
	assert_whole_or_none(op);
}

/* Failures that are ignored: of reading a name for display, or of an abort. */
static bool may_fail_in_silence(const struct operation *op, int err)
{
	const char *call = fake.failed_call;
	size_t len = strlen(call);
	bool refused = err == EACCES || err == EPERM;

	/* The deadline has passed anyway: only the reason is missing. */
	if (op->result == -ETIMEDOUT)
		return true;
	if (len > 5 && !strcmp(call + len - 5, "/name"))
		return (op->run != find_by_name && op->run != plan) || refused;
	if (refused && (!strcmp(call, "watch @releaseDomain") || strstr(call, "/error/")))
		return true;
	return !strcmp(call, "abort ") || is_below(call, "unwatch ");
}

static void assert_told(const struct operation *op, int r, int err, int expected)
{
	/* Without a connection there is nothing more to say. */
	if (is_below(fake.failed_call, "open "))
		expected = -ENOTCONN;
	/* A name that may not be read does not match. */
	if (expected == -EACCES &&
	    ((op->run == find_by_name && strstr(fake.failed_call, "/5/name")) ||
	     (op->run == plan && strstr(fake.failed_call, "/0/name"))))
		expected = -ESRCH;
	/* Inside a transaction this is xenstored's error for a collision: retried. */
	if (err == EINVAL && fake.failed_inside && r == op->result)
		return;
	if (r == expected || (r == op->result && may_fail_in_silence(op, err)))
		return;
	wrong("%s: '%s' failed with %s, result %d instead of %d\n", op->name,
	      fake.failed_call, strerror(err), r, expected);
}

static void fail_at_each(const struct operation *op, int err, int expected,
			 bool from_there_on)
{
	unsigned int at;

	for (at = 1; at < POINTS_MAX; at++) {
		struct outcome outcome = run_with_failure(op, at, err, from_there_on);
		bool failed = fake.failed;

		assert_sound(op);
		if (failed)
			assert_told(op, outcome.r, err, expected);
		else
			assert_int_equal(outcome.r, op->result);
		/* A detach commits twice; after the first commit the device is still whole. */
		if (outcome.r && op->run != watch && !fake.commits &&
		    strcmp(outcome.before, outcome.after) != 0)
			wrong("%s: '%s' failed, and the store changed:\n%s\nwas\n%s\n",
			      op->name, fake.failed_call, outcome.after, outcome.before);
		outcome_free(&outcome);
		if (!failed)
			break;
	}
	if (at <= op->at_least)
		wrong("%s: only %u requests\n", op->name, at - 1);
}

static void fail_all(int err, int expected, bool from_there_on)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		fail_at_each(&operations[i], err, expected, from_there_on);
}

/* --- kinds of failures --- */

static void pitfall_01_no_permission_at_any_request(void **state)
{
	(void)state;
	fail_all(EACCES, -EACCES, false);
}

static void pitfall_01_not_permitted_at_any_request(void **state)
{
	(void)state;
	fail_all(EPERM, -EACCES, false);
}

static void pitfall_01_a_quota_at_any_request(void **state)
{
	(void)state;
	fail_all(ENOSPC, -ENOSPC, false);
}

static void pitfall_01_no_memory_at_any_request(void **state)
{
	(void)state;
	fail_all(ENOMEM, -ENOMEM, false);
}

/* EINVAL from a live daemon is about the request, except in a transaction. */
static void pitfall_01_a_bad_request(void **state)
{
	(void)state;
	fail_all(EINVAL, -EINVAL, false);
}

/* libxenstore returns the same EINVAL if the daemon is dead. */
static void pitfall_16_the_daemon_dies_at_any_request(void **state)
{
	static const int errors[] = { EINVAL, EBADF, EPIPE, EIO };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(errors); i++)
		fail_all(errors[i], -ENOTCONN, true);
}

/* ENOENT is an answer to a read, but a failure of a write. */
static void pitfall_06_no_such_node_where_one_is_written(void **state)
{
	static const struct operation *const ops[] = { &operations[0], &operations[1] };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		unsigned int at, seen = 0;

		for (at = 1; at < POINTS_MAX; at++) {
			struct outcome o = run_with_failure(ops[i], at, ENOENT, false);
			bool failed = fake.failed;

			assert_int_equal(fake.open_transactions, 0);
			if (is_below(fake.failed_call, "set-permissions") ||
			    is_below(fake.failed_call, "write") ||
			    is_below(fake.failed_call, "mkdir")) {
				seen++;
				assert_sound(ops[i]);
				assert_int_equal(o.r,
						 is_below(fake.failed_call, "set-perm")
							 ? -ESRCH
							 : -ENOENT);
				assert_string_equal(o.before, o.after);
			}
			outcome_free(&o);
			if (!failed)
				break;
		}
		assert_true(seen > 15);
	}
}

/* --- collisions --- */

static void pitfall_02_a_collision_is_tried_again(void **state)
{
	struct xensplit_ctx *ctx;

	(void)state;
	fake_reset();
	ctx = unit_ctx();
	fake.conflicts = 3;
	assert_int_equal(attach(ctx), 0);
	assert_int_equal(fake.tries, 4);
	assert_int_equal(fake.commits, 1);
	assert_whole_or_none(&operations[0]);
	assert_true(there(REC));
	unit_ctx_free(ctx);
}

static void pitfall_02_tries_are_bounded(void **state)
{
	struct xensplit_ctx *ctx;
	char *before, *after;
	uint64_t total = 0;
	unsigned int i;

	(void)state;
	fake_reset();
	ctx = unit_ctx();
	before = device_now();
	fake.conflicts = UINT32_MAX;
	assert_int_equal(attach(ctx), -EBUSY);
	assert_contains(xensplit_errmsg(ctx), "kept changing the same nodes");
	assert_in_range(fake.tries, 10, 50);
	assert_int_equal(fake.open_transactions, 0);
	assert_int_equal(fake.pauses, fake.tries - 1);
	for (i = 0; i < fake.pauses; i++)
		total += fake.pause_us[i];
	assert_in_range(total, 500000, 3000000);
	after = device_now();
	assert_string_equal(before, after);
	free(before);
	free(after);
	unit_ctx_free(ctx);
}

/* Pauses grow and are random, so that clients which collided separate. */
static void pitfall_02_pauses_grow_and_differ(void **state)
{
	uint64_t first[8];
	unsigned int round, i, differ = 0;

	(void)state;
	for (round = 0; round < 2; round++) {
		struct xensplit_ctx *ctx;

		fake_reset();
		ctx = unit_ctx();
		fake.conflicts = ARRAY_SIZE(first);
		assert_int_equal(attach(ctx), 0);
		assert_int_equal(fake.pauses, ARRAY_SIZE(first));
		assert_true(fake.pause_us[7] > 8 * fake.pause_us[0]);
		for (i = 0; round && i < ARRAY_SIZE(first); i++)
			differ += first[i] != fake.pause_us[i];
		memcpy(first, fake.pause_us, sizeof(first));
		unit_ctx_free(ctx);
	}
	assert_true(differ > 0);
}

/* A guest that makes every commit collide can't prevent a detach. */
static void pitfall_02_a_detach_gets_through_many_collisions(void **state)
{
	struct xensplit_ctx *ctx;

	(void)state;
	fake_reset();
	ctx = unit_ctx();
	connected(ctx);
	fake_calm();
	fake.conflicts = UINT32_MAX;
	fake_set(BE "/state", "6", 1);
	assert_int_equal(detach(ctx), 0);
	assert_false(there(REC));
	assert_whole_or_none(&operations[0]);
	assert_in_range(fake.tries, 30, 60);
	unit_ctx_free(ctx);
}

/*
 * -EBUSY also means that a device is not stale. It must not be mistaken for a collision, after
 * which the halves of the other devices would be removed.
 */
static void pitfall_01_a_refused_step_leaves_the_others_alone(void **state)
{
	struct xensplit_ctx *ctx;
	struct xensplit_batch *b;
	char *before, *after;

	(void)state;
	fake_reset();
	ctx = unit_ctx();
	connected(ctx);
	assert_int_equal(xensplit_batch_new(ctx, &b), 0);
	assert_int_equal(
		xensplit_batch_attach(b,
				      &(struct xensplit_attach_opts){
					      .sz = sizeof(struct xensplit_attach_opts),
					      .domid = 6,
					      .type = "mydevice" }),
		0);
	assert_int_equal(xensplit_batch_commit(b), 0);
	xensplit_batch_free(b);
	before = device_now();

	assert_int_equal(xensplit_batch_new(ctx, &b), 0);
	assert_int_equal(xensplit_batch_remove(b, &device, 0), 0);
	assert_int_equal(xensplit_batch_remove(b,
					       &(struct xensplit_id){ 6, "mydevice", 0 },
					       XENSPLIT_REMOVE_STALE),
			 1);
	assert_int_equal(xensplit_batch_commit(b), -EBUSY);
	assert_contains(xensplit_errmsg(ctx), "are alive");
	xensplit_batch_free(b);
	after = device_now();
	assert_string_equal(before, after);
	free(before);
	free(after);
	unit_ctx_free(ctx);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pitfall_01_no_permission_at_any_request),
		cmocka_unit_test(pitfall_01_not_permitted_at_any_request),
		cmocka_unit_test(pitfall_01_a_quota_at_any_request),
		cmocka_unit_test(pitfall_01_no_memory_at_any_request),
		cmocka_unit_test(pitfall_01_a_bad_request),
		cmocka_unit_test(pitfall_01_a_refused_step_leaves_the_others_alone),
		cmocka_unit_test(pitfall_02_a_collision_is_tried_again),
		cmocka_unit_test(pitfall_02_tries_are_bounded),
		cmocka_unit_test(pitfall_02_pauses_grow_and_differ),
		cmocka_unit_test(pitfall_02_a_detach_gets_through_many_collisions),
		cmocka_unit_test(pitfall_06_no_such_node_where_one_is_written),
		cmocka_unit_test(pitfall_16_the_daemon_dies_at_any_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
