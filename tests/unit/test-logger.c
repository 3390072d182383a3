// SPDX-License-Identifier: GPL-2.0-or-later
/* The line of progress, and what a signal does to it; the terminal is the test's. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xentoollog.h>
#include <cmocka.h>

#include "../../src/logger.h"
#include "../../src/screen.h"

static int width, terminal_is_stopped, raised;
static void (*handlers[NSIG])(int number);
static char written[400];

int screen_width(int fd)
{
	assert_int_equal(fd, STDERR_FILENO);
	return width;
}

/* --- the watchdog --- */

static int asked, progress_is_shown;

void watchdog_request(void)
{
	asked = 1;
}

void watchdog_idle(void)
{
	asked = 0;
}

void watchdog_progress(int shown)
{
	progress_is_shown = shown;
}

/* --- the terminal --- */

int __wrap_isatty(int fd);
int __wrap_raise(int number);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
ssize_t __wrap_write(int fd, const void *text, size_t len);
int __wrap_sigaction(int number, const struct sigaction *action,
		     struct sigaction *ret_old);

int __wrap_isatty(int fd)
{
	return fd == STDERR_FILENO;
}

int __wrap_raise(int number)
{
	raised = number;
	return 0;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	assert_int_equal(fds->fd, STDERR_FILENO);
	assert_int_equal(count, 1);
	assert_int_equal(timeout_ms, 0);
	return !terminal_is_stopped;
}

ssize_t __wrap_write(int fd, const void *text, size_t len)
{
	assert_int_equal(fd, STDERR_FILENO);
	assert_true(len < sizeof(written));
	memcpy(written, text, len);
	written[len] = '\0';
	return (ssize_t)len;
}

/* SIGHUP is ignored, as nohup(1) does it, and SIGQUIT is none of its business. */
int __wrap_sigaction(int number, const struct sigaction *action,
		     struct sigaction *ret_old)
{
	if (number == SIGQUIT)
		return -1;
	if (action)
		handlers[number] = action->sa_handler;
	if (ret_old)
		ret_old->sa_handler = number == SIGHUP ? SIG_IGN : SIG_DFL;
	return 0;
}

/* --- */

static char *printed;
static size_t printed_size;
static FILE *terminal, *was;

static void listen(void)
{
	was = stderr;
	terminal = stderr = open_memstream(&printed, &printed_size);
}

static void assert_printed(const char *expected)
{
	fclose(terminal);
	stderr = was;
	assert_string_equal(printed, expected);
	free(printed);
}

static void show(const char *text, unsigned long done)
{
	struct xentoollog_logger *logger = logger_get(0, 0);

	logger->progress(logger, "xensplit", text, 0, done, 10000);
}

static int restart(void **state)
{
	(void)state;
	width = 80;
	terminal_is_stopped = raised = 0;
	*written = '\0';
	return 0;
}

static void a_line_and_how_it_goes(void **state)
{
	(void)state;
	listen();
	show("waiting", 3000);
	logger_make_way();
	logger_make_way();
	assert_printed("waiting, 3 of 10 s\r                    \r");
}

static void it_is_cut(void **state)
{
	(void)state;
	width = 20;
	listen();
	show("waiting for something", 3000);
	logger_make_way();
	assert_printed("waitin, 3 of 10 s\r                   \r");
}

/* However wide the terminal is, all of it is erased. */
static void it_is_cut_to_what_can_be_erased(void **state)
{
	const char *erased;
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	width = 1000;
	listen();
	show(text, 3000);
	logger_make_way();
	fclose(terminal);
	stderr = was;
	erased = strchr(printed, '\r');
	assert_non_null(erased);
	assert_int_equal(strspn(erased + 1, " "), erased - printed + 2);
	assert_string_equal(erased + 1 + strspn(erased + 1, " "), "\r");
	free(printed);
}

static void no_room_for_it(void **state)
{
	(void)state;
	width = 12;
	listen();
	show("waiting", 3000);
	logger_make_way();
	assert_printed("");
}

/* The time is over: the message comes next. */
static void none_at_the_end(void **state)
{
	(void)state;
	listen();
	show("waiting", 10000);
	assert_printed("");
}

static void a_signal_erases_it(void **state)
{
	(void)state;
	assert_non_null(handlers[SIGINT]);
	assert_non_null(handlers[SIGTERM]);
	assert_null(handlers[SIGHUP]);
	assert_null(handlers[SIGQUIT]);
	listen();
	show("waiting", 3000);
	handlers[SIGINT](SIGINT);
	assert_int_equal(raised, SIGINT);
	assert_string_equal(written, "\r                    \r");
	logger_make_way();
	*written = '\0';
	handlers[SIGTERM](SIGTERM); /* nothing to erase */
	assert_int_equal(raised, SIGTERM);
	assert_string_equal(written, "");
	assert_printed("waiting, 3 of 10 s\r                    \r");
}

/* Ctrl-S: it would block. */
static void a_signal_while_the_terminal_is_stopped(void **state)
{
	(void)state;
	terminal_is_stopped = 1;
	listen();
	show("waiting", 3000);
	handlers[SIGINT](SIGINT);
	assert_int_equal(raised, SIGINT);
	assert_string_equal(written, "");
	logger_make_way();
	assert_printed("waiting, 3 of 10 s\r                    \r");
}

static void none_if_quiet(void **state)
{
	struct xentoollog_logger *logger;

	(void)state;
	listen();
	logger = logger_get(0, 1);
	logger->progress(logger, "xensplit", "waiting", 0, 3000, 10000);
	assert_printed("");
}

static void the_watchdog_knows(void **state)
{
	struct xentoollog_logger *logger = logger_get(0, 0);

	(void)state;
	listen();
	xtl_log(logger, XTL_DEBUG, -1, "xensplit", "a request");
	assert_int_equal(asked, 1);
	show("waiting", 3000);
	assert_int_equal(asked, 0);
	assert_int_equal(progress_is_shown, 1);
	logger_make_way();
	assert_int_equal(progress_is_shown, 0);
	assert_printed("waiting, 3 of 10 s\r                    \r");
}

static void log_at(xentoollog_level level, int errnoval)
{
	struct xentoollog_logger *logger = logger_get(0, 0);

	xtl_log(logger, level, errnoval, "xensplit", "text");
}

static void verbose_and_more_so(void **state)
{
	struct xentoollog_logger *logger;

	(void)state;
	listen();
	for (int verbose = 1; verbose <= 2; verbose++) {
		logger = logger_get(verbose, 0);
		xtl_log(logger, XTL_VERBOSE, -1, "xensplit", "a commit");
		xtl_log(logger, XTL_DEBUG, -1, "xensplit", "a request");
	}
	assert_printed("<7>a commit\n<7>a commit\n<7>a request\n");
}

/* From here on, priorities stay, and the level. */
static void the_journal_gets_priorities(void **state)
{
	(void)state;
	listen();
	log_at(XTL_WARN, -1);
	log_at(XTL_VERBOSE, -1);
	log_at(XTL_ERROR, ENOENT);
	logger_priorities();
	log_at(XTL_WARN, -1);
	log_at(XTL_ERROR, -1);
	assert_printed("xensplit: warning: text\n"
		       "xensplit: text: No such file or directory\n"
		       "<4>text\n<3>text\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_line_and_how_it_goes, restart),
		cmocka_unit_test_setup(it_is_cut, restart),
		cmocka_unit_test_setup(it_is_cut_to_what_can_be_erased, restart),
		cmocka_unit_test_setup(no_room_for_it, restart),
		cmocka_unit_test_setup(none_at_the_end, restart),
		cmocka_unit_test_setup(a_signal_erases_it, restart),
		cmocka_unit_test_setup(a_signal_while_the_terminal_is_stopped, restart),
		cmocka_unit_test_setup(the_watchdog_knows, restart),
		cmocka_unit_test_setup(the_journal_gets_priorities, restart),
		cmocka_unit_test_setup(verbose_and_more_so, restart),
		cmocka_unit_test_setup(none_if_quiet, restart),
	};

	return cmocka_run_group_tests_name("unit/logger", tests, NULL, NULL);
}
