// SPDX-License-Identifier: LGPL-2.1-or-later
/* Checks whether the domains of a record are still the same. */
#include "schema.h"

/* An identity that is not known, then or now, proves nothing. */
int record_domain_now(struct txn *txn, uint32_t domid, const struct identity *recorded)
{
	struct identity now;
	int r = domain_identity(txn, domid, recorded, &now);

	if (r)
		return r == -ESRCH ? DOMAIN_GONE : r;
	if (*recorded->mark && strcmp(recorded->mark, now.mark) != 0)
		return DOMAIN_OTHER;
	if (*recorded->uuid && *now.uuid && strcmp(recorded->uuid, now.uuid) != 0)
		return DOMAIN_OTHER;
	return DOMAIN_SAME;
}

int record_is_stale(struct txn *txn, const struct record *record)
{
	int now = record_domain_now(txn, record->id.domid, &record->frontend);

	if (now == DOMAIN_SAME)
		now = record_domain_now(txn, record->backend_domid, &record->backend);
	return now < 0 ? now : now != DOMAIN_SAME;
}

int record_refuse_stale(struct txn *txn, const struct record *record)
{
	int r = record_is_stale(txn, record);

	if (r > 0)
		return fail(txn->ctx, -ESTALE,
			    "the device belongs to a domain that is gone");
	return r;
}

static int refuse_absent(struct txn *txn, const struct device_id *id)
{
	char path[PATH_SIZE];
	int r;

	path_frontend(path, id, NULL);
	r = store_exists(txn, path);
	if (r < 0)
		return r;
	return r ? fail_as(txn->ctx, -ENOENT, "foreign",
			   "%s exists, and xensplit did not make it", path)
		 : fail_as(txn->ctx, -ENOENT, "not-attached", "not attached");
}

int record_require(struct txn *txn, const struct device_id *id, struct record *ret_record)
{
	struct record record;
	int r = record_read(txn, id, &record);

	if (r == -ENOENT)
		return refuse_absent(txn, id);
	if (!r)
		r = record_refuse_stale(txn, &record);
	if (!r)
		*ret_record = record;
	return r;
}
