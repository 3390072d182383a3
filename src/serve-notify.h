/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells the service manager how the process is: sd_notify(3), without libsystemd. */
#ifndef XENSPLIT_SERVE_NOTIFY_H
#define XENSPLIT_SERVE_NOTIFY_H

/* Reads $NOTIFY_SOCKET and $WATCHDOG_USEC. Without them, the functions below do nothing. */
void notify_open(void);

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
/* One line for `systemctl status`; sent if it differs from the last one. */
void notify_status(const char *text);

/* Call in each turn of the loop: sends a sign of life twice in each period of the watchdog. */
void notify_alive(void);

/* How long poll may wait at most, in ms; -1: no limit. */
int notify_period_ms(void);

/* Sends one message, also from a signal handler. */
void notify_raw(const char *text);

#endif
