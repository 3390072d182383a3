// SPDX-License-Identifier: GPL-2.0-or-later
/* How the tool runs xl, and what a signal does meanwhile. A shell is xl here. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../src/xl.h"

static int fork_errno, wait_errno, waits_interrupted, raised;

pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __real_waitpid(pid_t pid, int *ret_status, int options);
pid_t __wrap_waitpid(pid_t pid, int *ret_status, int options);
int __wrap_raise(int number);
int __real_kill(pid_t pid, int number);
int __wrap_kill(pid_t pid, int number);

pid_t __wrap_fork(void)
{
	errno = fork_errno;
	return fork_errno ? -1 : __real_fork();
}

pid_t __wrap_waitpid(pid_t pid, int *ret_status, int options)
{
	if (waits_interrupted) {
		waits_interrupted--;
		errno = EINTR;
		return -1;
	}
	pid = __real_waitpid(pid, ret_status, options);
	if (!wait_errno)
		return pid;
	errno = wait_errno;
	return -1;
}

int __wrap_raise(int number)
{
	raised = number;
	return 0;
}

static pid_t last_killed;

int __wrap_kill(pid_t pid, int number)
{
	last_killed = pid;
	return __real_kill(pid, number);
}

static const char *run(const char *script)
{
	char *const argv[] = { "sh", "-c", (char *)script, NULL };

	return xl_run(argv);
}

static void how_it_ended(void **state)
{
	char *const argv[] = { "/nowhere/xl", NULL };

	(void)state;
	assert_null(run("exit 0"));
	assert_string_equal(run("exit 3"), "exited with status 3");
	assert_string_equal(run("kill -KILL $$"), "was killed by signal 9");
	assert_string_equal(xl_run(argv), "could not be run: is it in PATH?");
}

/* xl leaves a process behind, and prints what is no result of the tool. */
static void what_it_gets(void **state)
{
	int error = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	(void)state;
	assert_int_equal(dup2(null, 50), 50);
	assert_null(run("[ ! -e /proc/self/fd/50 ]"));
	close(50);
	dup2(null, STDERR_FILENO);
	assert_null(run("[ /proc/self/fd/1 -ef /dev/null ]"));
	dup2(error, STDERR_FILENO);
	close(error);
	close(null);
}

static void no_process_for_it(void **state)
{
	(void)state;
	fork_errno = EAGAIN;
	assert_string_equal(run("exit 0"),
			    "could not be run: Resource temporarily unavailable");
	fork_errno = 0;
}

static void a_wait_is_interrupted(void **state)
{
	(void)state;
	waits_interrupted = 3;
	assert_string_equal(run("exit 3"), "exited with status 3");
	assert_int_equal(waits_interrupted, 0);
	wait_errno = ECHILD;
	assert_string_equal(run("exit 0"), "could not be waited for: No child processes");
	wait_errno = 0;
}

/* As a parent may leave it: then nothing could be waited for. */
static void sigchld_was_ignored(void **state)
{
	(void)state;
	signal(SIGCHLD, SIG_IGN);
	assert_string_equal(run("exit 3"), "exited with status 3");
	signal(SIGCHLD, SIG_IGN);
	assert_null(run("sh -c 'exit 4' & wait $!; [ $? = 4 ]"));
}

/* xl gets it, too, and the tool dies of it when it can. */
static void a_signal_is_passed_on(void **state)
{
	struct sigaction now;

	(void)state;
	assert_int_equal(xl_caught(), 0);
	xl_catch_signals();
	assert_string_equal(run("kill -TERM $PPID; exec sleep 60"),
			    "was killed by signal 15");
	assert_int_equal(xl_caught(), SIGTERM);
	assert_int_not_equal(last_killed, 0);
	last_killed = 0;
	__real_kill(getpid(), SIGHUP); /* without xl: its number may be another's now */
	assert_int_equal(xl_caught(), SIGHUP);
	assert_int_equal(last_killed, 0);
	xl_die();
	assert_int_equal(raised, SIGHUP);
	assert_int_equal(sigaction(SIGHUP, NULL, &now), 0);
	assert_true(now.sa_handler == SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_it_ended),
		cmocka_unit_test(what_it_gets),
		cmocka_unit_test(no_process_for_it),
		cmocka_unit_test(a_wait_is_interrupted),
		cmocka_unit_test(sigchld_was_ignored),
		cmocka_unit_test(a_signal_is_passed_on),
	};

	return cmocka_run_group_tests_name("unit/xl", tests, NULL, NULL);
}
