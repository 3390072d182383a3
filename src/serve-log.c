// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logger.h"
#include "serve-log.h"

static int most_priority, is_journal;

/* The variable may be inherited by a process whose stderr goes elsewhere. */
static int stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;
	char end;

	return stream && sscanf(stream, "%llu:%llu%c", &dev, &ino, &end) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == dev && st.st_ino == ino;
}

void serve_log_open(int most)
{
	most_priority = most;
	is_journal = stderr_is_journal();
	if (is_journal)
		logger_priorities();
}

int serve_log_is_journal(void)
{
	return is_journal;
}

void serve_log(int priority, const char *format, ...)
{
	va_list args;

	if (priority > most_priority)
		return;
	va_start(args, format);
	logger_vevent(priority, format, args);
	va_end(args);
}
