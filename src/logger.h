/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XENSPLIT_LOGGER_H
#define XENSPLIT_LOGGER_H

struct xentoollog_logger;

/* "xensplit: " lines on stderr, and progress where that is a terminal. Static: never freed. */
struct xentoollog_logger *logger_get(int verbose, int quiet);

/* Takes the line of progress away, before something else is written. */
void logger_clear_progress(void);

#endif
