/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs on a terminal: lines have an end, and there are colours. A pipe gets all, plain. */
#ifndef XENSPLIT_SCREEN_H
#define XENSPLIT_SCREEN_H

#include <stddef.h>

/* The columns of the terminal that @fd is; 0: it is none. */
int screen_width(int fd);

/* How to begin a colour on stdout, and to end it; "" where there are none. */
#define SCREEN_RED    "\033[31m"
#define SCREEN_GREEN  "\033[32m"
#define SCREEN_YELLOW "\033[33m"
const char *screen_color(const char *color);
const char *screen_plain(void);

/* The colour of a XenBus state, "" for none. */
const char *screen_state_color(int state);

/*
 * screen_cut - print a text to stdout, and end the line
 * @column: where the line is; there the text begins
 *
 * What does not fit is left out, with "..." at the end.
 */
void screen_cut(const char *text, size_t column);

/*
 * screen_wrap - print a text to stdout that may take several lines, and end the last
 * @column: as above
 * @indent: where further lines begin
 *
 * Lines are broken between words.
 */
void screen_wrap(const char *text, size_t column, size_t indent);

#endif
