// SPDX-License-Identifier: LGPL-2.1-or-later
/* Inside a transaction: remove what dead domains left, and unreadable records. */
#include "stage.h"

/*
 * 1 if a toolstack has made a new device of that name, which has the backend. A guest that
 * owns `device` can make a frontend itself, to keep the backend of an earlier domain: then
 * both halves must agree.
 */
static int has_new_frontend(struct txn *txn, const struct place *place)
{
	char path[PATH_SIZE];
	struct node_perms perms;
	int r;

	path_frontend(path, &place->id, NULL);
	r = store_exists(txn, path);
	if (r <= 0)
		return r;
	*strrchr(path, '/') = '\0';
	r = store_get_perms(txn, path, &perms);
	if (r)
		return r;
	return perms_guest_may_write(&perms) ? place_halves_agree(txn, place) : 1;
}

int stale_look(struct txn *txn, struct domains *domains, const struct device_id *id,
	       struct stale *ret_stale)
{
	struct stale stale;
	struct record *record = &stale.record;
	int r = record_read(txn, id, record);

	if (r == -ENOENT)
		return fail_as(txn->ctx, r, "not-attached", "not attached");
	if (r)
		return r;
	stale.front = domains_now(txn, domains, id->domid, &record->frontend);
	stale.back = domains_now(txn, domains, record->backend_domid, &record->backend);
	if (stale.front < 0 || stale.back < 0)
		return stale.front < 0 ? stale.front : stale.back;
	if (stale.front == DOMAIN_SAME && stale.back == DOMAIN_SAME)
		return fail_as(txn->ctx, -EBUSY, "not-stale",
			       "the domains of the device are alive");
	*ret_stale = stale;
	return 0;
}

/* --- with others: what is shared with the next one is left to that --- */

static bool is_same_type(const struct stale *a, const struct stale *b)
{
	return b && b->front != DOMAIN_OTHER &&
	       a->record.id.domid == b->record.id.domid &&
	       !strcmp(a->record.id.type, b->record.id.type);
}

static bool is_same_backend(const struct stale *a, const struct stale *b)
{
	return b && b->back != DOMAIN_OTHER && b->front != DOMAIN_OTHER &&
	       a->record.backend_domid == b->record.backend_domid &&
	       !strcmp(id_backend_type(&a->record.id), id_backend_type(&b->record.id));
}

static int remove_frontend(struct txn *txn, const struct stale *stale,
			   const struct stale *next, bool *gone)
{
	char path[PATH_SIZE];
	int r;

	if (*gone)
		return 0;
	path_frontend(path, &stale->record.id, NULL);
	if (!is_same_type(stale, next))
		return store_remove_prune(txn, path, 1);
	r = store_remove(txn, path);
	/* Then there is no directory. A preview does not tell these apart. */
	*gone = !r && !txn->preview;
	return r < 0 ? r : 0;
}

static int remove_backend(struct txn *txn, const struct stale *stale,
			  const struct stale *next)
{
	const struct device_id *id = &stale->record.id;
	char path[PATH_SIZE];
	int r;

	if (!is_same_backend(stale, next))
		return place_remove_backend(txn, id, stale->record.backend_domid);
	path_backend(path, id, stale->record.backend_domid, NULL);
	if (next->record.id.domid != id->domid)
		return store_remove_prune(txn, path, 1);
	r = store_remove(txn, path);
	return r < 0 ? r : 0;
}

/*
 * Keeps a half in a domain that has taken over the domid, and a backend that belongs to a
 * new frontend with that domid.
 */
static int remove_halves(struct txn *txn, const struct stale *stale,
			 const struct stale *next, bool *gone)
{
	const struct record *record = &stale->record;
	struct place place = { record->id, record->backend_domid, true };
	int r;

	if (txn->part == TXN_RECORD)
		return 0;
	r = stale->front == DOMAIN_OTHER ? has_new_frontend(txn, &place)
					 : remove_frontend(txn, stale, next, gone);
	if (!r && stale->back != DOMAIN_OTHER)
		r = remove_backend(txn, stale, next);
	return r < 0 ? r : 0;
}

static int remove_record(struct txn *txn, const struct stale *stale,
			 const struct stale *next)
{
	char path[PATH_SIZE];
	int r;

	if (!next)
		return record_remove(txn, &stale->record.id);
	path_record(path, &stale->record.id, NULL);
	if (!is_same_type(stale, next))
		return store_remove_prune(txn, path, 2);
	r = store_remove(txn, path);
	return r < 0 ? r : 0;
}

int stale_remove(struct txn *txn, const struct stale *list, size_t count)
{
	bool gone = false;
	size_t i;
	int r = 0;

	for (i = 0; !r && i < count; i++) {
		const struct stale *next = i + 1 < count ? &list[i + 1] : NULL;

		r = remove_halves(txn, &list[i], next, &gone);
		if (!r)
			r = remove_record(txn, &list[i], next);
		gone = gone && is_same_type(&list[i], next);
	}
	return r;
}

/* --- a single one --- */

int remove_stale(struct txn *txn, const struct device_id *id)
{
	struct domains domains = { 0 };
	struct stale stale;
	int r = stale_look(txn, &domains, id, &stale);

	domains_clear(&domains);
	return r ? r : stale_remove(txn, &stale, 1);
}

/* The backend's domain is unknown: remove any domain's backend of that name. */
int remove_damaged(struct txn *txn, const struct device_id *id)
{
	struct place place = { .id = *id, .backend_domid = XENSPLIT_ANY };
	unsigned int count, i;
	char **names = NULL;
	int r = store_list(txn, "/local/domain", &names, &count);

	for (i = 0; !r && i < count; i++) {
		uint64_t domid;

		if (parse_name(names[i], DOMID_END - 1, &domid))
			r = place_remove_backend(txn, id, (uint32_t)domid);
	}
	free(names);
	if (!r)
		r = place_remove_halves(txn, &place);
	return r ? r : record_remove(txn, id);
}
