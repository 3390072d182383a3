/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a list knows of its devices, for those who look further. */
#ifndef XENSPLIT_LIST_H
#define XENSPLIT_LIST_H

#include "schema.h"

/* A device with all that its pointers lead to, but the name of its domain. */
struct entry {
	struct xensplit_device device;
	struct pairs front, back; /* the strings of device.front and device.back */
	struct claims claims;	  /* of a device without a record, or a damaged one */
	bool has_online;	  /* there is such a node, whatever it says */
	char texts[];
};

/* Not for callers: leave the names of the domains alone. */
#define LIST_UNNAMED (1u << 31)

/* The domains that were asked about are left in @domains, which the list does not need. */
int list_build(struct txn *txn, struct domains *domains,
	       const struct xensplit_filter *filter, uint32_t flags,
	       struct xensplit_list **ret_list) __must_check;
const struct entry *list_entry(const struct xensplit_list *list, size_t index);
void entry_place(const struct entry *entry, struct place *ret_place);

#endif
