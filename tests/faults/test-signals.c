// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sends signals to each verb at random moments: it ends by the signal, or as without it, and leaves
 * a whole device, none, or a record that says what is missing. SIGNALS=N times for each verb and
 * signal; SEED= repeats the moments, as far as the machine does.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "verbs.h"

/* The first part of a verb that waits is more interesting than the wait. */
#define MOMENT_MOST_US 200000

static const int signals[] = { SIGINT, SIGTERM, SIGPIPE, SIGALRM, SIGTSTP };

static unsigned int seed;

static void pause_us(long us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

/* A verb that stays goes on after others. */
static bool ends_it(int signo)
{
	return signo == SIGINT || signo == SIGTERM;
}

/* Returns its exit status, as a shell says it. */
static int interrupted(const struct verb *verb, int signo, long moment_us)
{
	char command[512];
	int status;
	pid_t pid;

	snprintf(command, sizeof(command), "exec \"$XENSPLIT\" %s >/dev/null 2>\"%s\"",
		 verb->arguments, tool_said_path());
	pid = shell(command);
	pause_us(moment_us);
	kill(pid, signo);
	if (signo == SIGTSTP) {
		pause_us(1000);
		kill(pid, SIGCONT);
	}
	if (verb->flags & STAYS)
		return ends_it(signo) ? service_await_end(pid) : service_finish(pid);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	tool_listen();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static bool status_fits(const struct verb *verb, int signo, int status)
{
	if (status == verb->status)
		return true;
	/* A stop costs time. */
	if (signo == SIGTSTP)
		return (verb->flags & WAITS) && status == 6;
	return status == 128 + signo;
}

/* Until when to send one: how long it takes without, or somewhat longer. */
static long measure_us(const struct verb *verb)
{
	uint64_t begun_ms, took_us;

	verb_prepare(verb);
	begun_ms = now_ms();
	interrupted(verb, 0, 0);
	took_us = 1000 * (now_ms() - begun_ms + 1);
	took_us += took_us / 4;
	return took_us < MOMENT_MOST_US ? (long)took_us : MOMENT_MOST_US;
}

static unsigned int try(const struct verb *verb, int signo, long most_us,
			unsigned int *ended)
{
	long moment_us = rand_r(&seed) % most_us;
	const char *what;
	int status;

	verb_prepare(verb);
	status = interrupted(verb, signo, moment_us);
	what = status_fits(verb, signo, status)
		       ? verb_violation(verb, status,
					(verb->flags & STAYS) && ends_it(signo), false)
		       : "the exit status";
	*ended += status > 128;
	if (!what)
		return 0;
	print_error("# %s: signal %d after %ld us, status %d: %s\n%s\n", verb->name,
		    signo, moment_us, status, what, tool_said());
	return 1;
}

static void signals_at_random_moments(void **state)
{
	const char *text = getenv("SIGNALS");
	unsigned int count = text ? (unsigned int)atoi(text) : 4, violations = 0, i;
	size_t verb, signo;

	(void)state;
	text = getenv("SEED");
	seed = text && *text ? (unsigned int)atoi(text) : (unsigned int)time(NULL);
	print_message("# SEED=%u\n", seed);
	for (verb = 0; verb < verb_count; verb++) {
		unsigned int ended = 0;
		long most_us;

		if (!verb_is_selected(&verbs[verb]))
			continue;
		verb_begin(&verbs[verb]);
		most_us = measure_us(&verbs[verb]);
		for (signo = 0; signo < ARRAY_SIZE(signals); signo++)
			for (i = 0; i < count; i++)
				violations += try(&verbs[verb], signals[signo], most_us,
						  &ended);
		verb_end();
		print_message("# %-16s %5zu signals within %ld ms, %u ended it\n",
			      verbs[verb].name, count * ARRAY_SIZE(signals),
			      most_us / 1000, ended);
	}
	assert_int_equal(violations, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(signals_at_random_moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
