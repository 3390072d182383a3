// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libxentoollog's own logger writes the file's name of libxc's liking, levels and contexts, and
 * repeats progress on a pipe line by line. The messages of a small tool read like its own.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xentoollog.h>

#include "logger.h"

static xentoollog_level min_level = XTL_WARN;
static int progress_width;

void logger_clear_progress(void)
{
	if (progress_width)
		fprintf(stderr, "\r%*s\r", progress_width, "");
	progress_width = 0;
}

static void logger_message(struct xentoollog_logger *logger, xentoollog_level level,
			   int errnoval, const char *context, const char *format,
			   va_list args)
{
	(void)logger;
	(void)context;
	if (level < min_level)
		return;

	logger_clear_progress();
	fputs(level == XTL_WARN ? "xensplit: warning: " : "xensplit: ", stderr);
	vfprintf(stderr, format, args);
	if (errnoval > 0)
		fprintf(stderr, ": %s", strerror(errnoval));
	fputc('\n', stderr);
}

static void logger_progress(struct xentoollog_logger *logger, const char *context,
			    const char *doing_what, int percent, unsigned long done,
			    unsigned long total)
{
	(void)logger;
	(void)context;
	(void)percent;
	logger_clear_progress();
	if (done == total)
		return;
	progress_width = fprintf(stderr, "%s (%lu of %lu s)", doing_what, done, total);
	fflush(stderr);
}

struct xentoollog_logger *logger_get(int verbose, int quiet)
{
	static struct xentoollog_logger logger = { .vmessage = logger_message };

	if (quiet)
		min_level = XTL_ERROR;
	else if (verbose)
		min_level = verbose > 1 ? XTL_DEBUG : XTL_VERBOSE;
	if (!quiet && isatty(STDERR_FILENO))
		logger.progress = logger_progress;
	return &logger;
}
