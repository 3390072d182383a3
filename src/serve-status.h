/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XENSPLIT_SERVE_STATUS_H
#define XENSPLIT_SERVE_STATUS_H

struct json_object;
struct serve;

/* The report for `serve --status` and `serve --once --json`. */
struct json_object *status_report(const struct serve *serve);

/* "12 of 12 devices connected" and what else is to say; the caller frees it. */
char *status_words(const struct serve *serve);

#endif
