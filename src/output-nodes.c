// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints nodes and their changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json-items.h"
#include "json.h"
#include "logger.h"
#include "output.h"
#include "table.h"
#include "text.h"

/* The value comes last, since a guest may make it long: only the line's end overflows. */
void print_nodes_table(const struct xensplit_nodes *nodes)
{
	struct libscols_table *table = table_new(0);
	const struct xensplit_node *node;

	table_column(table, "PATH", 0);
	table_column(table, "PERMISSIONS", 0);
	table_column(table, "VALUE", 0);
	for (size_t i = 0; (node = xensplit_nodes_get(nodes, i)); i++) {
		struct libscols_line *line = table_line(table);

		table_cell(line, 0, escape(node->path, strlen(node->path)));
		table_cell(line, 1, escape(node->perms, strlen(node->perms)));
		table_cell(line, 2, escape(node->value, node->value_len));
	}
	table_print(table);
}

static void print_change(const struct xensplit_node *node)
{
	logger_make_way();
	printf("%s %s", node_op_name(node->op), node->path);
	if (node->value) {
		char *value = escape(node->value, node->value_len);

		printf(" = \"%s\"", value);
		free(value);
	}
	if (node->perms)
		printf(" (%s)", node->perms);
	putchar('\n');
}

typedef const struct xensplit_node *change_fn(const void *of, size_t index);

static void print_all_changes(change_fn *at, const void *of, int json)
{
	struct json_object *report = json ? json_report() : NULL;
	struct json_object *array = json ? json_array(report, "changes") : NULL;
	const struct xensplit_node *node;

	for (size_t i = 0; (node = at(of, i)); i++) {
		if (json)
			json_add_node(array, node);
		else
			print_change(node);
	}
	if (json)
		json_print(report);
}

static const struct xensplit_node *batch_change(const void *batch, size_t index)
{
	return xensplit_batch_change(batch, index);
}

void print_changes(const struct xensplit_batch *batch, int json)
{
	print_all_changes(batch_change, batch, json);
}

static const struct xensplit_node *reap_change(const void *reap, size_t index)
{
	return xensplit_reap_change(reap, index);
}

void print_reap_changes(const struct xensplit_reap *reap, int json)
{
	print_all_changes(reap_change, reap, json);
}
