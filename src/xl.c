// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "logger.h"
#include "xl.h"

/* What a shell exits with if it can't run a program, and why, is the child's errno. */
#define NOT_RUN 127

static volatile sig_atomic_t caught;
static volatile pid_t child;

static void pass_on(int number)
{
	int saved = errno;

	caught = number;
	if (child)
		kill(child, number);
	errno = saved;
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

void xl_catch_signals(void)
{
	struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

int xl_caught(void)
{
	return caught;
}

void xl_release_signals(void)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
}

void xl_die(void)
{
	int number = caught;

	xl_release_signals();
	raise(number);
}

/* xl leaves a process behind that must not keep the connection to XenStore. */
static void __attribute__((noreturn)) become(char *const *argv)
{
	closefrom(STDERR_FILENO + 1);
	dup2(STDERR_FILENO, STDOUT_FILENO); /* stdout is for results */
	execvp(argv[0], argv);
	_exit(NOT_RUN);
}

static const char *how(int status)
{
	static char text[80];

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return NULL;
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "was killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == NOT_RUN)
		snprintf(text, sizeof(text), "could not be run: is it in PATH?");
	else
		snprintf(text, sizeof(text), "exited with status %d",
			 WEXITSTATUS(status));
	return text;
}

const char *xl_run(char *const *argv)
{
	static char text[80];
	sigset_t set, old;
	pid_t pid, ended;
	int status;

	logger_make_way();
	/* If it is ignored, there is nothing to wait for; nor is there for xl. */
	signal(SIGCHLD, SIG_DFL);
	/* A signal between fork() and the assignment would be lost. */
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	pid = fork();
	if (!pid) {
		xl_release_signals();
		sigprocmask(SIG_SETMASK, &old, NULL);
		become(argv);
	}
	child = pid > 0 ? pid : 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0) {
		snprintf(text, sizeof(text), "could not be run: %s", strerror(errno));
		return text;
	}
	do
		ended = waitpid(pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	child = 0;
	if (ended > 0)
		return how(status);
	snprintf(text, sizeof(text), "could not be waited for: %s", strerror(errno));
	return text;
}
