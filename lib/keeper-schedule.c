// SPDX-License-Identifier: LGPL-2.1-or-later
/* The domains of a keeper by domid, and which of them to look at next. */
#include "keeper.h"

/* --- the schedule: a heap; a guest's children are at twice its place --- */

static void put(struct xensplit_keeper *k, struct guest *guest, size_t place)
{
	k->schedule[place] = guest;
	guest->place = place;
}

static void sift_up(struct xensplit_keeper *k, struct guest *guest)
{
	size_t place = guest->place;

	while (place > 1 && k->schedule[place / 2]->due_us > guest->due_us) {
		put(k, k->schedule[place / 2], place);
		place /= 2;
	}
	put(k, guest, place);
}

static void sift_down(struct xensplit_keeper *k, struct guest *guest)
{
	size_t place = guest->place, child;

	while ((child = 2 * place) <= k->scheduled) {
		if (child < k->scheduled &&
		    k->schedule[child + 1]->due_us < k->schedule[child]->due_us)
			child++;
		if (k->schedule[child]->due_us >= guest->due_us)
			break;
		put(k, k->schedule[child], place);
		place = child;
	}
	put(k, guest, place);
}

void guest_schedule(struct xensplit_keeper *k, struct guest *guest, uint64_t due_us)
{
	if (guest->place && guest->due_us <= due_us)
		return;
	guest->due_us = due_us;
	if (!guest->place)
		put(k, guest, ++k->scheduled);
	sift_up(k, guest);
}

void guest_unschedule(struct xensplit_keeper *k, struct guest *guest)
{
	struct guest *last;
	size_t place = guest->place;

	if (!place)
		return;
	guest->place = 0;
	last = k->schedule[k->scheduled--];
	if (last == guest)
		return;
	put(k, last, place);
	sift_up(k, last);
	sift_down(k, last);
}

struct guest *guest_next(const struct xensplit_keeper *k)
{
	return k->scheduled ? k->schedule[1] : NULL;
}

/* --- the table --- */

struct guest *guest_find(const struct xensplit_keeper *k, uint32_t domid)
{
	return domid < k->end ? k->guests[domid] : NULL;
}

static int make_room(struct xensplit_keeper *k)
{
	size_t room = k->schedule_room ? 2 * k->schedule_room : 64;
	struct guest **more;

	if (k->count + 1 < k->schedule_room)
		return 0;
	more = reallocarray(k->schedule, room, sizeof(struct guest *));
	if (!more)
		return fail(k->ctx, -ENOMEM, "out of memory");
	k->schedule = more;
	k->schedule_room = room;
	return 0;
}

int guest_add(struct xensplit_keeper *k, uint32_t domid, struct guest **ret_guest)
{
	struct guest *guest;
	int r = make_room(k);

	if (r)
		return r;
	guest = calloc(1, sizeof(*guest));
	if (!guest)
		return fail(k->ctx, -ENOMEM, "out of memory");
	guest->domid = domid;
	guest->fresh = true;
	guest->since_us = now_us();
	guest->audit_us = guest->since_us + pause_us(AUDIT_US, AUDIT_US, 0);
	k->fresh++;
	k->guests[domid] = guest;
	k->count++;
	if (domid >= k->end)
		k->end = domid + 1;
	*ret_guest = guest;
	return 0;
}

void guest_remove(struct xensplit_keeper *k, struct guest *guest)
{
	guest_unschedule(k, guest);
	k->fresh -= guest->fresh;
	k->guests[guest->domid] = NULL;
	k->count--;
	free(guest);
}
