// SPDX-License-Identifier: GPL-2.0-or-later
/* What a process may do around the library: fork, have signal handlers, and threads. */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store.h"

/* --- fork --- */

/* Made by the parent, used by the child. */
static struct xensplit_op *op;
static struct xensplit_monitor *monitor;
static struct xensplit_keeper *keeper;
static struct xensplit_batch *batch;

static int use_list(void)
{
	struct xensplit_list *list;

	return xensplit_list_new(ctx, NULL, 0, &list);
}

static int use_attach(void)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 1);

	return xensplit_attach(ctx, &opts, 10000, NULL);
}

static int use_detach(void)
{
	return xensplit_detach(ctx, &mydevice, XENSPLIT_DETACH_FORCE, 10000);
}

static int use_wait(void)
{
	return xensplit_wait(ctx, &mydevice, XENSPLIT_UNTIL_GONE, 10000);
}

static int use_domain(void)
{
	uint32_t domid;

	return xensplit_domain_wait(ctx, "nobody", 10000, &domid);
}

static int use_diagnose(void)
{
	struct xensplit_findings *findings;

	return xensplit_diagnose(ctx, NULL, &findings);
}

static int use_reap(void)
{
	const struct xensplit_reaped *reaped;
	struct xensplit_reap *all;
	int r = xensplit_reap_new(ctx, NULL, 0, &all);

	if (r)
		return r;
	reaped = xensplit_reap_get(all, 0);
	r = reaped ? reaped->result : 0;
	xensplit_reap_free(all);
	return r;
}

static int use_op(void)
{
	return xensplit_op_run(op);
}

static int use_monitor(void)
{
	return xensplit_monitor_process(monitor);
}

static int use_new_monitor(void)
{
	struct xensplit_monitor *another;

	return xensplit_monitor_new(ctx, NULL, &another);
}

static int use_keeper(void)
{
	return xensplit_keeper_process(keeper);
}

static int use_new_keeper(void)
{
	struct xensplit_keeper *another;

	return xensplit_keeper_new(ctx, NULL, &another);
}

static int use_batch(void)
{
	return xensplit_batch_commit(batch);
}

static int (*const uses[])(void) = {
	use_list,     use_attach,     use_detach, use_wait,    use_domain,
	use_diagnose, use_reap,	      use_op,	  use_monitor, use_new_monitor,
	use_keeper,   use_new_keeper, use_batch,
};

/* In a child, whose own context works. Returns: 0, or the number of what is wrong, from 1. */
static int inherit(void)
{
	struct xensplit_ctx *own;
	struct xensplit_list *list;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(uses); i++) {
		const struct xensplit_error *error;

		if (uses[i]() != -ECHILD)
			return 1 + (int)i;
		error = xensplit_last_error(ctx);
		if (!error || strcmp(error->code, "forked") != 0 ||
		    !strstr(error->message, "before it forked this one"))
			return 100 + (int)i;
	}
	xensplit_op_free(op);
	xensplit_batch_free(batch);
	xensplit_monitor_free(monitor);
	xensplit_keeper_free(keeper);
	xensplit_free(ctx);
	own = new_ctx(NULL);
	if (xensplit_list_new(own, NULL, 0, &list) || !xensplit_list_get(list, 0))
		return 99;
	xensplit_list_free(list);
	xensplit_free(own);
	return 0;
}

static void a_child_is_refused(void **state)
{
	XENSPLIT_OPTS(xensplit_keeper_opts, opts);
	int status;
	pid_t pid;

	(void)state;
	attach_mydevice();
	assert_result(xensplit_op_wait(ctx, &mydevice, XENSPLIT_UNTIL_CONNECTED, 10000,
				       &op),
		      0);
	assert_true(xensplit_op_process(op) > 0);
	assert_result(xensplit_monitor_new(ctx, NULL, &monitor), 0);
	assert_result(xensplit_keeper_new(ctx, &opts, &keeper), 0);
	assert_result(xensplit_batch_new(ctx, &batch), 0);
	assert_true(xensplit_batch_remove(batch, &mydevice, 0) >= 0);
	pid = fork();
	if (!pid) {
		alarm(60);
		_exit(inherit());
	}
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* The parent's are as before. */
	assert_result(xensplit_monitor_process(monitor), 0);
	assert_result(xensplit_keeper_process(keeper), 0);
	assert_true(xensplit_op_process(op) > 0);
	xensplit_op_free(op);
	xensplit_keeper_free(keeper);
	xensplit_monitor_free(monitor);
	assert_result(xensplit_batch_commit(batch), 0);
	xensplit_batch_free(batch);
	assert_no_device();
}

/* --- the caller's signals --- */

static const int signals[] = { SIGCHLD, SIGALRM, SIGPIPE, SIGINT, SIGTERM, SIGUSR1 };

static void handler(int signo)
{
	(void)signo;
}

static void use_everything(void)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	const struct xensplit_event *event;
	struct xensplit_list *list;

	assert_result(xensplit_monitor_new(ctx, NULL, &monitor), 0);
	assert_result(xensplit_attach(ctx, &opts, 10000, NULL), 0);
	assert_result(xensplit_monitor_process(monitor), 0);
	while (xensplit_monitor_next(monitor, &event) > 0)
		;
	list_one(&list, 0);
	xensplit_list_free(list);
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_result(xensplit_attach(ctx, &opts, 10000, NULL), 0);
	assert_result(xensplit_repair(ctx, &mydevice, 10000), 0);
	assert_result(xensplit_detach(ctx, &mydevice, 0, 10000), 0);
	xensplit_monitor_free(monitor);
}

static void the_callers_handlers_stay(void **state)
{
	struct sigaction mine = { .sa_handler = handler, .sa_flags = SA_RESTART }, now,
			 usual[ARRAY_SIZE(signals)];
	struct itimerval far = { .it_value.tv_sec = 3600 }, left;
	sigset_t mask, before, after;
	int signo;
	size_t i;

	(void)state;
	drive_both();
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &mine, &usual[i]);
	setitimer(ITIMER_REAL, &far, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &before);

	use_everything();

	pthread_sigmask(SIG_BLOCK, NULL, &after);
	for (signo = 1; signo <= SIGRTMAX; signo++)
		assert_int_equal(sigismember(&before, signo), sigismember(&after, signo));
	getitimer(ITIMER_REAL, &left);
	assert_in_range(left.it_value.tv_sec, 3000, 3600);
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], &usual[i], &now);
		assert_ptr_equal(now.sa_handler, handler);
		assert_int_equal(now.sa_flags & SA_RESTART, SA_RESTART);
	}
	memset(&left, 0, sizeof(left));
	setitimer(ITIMER_REAL, &left, NULL);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
}

/* --- threads --- */

#define THREADS 16
#define ROUNDS	6

/* What went wrong in a thread: cmocka's assertions only work in the first. */
struct worker {
	pthread_t thread;
	uint32_t devid;
	char problem[300];
};

static bool is(struct worker *w, struct xensplit_ctx *own, const char *what, int result)
{
	if (result && !*w->problem)
		snprintf(w->problem, sizeof(w->problem), "%s: %d (%s)", what, result,
			 xensplit_errmsg(own));
	return !result;
}

static void look(struct worker *w, struct xensplit_ctx *own)
{
	struct xensplit_findings *findings;
	const struct xensplit_event *event;
	struct xensplit_monitor *own_monitor;
	struct xensplit_list *list;

	if (is(w, own, "monitor", xensplit_monitor_new(own, NULL, &own_monitor))) {
		is(w, own, "process", xensplit_monitor_process(own_monitor));
		while (xensplit_monitor_next(own_monitor, &event) > 0)
			;
		xensplit_monitor_free(own_monitor);
	}
	if (is(w, own, "list",
	       xensplit_list_new(own, NULL, XENSPLIT_LIST_FOREIGN, &list)))
		xensplit_list_free(list);
	if (is(w, own, "diagnose", xensplit_diagnose(own, NULL, &findings)))
		xensplit_findings_free(findings);
}

static void work_on(struct worker *w, struct xensplit_ctx *own)
{
	struct xensplit_attach_opts opts =
		device_opts(5 + w->devid % 2, "many", w->devid);
	struct xensplit_id id = { opts.domid, opts.type, opts.devid };
	int r;

	is(w, own, "attach", xensplit_attach(own, &opts, 0, NULL));
	look(w, own);
	r = xensplit_wait(own, &id, XENSPLIT_UNTIL_CONNECTED, 1);
	is(w, own, "wait", r == -ETIMEDOUT ? 0 : r ? r : -EINVAL);
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	is(w, own, "replace", xensplit_attach(own, &opts, 0, NULL));
	is(w, own, "detach", xensplit_detach(own, &id, 0, 10000));
}

static void *work(void *data)
{
	struct xensplit_ctx *own;
	struct worker *w = data;
	int round;

	for (round = 0; round < ROUNDS && !*w->problem; round++) {
		XENSPLIT_OPTS(xensplit_opts, opts);

		/* The default logger, since that of these tests is not for threads. */
		if (xensplit_new(&opts, &own)) {
			snprintf(w->problem, sizeof(w->problem), "new");
			break;
		}
		work_on(w, own);
		xensplit_free(own);
	}
	return NULL;
}

static void a_context_for_each_thread(void **state)
{
	struct worker workers[THREADS] = { 0 };
	unsigned int i;

	(void)state;
	/* Up to Xen 4.19 libxenstore sets this while it writes, without a lock: see xensplit.h. */
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < THREADS; i++) {
		workers[i].devid = i;
		assert_int_equal(
			pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (i = 0; i < THREADS; i++)
		assert_string_equal(workers[i].problem, "");
	assert_false(exists("/xensplit/5/many/0"));
	assert_false(exists("/local/domain/5/device/many"));
	assert_false(exists("/local/domain/0/backend/many"));
	signal(SIGPIPE, SIG_DFL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(a_child_is_refused),
		store_test(the_callers_handlers_stay),
		store_test(a_context_for_each_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
