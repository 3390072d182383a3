// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls without what they need: refused, and XenStore is not asked. */
#include <poll.h>

#include "operations.h"

static struct xensplit_ctx *ctx;

/* Anything but NULL; it must not be touched. */
#define SOME(type) ((struct type *)&untouched)
static struct {
	char bytes[4096];
} untouched, as_it_was;

static int begin(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	memset(&untouched, 0x5a, sizeof(untouched));
	as_it_was = untouched;
	fake.requests = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(fake.requests, 0);
	assert_memory_equal(&untouched, &as_it_was, sizeof(untouched));
	unit_ctx_free(ctx);
	return 0;
}

#define refused(call) assert_int_equal((call), -EINVAL)

static void no_context(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	static void *result = &untouched;
	uint32_t domid = 77;

	(void)state;
	opts.domid = 5;
	opts.type = "mydevice";
	refused(xensplit_domain_find(NULL, "g5", &domid));
	refused(xensplit_domain_wait(NULL, "g5", 0, &domid));
	refused(xensplit_list_new(NULL, NULL, 0, (void *)&result));
	refused(xensplit_nodes_new(NULL, &device, (void *)&result));
	refused(xensplit_attach(NULL, &opts, 0, &domid));
	refused(xensplit_detach(NULL, &device, 0, 0));
	refused(xensplit_wait(NULL, &device, XENSPLIT_UNTIL_GONE, 0));
	refused(xensplit_repair(NULL, &device, 0));
	refused(xensplit_op_attach(NULL, &opts, 0, (void *)&result));
	refused(xensplit_op_detach(NULL, &device, 0, 0, (void *)&result));
	refused(xensplit_op_repair(NULL, &device, 0, (void *)&result));
	refused(xensplit_op_wait(NULL, &device, XENSPLIT_UNTIL_GONE, 0, (void *)&result));
	refused(xensplit_op_domain(NULL, "g5", 0, (void *)&result));
	refused(xensplit_batch_new(NULL, (void *)&result));
	refused(xensplit_reap_new(NULL, NULL, 0, (void *)&result));
	refused(xensplit_diagnose(NULL, NULL, (void *)&result));
	refused(xensplit_monitor_new(NULL, NULL, (void *)&result));
	refused(xensplit_monitor_new_named(NULL, "g5", NULL, (void *)&result));
	refused(xensplit_plan_new(NULL, 5, NULL, 0, 0, (void *)&result));
	refused(xensplit_keeper_new(NULL, NULL, (void *)&result));
	assert_null(xensplit_last_error(NULL));
	/* Results stay as they were. */
	assert_ptr_equal(result, &untouched);
	assert_int_equal(domid, 77);
}

static void no_place_for_the_result(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	(void)state;
	opts.domid = 5;
	opts.type = "mydevice";
	refused(xensplit_new(NULL, NULL));
	refused(xensplit_domain_find(ctx, "g5", NULL));
	refused(xensplit_list_new(ctx, NULL, 0, NULL));
	refused(xensplit_nodes_new(ctx, &device, NULL));
	refused(xensplit_op_attach(ctx, &opts, 0, NULL));
	refused(xensplit_op_detach(ctx, &device, 0, 0, NULL));
	refused(xensplit_op_repair(ctx, &device, 0, NULL));
	refused(xensplit_op_wait(ctx, &device, XENSPLIT_UNTIL_GONE, 0, NULL));
	refused(xensplit_op_domain(ctx, "g5", 0, NULL));
	refused(xensplit_op_get_domid(SOME(xensplit_op), NULL));
	refused(xensplit_op_get_device(SOME(xensplit_op), NULL));
	refused(xensplit_batch_new(ctx, NULL));
	refused(xensplit_batch_devid(SOME(xensplit_batch), 0, NULL));
	refused(xensplit_reap_new(ctx, NULL, 0, NULL));
	refused(xensplit_diagnose(ctx, NULL, NULL));
	refused(xensplit_monitor_new(ctx, NULL, NULL));
	refused(xensplit_monitor_new_named(ctx, "g5", NULL, NULL));
	refused(xensplit_monitor_next(SOME(xensplit_monitor), NULL));
	refused(xensplit_plan_new(ctx, 5, NULL, 0, 0, NULL));
	refused(xensplit_plan_op(SOME(xensplit_plan), 0, 0, NULL));
	refused(xensplit_keeper_new(ctx, NULL, NULL));
	refused(xensplit_keeper_next(SOME(xensplit_keeper), NULL));
}

static void no_device_or_name(void **state)
{
	void *result = &untouched;
	uint32_t domid = 77;

	(void)state;
	refused(xensplit_domain_find(ctx, NULL, &domid));
	refused(xensplit_domain_wait(ctx, NULL, 0, &domid));
	refused(xensplit_nodes_new(ctx, NULL, (void *)&result));
	refused(xensplit_attach(ctx, NULL, 0, &domid));
	refused(xensplit_detach(ctx, NULL, 0, 0));
	refused(xensplit_wait(ctx, NULL, XENSPLIT_UNTIL_GONE, 0));
	refused(xensplit_repair(ctx, NULL, 0));
	refused(xensplit_op_attach(ctx, NULL, 0, (void *)&result));
	refused(xensplit_op_detach(ctx, NULL, 0, 0, (void *)&result));
	refused(xensplit_op_repair(ctx, NULL, 0, (void *)&result));
	refused(xensplit_op_wait(ctx, NULL, XENSPLIT_UNTIL_GONE, 0, (void *)&result));
	refused(xensplit_op_domain(ctx, NULL, 0, (void *)&result));
	refused(xensplit_batch_attach(SOME(xensplit_batch), NULL));
	refused(xensplit_batch_adopt(SOME(xensplit_batch), NULL));
	refused(xensplit_batch_close(SOME(xensplit_batch), NULL));
	refused(xensplit_batch_remove(SOME(xensplit_batch), NULL, 0));
	refused(xensplit_batch_repair(SOME(xensplit_batch), NULL));
	refused(xensplit_monitor_new_named(ctx, NULL, NULL, (void *)&result));
	refused(xensplit_keeper_set(SOME(xensplit_keeper), NULL, NULL, 0));
	refused(xensplit_keeper_set(SOME(xensplit_keeper), "g5", NULL, 1));
	refused(xensplit_keeper_unset(SOME(xensplit_keeper), NULL));
	assert_ptr_equal(result, &untouched);
	assert_int_equal(domid, 77);
}

static void no_operation(void **state)
{
	const struct xensplit_device *found = SOME(xensplit_device);
	uint32_t domid = 77;

	(void)state;
	refused(xensplit_op_get_fd(NULL));
	refused(xensplit_op_get_events(NULL));
	assert_int_equal(xensplit_op_get_timeout(NULL), 0);
	refused(xensplit_op_process(NULL));
	refused(xensplit_op_run(NULL));
	refused(xensplit_op_get_changed(NULL));
	refused(xensplit_op_get_domid(NULL, &domid));
	refused(xensplit_op_get_device(NULL, &found));
	xensplit_op_cancel(NULL);
	assert_null(xensplit_op_free(NULL));
	assert_ptr_equal(found, SOME(xensplit_device));
	assert_int_equal(domid, 77);
}

static void no_batch(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, attach_opts);
	XENSPLIT_OPTS(xensplit_adopt_opts, adopt_opts);
	uint32_t devid = 77;

	(void)state;
	attach_opts.domid = adopt_opts.domid = 5;
	attach_opts.type = adopt_opts.type = "mydevice";
	refused(xensplit_batch_attach(NULL, &attach_opts));
	refused(xensplit_batch_adopt(NULL, &adopt_opts));
	refused(xensplit_batch_close(NULL, &device));
	refused(xensplit_batch_remove(NULL, &device, 0));
	refused(xensplit_batch_repair(NULL, &device));
	refused(xensplit_batch_commit(NULL));
	refused(xensplit_batch_stage(NULL, 1));
	refused(xensplit_batch_preview(NULL));
	refused(xensplit_batch_devid(NULL, 0, &devid));
	assert_null(xensplit_batch_change(NULL, 0));
	assert_null(xensplit_batch_free(NULL));
	assert_int_equal(devid, 77);
}

/* Of lists that a call has not made, there is nothing to get and nothing to free. */
static void no_list(void **state)
{
	(void)state;
	assert_null(xensplit_list_get(NULL, 0));
	assert_null(xensplit_list_free(NULL));
	assert_null(xensplit_nodes_get(NULL, 0));
	assert_null(xensplit_nodes_free(NULL));
	assert_null(xensplit_reap_get(NULL, 0));
	assert_null(xensplit_reap_change(NULL, 0));
	assert_null(xensplit_reap_free(NULL));
	assert_null(xensplit_findings_get(NULL, 0));
	assert_null(xensplit_findings_free(NULL));
	assert_null(xensplit_plan_get(NULL, 0));
	assert_null(xensplit_plan_free(NULL));
	assert_null(xensplit_free(NULL));
}

static void no_monitor_or_keeper(void **state)
{
	const struct xensplit_keeper_event *told = SOME(xensplit_keeper_event);
	const struct xensplit_event *event = SOME(xensplit_event);
	void *result = &untouched;

	(void)state;
	refused(xensplit_monitor_get_fd(NULL));
	refused(xensplit_monitor_get_events(NULL));
	assert_int_equal(xensplit_monitor_get_timeout(NULL), 0);
	refused(xensplit_monitor_process(NULL));
	refused(xensplit_monitor_next(NULL, &event));
	assert_null(xensplit_monitor_free(NULL));
	refused(xensplit_plan_op(NULL, 0, 0, (void *)&result));
	refused(xensplit_keeper_get_fd(NULL));
	refused(xensplit_keeper_get_events(NULL));
	assert_int_equal(xensplit_keeper_get_timeout(NULL), 0);
	refused(xensplit_keeper_process(NULL));
	refused(xensplit_keeper_next(NULL, &told));
	refused(xensplit_keeper_set(NULL, "g5", NULL, 0));
	refused(xensplit_keeper_unset(NULL, "g5"));
	refused(xensplit_keeper_is_settled(NULL));
	assert_null(xensplit_keeper_get(NULL, 0));
	assert_null(xensplit_keeper_free(NULL));
	assert_ptr_equal(event, SOME(xensplit_event));
	assert_ptr_equal(told, SOME(xensplit_keeper_event));
	assert_ptr_equal(result, &untouched);
}

/* Options that this release does not know are not ignored. */
static void options_of_a_newer_release(void **state)
{
	struct {
		struct xensplit_adopt_opts opts;
		uint64_t more;
	} adopt = { .opts = { .sz = sizeof(adopt), .domid = 5, .type = "mydevice" } };
	struct {
		struct xensplit_keeper_opts opts;
		uint64_t more;
	} keep = { .opts = { .sz = sizeof(keep) } };
	struct xensplit_keeper *keeper;
	struct xensplit_batch *batch;

	begin(state);
	assert_int_equal(xensplit_batch_new(ctx, &batch), 0);
	assert_int_equal(xensplit_batch_adopt(batch, &adopt.opts), 0);
	adopt.more = 1;
	assert_int_equal(xensplit_batch_adopt(batch, &adopt.opts), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "newer version");
	xensplit_batch_free(batch);
	keep.more = 1;
	assert_int_equal(xensplit_keeper_new(ctx, &keep.opts, &keeper), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "newer version");
	keep.more = 0;
	assert_int_equal(xensplit_keeper_new(ctx, &keep.opts, &keeper), 0);
	xensplit_keeper_free(keeper);
	unit_ctx_free(ctx);
}

#define argument_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		argument_test(no_context),
		argument_test(no_place_for_the_result),
		argument_test(no_device_or_name),
		argument_test(no_operation),
		argument_test(no_batch),
		argument_test(no_list),
		argument_test(no_monitor_or_keeper),
		cmocka_unit_test(options_of_a_newer_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
