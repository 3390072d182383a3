/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All output to stderr. */
#ifndef XENSPLIT_LOGGER_H
#define XENSPLIT_LOGGER_H

#include <stdarg.h>

struct xentoollog_logger;

/* "xensplit: " lines on stderr, and progress if that is a terminal. Static: never freed. */
struct xentoollog_logger *logger_get(int verbose, int quiet);

/* Sets the verb and its device: errors begin with "xensplit: " and this text. */
void logger_subject(const char *text);

/* The text of the last error, without the subject. */
const char *logger_last_error(void);

/* From now on lines begin with a priority, as the journal reads it, instead of "xensplit: ". */
void logger_priorities(void);

/* Prints a line that is no error, even with --quiet. @priority: of syslog(3) */
void logger_vevent(int priority, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* Prints a line below an error: "  try: ...". */
void logger_hint(const char *kind, const char *text);

/* Prints an error, even with --quiet. */
void logger_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void logger_verror(const char *format, va_list args)
	__attribute__((format(printf, 1, 0)));

/*
 * logger_make_way - call before writing to stderr or stdout
 *
 * Erases the line of progress. A blocked reader must not count as a silent xenstored.
 */
void logger_make_way(void);

#endif
