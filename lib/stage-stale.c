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

static int remove_stale_frontend(struct txn *txn, const struct device_id *id)
{
	char path[PATH_SIZE];

	path_frontend(path, id, NULL);
	return store_remove_prune(txn, path, 1);
}

/*
 * Removes what a dead domain left. Keeps a half in a domain that has taken over
 * the domid, and a backend that belongs to a new frontend with that domid.
 */
int remove_stale(struct txn *txn, const struct device_id *id)
{
	struct record record;
	int front, back, r;

	r = record_read(txn, id, &record);
	if (r == -ENOENT)
		return fail_as(txn->ctx, r, "not-attached", "not attached");
	if (r)
		return r;
	front = record_domain_now(txn, id->domid, &record.frontend);
	back = record_domain_now(txn, record.backend_domid, &record.backend);
	if (front < 0 || back < 0)
		return front < 0 ? front : back;
	if (front == DOMAIN_SAME && back == DOMAIN_SAME)
		return fail_as(txn->ctx, -EBUSY, "not-stale",
			       "the domains of the device are alive");
	struct place place = { record.id, record.backend_domid, true };

	r = front == DOMAIN_OTHER ? has_new_frontend(txn, &place)
				  : remove_stale_frontend(txn, id);
	if (!r && back != DOMAIN_OTHER)
		r = place_remove_backend(txn, &record.id, record.backend_domid);
	return r < 0 ? r : record_remove(txn, id);
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

		if (parse_number(names[i], strlen(names[i]), DOMID_END - 1, &domid))
			r = place_remove_backend(txn, id, (uint32_t)domid);
	}
	free(names);
	if (!r)
		r = place_remove_halves(txn, &place);
	return r ? r : record_remove(txn, id);
}
