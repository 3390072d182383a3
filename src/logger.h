/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that goes to stderr. */
#ifndef XENSPLIT_LOGGER_H
#define XENSPLIT_LOGGER_H

#include <stdarg.h>

struct xentoollog_logger;

/* "xensplit: " lines on stderr, and progress where that is a terminal. Static: never freed. */
struct xentoollog_logger *logger_get(int verbose, int quiet);

/* One such line, whatever --quiet says. */
void logger_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void logger_verror(const char *format, va_list args)
	__attribute__((format(printf, 1, 0)));

/*
 * logger_make_way - something is about to be written, here or to stdout
 *
 * Takes the line of progress away. If nobody reads what is written, that is not xenstored's fault.
 */
void logger_make_way(void);

#endif
