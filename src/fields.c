// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common.h"
#include "fields.h"
#include "screen.h"
#include "text.h"
#include "xensplit.h"

/* The header gives the size, so that the compiler finds a missing row. */
const struct field fields[] = {
#define FIELD(column, key, type, member, usual)                                    \
	{                                                                          \
		column, key, type, offsetof(struct xensplit_device, member), usual \
	}
	FIELD("DOMID", "domid", FIELD_NUMBER, id.domid, 1),
	FIELD("DOMAIN", "domain", FIELD_TEXT, domain, 1),
	FIELD("DEVICE", NULL, FIELD_DEVICE, id, 1),
	FIELD("TYPE", "type", FIELD_TEXT, id.type, 0),
	FIELD("DEVID", "devid", FIELD_NUMBER, id.devid, 0),
	FIELD("BACKEND", "backend_domid", FIELD_NUMBER, backend_domid, 1),
	FIELD("FRONTEND-STATE", "frontend_state", FIELD_STATE, frontend_state, 1),
	FIELD("BACKEND-STATE", "backend_state", FIELD_STATE, backend_state, 1),
	FIELD("ONLINE", "online", FIELD_FLAG, online, 0),
	FIELD("ORIGIN", "origin", FIELD_ORIGIN, origin, 0),
	FIELD("STALE", "stale", FIELD_FLAG, stale, 0),
	FIELD("BACKEND-TYPE", "backend_type", FIELD_TEXT, backend_type, 0),
	FIELD("FRONTEND-PATH", "frontend", FIELD_TEXT, frontend, 0),
	FIELD("BACKEND-PATH", "backend", FIELD_TEXT, backend, 0),
	FIELD("DAMAGED", "damaged", FIELD_FLAG, damaged, 0),
	FIELD("PHASE", "phase", FIELD_TEXT, phase, 0),
	FIELD("LISTED", "listed", FIELD_TEXT, listed, 0),
	FIELD("CREATED", "created", FIELD_TIME, created, 0),
	FIELD("UNIQUE-ID", "unique_id", FIELD_TEXT, unique_id, 0),
	FIELD("KEYS", "keys", FIELD_KEYS, id, 0),
	FIELD("STATUS", NULL, FIELD_STATUS, id, 1),
#undef FIELD
};

const char *origin_name(int origin)
{
	return origin == XENSPLIT_ORIGIN_FOREIGN ? "foreign" : "xensplit";
}

/* One word for what is special about the device. */
static const char *status_of(const struct xensplit_device *device)
{
	if (device->damaged)
		return "damaged";
	if (device->stale)
		return "stale";
	if (device->phase)
		return "partial";
	return device->origin == XENSPLIT_ORIGIN_FOREIGN ? "foreign" : "-";
}

static char *device_text(const struct xensplit_id *id)
{
	return words("%s/%u", id->type, id->devid);
}

const void *field_at(const struct field *field, const struct xensplit_device *device)
{
	return (const char *)device + field->offset;
}

static void print_pairs(FILE *stream, const char *end, const struct xensplit_pair *pairs,
			size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "%s%s:%s=%s", ftell(stream) ? " " : "", end, pairs[i].key,
			pairs[i].value);
}

static char *keys_text(const struct xensplit_device *device)
{
	char *text = NULL;
	size_t size;
	FILE *stream = must(open_memstream(&text, &size));

	print_pairs(stream, "front", device->front, device->front_count);
	print_pairs(stream, "back", device->back, device->back_count);
	if (!ftell(stream))
		putc('-', stream);
	fclose(stream);
	return must(text);
}

static char *time_text(uint64_t seconds)
{
	time_t time = (time_t)seconds;
	char text[40] = "-";
	struct tm tm;

	if (seconds && localtime_r(&time, &tm))
		strftime(text, sizeof(text), "%FT%T%z", &tm);
	return must(strdup(text));
}

static char *number_text(uint32_t number)
{
	char text[16] = "-";

	if (number != XENSPLIT_ANY)
		snprintf(text, sizeof(text), "%u", number);
	return must(strdup(text));
}

char *field_text(const struct field *field, const struct xensplit_device *device)
{
	const void *at = field_at(field, device);
	const char *text = NULL;

	switch (field->type) {
	case FIELD_NUMBER:
		return number_text(*(const uint32_t *)at);
	case FIELD_TIME:
		return time_text(*(const uint64_t *)at);
	case FIELD_KEYS:
		return keys_text(device);
	case FIELD_TEXT:
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
	case FIELD_DEVICE:
		return device_text(at);
	case FIELD_STATUS:
		text = status_of(device);
		break;
	}
	/* A script that splits the line into words would miss an empty cell. */
	return must(strdup(text && *text ? text : "-"));
}

const char *field_color(const struct field *field, const struct xensplit_device *device)
{
	if (field->type == FIELD_STATE)
		return screen_state_color(*(const int *)field_at(field, device));
	if (field->type != FIELD_STATUS)
		return "";
	if (device->damaged)
		return screen_color(SCREEN_RED);
	return screen_color(device->stale || device->phase ? SCREEN_YELLOW : "");
}

static int columns_add(struct columns *columns, const struct field *field)
{
	if (columns->count == COLUMNS_MAX)
		return usage_error("--output: %d columns at most", COLUMNS_MAX);
	columns->fields[columns->count++] = field;
	return EXIT_SUCCESS;
}

static int columns_add_name(struct columns *columns, const char *name, size_t len)
{
	char *shown;

	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (strlen(fields[i].column) == len &&
		    !strncasecmp(fields[i].column, name, len))
			return columns_add(columns, &fields[i]);
	shown = escape(name, len);
	usage_error("--output: unknown column '%s': the columns are " USUAL_COLUMNS
		    "," MORE_COLUMNS "," PATH_COLUMNS,
		    shown);
	free(shown);
	return EXIT_USAGE;
}

int columns_parse(const char *text, struct columns *ret_columns)
{
	int status = EXIT_SUCCESS;

	ret_columns->count = 0;
	ret_columns->chosen = text != NULL;
	if (!text || *text == '+')
		for (size_t i = 0; i < FIELD_COUNT; i++)
			if (fields[i].usual)
				columns_add(ret_columns, &fields[i]);
	if (!text)
		return EXIT_SUCCESS;
	text += *text == '+';
	for (;;) {
		size_t len = strcspn(text, ",");

		status = columns_add_name(ret_columns, text, len);
		if (status || !text[len])
			return status;
		text += len + 1;
	}
}
