// SPDX-License-Identifier: LGPL-2.1-or-later
/* Finds a device by its record, or by searching every domain. */
#include "schema.h"

/* Does not use the frontend's pointer to its backend: a guest can write that. */
static int find_backend(struct txn *txn, const struct device_id *id, uint32_t *ret_domid)
{
	struct claims claims = { 0 };
	int r = claims_find(txn, id, &claims);

	if (!r)
		r = claims_choose(txn, id, &claims, ret_domid);
	claims_clear(&claims);
	return r;
}

int place_find(struct txn *txn, const struct device_id *id, struct place *ret_place)
{
	struct place place = { .id = *id, .backend_domid = XENSPLIT_ANY };
	char path[PATH_SIZE];
	struct record record;
	int r = record_read(txn, id, &record);

	if (r && r != -ENOENT)
		return r;
	if (!r) {
		place.id = record.id;
		place.backend_domid = record.backend_domid;
		place.recorded = true;
		*ret_place = place;
		return 0;
	}
	r = find_backend(txn, id, &place.backend_domid);
	if (r)
		return r;
	if (place.backend_domid == XENSPLIT_ANY) {
		path_frontend(path, id, NULL);
		r = store_exists(txn, path);
		if (r < 0)
			return r;
		if (!r)
			return fail(txn->ctx, -ENOENT, "no such device");
	}
	*ret_place = place;
	return 0;
}
