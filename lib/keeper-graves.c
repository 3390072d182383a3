// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What domains that are gone have left. That a domain is missing from a list proves
 * nothing, so it is the reap that decides what may be removed.
 */
#include "keeper.h"
#include "reap.h"

#define TRY_FIRST_US 2000000
#define TRY_MOST_US  60000000

/* How many domains to look at in one go: about as many as one commit can remove. */
#define GRAVES_MANY 8

int grave_add(struct xensplit_keeper *k, uint32_t domid, const struct name *name)
{
	const char *text = name ? name->text : "";
	struct grave *grave = k->graves;

	while (domid_set_has(&k->buried, domid) && grave && grave->domid != domid)
		grave = grave->next;
	if (domid_set_has(&k->buried, domid) && grave) {
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
	domid_set_add(&k->buried, domid);
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
	event = keeper_tell(k, type, name, &id,
			    reaped->result ? &k->ctx->failure.error : NULL);
	event->backend_domid = reaped->backend_domid;
}

int reap_stray(struct xensplit_keeper *k, const struct device_id *id)
{
	const struct xensplit_reaped *reaped;
	struct xensplit_reap *results;
	XENSPLIT_FILTER(filter);
	size_t i;
	int r;

	filter.domid = id->domid;
	filter.type = id->type;
	filter.devid = id->devid;
	r = xensplit_reap_new(k->ctx, &filter, 0, &results);
	if (r)
		return r;
	for (i = 0; (reaped = xensplit_reap_get(results, i)); i++)
		tell_reaped(k, reaped, NULL);
	xensplit_reap_free(results);
	return 0;
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
static int is_unfinished(struct xensplit_keeper *k, const struct grave *grave)
{
	/* A domain that has this domid now has devices of its own. */
	const struct guest *guest = guest_find(k, grave->domid);

	return guest && !guest->dead ? 0 : is_left(k, grave->domid);
}

static const char *name_of(struct grave *const *graves, size_t count, uint32_t domid)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (graves[i]->domid == domid)
			return graves[i]->name;
	return NULL;
}

static int reap_graves(struct xensplit_keeper *k, struct grave *const *graves,
		       size_t count)
{
	const struct xensplit_reaped *reaped;
	struct xensplit_reap *results;
	uint32_t domids[GRAVES_MANY];
	size_t i;
	int r;

	for (i = 0; i < count; i++)
		domids[i] = graves[i]->domid;
	r = reap_domains(k->ctx, domids, count, &results);
	if (r)
		return r;
	for (i = 0; (reaped = xensplit_reap_get(results, i)); i++)
		tell_reaped(k, reaped, name_of(graves, count, reaped->id.domid));
	xensplit_reap_free(results);
	return 0;
}

static size_t find_due(struct xensplit_keeper *k, struct grave *graves[GRAVES_MANY])
{
	struct grave *grave;
	uint64_t now = now_us();
	size_t count = 0;

	for (grave = k->graves; grave && count < GRAVES_MANY; grave = grave->next)
		if (grave->due_us <= now)
			graves[count++] = grave;
	return count;
}

/* Forgets those of which nothing is left. */
static int close_graves(struct xensplit_keeper *k, struct grave *const *graves,
			size_t count, int result)
{
	struct grave **at = &k->graves;
	size_t i = 0;

	while (i < count) {
		struct grave *grave = *at;
		int r;

		if (grave != graves[i]) {
			at = &grave->next;
			continue;
		}
		i++;
		r = result ? result : is_unfinished(k, grave);
		if (r == -ENOTCONN || r == -ENOMEM)
			return r;
		if (r) {
			grave->due_us = now_us() + pause_us(TRY_FIRST_US, TRY_MOST_US,
							    grave->tries++);
			at = &grave->next;
			continue;
		}
		domid_set_remove(&k->buried, grave->domid);
		*at = grave->next;
		free(grave);
	}
	return 0;
}

int graves_work(struct xensplit_keeper *k)
{
	struct grave *graves[GRAVES_MANY];
	size_t count = find_due(k, graves);
	int r;

	if (!count)
		return 0;
	r = reap_graves(k, graves, count);
	if (r == -ENOTCONN || r == -ENOMEM)
		return r;
	r = close_graves(k, graves, count, r);
	return r ? r : 1;
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

static int search_one(struct txn *txn, uint32_t domid, void *data)
{
	struct xensplit_keeper *k = data;

	(void)txn;
	if (guest_find(k, domid) || domid_set_has(&k->buried, domid))
		return 0;
	return grave_add(k, domid, NULL);
}

int graves_search(struct xensplit_keeper *k)
{
	struct txn txn = TXN_NONE(k->ctx);

	return record_domains(&txn, search_one, k);
}

void graves_clear(struct xensplit_keeper *k)
{
	while (k->graves) {
		struct grave *grave = k->graves;

		k->graves = grave->next;
		free(grave);
	}
}
