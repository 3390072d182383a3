// SPDX-License-Identifier: GPL-2.0-or-later
/* The only file that calls libsmartcols. */
#include "plugin-table.h"
#include "plugin.h"

PLUGIN_EXPORT const struct table_plugin xensplit_plugin = {
	.version = XENSPLIT_VERSION,
	.new_table = scols_new_table,
	.unref_table = scols_unref_table,
	.enable_noencoding = scols_table_enable_noencoding,
	.enable_noheadings = scols_table_enable_noheadings,
	.enable_raw = scols_table_enable_raw,
	.enable_colors = scols_table_enable_colors,
	.new_column = scols_table_new_column,
	.new_line = scols_table_new_line,
	.refer_data = scols_line_refer_data,
	.get_cell = scols_line_get_cell,
	.set_color = scols_cell_set_color,
	.print = scols_print_table,
};
