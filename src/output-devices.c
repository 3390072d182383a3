// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "fields.h"
#include "json-items.h"
#include "json.h"
#include "logger.h"
#include "output.h"
#include "table.h"
#include "text.h"

void print_done(const struct xensplit_id *id, const char *what, const char *domain,
		const char *then)
{
	char *device = device_name(id), *owner = domain_words(id->domid, domain);

	print_note("%s %s %s%s", device, what, owner, then);
	free(device);
	free(owner);
}

void print_note(const char *format, ...)
{
	va_list args;

	logger_make_way();
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout); /* what is done is seen, also if the next step ends the process */
}

void print_devices_json(const struct xensplit_device *const *devices, size_t count,
			const struct xensplit_nodes *nodes)
{
	struct json_object *report = json_report();
	struct json_object *array = json_array(report, "devices");
	const struct xensplit_node *node;

	for (size_t i = 0; i < count; i++)
		json_add_device(array, devices[i]);
	if (nodes) {
		array = json_array(report, "nodes");
		for (size_t i = 0; (node = xensplit_nodes_get(nodes, i)); i++)
			json_add_node(array, node);
	}
	json_print(report);
}

void print_attached_json(const struct xensplit_device *device, int changed)
{
	struct json_object *report = json_report();
	struct json_object *array = json_array(report, "devices");

	if (device)
		json_add_device(array, device);
	json_add_flag(report, "changed", changed);
	json_print(report);
}

/* A domain's name may have any length. Columns that the user named are not wrapped. */
static int column_flags(const struct field *field, const struct columns *columns)
{
	if (field->type == FIELD_NUMBER)
		return TABLE_RIGHT;
	if (!columns->chosen && field->offset == offsetof(struct xensplit_device, domain))
		return TABLE_WRAP;
	return 0;
}

static char *cell(const struct field *field, const struct xensplit_device *device,
		  int flags)
{
	char *text = field_text(field, device), *shown;

	if (flags & TABLE_RAW) /* libsmartcols escapes it */
		return text;
	shown = escape(text, strlen(text));
	free(text);
	return shown;
}

void print_devices_table(const struct xensplit_device *const *devices, size_t count,
			 const struct columns *columns, int flags)
{
	struct libscols_table *table = table_new(flags);

	for (size_t i = 0; i < columns->count; i++)
		table_column(table, columns->fields[i]->column,
			     column_flags(columns->fields[i], columns));
	for (size_t i = 0; i < count; i++) {
		struct libscols_line *line = table_line(table);

		for (size_t j = 0; j < columns->count; j++)
			table_cell(line, j, cell(columns->fields[j], devices[i], flags),
				   flags & TABLE_RAW
					   ? ""
					   : field_color(columns->fields[j], devices[i]));
	}
	table_print(table);
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
