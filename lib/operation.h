/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What waits, or takes more than one commit. */
#ifndef XENSPLIT_OPERATION_H
#define XENSPLIT_OPERATION_H

#include <signal.h>

#include "stage.h"

/* hub.c */

struct hub_watch {
	uint64_t serial; /* 0: not set */
	bool fired;	 /* since whoever set it cleared this */
	char path[PATH_SIZE];
};

/* Makes the context's connection for watches, if it has none yet. */
int hub_open(struct xensplit_ctx *ctx) __must_check;
/* @watch stays where it is until hub_unwatch(), which takes one that is not set, too. */
int hub_watch(struct xensplit_ctx *ctx, struct hub_watch *watch,
	      const char *path) __must_check;
void hub_unwatch(struct xensplit_ctx *ctx, struct hub_watch *watch);
/* Takes in what fired. -ENOTCONN: xenstored is gone, for good. */
int hub_drain(struct xensplit_ctx *ctx) __must_check;
int hub_fd(const struct xensplit_ctx *ctx);
/* When to drain it even if nothing fires. */
uint64_t hub_timeout(const struct xensplit_ctx *ctx);

/* What a step of an operation says: it has more to do at once, or waits. */
enum {
	OP_WAIT = 1,
	OP_AGAIN = 2
};

/* waiting.c */

struct wait {
	/* what for */
	struct device_id id;
	int until;
	uint64_t begun_us;
	uint64_t deadline_us;
	bool fresh; /* just attached: Closing is news */
	bool force; /* goes on after the deadline, whatever the cause */
	/* what is known of it */
	struct place place;
	bool found;
	bool begun;
	bool looked;
	bool open[2];  /* that end has been seen before it closed */
	int states[2]; /* frontend, backend */
	struct hub_watch watches[2];
	uint64_t look_us; /* look again then: an end is absent */
};

/* @place: where it is, if that is known. */
int wait_begin(struct xensplit_ctx *ctx, struct wait *wait,
	       const struct place *place) __must_check;
/* 0 when it is so, OP_WAIT, or an error: -ETIMEDOUT among them. */
int wait_step(struct xensplit_ctx *ctx, struct wait *wait) __must_check;
uint64_t wait_timeout(const struct wait *wait);
void wait_end(struct xensplit_ctx *ctx, struct wait *wait);

/* operation.c */

typedef int op_step(struct xensplit_op *op);

struct xensplit_op {
	struct xensplit_ctx *ctx;
	op_step *step;	  /* what comes next */
	op_step *give_up; /* what comes next when it is cancelled; NULL: nothing */
	uint64_t begun_us;
	uint64_t deadline_us;
	unsigned int timeout_ms;
	uint64_t wake_us;	   /* not before; 0: at once, or when a watch fires */
	unsigned int tries;	   /* of the commit that is being tried */
	struct xensplit_op *child; /* what it has begun as a part of itself */
	struct wait wait;
	bool waits;
	volatile sig_atomic_t cancelled;
	bool finished;
	int result;
	char *message;
	/* the device */
	struct step spec;
	bool known;    /* there is one, and this is where it is */
	int states[2]; /* as they were last seen; of a detach, before it */
	struct xensplit_device device;
	char frontend[PATH_SIZE], backend[PATH_SIZE];
	/* attach.c, replace.c */
	op_step *when_cleared;	/* what was in the way is gone */
	unsigned int replaced;	/* how often something else was in the way */
	uint64_t settle_end_us; /* how long the kernel is waited for */
	/* detach.c */
	uint32_t flags;
	const char *only; /* the attach that is taken back, and no other; or NULL */
	bool removed;
	/* repair.c */
	struct place place;
	bool failed; /* a driver had written an error */
};

/* An operation on a device whose spec is to come. */
int op_new(struct xensplit_ctx *ctx, unsigned int timeout_ms,
	   struct xensplit_op **ret_op) __must_check;
/* One that waits, on a device that has an id; it begins with @step. */
int op_new_on(struct xensplit_ctx *ctx, const struct xensplit_id *id,
	      unsigned int timeout_ms, op_step *step,
	      struct xensplit_op **ret_op) __must_check;
/* As xensplit_op_run(). */
int op_run_and_free(struct xensplit_op *op) __must_check;
/* Without its own watch connection being drained: for a child. */
int op_advance(struct xensplit_op *op) __must_check;
/* One try of a transaction: its result, or OP_WAIT and it is to be called again. */
int op_commit(struct xensplit_op *op, store_fn *fn, void *data) __must_check;
/* As op_commit(); where it always collides, without a transaction. */
int op_commit_or_plain(struct xensplit_op *op, store_fn *fn, void *data) __must_check;
/* Go on with @step when that time has come. */
int op_sleep(struct xensplit_op *op, uint64_t until_us, op_step *step);
/* Go on with @step at once. */
int op_next(struct xensplit_op *op, op_step *step);

/* replace.c */

/* Checks, closes and removes what is where the device shall be. */
int replace_start(struct xensplit_op *op);

/* settle.c */

/* 1: this domain's kernel still has a backend of that name, which is no more. */
int kernel_holds(struct xensplit_ctx *ctx, const struct device_id *id,
		 uint32_t backend_domid) __must_check;

#endif
