// SPDX-License-Identifier: GPL-2.0-or-later
/* What all files of the tool use: exit statuses, and texts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../src/common.h"
#include "../../src/text.h"
#include "../../include/xensplit.h"

static int no_memory;

int __real_vasprintf(char **ret_text, const char *format, va_list args);
int __wrap_vasprintf(char **ret_text, const char *format, va_list args);

/* What *ret_text then holds is not defined: nothing that free() could take. */
int __wrap_vasprintf(char **ret_text, const char *format, va_list args)
{
	if (!no_memory)
		return __real_vasprintf(ret_text, format, args);
	*ret_text = (char *)1;
	return -1;
}

/* The manual's table of exit statuses. */
static void the_exit_status_of_each_error(void **state)
{
	static const struct {
		int err, status;
	} rows[] = {
		{ 0, EXIT_SUCCESS },	      { -EINVAL, EXIT_USAGE },
		{ -ESRCH, EXIT_NOT_FOUND },   { -ENOENT, EXIT_NOT_FOUND },
		{ -EACCES, EXIT_PERMISSION }, { -EPERM, EXIT_PERMISSION },
		{ -EEXIST, EXIT_BUSY },	      { -EBUSY, EXIT_BUSY },
		{ -ESTALE, EXIT_BUSY },	      { -ETIMEDOUT, EXIT_DEADLINE },
		{ -EIO, EXIT_FAILURE },	      { -ENOTCONN, EXIT_FAILURE },
		{ -EPROTO, EXIT_FAILURE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(exit_status(rows[i].err), rows[i].status);
}

static void assert_words(char *text, const char *expected)
{
	assert_string_equal(text, expected);
	free(text);
}

static void the_words_for_a_domain_and_a_device(void **state)
{
	struct xensplit_id id = { 5, "mydevice", 3 };

	(void)state;
	assert_words(domain_words(5, "guest5"), "guest5 (domain 5)");
	assert_words(domain_words(5, "a\nb"), "a\\x0ab (domain 5)");
	assert_words(domain_words(5, NULL), "domain 5");
	assert_words(id_name(&id), "mydevice/3 of domain 5");
	id.devid = XENSPLIT_DEVID_AUTO;
	assert_words(device_name(&id), "mydevice/auto");
}

static uint64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A deadline does not move when somebody sets the time of day; the library's timeouts are of this clock, too. */
static void the_clock_of_deadlines(void **state)
{
	uint64_t before = monotonic_ms(), now = now_ms(), after = monotonic_ms();

	(void)state;
	assert_true(before <= now);
	assert_true(now <= after);
}

/* The child's stderr. @ret_status: what it exited with */
static void run_without_memory(char *ret_text, size_t size, int *ret_status)
{
	int pipe_fds[2];
	FILE *stream;
	pid_t pid;

	assert_int_equal(pipe(pipe_fds), 0);
	pid = fork();
	if (!pid) {
		dup2(pipe_fds[1], STDERR_FILENO);
		no_memory = 1;
		words("%d", 1);
		exit(EXIT_SUCCESS);
	}
	close(pipe_fds[1]);
	stream = fdopen(pipe_fds[0], "r");
	ret_text[fread(ret_text, 1, size - 1, stream)] = '\0';
	fclose(stream);
	assert_int_equal(waitpid(pid, ret_status, 0), pid);
}

static void out_of_memory_ends_it(void **state)
{
	char text[100];
	int status;

	(void)state;
	run_without_memory(text, sizeof(text), &status);
	assert_string_equal(text, "xensplit: out of memory\n");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exit_status_of_each_error),
		cmocka_unit_test(the_words_for_a_domain_and_a_device),
		cmocka_unit_test(the_clock_of_deadlines),
		cmocka_unit_test(out_of_memory_ends_it),
	};

	return cmocka_run_group_tests_name("unit/common", tests, NULL, NULL);
}
