// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which domains there are, and their names. A watch tells only that something has
 * changed: the directory is listed once for all changes, and a name is read again when
 * its own watch fires, also that of a domain which took over a domid.
 */
#include "keeper.h"

/* How many watches that fired to read at a time. */
#define TAKE_MAX 256
/* How often to list the domains even if no watch fires. */
#define LIST_US 60000000
/* After a failure. */
#define LIST_AGAIN_US 5000000
/* A domain has ended: look for dead ones that keep their directory, this much later. */
#define SWEEP_US 1000000
/* How many to look at in one go. */
#define SWEEP_MANY 64

/* --- names --- */

/* Plans the domains whose lists have that one as a backend. */
static void schedule_users(struct xensplit_keeper *k, const struct name *name)
{
	struct guest *guest;
	size_t i;

	for (i = 0; name && i < name->users_count; i++)
		for (guest = name->users[i]->guests; guest; guest = guest->next_same)
			guest_schedule(k, guest, now_us());
}

static void drop_name(struct xensplit_keeper *k, struct guest *guest)
{
	struct device_id id = { .domid = guest->domid };
	struct name *name = guest->name;
	struct guest **at;

	if (!name)
		return;
	if (guest->wants)
		keeper_tell(k, XENSPLIT_KEEPER_DOMAIN_GONE, name->text, &id, NULL);
	guest_drop_list(k, guest);
	at = &name->guests;
	while (*at != guest)
		at = &(*at)->next_same;
	*at = guest->next_same;
	guest->name = NULL;
	schedule_users(k, name);
	name_put(k, name);
}

/* Takes over the pin of @name. */
static void set_name(struct xensplit_keeper *k, struct guest *guest, struct name *name)
{
	drop_name(k, guest);
	guest->name = name;
	guest->since_us = now_us();
	if (!name)
		return;
	guest->next_same = name->guests;
	name->guests = guest;
	schedule_users(k, name);
}

static void name_path(char *path, size_t size, uint32_t domid)
{
	snprintf(path, size, "/local/domain/%" PRIu32 "/name", domid);
}

/* 1 if it is not a name to go by. */
static int is_chosen(struct xensplit_keeper *k, const struct guest *guest)
{
	int r = domain_chose_name(&k->txn, guest->domid);

	if (r > 0 && guest->fresh)
		log_warn(k->ctx,
			 "the name of domain %" PRIu32
			 " does not count, as it may have chosen it itself",
			 guest->domid);
	return r;
}

static int read_name(struct xensplit_keeper *k, const struct guest *guest,
		     struct name **ret_name)
{
	char path[64], *text;
	size_t len;
	int r;

	*ret_name = NULL;
	name_path(path, sizeof(path), guest->domid);
	r = store_read(&k->txn, path, &text, &len);
	if (!r) {
		r = is_chosen(k, guest);
		if (r)
			free(text);
	}
	/* Only if it has none, or a false one, there is no need to ask again. */
	if (r)
		return r == -ENOENT || r > 0 ? 0 : r;
	if (len && strlen(text) == len)
		*ret_name = name_get(k, text);
	r = len && strlen(text) == len && !*ret_name ? -ENOMEM : 0;
	free(text);
	return r;
}

/* The domain may be a new one with the same domid, even if the name is the same. */
int guest_look(struct xensplit_keeper *k, struct guest *guest)
{
	bool was_new = guest->fresh || guest->dead;
	struct name *name;
	int r = 0;

	if (guest->dead)
		r = domain_identity(&k->txn, guest->domid, NULL, NULL);
	if (!r)
		r = read_name(k, guest, &name);
	if (r == -ESRCH)
		return 0;
	/* If that failed, it is read again, but the others do not wait for it. */
	guest->look = r;
	k->fresh -= guest->fresh;
	guest->fresh = false;
	guest_schedule(k, guest, now_us());
	if (r)
		return r;
	if (was_new)
		monitor_unbury(k->monitor, guest->domid);
	guest->dead = false;
	guest->strays = true;
	/* Most likely its directory is gone, too. */
	guest->nameless = !name && guest->name;
	if (guest->nameless)
		k->list = true;
	else if (name && name == guest->name)
		name_put(k, name);
	else
		set_name(k, guest, name);
	return 0;
}

/* --- the domains that there are --- */

static int add(struct xensplit_keeper *k, uint32_t domid)
{
	struct guest *guest;
	char path[64], text[16];
	int r = guest_add(k, domid, &guest);

	if (r)
		return r;
	guest->seen = true;
	name_path(path, sizeof(path), domid);
	/* It fires at once, and then its name is read. */
	r = store_watch(&k->txn, path, "name");
	if (r) {
		guest_remove(k, guest);
		return r;
	}
	snprintf(text, sizeof(text), "%" PRIu32, domid);
	schedule_users(k, name_find(k, text));
	return 0;
}

/* What their backends served, and what served them, has no other end any more. */
static void schedule_peers(struct xensplit_keeper *k)
{
	const struct table *table = &k->monitor->table;
	uint32_t domid;
	char text[16];
	size_t i;

	if (!k->lonely.end)
		return;
	for (i = 0; i < table->count; i++) {
		const struct followed *f = table->devices[i];
		struct guest *peer = guest_find(k, f->id.domid);

		if (!peer || !domid_set_has(&k->lonely, f->backend_domid))
			continue;
		peer->strays = true;
		guest_schedule(k, peer, now_us());
	}
	while (domid_set_take(&k->lonely, &domid)) {
		snprintf(text, sizeof(text), "%" PRIu32, domid);
		schedule_users(k, name_find(k, text));
	}
}

static int bury(struct xensplit_keeper *k, struct guest *guest)
{
	int r = grave_add(k, guest->domid, guest->name);

	if (r)
		return r;
	drop_name(k, guest);
	guest_drop_others(k, guest);
	domid_set_add(&k->lonely, guest->domid);
	monitor_bury(k->monitor, guest->domid);
	return 0;
}

int guest_bury(struct xensplit_keeper *k, struct guest *guest)
{
	int r = bury(k, guest);

	schedule_peers(k);
	guest->dead = !r;
	return r;
}

static int remove_guest(struct xensplit_keeper *k, struct guest *guest)
{
	char path[64];
	int r = bury(k, guest);

	if (r)
		return r;
	name_path(path, sizeof(path), guest->domid);
	store_unwatch(&k->txn, path, "name");
	hungry_remove(k, guest);
	guest_remove(k, guest);
	return 0;
}

static int note_domain(struct txn *txn, uint32_t domid, void *data)
{
	struct xensplit_keeper *k = data;
	struct guest *guest = guest_find(k, domid);

	(void)txn;
	if (!guest)
		return add(k, domid);
	guest->seen = true;
	if (guest->nameless)
		set_name(k, guest, NULL);
	guest->nameless = false;
	return 0;
}

static int list_domains(struct xensplit_keeper *k)
{
	uint32_t domid;
	int r;

	if (!k->list && now_us() < k->list_us)
		return 0;
	for (domid = 0; domid < k->end; domid++)
		if (k->guests[domid])
			k->guests[domid]->seen = false;
	r = domain_foreach(&k->txn, note_domain, k);
	for (domid = 0; !r && domid < k->end; domid++)
		if (k->guests[domid] && !k->guests[domid]->seen)
			r = remove_guest(k, k->guests[domid]);
	schedule_peers(k);
	if (!r && now_us() >= k->list_us) {
		r = graves_search(k);
		k->list_us = now_us() + LIST_US;
	}
	k->list = r;
	k->list_failed = r;
	return r;
}

/* --- watches --- */

static int take_name(struct xensplit_keeper *k, const char *path)
{
	struct path_part parts[PATH_PARTS];
	struct guest *guest;
	uint32_t domid;

	if (path_split(path, parts) != 4 ||
	    !path_part_number(&parts[2], DOMID_END - 1, &domid))
		return 0;
	guest = guest_find(k, domid);
	return guest ? guest_look(k, guest) : 0;
}

static int take(struct xensplit_keeper *k, const char *path, const char *token)
{
	if (!strcmp(token, "name"))
		return take_name(k, path);
	k->list = true;
	if (!strcmp(token, "release") && !k->sweep_us)
		k->sweep_us = now_us() + SWEEP_US;
	return 0;
}

static int drain_domains(struct xensplit_keeper *k)
{
	unsigned int taken;
	int r = 0;

	for (taken = 0; !r && taken < TAKE_MAX; taken++) {
		char **watch = store_next_watch(k->txn.xs);

		if (!watch)
			break;
		r = take(k, watch[XS_WATCH_PATH], watch[XS_WATCH_TOKEN]);
		free(watch);
	}
	k->more = taken == TAKE_MAX;
	return r;
}

int domains_process(struct xensplit_keeper *k)
{
	int r = drain_domains(k);

	if (!r)
		r = list_domains(k);
	if (!r || r == -ENOTCONN || r == -ENOMEM)
		return r;
	log_warn(k->ctx, "can't follow the domains: %s", k->ctx->failure.text);
	k->list = false;
	k->list_failed = true;
	k->list_us = now_us() + LIST_AGAIN_US;
	return 0;
}

int domains_watch(struct xensplit_keeper *k)
{
	int r = store_watch(&k->txn, "@introduceDomain", "introduce");

	return r ? r : store_watch(&k->txn, "@releaseDomain", "release");
}

/* --- dead domains that still have a directory --- */

static int sweep_one(struct xensplit_keeper *k, struct guest *guest)
{
	int r;

	if (guest->dead || !guest->domid)
		return 0;
	r = domain_identity(&k->txn, guest->domid, NULL, NULL);
	return r == -ESRCH ? guest_bury(k, guest) : r;
}

int domains_sweep(struct xensplit_keeper *k)
{
	unsigned int looked = 0;
	int r = 0;

	if (!k->sweep_us || now_us() < k->sweep_us)
		return 0;
	for (; !r && k->sweep_domid < k->end && looked < SWEEP_MANY; k->sweep_domid++)
		if (k->guests[k->sweep_domid]) {
			r = sweep_one(k, k->guests[k->sweep_domid]);
			looked++;
		}
	if (r)
		return r;
	if (k->sweep_domid >= k->end)
		k->sweep_us = k->sweep_domid = 0;
	return 1;
}

uint64_t domains_timeout(const struct xensplit_keeper *k, uint64_t until)
{
	if (k->list || k->more)
		return 0;
	if (k->list_us < until)
		until = k->list_us;
	return k->sweep_us && k->sweep_us < until ? k->sweep_us : until;
}

void guests_clear(struct xensplit_keeper *k)
{
	uint32_t domid;

	for (domid = 0; domid < k->end; domid++) {
		struct guest *guest = k->guests[domid];

		if (!guest)
			continue;
		drop_name(k, guest);
		guest_drop_others(k, guest);
		hungry_remove(k, guest);
		guest_remove(k, guest);
	}
}
