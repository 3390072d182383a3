// SPDX-License-Identifier: LGPL-2.1-or-later
/* Snapshots of devices. */
#include "schema.h"

/* A device with all that its pointers lead to. */
struct entry {
	struct xensplit_device device;
	struct device_id id;
	char frontend[PATH_SIZE];
	char backend[PATH_SIZE];
	char unique_id[UNIQUE_ID_SIZE];
	char *domain;
};

struct xensplit_list {
	struct entry **entries;
	size_t count;
};

/* What was last asked about a domain: its devices stand together. */
struct asked {
	bool valid;
	uint32_t domid;
	struct identity recorded;
	int now;
};

struct building {
	struct xensplit_list *list;
	struct xensplit_filter filter;
	struct asked front;
	struct asked back;
};

static int list_add(struct txn *txn, struct xensplit_list *list,
		    const struct device_id *id, struct entry **ret_entry)
{
	struct entry **more =
		realloc(list->entries, (list->count + 1) * sizeof(struct entry *));
	struct entry *entry = calloc(1, sizeof(*entry));

	if (more)
		list->entries = more;
	if (!more || !entry) {
		free(entry);
		return fail(txn->ctx, -ENOMEM, "out of memory");
	}
	entry->id = *id;
	list->entries[list->count++] = entry;
	*ret_entry = entry;
	return 0;
}

static int read_online(struct txn *txn, const struct place *place, int *ret_online)
{
	char path[PATH_SIZE], *value;
	size_t len;
	int r;

	*ret_online = 0;
	if (place->backend_domid == XENSPLIT_ANY)
		return 0;
	path_backend(path, &place->id, place->backend_domid, "online");
	r = store_read(txn, path, &value, &len);
	if (r)
		return r == -ENOENT ? 0 : r;
	*ret_online = len == 1 && *value == '1';
	free(value);
	return 0;
}

static int entry_fill(struct txn *txn, struct entry *entry, const struct place *place)
{
	struct xensplit_device *device = &entry->device;
	int r = place_states(txn, place, &device->frontend_state, &device->backend_state);

	if (!r)
		r = read_online(txn, place, &device->online);
	if (r)
		return r;
	path_frontend(entry->frontend, &place->id, NULL);
	device->frontend = entry->frontend;
	if (place->backend_domid != XENSPLIT_ANY) {
		path_backend(entry->backend, &place->id, place->backend_domid, NULL);
		device->backend = entry->backend;
	}
	device->id.domid = entry->id.domid;
	device->id.type = entry->id.type;
	device->id.devid = entry->id.devid;
	device->backend_type = *entry->id.backend_type ? entry->id.backend_type
						       : entry->id.type;
	device->backend_domid = place->backend_domid;
	device->origin = place->recorded ? XENSPLIT_ORIGIN_XENSPLIT
					 : XENSPLIT_ORIGIN_FOREIGN;
	return 0;
}

/* A record that went meanwhile is no device; one that is odd shall not hide the others. */
static int skip_record(struct txn *txn, int r)
{
	if (r == -EBADMSG)
		log_warn(txn->ctx, "%s", txn->ctx->errmsg);
	return r == -EBADMSG || r == -ENOENT ? 0 : r;
}

static int domain_now(struct txn *txn, struct asked *asked, uint32_t domid,
		      const struct identity *recorded)
{
	if (asked->valid && asked->domid == domid &&
	    !strcmp(asked->recorded.uuid, recorded->uuid) &&
	    !strcmp(asked->recorded.mark, recorded->mark))
		return asked->now;
	asked->now = record_domain_now(txn, domid, recorded);
	asked->valid = asked->now >= 0;
	asked->domid = domid;
	asked->recorded = *recorded;
	return asked->now;
}

static int is_stale(struct txn *txn, struct building *building,
		    const struct record *record)
{
	int now = domain_now(txn, &building->front, record->id.domid, &record->frontend);

	if (now == DOMAIN_SAME)
		now = domain_now(txn, &building->back, record->backend_domid,
				 &record->backend);
	return now < 0 ? now : now != DOMAIN_SAME;
}

static int add_recorded(struct txn *txn, const struct device_id *id, void *data)
{
	struct building *building = data;
	struct record record;
	struct entry *entry;
	int stale, r;

	r = record_read(txn, id, &record);
	if (r)
		return skip_record(txn, r);
	stale = is_stale(txn, building, &record);
	if (stale < 0)
		return stale;
	r = list_add(txn, building->list, &record.id, &entry);
	if (r)
		return r;
	struct place place = { record.id, record.backend_domid, true };

	memcpy(entry->unique_id, record.unique_id, sizeof(entry->unique_id));
	entry->device.unique_id = entry->unique_id;
	entry->device.created = record.created;
	entry->device.stale = stale;
	return entry_fill(txn, entry, &place);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *const *first = a, *const *second = b;

	return id_compare(&(*first)->id, &(*second)->id);
}

/* --- devices without a record --- */

static bool is_listed(const struct xensplit_list *list, const struct device_id *id)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (!id_compare(&list->entries[i]->id, id))
			return true;
	return false;
}

static int add_foreign(struct txn *txn, struct building *building,
		       const struct device_id *id, uint32_t backend_domid)
{
	struct place place = { *id, backend_domid, false };
	struct entry *entry;
	int r;

	if (!id_matches(id, &building->filter) || is_listed(building->list, id))
		return 0;
	r = list_add(txn, building->list, id, &entry);
	return r ? r : entry_fill(txn, entry, &place);
}

/* The children of a directory; one that is not there, or is not ours to read, has none. */
static int children(struct txn *txn, const char *path, char ***ret_names,
		    unsigned int *ret_count)
{
	int r = store_list(txn, path, ret_names, ret_count);

	if (r != -ENOENT)
		return r;
	*ret_names = NULL;
	*ret_count = 0;
	return 0;
}

/*
 * Below @dir: TYPE/DEVID of a domain's frontends, or, with a backend's domain,
 * TYPE/DOMID/DEVID. @id holds what is known so far.
 */
static int walk_devids(struct txn *txn, struct building *building, const char *dir,
		       struct device_id *id, uint32_t backend_domid)
{
	unsigned int count, i;
	char **names = NULL;
	int r = children(txn, dir, &names, &count);

	for (i = 0; !r && i < count; i++) {
		uint64_t devid;

		if (!parse_number(names[i], strlen(names[i]), INT32_MAX, &devid))
			continue;
		id->devid = (uint32_t)devid;
		r = add_foreign(txn, building, id, backend_domid);
	}
	free(names);
	return r;
}

static int walk_frontend_domids(struct txn *txn, struct building *building,
				const char *dir, struct device_id *id,
				uint32_t backend_domid)
{
	unsigned int count, i;
	char **names = NULL;
	int r = children(txn, dir, &names, &count);

	for (i = 0; !r && i < count; i++) {
		char path[PATH_SIZE];
		uint64_t domid;

		if (!parse_number(names[i], strlen(names[i]), DOMID_END - 1, &domid))
			continue;
		id->domid = (uint32_t)domid;
		snprintf(path, sizeof(path), "%.*s/%" PRIu32, TYPE_MAX + 128, dir,
			 id->domid);
		r = walk_devids(txn, building, path, id, backend_domid);
	}
	free(names);
	return r;
}

static int walk_types(struct txn *txn, struct building *building, uint32_t domid,
		      bool backends)
{
	char dir[64], path[PATH_SIZE], **names = NULL;
	struct device_id id = { .domid = domid };
	unsigned int count, i;
	int r;

	snprintf(dir, sizeof(dir), "/local/domain/%" PRIu32 "/%s", domid,
		 backends ? "backend" : "device");
	r = children(txn, dir, &names, &count);
	for (i = 0; !r && i < count; i++) {
		if (!type_is_valid(names[i]))
			continue;
		snprintf(id.type, sizeof(id.type), "%.*s", TYPE_MAX, names[i]);
		snprintf(path, sizeof(path), "%s/%s", dir, id.type);
		r = backends ? walk_frontend_domids(txn, building, path, &id, domid)
			     : walk_devids(txn, building, path, &id, XENSPLIT_ANY);
	}
	free(names);
	return r;
}

/* The backends first, for they tell who the other end is; then what has none. */
static int add_all_foreign(struct txn *txn, struct building *building)
{
	unsigned int count, i, pass;
	char **names = NULL;
	int r = children(txn, "/local/domain", &names, &count);

	for (pass = 0; pass < 2; pass++)
		for (i = 0; !r && i < count; i++) {
			uint64_t domid;

			if (parse_number(names[i], strlen(names[i]), DOMID_END - 1,
					 &domid))
				r = walk_types(txn, building, (uint32_t)domid, pass == 0);
		}
	free(names);
	return r;
}

static void name_domains(struct txn *txn, struct xensplit_list *list)
{
	size_t i;

	/* Sorted by domid: one request a domain. */
	for (i = 0; i < list->count; i++) {
		struct entry *entry = list->entries[i],
			     *before = i ? list->entries[i - 1] : NULL;

		if (before && before->id.domid == entry->id.domid)
			entry->domain = before->domain ? strdup(before->domain) : NULL;
		else
			entry->domain = domain_name(txn, entry->id.domid);
		entry->device.domain = entry->domain;
	}
}

XENSPLIT_API int xensplit_list_new(struct xensplit_ctx *ctx,
				   const struct xensplit_filter *filter, uint32_t flags,
				   struct xensplit_list **ret_list)
{
	struct building building = { 0 };
	int r;

	if (!ctx || !ret_list)
		return -EINVAL;
	if (flags & ~XENSPLIT_LIST_FOREIGN)
		return fail(ctx, -EINVAL, "unknown list flags 0x%x", flags);
	struct txn txn = TXN_NONE(ctx);

	r = id_check_filter(ctx, filter, &building.filter);
	if (r)
		return r;
	building.list = calloc(1, sizeof(*building.list));
	if (!building.list)
		return fail(ctx, -ENOMEM, "out of memory");
	r = record_foreach(&txn, &building.filter, add_recorded, &building);
	if (!r && (flags & XENSPLIT_LIST_FOREIGN))
		r = add_all_foreign(&txn, &building);
	if (r) {
		xensplit_list_free(building.list);
		return r;
	}
	if (building.list->count)
		qsort(building.list->entries, building.list->count,
		      sizeof(struct entry *), compare_entries);
	name_domains(&txn, building.list);
	*ret_list = building.list;
	return 0;
}

XENSPLIT_API const struct xensplit_device *
xensplit_list_get(const struct xensplit_list *list, size_t index)
{
	return list && index < list->count ? &list->entries[index]->device : NULL;
}

XENSPLIT_API struct xensplit_list *xensplit_list_free(struct xensplit_list *list)
{
	if (!list)
		return NULL;
	while (list->count) {
		struct entry *entry = list->entries[--list->count];

		free(entry->domain);
		free(entry);
	}
	free(list->entries);
	free(list);
	return NULL;
}
