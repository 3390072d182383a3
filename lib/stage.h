/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps inside a transaction; batch.c puts them together. */
#ifndef XENSPLIT_STAGE_H
#define XENSPLIT_STAGE_H

#include "schema.h"

enum step_kind {
	STEP_ATTACH,
	STEP_CLOSE,
	STEP_REMOVE,
	STEP_REPAIR
};

/* One step of a batch; what staging it finds out is added. */
struct step {
	enum step_kind kind;
	uint32_t flags;
	struct device_id id;
	bool auto_devid;
	bool cleared; /* the record of what it replaces is there, and no more */
	uint32_t backend_domid;
	struct pairs front;
	struct pairs back;
	char unique_id[UNIQUE_ID_SIZE]; /* of the device that was written */
	uint64_t created;
	char *domain; /* the name of its domain, if it was read */
};

/* From the caller's options: checks and copies them. To be cleared, also on failure. */
int step_from_opts(struct xensplit_ctx *ctx, const struct xensplit_attach_opts *opts,
		   struct step *step) __must_check;
void step_clear(struct step *step);

/* stage-attach.c */
int attach_stage(struct txn *txn, struct step *step) __must_check;
/* Add the recorded extra keys that are not among these; a record that is gone has none. */
int keys_keep(struct txn *txn, const struct device_id *id, struct pairs *front,
	      struct pairs *back) __must_check;

/* devids.c */

struct devids {
	uint32_t highest;
	uint32_t *taken; /* to be freed */
	size_t count;
	size_t room;
};

/* Where the last one that was picked ended; into @step. */
int devids_begin(struct txn *txn, struct devids *devids, struct step *step) __must_check;
/* The first from there that nothing in the store has; into @step. -EEXIST. */
int devids_list(struct txn *txn, struct devids *devids, struct step *step) __must_check;
/* The next pick begins behind that of @step. */
int devids_end(struct txn *txn, const struct devids *devids,
	       const struct step *step) __must_check;

/* stage-detach.c */
int close_stage(struct txn *txn, const struct device_id *id) __must_check;
int remove_stage(struct txn *txn, struct step *step) __must_check;
/* The states of both ends, frontend first, for what comes next. */
int place_look(struct txn *txn, const struct place *place, int states[2]) __must_check;
/* Have both drivers, in these states, asked to close; phase one of a detach. */
int place_close(struct txn *txn, const struct place *place,
		const int states[2]) __must_check;
/* Both halves, then the record; phase two. */
int place_remove(struct txn *txn, const struct place *place) __must_check;

/* stage-repair.c */
int repair_stage(struct txn *txn, const struct device_id *id) __must_check;

/* stage-stale.c */
/* What a domain that is gone left: not what another device has taken over since. */
int remove_stale(struct txn *txn, const struct device_id *id) __must_check;
/* All of that name: its record can't be understood. */
int remove_damaged(struct txn *txn, const struct device_id *id) __must_check;

#endif
