/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XENSPLIT_SERVE_LOOP_H
#define XENSPLIT_SERVE_LOOP_H

#include <stdint.h>

struct serve;

/* Serves until SIGTERM or SIGINT. Returns: an exit status. */
int loop_run(struct serve *serve);

/* Serves until nothing is left to do, for at most this time. Returns: an exit status. */
int loop_once(struct serve *serve, unsigned int limit_ms);

#endif
