/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output to a terminal: limited width, and colours. Output to a pipe is complete and plain. */
#ifndef XENSPLIT_SCREEN_H
#define XENSPLIT_SCREEN_H

#include <stddef.h>

/* The number of columns of the terminal @fd; 0 if it is not a terminal. */
int screen_width(int fd);

/* Start and end a colour on stdout; "" without colours. */
#define SCREEN_RED    "\033[31m"
#define SCREEN_GREEN  "\033[32m"
#define SCREEN_YELLOW "\033[33m"
const char *screen_color(const char *color);
const char *screen_plain(void);

/* The colour of a XenBus state, "" for none. */
const char *screen_state_color(int state);

/*
 * screen_cut - print a text to stdout, and end the line
 * @column: the current column, where the text starts
 *
 * Truncates what does not fit, and ends it with "...".
 */
void screen_cut(const char *text, size_t column);

/*
 * screen_wrap - print a text to stdout, on several lines if necessary, and end the last
 * @column: as above
 * @indent: the column where further lines start
 *
 * Breaks lines between words.
 */
void screen_wrap(const char *text, size_t column, size_t indent);

#endif
