// SPDX-License-Identifier: LGPL-2.1-or-later
/* Removes what dead domains left behind, device by device. */
#include "array.h"
#include "stage.h"

/* The result for one device, and the strings that it points to. */
struct entry {
	struct xensplit_reaped reaped;
	struct device_id id;
	char *message;
};

struct xensplit_reap {
	struct entry **entries;
	size_t count;
	size_t room;
	struct xensplit_nodes changes;
	struct domains domains; /* caches their names */
};

struct reaping {
	struct xensplit_reap *reap;
	uint32_t flags;
	struct device_id *ids; /* of all matching records */
	size_t count;
	size_t room;
	const struct xensplit_filter *filter;
};

static int add_entry(struct txn *txn, struct xensplit_reap *reap,
		     const struct device_id *id, uint32_t backend_domid, int result)
{
	struct entry **more =
		array_grow(reap->entries, reap->count, &reap->room, sizeof(*more));
	struct entry *entry = calloc(1, sizeof(*entry));
	char *message = result ? strdup(txn->ctx->failure.text) : NULL;
	const char *domain = NULL;

	if (more)
		reap->entries = more;
	if (!more || !entry || (result && !message) ||
	    domains_name(txn, &reap->domains, id->domid, &domain)) {
		free(entry);
		free(message);
		return fail(txn->ctx, -ENOMEM, "out of memory");
	}
	entry->id = *id;
	entry->message = message;
	entry->reaped.id.domid = id->domid;
	entry->reaped.id.type = *id->type ? entry->id.type : NULL;
	entry->reaped.id.devid = id->devid;
	entry->reaped.backend_domid = backend_domid;
	entry->reaped.domain = domain;
	entry->reaped.result = result;
	entry->reaped.message = message;
	reap->entries[reap->count++] = entry;
	return 0;
}

/* A lost connection ends the run; any other error affects only that device. */
static int take_result(struct txn *txn, struct xensplit_reap *reap,
		       const struct device_id *id, uint32_t backend_domid, int r)
{
	if (r == -ENOTCONN || r == -ENOMEM)
		return r;
	/* Another client's reap, or a new attach, was faster. */
	if (r == -ENOENT || r == -EALREADY)
		return 0;
	return add_entry(txn, reap, id, backend_domid, r);
}

/* --- devices --- */

struct one {
	const struct device_id *id;
	const struct xensplit_filter *filter;
	uint32_t backend_domid;
};

/* -EALREADY: nothing to do. */
static int reap_record(struct txn *txn, void *data)
{
	struct one *one = data;
	struct record record;
	int r = record_read(txn, one->id, &record);

	one->backend_domid = XENSPLIT_ANY;
	if (r == -EBADMSG) {
		r = domain_identity(txn, one->id->domid, NULL, NULL);
		if (r == -ESRCH)
			return remove_damaged(txn, one->id);
		return r ? r : -EALREADY;
	}
	if (r)
		return r;
	one->backend_domid = record.backend_domid;
	if (!backend_matches(record.backend_domid, one->filter))
		return -EALREADY;
	r = record_is_stale(txn, &record);
	if (r == 0)
		return -EALREADY;
	return r < 0 ? r : remove_stale(txn, one->id);
}

/*
 * First without a transaction, because most devices are not stale. A domain that
 * keeps writing makes every transaction collide that removes its half. Single
 * removals can't collide, and the record is removed last.
 */
static int reap_device(struct txn *txn, const struct reaping *reaping,
		       const struct device_id *id, uint32_t *ret_domid)
{
	struct one one = { .id = id, .filter = reaping->filter };
	struct record record;
	int r = record_read(txn, id, &record);

	if (!r)
		r = record_is_stale(txn, &record);
	if (r == 0)
		return -EALREADY;
	if (r < 0 && r != -EBADMSG)
		return r;
	r = store_transaction(txn, reap_record, &one);
	if (r == -EBUSY && !txn->preview)
		r = reap_record(txn, &one);
	if (!r && !txn->preview)
		id_log(txn->ctx, id, "removed");
	*ret_domid = one.backend_domid;
	return r;
}

/* Appends the changes of one commit to the earlier ones. */
static int keep_changes(struct xensplit_reap *reap, const struct xensplit_nodes *changes)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < changes->count; i++) {
		const struct xensplit_node *node = changes->nodes[i];

		r = nodes_add(&reap->changes, node->op, node->path, node->value,
			      node->value_len, node->perms);
	}
	return r;
}

static int commit_one(struct txn *txn, struct reaping *reaping,
		      const struct device_id *id,
		      int (*commit)(struct txn *, const struct reaping *,
				    const struct device_id *, uint32_t *))
{
	struct xensplit_nodes changes = { 0 };
	uint32_t backend_domid = XENSPLIT_ANY;
	int r;

	txn->preview = reaping->flags & XENSPLIT_REAP_DRY_RUN;
	txn->journal = &changes;
	r = commit(txn, reaping, id, &backend_domid);
	txn->preview = false;
	txn->journal = NULL;
	if (!r && keep_changes(reaping->reap, &changes))
		r = fail(txn->ctx, -ENOMEM, "out of memory");
	nodes_clear(&changes);
	return take_result(txn, reaping->reap, id, backend_domid, r);
}

/* --- cursors for picking device ids --- */

static int forget_domain(struct txn *txn, void *data)
{
	const struct device_id *id = data;
	char path[PATH_SIZE];
	int r = domain_identity(txn, id->domid, NULL, NULL);

	if (r != -ESRCH)
		return r ? r : -EALREADY;
	snprintf(path, sizeof(path), "%s/%" PRIu32, RECORD_ROOT, id->domid);
	r = store_exists(txn, path);
	if (r <= 0)
		return r ? r : -ENOENT;
	return store_remove_prune(txn, path, 1);
}

/* Devices that could not be removed keep the cursor. */
static int commit_forget(struct txn *txn, const struct reaping *reaping,
			 const struct device_id *id, uint32_t *ret_domid)
{
	struct device_id domain = *id;

	(void)reaping;
	(void)ret_domid;
	return store_transaction(txn, forget_domain, &domain);
}

static bool has_failed(const struct xensplit_reap *reap, uint32_t domid)
{
	size_t i;

	for (i = 0; i < reap->count; i++)
		if (reap->entries[i]->id.domid == domid &&
		    reap->entries[i]->reaped.result)
			return true;
	return false;
}

static int forget_domains(struct txn *txn, struct reaping *reaping,
			  const struct xensplit_filter *filter)
{
	unsigned int count, i;
	char **names = NULL;
	int r = store_list(txn, RECORD_ROOT, &names, &count);

	if (r)
		return r == -ENOENT ? 0 : r;
	for (i = 0; !r && i < count; i++) {
		struct device_id id = { 0 };
		uint64_t domid;

		if (!parse_number(names[i], strlen(names[i]), DOMID_END - 1, &domid))
			continue;
		id.domid = (uint32_t)domid;
		if ((filter->domid == XENSPLIT_ANY || filter->domid == id.domid) &&
		    domain_identity(txn, id.domid, NULL, NULL) == -ESRCH &&
		    !has_failed(reaping->reap, id.domid))
			r = commit_one(txn, reaping, &id, commit_forget);
	}
	free(names);
	return r;
}

/* --- all of them --- */

static int collect(struct txn *txn, const struct device_id *id, void *data)
{
	struct reaping *reaping = data;
	struct device_id *more =
		array_grow(reaping->ids, reaping->count, &reaping->room, sizeof(*more));

	if (!more)
		return fail(txn->ctx, -ENOMEM, "out of memory");
	reaping->ids = more;
	reaping->ids[reaping->count++] = *id;
	return 0;
}

static int reap_all(struct txn *txn, struct reaping *reaping,
		    const struct xensplit_filter *filter)
{
	int r = record_foreach(txn, filter, collect, reaping);
	size_t i;

	for (i = 0; !r && i < reaping->count; i++) {
		log_progress(txn->ctx, "looking for devices of dead domains", i,
			     reaping->count);
		r = commit_one(txn, reaping, &reaping->ids[i], reap_device);
	}
	if (!r && !filter->type && filter->devid == XENSPLIT_ANY &&
	    filter->backend_domid == XENSPLIT_ANY)
		r = forget_domains(txn, reaping, filter);
	return r;
}

XENSPLIT_API int xensplit_reap_new(struct xensplit_ctx *ctx,
				   const struct xensplit_filter *filter, uint32_t flags,
				   struct xensplit_reap **ret_reap)
{
	struct reaping reaping = { .flags = flags };
	struct xensplit_filter f;
	int r;

	if (!ctx || !ret_reap)
		return -EINVAL;
	ctx_begin(ctx);
	if (flags & ~XENSPLIT_REAP_DRY_RUN)
		return fail(ctx, -EINVAL, "unknown reap flags 0x%x", flags);
	struct txn txn = TXN_NONE(ctx);

	r = id_check_filter(ctx, filter, &f);
	if (r)
		return r;
	reaping.filter = &f;
	reaping.reap = calloc(1, sizeof(*reaping.reap));
	if (!reaping.reap)
		return fail(ctx, -ENOMEM, "out of memory");
	r = reap_all(&txn, &reaping, &f);
	free(reaping.ids);
	if (r) {
		xensplit_reap_free(reaping.reap);
		return r;
	}
	*ret_reap = reaping.reap;
	return ctx_end(ctx, 0);
}

XENSPLIT_API const struct xensplit_reaped *
xensplit_reap_get(const struct xensplit_reap *reap, size_t index)
{
	return reap && index < reap->count ? &reap->entries[index]->reaped : NULL;
}

XENSPLIT_API const struct xensplit_node *
xensplit_reap_change(const struct xensplit_reap *reap, size_t index)
{
	return reap ? xensplit_nodes_get(&reap->changes, index) : NULL;
}

XENSPLIT_API struct xensplit_reap *xensplit_reap_free(struct xensplit_reap *reap)
{
	if (!reap)
		return NULL;
	while (reap->count) {
		struct entry *entry = reap->entries[--reap->count];

		free(entry->message);
		free(entry);
	}
	free(reap->entries);
	domains_clear(&reap->domains);
	nodes_clear(&reap->changes);
	free(reap);
	return NULL;
}
