// SPDX-License-Identifier: GPL-2.0-or-later
/* Operations: what they wait for, until when, what they watch, and what they leave behind. */
#include <poll.h>
#include <unistd.h>

#include "operations.h"

/* Longer than any machine takes. */
#define LONG_MS 600000
/* When a wait looks again, and asks whether xenstored is there. */
#define LOOK_US 1000000

static struct xensplit_ctx *ctx;

static int begin(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(fake_watches(), 0);
	unit_ctx_free(ctx);
	return 0;
}

static struct xensplit_op *wait_until(int until)
{
	struct xensplit_op *op;

	assert_int_equal(xensplit_op_wait(ctx, &device, until, LONG_MS, &op), 0);
	return op;
}

static struct xensplit_op *wait_for(const char *domain, unsigned int timeout_ms)
{
	struct xensplit_op *op;

	assert_int_equal(xensplit_op_domain(ctx, domain, timeout_ms, &op), 0);
	return op;
}

static bool is_readable(const struct xensplit_op *op)
{
	struct pollfd fd = { .fd = xensplit_op_get_fd(op), .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

/* Until it has looked at all that has happened, and waits for what comes. */
static void settle(struct xensplit_op *op)
{
	int i;

	for (i = 0; i < 10; i++) {
		assert_int_equal(xensplit_op_process(op), 1);
		assert_true(xensplit_op_get_timeout(op) <= now_us() + LOOK_US);
		if (!is_readable(op) && xensplit_op_get_timeout(op) > now_us())
			return;
	}
	wrong("it never waits\n");
}

static void pass(uint64_t us)
{
	sleep_until(now_us() + us);
}

static void rm(const char *path)
{
	assert_true(xs_rm(ctx->xs, XBT_NULL, path));
}

static void ends(struct xensplit_op *op, int result)
{
	assert_int_equal(xensplit_op_process(op), result);
	xensplit_op_free(op);
}

/* --- watches --- */

static struct xensplit_op *wait_for_nobody(void)
{
	return wait_for("nobody", LONG_MS);
}

static struct xensplit_op *wait_until_gone(void)
{
	return wait_until(XENSPLIT_UNTIL_GONE);
}

/* Also of one that has ended, and that its owner still asks about. */
static void it_watches_only_while_it_waits(void **state)
{
	static struct xensplit_op *(*const begins[])(void) = { wait_for_nobody,
							       wait_until_gone };
	struct xensplit_op *op;
	unsigned int i;

	(void)state;
	connected(ctx);
	for (i = 0; i < ARRAY_SIZE(begins); i++) {
		op = begins[i]();
		settle(op);
		assert_int_equal(fake_watches(), i + 1);
		xensplit_op_free(op);
		assert_int_equal(fake_watches(), 0);
		op = begins[i]();
		settle(op);
		xensplit_op_cancel(op);
		assert_int_equal(xensplit_op_process(op), -ECANCELED);
		assert_int_equal(fake_watches(), 0);
		xensplit_op_free(op);
	}
}

/* The list of watches has room for 16, then for twice as many. */
static void many_at_a_time(void **state)
{
	struct xensplit_op *ops[17];
	size_t i;

	(void)state;
	for (i = 0; i < 16; i++) {
		ops[i] = wait_for("late", LONG_MS);
		settle(ops[i]);
	}
	xensplit_op_free(ops[0]);
	xensplit_op_free(ops[7]);
	xensplit_op_free(ops[15]);
	ops[0] = ops[7] = ops[15] = NULL;
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		if (!ops[i] || i == 16) {
			ops[i] = wait_for("late", LONG_MS);
			settle(ops[i]);
		}
	assert_int_equal(fake_watches(), ARRAY_SIZE(ops));
	set("/local/domain/7/name", "late");
	fake_announce("@introduceDomain");
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		ends(ops[i], 0);
}

static void a_watch_that_is_refused(void **state)
{
	static const char *const paths[] = { "watch " FE, "watch " BE,
					     "watch @introduceDomain" };
	struct xensplit_op *op, *other;
	size_t i;

	(void)state;
	connected(ctx);
	op = wait_until_gone();
	settle(op);
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		fake.fail_call = paths[i];
		fake.fail_errno = ENOSPC;
		other = i < 2 ? wait_until_gone() : wait_for_nobody();
		assert_int_equal(xensplit_op_run(other), -ENOSPC);
		assert_int_equal(fake_watches(), 2);
		xensplit_op_free(other);
		fake_calm();
	}
	rm(FE);
	rm(BE);
	ends(op, 0);
}

/* What happens to one device is no reason to look at another. */
static void it_looks_only_at_its_own(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_op *op, *other;
	const struct xensplit_id second = { 5, "mydevice", 1 };
	int i;

	(void)state;
	connected(ctx);
	opts.domid = 5;
	opts.type = "mydevice";
	opts.devid = 1;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	op = wait_until_gone();
	assert_int_equal(
		xensplit_op_wait(ctx, &second, XENSPLIT_UNTIL_GONE, LONG_MS, &other), 0);
	settle(op);
	settle(other);
	set(FE "/state", "5");
	fake.requests = 0;
	assert_int_equal(xensplit_op_process(other), 1);
	/* At most whether xenstored is there. */
	assert_in_range(fake.requests, 0, 1);
	settle(op);
	fake.requests = 0;
	for (i = 0; i < 10; i++)
		assert_int_equal(xensplit_op_process(op), 1);
	assert_in_range(fake.requests, 0, 5);
	xensplit_op_free(op);
	xensplit_op_free(other);
}

/* --- xenstored --- */

static void a_dead_xenstored_is_asked_nothing_more(void **state)
{
	struct xensplit_op *op, *other;

	(void)state;
	connected(ctx);
	op = wait_until_gone();
	other = wait_for_nobody();
	settle(op);
	settle(other);
	/* That this client may not read there is an answer. */
	fake.fail_call = "read /xensplit";
	fake.fail_errno = EACCES;
	pass(LOOK_US);
	assert_int_equal(xensplit_op_process(op), 1);
	assert_true(fake.failed);
	fake_calm();
	fake.fail_at = 1;
	fake.fail_errno = EPIPE;
	fake.fail_from_there_on = true;
	pass(LOOK_US);
	assert_int_equal(xensplit_op_process(op), -ENOTCONN);
	assert_int_equal(fake.requests, 1);
	assert_int_equal(xensplit_op_process(other), -ENOTCONN);
	assert_contains(xensplit_errmsg(ctx), "xenstored does not answer");
	xensplit_op_free(op);
	xensplit_op_free(other);
	assert_int_equal(fake.requests, 1);
	xensplit_free(ctx);
	fake_calm();
	ctx = unit_ctx();
}

/* The events are the parent's. */
static void a_child_reads_no_events(void **state)
{
	struct xensplit_op *op;

	(void)state;
	connected(ctx);
	op = wait_until_gone();
	settle(op);
	set(FE "/state", "5");
	ctx->owner = getpid() + 1;
	assert_int_equal(xensplit_op_process(op), -ECHILD);
	assert_true(is_readable(op));
	xensplit_op_free(op);
	assert_int_equal(fake_watches(), 2);
	ctx->owner = getpid();
	xensplit_free(ctx);
	ctx = unit_ctx();
}

/* --- a device --- */

/* Another client attaches it again, with its backend in another domain. */
static void a_device_that_moves_is_followed(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_ctx *another = unit_ctx();
	struct xensplit_op *op;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	op = wait_until(XENSPLIT_UNTIL_CONNECTED);
	settle(op);
	assert_int_equal(detach(another), 0);
	opts.domid = 5;
	opts.type = "mydevice";
	opts.backend_domid = 6;
	assert_int_equal(xensplit_attach(another, &opts, 0, NULL), 0);
	xensplit_free(another);
	settle(op);
	assert_int_equal(fake_watches(), 2);
	set("/local/domain/6/backend/mydevice/5/0/state", "4");
	settle(op);
	set(FE "/state", "4");
	ends(op, 0);
}

/* Only an end that was open before it closed has given up. */
static void an_end_that_closes(void **state)
{
	const struct xensplit_error *error;
	struct xensplit_op *op;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	op = wait_until(XENSPLIT_UNTIL_CONNECTED);
	settle(op);
	set(FE "/state", "5");
	assert_int_equal(xensplit_op_process(op), -EPROTO);
	/* It says so each time. */
	assert_int_equal(xensplit_domain_check(ctx, 9), -ESRCH);
	ends(op, -EPROTO);
	error = xensplit_last_error(ctx);
	assert_contains(error->message, "the frontend driver gave up");
	assert_true(error->has_states);
	assert_int_equal(error->frontend_state, XENSPLIT_STATE_CLOSING);
	assert_int_equal(error->backend_state, XENSPLIT_STATE_INITIALISING);

	op = wait_until(XENSPLIT_UNTIL_CONNECTED);
	settle(op);
	set(FE "/state", "4");
	set(BE "/state", "4");
	ends(op, 0);
}

static void each_end_counts_or_not(void **state)
{
	struct xensplit_op *op;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	op = wait_until(XENSPLIT_UNTIL_INIT_WAIT);
	settle(op);
	set(FE "/state", "6");
	settle(op);
	set(BE "/state", "2");
	ends(op, 0);

	op = wait_until(XENSPLIT_UNTIL_CLOSED);
	settle(op);
	rm(BE);
	ends(op, 0);

	op = wait_until(XENSPLIT_UNTIL_GONE);
	settle(op);
	rm(FE);
	ends(op, 0);
}

/* Its domain may die without a sign: so it looks again, until the end is back. */
static void an_end_that_is_absent(void **state)
{
	struct xensplit_op *op;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	op = wait_until(XENSPLIT_UNTIL_CONNECTED);
	settle(op);
	rm(FE "/state");
	settle(op);
	set(FE "/state", "1");
	settle(op);
	pass(2 * LOOK_US);
	settle(op);
	rm(FE "/state");
	settle(op);
	fake.dead_domid = 5;
	pass(LOOK_US);
	ends(op, -ENOENT);
	assert_contains(xensplit_errmsg(ctx), "the frontend's domain was gone");
}

static void an_end_that_goes(void **state)
{
	struct xensplit_op *op;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	op = wait_until(XENSPLIT_UNTIL_CONNECTED);
	settle(op);
	rm(BE);
	fake.fail_call = "is-introduced";
	fake.fail_errno = EACCES;
	ends(op, -EACCES);
	fake_calm();

	op = wait_until(XENSPLIT_UNTIL_CONNECTED);
	settle(op);
	rm(FE);
	rm(REC);
	ends(op, -ENOENT);
	assert_string_equal(xensplit_last_error(ctx)->code, "removed");
}

static bool looked_for_a_cause;

static void note_cause(const char *call, const char *path)
{
	(void)call;
	looked_for_a_cause |= there(REC) && strstr(path, "/error/");
}

/* It goes on whatever the cause is. */
static void a_forced_detach_looks_for_no_cause(void **state)
{
	(void)state;
	connected(ctx);
	fake.before = note_cause;
	looked_for_a_cause = false;
	assert_int_equal(xensplit_detach(ctx, &device, 0, 100), -ETIMEDOUT);
	assert_true(looked_for_a_cause);
	assert_true(xensplit_last_error(ctx)->has_states);
	looked_for_a_cause = false;
	assert_int_equal(xensplit_detach(ctx, &device, XENSPLIT_DETACH_FORCE, 100), 0);
	assert_false(looked_for_a_cause);
}

/* --- a domain --- */

static void the_deadline_is_not_overslept(void **state)
{
	struct xensplit_op *op = wait_for("nobody", 1500);
	uint64_t last = now_us() + 1500000;
	int r;

	(void)state;
	while ((r = xensplit_op_process(op)) == 1) {
		assert_true(xensplit_op_get_timeout(op) <= last);
		sleep_until(xensplit_op_get_timeout(op));
	}
	assert_int_equal(r, -ETIMEDOUT);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 'nobody', after ");
	xensplit_op_free(op);
	/* Without time there is nothing to watch. */
	fake.fail_call = "watch";
	fake.fail_errno = EACCES;
	ends(wait_for("nobody", 0), -ETIMEDOUT);
	assert_false(fake.failed);
}

/* Nothing announces a name. */
static void it_looks_each_second(void **state)
{
	struct xensplit_op *op = wait_for_nobody();
	int i;

	(void)state;
	settle(op);
	for (i = 0; i < 3; i++) {
		pass(LOOK_US);
		settle(op);
	}
	set("/local/domain/6/name", "nobody");
	pass(LOOK_US);
	ends(op, 0);

	op = wait_for("another", LONG_MS);
	settle(op);
	fake.fail_call = "list /local/domain";
	fake.fail_errno = EACCES;
	fake_announce("@introduceDomain");
	ends(op, -EACCES);
	fake_calm();
}

/* --- commits --- */

static unsigned int commits;
static bool removed_alone;

static void all_collide_but_the_last(const char *call, const char *path)
{
	if (!strcmp(call, "commit"))
		fake.conflicts = ++commits % STORE_TRIES != 0;
	if (!strcmp(call, "rm") && !fake.open_transactions && !strcmp(path, BE))
		removed_alone = true;
}

/* One that has needed many does not leave the next one fewer. */
static void each_commit_has_all_its_tries(void **state)
{
	(void)state;
	connected(ctx);
	commits = 0;
	removed_alone = false;
	fake.backend_closes = true;
	fake.before = all_collide_but_the_last;
	assert_int_equal(detach(ctx), 0);
	assert_int_equal(commits, 2 * STORE_TRIES);
	assert_false(removed_alone);
	fake_calm();
}

static void what_has_changed(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_op *op;
	char record[2048];

	(void)state;
	opts.domid = 5;
	opts.type = "mydevice";
	assert_int_equal(xensplit_op_attach(ctx, &opts, 0, &op), 0);
	fake.fail_call = "write " BE "/";
	fake.fail_errno = EACCES;
	assert_int_equal(xensplit_op_run(op), -EACCES);
	assert_int_equal(xensplit_op_get_changed(op), 0);
	xensplit_op_free(op);
	fake_calm();

	/* An attach that another operation runs as a part. */
	connected(ctx);
	snprintf(record, sizeof(record), "%sphase=replace\n", fake_value(REC, NULL));
	set(REC, record);
	fake.backend_closes = true;
	assert_int_equal(xensplit_op_repair(ctx, &device, 0, &op), 0);
	assert_int_equal(xensplit_op_run(op), -ETIMEDOUT);
	assert_null(strstr(fake_value(REC, NULL), "phase="));
	assert_int_equal(xensplit_op_get_changed(op), 1);
	xensplit_op_free(op);

	/* Its ends are removed by single requests, its record is not. */
	set(BE "/state", "4");
	fake.conflicts = UINT_MAX;
	assert_int_equal(xensplit_op_detach(ctx, &device, XENSPLIT_DETACH_FORCE, 0, &op),
			 0);
	assert_int_equal(xensplit_op_run(op), -EBUSY);
	assert_int_equal(xensplit_op_get_changed(op), 1);
	xensplit_op_free(op);
	assert_false(there(BE));
	assert_true(there(REC));
	fake_calm();
}

/* A cancel begins a rollback, which waits for the backend to close. */
static void a_rollback_takes_its_time(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_op *op;

	(void)state;
	opts.domid = 5;
	opts.type = "mydevice";
	opts.flags = XENSPLIT_ATTACH_ROLLBACK;
	assert_int_equal(xensplit_op_attach(ctx, &opts, LONG_MS, &op), 0);
	settle(op);
	set(BE "/state", "2");
	settle(op);
	xensplit_op_cancel(op);
	settle(op);
	assert_string_equal(fake_value(BE "/state", NULL), "5");
	set(BE "/state", "6");
	ends(op, -ECANCELED);
	assert_contains(xensplit_errmsg(ctx), "it was removed again");
	assert_false(there(BE));
	assert_false(there(REC));
}

/* --- progress --- */

static char shown[256];

static void take_message(struct xentoollog_logger *logger, xentoollog_level level,
			 int errnoval, const char *context, const char *format,
			 va_list args)
{
	(void)logger;
	(void)level;
	(void)errnoval;
	(void)context;
	(void)format;
	(void)args;
}

static void take_progress(struct xentoollog_logger *logger, const char *context,
			  const char *doing, int percent, unsigned long done,
			  unsigned long total)
{
	(void)logger;
	(void)context;
	(void)percent;
	assert_true(done <= total);
	/* Each text begins with 0. */
	if (strcmp(shown, doing) != 0)
		assert_int_equal(done, 0);
	snprintf(shown, sizeof(shown), "%s", doing);
}

static void end_logger(struct xentoollog_logger *logger)
{
	(void)logger;
}

/* A terminal would obey them. */
static void names_with_control_characters(void **state)
{
	static struct xentoollog_logger logger = { take_message, take_progress,
						   end_logger };
	XENSPLIT_OPTS(xensplit_opts, opts);
	uint32_t domid;

	(void)state;
	xensplit_free(ctx);
	opts.logger = &logger;
	assert_int_equal(xensplit_new(&opts, &ctx), 0);
	connected(ctx);
	set("/local/domain/5/name", "g\x1b[2J5");
	assert_int_equal(xensplit_wait(ctx, &device, XENSPLIT_UNTIL_GONE, 2000),
			 -ETIMEDOUT);
	assert_string_equal(shown, "g\\x1b[2J5 mydevice/0: Connected/Connected");
	assert_int_equal(xensplit_domain_wait(ctx, "g\x1b[2J6", 2000, &domid),
			 -ETIMEDOUT);
	assert_string_equal(shown, "waiting for domain g\\x1b[2J6");
}

#define operation_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		operation_test(it_watches_only_while_it_waits),
		operation_test(many_at_a_time),
		operation_test(a_watch_that_is_refused),
		operation_test(it_looks_only_at_its_own),
		operation_test(a_dead_xenstored_is_asked_nothing_more),
		operation_test(a_child_reads_no_events),
		operation_test(a_device_that_moves_is_followed),
		operation_test(an_end_that_closes),
		operation_test(each_end_counts_or_not),
		operation_test(an_end_that_is_absent),
		operation_test(an_end_that_goes),
		operation_test(a_forced_detach_looks_for_no_cause),
		operation_test(the_deadline_is_not_overslept),
		operation_test(it_looks_each_second),
		operation_test(each_commit_has_all_its_tries),
		operation_test(what_has_changed),
		operation_test(a_rollback_takes_its_time),
		operation_test(names_with_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
