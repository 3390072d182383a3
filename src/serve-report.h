/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XENSPLIT_SERVE_REPORT_H
#define XENSPLIT_SERVE_REPORT_H

#include <stdint.h>

struct serve;

/* Writes the metrics, the status file and the status of the unit, if it is time to. */
void report_step(struct serve *serve);
/* Writes them in any case. */
void report_now(struct serve *serve);
/* Writes the metrics only. */
void report_metrics(const struct serve *serve);
/* When to call report_step() next, by now_ms(). */
uint64_t report_due_ms(const struct serve *serve);
/* Removes the files: what they say is no longer known. Also for a signal handler. */
void report_remove(const struct serve *serve);

#endif
