// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints nodes and their changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "common.h"
#include "json-items.h"
#include "json.h"
#include "logger.h"
#include "output.h"
#include "screen.h"
#include "text.h"

#define HEADING "PERMISSIONS"

/* The longest permissions, limited because a guest may make them very long. */
static int perms_width(const struct xensplit_nodes *nodes)
{
	const struct xensplit_node *node;
	size_t width = strlen(HEADING), len;

	for (size_t i = 0; (node = xensplit_nodes_get(nodes, i)); i++) {
		len = strlen(node->perms);
		if (len > width && len < 2 * strlen(HEADING))
			width = len;
	}
	return (int)width;
}

/* Is @path that of a node, or below it? */
static int is_below(const char *path, const char *root)
{
	size_t len = strlen(root);

	return len && !strncmp(path, root, len) && (!path[len] || path[len] == '/');
}

/* The name of a state in parentheses; empty for other values. */
static const char *state_note(const struct xensplit_node *node, const char *name,
			      char *buf, size_t size)
{
	int state = XENSPLIT_STATE_INVALID;
	uint32_t number;

	if (strcmp(name, "state") != 0)
		return "";
	if (strlen(node->value) == node->value_len &&
	    !parse_number(node->value, XENSPLIT_STATE_RECONFIGURED, &number))
		state = (int)number;
	snprintf(buf, size, " (%s)", xensplit_state_name(state));
	return buf;
}

/* @root: the topmost node of the part that it belongs to */
static void print_node(const struct xensplit_node *node, const char *root, int width)
{
	const char *name = node->path, *indent = "";
	char *path, *value, *text, note[32];
	int is_root = !strcmp(node->path, root);

	if (!is_root) {
		name += strlen(root) + 1;
		indent = "  ";
	}
	path = escape(name, strlen(name));
	value = escape(node->value, node->value_len);
	if (is_root && !*value)
		text = words("%s", path);
	else
		text = words("%s%s = \"%s\"%s", indent, path, value,
			     state_note(node, name, note, sizeof(note)));
	screen_cut(text, (size_t)printf("%-*s ", width, node->perms));
	free(text);
	free(value);
	free(path);
}

/* Prints a field of the record; a time also as a date. */
static void print_field(const char *line, size_t len, int width)
{
	static const char created[] = "created=";
	char *field = escape(line, len), *text, date[40] = "";
	time_t time;
	struct tm tm;

	if (!strncmp(field, created, strlen(created))) {
		time = (time_t)strtoll(field + strlen(created), NULL, 10);
		if (!localtime_r(&time, &tm) ||
		    !strftime(date, sizeof(date), " (%F %T)", &tm))
			*date = '\0';
	}
	text = words("%s%s", field, date);
	screen_cut(text, (size_t)printf("%*s", width + 3, ""));
	free(text);
	free(field);
}

/* The record's value has several lines, and only dom0 can have written it. */
static void print_record(const struct xensplit_node *node, int width)
{
	const char *line = node->value, *end = node->value + node->value_len;

	screen_cut(node->path, (size_t)printf("%-*s ", width, node->perms));
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((newline ? newline : end) - line);

		print_field(line, len, width);
		line += len + 1;
	}
}

/*
 * Like ls -l: short columns first, and the value last, since a guest may make it long: only the
 * end of its line overflows.
 */
void print_nodes(const struct xensplit_nodes *nodes)
{
	int width = perms_width(nodes);
	const struct xensplit_node *node;
	const char *root = "";

	logger_make_way();
	printf("%-*s NODE\n", width, HEADING);
	for (size_t i = 0; (node = xensplit_nodes_get(nodes, i)); i++) {
		if (!is_below(node->path, root))
			root = node->path;
		if (!strncmp(node->path, "/xensplit/", strlen("/xensplit/")))
			print_record(node, width);
		else
			print_node(node, root, width);
	}
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
