/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of libsmartcols that the tool uses. */
#ifndef XENSPLIT_PLUGIN_TABLE_H
#define XENSPLIT_PLUGIN_TABLE_H

#include <libsmartcols.h>

struct table_plugin {
	const char *version;
	__typeof__(scols_new_table) *new_table;
	__typeof__(scols_unref_table) *unref_table;
	__typeof__(scols_table_enable_noencoding) *enable_noencoding;
	__typeof__(scols_table_enable_noheadings) *enable_noheadings;
	__typeof__(scols_table_enable_raw) *enable_raw;
	__typeof__(scols_table_enable_colors) *enable_colors;
	__typeof__(scols_table_new_column) *new_column;
	__typeof__(scols_table_new_line) *new_line;
	__typeof__(scols_line_refer_data) *refer_data;
	__typeof__(scols_line_get_cell) *get_cell;
	__typeof__(scols_cell_set_color) *set_color;
	__typeof__(scols_print_table) *print;
};

#endif
