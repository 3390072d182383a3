// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a keeper knows, without a request. */
#include "keeper.h"

static bool is_settled(const struct kept *kept)
{
	switch (kept->state) {
	case KEPT_CONNECTED:
	case KEPT_REFUSED:
		return true;
	case KEPT_FAILED:
		/* One that is not told yet may be that of a domain which is going. */
		return kept->seen.error;
	case KEPT_WAITING:
		return kept->want->wanted.flags & XENSPLIT_WANTED_NO_WAIT;
	default:
		return false;
	}
}

static bool all_settled(const struct guest *guest)
{
	size_t i;

	if (guest->failures)
		return false;
	for (i = 0; i < guest->count; i++)
		if (!is_settled(guest->kept[i]))
			return false;
	/* Nobody sees later that one could not be detached or repaired. */
	for (i = 0; i < guest->others_count; i++)
		if (guest->others[i]->state == KEPT_FAILED)
			return false;
	return true;
}

XENSPLIT_API int xensplit_keeper_is_settled(const struct xensplit_keeper *keeper)
{
	const struct guest *next;
	uint32_t domid;

	if (!keeper)
		return -EINVAL;
	next = guest_next(keeper);
	if (keeper->list || keeper->list_failed || keeper->more || keeper->fresh ||
	    keeper->staged_count || keeper->running_count ||
	    !graves_are_settled(keeper) || (next && next->due_us <= now_us()))
		return 0;
	for (domid = 0; domid < keeper->end; domid++)
		if (keeper->guests[domid] && !all_settled(keeper->guests[domid]))
			return 0;
	return 1;
}

static bool make_flat(struct xensplit_keeper *k)
{
	size_t count = 0, i;
	uint32_t domid;

	for (domid = 0; domid < k->end; domid++)
		count += k->guests[domid] ? k->guests[domid]->count : 0;
	k->flat = calloc(count + 1, sizeof(struct kept *));
	k->flat_count = 0;
	for (domid = 0; k->flat && domid < k->end; domid++)
		for (i = 0; k->guests[domid] && i < k->guests[domid]->count; i++)
			k->flat[k->flat_count++] = k->guests[domid]->kept[i];
	return k->flat;
}

XENSPLIT_API const struct xensplit_kept *
xensplit_keeper_get(struct xensplit_keeper *keeper, size_t index)
{
	struct kept *kept;

	if (!keeper || (!keeper->flat && !make_flat(keeper)) ||
	    index >= keeper->flat_count)
		return NULL;
	kept = keeper->flat[index];
	kept->seen.domain = kept->guest->name->text;
	kept->seen.id.domid = kept->id.domid;
	kept->seen.id.type = kept->id.type;
	kept->seen.id.devid = kept->id.devid;
	return &kept->seen;
}
