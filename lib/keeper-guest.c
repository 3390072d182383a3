// SPDX-License-Identifier: LGPL-2.1-or-later
/* The devices of one domain: those of its list, and others that are worked on. */
#include "array.h"
#include "keeper.h"

static void forget_flat(struct xensplit_keeper *k)
{
	free(k->flat);
	k->flat = NULL;
}

static void free_all(struct xensplit_keeper *k, struct kept **list, size_t count)
{
	size_t i;

	for (i = 0; list && i < count; i++)
		if (list[i])
			kept_free(k, list[i]);
	free(list);
}

/* What is known about an entry that has not changed. */
static struct kept *take_over(struct guest *guest, const struct want *want)
{
	size_t i;

	for (i = 0; i < guest->count; i++) {
		struct kept *kept = guest->kept[i];

		if (kept && want_equal(kept->want, want)) {
			guest->kept[i] = NULL;
			return kept;
		}
	}
	return NULL;
}

/* First all that can fail. */
static struct kept **make_list(struct xensplit_keeper *k, struct guest *guest,
			       const struct wants *wants)
{
	struct kept **list = calloc(wants->count + 1, sizeof(*list));
	size_t i;

	if (!list) {
		failure_set(k->ctx, -ENOMEM, NULL, "out of memory");
		return NULL;
	}
	for (i = 0; i < wants->count; i++) {
		list[i] = kept_new(k, guest, &wants->list[i], (int)i);
		if (!list[i]) {
			free_all(k, list, i);
			return NULL;
		}
	}
	return list;
}

int guest_take_list(struct xensplit_keeper *k, struct guest *guest)
{
	struct wants *wants = guest->name ? guest->name->wants : NULL;
	struct device_id id = { .domid = guest->domid };
	bool is_new = !guest->wants;
	struct kept **list;
	size_t i;

	if (wants == guest->wants)
		return 0;
	if (!wants) {
		guest_drop_list(k, guest);
		return 0;
	}
	list = make_list(k, guest, wants);
	if (!list)
		return -ENOMEM;
	for (i = 0; i < wants->count; i++) {
		struct kept *kept = take_over(guest, &wants->list[i]);

		if (!kept)
			continue;
		kept_free(k, list[i]);
		list[i] = kept;
		kept->want = &wants->list[i];
		kept->seen.entry = (int)i;
	}
	guest_drop_list(k, guest);
	guest->kept = list;
	guest->count = wants->count;
	guest->wants = wants;
	wants->pins++;
	if (is_new)
		keeper_tell(k, XENSPLIT_KEEPER_DOMAIN, guest->name->text, &id, NULL);
	return 0;
}

void guest_drop_list(struct xensplit_keeper *k, struct guest *guest)
{
	free_all(k, guest->kept, guest->count);
	guest->kept = NULL;
	guest->count = 0;
	wants_put(k, guest->wants);
	guest->wants = NULL;
	forget_flat(k);
}

static bool is_device(const struct kept *kept, const struct device_id *id)
{
	return kept->id.devid == id->devid && !strcmp(kept->id.type, id->type);
}

struct kept *guest_find_kept(const struct guest *guest, const struct device_id *id)
{
	size_t i;

	for (i = 0; i < guest->count; i++)
		if (is_device(guest->kept[i], id))
			return guest->kept[i];
	return NULL;
}

struct kept *guest_add_other(struct xensplit_keeper *k, struct guest *guest,
			     const struct device_id *id)
{
	struct kept **more, *kept;
	size_t i;

	for (i = 0; i < guest->others_count; i++)
		if (is_device(guest->others[i], id))
			return guest->others[i];
	more = array_grow(guest->others, guest->others_count, &guest->others_room,
			  sizeof(*more));
	if (more)
		guest->others = more;
	kept = more ? kept_new(k, guest, NULL, -1) : NULL;
	if (!kept) {
		failure_set(k->ctx, -ENOMEM, NULL, "out of memory");
		return NULL;
	}
	kept->id = *id;
	guest->others[guest->others_count++] = kept;
	return kept;
}

static void forget_other(struct xensplit_keeper *k, struct guest *guest, size_t index)
{
	kept_free(k, guest->others[index]);
	guest->others[index] = guest->others[--guest->others_count];
}

void guest_forget_others(struct xensplit_keeper *k, struct guest *guest, uint64_t now_us)
{
	size_t i = guest->others_count;

	while (i--) {
		const struct kept *kept = guest->others[i];

		if (kept->state == KEPT_DONE ||
		    (kept->state != KEPT_BUSY && kept->due_us <= now_us))
			forget_other(k, guest, i);
	}
}

void guest_drop_others(struct xensplit_keeper *k, struct guest *guest)
{
	while (guest->others_count)
		forget_other(k, guest, 0);
	free(guest->others);
	guest->others = NULL;
	guest->others_room = 0;
}
