// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Inside a transaction: make a record for a device that another tool made. Its halves are
 * where its name says they are. A node that a guest can write decides nothing, and no value
 * of the device goes into the record: nobody can tell the keys that the other tool wrote from
 * those that a driver did.
 */
#include <time.h>

#include "stage.h"

static int find_backend(struct txn *txn, const struct step *step, struct place *place)
{
	char path[PATH_SIZE];
	int r;

	if (step->backend_domid != XENSPLIT_ANY)
		place->backend_domid = step->backend_domid;
	if (place->backend_domid == XENSPLIT_ANY)
		return fail_as(txn->ctx, -ENOENT, "no-backend",
			       "the device has no backend");
	path_backend(path, &place->id, place->backend_domid, NULL);
	r = store_exists(txn, path);
	return r ? (r < 0 ? r : 0)
		 : fail_as(txn->ctx, -ENOENT, "no-backend", "%s does not exist", path);
}

static int find_foreign(struct txn *txn, const struct step *step, struct place *place)
{
	struct record record;
	int r = place_find(txn, &step->id, place);

	if (r)
		return r;
	if (!place->recorded)
		return find_backend(txn, step, place);
	r = record_read(txn, &step->id, &record);
	return r ? r : refuse_record(txn, &record);
}

/* A half without a state is one that its maker has not finished, or a driver's remains. */
static int check_whole(struct txn *txn, const struct place *place)
{
	char path[PATH_SIZE];
	int frontend, backend;
	int r = place_states(txn, place, &frontend, &backend);

	if (r || (frontend != XENSPLIT_STATE_ABSENT && backend != XENSPLIT_STATE_ABSENT))
		return r;
	if (frontend == XENSPLIT_STATE_ABSENT)
		path_frontend(path, &place->id, "state");
	else
		path_backend(path, &place->id, place->backend_domid, "state");
	return fail_as(txn->ctx, -ENOENT, "partial", "%s does not exist", path);
}

/* Given its backend's domain, others that claim the device do not matter. */
static int check_trust(struct txn *txn, const struct step *step,
		       const struct place *place)
{
	return require_mutual(txn, step->backend_domid == XENSPLIT_ANY
					   ? place_is_mutual(txn, place)
					   : place_halves_agree(txn, place));
}

static int write_record(struct txn *txn, const struct place *place, struct record *record)
{
	static const struct pairs none;
	int r = domain_mark(txn, place->id.domid, record->frontend.mark);

	if (!r)
		r = domain_mark(txn, place->backend_domid, record->backend.mark);
	if (!r)
		r = random_text(txn->ctx, record->unique_id, UNIQUE_ID_SIZE);
	if (r)
		return r;
	record->id = place->id;
	record->backend_domid = place->backend_domid;
	record->created = (uint64_t)time(NULL);
	return record_write(txn, record, &none, &none);
}

int adopt_stage(struct txn *txn, const struct step *step)
{
	struct record record = { 0 };
	struct place place = { .backend_domid = XENSPLIT_ANY };
	int r = domain_claim(txn, step->id.domid, &record.frontend, NULL);

	if (!r)
		r = find_foreign(txn, step, &place);
	if (!r)
		r = domain_claim(txn, place.backend_domid, &record.backend, NULL);
	if (!r)
		r = check_whole(txn, &place);
	if (!r)
		r = check_trust(txn, step, &place);
	if (!r)
		r = write_record(txn, &place, &record);
	return r ? r : place_repair(txn, &place);
}
