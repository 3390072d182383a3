/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fields of a device. Table and JSON are both made from these rows, so that neither lacks a
 * field.
 */
#ifndef XENSPLIT_FIELDS_H
#define XENSPLIT_FIELDS_H

#include <stddef.h>

struct xensplit_device;
struct xensplit_pair;

#define USUAL_COLUMNS "DOMID,DOMAIN,DEVICE,BACKEND,FRONTEND-STATE,BACKEND-STATE,STATUS"
#define MORE_COLUMNS \
	"TYPE,DEVID,ONLINE,ORIGIN,STALE,DAMAGED,PHASE,LISTED,CREATED,UNIQUE-ID,KEYS"
#define PATH_COLUMNS "BACKEND-TYPE,FRONTEND-PATH,BACKEND-PATH"

enum field_type {
	FIELD_NUMBER, /* uint32_t, XENSPLIT_ANY for none */
	FIELD_TEXT,   /* const char *, NULL for none */
	FIELD_STATE,  /* int */
	FIELD_FLAG,   /* int */
	FIELD_ORIGIN, /* int */
	FIELD_TIME,   /* uint64_t, seconds since the epoch, 0 for none */
	FIELD_KEYS,   /* the whole device: two lists of pairs */
	FIELD_DEVICE, /* struct xensplit_id; "mydevice/0" */
	FIELD_STATUS, /* computed from several fields */
};

struct field {
	const char *column;
	const char *key; /* in JSON; NULL: only in tables, computed from other fields */
	enum field_type type;
	size_t offset;
	int usual;
};

#define FIELD_COUNT 21
extern const struct field fields[FIELD_COUNT];

/* A pointer to the device's field, of the C type that its row says. */
const void *field_at(const struct field *field, const struct xensplit_device *device);

/* The text for a table, not escaped yet; the caller frees it. */
char *field_text(const struct field *field, const struct xensplit_device *device);

/* Its colour on stdout, "" for none. */
const char *field_color(const struct field *field, const struct xensplit_device *device);

const char *origin_name(int origin);

/* More than there are, because a column may be named twice. */
#define COLUMNS_MAX 64

struct columns {
	const struct field *fields[COLUMNS_MAX];
	size_t count;
	int chosen; /* the user named the columns */
};

/*
 * columns_parse - parse the argument of --output
 * @text: names separated by commas; a '+' before them adds to the default columns; NULL: defaults
 *
 * Returns: an exit status, after a message if a name is unknown.
 */
int columns_parse(const char *text, struct columns *ret_columns);

#endif
