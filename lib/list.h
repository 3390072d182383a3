/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The internals of a list, for the checks. */
#ifndef XENSPLIT_LIST_H
#define XENSPLIT_LIST_H

#include "schema.h"

/* A device and everything that its pointers refer to, except its domain's name. */
struct entry {
	struct xensplit_device device;
	struct pairs front, back; /* the strings of device.front and device.back */
	struct claims claims;	  /* of a device without a record, or a damaged one */
	bool has_online;	  /* the node exists, whatever its value */
	char texts[];
};

/* Internal: do not look up the names of the domains. */
#define LIST_UNNAMED (1u << 31)

/* @domains keeps the answers about domains, and is not needed by the list. */
int list_build(struct txn *txn, struct domains *domains,
	       const struct xensplit_filter *filter, uint32_t flags,
	       struct xensplit_list **ret_list) __must_check;
const struct entry *list_entry(const struct xensplit_list *list, size_t index);
void entry_place(const struct entry *entry, struct place *ret_place);

#endif
