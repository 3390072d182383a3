// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "logger.h"
#include "output.h"
#include "tool.h"

#define JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

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

static struct json_object *json_text(const char *bytes, size_t len)
{
	char *text = escape(bytes, len);
	struct json_object *object = must(json_object_new_string(text));

	free(text);
	return object;
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

/* {"schema":1}, and arrays to come. */
static struct json_object *report_new(void)
{
	struct json_object *report = must(json_object_new_object());

	json_object_object_add(report, "schema", must(json_object_new_int(1)));
	return report;
}

static struct json_object *report_array(struct json_object *report, const char *name)
{
	struct json_object *array = must(json_object_new_array());

	json_object_object_add(report, name, array);
	return array;
}

static void report_print(struct json_object *report)
{
	puts(must((void *)json_object_to_json_string_ext(report, JSON_FLAGS)));
	json_object_put(report);
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
	struct json_object *report = report_new();
	struct json_object *array = report_array(report, "devices");
	const struct xensplit_node *node;

	for (size_t i = 0; i < count; i++)
		json_object_array_add(array, device_json(devices[i]));
	if (nodes) {
		array = report_array(report, "nodes");
		for (size_t i = 0; (node = xensplit_nodes_get(nodes, i)); i++)
			json_object_array_add(array, node_json(node));
	}
	report_print(report);
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

void print_changes(const struct xensplit_batch *batch, int json)
{
	struct json_object *report = NULL, *array = NULL;
	const struct xensplit_node *node;

	if (json) {
		report = report_new();
		array = report_array(report, "changes");
	}
	for (size_t i = 0; (node = xensplit_batch_change(batch, i)); i++) {
		if (json)
			json_object_array_add(array, node_json(node));
		else
			print_change(node);
	}
	if (json)
		report_print(report);
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_text(text, strlen(text)) : NULL);
}

static void add_number(struct json_object *object, const char *key, uint32_t number)
{
	json_object_object_add(
		object, key,
		number == XENSPLIT_ANY ? NULL : must(json_object_new_int64(number)));
}

static void add_state(struct json_object *object, const char *key, int given, int state)
{
	add_text(object, key,
		 given && state != XENSPLIT_STATE_ABSENT ? xensplit_state_name(state)
							 : NULL);
}

/* --- findings --- */

static const char *severity_name(int severity)
{
	return severity == XENSPLIT_SEVERITY_ERROR ? "error" : "warning";
}

/* The library has escaped what a guest wrote in it. */
static void add_escaped(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key,
			       text ? must(json_object_new_string(text)) : NULL);
}

static struct json_object *finding_json(const struct xensplit_finding *finding)
{
	struct json_object *object = must(json_object_new_object());
	int device = finding->id.type != NULL;

	add_text(object, "severity", severity_name(finding->severity));
	add_text(object, "code", finding->code);
	add_number(object, "domid", device ? finding->id.domid : XENSPLIT_ANY);
	add_text(object, "type", finding->id.type);
	add_number(object, "devid", device ? finding->id.devid : XENSPLIT_ANY);
	add_number(object, "backend_domid", finding->backend_domid);
	add_escaped(object, "what", finding->what);
	add_escaped(object, "why", finding->why);
	add_escaped(object, "fix", finding->fix);
	json_object_object_add(object, "repairable",
			       must(json_object_new_boolean(finding->repairable)));
	return object;
}

static void print_finding(const struct xensplit_finding *finding)
{
	char *name = finding->id.type ? id_name(&finding->id) : must(strdup("this host"));

	printf("%s: %s: %s [%s]\n    why: %s\n", name, severity_name(finding->severity),
	       finding->what, finding->code, finding->why);
	if (finding->fix)
		printf("    fix: %s\n", finding->fix);
	free(name);
}

void print_findings(const struct xensplit_findings *findings, int json)
{
	struct json_object *report = json ? report_new() : NULL;
	struct json_object *array = json ? report_array(report, "findings") : NULL;
	const struct xensplit_finding *finding;

	for (size_t i = 0; (finding = xensplit_findings_get(findings, i)); i++) {
		if (json)
			json_object_array_add(array, finding_json(finding));
		else
			print_finding(finding);
	}
	if (json)
		report_print(report);
}

/* --- events --- */

static const char *event_name(int type)
{
	static const char *const names[] = {
		[XENSPLIT_EVENT_APPEARED] = "appeared",
		[XENSPLIT_EVENT_STATE] = "state",
		[XENSPLIT_EVENT_ERROR] = "error",
		[XENSPLIT_EVENT_VANISHED] = "vanished",
		[XENSPLIT_EVENT_DOMAIN_GONE] = "domain-gone",
		[XENSPLIT_EVENT_RESYNC] = "resync",
	};

	if (type < 1 || (size_t)type >= sizeof(names) / sizeof(names[0]))
		return "unknown"; /* of a library newer than this tool */
	return names[type];
}

static const char *end_name(int end)
{
	if (end == XENSPLIT_END_NONE)
		return NULL;
	return end == XENSPLIT_END_FRONTEND ? "frontend" : "backend";
}

/* The library counts from boot; a reader wants the time of day. */
static struct timespec event_time(const struct xensplit_event *event)
{
	struct timespec now, since;
	int64_t ns;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_MONOTONIC, &since);
	ns = ((int64_t)now.tv_sec - since.tv_sec) * 1000000000 + now.tv_nsec -
	     since.tv_nsec + (int64_t)event->time_us * 1000;
	now.tv_sec = ns / 1000000000;
	now.tv_nsec = ns % 1000000000;
	return now;
}

static void print_event_json(const struct xensplit_event *event)
{
	struct json_object *object = report_new();
	struct timespec time = event_time(event);
	int state = event->type == XENSPLIT_EVENT_STATE;
	int both = event->type == XENSPLIT_EVENT_APPEARED ||
		   event->type == XENSPLIT_EVENT_RESYNC;
	char text[40];

	add_text(object, "event", event_name(event->type));
	snprintf(text, sizeof(text), "%lld.%06ld", (long long)time.tv_sec,
		 time.tv_nsec / 1000);
	json_object_object_add(object, "time",
			       must(json_object_new_double_s(atof(text), text)));
	add_number(object, "domid", event->id.domid);
	add_text(object, "type", event->id.type);
	add_number(object, "devid", event->id.devid);
	add_number(object, "backend_domid", event->backend_domid);
	add_text(object, "end", end_name(event->end));
	add_state(object, "from", state, event->from);
	add_state(object, "to", state, event->to);
	add_state(object, "frontend_state", both, event->from);
	add_state(object, "backend_state", both, event->to);
	add_text(object, "text", event->text);
	json_object_object_add(object, "missed",
			       must(json_object_new_int64(event->missed)));
	report_print(object);
}

/* At a glance: there, on its way out, wrong. */
static const char *state_color(int state)
{
	switch (state) {
	case XENSPLIT_STATE_CONNECTED:
		return "\033[32m";
	case XENSPLIT_STATE_CLOSING:
	case XENSPLIT_STATE_CLOSED:
		return "\033[33m";
	case XENSPLIT_STATE_INVALID:
		return "\033[31m";
	default:
		return NULL;
	}
}

static void print_state(int state, int color)
{
	const char *begin = color ? state_color(state) : NULL;

	printf("%s%s%s", begin ? begin : "", xensplit_state_name(state),
	       begin ? "\033[0m" : "");
}

static void print_event_what(const struct xensplit_event *event, int color)
{
	char *text;

	switch (event->type) {
	case XENSPLIT_EVENT_STATE:
		printf("%-8s ", end_name(event->end));
		print_state(event->from, color);
		fputs(" -> ", stdout);
		print_state(event->to, color);
		return;
	case XENSPLIT_EVENT_ERROR:
		text = escape(event->text, strlen(event->text));
		printf("%-8s %serror%s: \"%s\"", end_name(event->end),
		       color ? "\033[31m" : "", color ? "\033[0m" : "", text);
		free(text);
		return;
	case XENSPLIT_EVENT_DOMAIN_GONE:
		printf("%-8s domain gone", end_name(event->end));
		return;
	case XENSPLIT_EVENT_APPEARED:
	case XENSPLIT_EVENT_RESYNC:
		printf("%s (frontend ", event_name(event->type));
		print_state(event->from, color);
		fputs(", backend ", stdout);
		print_state(event->to, color);
		if (event->type == XENSPLIT_EVENT_RESYNC)
			printf(", %u writes not shown", event->missed);
		putchar(')');
		return;
	default:
		fputs(event_name(event->type), stdout);
	}
}

void print_event(const struct xensplit_event *event, int json, int color)
{
	struct timespec time;
	struct tm tm;
	char *name;

	if (json) {
		print_event_json(event);
		return;
	}
	time = event_time(event);
	localtime_r(&time.tv_sec, &tm);
	name = id_name(&event->id);
	printf("%02d:%02d:%02d.%03ld %s: ", tm.tm_hour, tm.tm_min, tm.tm_sec,
	       time.tv_nsec / 1000000, name);
	free(name);
	print_event_what(event, color);
	putchar('\n');
}

void print_armed(int json)
{
	struct json_object *object;

	if (!json) {
		puts("watching");
		return;
	}
	object = report_new();
	add_text(object, "event", "armed");
	report_print(object);
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
