/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libxenstore waits for an answer without end. So that a xenstored which is silent does not make
 * the tool silent, too, a timer looks on from outside: it ends the process where a request has
 * not been answered in time. The store is whole then, for what stands in one transaction and
 * is not committed is dropped with the connection.
 */
#ifndef XENSPLIT_WATCHDOG_H
#define XENSPLIT_WATCHDOG_H

/* From now on no request may take 10 s. @verb: for the message */
void watchdog_start(const char *verb);

/*
 * watchdog_deadline - the verb has a time limit of its own, counted from now
 *
 * Until it has passed, a request may take what is left of it; afterwards, less than a second.
 */
void watchdog_deadline(unsigned int limit_ms);

/* It is told when a request is about to be made, ... */
void watchdog_request(void);
/* ... and when it is somebody else than xenstored that is waited for, such as a reader. */
void watchdog_idle(void);

/* Is there a line on the terminal that has to be taken away before a message? */
void watchdog_progress(int shown);

void watchdog_stop(void);

#endif
