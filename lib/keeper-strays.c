// SPDX-License-Identifier: LGPL-2.1-or-later
/* The devices of one domain that its list does not take care of. */
#include "keeper.h"

/* Who began to replace a device and has not ended by then was killed. */
#define PHASE_US 30000000
/* How long a repaired device may take to connect. */
#define REPAIR_MS 10000

/* Whoever was replacing it may still be alive: only if it stays as it is. */
static int look_at_phase(struct xensplit_keeper *k, struct guest *guest,
			 const struct record *record)
{
	struct kept *kept = guest_add_other(k, guest, &record->id);
	struct xensplit_id id = { guest->domid, record->id.type, record->id.devid };
	struct xensplit_op *op;
	int r;

	if (!kept)
		return -ENOMEM;
	if (strcmp(kept->unique_id, record->unique_id) != 0 ||
	    strcmp(kept->phase, record->phase) != 0) {
		memcpy(kept->unique_id, record->unique_id, sizeof(kept->unique_id));
		memcpy(kept->phase, record->phase, sizeof(kept->phase));
		kept->due_us = now_us() + PHASE_US;
	}
	if (kept->state == KEPT_BUSY || now_us() < kept->due_us || !may_run(k, guest))
		return 0;
	r = xensplit_op_repair(k->ctx, &id, REPAIR_MS, &op);
	if (!r)
		kept_run(k, kept, op, XENSPLIT_KEEPER_ATTACHED);
	return r;
}

static bool is_busy(const struct guest *guest, const struct device_id *id)
{
	size_t i;

	for (i = 0; i < guest->others_count; i++)
		if (!id_compare(&guest->others[i]->id, id))
			return guest->others[i]->state == KEPT_BUSY;
	return false;
}

/*
 * The plan makes a stale device on the list again, but not while the domain of its backend is not
 * there: until then it is a stray, too.
 */
static bool is_stray(const struct guest *guest, const struct device_id *id)
{
	const struct kept *kept = guest_find_kept(guest, id);

	return kept ? kept->state == KEPT_REFUSED : !is_busy(guest, id);
}

static int look_at(struct xensplit_keeper *k, struct guest *guest,
		   const struct device_id *id)
{
	struct txn txn = TXN_NONE(k->ctx);
	struct record record;
	int r = record_read(&txn, id, &record);

	if (r == -ENOENT || r == -EBADMSG)
		return 0;
	if (!r)
		r = record_is_stale(&txn, &record);
	if (r > 0)
		return reap_stray(k, id);
	if (!r && *record.phase && !guest_find_kept(guest, id))
		return look_at_phase(k, guest, &record);
	return r;
}

static bool is_due(const struct guest *guest)
{
	size_t i;

	for (i = 0; i < guest->others_count; i++)
		if (*guest->others[i]->phase && guest->others[i]->state != KEPT_BUSY &&
		    now_us() >= guest->others[i]->due_us)
			return true;
	return guest->strays;
}

int guest_look_at_strays(struct xensplit_keeper *k, struct guest *guest)
{
	const struct table *table = &k->monitor->table;
	size_t i = table_begin(table, guest->domid, NULL, 0);
	int r = 0;

	if (!is_due(guest))
		return 0;
	guest->strays = false;
	for (; !r && i < table->count; i++) {
		const struct followed *f = table->devices[i];

		if (f->id.domid != guest->domid)
			break;
		if (is_stray(guest, &f->id))
			r = look_at(k, guest, &f->id);
	}
	guest->strays = r;
	return r;
}
