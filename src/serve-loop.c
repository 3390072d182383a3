// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "serve-log.h"
#include "serve-loop.h"
#include "serve-notify.h"
#include "serve-report.h"
#include "serve-store.h"
#include "serve.h"
#include "tool.h"
#include "watchdog.h"

static const struct serve *served; /* for the signal handler */
static int signals_fd = -1;
static volatile sig_atomic_t is_silent;

/* --- signals --- */

static void catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	signal(SIGPIPE, SIG_IGN); /* of a log that nobody reads */
}

/* Returns: whether to stop. */
static int read_signals(int *reload)
{
	struct signalfd_siginfo info;
	int stop = 0;

	while (read(signals_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			*reload = 1;
		else
			stop = 1;
	}
	return stop;
}

static void end_at_once(void)
{
	report_remove(served);
	_exit(EXIT_SUCCESS);
}

/*
 * Called from a signal handler while a request is overdue. There is no sign of life then, so that
 * the service manager's watchdog decides; but a signal still ends the process.
 */
static void tell_silence(uint64_t silence_ms)
{
	const char *line = serve_log_is_journal()
				   ? "<3>xenstored does not answer\n"
				   : "xensplit: serve: xenstored does not answer\n";
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t written = 0;
	sigset_t set;

	(void)silence_ms;
	if (!sigpending(&set) &&
	    (sigismember(&set, SIGTERM) || sigismember(&set, SIGINT)))
		end_at_once();
	if (is_silent)
		return;
	is_silent = 1;
	if (poll(&fd, 1, 0) > 0)
		written = write(STDERR_FILENO, line, strlen(line));
	(void)written;
	notify_raw("STATUS=xenstored does not answer");
}

static void note_answer(struct serve *serve)
{
	if (!is_silent)
		return;
	is_silent = 0;
	serve->changed = 1;
	serve_log(LOG_NOTICE, "xenstored answers again");
	notify_status("xenstored answers again");
}

/* --- a turn --- */

static void scan(struct serve *serve, int all)
{
	files_scan(serve->files, all);
	serve->reload_ok = files_are_good(serve->files);
	serve->reloaded = time(NULL);
	serve->changed = 1;
}

static void reload(struct serve *serve)
{
	notify_reloading();
	serve_log(LOG_INFO, "reading all files again");
	scan(serve, 1);
	report_now(serve);
	notify_ready();
}

static int timeout_until(uint64_t due_ms)
{
	uint64_t now = now_ms();
	int most = notify_period_ms();

	if (due_ms <= now)
		return 0;
	if (most >= 0 && due_ms > now + (uint64_t)most)
		return most;
	return (int)(due_ms - now);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t due_ms(const struct serve *serve)
{
	return sooner(sooner(store_due_ms(serve), files_due_ms(serve->files)),
		      report_due_ms(serve));
}

/* Waits for something to do. Returns: whether to stop. */
static int wait_for_work(struct serve *serve, uint64_t until_ms)
{
	struct xensplit_keeper *keeper = serve->keeper;
	struct pollfd fds[] = {
		{ .fd = signals_fd, .events = POLLIN },
		{ .fd = files_get_fd(serve->files), .events = POLLIN },
		{ .fd = keeper ? xensplit_keeper_get_fd(keeper) : -1,
		  .events = keeper ? (short)xensplit_keeper_get_events(keeper) : 0 },
	};
	int again = 0, stop;

	watchdog_idle();
	if (poll(fds, 3, timeout_until(until_ms)) < 0)
		return 0; /* a signal of the watchdog */
	stop = fds[0].revents && read_signals(&again);
	if (fds[1].revents)
		files_changed(serve->files);
	if (again && !stop)
		reload(serve);
	return stop;
}

/* Returns: an exit status. */
static int turn(struct serve *serve)
{
	int status = store_step(serve);

	note_answer(serve);
	if (files_due_ms(serve->files) <= now_ms())
		scan(serve, 0);
	return status;
}

int loop_run(struct serve *serve)
{
	int status = EXIT_SUCCESS, stop = 0;

	served = serve;
	catch_signals();
	watchdog_stay(tell_silence);
	notify_open();
	scan(serve, 1);
	report_now(serve);
	/* Not only once xenstored is there: a start has a time limit, that wait has none. */
	notify_ready();
	while (!stop && !status) {
		status = turn(serve);
		report_step(serve);
		notify_alive();
		if (!status)
			stop = wait_for_work(serve, due_ms(serve));
	}
	notify_stopping();
	if (stop)
		serve_log(LOG_INFO, "ends, as a signal asks for; the devices stay");
	report_remove(serve);
	return status;
}

/* --- once --- */

static int result(const struct serve *serve)
{
	struct totals totals;

	totals_get(serve, &totals);
	return serve->reload_ok && totals.fine == totals.wanted ? EXIT_SUCCESS
								: EXIT_FAILURE;
}

static int fail_late(const struct serve *serve, unsigned int limit_ms)
{
	struct xensplit_error error = { .err = -ETIMEDOUT, .code = "not-connected" };
	double limit_s = limit_ms / 1000.0;
	struct totals totals;
	char message[80];

	totals_get(serve, &totals);
	snprintf(message, sizeof(message), "%zu of %zu devices connected after %.1f s",
		 totals.states[KEPT_CONNECTED], totals.wanted, limit_s);
	if (totals.fine == totals.wanted) {
		error.code = "timed-out";
		snprintf(message, sizeof(message), "not all is done after %.1f s",
			 limit_s);
	}
	error.message = message;
	tool_report_error(serve->tool, &error, NULL);
	return EXIT_DEADLINE;
}

/* Signals end it as they end other verbs. */
int loop_once(struct serve *serve, unsigned int limit_ms)
{
	uint64_t end = now_ms() + limit_ms;
	int status;

	watchdog_deadline(limit_ms);
	scan(serve, 1);
	do {
		status = turn(serve);
		if (!status && serve->keeper && xensplit_keeper_is_settled(serve->keeper))
			return result(serve);
		if (!status)
			wait_for_work(serve, sooner(due_ms(serve), end));
		if (!status && now_ms() >= end)
			return fail_late(serve, limit_ms);
	} while (!status);
	return status;
}
