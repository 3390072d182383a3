// SPDX-License-Identifier: GPL-2.0-or-later
/* Structs from callers built with another version. */
#include "unit.h"

struct v1 {
	size_t sz;
	uint32_t a;
};

struct v2 {
	size_t sz;
	uint32_t a;
	uint32_t b;
	const char *c;
};

static void a_smaller_struct_leaves_the_rest_zero(void **state)
{
	struct v1 old = { sizeof(old), 1 };
	struct v2 ours;

	(void)state;
	memset(&ours, 0xff, sizeof(ours));
	old.sz = offsetof(struct v1, a) + sizeof(old.a);
	assert_int_equal(opts_copy(&ours, sizeof(ours), &old), 0);
	assert_int_equal(ours.a, 1);
	assert_int_equal(ours.b, 0);
	assert_null(ours.c);
}

static void the_size_alone_is_a_struct(void **state)
{
	size_t sz = sizeof(sz);
	struct v2 ours = { 1, 1, 1, "" };

	(void)state;
	assert_int_equal(opts_copy(&ours, sizeof(ours), &sz), 0);
	assert_int_equal(ours.a, 0);
	assert_null(ours.c);
}

static void a_larger_struct_is_taken_while_the_excess_is_zero(void **state)
{
	struct v2 newer = { sizeof(newer), 1, 0, NULL };
	struct v1 ours;

	(void)state;
	assert_int_equal(opts_copy(&ours, sizeof(ours), &newer), 0);
	assert_int_equal(ours.a, 1);
}

/* Including its very last byte. */
static void a_larger_struct_that_asks_for_more_is_refused(void **state)
{
	struct v2 newer = { sizeof(newer), 1, 0, NULL };
	struct v1 ours;

	(void)state;
	((char *)&newer)[sizeof(newer) - 1] = 1;
	assert_int_equal(opts_copy(&ours, sizeof(ours), &newer), -EINVAL);
}

static void no_size_is_refused(void **state)
{
	struct v1 unset = { 0, 1 }, ours;

	(void)state;
	assert_int_equal(opts_copy(&ours, sizeof(ours), &unset), -EINVAL);
	unset.sz = sizeof(size_t) - 1;
	assert_int_equal(opts_copy(&ours, sizeof(ours), &unset), -EINVAL);
}

/* Every public function that takes such a struct. */
static void the_calls_refuse_what_they_do_not_know(void **state)
{
	struct {
		struct xensplit_attach_opts opts;
		uint64_t news;
	} attach = { { .sz = sizeof(attach), .domid = 5, .type = "t" }, 1 };
	struct {
		struct xensplit_filter filter;
		uint64_t news;
	} filter = { { .sz = sizeof(filter), .domid = 5, .devid = XENSPLIT_ANY }, 1 };
	struct {
		struct xensplit_opts opts;
		uint64_t news;
	} opts = { { .sz = sizeof(opts) }, 1 };
	struct xensplit_ctx *ctx, *none;
	struct xensplit_batch *batch;
	struct xensplit_list *list;
	struct xensplit_monitor *monitor;

	(void)state;
	fake_reset();
	ctx = unit_ctx();
	fake_calm();
	assert_int_equal(xensplit_attach(ctx, &attach.opts, 0, NULL), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "the attach options are of a newer");
	assert_int_equal(xensplit_list_new(ctx, &filter.filter, 0, &list), -EINVAL);
	assert_int_equal(xensplit_monitor_new(ctx, &filter.filter, &monitor), -EINVAL);
	assert_int_equal(xensplit_new(&opts.opts, &none), -EINVAL);
	assert_int_equal(xensplit_batch_new(ctx, &batch), 0);
	assert_int_equal(xensplit_batch_attach(batch, &attach.opts), -EINVAL);
	assert_int_equal(fake.requests, 0);

	attach.news = 0;
	assert_int_equal(xensplit_batch_attach(batch, &attach.opts), 0);
	filter.news = 0;
	assert_int_equal(xensplit_list_new(ctx, &filter.filter, 0, &list), 0);
	xensplit_list_free(list);
	opts.news = 0;
	assert_int_equal(xensplit_new(&opts.opts, &none), 0);
	xensplit_free(none);
	xensplit_batch_free(batch);
	unit_ctx_free(ctx);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_smaller_struct_leaves_the_rest_zero),
		cmocka_unit_test(the_size_alone_is_a_struct),
		cmocka_unit_test(a_larger_struct_is_taken_while_the_excess_is_zero),
		cmocka_unit_test(a_larger_struct_that_asks_for_more_is_refused),
		cmocka_unit_test(no_size_is_refused),
		cmocka_unit_test(the_calls_refuse_what_they_do_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
