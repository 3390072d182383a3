// SPDX-License-Identifier: GPL-2.0-or-later
/* The context's last error, and its logger. */
#include "unit.h"

static struct {
	unsigned int calls;
	xentoollog_level level;
	char text[256];
} message;

/* Changes errno, like a logger that writes to a file. */
static void take_message(struct xentoollog_logger *logger, xentoollog_level level,
			 int errnoval, const char *context, const char *format,
			 va_list args)
{
	(void)logger;
	assert_int_equal(errnoval, -1);
	assert_string_equal(context, "xensplit");
	vsnprintf(message.text, sizeof(message.text), format, args);
	message.level = level;
	message.calls++;
	errno = ERANGE;
}

static void take_progress(struct xentoollog_logger *logger, const char *context,
			  const char *doing, int percent, unsigned long done,
			  unsigned long total)
{
	(void)logger;
	(void)context;
	(void)doing;
	assert_int_equal(percent, (int)(done * 100 / total));
	message.calls++;
	errno = ERANGE;
}

static void end_logger(struct xentoollog_logger *logger)
{
	(void)logger;
	message.calls += 100; /* the library must not free the caller's logger */
}

static struct xensplit_ctx *logging_ctx(void)
{
	static struct xentoollog_logger logger = { take_message, take_progress,
						   end_logger };
	XENSPLIT_OPTS(xensplit_opts, opts);
	struct xensplit_ctx *ctx;

	fake_reset();
	memset(&message, 0, sizeof(message));
	opts.logger = &logger;
	assert_int_equal(xensplit_new(&opts, &ctx), 0);
	return ctx;
}

static void logging_keeps_errno(void **state)
{
	struct xensplit_ctx *ctx = logging_ctx();

	(void)state;
	errno = EPERM;
	log_warn(ctx, "%s %d", "text", 5);
	assert_int_equal(errno, EPERM);
	assert_int_equal(message.level, XTL_WARN);
	assert_string_equal(message.text, "text 5");
	log_debug(ctx, "more");
	assert_int_equal(errno, EPERM);
	assert_int_equal(message.level, XTL_DEBUG);
	log_progress(ctx, "waiting", 1, 4);
	assert_int_equal(errno, EPERM);
	unit_ctx_free(ctx);
	assert_int_equal(message.calls, 3);
}

static void the_last_error_may_include_the_one_before(void **state)
{
	struct xensplit_ctx *ctx = logging_ctx();

	(void)state;
	assert_string_equal(xensplit_errmsg(ctx), "");
	assert_int_equal(fail(ctx, -EPROTO, "it %s", "broke"), -EPROTO);
	assert_int_equal(fail(ctx, -EBUSY, "first: %s; then %d", ctx->failure.text, 2),
			 -EBUSY);
	assert_string_equal(xensplit_errmsg(ctx), "first: it broke; then 2");
	unit_ctx_free(ctx);
}

/* Each call begins without what an earlier one has said of its failure. */
static void an_error_keeps_nothing_of_the_one_before(void **state)
{
	const struct xensplit_finding cause = { .code = "stale", .what = "-" };
	struct xensplit_ctx *ctx = logging_ctx();
	const struct xensplit_error *error;

	(void)state;
	failure_set(ctx, -ETIMEDOUT, NULL, "first");
	failure_set_states(ctx, 4, 5);
	failure_set_cause(ctx, &cause);
	error = xensplit_last_error(ctx);
	assert_true(error->has_states);
	assert_int_equal(error->frontend_state, 4);
	assert_string_equal(error->cause->code, "stale");
	errno = EPERM;
	failure_set(ctx, -EINVAL, NULL, "second %d", 2);
	assert_int_equal(errno, EPERM);
	error = xensplit_last_error(ctx);
	assert_string_equal(error->code, "invalid-argument");
	assert_false(error->has_states);
	assert_int_equal(error->frontend_state, 0);
	assert_null(error->cause);
	assert_int_equal(ctx_end(ctx, 1), 1);
	assert_null(xensplit_last_error(ctx));
	assert_string_equal(xensplit_errmsg(ctx), "");
	assert_int_equal(fail(ctx, -ESRCH, "third"), -ESRCH);
	assert_string_equal(xensplit_last_error(ctx)->code, "no-such-domain");
	assert_int_equal(ctx_end(ctx, -ESRCH), -ESRCH);
	assert_string_equal(xensplit_errmsg(ctx), "third");
	ctx_begin(ctx);
	assert_null(xensplit_last_error(ctx));
	assert_int_equal(fail(ctx, -EIO, "fourth"), -EIO);
	assert_string_equal(xensplit_last_error(ctx)->code, "xenstore-error");
	unit_ctx_free(ctx);
}

/* Its texts are its own, for the time when the first is gone. */
static void a_failure_that_is_kept(void **state)
{
	const struct xensplit_finding cause = { .code = "stale", .what = "what it is" };
	struct xensplit_ctx *ctx = logging_ctx();
	struct failure *kept = malloc(sizeof(*kept));

	(void)state;
	failure_set(ctx, -EPROTO, NULL, "first");
	failure_set_cause(ctx, &cause);
	failure_copy(kept, &ctx->failure);
	failure_set(ctx, -EIO, NULL, "second");
	assert_string_equal(kept->error.message, "first");
	assert_string_equal(kept->error.cause->what, "what it is");
	failure_copy(&ctx->failure, kept);
	free(kept);
	assert_string_equal(xensplit_last_error(ctx)->message, "first");
	assert_string_equal(xensplit_last_error(ctx)->cause->what, "what it is");
	unit_ctx_free(ctx);
}

static void a_long_error_is_cut(void **state)
{
	struct xensplit_ctx *ctx = logging_ctx();

	(void)state;
	assert_int_equal(fail(ctx, -EINVAL, "%*s", 4 * (int)sizeof(ctx->failure.text),
			      "x"),
			 -EINVAL);
	assert_int_equal(strlen(xensplit_errmsg(ctx)), sizeof(ctx->failure.text) - 1);
	unit_ctx_free(ctx);
}

static void a_copy_of_an_error_stays(void **state)
{
	const struct xensplit_finding cause = { .code = "interrupted",
						.id = { 5, "mydevice", 1 },
						.backend_type = "other",
						.what = "what it is",
						.why = "why" };
	const struct xensplit_finding other = { .code = "stale",
						.id = { 6, "accel", 2 },
						.backend_type = "accel",
						.what = "-",
						.why = "-" };
	struct xensplit_ctx *ctx = logging_ctx();
	struct xensplit_error *plain, *full;

	(void)state;
	failure_set(ctx, -EPROTO, NULL, "the %s", "first");
	plain = error_copy(xensplit_last_error(ctx));
	failure_set_states(ctx, 4, 5);
	failure_set_cause(ctx, &cause);
	full = error_copy(xensplit_last_error(ctx));
	failure_set(ctx, -EBUSY, NULL, "another text");
	failure_set_cause(ctx, &other);

	assert_int_equal(plain->err, -EPROTO);
	assert_string_equal(plain->message, "the first");
	assert_null(plain->cause);
	assert_string_equal(full->message, "the first");
	assert_string_equal(full->code, "driver-gave-up");
	assert_int_equal(full->backend_state, 5);
	assert_string_equal(full->cause->code, "interrupted");
	assert_string_equal(full->cause->what, "what it is");
	assert_string_equal(full->cause->why, "why");
	assert_string_equal(full->cause->id.type, "mydevice");
	assert_int_equal(full->cause->id.devid, 1);
	assert_string_equal(full->cause->backend_type, "other");
	free(plain);
	free(full);
	unit_ctx_free(ctx);
}

static void a_connection_that_fails(void **state)
{
	static const struct {
		int err, result;
	} rows[] = { { ENOENT, -ENOTCONN },
		     { ECONNREFUSED, -ENOTCONN },
		     { EACCES, -EACCES },
		     { EPERM, -EPERM },
		     { ENOMEM, -ENOMEM } };
	struct xensplit_ctx *ctx = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_reset();
		fake.fail_at = 1;
		fake.fail_errno = rows[i].err;
		assert_int_equal(xensplit_new(NULL, &ctx), rows[i].result);
		assert_null(ctx);
	}
}

static void a_connection_of_the_caller_stays_open(void **state)
{
	XENSPLIT_OPTS(xensplit_opts, opts);
	struct xensplit_ctx *ctx;

	(void)state;
	fake_reset();
	opts.xs = xs_open(0);
	assert_int_equal(xensplit_new(&opts, &ctx), 0);
	assert_int_equal(xensplit_domain_check(ctx, 5), 0);
	xensplit_free(ctx);
	assert_true(xs_is_domain_introduced(opts.xs, 5));
	xs_close(opts.xs);
}

static void a_hypervisor_without_a_query(void **state)
{
	const struct xensplit_hypervisor none = { sizeof(none), NULL };
	XENSPLIT_OPTS(xensplit_opts, opts);
	struct xensplit_ctx *ctx = NULL;

	(void)state;
	fake_reset();
	opts.hypervisor = &none;
	assert_int_equal(xensplit_new(&opts, &ctx), -EINVAL);
	assert_null(ctx);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(logging_keeps_errno),
		cmocka_unit_test(the_last_error_may_include_the_one_before),
		cmocka_unit_test(an_error_keeps_nothing_of_the_one_before),
		cmocka_unit_test(a_failure_that_is_kept),
		cmocka_unit_test(a_long_error_is_cut),
		cmocka_unit_test(a_copy_of_an_error_stays),
		cmocka_unit_test(a_connection_that_fails),
		cmocka_unit_test(a_connection_of_the_caller_stays_open),
		cmocka_unit_test(a_hypervisor_without_a_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
