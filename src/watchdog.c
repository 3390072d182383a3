// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exit-status.h"
#include "watchdog.h"

#define SILENCE_MS 10000
/* These add up to less than the second that a verb may be late. */
#define LATE_MS		700
#define LATE_SILENCE_MS 700
#define CONFIRM_MS	100

/* Not SIGALRM: an alarm(2) set before exec stays in effect. */
#define SIGNAL SIGRTMIN

static timer_t timer;
static int running;
static const char *verb_name;
static uint64_t deadline_ms;

/* When the last request was sent; 0 if the tool waits for something else. */
static _Atomic uint64_t asked_ms;
static uint64_t suspect_ms;
static volatile sig_atomic_t progress_shown;
static void (*on_silence)(uint64_t silence_ms);

/* How often on_silence is called again. */
#define REPEAT_MS 1000

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void arm(uint64_t time_ms)
{
	struct itimerspec at = { .it_value = { .tv_sec = (time_t)(time_ms / 1000),
					       .tv_nsec = (long)(time_ms % 1000) *
							  1000000 } };

	timer_settime(timer, TIMER_ABSTIME, &at, NULL);
}

/* When a request sent at that time is overdue. */
static uint64_t due(uint64_t asked)
{
	uint64_t late = deadline_ms + LATE_MS;

	if (!deadline_ms)
		return asked + SILENCE_MS;
	return asked + LATE_SILENCE_MS > late ? asked + LATE_SILENCE_MS : late;
}

/* snprintf() is not safe in signal handlers. Returns: the end of the text. */
static char *add_text(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	return to;
}

static char *add_seconds(char *to, uint64_t ms)
{
	char digits[20];
	size_t i = sizeof(digits);
	uint64_t seconds = ms / 1000;

	do
		digits[--i] = (char)('0' + seconds % 10);
	while (seconds /= 10);
	memcpy(to, digits + i, sizeof(digits) - i);
	to += sizeof(digits) - i;
	*to++ = '.';
	*to++ = (char)('0' + ms / 100 % 10);
	return to;
}

/* Must not block if nobody reads the message. */
static void give_up(uint64_t silence_ms)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[160], *end = line;
	ssize_t written = 0;

	if (progress_shown)
		end = add_text(end, "\r\033[K");
	end = add_text(end, "xensplit: ");
	end = add_text(end, verb_name);
	end = add_text(end, ": xenstored has not answered for ");
	end = add_seconds(end, silence_ms);
	end = add_text(end, " s\n");
	if (poll(&fd, 1, 0) > 0)
		written = write(STDERR_FILENO, line, (size_t)(end - line));
	(void)written;
	_exit(EXIT_DEADLINE);
}

static void look(int signo)
{
	uint64_t now = clock_ms(), asked = atomic_load(&asked_ms);
	uint64_t when = due(asked ? asked : now);
	int saved = errno;

	(void)signo;
	if (!asked || now < when) {
		arm(when);
	} else if (suspect_ms != asked) {
		/* Maybe this process was stopped, and the answer has arrived. */
		suspect_ms = asked;
		arm(now + CONFIRM_MS);
	} else if (on_silence) {
		on_silence(now - asked);
		arm(now + REPEAT_MS);
	} else {
		give_up(now - asked);
	}
	errno = saved;
}

void watchdog_start(const char *verb)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGNAL };
	struct sigaction action = { .sa_handler = look, .sa_flags = SA_RESTART };
	sigset_t set;

	verb_name = verb;
	watchdog_request();
	running = !sigaction(SIGNAL, &action, NULL) &&
		  !timer_create(CLOCK_MONOTONIC, &event, &timer);
	if (!running)
		return; /* continue without: nothing else depends on it */
	sigemptyset(&set);
	sigaddset(&set, SIGNAL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	arm(due(asked_ms));
}

void watchdog_deadline(unsigned int limit_ms)
{
	if (running)
		arm(0);
	deadline_ms = clock_ms() + limit_ms;
	if (running)
		arm(due(asked_ms));
}

void watchdog_stay(void (*silence)(uint64_t silence_ms))
{
	on_silence = silence;
}

void watchdog_request(void)
{
	atomic_store(&asked_ms, clock_ms());
}

void watchdog_idle(void)
{
	atomic_store(&asked_ms, 0);
}

void watchdog_progress(int shown)
{
	progress_shown = shown;
}

void watchdog_stop(void)
{
	if (running)
		arm(0);
}
