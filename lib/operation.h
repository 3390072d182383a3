/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations: calls that wait, or need more than one commit. */
#ifndef XENSPLIT_OPERATION_H
#define XENSPLIT_OPERATION_H

#include <signal.h>

#include "stage.h"

/* hub.c */

struct hub_watch {
	uint64_t serial; /* 0: not set */
	bool fired;	 /* since the owner cleared this */
	char path[PATH_SIZE];
};

/* Opens the context's connection for watches if there is none yet. */
int hub_open(struct xensplit_ctx *ctx) __must_check;
/* @watch must stay in place until hub_unwatch(), which ignores one that is not set. */
int hub_watch(struct xensplit_ctx *ctx, struct hub_watch *watch,
	      const char *path) __must_check;
void hub_unwatch(struct xensplit_ctx *ctx, struct hub_watch *watch);
/* Reads what fired. -ENOTCONN: xenstored is gone, which is final. */
int hub_drain(struct xensplit_ctx *ctx) __must_check;
int hub_fd(const struct xensplit_ctx *ctx);
/* When to drain even if nothing fires. */
uint64_t hub_timeout(const struct xensplit_ctx *ctx);

/* Results of a step: call again at once, or wait. */
enum {
	OP_WAIT = 1,
	OP_AGAIN = 2
};

/* waiting.c */

struct wait {
	/* goal */
	struct device_id id;
	int until;
	uint64_t begun_us;
	uint64_t deadline_us;
	bool fresh; /* just attached: Closing means failure */
	bool force; /* continue after the deadline, whatever the cause */
	/* current state */
	struct place place;
	bool found;
	bool begun;
	bool looked;
	bool open[2];  /* that end was seen open before it closed */
	int states[2]; /* frontend, backend */
	struct hub_watch watches[2];
	uint64_t look_us; /* when to read again: an end is absent */
};

/* @place: where the device is, if known. */
int wait_begin(struct xensplit_ctx *ctx, struct wait *wait,
	       const struct place *place) __must_check;
/* 0 when done, OP_WAIT, or an error such as -ETIMEDOUT. */
int wait_step(struct xensplit_ctx *ctx, struct wait *wait) __must_check;
uint64_t wait_timeout(const struct wait *wait);
void wait_end(struct xensplit_ctx *ctx, struct wait *wait);

/* A domain that an operation waits for; await-domain.c. */
struct awaited {
	char *text; /* its domid or name; NULL: not that kind of operation */
	struct hub_watch watch;
	uint64_t look_us; /* when to look even if the watch does not fire */
	bool found;
	uint32_t domid;
};

/* operation.c */

typedef int op_step(struct xensplit_op *op);

struct xensplit_op {
	struct xensplit_ctx *ctx;
	op_step *step;	  /* next step */
	op_step *give_up; /* next step after a cancel; NULL: none */
	uint64_t begun_us;
	uint64_t deadline_us;
	unsigned int timeout_ms;
	uint64_t wake_us;	   /* not before; 0: at once, or when a watch fires */
	unsigned int tries;	   /* of the current commit */
	struct xensplit_op *child; /* an operation that this one runs as a part */
	struct wait wait;
	bool waits;
	volatile sig_atomic_t cancelled;
	bool finished;
	bool changed; /* a commit has written something */
	int result;
	struct failure *failure;
	struct awaited domain;
	/* the device */
	struct step spec;
	bool known;    /* the device has been written or found */
	int states[2]; /* last seen; for a detach, before it */
	struct xensplit_device device;
	char frontend[PATH_SIZE], backend[PATH_SIZE];
	enum txn_part part; /* of what a removal removes, or all */
	/* attach.c, replace.c */
	bool replace;		/* a device that is there, instead of refusing */
	bool only_half;		/* but only one that is half replaced */
	bool was_there;		/* the stale device that was removed had a frontend */
	op_step *when_cleared;	/* next step when the place is free */
	op_step *when_kept;	/* next step when the device is as wanted */
	unsigned int replaced;	/* how often another device was there */
	uint64_t settle_end_us; /* how long to wait for the kernel */
	/* detach.c */
	uint32_t flags;
	const char *only; /* unique id of the only attach to roll back, or NULL */
	bool removed;
	/* repair.c */
	struct place place;
	bool failed; /* a driver had written an error */
};

/* A new operation; the caller fills in the device. */
int op_new(struct xensplit_ctx *ctx, unsigned int timeout_ms,
	   struct xensplit_op **ret_op) __must_check;
/* A new operation on an existing device that waits; begins with @step. */
int op_new_on(struct xensplit_ctx *ctx, const struct xensplit_id *id,
	      unsigned int timeout_ms, op_step *step,
	      struct xensplit_op **ret_op) __must_check;
/* Like xensplit_op_run(). */
int op_run_and_free(struct xensplit_op *op) __must_check;
/* For a child: does not drain the watch connection. */
int op_advance(struct xensplit_op *op) __must_check;
/* One try of a transaction: its result, or OP_WAIT: call it again. */
int op_commit(struct xensplit_op *op, store_fn *fn, void *data) __must_check;
/* Like op_commit(), for an @fn that only removes: also while an end keeps writing. */
int op_remove(struct xensplit_op *op, store_fn *fn, void *data) __must_check;
/* Saves the failure, for later calls. False: out of memory. */
bool op_keep_failure(struct xensplit_op *op) __must_check;
void op_restore_failure(struct xensplit_op *op);
/* Continue with @step at that time. */
int op_sleep(struct xensplit_op *op, uint64_t until_us, op_step *step);
/* Continue with @step at once. */
int op_next(struct xensplit_op *op, op_step *step);

/* attach.c */

/* Takes ownership of what is in the step, also on failure. */
int attach_begin(struct xensplit_ctx *ctx, struct step *step, unsigned int timeout_ms,
		 struct xensplit_op **ret_op) __must_check;
/* First step of an attach with XENSPLIT_ATTACH_ENSURE. */
int attach_ensure(struct xensplit_op *op);

/* replace.c */

/*
 * A guest sees a removal only afterwards, and Linux before 7.0 mistakes a frontend
 * that exists again by then for the old one. There is no way to find out when the
 * guest has checked.
 */
#define SETTLE_US 250000

/* Checks, closes and removes a device in the place of the new one. */
int replace_start(struct xensplit_op *op);

/* settle.c */

/* 1: this domain's kernel still has a backend of that name, which is gone. */
int kernel_holds(struct xensplit_ctx *ctx, const struct device_id *id,
		 uint32_t backend_domid) __must_check;

#endif
