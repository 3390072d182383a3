/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A set of domids. */
#ifndef XENSPLIT_DOMID_SET_H
#define XENSPLIT_DOMID_SET_H

#include "internal.h"

/* Empty if it is all zeros. */
struct domid_set {
	uint8_t has[DOMID_END / 8 + 1];
	uint32_t begin, end; /* outside there is none; both 0: it is empty */
};

static inline bool domid_set_has(const struct domid_set *set, uint32_t domid)
{
	return domid < DOMID_END && set->has[domid / 8] & (1u << domid % 8);
}

static inline void domid_set_add(struct domid_set *set, uint32_t domid)
{
	if (domid >= DOMID_END)
		return;
	set->has[domid / 8] |= (uint8_t)(1u << domid % 8);
	if (!set->end || domid < set->begin)
		set->begin = domid;
	if (domid >= set->end)
		set->end = domid + 1;
}

static inline void domid_set_remove(struct domid_set *set, uint32_t domid)
{
	if (domid < DOMID_END)
		set->has[domid / 8] &= (uint8_t) ~(1u << domid % 8);
}

/* Removes the lowest one; false: there is none. */
static inline bool domid_set_take(struct domid_set *set, uint32_t *ret_domid)
{
	for (; set->begin < set->end; set->begin++)
		if (domid_set_has(set, set->begin)) {
			domid_set_remove(set, set->begin);
			*ret_domid = set->begin++;
			return true;
		}
	set->begin = set->end = 0;
	return false;
}

#endif
