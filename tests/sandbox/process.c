// SPDX-License-Identifier: GPL-2.0-or-later
/* Starting processes, such that none outlives its parent. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox.h"

#define GIVE_UP_MS 10000

/* Becomes the command; returns the exit status if it cannot. */
int run_in_place(char **argv)
{
	execvp(argv[0], argv);
	warn("%s", argv[0]);
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Starts a process that dies with this one. A daemon (@out_fd not negative) gets its own
 * session, so that Ctrl-C does not reach it, and its own standard files; a command shares ours.
 */
pid_t start_process(char **argv, char **env, int out_fd, int err_fd)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_SANDBOX);
	unblock_signals();
	if (out_fd >= 0) {
		int null = open("/dev/null", O_RDONLY);

		setsid();
		dup2(null, STDIN_FILENO);
		dup2(out_fd, STDOUT_FILENO);
		dup2(err_fd, STDERR_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
	for (; env && *env; env++)
		putenv(*env);
	_exit(run_in_place(argv));
}

static void signal_children(int sig)
{
	char path[64];
	FILE *children;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	children = fopen(path, "re");
	if (!children)
		return;
	while (fscanf(children, "%d", &pid) == 1)
		kill(pid, sig);
	fclose(children);
}

/*
 * Kills every descendant. The caller is a subreaper: when a child dies, it inherits the child's
 * children, so the loop ends when there is none left.
 */
void kill_descendants(void)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	int waited_ms = 0;

	while (waited_ms < GIVE_UP_MS) {
		pid_t pid;

		signal_children(SIGKILL);
		pid = waitpid(-1, NULL, WNOHANG);
		if (pid < 0)
			return;
		if (pid == 0) {
			nanosleep(&tick, NULL);
			waited_ms++;
		}
	}
	warnx("some processes do not die");
}

/* The exit status a shell would show for a wait status. */
int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
