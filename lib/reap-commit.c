// SPDX-License-Identifier: LGPL-2.1-or-later
/* The commits that remove stale devices. */
#include "reap.h"

/* --- one device --- */

struct one {
	const struct device_id *id;
	const struct xensplit_filter *filter;
	uint32_t backend_domid;
};

/* -EALREADY: nothing to do. */
static int reap_record(struct txn *txn, void *data)
{
	struct one *one = data;
	struct record record;
	int r = record_read(txn, one->id, &record);

	one->backend_domid = XENSPLIT_ANY;
	if (r == -EBADMSG) {
		r = domain_identity(txn, one->id->domid, NULL, NULL);
		if (r == -ESRCH)
			return remove_damaged(txn, one->id);
		return r ? r : -EALREADY;
	}
	if (r)
		return r;
	one->backend_domid = record.backend_domid;
	if (!backend_matches(record.backend_domid, one->filter))
		return -EALREADY;
	r = record_is_stale(txn, &record);
	if (r == 0)
		return -EALREADY;
	return r < 0 ? r : remove_stale(txn, one->id);
}

/* A domain that keeps writing makes every transaction collide that removes its half: see op_remove(). */
static int reap_parts(struct txn *txn, struct one *one)
{
	int r;

	txn->part = TXN_HALVES;
	r = reap_record(txn, one);
	txn->part = TXN_RECORD;
	if (!r)
		r = store_transaction(txn, reap_record, one);
	txn->part = TXN_WHOLE;
	return r;
}

int reap_one(struct txn *txn, const struct device_id *id,
	     const struct xensplit_filter *filter, uint32_t *ret_backend)
{
	struct one one = { .id = id, .filter = filter };
	int r = store_transaction(txn, reap_record, &one);

	if (r == -EBUSY && !txn->preview)
		r = reap_parts(txn, &one);
	if (!r && !txn->preview)
		id_log(txn->ctx, id, "removed");
	*ret_backend = one.backend_domid;
	return r;
}

/* --- many of them --- */

/* Not there any more, or not stale. */
static bool is_nothing(int r)
{
	return r == -ENOENT || r == -EBUSY;
}

static int look_at_all(struct txn *txn, struct reap_commit *commit,
		       struct domains *domains)
{
	size_t i;

	commit->done_count = 0;
	for (i = 0; i < commit->count; i++) {
		struct stale *stale = &commit->done[commit->done_count];
		int r = stale_look(txn, domains, &commit->ids[i], stale);

		if (r && !is_nothing(r))
			return r;
		if (!r && backend_matches(stale->record.backend_domid, commit->filter))
			commit->done_count++;
	}
	return 0;
}

static int write_all(struct txn *txn, void *data)
{
	struct reap_commit *commit = data;
	struct domains domains = { 0 };
	int r = look_at_all(txn, commit, &domains);

	domains_clear(&domains);
	return r ? r : stale_remove(txn, commit->done, commit->done_count);
}

/* Small ones get through more easily, so this is tried once. */
int reap_many(struct txn *txn, struct reap_commit *commit)
{
	size_t i;
	int r = store_try(txn, write_all, commit);

	for (i = 0; !r && !txn->preview && i < commit->done_count; i++)
		id_log(txn->ctx, &commit->done[i].record.id, "removed");
	return r;
}
