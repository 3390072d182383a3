/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the programs of the benchmark: time, and the cost of a process. */
#ifndef BENCH_H
#define BENCH_H

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* The cost of a process, from fork until it was waited for. */
struct cost {
	uint64_t ns;
	double cpu_ms; /* of itself and its children */
	long rss_kb;   /* at its peak */
	int status;    /* as in a shell */
};

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The process that bench_kill() ends; only set while it runs. */
static volatile sig_atomic_t bench_pid;

static inline void bench_kill(int sig)
{
	(void)sig;
	if (bench_pid > 0)
		kill(bench_pid, SIGKILL);
}

/* Discards the output. Kills the process after @limit seconds; 0: never. */
static inline struct cost run_process(char *const argv[], unsigned int limit)
{
	static posix_spawn_file_actions_t quiet;
	static int prepared;
	struct cost cost = { 0 };
	struct rusage usage;
	int status, ret;
	pid_t pid;

	if (!prepared) {
		struct sigaction alarm_action = { .sa_handler = bench_kill };

		posix_spawn_file_actions_init(&quiet);
		posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
		posix_spawn_file_actions_adddup2(&quiet, 1, 2);
		sigaction(SIGALRM, &alarm_action, NULL);
		prepared = 1;
	}
	cost.ns = now_ns();
	ret = posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ);
	if (ret)
		errx(1, "%s: %s", argv[0], strerror(ret));
	bench_pid = pid;
	alarm(limit);
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			err(1, "wait4");
	cost.ns = now_ns() - cost.ns;
	bench_pid = 0;
	alarm(0);
	cost.rss_kb = usage.ru_maxrss;
	cost.cpu_ms = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
		      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
	cost.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return cost;
}

static inline int compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Sorts @values. */
static inline double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_doubles);
	return count % 2 ? values[count / 2]
			 : (values[count / 2 - 1] + values[count / 2]) / 2;
}

#endif
