// SPDX-License-Identifier: GPL-2.0-or-later
/* When the tool gives up on a silent xenstored. Its clock, timer and end are the test's: WRAP in tests.mk. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../src/exit-status.h"
#include "../../src/watchdog.h"

static uint64_t now, armed; /* in ms; armed 0: no timer */
static int no_timer, no_signals, stderr_is_full;
static sigjmp_buf ending;
static int status; /* -1: it has not ended */
static char said[200];
static uint64_t silences[10];
static size_t silence_count;

int __wrap_clock_gettime(clockid_t id, struct timespec *ret_time);
int __wrap_timer_create(clockid_t id, struct sigevent *event, timer_t *ret_timer);
int __wrap_timer_settime(timer_t timer, int flags, const struct itimerspec *at,
			 struct itimerspec *ret_old);
int __real_sigaction(int number, const struct sigaction *action,
		     struct sigaction *ret_old);
int __wrap_sigaction(int number, const struct sigaction *action,
		     struct sigaction *ret_old);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
ssize_t __wrap_write(int fd, const void *text, size_t len);
void __attribute__((noreturn)) __wrap__exit(int with);

int __wrap_clock_gettime(clockid_t id, struct timespec *ret_time)
{
	assert_int_equal(id, CLOCK_MONOTONIC);
	ret_time->tv_sec = (time_t)(now / 1000);
	ret_time->tv_nsec = (long)(now % 1000) * 1000000;
	return 0;
}

int __wrap_timer_create(clockid_t id, struct sigevent *event, timer_t *ret_timer)
{
	assert_int_equal(id, CLOCK_MONOTONIC);
	assert_int_equal(event->sigev_signo, SIGRTMIN);
	*ret_timer = NULL;
	return no_timer ? -1 : 0;
}

int __wrap_timer_settime(timer_t timer, int flags, const struct itimerspec *at,
			 struct itimerspec *ret_old)
{
	(void)timer;
	(void)ret_old;
	assert_int_equal(flags, TIMER_ABSTIME);
	errno = EINTR;
	armed = (uint64_t)at->it_value.tv_sec * 1000 +
		(uint64_t)at->it_value.tv_nsec / 1000000;
	return 0;
}

int __wrap_sigaction(int number, const struct sigaction *action,
		     struct sigaction *ret_old)
{
	return no_signals ? -1 : __real_sigaction(number, action, ret_old);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	assert_int_equal(fds->fd, STDERR_FILENO);
	assert_int_equal(count, 1);
	assert_int_equal(timeout_ms, 0);
	return stderr_is_full ? 0 : 1;
}

ssize_t __wrap_write(int fd, const void *text, size_t len)
{
	assert_int_equal(fd, STDERR_FILENO);
	assert_true(len < sizeof(said));
	memcpy(said, text, len);
	said[len] = '\0';
	return (ssize_t)len;
}

void __wrap__exit(int with)
{
	status = with;
	siglongjmp(ending, 1);
}

static void note_silence(uint64_t silence_ms)
{
	assert_true(silence_count < sizeof(silences) / sizeof(silences[0]));
	silences[silence_count++] = silence_ms;
}

/* Lets time pass, until the tool ends. */
static void pass(uint64_t ms)
{
	uint64_t until = now + ms;

	status = -1;
	*said = '\0';
	if (sigsetjmp(ending, 1))
		return;
	while (armed && armed <= until) {
		now = armed > now ? armed : now;
		armed = 0;
		errno = ENOTTY;
		raise(SIGRTMIN);
		assert_int_equal(errno, ENOTTY);
	}
	now = until;
}

static int restart(void **state)
{
	(void)state;
	now += 12345678;
	armed = 0;
	no_timer = no_signals = stderr_is_full = 0;
	silence_count = 0;
	watchdog_stay(NULL);
	watchdog_progress(0);
	watchdog_start("list");
	return 0;
}

static void silent_for_ten_seconds(void **state)
{
	(void)state;
	pass(10050);
	assert_int_equal(status, -1);
	pass(100);
	assert_int_equal(status, EXIT_DEADLINE);
	assert_string_equal(said,
			    "xensplit: list: xenstored has not answered for 10.1 s\n");
}

static void each_request_has_ten_seconds(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		pass(9900);
		assert_int_equal(status, -1);
		watchdog_request();
	}
	pass(10200);
	assert_int_equal(status, EXIT_DEADLINE);
}

static void idle_for_hours(void **state)
{
	(void)state;
	watchdog_idle();
	pass(10000000);
	assert_int_equal(status, -1);
	watchdog_request();
	pass(20500);
	assert_int_equal(status, EXIT_DEADLINE);
}

/* The timer fires late, and the answer has arrived: it goes on at once. */
static void stopped_while_the_answer_came(void **state)
{
	(void)state;
	now += 60000;
	pass(50);
	assert_int_equal(status, -1);
	watchdog_request();
	pass(9900);
	assert_int_equal(status, -1);
	assert_string_equal(said, "");
}

static void nobody_reads_stderr(void **state)
{
	(void)state;
	stderr_is_full = 1;
	pass(10200);
	assert_int_equal(status, EXIT_DEADLINE);
	assert_string_equal(said, "");
}

static void the_line_of_progress_is_erased(void **state)
{
	(void)state;
	watchdog_progress(1);
	pass(10200);
	assert_string_equal(said, "\r\033[Kxensplit: list: xenstored has not answered "
				  "for 10.1 s\n");
}

static void serve_stays_and_hears_of_it(void **state)
{
	(void)state;
	watchdog_stay(note_silence);
	pass(13000);
	assert_int_equal(status, -1);
	assert_int_equal(silence_count, 3);
	assert_int_equal(silences[0], 10100);
	assert_int_equal(silences[1], 11100);
	assert_int_equal(silences[2], 12100);
	watchdog_request();
	pass(9900);
	assert_int_equal(silence_count, 3);
}

static void stopped_for_good(void **state)
{
	(void)state;
	watchdog_stop();
	pass(10000000);
	assert_int_equal(status, -1);
}

/* A verb is late by less than a second. From here on, there is a deadline. */
static void silent_until_the_deadline(void **state)
{
	(void)state;
	watchdog_deadline(5000);
	pass(5750);
	assert_int_equal(status, -1);
	pass(100);
	assert_int_equal(status, EXIT_DEADLINE);
	assert_string_equal(said,
			    "xensplit: list: xenstored has not answered for 5.8 s\n");
}

static void asked_after_the_deadline(void **state)
{
	(void)state;
	watchdog_deadline(5000);
	watchdog_idle();
	pass(5500);
	watchdog_request();
	pass(750);
	assert_int_equal(status, -1);
	pass(100);
	assert_int_equal(status, EXIT_DEADLINE);
	assert_string_equal(said,
			    "xensplit: list: xenstored has not answered for 0.8 s\n");
}

/* Nothing depends on it. */
static void without_a_timer(void **state)
{
	(void)state;
	for (no_timer = 0; no_timer < 2; no_timer++) {
		armed = 0;
		no_signals = !no_timer;
		watchdog_start("list");
		watchdog_deadline(1000);
		assert_int_equal(armed, 0);
		armed = 1;
		watchdog_stop();
		assert_int_equal(armed, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(silent_for_ten_seconds, restart),
		cmocka_unit_test_setup(each_request_has_ten_seconds, restart),
		cmocka_unit_test_setup(idle_for_hours, restart),
		cmocka_unit_test_setup(stopped_while_the_answer_came, restart),
		cmocka_unit_test_setup(nobody_reads_stderr, restart),
		cmocka_unit_test_setup(the_line_of_progress_is_erased, restart),
		cmocka_unit_test_setup(serve_stays_and_hears_of_it, restart),
		cmocka_unit_test_setup(stopped_for_good, restart),
		cmocka_unit_test_setup(silent_until_the_deadline, restart),
		cmocka_unit_test_setup(asked_after_the_deadline, restart),
		cmocka_unit_test_setup(without_a_timer, restart),
	};

	return cmocka_run_group_tests_name("unit/watchdog", tests, NULL, NULL);
}
