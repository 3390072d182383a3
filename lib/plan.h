/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans: what to do so that a domain has its wanted devices. */
#ifndef XENSPLIT_PLAN_H
#define XENSPLIT_PLAN_H

#include "operation.h"

/* A device that the domain has. */
struct found {
	struct record record;
	struct pairs front, back;
	bool damaged;
	bool stale;
	bool taken; /* an entry names it */
};

/* A domain that an entry names. */
struct backend {
	char *text; /* NULL for dom0 */
	uint32_t domid;
	int result;
	const char *code; /* of a @result */
	char *message;
};

struct planned {
	struct xensplit_action action;
	struct step step; /* the wanted device, or that to detach */
	char *message;
	char *type;			/* as the entry has it */
	bool valid;			/* the type is one */
	bool is_auto;			/* the entry has an automatic id */
	bool replaces;			/* XENSPLIT_PLAN_REPLACE */
	bool stale;			/* the device that was found */
	bool half;			/* its replacement was interrupted */
	struct found *found;		/* only while the plan is made */
	char unique_id[UNIQUE_ID_SIZE]; /* of the device that was found */
};

struct xensplit_plan {
	struct xensplit_ctx *ctx;
	uint32_t domid;
	uint32_t flags;
	struct planned **actions;
	size_t count;
	size_t room;
};

/* As xensplit_domain_find(). */
typedef int plan_resolve(struct xensplit_ctx *ctx, const char *text, void *data,
			 uint32_t *ret_domid);

struct planning {
	struct xensplit_plan *plan;
	struct txn *txn;
	plan_resolve *resolve;
	void *resolve_data;
	struct domains domains;
	struct found **found;
	size_t found_count;
	size_t found_room;
	struct backend **backends;
	size_t backend_count;
	size_t backend_room;
};

/* plan.c */

/* xensplit_plan_new() with another way to find a domain by its name. */
int plan_make(struct xensplit_ctx *ctx, uint32_t domid,
	      const struct xensplit_wanted *const *wanted, size_t count, uint32_t flags,
	      plan_resolve *resolve, void *data,
	      struct xensplit_plan **ret_plan) __must_check;
/* plan-action.c */

/* NULL without memory; the failure is set. */
struct planned *plan_add(struct planning *p) __must_check;
/* Sets the result, code and message of an action to the failure of the context. */
int plan_refuse(struct planning *p, struct planned *planned, int result) __must_check;
int plan_say(struct planning *p, struct planned *planned, const char *text) __must_check;

/* plan-entry.c */

/* Checks and copies one wanted device, and finds its backend's domain. */
int plan_entry(struct planning *p, struct planned *planned,
	       const struct xensplit_wanted *from) __must_check;
void plan_forget_backends(struct planning *p);

/* plan-match.c */

/* Reads the devices of the domain. */
int plan_look(struct planning *p) __must_check;
void plan_forget_found(struct planning *p);
/* Finds the device of each entry. */
int plan_match(struct planning *p) __must_check;

/* plan-op.c */

/* For an action of the kind XENSPLIT_ACTION_ATTACH: the step to stage; clear it in any case. */
int plan_step(const struct xensplit_plan *plan, size_t index,
	      struct step *ret_step) __must_check;

#endif
