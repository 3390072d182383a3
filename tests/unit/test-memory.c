// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes every allocation of the library fail in turn, once, and from there on. Each time: the
 * device exists as a whole or not at all, the caller gets -ENOMEM or what was asked for, and the
 * next call without a failure does it. The sanitizers and valgrind find leaks.
 */
#include "operations.h"

#define POINTS_MAX 2000

static unsigned int violations;

/* All are shown, before the test fails. */
#define violation(...) (print_error("# " __VA_ARGS__), violations++)

static void prepare(const struct operation *op, struct xensplit_ctx **ret_ctx)
{
	fake_reset();
	*ret_ctx = unit_ctx();
	op->prepare(*ret_ctx);
	fake_calm();
	fake.backend_closes = true;
}

static int run_with_failure(const struct operation *op, struct xensplit_ctx *ctx,
			    unsigned int at, bool from_there_on)
{
	int r;

	memory = (struct memory){ .fail_at = at, .from_there_on = from_there_on };
	r = op->run(ctx);
	memory.fail_at = 0;
	if (r && !*xensplit_errmsg(ctx))
		violation("%s: allocation %u failed: %d, and nothing is said\n", op->name,
			  at, r);
	return r;
}

/* What the failed call may have done before it failed. */
static bool is_done(int r)
{
	return r == -EEXIST || r == -ENOENT || r == -EBUSY;
}

static void assert_sound(const struct operation *op, struct xensplit_ctx *ctx, int r,
			 unsigned int at, const char *before)
{
	char *after = device_now(), cause[32];

	snprintf(cause, sizeof(cause), "allocation %u", at);
	if (r != -ENOMEM && r != op->result)
		violation("%s: %s failed: %d (%s)\n", op->name, cause, r,
			  xensplit_errmsg(ctx));
	if (fake.open_transactions)
		violation("%s: %s failed, and a transaction is open\n", op->name, cause);
	assert_whole_or_none(op, cause);
	if (r && op->run != watch && !fake.commits && strcmp(before, after) != 0)
		violation("%s: %s failed, and the store changed:\n%s\nwas\n%s\n",
			  op->name, cause, after, before);
	free(after);
	r = op->run(ctx);
	if (r != op->result && !is_done(r))
		violation("%s: after the failure of %s: %d (%s)\n", op->name, cause, r,
			  xensplit_errmsg(ctx));
	assert_whole_or_none(op, cause);
}

static unsigned int fail_at_each(const struct operation *op, bool from_there_on)
{
	struct xensplit_ctx *ctx;
	bool failed = true;
	unsigned int at;

	for (at = 1; failed; at++) {
		char *before;
		int r;

		assert_true(at < POINTS_MAX);
		prepare(op, &ctx);
		before = device_now();
		r = run_with_failure(op, ctx, at, from_there_on);
		failed = memory.failed;
		assert_sound(op, ctx, r, at, before);
		free(before);
		unit_ctx_free(ctx);
	}
	return at - 2;
}

static void fail_all(bool from_there_on)
{
	unsigned int all = 0, points;
	size_t i;

	for (i = 0; i < operation_count; i++) {
		/* Keepers try again until there is memory. */
		if (from_there_on && operations[i].retries)
			continue;
		points = fail_at_each(&operations[i], from_there_on);
		print_message("# %-26s %4u allocations failed\n", operations[i].name,
			      points);
		all += points;
	}
	print_message("# %-26s %4u, %u violations\n", "all", all, violations);
	assert_true(all > 200);
	assert_int_equal(violations, 0);
}

static void no_memory_at_any_allocation(void **state)
{
	(void)state;
	fail_all(false);
}

static void no_memory_from_any_allocation_on(void **state)
{
	(void)state;
	fail_all(true);
}

/* Without a context there is no text, and without memory no context. */
static void no_memory_for_a_context(void **state)
{
	XENSPLIT_OPTS(xensplit_opts, opts);
	struct xensplit_ctx *ctx = NULL;

	(void)state;
	fake_reset();
	memory = (struct memory){ .fail_at = 1 };
	assert_int_equal(xensplit_new(&opts, &ctx), -ENOMEM);
	assert_null(ctx);
	memory.fail_at = 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_memory_at_any_allocation),
		cmocka_unit_test(no_memory_from_any_allocation_on),
		cmocka_unit_test(no_memory_for_a_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
