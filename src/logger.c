// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libxentoollog's stdio logger prefixes each message with level and context, and prints progress
 * as a percentage, even to a pipe. This one prints messages in the tool's own style.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include <xentoollog.h>

#include "logger.h"
#include "screen.h"
#include "watchdog.h"

static char subject[512];
static char last_error[512];
static xentoollog_level min_level = XTL_WARN;
static int want_progress;
static int with_priorities;

#define LINE_MOST 256
/* The terminal may have put "^C" behind the line. */
#define ECHO_WIDTH 2

/* What erases the line of progress; also for the signal handler. Its length is 0: no line. */
static char eraser[LINE_MOST + 8];
static volatile sig_atomic_t eraser_len;

static void show_width(int width)
{
	eraser_len = 0;
	if (width)
		eraser_len = snprintf(eraser, sizeof(eraser), "\r%*s\r",
				      width + ECHO_WIDTH, "");
	watchdog_progress(width > 0);
}

void logger_make_way(void)
{
	watchdog_idle();
	if (eraser_len)
		fputs(eraser, stderr);
	show_width(0);
}

/* The prompt gets a clean line; then the signal ends the process as usual (SA_RESETHAND). */
static void erase_and_die(int number)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t written = 0;

	if (eraser_len && poll(&fd, 1, 0) > 0)
		written = write(STDERR_FILENO, eraser, (size_t)eraser_len);
	(void)written;
	raise(number);
}

/* Signals that are ignored, or that a verb handles by itself, stay as they are. */
static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = erase_and_die,
				    .sa_flags = SA_RESETHAND };
	struct sigaction old;
	static int caught;

	if (caught)
		return;
	caught = 1;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
}

void logger_subject(const char *text)
{
	snprintf(subject, sizeof(subject), "%s", text);
}

void logger_priorities(void)
{
	with_priorities = 1;
}

/* The journal knows the name of the program. */
static void begin(int priority, const char *before, const char *between)
{
	logger_make_way();
	if (with_priorities)
		fprintf(stderr, "<%d>", priority);
	else
		fprintf(stderr, "xensplit: %s%s", before, between);
}

void logger_verror(const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	vsnprintf(last_error, sizeof(last_error), format, again);
	va_end(again);
	begin(LOG_ERR, subject, *subject ? ": " : "");
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

const char *logger_last_error(void)
{
	return last_error;
}

void logger_hint(const char *kind, const char *text)
{
	logger_make_way();
	fprintf(stderr, "  %s: %s\n", kind, text);
}

void logger_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	logger_verror(format, args);
	va_end(args);
}

void logger_vevent(int priority, const char *format, va_list args)
{
	begin(priority, subject, *subject ? ": " : "");
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

static int priority_of(xentoollog_level level)
{
	if (level >= XTL_ERROR)
		return LOG_ERR;
	return level == XTL_WARN ? LOG_WARNING : LOG_DEBUG;
}

static void print_message(xentoollog_level level, int errnoval, const char *format,
			  va_list args)
{
	begin(priority_of(level), level == XTL_WARN ? "warning: " : "", "");
	vfprintf(stderr, format, args);
	if (errnoval > 0)
		fprintf(stderr, ": %s", strerror(errnoval));
	fputc('\n', stderr);
}

/* The library logs every request before it is sent; most runs do not show these. */
static void logger_message(struct xentoollog_logger *logger, xentoollog_level level,
			   int errnoval, const char *context, const char *format,
			   va_list args)
{
	(void)logger;
	(void)context;
	if (level >= min_level)
		print_message(level, errnoval, format, args);
	if (level == XTL_DEBUG)
		watchdog_request();
}

/*
 * Called before each pause, even if progress is not shown. The library counts milliseconds. Cut
 * the text to the terminal's width, since a wrapped line could not be erased.
 */
static void logger_progress(struct xentoollog_logger *logger, const char *context,
			    const char *doing_what, int percent, unsigned long done,
			    unsigned long total)
{
	char time[64];
	int room;

	(void)logger;
	(void)context;
	(void)percent;
	logger_make_way();
	if (!want_progress || done >= total)
		return;
	catch_signals();
	room = screen_width(STDERR_FILENO);
	room = (room < LINE_MOST ? room : LINE_MOST) - ECHO_WIDTH - 1;
	room -= snprintf(time, sizeof(time), ", %lu of %lu s", done / 1000,
			 (total + 999) / 1000);
	if (room > 0)
		show_width(fprintf(stderr, "%.*s%s", room, doing_what, time));
}

struct xentoollog_logger *logger_get(int verbose, int quiet)
{
	static struct xentoollog_logger logger = { .vmessage = logger_message,
						   .progress = logger_progress };

	if (quiet)
		min_level = XTL_ERROR;
	else if (verbose)
		min_level = verbose > 1 ? XTL_DEBUG : XTL_VERBOSE;
	want_progress = !quiet && isatty(STDERR_FILENO);
	return &logger;
}
