// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libxentoollog's stdio logger prefixes each message with level and context, and prints progress
 * as a percentage, even to a pipe. This one prints messages in the tool's own style.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xentoollog.h>

#include "logger.h"
#include "watchdog.h"

static xentoollog_level min_level = XTL_WARN;
static int progress_width;
static int want_progress;

static void show_width(int width)
{
	progress_width = width;
	watchdog_progress(width > 0);
}

void logger_make_way(void)
{
	watchdog_idle();
	if (progress_width)
		fprintf(stderr, "\r%*s\r", progress_width, "");
	show_width(0);
}

void logger_verror(const char *format, va_list args)
{
	logger_make_way();
	fputs("xensplit: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void logger_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	logger_verror(format, args);
	va_end(args);
}

static void print_message(xentoollog_level level, int errnoval, const char *format,
			  va_list args)
{
	logger_make_way();
	fputs(level == XTL_WARN ? "xensplit: warning: " : "xensplit: ", stderr);
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
	watchdog_request();
}

/*
 * Called before each pause, even if progress is not shown. The library counts milliseconds. Cut
 * the line to the terminal's width, since a wrapped line could not be erased.
 */
static void logger_progress(struct xentoollog_logger *logger, const char *context,
			    const char *doing_what, int percent, unsigned long done,
			    unsigned long total)
{
	struct winsize size = { 0 };
	char line[256];
	int room;

	(void)logger;
	(void)context;
	(void)percent;
	logger_make_way();
	if (!want_progress || done >= total)
		return;
	ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	room = size.ws_col ? size.ws_col - 1 : 79;
	snprintf(line, sizeof(line), "%lu of %lu s: %s", done / 1000,
		 (total + 999) / 1000, doing_what);
	show_width(fprintf(stderr, "%.*s", room, line));
	fflush(stderr);
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
