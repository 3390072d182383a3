// SPDX-License-Identifier: LGPL-2.1-or-later
/* Says whether a device is as wanted, by its record, and what differs. */
#include "stage.h"

/* As much of a value as a message shows. */
#define SHOWN_MAX 40

/* What differs, as far as it fits: "backend 2, not 0; front.mode is 'a', not 'b'". */
struct differences {
	char *text;
	size_t size;
	size_t used;
	bool any;
	bool full;
};

static void __printf(2, 3) add(struct differences *d, const char *format, ...)
{
	static const char more[] = "; ...";
	const char *between = d->any ? "; " : "";
	char one[2 * SHOWN_MAX + TYPE_MAX + 64];
	va_list args;

	d->any = true;
	if (d->full)
		return;
	va_start(args, format);
	vsnprintf(one, sizeof(one), format, args);
	va_end(args);
	d->full = d->used + strlen(between) + strlen(one) + sizeof(more) > d->size;
	d->used += (size_t)snprintf(d->text + d->used, d->size - d->used, "%s%s",
				    d->full ? more : between, d->full ? "" : one);
}

/* A value without its quotes, escaped and cut. */
static const char *shown(char buf[SHOWN_MAX + 4], const char *value)
{
	/* Four bytes for one that is escaped. */
	char whole[4 * VALUE_MAX_LEN + 8];
	size_t len;

	escape(whole, sizeof(whole), value, strlen(value));
	len = strlen(whole);
	snprintf(buf, SHOWN_MAX + 4, "%.*s%s", SHOWN_MAX, whole,
		 len > SHOWN_MAX ? "..." : "");
	return buf;
}

static void compare_keys(struct differences *d, const char *side,
			 const struct pairs *wanted, const struct pairs *is)
{
	char one[SHOWN_MAX + 4], other[SHOWN_MAX + 4];
	size_t i;

	for (i = 0; i < wanted->count; i++) {
		const struct xensplit_pair *pair = &wanted->list[i];
		const char *value = pairs_find(is, pair->key);

		if (!value)
			add(d, "%s.%s is missing", side, pair->key);
		else if (strcmp(value, pair->value) != 0)
			add(d, "%s.%s is '%s', not '%s'", side, pair->key,
			    shown(one, value), shown(other, pair->value));
	}
	for (i = 0; i < is->count; i++)
		if (!pairs_find(wanted, is->list[i].key))
			add(d, "%s.%s is extra", side, shown(one, is->list[i].key));
}

bool compare_device(const struct step *wanted, const struct record *record,
		    const struct pairs *front, const struct pairs *back, char *text,
		    size_t size)
{
	struct differences d = { .text = text, .size = size };

	*text = '\0';
	if (record->backend_domid != wanted->backend_domid)
		add(&d, "backend %" PRIu32 ", not %" PRIu32, record->backend_domid,
		    wanted->backend_domid);
	if (strcmp(id_backend_type(&record->id), id_backend_type(&wanted->id)) != 0)
		add(&d, "backend type %s, not %s", id_backend_type(&record->id),
		    id_backend_type(&wanted->id));
	compare_keys(&d, "front", &wanted->front, front);
	compare_keys(&d, "back", &wanted->back, back);
	return !d.any;
}
