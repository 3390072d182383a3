/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What serve says: a line for each event, to the journal or to stderr. */
#ifndef XENSPLIT_SERVE_LOG_H
#define XENSPLIT_SERVE_LOG_H

/* @most: priority of syslog(3) of the least important lines */
void serve_log_open(int most);

/* Whether lines have priorities; also for a signal handler. */
int serve_log_is_journal(void);

void serve_log(int priority, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
