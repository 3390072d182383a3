// SPDX-License-Identifier: GPL-2.0-or-later
/* XENSPLIT_ATTACH_ENSURE: a device that is as wanted stays, and any other is refused with its reason. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store.h"

#define ERROR_NODE "/local/domain/0/error/backend/mydevice/5/0/error"

static const struct xensplit_pair front_keys[] = { { "mode", "fast" }, { "ring", "2" } };
static const struct xensplit_pair back_keys[] = { { "params", "/dev/acc0" } };

static struct xensplit_attach_opts wanted(uint32_t more_flags)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	opts.flags = XENSPLIT_ATTACH_ENSURE | more_flags;
	opts.front = front_keys;
	opts.front_count = ARRAY_SIZE(front_keys);
	opts.back = back_keys;
	opts.back_count = ARRAY_SIZE(back_keys);
	return opts;
}

/* The result of the attach; *ret_changed is whether it wrote anything. */
static int ensure_for(const struct xensplit_attach_opts *opts, unsigned int timeout_ms,
		      int *ret_changed)
{
	struct xensplit_op *op;
	int r = xensplit_op_attach(ctx, opts, timeout_ms, &op);

	if (r)
		return r;
	assert_int_equal(xensplit_op_get_changed(op), 0);
	r = xensplit_op_run(op);
	*ret_changed = xensplit_op_get_changed(op);
	xensplit_op_free(op);
	return r;
}

static void assert_ensured(const struct xensplit_attach_opts *opts, int changed)
{
	int is;

	assert_result(ensure_for(opts, 0, &is), 0);
	assert_int_equal(is, changed);
}

static void refused(const struct xensplit_attach_opts *opts, int r, const char *code,
		    const char *message)
{
	const char *before = dump();
	int changed;

	assert_result(ensure_for(opts, 500, &changed), r);
	assert_int_equal(changed, 0);
	assert_string_equal(xensplit_last_error(ctx)->code, code);
	assert_contains(xensplit_errmsg(ctx), message);
	assert_untouched(before);
}

/* --- requests --- */

static bool is_request(const char *line)
{
	return !strncmp(line, "xensplit: debug: ", 17);
}

static bool is_write(const char *line)
{
	static const char *const writes[] = { "write ", "remove ", "make ", "set " };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(writes); i++)
		if (!strncmp(line + 17, writes[i], strlen(writes[i])))
			return true;
	return false;
}

static unsigned int requests(bool only_writes)
{
	const char *line = logged;
	unsigned int count = 0;

	for (; *line; line += strcspn(line, "\n") + 1)
		count += is_request(line) && (!only_writes || is_write(line));
	return count;
}

/* Called before each request of this process, with its number. */
static void (*before_request)(unsigned int number);
static unsigned int request_number;
static void (*collect)(struct xentoollog_logger *, xentoollog_level, int, const char *,
		       const char *, va_list);

static void interfere(struct xentoollog_logger *l, xentoollog_level level, int errnoval,
		      const char *context, const char *format, va_list args)
{
	void (*call)(unsigned int) = before_request;

	collect(l, level, errnoval, context, format, args);
	if (level != XTL_DEBUG || !call)
		return;
	/* Not for the requests of the one who interferes. */
	before_request = NULL;
	call(++request_number);
	before_request = call;
}

static int begin(void **state)
{
	world_begin(state);
	collect = logger->vmessage;
	logger->vmessage = interfere;
	request_number = 0;
	return 0;
}

static int end(void **state)
{
	before_request = NULL;
	logger->vmessage = collect;
	return world_end(state);
}

#define ensure_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* --- equal and absent --- */

static void an_absent_device_is_attached_once(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);
	const char *unique_id, *before;
	unsigned int first;

	(void)state;
	assert_ensured(&opts, 1);
	unique_id = record_field(REC, "unique-id");
	before = dump();
	first = requests(false);
	logged[0] = '\0';
	assert_ensured(&opts, 0);
	print_message("# requests: %u to attach, %u if it is there\n", first,
		      requests(false));
	assert_int_equal(requests(true), 0);
	assert_in_range(requests(false), 4, 8);
	assert_untouched(before);
	assert_string_equal(record_field(REC, "unique-id"), unique_id);
	/* What is as wanted is not replaced. */
	opts.flags |= XENSPLIT_ATTACH_REPLACE;
	assert_ensured(&opts, 0);
	assert_untouched(before);
}

static void the_order_of_keys_does_not_matter(void **state)
{
	static const struct xensplit_pair turned[] = { { "ring", "2" },
						       { "mode", "fast" } };
	struct xensplit_attach_opts opts = wanted(0);

	(void)state;
	assert_ensured(&opts, 1);
	opts.front = turned;
	assert_ensured(&opts, 0);
}

/* Some are then nodes below the record. */
static void keys_that_do_not_fit_the_record(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);
	struct xensplit_pair many[3] = { { "a", NULL }, { "b", NULL }, { "c", NULL } };
	char value[2048];
	size_t i;

	(void)state;
	memset(value, 'v', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	for (i = 0; i < ARRAY_SIZE(many); i++)
		many[i].value = value;
	opts.front = many;
	opts.front_count = ARRAY_SIZE(many);
	assert_ensured(&opts, 1);
	assert_string_equal(record_field(REC, "more-keys"), "1");
	assert_ensured(&opts, 0);
	value[2000] = 'w';
	refused(&opts, -EEXIST, "differs", "front.a is 'vvvvvvvv");
}

static void it_waits_until_the_device_is_connected(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);
	const struct xensplit_device *device;
	struct xensplit_op *op;
	const char *before;
	int changed;

	(void)state;
	assert_ensured(&opts, 1);
	assert_result(ensure_for(&opts, 100, &changed), -ETIMEDOUT);
	assert_string_equal(xensplit_last_error(ctx)->code, "not-connected");
	drive_both();
	assert_result(ensure_for(&opts, 20000, &changed), 0);
	assert_int_equal(changed, 0);
	assert_node(FE "/state", "4", "n5,r0");
	/* Errors of a driver stay; they are not from an earlier device. */
	put(ERROR_NODE, "22 odd", NULL);
	before = dump();
	logged[0] = '\0';
	assert_result(xensplit_op_attach(ctx, &opts, 20000, &op), 0);
	assert_result(xensplit_op_run(op), 0);
	assert_int_equal(xensplit_op_get_device(op, &device), 0);
	assert_int_equal(device->backend_state, XENSPLIT_STATE_CONNECTED);
	assert_int_equal(device->front_count, 2);
	assert_string_equal(device->unique_id, record_field(REC, "unique-id"));
	xensplit_op_free(op);
	assert_int_equal(requests(true), 0);
	assert_untouched(before);
}

/* It can't be called connected, and another process may want to look at it. */
static void a_device_whose_drivers_have_given_up(void **state)
{
	struct xensplit_attach_opts opts = wanted(XENSPLIT_ATTACH_ROLLBACK);
	const struct xensplit_error *error;
	const char *before;
	int changed;

	(void)state;
	assert_ensured(&opts, 1);
	put(FE "/state", "6", NULL);
	put(BE "/state", "6", NULL);
	before = dump();
	assert_result(ensure_for(&opts, 300, &changed), -ETIMEDOUT);
	error = xensplit_last_error(ctx);
	assert_string_equal(error->code, "not-connected");
	assert_contains(error->message, "(frontend Closed, backend Closed)");
	assert_int_equal(error->frontend_state, XENSPLIT_STATE_CLOSED);
	assert_int_equal(changed, 0);
	/* Only a device that it has written itself is rolled back. */
	assert_untouched(before);
}

/* --- what differs --- */

static void another_backend(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);

	(void)state;
	assert_ensured(&opts, 1);
	opts.backend_domid = 6;
	refused(&opts, -EEXIST, "differs",
		"already attached, but differs: backend 0, not 6");
	assert_true(xensplit_last_error(ctx)->has_states);
	assert_int_equal(xensplit_last_error(ctx)->backend_state,
			 XENSPLIT_STATE_INITIALISING);
	opts.backend_domid = 0;
	opts.backend_type = "other";
	refused(&opts, -EEXIST, "differs", "differs: backend type mydevice, not other");
	opts.backend_type = "mydevice";
	assert_ensured(&opts, 0);
}

static void other_keys(void **state)
{
	static const struct xensplit_pair other[] = { { "mode", "\x1b[2J" },
						      { "ring", "2" },
						      { "new", "" } };
	struct xensplit_attach_opts opts = wanted(0);

	(void)state;
	assert_ensured(&opts, 1);
	opts.front = other;
	opts.front_count = ARRAY_SIZE(other);
	opts.back_count = 0;
	refused(&opts, -EEXIST, "differs",
		"differs: front.mode is 'fast', not '\\x1b[2J'; front.new is missing; "
		"back.params is extra");
	/* The same key at the other end is another key. */
	opts = wanted(0);
	opts.back = front_keys;
	opts.back_count = 1;
	refused(&opts, -EEXIST, "differs",
		"differs: back.mode is missing; back.params is extra");
}

static void a_message_that_has_to_end_somewhere(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);
	struct xensplit_pair many[60];
	char names[60][16], value[2049];
	size_t i;

	(void)state;
	assert_ensured(&opts, 1);
	memset(value, 1, sizeof(value));
	value[2048] = '\0';
	for (i = 0; i < ARRAY_SIZE(many); i++) {
		snprintf(names[i], sizeof(names[i]), i ? "key%zu" : "mode", i);
		many[i].key = names[i];
		many[i].value = i ? "" : value;
	}
	opts.front = many;
	opts.front_count = ARRAY_SIZE(many);
	refused(&opts, -EEXIST, "differs",
		"front.mode is 'fast', not '\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01"
		"\\x01...'; front.key1 is missing");
	assert_true(strlen(xensplit_errmsg(ctx)) < 700);
	assert_string_equal(xensplit_errmsg(ctx) + strlen(xensplit_errmsg(ctx)) - 5,
			    "; ...");
}

/* What is cut says so, and nothing else does. */
static void values_of_about_the_length_that_is_shown(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);
	struct xensplit_pair mode = { "mode", NULL };
	char value[42], message[128];
	int len;

	(void)state;
	assert_ensured(&opts, 1);
	opts.front = &mode;
	opts.front_count = 1;
	mode.value = value;
	memset(value, 'x', sizeof(value));
	for (len = 39; len <= 41; len++) {
		value[len] = '\0';
		snprintf(message, sizeof(message), "'fast', not '%.40s%s'; front.ring",
			 value, len > 40 ? "..." : "");
		refused(&opts, -EEXIST, "differs", message);
		value[len] = 'x';
	}
}

static void a_device_that_differs_is_replaced(void **state)
{
	struct xensplit_attach_opts opts = wanted(XENSPLIT_ATTACH_REPLACE);
	const char *unique_id;
	int changed;

	(void)state;
	drive_both();
	assert_result(ensure_for(&opts, 20000, &changed), 0);
	unique_id = record_field(REC, "unique-id");
	opts.front_count = 1;
	opts.back_count = 0;
	assert_result(ensure_for(&opts, 20000, &changed), 0);
	assert_int_equal(changed, 1);
	assert_string_not_equal(record_field(REC, "unique-id"), unique_id);
	assert_node(FE "/state", "4", "n5,r0");
	assert_node(FE "/mode", "fast", "n5,r0");
	/* Otherwise it would differ again. */
	assert_gone(FE "/ring");
	assert_null(record_field(REC, "back.params"));
	assert_result(ensure_for(&opts, 20000, &changed), 0);
	assert_int_equal(changed, 0);
}

/* --- neither equal nor absent --- */

static void a_replacement_that_was_interrupted(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);
	char record[4096], *value;

	(void)state;
	assert_ensured(&opts, 1);
	value = xs_read(dom0, XBT_NULL, REC, NULL);
	snprintf(record, sizeof(record), "%sphase=replace\n", value);
	free(value);
	put(REC, record, NULL);
	refused(&opts, -EEXIST, "interrupted", "was interrupted");
	xs_rm(dom0, XBT_NULL, FE);
	xs_rm(dom0, XBT_NULL, BE);
	refused(&opts, -EEXIST, "interrupted", "was interrupted");
	opts.flags |= XENSPLIT_ATTACH_REPLACE;
	assert_ensured(&opts, 1);
	assert_null(record_field(REC, "phase"));
	assert_node(FE "/mode", "fast", "n5,r0");
	assert_ensured(&opts, 0);
}

static void a_device_of_another_tool(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);

	(void)state;
	put(FE "/state", "1", "n5,r0");
	put(BE "/state", "1", "n0,r5");
	put(ERROR_NODE, "22 of that device", NULL);
	refused(&opts, -EEXIST, "foreign", "xensplit did not make it");
	opts.flags |= XENSPLIT_ATTACH_REPLACE;
	assert_ensured(&opts, 1);
	assert_gone(ERROR_NODE);
	assert_ensured(&opts, 0);
}

static void a_device_of_a_domain_that_is_gone(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);

	(void)state;
	assert_ensured(&opts, 1);
	run("\"$SANDBOX\" kill 5");
	refused(&opts, -ESRCH, "no-such-domain", "no such domain: 5");
	run("\"$SANDBOX\" create 5 --name g5");
	refused(&opts, -ESTALE, "stale", "an earlier domain 5");
	opts.flags |= XENSPLIT_ATTACH_REPLACE;
	refused(&opts, -ESTALE, "stale", "an earlier domain 5");
}

static void a_record_that_is_damaged(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);

	(void)state;
	assert_ensured(&opts, 1);
	put(REC, "nonsense", NULL);
	refused(&opts, -EBADMSG, "record-damaged", "is damaged");
	opts.flags |= XENSPLIT_ATTACH_REPLACE;
	refused(&opts, -EBADMSG, "record-damaged", "is damaged");
}

/* --- others at the same time --- */

static unsigned int race_at;
static const struct xensplit_attach_opts *race_opts;
static bool raced;

/* Another client attaches in between, as often as the device is away. */
static void attach_theirs(unsigned int number)
{
	struct xensplit_ctx *theirs;

	if (number != race_at)
		return;
	theirs = new_ctx(NULL);
	raced = true;
	assert_int_equal(xensplit_attach(theirs, race_opts, 0, NULL), 0);
	xensplit_free(theirs);
}

/* Returns the result; at each request of an attach to nothing, the other client does its own. */
static int race(const struct xensplit_attach_opts *theirs, unsigned int at,
		uint32_t flags, int *ret_changed)
{
	struct xensplit_attach_opts opts = wanted(flags);
	int r;

	race_opts = theirs;
	race_at = at;
	raced = false;
	request_number = 0;
	before_request = attach_theirs;
	r = ensure_for(&opts, 0, ret_changed);
	before_request = NULL;
	return r;
}

static void another_client_attaches_the_same(void **state)
{
	struct xensplit_attach_opts same = wanted(0);
	unsigned int at, kept = 0;
	int changed;

	(void)state;
	for (at = 1;; at++) {
		assert_result(race(&same, at, 0, &changed), 0);
		if (!raced)
			break;
		/* The other one did it, before or after our commit. */
		kept += !changed;
		assert_node(FE "/mode", "fast", "n5,r0");
		assert_result(xensplit_detach(ctx, &mydevice, 0, 0), 0);
	}
	print_message("# at %u points, %u times theirs was kept\n", at - 1, kept);
	/* At each request, since the commit is the last one. */
	assert_true(at > 25);
	assert_int_equal(kept, at - 1);
}

static void another_client_attaches_a_different_one(void **state)
{
	struct xensplit_attach_opts theirs = device_opts(5, "mydevice", 0);
	unsigned int at;
	int changed;

	(void)state;
	for (at = 1;; at++) {
		int r = race(&theirs, at, 0, &changed);

		if (!raced)
			break;
		assert_result(r, -EEXIST);
		assert_string_equal(xensplit_last_error(ctx)->code, "differs");
		assert_int_equal(changed, 0);
		assert_gone(FE "/mode");
		assert_result(xensplit_detach(ctx, &mydevice, 0, 0), 0);
	}
	assert_true(at > 25);
}

/* Replacing takes several commits: whatever is there in the end is as wanted, and whole. */
static void another_client_attaches_while_the_device_is_replaced(void **state)
{
	struct xensplit_attach_opts old = device_opts(5, "mydevice", 0);
	struct xensplit_attach_opts same = wanted(XENSPLIT_ATTACH_REPLACE);
	unsigned int at;
	int changed;

	(void)state;
	for (at = 1;; at += 11) {
		assert_result(xensplit_attach(ctx, &old, 0, NULL), 0);
		assert_result(race(&same, at, XENSPLIT_ATTACH_REPLACE, &changed), 0);
		assert_null(record_field(REC, "phase"));
		assert_node(FE "/mode", "fast", "n5,r0");
		assert_node(BE "/params", "/dev/acc0", "n0,r5");
		if (!raced)
			break;
		assert_result(xensplit_detach(ctx, &mydevice, 0, 0), 0);
	}
	assert_true(at > 50);
}

/* --- crashes --- */

static unsigned int kill_at;

static void kill_self(unsigned int number)
{
	if (number == kill_at)
		kill(getpid(), SIGKILL);
}

/* Runs the ensure in a process that is killed before a request. True: it got to the end. */
static bool killed(unsigned int at, uint32_t flags)
{
	struct xensplit_attach_opts opts = wanted(flags);
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct xensplit_ctx *own = new_ctx(NULL);

		kill_at = at;
		request_number = 0;
		before_request = kill_self;
		_exit(xensplit_attach(own, &opts, 0, NULL) ? 1 : 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_true(WIFSIGNALED(status) || !WEXITSTATUS(status));
	return !WIFSIGNALED(status);
}

static void killed_at_each_request(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);
	unsigned int at;

	(void)state;
	for (at = 1; !killed(at, 0); at++) {
		assert_int_equal(exists(REC), exists(FE "/state"));
		assert_int_equal(exists(REC), exists(BE "/state"));
		assert_ensured(&opts, !exists(REC));
		assert_node(FE "/mode", "fast", "n5,r0");
		assert_result(xensplit_detach(ctx, &mydevice, 0, 0), 0);
	}
	assert_true(at > 25);
}

static void killed_while_it_replaces(void **state)
{
	struct xensplit_attach_opts old = device_opts(5, "mydevice", 0), opts;
	unsigned int at, half = 0;

	(void)state;
	for (at = 1;; at += 7) {
		bool ended;

		assert_result(xensplit_attach(ctx, &old, 0, NULL), 0);
		ended = killed(at, XENSPLIT_ATTACH_REPLACE);
		half += !!record_field(REC, "phase");
		opts = wanted(0);
		if (record_field(REC, "phase"))
			refused(&opts, -EEXIST, "interrupted", "was interrupted");
		else if (!ended)
			refused(&opts, -EEXIST, "differs", "is missing");
		opts = wanted(XENSPLIT_ATTACH_REPLACE);
		assert_ensured(&opts, !ended);
		assert_null(record_field(REC, "phase"));
		assert_node(FE "/mode", "fast", "n5,r0");
		assert_result(xensplit_detach(ctx, &mydevice, 0, 0), 0);
		if (ended)
			break;
	}
	assert_in_range(half, 3, at);
}

/* --- batches --- */

static void in_a_batch(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);
	struct xensplit_attach_opts other = device_opts(6, "mydevice", 0);
	struct xensplit_batch *batch;
	const char *before;
	size_t i;

	(void)state;
	assert_ensured(&opts, 1);
	before = dump();
	assert_result(xensplit_batch_new(ctx, &batch), 0);
	assert_int_equal(xensplit_batch_attach(batch, &opts), 0);
	assert_result(xensplit_batch_preview(batch), 0);
	assert_null(xensplit_batch_change(batch, 0));
	assert_result(xensplit_batch_commit(batch), 0);
	assert_null(xensplit_batch_change(batch, 0));
	assert_untouched(before);
	/* What differs makes all of it fail. */
	assert_int_equal(xensplit_batch_attach(batch, &other), 1);
	opts.back_count = 0;
	assert_int_equal(xensplit_batch_attach(batch, &opts), 2);
	assert_result(xensplit_batch_commit(batch), -EEXIST);
	assert_string_equal(xensplit_last_error(ctx)->code, "differs");
	assert_untouched(before);
	xensplit_batch_free(batch);

	assert_result(xensplit_batch_new(ctx, &batch), 0);
	opts.flags |= XENSPLIT_ATTACH_REPLACE;
	assert_int_equal(xensplit_batch_attach(batch, &other), 0);
	assert_int_equal(xensplit_batch_attach(batch, &opts), 1);
	assert_result(xensplit_batch_commit(batch), 0);
	assert_null(record_field(REC, "back.params"));
	for (i = 0; xensplit_batch_change(batch, i); i++)
		;
	assert_true(i > 20);
	/* The same batch again finds both as wanted, or there. */
	assert_result(xensplit_batch_commit(batch), -EEXIST);
	assert_string_equal(xensplit_last_error(ctx)->code, "already-attached");
	xensplit_batch_free(batch);
}

static void an_automatic_id(void **state)
{
	struct xensplit_attach_opts opts = wanted(0);
	struct xensplit_op *op;

	(void)state;
	opts.devid = XENSPLIT_DEVID_AUTO;
	assert_result(xensplit_op_attach(ctx, &opts, 0, &op), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "automatic id");
	assert_int_equal(xensplit_op_get_changed(NULL), -EINVAL);
}

/* Of the other operations, too. */
static void what_a_detach_and_a_repair_have_changed(void **state)
{
	struct xensplit_op *op;

	(void)state;
	connect_mydevice();
	assert_result(xensplit_op_repair(ctx, &mydevice, 20000, &op), 0);
	assert_result(xensplit_op_run(op), 0);
	assert_int_equal(xensplit_op_get_changed(op), 0);
	xensplit_op_free(op);
	put(FE "/state", "4", "n0");
	assert_result(xensplit_op_repair(ctx, &mydevice, 20000, &op), 0);
	assert_result(xensplit_op_run(op), 0);
	assert_int_equal(xensplit_op_get_changed(op), 1);
	xensplit_op_free(op);
	assert_result(xensplit_op_detach(ctx, &mydevice, 0, 20000, &op), 0);
	assert_int_equal(xensplit_op_get_changed(op), 0);
	assert_result(xensplit_op_run(op), 0);
	assert_int_equal(xensplit_op_get_changed(op), 1);
	xensplit_op_free(op);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ensure_test(an_absent_device_is_attached_once),
		ensure_test(the_order_of_keys_does_not_matter),
		ensure_test(keys_that_do_not_fit_the_record),
		ensure_test(it_waits_until_the_device_is_connected),
		ensure_test(a_device_whose_drivers_have_given_up),
		ensure_test(another_backend),
		ensure_test(other_keys),
		ensure_test(a_message_that_has_to_end_somewhere),
		ensure_test(values_of_about_the_length_that_is_shown),
		ensure_test(a_device_that_differs_is_replaced),
		ensure_test(a_replacement_that_was_interrupted),
		ensure_test(a_device_of_another_tool),
		ensure_test(a_device_of_a_domain_that_is_gone),
		ensure_test(a_record_that_is_damaged),
		ensure_test(another_client_attaches_the_same),
		ensure_test(another_client_attaches_a_different_one),
		ensure_test(another_client_attaches_while_the_device_is_replaced),
		ensure_test(killed_at_each_request),
		ensure_test(killed_while_it_replaces),
		ensure_test(in_a_batch),
		ensure_test(an_automatic_id),
		ensure_test(what_a_detach_and_a_repair_have_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
