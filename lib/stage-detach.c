// SPDX-License-Identifier: LGPL-2.1-or-later
/* Inside a transaction: ask both drivers to close a device, and remove its nodes. */
#include "stage.h"

/*
 * A toolstack asks by writing Closing to the backend's state: the frontend closes,
 * the backend follows, and leaves the bus since it is no longer online. An end in
 * Initialising has no driver that could answer, so it is set to Closed.
 */
int place_close(struct txn *txn, const struct place *place, const int states[2])
{
	struct perms perms = perms_backend(&place->id, place->backend_domid);
	struct perms front_perms = perms_frontend(&place->id, place->backend_domid);
	int frontend = states[0], backend = states[1], r = 0;
	char path[PATH_SIZE];

	if (backend == XENSPLIT_STATE_ABSENT)
		return 0;
	path_backend(path, &place->id, place->backend_domid, "state");
	if (backend == XENSPLIT_STATE_INITIALISING)
		r = store_write(txn, path, "6", &perms);
	else if (!state_is_closing(backend))
		r = store_write(txn, path, "5", &perms);
	path_backend(path, &place->id, place->backend_domid, "online");
	if (!r)
		r = store_write(txn, path, "0", &perms);
	path_frontend(path, &place->id, "state");
	if (!r && frontend == XENSPLIT_STATE_INITIALISING)
		r = store_write(txn, path, "6", &front_perms);
	return r;
}

int place_look(struct txn *txn, const struct place *place, int states[2])
{
	struct txn plain = { .ctx = txn->ctx, .xs = txn->xs };
	char path[PATH_SIZE];
	int r;

	/* Outside the transaction: a guest could make this read collide forever. */
	path_frontend(path, &place->id, "state");
	r = state_read(&plain, path, &states[0]);
	states[1] = XENSPLIT_STATE_ABSENT;
	if (r || place->backend_domid == XENSPLIT_ANY)
		return r;
	path_backend(path, &place->id, place->backend_domid, "state");
	return state_read(txn, path, &states[1]);
}

int close_stage(struct txn *txn, const struct device_id *id)
{
	struct record record;
	int states[2];
	int r = record_require(txn, id, &record);

	if (r)
		return r;
	struct place place = { record.id, record.backend_domid, true };

	r = place_look(txn, &place, states);
	return r ? r : place_close(txn, &place, states);
}

int place_remove(struct txn *txn, const struct place *place)
{
	int r = place_remove_halves(txn, place);

	return r ? r : record_remove(txn, &place->id);
}

int remove_stage(struct txn *txn, struct step *step)
{
	struct record record;
	int r;

	if (step->flags & XENSPLIT_REMOVE_STALE)
		return remove_stale(txn, &step->id);
	r = record_require(txn, &step->id, &record);
	if (r)
		return r;
	struct place place = { record.id, record.backend_domid, true };

	step->id = record.id;
	step->backend_domid = record.backend_domid;
	return place_remove(txn, &place);
}
