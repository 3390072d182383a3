// SPDX-License-Identifier: LGPL-2.1-or-later
/* Inside a transaction: check before writing a device, and write its nodes. */
#include <time.h>

#include "stage.h"

static int write_pairs(struct txn *txn, const struct pairs *pairs, const char *dir,
		       const struct perms *perms)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < pairs->count; i++) {
		char path[PATH_SIZE + TYPE_MAX + 8];

		snprintf(path, sizeof(path), "%s/%s", dir, pairs->list[i].key);
		r = store_write(txn, path, pairs->list[i].value, perms);
	}
	return r;
}

/*
 * New nodes inherit the permissions of their directory. So the directory first
 * gets those of backend and backend-id, then, after these are made, its own.
 */
static int write_frontend(struct txn *txn, const struct step *step,
			  const struct pairs *keys)
{
	struct perms perms = perms_frontend(&step->id, step->backend_domid);
	struct perms identity = perms_identity(&step->id, step->backend_domid);
	char dir[PATH_SIZE], path[PATH_SIZE], backend[PATH_SIZE], number[16];
	int r;

	path_frontend(dir, &step->id, NULL);
	path_backend(backend, &step->id, step->backend_domid, NULL);
	snprintf(number, sizeof(number), "%" PRIu32, step->backend_domid);
	r = store_mkdir(txn, dir, &identity);
	path_frontend(path, &step->id, "backend");
	if (!r)
		r = store_write(txn, path, backend, &identity);
	path_frontend(path, &step->id, "backend-id");
	if (!r)
		r = store_write(txn, path, number, &identity);
	if (!r)
		r = store_set_perms(txn, dir, &perms);
	if (!r)
		r = write_pairs(txn, keys, dir, &perms);
	path_frontend(path, &step->id, "state");
	return r ? r : store_write(txn, path, "1", &perms);
}

static int write_backend(struct txn *txn, const struct step *step,
			 const struct pairs *keys)
{
	struct perms perms = perms_backend(&step->id, step->backend_domid);
	char dir[PATH_SIZE], path[PATH_SIZE], frontend[PATH_SIZE], number[16];
	int r;

	path_backend(dir, &step->id, step->backend_domid, NULL);
	path_frontend(frontend, &step->id, NULL);
	snprintf(number, sizeof(number), "%" PRIu32, step->id.domid);
	r = store_mkdir(txn, dir, &perms);
	path_backend(path, &step->id, step->backend_domid, "frontend");
	if (!r)
		r = store_write(txn, path, frontend, &perms);
	path_backend(path, &step->id, step->backend_domid, "frontend-id");
	if (!r)
		r = store_write(txn, path, number, &perms);
	path_backend(path, &step->id, step->backend_domid, "online");
	if (!r)
		r = store_write(txn, path, "1", &perms);
	if (!r)
		r = write_pairs(txn, keys, dir, &perms);
	path_backend(path, &step->id, step->backend_domid, "state");
	return r ? r : store_write(txn, path, "1", &perms);
}

static int write_device(struct txn *txn, const struct step *step, struct record *record,
			const struct pairs *front, const struct pairs *back)
{
	int r;

	record->id = step->id;
	record->backend_domid = step->backend_domid;
	record->created = (uint64_t)time(NULL);
	r = random_text(txn->ctx, record->unique_id, UNIQUE_ID_SIZE);
	if (!r)
		r = record_write(txn, record, front, back);
	if (!r)
		r = write_frontend(txn, step, front);
	return r ? r : write_backend(txn, step, back);
}

static bool is_same_backend(const struct step *step, const struct record *old)
{
	return step->backend_domid == old->backend_domid &&
	       !strcmp(id_backend_type(&step->id), id_backend_type(&old->id));
}

/*
 * Removes the old record with its children, and the halves: a guest that owns
 * `device` can have made something there after the replace removed it. The record may
 * be that of another client, which has begun to replace what a third one attached
 * meanwhile: then its backend is still there. @old: NULL if there is no record.
 */
static int remove_leftovers(struct txn *txn, const struct step *step,
			    const struct record *old)
{
	struct place place = { step->id, step->backend_domid, false };
	char path[PATH_SIZE];
	int r = place_remove_halves(txn, &place);

	if (!r && old && !is_same_backend(step, old))
		r = place_remove_backend(txn, &old->id, old->backend_domid);
	path_record(path, &step->id, NULL);
	if (!r)
		r = store_remove(txn, path);
	return r < 0 ? r : 0;
}

static void keep_listed(struct record *record, const struct record *old)
{
	if (!*record->listed)
		memcpy(record->listed, old->listed, sizeof(record->listed));
}

/* 0: the place is free. */
static int check_free(struct txn *txn, const struct step *step, struct record *record)
{
	char path[PATH_SIZE];
	struct record old;
	int r = record_read(txn, &step->id, &old);

	/* A replace leaves its record until now: see replace.c. */
	if (r != -ENOENT && (r || !step->cleared || !*old.phase))
		return r ? r : refuse_record(txn, &old);
	if (!r)
		keep_listed(record, &old);
	if (step->cleared)
		return remove_leftovers(txn, step, r ? NULL : &old);
	path_frontend(path, &step->id, NULL);
	r = store_exists(txn, path);
	if (!r) {
		path_backend(path, &step->id, step->backend_domid, NULL);
		r = store_exists(txn, path);
	}
	if (r > 0)
		return fail_as(txn->ctx, -EEXIST, "foreign",
			       "%s exists, and xensplit did not make it", path);
	return r;
}

static int pick_devid(struct txn *txn, struct step *step, struct record *record)
{
	struct devids devids = { 0 };
	int r = devids_begin(txn, &devids, step);

	/* The first is usually free; otherwise list all that are taken. */
	if (!r)
		r = devids_avoids(step) ? -EEXIST : check_free(txn, step, record);
	if (r == -EEXIST || r == -ESTALE) {
		r = devids_list(txn, &devids, step);
		if (!r)
			r = check_free(txn, step, record);
	}
	if (!r)
		r = devids_end(txn, &devids, step);
	free(devids.taken);
	return r;
}

static int clear_the_way(struct txn *txn, const struct step *step, struct record *record)
{
	struct record old;
	struct place place;
	int r = place_find(txn, &step->id, &place);

	if (r)
		return r == -ENOENT ? 0 : r;
	if (place.recorded) {
		r = record_require(txn, &step->id, &old);
		if (r)
			return r;
		keep_listed(record, &old);
	}
	r = place_remove_halves(txn, &place);
	return r ? r : record_remove(txn, &step->id);
}

/* 1: nothing is to be written. */
static int make_room(struct txn *txn, struct step *step, struct record *record)
{
	int r = step->flags & XENSPLIT_ATTACH_ENSURE ? ensure_look(txn, step) : 0;

	if (r && !(r == -EEXIST && (step->flags & XENSPLIT_ATTACH_REPLACE)))
		return r;
	if (step->auto_devid)
		return pick_devid(txn, step, record);
	if (step->flags & XENSPLIT_ATTACH_REPLACE)
		return clear_the_way(txn, step, record);
	return check_free(txn, step, record);
}

/* The keys of the step, then those of the device that it replaces. */
static int collect_keys(struct txn *txn, const struct step *step, struct pairs *front,
			struct pairs *back)
{
	static const uint32_t both = XENSPLIT_ATTACH_REPLACE | XENSPLIT_ATTACH_DROP_KEYS;
	int r = pairs_add_missing(front, &step->front);

	if (!r)
		r = pairs_add_missing(back, &step->back);
	if (r)
		return fail(txn->ctx, r, "out of memory");
	if ((step->flags & both) != XENSPLIT_ATTACH_REPLACE)
		return 0;
	return keys_keep(txn, &step->id, front, back);
}

/* Keys that are given again come first, and win. */
int keys_keep(struct txn *txn, const struct device_id *id, struct pairs *front,
	      struct pairs *back)
{
	struct pairs old_front = { 0 }, old_back = { 0 };
	struct record old;
	int r = record_read_whole(txn, id, &old, &old_front, &old_back);

	if (!r)
		r = pairs_add_missing(front, &old_front);
	if (!r)
		r = pairs_add_missing(back, &old_back);
	pairs_clear(&old_front);
	pairs_clear(&old_back);
	return r == -ENOENT || r == -EBADMSG ? 0 : r;
}

static int stage(struct txn *txn, struct step *step, struct pairs *front,
		 struct pairs *back)
{
	struct record record = { 0 };
	int r = domain_claim(txn, step->id.domid, &record.frontend, &step->domain);

	memcpy(record.listed, step->listed, sizeof(record.listed));
	if (!r)
		r = domain_claim(txn, step->backend_domid, &record.backend, NULL);
	if (!r)
		r = collect_keys(txn, step, front, back);
	if (!r)
		r = make_room(txn, step, &record);
	/* Only now: a refused attach must have written nothing. */
	if (!r)
		r = domain_mark(txn, step->id.domid, record.frontend.mark);
	if (!r)
		r = domain_mark(txn, step->backend_domid, record.backend.mark);
	if (!r)
		r = write_device(txn, step, &record, front, back);
	if (r)
		return r < 0 ? r : 0;
	memcpy(step->unique_id, record.unique_id, sizeof(step->unique_id));
	memcpy(step->is_listed, record.listed, sizeof(step->is_listed));
	step->created = record.created;
	return 0;
}

int attach_stage(struct txn *txn, struct step *step)
{
	struct pairs front = { 0 }, back = { 0 };
	int r = stage(txn, step, &front, &back);

	pairs_clear(&front);
	pairs_clear(&back);
	return r;
}
