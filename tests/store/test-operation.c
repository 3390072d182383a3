// SPDX-License-Identifier: GPL-2.0-or-later
/* Operations in the caller's loop, and what the header promises in "Returns:". */
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "store.h"

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* As documented in the header. */
static void poll_op(const struct xensplit_op *op)
{
	uint64_t until = xensplit_op_get_timeout(op), now = now_us();
	struct pollfd fd = { xensplit_op_get_fd(op), (short)xensplit_op_get_events(op),
			     0 };

	assert_true(until <= now + 1000000);
	poll(&fd, 1, until > now ? (int)((until - now + 999) / 1000) : 0);
}

static int drive_op(struct xensplit_op *op)
{
	int r;

	while ((r = xensplit_op_process(op)) == 1)
		poll_op(op);
	/* A further call returns the same. */
	assert_int_equal(xensplit_op_process(op), r);
	return r;
}

static struct xensplit_op *begin(uint32_t domid, uint32_t flags, unsigned int timeout_ms)
{
	struct xensplit_attach_opts opts = device_opts(domid, "mydevice", 0);
	struct xensplit_op *op;

	opts.flags = flags;
	assert_result(xensplit_op_attach(ctx, &opts, timeout_ms, &op), 0);
	return op;
}

/* --- one at a time --- */

static void an_attach_and_a_detach(void **state)
{
	const struct xensplit_device *device;
	struct xensplit_op *op;

	(void)state;
	drive_both();
	op = begin(5, 0, 20000);
	assert_false(exists(REC)); /* nothing is written before it is processed */
	assert_int_equal(xensplit_op_get_device(op, &device), -ENODATA);
	assert_int_equal(drive_op(op), 0);
	assert_string_equal(xensplit_errmsg(ctx), "");
	assert_int_equal(xensplit_op_get_device(op, &device), 0);
	assert_int_equal(device->frontend_state, XENSPLIT_STATE_CONNECTED);
	assert_int_equal(device->backend_state, XENSPLIT_STATE_CONNECTED);
	assert_string_equal(device->domain, "g5");
	assert_string_equal(device->unique_id, record_field(REC, "unique-id"));
	xensplit_op_free(op);

	assert_result(xensplit_op_detach(ctx, &mydevice, 0, 20000, &op), 0);
	assert_int_equal(drive_op(op), 0);
	assert_int_equal(xensplit_op_get_device(op, &device), 0);
	assert_int_equal(device->frontend_state, XENSPLIT_STATE_CONNECTED);
	xensplit_op_free(op);
	assert_no_device();
}

/* Without a wait there is nothing to poll. */
static void an_attach_that_does_not_wait(void **state)
{
	struct xensplit_op *op = begin(5, 0, 0);

	(void)state;
	assert_int_equal(xensplit_op_get_fd(op), -1);
	assert_int_equal(xensplit_op_process(op), 0);
	assert_true(exists(REC));
	xensplit_op_free(op);
	assert_int_equal(xensplit_op_process(NULL), -EINVAL);
	assert_int_equal(xensplit_op_get_fd(NULL), -EINVAL);
	xensplit_op_cancel(NULL);
	assert_null(xensplit_op_free(NULL));
}

static void a_repair_and_a_wait(void **state)
{
	struct xensplit_op *op;

	(void)state;
	connect_mydevice();
	put(FE "/state", "4", "n0");
	assert_result(xensplit_op_repair(ctx, &mydevice, 20000, &op), 0);
	assert_int_equal(drive_op(op), 0);
	xensplit_op_free(op);
	assert_node(FE "/state", "4", "n5,r0");
	assert_result(xensplit_op_wait(ctx, &mydevice, XENSPLIT_UNTIL_INIT_WAIT, 20000,
				       &op),
		      0);
	assert_int_equal(drive_op(op), 0);
	xensplit_op_free(op);
}

/* --- several at the same time --- */

static void several_in_one_loop(void **state)
{
	static const uint32_t domids[] = { 5, 6, 7 };
	struct xensplit_op *ops[ARRAY_SIZE(domids)];
	size_t i, left = ARRAY_SIZE(domids);
	int results[ARRAY_SIZE(domids)] = { 1, 1, 1 };

	(void)state;
	drive_both();
	drive("front 6 mydevice");
	for (i = 0; i < left; i++)
		ops[i] = begin(domids[i], 0, 20000);
	assert_int_equal(xensplit_op_get_fd(ops[0]), xensplit_op_get_fd(ops[1]));
	while (left) {
		for (i = 0; i < ARRAY_SIZE(domids); i++) {
			if (results[i] != 1)
				continue;
			results[i] = xensplit_op_process(ops[i]);
			left -= results[i] != 1;
		}
		for (i = 0; i < ARRAY_SIZE(domids) && left; i++)
			if (results[i] == 1) {
				poll_op(ops[i]);
				break;
			}
	}
	assert_int_equal(results[0], 0);
	assert_int_equal(results[1], 0);
	/* One failure does not affect the others. */
	assert_int_equal(results[2], -ESRCH);
	for (i = 0; i < ARRAY_SIZE(domids); i++)
		xensplit_op_free(ops[i]);
}

/* --- cancelled --- */

static void process_until_written(struct xensplit_op *op)
{
	const struct xensplit_device *device;

	while (xensplit_op_get_device(op, &device)) {
		assert_int_equal(xensplit_op_process(op), 1);
		poll_op(op);
	}
}

static void a_cancelled_attach_stays_attached(void **state)
{
	struct xensplit_op *op = begin(5, 0, 60000);

	(void)state;
	process_until_written(op);
	xensplit_op_cancel(op);
	assert_int_equal(xensplit_op_get_timeout(op), 0);
	assert_int_equal(drive_op(op), -ECANCELED);
	assert_contains(xensplit_errmsg(ctx), "cancelled");
	xensplit_op_free(op);
	assert_true(exists(REC));
	assert_node(FE "/state", "1", "n5,r0");
}

static void a_cancelled_attach_rolls_back(void **state)
{
	const struct xensplit_device *device;
	struct xensplit_op *op = begin(5, XENSPLIT_ATTACH_ROLLBACK, 60000);

	(void)state;
	drive("front 5 mydevice --stop-at 3");
	drive("back 0 mydevice --stop-at 2");
	process_until_written(op);
	await(BE "/state", "2");
	xensplit_op_cancel(op);
	assert_int_equal(drive_op(op), -ECANCELED);
	assert_contains(xensplit_errmsg(ctx), "it was removed again");
	assert_int_equal(xensplit_op_get_device(op, &device), -ENODATA);
	xensplit_op_free(op);
	assert_no_device();
}

/* A rollback must not remove what another client has attached meanwhile. */
static void a_rollback_removes_only_its_own_device(void **state)
{
	struct xensplit_op *op = begin(5, XENSPLIT_ATTACH_ROLLBACK, 60000);
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	struct xensplit_ctx *other = new_ctx(NULL);
	const char *theirs;

	(void)state;
	process_until_written(op);
	assert_int_equal(xensplit_detach(other, &mydevice, 0, 0), 0);
	assert_int_equal(xensplit_attach(other, &opts, 0, NULL), 0);
	theirs = record_field(REC, "unique-id");
	xensplit_op_cancel(op);
	assert_int_equal(drive_op(op), -ECANCELED);
	assert_string_equal(record_field(REC, "unique-id"), theirs);
	assert_true(exists(FE "/state"));
	xensplit_op_free(op);
	xensplit_free(other);
}

/* Freeing an operation does not undo what it has committed. */
static void one_that_is_freed_early(void **state)
{
	struct xensplit_op *op;

	(void)state;
	connect_mydevice();
	op = begin(5, XENSPLIT_ATTACH_REPLACE, 20000);
	while (!record_field(REC, "phase")) {
		assert_int_equal(xensplit_op_process(op), 1);
		poll_op(op);
	}
	xensplit_op_free(op);
	assert_string_equal(record_field(REC, "phase"), "replace");
	assert_result(xensplit_repair(ctx, &mydevice, 20000), 0);
	assert_null(record_field(REC, "phase"));
	assert_node(FE "/state", "4", "n5,r0");
}

/*
 * One has removed the old device; another attaches one, with its backend elsewhere; a third begins to
 * replace that. The first must not leave its backend behind.
 */
static void three_that_replace_it(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	struct xensplit_ctx *second = new_ctx(NULL), *third = new_ctx(NULL);
	struct xensplit_op *op, *late;

	(void)state;
	attach_mydevice();
	op = begin(5, XENSPLIT_ATTACH_REPLACE, 0);
	while (exists(FE)) {
		assert_int_equal(xensplit_op_process(op), 1);
		poll_op(op);
	}
	opts.backend_domid = 6;
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_int_equal(xensplit_attach(second, &opts, 0, NULL), 0);
	assert_string_equal(record_field(REC, "backend-id"), "6");
	assert_int_equal(xensplit_op_attach(third, &opts, 0, &late), 0);
	while (!record_field(REC, "phase")) {
		assert_int_equal(xensplit_op_process(late), 1);
		poll_op(late);
	}

	assert_int_equal(drive_op(op), 0);
	assert_string_equal(record_field(REC, "backend-id"), "0");
	assert_node(FE "/backend-id", "0", "n0,r5,r0");
	assert_gone("/local/domain/6/backend");
	assert_int_equal(drive_op(late), 0);
	assert_string_equal(record_field(REC, "backend-id"), "6");
	assert_gone("/local/domain/0/backend");
	xensplit_op_free(op);
	xensplit_op_free(late);
	xensplit_free(second);
	xensplit_free(third);
}

/* --- errors --- */

static void domain_5_dies(struct xensplit_op *op)
{
	process_until_written(op);
	run("\"$SANDBOX\" kill 5");
}

static void the_guest_dies_in_the_wait(void **state)
{
	struct xensplit_op *op = begin(5, 0, 60000);

	(void)state;
	domain_5_dies(op);
	assert_int_equal(drive_op(op), -ENOENT);
	assert_contains(xensplit_errmsg(ctx), "the frontend's domain was gone");
	xensplit_op_free(op);
}

/* xenbus_dev_error() writes a node and continues: so does the wait (Linux, xenbus_client.c). */
static void an_error_node_alone_is_no_failure(void **state)
{
	struct xensplit_op *op = begin(5, 0, 20000);

	(void)state;
	process_until_written(op);
	put("/local/domain/0/error/backend/mydevice/5/0/error", "2 get blkback dev name",
	    NULL);
	assert_int_equal(xensplit_op_process(op), 1);
	drive_both();
	assert_int_equal(drive_op(op), 0);
	xensplit_op_free(op);
	assert_true(exists("/local/domain/0/error/backend/mydevice/5/0/error"));
}

static void written_or_not(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	uint32_t devid = XENSPLIT_DEVID_AUTO;

	(void)state;
	opts.backend_domid = 77;
	assert_result(xensplit_attach(ctx, &opts, 100, &devid), -ESRCH);
	assert_int_equal(devid, XENSPLIT_DEVID_AUTO);
	assert_no_device();
	opts.backend_domid = 0;
	assert_result(xensplit_attach(ctx, &opts, 100, &devid), -ETIMEDOUT);
	assert_int_equal(devid, 0);
	assert_true(exists(REC));
	devid = XENSPLIT_DEVID_AUTO;
	assert_result(xensplit_attach(ctx, &opts, 100, &devid), -EEXIST);
	assert_int_equal(devid, XENSPLIT_DEVID_AUTO);
}

/* Everything is checked before anything is removed. */
static void a_replace_that_is_refused_changes_nothing(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	const char *before;

	(void)state;
	connect_mydevice();
	before = dump();
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	opts.backend_domid = 77;
	assert_result(xensplit_attach(ctx, &opts, 1000, NULL), -ESRCH);
	opts.backend_domid = 0;
	opts.front = &(struct xensplit_pair){ "no/key", "" };
	opts.front_count = 1;
	assert_result(xensplit_attach(ctx, &opts, 1000, NULL), -EINVAL);
	assert_untouched(before);
}

static void the_text_is_empty_after_a_success(void **state)
{
	struct xensplit_list *list;

	(void)state;
	assert_result(xensplit_detach(ctx, &mydevice, 0, 0), -ENOENT);
	assert_contains(xensplit_errmsg(ctx), "not attached");
	assert_result(xensplit_list_new(ctx, NULL, 0, &list), 0);
	assert_string_equal(xensplit_errmsg(ctx), "");
	xensplit_list_free(list);
}

/* Keys that did not fit are nodes below the record: they are removed with it. */
static void a_replace_leaves_nothing_of_the_old_record(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	static char value[2049];
	struct xensplit_pair pairs[] = { { "one", value }, { "two", value } };

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	opts.back = pairs;
	opts.back_count = 2;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	assert_true(exists(REC "/back/two"));
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	opts.back_count = 1;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	assert_true(exists(REC "/back/two")); /* kept */
	assert_node(BE "/two", value, "n0,r5");
	opts.flags |= XENSPLIT_ATTACH_DROP_KEYS;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	assert_false(exists(REC "/back"));
	assert_false(exists(BE "/two"));
}

/* --- what a stage changes --- */

static void a_stage_writes_nothing_outside_its_transaction(void **state)
{
	struct xensplit_opts with_dom0 = { .sz = sizeof(with_dom0), .xs = dom0 };
	struct xensplit_ctx *theirs = new_ctx(&with_dom0);
	struct xensplit_batch *batch;
	xs_transaction_t t;
	const char *before;

	(void)state;
	attach_mydevice(); /* a driver would react to the states in its own time */
	put("/local/domain/5/error/device/mydevice/0/error", "old", "n5");
	put("/local/domain/0/error/backend/mydevice/5/0/error", "old", NULL);
	put(FE "/state", "4", "n5,r0");
	put(BE "/state", "6", NULL);
	before = dump();
	assert_int_equal(xensplit_batch_new(theirs, &batch), 0);
	assert_true(xensplit_batch_close(batch, &mydevice) >= 0);
	assert_true(xensplit_batch_remove(batch, &mydevice, 0) >= 0);
	t = xs_transaction_start(dom0);
	assert_int_equal(xensplit_batch_stage(batch, t), 0);
	assert_untouched(before);
	assert_true(xs_transaction_end(dom0, t, true));
	assert_untouched(before);
	xensplit_batch_free(batch);
	xensplit_free(theirs);
}

/* --- other versions --- */

/* A table from an older caller, with query only. */
static int query(void *data, uint32_t domid, struct xensplit_domain *domain)
{
	int *asked = data;

	assert_int_equal(domain->sz, sizeof(*domain));
	assert_int_equal(domain->flags, 0);
	++*asked;
	return domid == 5 || !domid ? 0 : -ESRCH;
}

static void a_hypervisor_table_of_another_size(void **state)
{
	struct {
		struct xensplit_hypervisor table;
		uint64_t more;
	} table = { { sizeof(struct xensplit_hypervisor), query }, 0 };
	struct xensplit_opts opts = { .sz = sizeof(opts), .hypervisor = &table.table };
	struct xensplit_ctx *other;
	int asked = 0;

	(void)state;
	opts.hypervisor_data = &asked;
	other = new_ctx(&opts);
	/* The table is copied: later changes by the caller have no effect. */
	memset(&table, 0, sizeof(table));
	assert_int_equal(xensplit_domain_check(other, 6), -ESRCH);
	assert_int_equal(xensplit_domain_check(other, 5), 0);
	assert_int_equal(asked, 2);
	xensplit_free(other);

	table.table.sz = offsetof(struct xensplit_hypervisor, query);
	table.table.query = query;
	assert_int_equal(xensplit_new(&opts, &other), -EINVAL);
	table.table.sz = sizeof(table);
	table.more = 1;
	assert_int_equal(xensplit_new(&opts, &other), -EINVAL);
}

static void the_version_is_that_of_the_header(void **state)
{
	char text[32];

	(void)state;
	snprintf(text, sizeof(text), "%d.%d.%d", XENSPLIT_VERSION_MAJOR,
		 XENSPLIT_VERSION_MINOR, XENSPLIT_VERSION_PATCH);
	assert_string_equal(xensplit_version(), text);
	assert_true(XENSPLIT_VERSION_AT_LEAST(0, 1));
	assert_false(XENSPLIT_VERSION_AT_LEAST(XENSPLIT_VERSION_MAJOR,
					       XENSPLIT_VERSION_MINOR + 1));
	assert_false(XENSPLIT_VERSION_AT_LEAST(XENSPLIT_VERSION_MAJOR + 1, 0));
}

/* --- constant signals, as some language run-times send them --- */

static void tick(int number)
{
	(void)number;
}

static void a_timer_of_10_ms_changes_nothing(void **state)
{
	static const struct itimerval on = { { 0, 10000 }, { 0, 10000 } }, off;
	struct sigaction action = { .sa_handler = tick };
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	uint64_t begun;

	(void)state;
	drive_both();
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &on, NULL);
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_result(xensplit_attach(ctx, &opts, 20000, NULL), 0);
	/* The guest still gets a quarter of a second to notice. */
	begun = now_ms();
	assert_result(xensplit_attach(ctx, &opts, 20000, NULL), 0);
	assert_true(now_ms() - begun >= 250);
	assert_result(xensplit_detach(ctx, &mydevice, 0, 20000), 0);
	begun = now_ms();
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	assert_result(xensplit_wait(ctx, &mydevice, XENSPLIT_UNTIL_GONE, 300),
		      -ETIMEDOUT);
	assert_true(now_ms() - begun >= 300);
	setitimer(ITIMER_REAL, &off, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(an_attach_and_a_detach),
		store_test(an_attach_that_does_not_wait),
		store_test(a_repair_and_a_wait),
		store_test(several_in_one_loop),
		store_test(a_cancelled_attach_stays_attached),
		store_test(a_cancelled_attach_rolls_back),
		store_test(a_rollback_removes_only_its_own_device),
		store_test(one_that_is_freed_early),
		store_test(three_that_replace_it),
		store_test(the_guest_dies_in_the_wait),
		store_test(an_error_node_alone_is_no_failure),
		store_test(written_or_not),
		store_test(a_replace_that_is_refused_changes_nothing),
		store_test(a_replace_leaves_nothing_of_the_old_record),
		store_test(the_text_is_empty_after_a_success),
		store_test(a_stage_writes_nothing_outside_its_transaction),
		store_test(a_hypervisor_table_of_another_size),
		store_test(the_version_is_that_of_the_header),
		store_test(a_timer_of_10_ms_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
