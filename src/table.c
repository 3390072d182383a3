// SPDX-License-Identifier: GPL-2.0-or-later
#include "common.h"
#include "logger.h"
#include "plugin-table.h"
#include "plugin.h"
#include "table.h"

static const struct table_plugin *scols;

struct libscols_table *table_new(int flags)
{
	struct libscols_table *table;

	logger_make_way();
	if (!scols)
		scols = plugin_load("table");
	table = must(scols->new_table());
	scols->enable_noencoding(table, 1); /* escape() has escaped all texts */
	scols->enable_noheadings(table, !!(flags & TABLE_NO_HEADINGS));
	scols->enable_raw(table, !!(flags & TABLE_RAW));
	scols->enable_colors(table, 1); /* for cells with a colour */
	return table;
}

void table_column(struct libscols_table *table, const char *name, int flags)
{
	must(scols->new_column(table, name, 0,
			       (flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0) |
				       (flags & TABLE_WRAP ? SCOLS_FL_WRAP : 0)));
}

struct libscols_line *table_line(struct libscols_table *table)
{
	return must(scols->new_line(table, NULL));
}

void table_cell(struct libscols_line *line, size_t column, char *text, const char *color)
{
	scols->refer_data(line, column, text);
	if (*color)
		scols->set_color(scols->get_cell(line, column), color);
}

void table_print(struct libscols_table *table)
{
	scols->print(table);
	scols->unref_table(table);
}
