/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps inside a transaction; batch.c combines them. */
#ifndef XENSPLIT_STAGE_H
#define XENSPLIT_STAGE_H

#include "schema.h"

enum step_kind {
	STEP_ATTACH,
	STEP_CLOSE,
	STEP_REMOVE,
	STEP_REPAIR,
	STEP_ADOPT
};

/* One step of a batch, including the results of staging it. */
struct step {
	enum step_kind kind;
	uint32_t flags;
	struct device_id id;
	bool auto_devid;
	uint32_t *avoid; /* device ids not to pick, though they are free; owned */
	size_t avoid_count;
	bool cleared;		/* of the replaced device, only the record is left */
	uint32_t backend_domid; /* XENSPLIT_ANY to adopt: that of the halves that agree */
	char listed[LISTED_SIZE]; /* empty: as the device that it replaces */
	struct pairs front;
	struct pairs back;
	/* of the device that was written, or kept since it is as wanted */
	bool kept;
	char unique_id[UNIQUE_ID_SIZE];
	char is_listed[LISTED_SIZE];
	uint64_t created;
	char *domain; /* the name of its domain, if it was read */
};

/* Checks and copies the caller's options. Clear the step even on failure. */
int step_from_opts(struct xensplit_ctx *ctx, const struct xensplit_attach_opts *opts,
		   struct step *step) __must_check;
int step_from_adopt_opts(struct xensplit_ctx *ctx, const struct xensplit_adopt_opts *opts,
			 struct step *step) __must_check;
void step_clear(struct step *step);

/* stage-attach.c */
int attach_stage(struct txn *txn, struct step *step) __must_check;
/* Adds recorded extra keys that are missing here; none if the record is gone. */
int keys_keep(struct txn *txn, const struct device_id *id, struct pairs *front,
	      struct pairs *back) __must_check;

/* compare.c */

/* What differs between a device and the wanted one; longer texts are cut. */
#define DIFFERENCES_SIZE 640

/* Is the recorded device as wanted? If not, @text says what differs. */
bool compare_device(const struct step *wanted, const struct record *record,
		    const struct pairs *front, const struct pairs *back, char *text,
		    size_t size);

/* stage-ensure.c */

/* The error for a device that has a record already. */
int refuse_record(struct txn *txn, const struct record *record) __must_check;

/*
 * For XENSPLIT_ATTACH_ENSURE: 1 if the device is as wanted, and then the step is marked as
 * kept; 0 if there is no record; -EEXIST if the device differs or is half replaced.
 */
int ensure_look(struct txn *txn, struct step *step) __must_check;

/* devids.c */

struct devids {
	uint32_t highest;
	uint32_t *taken; /* to be freed */
	size_t count;
	size_t room;
};

/* Sets @step's devid to where the last pick ended. */
int devids_begin(struct txn *txn, struct devids *devids, struct step *step) __must_check;
/* Is that of @step one not to pick? */
bool devids_avoids(const struct step *step);
/* Sets @step's devid to the next one that is free in the store. -EEXIST. */
int devids_list(struct txn *txn, struct devids *devids, struct step *step) __must_check;
/* Makes the next pick begin after that of @step. */
int devids_end(struct txn *txn, const struct devids *devids,
	       const struct step *step) __must_check;

/* stage-detach.c */
int close_stage(struct txn *txn, const struct device_id *id) __must_check;
int remove_stage(struct txn *txn, struct step *step) __must_check;
/* Reads the states of both ends, frontend first. */
int place_look(struct txn *txn, const struct place *place, int states[2]) __must_check;
/* Asks both drivers, in these states, to close; phase one of a detach. */
int place_close(struct txn *txn, const struct place *place,
		const int states[2]) __must_check;
/* Removes both halves, then the record; phase two. */
int place_remove(struct txn *txn, const struct place *place) __must_check;

/* stage-repair.c */
int repair_stage(struct txn *txn, const struct device_id *id) __must_check;
/* Sets owners and permissions as an attach does, and a missing online node. */
int place_repair(struct txn *txn, const struct place *place) __must_check;
/* -EPERM, with the reason, if @mutual, as place_is_mutual() returned it, is 0. */
int require_mutual(struct txn *txn, int mutual) __must_check;

/* stage-adopt.c */
int adopt_stage(struct txn *txn, const struct step *step) __must_check;

/* stage-stale.c */

/* A device that a dead domain left: DOMAIN_* of its ends; one of them is not the same. */
struct stale {
	struct record record;
	int front, back;
};

/* -ENOENT: it is gone, -EBUSY: its domains are alive, -EBADMSG: its record is damaged. */
int stale_look(struct txn *txn, struct domains *domains, const struct device_id *id,
	       struct stale *ret_stale) __must_check;
/*
 * Removes them, but nothing that another device took over. Directories that they share
 * are looked at once, if those that share one follow each other.
 */
int stale_remove(struct txn *txn, const struct stale *list, size_t count) __must_check;
/* Both, for one of them. */
int remove_stale(struct txn *txn, const struct device_id *id) __must_check;
/* Removes every device of that name, as its record can't be parsed. */
int remove_damaged(struct txn *txn, const struct device_id *id) __must_check;

#endif
