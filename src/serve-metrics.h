/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XENSPLIT_SERVE_METRICS_H
#define XENSPLIT_SERVE_METRICS_H

struct serve;

/* The metrics in Prometheus' text format; the caller frees them. */
char *metrics_text(const struct serve *serve);

#endif
