// SPDX-License-Identifier: LGPL-2.1-or-later
/* The devices that a monitor follows. */
#include "array.h"
#include "monitor.h"

void table_init(struct table *table)
{
	memset(table, 0, sizeof(*table));
	table->pending_end = &table->pending;
}

static int compare(const struct followed *f, uint32_t domid, const char *type,
		   uint32_t devid)
{
	int order;

	if (f->id.domid != domid)
		return f->id.domid < domid ? -1 : 1;
	order = strcmp(f->id.type, type ? type : "");
	if (order)
		return order;
	return f->id.devid < devid ? -1 : f->id.devid > devid;
}

size_t table_begin(const struct table *table, uint32_t domid, const char *type,
		   uint32_t devid)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(table->devices[middle], domid, type, devid) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct followed *table_find(const struct table *table, const struct device_id *id)
{
	size_t index = table_begin(table, id->domid, id->type, id->devid);

	if (index == table->count || id_compare(&table->devices[index]->id, id) != 0)
		return NULL;
	return table->devices[index];
}

struct followed *table_add(struct table *table, const struct device_id *id)
{
	size_t index = table_begin(table, id->domid, id->type, id->devid);
	struct followed **more =
		array_grow(table->devices, table->count, &table->room, sizeof(*more));
	struct followed *f;

	if (!more)
		return NULL;
	table->devices = more;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->id = *id;
	f->backend_domid = XENSPLIT_ANY;
	f->state[0] = f->state[1] = XENSPLIT_STATE_ABSENT;
	memmove(more + index + 1, more + index,
		(table->count - index) * sizeof(struct followed *));
	more[index] = f;
	table->count++;
	return f;
}

void table_pend(struct table *table, struct followed *f)
{
	if (f->pending)
		return;
	f->pending = true;
	f->next = NULL;
	*table->pending_end = f;
	table->pending_end = &f->next;
	table->pending_count++;
}

struct followed *table_next_pending(struct table *table)
{
	struct followed *f = table->pending;

	if (!f)
		return NULL;
	f->pending = false;
	table->pending = f->next;
	table->pending_count--;
	if (!table->pending)
		table->pending_end = &table->pending;
	return f;
}

/* Keeps a device with a pending change: it may exist again. */
void table_forget(struct table *table, forget_fn *fn, void *data)
{
	size_t i, kept = 0;

	if (!table->vanished)
		return;
	table->vanished = false;
	for (i = 0; i < table->count; i++) {
		struct followed *f = table->devices[i];

		if (f->present || f->recorded || f->pending) {
			table->devices[kept++] = f;
			continue;
		}
		fn(f, data);
		free(f);
	}
	table->count = kept;
}

void table_clear(struct table *table)
{
	while (table->count)
		free(table->devices[--table->count]);
	free(table->devices);
	table_init(table);
}
