// SPDX-License-Identifier: LGPL-2.1-or-later
/* Snapshots of devices. */
#include "array.h"
#include "list.h"
#include "strangers.h"

struct xensplit_list {
	struct entry **entries;
	size_t count;
	size_t room;
	struct domains domains; /* owns the names in the entries */
};

struct building {
	struct xensplit_list *list;
	struct xensplit_filter filter;
	struct domains *domains;
};

/* --- entries --- */

static void entry_free(struct entry *entry)
{
	if (!entry)
		return;
	pairs_clear(&entry->front);
	pairs_clear(&entry->back);
	claims_clear(&entry->claims);
	free(entry);
}

static const char *keep(char **end, const char *text)
{
	size_t size = strlen(text) + 1;
	char *kept = memcpy(*end, text, size);

	*end += size;
	return kept;
}

/* One block, including the texts, because there may be very many. */
static struct entry *entry_new(const struct place *place, const struct record *record)
{
	const struct device_id *id = &place->id;
	char frontend[PATH_SIZE], backend[PATH_SIZE] = "", *end;
	struct entry *entry;

	path_frontend(frontend, id, NULL);
	if (place->backend_domid != XENSPLIT_ANY)
		path_backend(backend, id, place->backend_domid, NULL);
	entry = calloc(1, sizeof(*entry) + strlen(frontend) + strlen(backend) +
				  strlen(id->type) + strlen(id->backend_type) +
				  UNIQUE_ID_SIZE + PHASE_SIZE + LISTED_SIZE + 6);
	if (!entry)
		return NULL;
	end = entry->texts;
	entry->device.id.domid = id->domid;
	entry->device.id.type = keep(&end, id->type);
	entry->device.id.devid = id->devid;
	entry->device.backend_domid = place->backend_domid;
	entry->device.backend_type = *id->backend_type ? keep(&end, id->backend_type)
						       : entry->device.id.type;
	entry->device.frontend = keep(&end, frontend);
	if (*backend)
		entry->device.backend = keep(&end, backend);
	entry->device.backend_state = XENSPLIT_STATE_ABSENT;
	entry->device.reserved = type_is_reserved(id->type) ||
				 type_is_reserved(entry->device.backend_type);
	entry->device.origin = place->recorded ? XENSPLIT_ORIGIN_XENSPLIT
					       : XENSPLIT_ORIGIN_FOREIGN;
	if (record) {
		entry->device.unique_id = keep(&end, record->unique_id);
		entry->device.created = record->created;
		if (*record->phase)
			entry->device.phase = keep(&end, record->phase);
		if (*record->listed)
			entry->device.listed = keep(&end, record->listed);
	}
	return entry;
}

void entry_place(const struct entry *entry, struct place *ret_place)
{
	const struct xensplit_device *device = &entry->device;

	memset(ret_place, 0, sizeof(*ret_place));
	ret_place->id.domid = device->id.domid;
	ret_place->id.devid = device->id.devid;
	memcpy(ret_place->id.type, device->id.type, strlen(device->id.type));
	id_set_backend_type(&ret_place->id, device->backend_type);
	ret_place->backend_domid = device->backend_domid;
	ret_place->recorded = device->origin == XENSPLIT_ORIGIN_XENSPLIT;
}

static int read_online(struct txn *txn, const struct place *place, struct entry *entry)
{
	char path[PATH_SIZE], *value;
	size_t len;
	int r;

	if (place->backend_domid == XENSPLIT_ANY)
		return 0;
	path_backend(path, &place->id, place->backend_domid, "online");
	r = store_read(txn, path, &value, &len);
	if (r)
		return r == -ENOENT ? 0 : r;
	entry->has_online = true;
	entry->device.online = len == 1 && *value == '1';
	free(value);
	return 0;
}

/* Takes ownership of the entry. */
static int list_add(struct txn *txn, struct xensplit_list *list,
		    const struct place *place, struct entry *entry)
{
	struct xensplit_device *device = &entry->device;
	struct entry **more;
	int r = place_states(txn, place, &device->frontend_state, &device->backend_state);

	if (!r)
		r = read_online(txn, place, entry);
	more = r ? NULL
		 : array_grow(list->entries, list->count, &list->room, sizeof(*more));
	if (!r && !more)
		r = fail(txn->ctx, -ENOMEM, "out of memory");
	if (r) {
		entry_free(entry);
		return r;
	}
	list->entries = more;
	list->entries[list->count++] = entry;
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *const *first = a, *const *second = b;
	const struct xensplit_id *one = &(*first)->device.id,
				 *other = &(*second)->device.id;
	int order;

	if (one->domid != other->domid)
		return one->domid < other->domid ? -1 : 1;
	order = strcmp(one->type, other->type);
	if (order)
		return order;
	return one->devid < other->devid ? -1 : one->devid > other->devid;
}

static void list_sort(struct xensplit_list *list)
{
	if (list->count)
		qsort(list->entries, list->count, sizeof(struct entry *),
		      compare_entries);
}

/* --- devices with a record --- */

/* Takes ownership of the pairs. */
static void entry_take_keys(struct entry *entry, struct pairs *front, struct pairs *back)
{
	struct xensplit_device *device = &entry->device;

	entry->front = *front;
	entry->back = *back;
	device->front = front->list;
	device->front_count = front->count;
	device->back = back->list;
	device->back_count = back->count;
	memset(front, 0, sizeof(*front));
	memset(back, 0, sizeof(*back));
}

static int add_whole(struct txn *txn, struct building *building,
		     const struct record *record, struct pairs *front, struct pairs *back)
{
	struct place place = { record->id, record->backend_domid, true };
	struct entry *entry;
	int stale = domains_stale(txn, building->domains, record);

	if (stale < 0)
		return stale;
	entry = entry_new(&place, record);
	if (!entry)
		return fail(txn->ctx, -ENOMEM, "out of memory");
	entry->device.stale = stale;
	entry_take_keys(entry, front, back);
	return list_add(txn, building->list, &place, entry);
}

/* Only the name is known of a device whose record can't be parsed. */
static int add_damaged(struct txn *txn, struct building *building,
		       const struct device_id *id)
{
	struct place place = { .id = *id, .recorded = true };
	struct claims claims = { 0 };
	struct entry *entry;
	int r = claims_find(txn, id, &claims);

	if (!r)
		r = claims_choose(txn, id, &claims, &place.backend_domid);
	if (r || !backend_matches(place.backend_domid, &building->filter)) {
		claims_clear(&claims);
		return r;
	}
	entry = entry_new(&place, NULL);
	if (!entry) {
		claims_clear(&claims);
		return fail(txn->ctx, -ENOMEM, "out of memory");
	}
	entry->device.damaged = 1;
	entry->claims = claims;
	return list_add(txn, building->list, &place, entry);
}

/* Ignores a record that has disappeared meanwhile. */
static int add_recorded(struct txn *txn, const struct device_id *id, void *data)
{
	struct building *building = data;
	struct pairs front = { 0 }, back = { 0 };
	struct record record;
	int r = record_read_whole(txn, id, &record, &front, &back);

	if (!r && backend_matches(record.backend_domid, &building->filter))
		r = add_whole(txn, building, &record, &front, &back);
	pairs_clear(&front);
	pairs_clear(&back);
	if (r == -EBADMSG)
		return add_damaged(txn, building, id);
	return r == -ENOENT ? 0 : r;
}

/* --- devices without a record --- */

static bool is_recorded(const struct device_id *id, uint32_t backend_domid, void *data)
{
	const struct building *building = data;
	const struct xensplit_list *list = building->list;
	struct entry key = { .device.id = { id->domid, id->type, id->devid } };
	const struct entry *wanted = &key;

	(void)backend_domid;
	return list->count && bsearch(&wanted, list->entries, list->count,
				      sizeof(struct entry *), compare_entries);
}

/* Takes ownership of the claims. */
static int add_stranger(struct txn *txn, const struct device_id *id,
			struct claims *claims, void *data)
{
	struct building *building = data;
	struct place place = { .id = *id };
	struct entry *entry;
	int r = claims_choose(txn, id, claims, &place.backend_domid);

	if (r || !backend_matches(place.backend_domid, &building->filter))
		return r;
	entry = entry_new(&place, NULL);
	if (!entry)
		return fail(txn->ctx, -ENOMEM, "out of memory");
	entry->claims = *claims;
	memset(claims, 0, sizeof(*claims));
	return list_add(txn, building->list, &place, entry);
}

static int add_strangers(struct txn *txn, struct building *building)
{
	struct strangers_ops ops = { is_recorded, add_stranger, building };
	struct strangers strangers = { .filter = &building->filter, .ops = &ops };
	struct xensplit_list *list = building->list;
	int r = 0;

	if (filter_is_single(&building->filter))
		return list->count ? 0 : strangers_single(txn, &strangers);
	list_sort(list);
	for (size_t i = 0; !r && i < list->count; i++) {
		struct place place;

		entry_place(list->entries[i], &place);
		if (*place.id.backend_type)
			r = strangers_exclude(txn, &strangers, &place);
	}
	if (!r)
		r = strangers_foreach(txn, &strangers);
	strangers_clear(&strangers);
	return r;
}

/* --- the list --- */

static int name_domains(struct txn *txn, struct xensplit_list *list)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < list->count; i++)
		r = domains_name(txn, &list->domains, list->entries[i]->device.id.domid,
				 &list->entries[i]->device.domain);
	return r;
}

int list_build(struct txn *txn, struct domains *domains,
	       const struct xensplit_filter *filter, uint32_t flags,
	       struct xensplit_list **ret_list)
{
	struct building building = { .filter = *filter, .domains = domains };
	struct xensplit_list *list = calloc(1, sizeof(*list));
	int r;

	if (!list)
		return fail(txn->ctx, -ENOMEM, "out of memory");
	building.list = list;
	r = record_foreach(txn, filter, add_recorded, &building);
	if (!r && (flags & XENSPLIT_LIST_FOREIGN))
		r = add_strangers(txn, &building);
	list_sort(list);
	if (!r && !(flags & LIST_UNNAMED))
		r = name_domains(txn, list);
	if (r)
		xensplit_list_free(list);
	else
		*ret_list = list;
	return r;
}

XENSPLIT_API int xensplit_list_new(struct xensplit_ctx *ctx,
				   const struct xensplit_filter *filter, uint32_t flags,
				   struct xensplit_list **ret_list)
{
	struct domains domains = { 0 };
	struct xensplit_filter f;
	int r;

	if (!ctx || !ret_list)
		return -EINVAL;
	ctx_begin(ctx);
	if (flags & ~XENSPLIT_LIST_FOREIGN)
		return fail(ctx, -EINVAL, "unknown list flags 0x%x", flags);
	struct txn txn = TXN_NONE(ctx);

	r = id_check_filter(ctx, filter, &f);
	if (r)
		return r;
	r = list_build(&txn, &domains, &f, flags, ret_list);
	domains_clear(&domains);
	if (!r)
		ctx_begin(ctx);
	return r;
}

XENSPLIT_API const struct xensplit_device *
xensplit_list_get(const struct xensplit_list *list, size_t index)
{
	return list && index < list->count ? &list->entries[index]->device : NULL;
}

const struct entry *list_entry(const struct xensplit_list *list, size_t index)
{
	return index < list->count ? list->entries[index] : NULL;
}

XENSPLIT_API struct xensplit_list *xensplit_list_free(struct xensplit_list *list)
{
	if (!list)
		return NULL;
	while (list->count)
		entry_free(list->entries[--list->count]);
	free(list->entries);
	domains_clear(&list->domains);
	free(list);
	return NULL;
}
