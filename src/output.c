// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "logger.h"
#include "output.h"
#include "tool.h"

enum field_type {
	FIELD_NUMBER, /* uint32_t, XENSPLIT_ANY for none */
	FIELD_TEXT,   /* const char *, NULL for none */
	FIELD_STATE,  /* int */
	FIELD_FLAG,   /* int */
	FIELD_ORIGIN, /* int */
};

/* Table and JSON are both made from these rows, so that neither can lack a field. */
static const struct field {
	const char *column;
	const char *key;
	enum field_type type;
	size_t offset;
	int usual;
} fields[] = {
#define FIELD(column, key, type, member, usual)                                    \
	{                                                                          \
		column, key, type, offsetof(struct xensplit_device, member), usual \
	}
	FIELD("DOMID", "domid", FIELD_NUMBER, id.domid, 1),
	FIELD("DOMAIN", "domain", FIELD_TEXT, domain, 1),
	FIELD("TYPE", "type", FIELD_TEXT, id.type, 1),
	FIELD("DEVID", "devid", FIELD_NUMBER, id.devid, 1),
	FIELD("BACKEND", "backend_domid", FIELD_NUMBER, backend_domid, 1),
	FIELD("FRONTEND-STATE", "frontend_state", FIELD_STATE, frontend_state, 1),
	FIELD("BACKEND-STATE", "backend_state", FIELD_STATE, backend_state, 1),
	FIELD("ONLINE", "online", FIELD_FLAG, online, 1),
	FIELD("ORIGIN", "origin", FIELD_ORIGIN, origin, 1),
	FIELD("STALE", "stale", FIELD_FLAG, stale, 1),
	FIELD("BACKEND-TYPE", "backend_type", FIELD_TEXT, backend_type, 0),
	FIELD("FRONTEND-PATH", "frontend", FIELD_TEXT, frontend, 0),
	FIELD("BACKEND-PATH", "backend", FIELD_TEXT, backend, 0),
#undef FIELD
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

char *escape(const char *bytes, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char *text = must(malloc(4 * len + 1));
	char *end = text;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte == '\\') {
			*end++ = '\\';
			*end++ = '\\';
		} else if (byte >= ' ' && byte <= '~') {
			*end++ = (char)byte;
		} else {
			*end++ = '\\';
			*end++ = 'x';
			*end++ = hex[byte >> 4];
			*end++ = hex[byte & 15];
		}
	}
	*end = '\0';
	return text;
}

char *id_name(const struct xensplit_id *id)
{
	char *type = escape(id->type, strlen(id->type));
	char devid[16] = "auto";
	char *name = NULL;

	if (id->devid != XENSPLIT_DEVID_AUTO)
		snprintf(devid, sizeof(devid), "%u", id->devid);
	if (asprintf(&name, "%s/%s of domain %u", type, devid, id->domid) < 0)
		name = NULL;
	free(type);
	return must(name);
}

void print_line(const struct xensplit_id *id, const char *domain, const char *format, ...)
{
	char *name = id_name(id);
	va_list args;

	logger_clear_progress();
	fputs(name, stdout);
	free(name);
	if (domain) {
		name = escape(domain, strlen(domain));
		printf(" (%s)", name);
		free(name);
	}
	fputs(": ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static const char *origin_name(int origin)
{
	return origin == XENSPLIT_ORIGIN_FOREIGN ? "foreign" : "xensplit";
}

static char *field_text(const struct field *field, const struct xensplit_device *device)
{
	const void *at = (const char *)device + field->offset;
	const char *text = "-";
	char number[16];

	switch (field->type) {
	case FIELD_NUMBER:
		if (*(const uint32_t *)at != XENSPLIT_ANY) {
			snprintf(number, sizeof(number), "%u", *(const uint32_t *)at);
			text = number;
		}
		break;
	case FIELD_TEXT:
		if (*(const char *const *)at)
			text = *(const char *const *)at;
		break;
	case FIELD_STATE:
		text = xensplit_state_name(*(const int *)at);
		break;
	case FIELD_FLAG:
		text = *(const int *)at ? "yes" : "no";
		break;
	case FIELD_ORIGIN:
		text = origin_name(*(const int *)at);
		break;
	}
	return escape(text, strlen(text));
}

/* NULL is JSON's null. */
static struct json_object *field_json(const struct field *field,
				      const struct xensplit_device *device)
{
	const void *at = (const char *)device + field->offset;
	const char *text;
	int state;

	switch (field->type) {
	case FIELD_NUMBER:
		if (*(const uint32_t *)at == XENSPLIT_ANY)
			return NULL;
		return must(json_object_new_int64(*(const uint32_t *)at));
	case FIELD_TEXT:
		text = *(const char *const *)at;
		return text ? json_text(text, strlen(text)) : NULL;
	case FIELD_STATE:
		state = *(const int *)at;
		if (state == XENSPLIT_STATE_ABSENT)
			return NULL;
		return must(json_object_new_string(xensplit_state_name(state)));
	case FIELD_FLAG:
		return must(json_object_new_boolean(*(const int *)at));
	case FIELD_ORIGIN:
		return must(json_object_new_string(origin_name(*(const int *)at)));
	}
	abort();
}

static struct json_object *device_json(const struct xensplit_device *device)
{
	struct json_object *object = must(json_object_new_object());

	for (size_t i = 0; i < FIELD_COUNT; i++)
		json_object_object_add(object, fields[i].key,
				       field_json(&fields[i], device));
	return object;
}

static const char *op_name(int op)
{
	switch (op) {
	case XENSPLIT_NODE_WRITE:
		return "write";
	case XENSPLIT_NODE_REMOVE:
		return "remove";
	default:
		return "permissions";
	}
}

/* A node as it is has all three; a change has what it touches. */
static struct json_object *node_json(const struct xensplit_node *node)
{
	struct json_object *object = must(json_object_new_object());

	if (node->op != XENSPLIT_NODE_IS)
		json_object_object_add(object, "op",
				       must(json_object_new_string(op_name(node->op))));
	json_object_object_add(object, "path", json_text(node->path, strlen(node->path)));
	if (node->value)
		json_object_object_add(object, "value",
				       json_text(node->value, node->value_len));
	if (node->perms)
		json_object_object_add(object, "permissions",
				       json_text(node->perms, strlen(node->perms)));
	return object;
}

void print_devices_json(const struct xensplit_device *const *devices, size_t count,
			const struct xensplit_nodes *nodes)
{
	struct json_object *report = json_report();
	struct json_object *array = json_array(report, "devices");
	const struct xensplit_node *node;

	for (size_t i = 0; i < count; i++)
		json_object_array_add(array, device_json(devices[i]));
	if (nodes) {
		array = json_array(report, "nodes");
		for (size_t i = 0; (node = xensplit_nodes_get(nodes, i)); i++)
			json_object_array_add(array, node_json(node));
	}
	json_print(report);
}

static struct libscols_table *table_new(void)
{
	struct libscols_table *table = must(scols_new_table());

	scols_table_enable_noencoding(table, 1); /* escape() has done it */
	return table;
}

static void table_print(struct libscols_table *table)
{
	scols_print_table(table);
	scols_unref_table(table);
}

/* Finds the fields that a list of column names means. Returns: their number, or 0. */
static size_t columns_find(const char *columns, const struct field **ret_fields)
{
	size_t count = 0, len, i;

	for (;; columns += len + 1) {
		len = strcspn(columns, ",");
		for (i = 0; i < FIELD_COUNT; i++)
			if (strlen(fields[i].column) == len &&
			    !strncasecmp(fields[i].column, columns, len))
				break;
		if (i == FIELD_COUNT || count == FIELD_COUNT)
			return 0;
		ret_fields[count++] = &fields[i];
		if (!columns[len])
			return count;
	}
}

int print_devices_table(const struct xensplit_device *const *devices, size_t count,
			const char *columns, int headings)
{
	const struct field *shown[FIELD_COUNT];
	struct libscols_table *table;
	size_t shown_count = 0;

	if (columns) {
		shown_count = columns_find(columns, shown);
		if (!shown_count) {
			char *text = escape(columns, strlen(columns));

			usage_error("--output '%s': the columns are " USUAL_COLUMNS
				    "," MORE_COLUMNS,
				    text);
			free(text);
			return EXIT_USAGE;
		}
	} else {
		for (size_t i = 0; i < FIELD_COUNT; i++)
			if (fields[i].usual)
				shown[shown_count++] = &fields[i];
	}

	table = table_new();
	scols_table_enable_noheadings(table, !headings);
	for (size_t i = 0; i < shown_count; i++)
		must(scols_table_new_column(
			table, shown[i]->column, 0,
			shown[i]->type == FIELD_NUMBER ? SCOLS_FL_RIGHT : 0));
	for (size_t i = 0; i < count; i++) {
		struct libscols_line *line = must(scols_table_new_line(table, NULL));

		for (size_t j = 0; j < shown_count; j++)
			scols_line_refer_data(line, j, field_text(shown[j], devices[i]));
	}
	table_print(table);
	return EXIT_SUCCESS;
}

/* The value comes last: a guest may make it long, and then only the end of the line runs out. */
void print_nodes_table(const struct xensplit_nodes *nodes)
{
	struct libscols_table *table = table_new();
	const struct xensplit_node *node;

	must(scols_table_new_column(table, "PATH", 0, 0));
	must(scols_table_new_column(table, "PERMISSIONS", 0, 0));
	must(scols_table_new_column(table, "VALUE", 0, 0));
	for (size_t i = 0; (node = xensplit_nodes_get(nodes, i)); i++) {
		struct libscols_line *line = must(scols_table_new_line(table, NULL));

		scols_line_refer_data(line, 0, escape(node->path, strlen(node->path)));
		scols_line_refer_data(line, 1, escape(node->perms, strlen(node->perms)));
		scols_line_refer_data(line, 2, escape(node->value, node->value_len));
	}
	table_print(table);
}

typedef const struct xensplit_node *change_fn(const void *of, size_t index);

static void print_change(const struct xensplit_node *node)
{
	printf("%s %s", op_name(node->op), node->path);
	if (node->value) {
		char *value = escape(node->value, node->value_len);

		printf(" = \"%s\"", value);
		free(value);
	}
	if (node->perms)
		printf(" (%s)", node->perms);
	putchar('\n');
}

static void print_all_changes(change_fn *at, const void *of, int json)
{
	struct json_object *report = NULL, *array = NULL;
	const struct xensplit_node *node;

	if (json) {
		report = json_report();
		array = json_array(report, "changes");
	}
	for (size_t i = 0; (node = at(of, i)); i++) {
		if (json)
			json_object_array_add(array, node_json(node));
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

const struct xensplit_device **list_devices(const struct xensplit_list *list,
					    size_t *ret_count)
{
	const struct xensplit_device **devices = NULL;
	const struct xensplit_device *device;
	size_t count;

	xensplit_list_foreach (list, count, device) {
		devices = must(reallocarray(devices, count + 1, sizeof(*devices)));
		devices[count] = device;
	}
	*ret_count = count;
	return devices;
}
