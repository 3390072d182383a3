/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told of a device. Table and JSON are both made from these rows, so that neither can
 * lack a field.
 */
#ifndef XENSPLIT_FIELDS_H
#define XENSPLIT_FIELDS_H

#include <stddef.h>

struct xensplit_device;

#define USUAL_COLUMNS                                                                 \
	"DOMID,DOMAIN,TYPE,DEVID,BACKEND,FRONTEND-STATE,BACKEND-STATE,ONLINE,ORIGIN," \
	"STALE"
#define MORE_COLUMNS "BACKEND-TYPE,FRONTEND-PATH,BACKEND-PATH,DAMAGED,PHASE"

enum field_type {
	FIELD_NUMBER, /* uint32_t, XENSPLIT_ANY for none */
	FIELD_TEXT,   /* const char *, NULL for none */
	FIELD_STATE,  /* int */
	FIELD_FLAG,   /* int */
	FIELD_ORIGIN, /* int */
};

struct field {
	const char *column;
	const char *key;
	enum field_type type;
	size_t offset;
	int usual;
};

#define FIELD_COUNT 15
extern const struct field fields[FIELD_COUNT];

/* Where the field of that device is, of the C type that its row tells. */
const void *field_at(const struct field *field, const struct xensplit_device *device);

/* As a table shows it; to be freed. */
char *field_text(const struct field *field, const struct xensplit_device *device);

const char *origin_name(int origin);

/*
 * columns_find - the fields that a list of column names means
 * @columns: names separated by commas, NULL for the usual ones
 *
 * Returns: their number, 0 where one is unknown.
 */
size_t columns_find(const char *columns, const struct field *ret_fields[FIELD_COUNT]);

#endif
