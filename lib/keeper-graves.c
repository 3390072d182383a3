// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What domains that are gone have left. That a domain is missing from a list proves
 * nothing, so it is the reap that decides what may be removed.
 */
#include "keeper.h"

#define TRY_FIRST_US 2000000
#define TRY_MOST_US  60000000

static struct grave *find_grave(struct xensplit_keeper *k, uint32_t domid)
{
	struct grave *grave = k->graves;

	while (grave && grave->domid != domid)
		grave = grave->next;
	return grave;
}

int grave_add(struct xensplit_keeper *k, uint32_t domid, const struct name *name)
{
	struct grave *grave = find_grave(k, domid);
	const char *text = name ? name->text : "";

	if (grave) {
		grave->tries = 0;
		grave->due_us = 0;
		return 0;
	}
	grave = calloc(1, sizeof(*grave) + strlen(text) + 1);
	if (!grave)
		return fail(k->ctx, -ENOMEM, "out of memory");
	grave->domid = domid;
	memcpy(grave->name, text, strlen(text) + 1);
	grave->next = k->graves;
	k->graves = grave;
	return 0;
}

static void tell_reaped(struct xensplit_keeper *k, const struct xensplit_reaped *reaped,
			const char *name)
{
	struct xensplit_keeper_event *event;
	struct device_id id = { .domid = reaped->id.domid, .devid = reaped->id.devid };
	int type = reaped->result ? XENSPLIT_KEEPER_FAILED : XENSPLIT_KEEPER_REAPED;

	if (!name || !*name)
		name = reaped->domain;
	/* The cursors for device ids are of no interest. */
	if (!reaped->id.type && !reaped->result)
		return;
	if (reaped->id.type)
		snprintf(id.type, sizeof(id.type), "%s", reaped->id.type);
	if (reaped->result)
		failure_set(k->ctx, reaped->result, NULL, "%s", reaped->message);
	event = keeper_tell(k, type, name, &id, reaped->result ? &k->ctx->failure : NULL);
	event->backend_domid = reaped->backend_domid;
}

static int reap(struct xensplit_keeper *k, const struct xensplit_filter *filter,
		const char *name)
{
	const struct xensplit_reaped *reaped;
	struct xensplit_reap *results;
	size_t i;
	int r = xensplit_reap_new(k->ctx, filter, 0, &results);

	if (r)
		return r;
	for (i = 0; (reaped = xensplit_reap_get(results, i)); i++)
		tell_reaped(k, reaped, name);
	xensplit_reap_free(results);
	return 0;
}

int reap_stray(struct xensplit_keeper *k, const struct device_id *id)
{
	XENSPLIT_FILTER(filter);

	filter.domid = id->domid;
	filter.type = id->type;
	filter.devid = id->devid;
	return reap(k, &filter, NULL);
}

/* 1 if anything is left. */
static int is_left(struct xensplit_keeper *k, uint32_t domid)
{
	struct txn txn = TXN_NONE(k->ctx);
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%" PRIu32, RECORD_ROOT, domid);
	return store_exists(&txn, path);
}

/* 1 if it is to be tried again: its toolstack may not have finished. */
static int reap_domain(struct xensplit_keeper *k, const struct grave *grave)
{
	XENSPLIT_FILTER(filter);
	const struct guest *guest;
	int r = is_left(k, grave->domid);

	if (r <= 0)
		return r;
	filter.domid = grave->domid;
	r = reap(k, &filter, grave->name);
	if (r)
		return r;
	/* A domain that has this domid now has devices of its own. */
	guest = guest_find(k, grave->domid);
	return guest && !guest->dead ? 0 : is_left(k, grave->domid);
}

static struct grave **find_due(struct xensplit_keeper *k)
{
	struct grave **at = &k->graves;
	uint64_t now = now_us();

	while (*at && (*at)->due_us > now)
		at = &(*at)->next;
	return at;
}

int graves_work(struct xensplit_keeper *k)
{
	struct grave **at = find_due(k), *grave = *at;
	int r;

	if (!grave)
		return 0;
	r = reap_domain(k, grave);
	if (r == -ENOTCONN || r == -ENOMEM)
		return r;
	if (r) {
		grave->due_us =
			now_us() + pause_us(TRY_FIRST_US, TRY_MOST_US, grave->tries++);
		return 1;
	}
	*at = grave->next;
	free(grave);
	return 1;
}

uint64_t graves_timeout(const struct xensplit_keeper *k, uint64_t until)
{
	const struct grave *grave;

	for (grave = k->graves; grave; grave = grave->next)
		if (grave->due_us < until)
			until = grave->due_us;
	return until;
}

/* A domain whose removal was tried in vain does not count. */
bool graves_are_settled(const struct xensplit_keeper *k)
{
	const struct grave *grave = k->graves;

	while (grave && grave->tries)
		grave = grave->next;
	return !grave;
}

int graves_search(struct xensplit_keeper *k)
{
	struct txn txn = TXN_NONE(k->ctx);
	unsigned int count, i;
	char **names = NULL;
	int r = store_list(&txn, RECORD_ROOT, &names, &count);

	if (r)
		return r == -ENOENT ? 0 : r;
	for (i = 0; !r && i < count; i++) {
		uint64_t domid;

		if (parse_number(names[i], strlen(names[i]), DOMID_END - 1, &domid) &&
		    !guest_find(k, (uint32_t)domid) && !find_grave(k, (uint32_t)domid))
			r = grave_add(k, (uint32_t)domid, NULL);
	}
	free(names);
	return r;
}

void graves_clear(struct xensplit_keeper *k)
{
	while (k->graves) {
		struct grave *grave = k->graves;

		k->graves = grave->next;
		free(grave);
	}
}
