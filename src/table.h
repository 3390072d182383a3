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
void table_column(struct libscols_table *table, const char *name, int right);
struct libscols_line *table_line(struct libscols_table *table);
/* @text: printable ASCII, or any if TABLE_RAW; the table frees it */
void table_cell(struct libscols_line *line, size_t column, char *text);
/* Prints and frees the table. */
void table_print(struct libscols_table *table);

#endif
