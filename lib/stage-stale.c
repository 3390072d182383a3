// SPDX-License-Identifier: LGPL-2.1-or-later
/* Inside a transaction: remove what dead domains left, and unreadable records. */
#include "stage.h"

/*
 * Removes what a dead domain left. Keeps a half in a domain that has taken over
 * the domid, and a backend that belongs to a new frontend with that domid.
 */
int remove_stale(struct txn *txn, const struct device_id *id)
{
	char path[PATH_SIZE];
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
	path_frontend(path, id, NULL);
	r = front == DOMAIN_OTHER ? store_exists(txn, path) : 0;
	if (r < 0)
		return r;
	if (!r)
		r = store_remove_prune(txn, path, 1);
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
