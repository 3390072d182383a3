// SPDX-License-Identifier: GPL-2.0-or-later
/* What a caller passes in: logger, connection, watches, errno. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "store.h"

static int attach(void)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	return xensplit_attach(ctx, &opts, 0, NULL);
}

static void on_own_connection(void)
{
	XENSPLIT_OPTS(xensplit_opts, opts);

	xensplit_free(ctx);
	opts.xs = dom0;
	ctx = new_ctx(&opts);
}

/* The caller gets its own watches and none of the library's. */
static void the_callers_watches_stay_separate(void **state)
{
	unsigned int count, seen = 0;
	char **event;

	(void)state;
	on_own_connection();
	assert_true(xs_watch(dom0, "/tool/mine", "my token"));
	connect_mydevice();
	assert_result(xensplit_wait(ctx, &mydevice, XENSPLIT_UNTIL_CONNECTED, 0), 0);
	assert_result(xensplit_detach(ctx, &mydevice, 0, 10000), 0);
	assert_true(xs_write(dom0, XBT_NULL, "/tool/mine/last", "", 0));
	do {
		event = xs_read_watch(dom0, &count);
		assert_non_null(event);
		assert_string_equal(event[XS_WATCH_TOKEN], "my token");
		seen++;
		count = strcmp(event[XS_WATCH_PATH], "/tool/mine/last") != 0;
		free(event);
	} while (count);
	assert_int_equal(seen, 2);
	xs_rm(dom0, XBT_NULL, "/tool/mine");
}

static void the_callers_connection_outlives_the_context(void **state)
{
	(void)state;
	on_own_connection();
	assert_result(attach(), 0);
	ctx = xensplit_free(ctx);
	assert_null(ctx);
	assert_true(exists(FE "/state"));
	ctx = new_ctx(NULL);
}

/* A logger that changes errno, like that of the tests, does no harm. */
static void messages_reach_the_logger(void **state)
{
	(void)state;
	assert_result(attach(), 0);
	struct xensplit_list *list;

	logged[0] = '\0';
	list_one(&list, 0);
	xensplit_list_free(list);
	assert_contains(logged, "xensplit: debug: list /xensplit\n");
}

/* progress() starts with done == 0 for each text, as xentoollog.h requires. */
static struct {
	char doing[256];
	unsigned int calls, texts;
	bool broken;
} progress;

static void take_progress(struct xentoollog_logger *l, const char *context,
			  const char *doing, int percent, unsigned long done,
			  unsigned long total)
{
	(void)l;
	assert_string_equal(context, "xensplit");
	assert_in_range(percent, 0, 100);
	assert_true(done <= total);
	if (strcmp(progress.doing, doing) != 0) {
		progress.texts++;
		if (done)
			progress.broken = true;
	}
	progress.calls++;
	snprintf(progress.doing, sizeof(progress.doing), "%s", doing);
}

static void progress_is_reported(void **state)
{
	struct xentoollog_logger with_progress = *logger, *usual = logger;

	(void)state;
	memset(&progress, 0, sizeof(progress));
	with_progress.progress = take_progress;
	xensplit_free(ctx);
	logger = &with_progress;
	ctx = new_ctx(NULL);
	assert_result(attach(), 0);
	assert_result(xensplit_wait(ctx, &mydevice, XENSPLIT_UNTIL_CONNECTED, 1200),
		      -ETIMEDOUT);
	xensplit_free(ctx);
	logger = usual;
	ctx = new_ctx(NULL);
	assert_true(progress.calls >= 2);
	assert_contains(progress.doing, "mydevice/0: Initialising/Initialising");
	assert_false(progress.broken);
}

static size_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Calls that wait open connections, and close them. */
static void no_descriptor_is_left_open(void **state)
{
	size_t before;
	int i;

	(void)state;
	connect_mydevice();
	before = open_files();
	for (i = 0; i < 5; i++) {
		struct xensplit_monitor *monitor;
		struct xensplit_ctx *another = new_ctx(NULL);

		assert_result(xensplit_wait(ctx, &mydevice, XENSPLIT_UNTIL_GONE, 10),
			      -ETIMEDOUT);
		assert_result(xensplit_monitor_new(ctx, NULL, &monitor), 0);
		xensplit_monitor_free(monitor);
		xensplit_free(another);
	}
	assert_int_equal(open_files(), before);
}

static void descriptors_close_on_exec(void **state)
{
	struct xensplit_monitor *monitor;

	(void)state;
	assert_result(xensplit_monitor_new(ctx, NULL, &monitor), 0);
	assert_true(fcntl(xensplit_monitor_get_fd(monitor), F_GETFD) & FD_CLOEXEC);
	xensplit_monitor_free(monitor);
}

static void no_xenstored(void **state)
{
	char *usual = strdup(getenv("XENSTORED_PATH"));
	struct xensplit_ctx *none = NULL;

	(void)state;
	setenv("XENSTORED_PATH", "/nonexistent/socket", 1);
	assert_int_equal(xensplit_new(NULL, &none), -ENOTCONN);
	assert_null(none);
	setenv("XENSTORED_PATH", usual, 1);
	free(usual);
}

/* A NULL where it is not allowed is refused, not dereferenced. */
static void null_is_refused(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_batch *batch;

	(void)state;
	assert_int_equal(xensplit_new(NULL, NULL), -EINVAL);
	assert_int_equal(xensplit_attach(NULL, &opts, 0, NULL), -EINVAL);
	assert_int_equal(xensplit_attach(ctx, NULL, 0, NULL), -EINVAL);
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), -EINVAL); /* type */
	assert_int_equal(xensplit_detach(ctx, NULL, 0, 0), -EINVAL);
	assert_int_equal(xensplit_wait(NULL, &mydevice, 0, 0), -EINVAL);
	assert_int_equal(xensplit_list_new(ctx, NULL, 0, NULL), -EINVAL);
	assert_int_equal(xensplit_nodes_new(ctx, &mydevice, NULL), -EINVAL);
	assert_int_equal(xensplit_monitor_new(ctx, NULL, NULL), -EINVAL);
	assert_int_equal(xensplit_monitor_process(NULL), -EINVAL);
	assert_int_equal(xensplit_batch_new(NULL, &batch), -EINVAL);
	assert_int_equal(xensplit_batch_commit(NULL), -EINVAL);
	assert_int_equal(xensplit_batch_remove(NULL, &mydevice, 0), -EINVAL);
	assert_int_equal(xensplit_domain_find(ctx, NULL, &opts.domid), -EINVAL);
	assert_null(xensplit_free(NULL));
	assert_null(xensplit_batch_free(NULL));
	assert_null(xensplit_nodes_free(NULL));
	assert_null(xensplit_monitor_free(NULL));
	assert_null(xensplit_batch_change(NULL, 0));
	assert_string_equal(xensplit_errmsg(NULL), "");
	assert_true(strlen(xensplit_version()) >= 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(the_callers_watches_stay_separate),
		store_test(the_callers_connection_outlives_the_context),
		store_test(messages_reach_the_logger),
		store_test(progress_is_reported),
		store_test(no_descriptor_is_left_open),
		store_test(descriptors_close_on_exec),
		store_test(no_xenstored),
		store_test(null_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
