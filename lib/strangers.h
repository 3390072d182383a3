/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Searching for devices without a record. */
#ifndef XENSPLIT_STRANGERS_H
#define XENSPLIT_STRANGERS_H

#include "schema.h"

/* A half that was found; for a frontend, @backend_domid is XENSPLIT_ANY. */
struct half {
	struct device_id id;
	uint32_t backend_domid;
};

struct strangers_ops {
	/* Should it be skipped, as known already? */
	bool (*known)(const struct device_id *id, uint32_t backend_domid, void *data);
	/* A device, and the domains that have a backend for it; may take ownership. */
	int (*found)(struct txn *txn, const struct device_id *id, struct claims *claims,
		     void *data);
	void *data;
};

struct strangers {
	const struct xensplit_filter *filter;
	const struct strangers_ops *ops;
	struct half *halves;
	size_t count, room;
	/* Backends known by another type than their directory's. */
	struct half *excluded;
	size_t excluded_count, excluded_room;
};

int strangers_exclude(struct txn *txn, struct strangers *strangers,
		      const struct place *place) __must_check;
/* All matching devices, in order. */
int strangers_foreach(struct txn *txn, struct strangers *strangers) __must_check;
/* The device that the filter names, if it exists. */
int strangers_single(struct txn *txn, struct strangers *strangers) __must_check;
void strangers_clear(struct strangers *strangers);

#endif
