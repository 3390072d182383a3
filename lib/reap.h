/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Removing what dead domains left behind. */
#ifndef XENSPLIT_REAP_H
#define XENSPLIT_REAP_H

#include "stage.h"

/* reap-commit.c */

/* How many devices to remove in one commit: xenstored's cost grows with what it touches. */
#define REAP_MOST 32

/* Removes the device if it is stale. -EALREADY: it is not. */
int reap_one(struct txn *txn, const struct device_id *id,
	     const struct xensplit_filter *filter, uint32_t *ret_backend) __must_check;

/* Devices to be removed in one commit, in order. */
struct reap_commit {
	const struct xensplit_filter *filter;
	const struct device_id *ids;
	size_t count;
	struct stale done[REAP_MOST]; /* those that were removed */
	size_t done_count;
};

/* All of those that are stale; or none, if one of them can't be removed. */
int reap_many(struct txn *txn, struct reap_commit *commit) __must_check;

/* reap.c */

/* Of these domains only; the results have no names of domains. */
int reap_domains(struct xensplit_ctx *ctx, const uint32_t *domids, size_t count,
		 struct xensplit_reap **ret_reap) __must_check;

#endif
