// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * measure FILE SECONDS COMMAND...: runs the command, kills it after that time, and writes a line to
 * FILE: its exit status (124: killed), how long it took in ms, and the most memory it had, in KB.
 */
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;
static volatile sig_atomic_t late;

static void pass_on(int signal)
{
	late |= signal == SIGALRM;
	kill(child, signal == SIGALRM ? SIGKILL : signal);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
	long begun = now_ms();
	struct rusage usage;
	int status;
	FILE *file;

	if (argc < 4)
		errx(2, "measure FILE SECONDS COMMAND...");
	child = fork();
	if (child == 0) {
		execvp(argv[3], argv + 3);
		err(127, "%s", argv[3]);
	}
	if (child < 0)
		err(1, "fork");
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	alarm((unsigned int)atoi(argv[2]));
	if (wait4(child, &status, 0, &usage) < 0)
		err(1, "wait4");
	file = fopen(argv[1], "w");
	if (!file) {
		warn("%s", argv[1]);
		return 1;
	}
	fprintf(file, "%d %ld %ld\n",
		late ? 124
		     : (WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)),
		now_ms() - begun, usage.ru_maxrss);
	return fclose(file) ? 1 : 0;
}
