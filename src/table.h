/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table on stdout; columns are as wide as their cells. */
#ifndef XENSPLIT_TABLE_H
#define XENSPLIT_TABLE_H

#include <stddef.h>

struct libscols_table;
struct libscols_line;

#define TABLE_NO_HEADINGS (1 << 0)
#define TABLE_RAW	  (1 << 1) /* single spaces; blanks etc. in a cell become \xNN */

struct libscols_table *table_new(int flags);

#define TABLE_RIGHT (1 << 0)
#define TABLE_WRAP  (1 << 1) /* wrap cells if the terminal is too narrow */
void table_column(struct libscols_table *table, const char *name, int flags);
struct libscols_line *table_line(struct libscols_table *table);
/* @text: printable ASCII, or any if TABLE_RAW; the table frees it. @color: a screen_color() */
void table_cell(struct libscols_line *line, size_t column, char *text, const char *color);
/* Prints and frees the table. */
void table_print(struct libscols_table *table);

#endif
