// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The records, below /xensplit: what dom0 alone can read and write, and so the
 * only thing to go by when a device is acted upon (XSA-175, XSA-178).
 */
#include <time.h>

#include "internal.h"

const char RECORD_ROOT[] = "/xensplit";

static const struct perms record_perms = { 1, { { 0, XS_PERM_NONE } } };

static int read_key(struct txn *txn, const struct device_id *id, const char *key,
		    char **ret_value, size_t *ret_len)
{
	char path[PATH_SIZE];

	path_record(path, id, key);
	return store_read(txn, path, ret_value, ret_len);
}

static int bad_record(struct txn *txn, const struct device_id *id, const char *key)
{
	char path[PATH_SIZE];

	path_record(path, id, key);
	return fail(txn->ctx, -EBADMSG, "%s can't be understood", path);
}

static int read_number(struct txn *txn, const struct device_id *id, const char *key,
		       uint64_t max, uint64_t *ret_number)
{
	char *value;
	size_t len;
	bool ok;
	int r = read_key(txn, id, key, &value, &len);

	if (r)
		return r;
	ok = parse_number(value, len, max, ret_number);
	free(value);
	return ok ? 0 : bad_record(txn, id, key);
}

static int read_text(struct txn *txn, const struct device_id *id, const char *key,
		     char *buf, size_t size)
{
	char *value;
	size_t len;
	bool ok;
	int r = read_key(txn, id, key, &value, &len);

	if (r)
		return r;
	ok = len < size && strlen(value) == len;
	if (ok)
		memcpy(buf, value, len + 1);
	free(value);
	return ok ? 0 : bad_record(txn, id, key);
}

/* A key is missing: does the record lack it, or was it removed while it was read? */
static int half_record(struct txn *txn, const struct device_id *id)
{
	char path[PATH_SIZE];
	int r;

	path_record(path, id, "backend-id");
	r = store_exists(txn, path);
	if (r < 0)
		return r;
	return r ? bad_record(txn, id, NULL) : -ENOENT;
}

int record_read(struct txn *txn, const struct device_id *id, struct record *ret_record)
{
	struct record record = { .id = *id };
	uint64_t backend_domid;
	int r = read_number(txn, id, "backend-id", DOMID_END - 1, &backend_domid);

	if (r)
		return r;
	record.backend_domid = (uint32_t)backend_domid;
	r = read_text(txn, id, "frontend-uuid", record.frontend_uuid, UUID_SIZE);
	if (!r)
		r = read_text(txn, id, "backend-uuid", record.backend_uuid, UUID_SIZE);
	if (r == -ENOENT)
		return half_record(txn, id);
	if (!r)
		*ret_record = record;
	return r;
}

int record_read_details(struct txn *txn, struct record *record)
{
	int r = read_text(txn, &record->id, "unique-id", record->unique_id,
			  UNIQUE_ID_SIZE);

	if (r)
		return r;
	return read_number(txn, &record->id, "created", INT64_MAX, &record->created);
}

static int write_key(struct txn *txn, const struct device_id *id, const char *key,
		     const char *value)
{
	char path[PATH_SIZE];

	path_record(path, id, key);
	return store_write(txn, path, value, &record_perms);
}

static int write_number(struct txn *txn, const struct device_id *id, const char *key,
			uint64_t number)
{
	char value[24];

	snprintf(value, sizeof(value), "%" PRIu64, number);
	return write_key(txn, id, key, value);
}

int record_write(struct txn *txn, const struct record *record)
{
	const struct device_id *id = &record->id;
	char path[PATH_SIZE], frontend[PATH_SIZE], backend[PATH_SIZE];
	int r;

	path_frontend(frontend, id, NULL);
	path_backend(backend, id, record->backend_domid, NULL);
	path_record(path, id, NULL);
	r = store_mkdir(txn, path, &record_perms);
	if (!r)
		r = write_key(txn, id, "frontend", frontend);
	if (!r)
		r = write_key(txn, id, "backend", backend);
	if (!r)
		r = write_number(txn, id, "frontend-id", id->domid);
	if (!r)
		r = write_number(txn, id, "backend-id", record->backend_domid);
	if (!r)
		r = write_key(txn, id, "frontend-uuid", record->frontend_uuid);
	if (!r)
		r = write_key(txn, id, "backend-uuid", record->backend_uuid);
	if (!r)
		r = write_key(txn, id, "unique-id", record->unique_id);
	return r ? r : write_number(txn, id, "created", record->created);
}

int record_remove(struct txn *txn, const struct device_id *id)
{
	char path[PATH_SIZE];

	path_record(path, id, NULL);
	return store_remove_prune(txn, path, 3);
}

/* A UUID that was not known when the record was made, or is not now, tells nothing. */
int record_domain_now(struct txn *txn, uint32_t domid, const char *recorded_uuid)
{
	char uuid[UUID_SIZE];
	int r = domain_identity(txn, domid, uuid);

	if (r)
		return r == -ESRCH ? DOMAIN_GONE : r;
	if (*recorded_uuid && *uuid && strcmp(recorded_uuid, uuid) != 0)
		return DOMAIN_OTHER;
	return DOMAIN_SAME;
}

int record_is_stale(struct txn *txn, const struct record *record)
{
	int now = record_domain_now(txn, record->id.domid, record->frontend_uuid);

	if (now == DOMAIN_SAME)
		now = record_domain_now(txn, record->backend_domid, record->backend_uuid);
	return now < 0 ? now : now != DOMAIN_SAME;
}

int record_require(struct txn *txn, const struct device_id *id, struct record *ret_record)
{
	char text[ID_TEXT_SIZE];
	struct record record;
	int r = record_read(txn, id, &record);

	if (r == -ENOENT)
		return fail(txn->ctx, r, "%s is not attached (no record below %s)",
			    id_text(id, text, sizeof(text)), RECORD_ROOT);
	if (r)
		return r;
	r = record_is_stale(txn, &record);
	if (r > 0)
		return fail(
			txn->ctx, -ESTALE,
			"%s belongs to a domain that is gone: 'xensplit reap' removes it",
			id_text(id, text, sizeof(text)));
	if (!r)
		*ret_record = record;
	return r;
}

/* --- all of them --- */

struct walk {
	const struct xensplit_filter *filter;
	record_fn *fn;
	void *data;
	struct device_id id;
};

static int list_or_none(struct txn *txn, const char *path, char ***ret_names,
			unsigned int *count)
{
	int r = store_list(txn, path, ret_names, count);

	if (r != -ENOENT)
		return r;
	*ret_names = NULL;
	*count = 0;
	return 0;
}

static int walk_devids(struct txn *txn, struct walk *walk)
{
	unsigned int count, i;
	char path[PATH_SIZE], **names = NULL;
	int r;

	if (walk->filter->type && strcmp(walk->filter->type, walk->id.type) != 0)
		return 0;
	snprintf(path, sizeof(path), "%s/%" PRIu32 "/%s", RECORD_ROOT, walk->id.domid,
		 walk->id.type);
	r = list_or_none(txn, path, &names, &count);
	for (i = 0; !r && i < count; i++) {
		uint64_t devid;

		/* next-devid stands here too. */
		if (!parse_number(names[i], strlen(names[i]), INT32_MAX, &devid))
			continue;
		walk->id.devid = (uint32_t)devid;
		if (id_matches(&walk->id, walk->filter))
			r = walk->fn(txn, &walk->id, walk->data);
	}
	free(names);
	return r;
}

static int walk_types(struct txn *txn, struct walk *walk)
{
	unsigned int count, i;
	char path[PATH_SIZE], **names = NULL;
	int r;

	snprintf(path, sizeof(path), "%s/%" PRIu32, RECORD_ROOT, walk->id.domid);
	r = list_or_none(txn, path, &names, &count);
	for (i = 0; !r && i < count; i++) {
		if (!type_is_valid(names[i]))
			continue;
		memset(walk->id.type, 0, sizeof(walk->id.type));
		memcpy(walk->id.type, names[i], strlen(names[i]));
		r = walk_devids(txn, walk);
	}
	free(names);
	return r;
}

int record_foreach(struct txn *txn, const struct xensplit_filter *filter, record_fn *fn,
		   void *data)
{
	struct walk walk = { .filter = filter, .fn = fn, .data = data };
	unsigned int count, i;
	char **names = NULL;
	int r;

	/* A single one is not looked for: whether it is there, its reader finds out. */
	if (filter->domid != XENSPLIT_ANY && filter->type &&
	    filter->devid != XENSPLIT_ANY) {
		r = id_set(txn->ctx, &walk.id, filter->domid, filter->type,
			   filter->devid);
		return r ? r : fn(txn, &walk.id, data);
	}
	if (filter->domid != XENSPLIT_ANY) {
		walk.id.domid = filter->domid;
		return walk_types(txn, &walk);
	}
	r = list_or_none(txn, RECORD_ROOT, &names, &count);
	for (i = 0; !r && i < count; i++) {
		uint64_t domid;

		if (!parse_number(names[i], strlen(names[i]), DOMID_END - 1, &domid))
			continue;
		walk.id.domid = (uint32_t)domid;
		r = walk_types(txn, &walk);
	}
	free(names);
	return r;
}
