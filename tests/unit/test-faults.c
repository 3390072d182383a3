// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes every request of an operation fail in turn, in every way. Each time: no transaction is
 * left open, none is committed after a failure inside it, the device exists as a whole or not at
 * all, and the caller gets an error. The sanitizers find leaks.
 */
#include "operations.h"

#define POINTS_MAX 400

/* --- one run --- */

static bool is_below(const char *line, const char *top)
{
	return !strncmp(line, top, strlen(top));
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

static void assert_sound(const struct operation *op)
{
	if (fake.committed_failure)
		wrong("%s: committed after '%s' failed\n", op->name, fake.failed_call);
	if (fake.open_transactions)
		wrong("%s: a transaction is open after '%s' failed\n", op->name,
		      fake.failed_call);
	assert_whole_or_none(op, fake.failed_call);
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
	/* A name that may not be read does not match; whose it is has to be known. */
	if (expected == -EACCES &&
	    ((op->run == find_by_name &&
	      is_below(fake.failed_call, "read /local/domain/5/name")) ||
	     (op->run == plan &&
	      is_below(fake.failed_call, "read /local/domain/0/name"))))
		expected = -ESRCH;
	/* Inside a transaction this is xenstored's error for a collision: retried. */
	if (err == EINVAL && fake.failed_inside && r == op->result)
		return;
	if (op->retries && !r && expected != -ENOTCONN)
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

	for (i = 0; i < operation_count; i++)
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

/*
 * EINVAL from a live daemon is about the request, except in a transaction. It is not -EINVAL, which
 * means a wrong argument of the caller.
 */
static void pitfall_01_a_bad_request(void **state)
{
	(void)state;
	fail_all(EINVAL, -EIO, false);
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
	assert_whole_or_none(&operations[0], fake.failed_call);
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
	fake.flood = true;
	fake_set(BE "/state", "6", 1);
	assert_int_equal(detach(ctx), 0);
	assert_false(there(REC));
	assert_whole_or_none(&operations[0], fake.failed_call);
	assert_in_range(fake.tries, 25, 60);
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
