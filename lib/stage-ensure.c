// SPDX-License-Identifier: LGPL-2.1-or-later
/* Inside a transaction: what to do about a device that has a record already. */
#include "stage.h"

int refuse_record(struct txn *txn, const struct record *record)
{
	struct place place = { record->id, record->backend_domid, true };
	int frontend, backend;
	int r = record_is_stale(txn, record);

	if (r > 0)
		return fail(txn->ctx, -ESTALE,
			    "an earlier domain %" PRIu32 " left a device of that name",
			    record->id.domid);
	if (!r && *record->phase)
		return fail_as(txn->ctx, -EEXIST, "interrupted",
			       "replacing the device was interrupted");
	if (!r)
		r = place_states(txn, &place, &frontend, &backend);
	if (r)
		return r;
	failure_set(txn->ctx, -EEXIST, NULL, "already attached (frontend %s, backend %s)",
		    xensplit_state_name(frontend), xensplit_state_name(backend));
	failure_set_states(txn->ctx, frontend, backend);
	return -EEXIST;
}

static int refuse_different(struct txn *txn, const struct record *record,
			    const char *text)
{
	struct place place = { record->id, record->backend_domid, true };
	/* Outside the transaction: a guest could make these reads collide forever. */
	struct txn plain = { .ctx = txn->ctx, .xs = txn->xs };
	int frontend, backend;
	int r = place_states(&plain, &place, &frontend, &backend);

	if (r)
		return r;
	failure_set(txn->ctx, -EEXIST, "differs", "already attached, but differs: %s",
		    text);
	failure_set_states(txn->ctx, frontend, backend);
	return -EEXIST;
}

static void keep(struct step *step, const struct record *record)
{
	step->kept = true;
	step->created = record->created;
	memcpy(step->unique_id, record->unique_id, sizeof(step->unique_id));
	memcpy(step->is_listed, record->listed, sizeof(step->is_listed));
}

static int look_at(struct txn *txn, struct step *step, const struct record *record,
		   const struct pairs *front, const struct pairs *back)
{
	char text[DIFFERENCES_SIZE];
	int r;

	/* What a replace leaves until the new device is written: see replace.c. */
	if (*record->phase && step->cleared)
		return 0;
	r = record_is_stale(txn, record);
	if (r || *record->phase)
		return r < 0 ? r : refuse_record(txn, record);
	if (!compare_device(step, record, front, back, text, sizeof(text)))
		return refuse_different(txn, record, text);
	keep(step, record);
	return 1;
}

int ensure_look(struct txn *txn, struct step *step)
{
	struct pairs front = { 0 }, back = { 0 };
	struct record record;
	int r = record_read_whole(txn, &step->id, &record, &front, &back);

	step->kept = false;
	if (!r)
		r = look_at(txn, step, &record, &front, &back);
	pairs_clear(&front);
	pairs_clear(&back);
	return r == -ENOENT ? 0 : r;
}
