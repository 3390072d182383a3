/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XENSPLIT_SERVE_SHOW_H
#define XENSPLIT_SERVE_SHOW_H

struct tool;

/*
 * status_show - print what a running serve wrote
 *
 * Returns: 0: all is connected; 1: something is not, or there is no good
 * status of it; 3: serve is not running; 4.
 */
int status_show(struct tool *tool, const char *status_path);

#endif
