// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fields.h"
#include "text.h"
#include "xensplit.h"

/* Of the size that the header says, or the compiler complains. */
const struct field fields[] = {
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
	FIELD("DAMAGED", "damaged", FIELD_FLAG, damaged, 0),
	FIELD("PHASE", "phase", FIELD_TEXT, phase, 0),
#undef FIELD
};

const char *origin_name(int origin)
{
	return origin == XENSPLIT_ORIGIN_FOREIGN ? "foreign" : "xensplit";
}

const void *field_at(const struct field *field, const struct xensplit_device *device)
{
	return (const char *)device + field->offset;
}

char *field_text(const struct field *field, const struct xensplit_device *device)
{
	const void *at = field_at(field, device);
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

static size_t columns_usual(const struct field **ret_fields)
{
	size_t count = 0;

	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (fields[i].usual)
			ret_fields[count++] = &fields[i];
	return count;
}

size_t columns_find(const char *columns, const struct field *ret_fields[FIELD_COUNT])
{
	size_t count = 0, len, i;

	if (!columns)
		return columns_usual(ret_fields);
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
