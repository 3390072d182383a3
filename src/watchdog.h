/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libxenstore waits for an answer without a time limit. To keep a silent xenstored from hanging
 * the tool, a timer ends the process if a request is not answered in time. The store stays
 * consistent, because xenstored drops an uncommitted transaction with the connection.
 */
#ifndef XENSPLIT_WATCHDOG_H
#define XENSPLIT_WATCHDOG_H

#include <stdint.h>

/* From now on, a request may take at most 10 s. @verb: for the message */
void watchdog_start(const char *verb);

/*
 * watchdog_deadline - set the verb's own time limit, counted from now
 *
 * Until then, a request may take the rest of the limit; afterwards, less than a second.
 */
void watchdog_deadline(unsigned int limit_ms);

/*
 * watchdog_stay - do not end the process
 * @silence: called instead, from a signal handler, once a second while a request is overdue
 */
void watchdog_stay(void (*silence)(uint64_t silence_ms));

/* Call before each request, ... */
void watchdog_request(void);
/* ... and before waiting for anything other than xenstored, such as a reader. */
void watchdog_idle(void);

/* Is there a progress line on the terminal to erase before a message? */
void watchdog_progress(int shown);

void watchdog_stop(void);

#endif
