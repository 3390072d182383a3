// SPDX-License-Identifier: LGPL-2.1-or-later
/* Removes what dead domains left behind. */
#include "array.h"
#include "reap.h"

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
	bool unnamed;
	struct device_id *ids; /* of all matching records, domain by domain */
	size_t count;
	size_t room;
	const struct xensplit_filter *filter;
	struct domains domains; /* of before the first commit */
};

static int add_entry(struct txn *txn, struct reaping *reaping, const struct device_id *id,
		     uint32_t backend_domid, int result)
{
	struct xensplit_reap *reap = reaping->reap;
	struct entry **more =
		array_grow(reap->entries, reap->count, &reap->room, sizeof(*more));
	struct entry *entry = calloc(1, sizeof(*entry));
	char *message = result ? strdup(txn->ctx->failure.text) : NULL;
	const char *domain = NULL;

	if (more)
		reap->entries = more;
	if (!more || !entry || (result && !message) ||
	    (!reaping->unnamed &&
	     domains_name(txn, &reap->domains, id->domid, &domain))) {
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
static int take_result(struct txn *txn, struct reaping *reaping,
		       const struct device_id *id, uint32_t backend_domid, int r)
{
	if (r == -ENOTCONN || r == -ENOMEM)
		return r;
	/* Another client's reap, or a new attach, was faster. */
	if (r == -ENOENT || r == -EALREADY)
		return 0;
	return add_entry(txn, reaping, id, backend_domid, r);
}

/* --- commits --- */

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

static void begin(struct txn *txn, const struct reaping *reaping,
		  struct xensplit_nodes *changes)
{
	memset(changes, 0, sizeof(*changes));
	txn->preview = reaping->flags & XENSPLIT_REAP_DRY_RUN;
	txn->journal = changes;
}

static int end(struct txn *txn, const struct reaping *reaping,
	       struct xensplit_nodes *changes, int r)
{
	txn->preview = false;
	txn->journal = NULL;
	if (!r && keep_changes(reaping->reap, changes))
		r = fail(txn->ctx, -ENOMEM, "out of memory");
	nodes_clear(changes);
	return r;
}

static int commit_one(struct txn *txn, struct reaping *reaping,
		      const struct device_id *id)
{
	struct xensplit_nodes changes;
	uint32_t backend_domid = XENSPLIT_ANY;
	int r;

	begin(txn, reaping, &changes);
	r = reap_one(txn, id, reaping->filter, &backend_domid);
	r = end(txn, reaping, &changes, r);
	return take_result(txn, reaping, id, backend_domid, r);
}

static int commit_many(struct txn *txn, struct reaping *reaping,
		       struct reap_commit *commit)
{
	struct xensplit_nodes changes;
	size_t i;
	int r;

	begin(txn, reaping, &changes);
	r = reap_many(txn, commit);
	r = end(txn, reaping, &changes, r);
	for (i = 0; !r && i < commit->done_count; i++)
		r = take_result(txn, reaping, &commit->done[i].record.id,
				commit->done[i].record.backend_domid, 0);
	return r;
}

/* If one can't be removed, each on its own, so that it does not stop the others. */
static int commit_some(struct txn *txn, struct reaping *reaping,
		       struct reap_commit *commit)
{
	size_t i;
	int r = commit->count > 1 ? commit_many(txn, reaping, commit) : -EAGAIN;

	if (!r || r == -ENOTCONN || r == -ENOMEM)
		return r;
	r = 0;
	for (i = 0; !r && i < commit->count; i++)
		r = commit_one(txn, reaping, &commit->ids[i]);
	return r;
}

/* --- cursors for picking device ids --- */

static int forget(struct txn *txn, void *data)
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

static bool has_failed(const struct xensplit_reap *reap, uint32_t domid)
{
	size_t i;

	for (i = 0; i < reap->count; i++)
		if (reap->entries[i]->id.domid == domid &&
		    reap->entries[i]->reaped.result)
			return true;
	return false;
}

/* Devices that could not be removed keep the cursor. */
static int forget_domain(struct txn *txn, uint32_t domid, void *data)
{
	struct reaping *reaping = data;
	struct device_id id = { .domid = domid };
	struct xensplit_nodes changes;
	int r = has_failed(reaping->reap, domid);

	if (!r)
		r = domain_identity(txn, domid, NULL, NULL);
	if (r != -ESRCH)
		return 0;
	begin(txn, reaping, &changes);
	r = store_transaction(txn, forget, &id);
	r = end(txn, reaping, &changes, r);
	return take_result(txn, reaping, &id, XENSPLIT_ANY, r);
}

static int forget_if_there(struct txn *txn, struct reaping *reaping, uint32_t domid)
{
	char path[PATH_SIZE];
	int r;

	snprintf(path, sizeof(path), "%s/%" PRIu32, RECORD_ROOT, domid);
	r = store_exists(txn, path);
	return r > 0 ? forget_domain(txn, domid, reaping) : r;
}

static int forget_domains(struct txn *txn, struct reaping *reaping)
{
	const struct xensplit_filter *filter = reaping->filter;

	if (filter->type || filter->devid != XENSPLIT_ANY ||
	    filter->backend_domid != XENSPLIT_ANY)
		return 0;
	if (filter->domid != XENSPLIT_ANY)
		return forget_if_there(txn, reaping, filter->domid);
	return record_domains(txn, forget_domain, reaping);
}

/* --- all of them --- */

/* Most devices are not stale: find out without a transaction. */
static int may_be_stale(struct txn *txn, struct reaping *reaping,
			const struct device_id *id)
{
	struct record record;
	int r = domains_exists(txn, &reaping->domains, id->domid);

	if (r <= 0)
		return r ? r : 1;
	r = record_read(txn, id, &record);
	if (!r)
		r = domains_stale(txn, &reaping->domains, &record);
	if (r == -EBADMSG)
		return 1;
	return r == -ENOENT ? 0 : r;
}

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

/* Gathers the next ones that may be stale, where the first of them were. */
static int gather(struct txn *txn, struct reaping *reaping, struct reap_commit *commit,
		  size_t *at)
{
	struct device_id *ids = reaping->ids + *at;
	int r = 0;

	commit->ids = ids;
	commit->count = 0;
	for (; r >= 0 && *at < reaping->count && commit->count < REAP_MOST; ++*at) {
		const struct device_id *id = &reaping->ids[*at];

		log_progress(txn->ctx, "looking for devices of dead domains", *at,
			     reaping->count);
		r = may_be_stale(txn, reaping, id);
		if (r > 0)
			ids[commit->count++] = *id;
		else if (r < 0)
			r = take_result(txn, reaping, id, XENSPLIT_ANY, r);
	}
	return r < 0 ? r : 0;
}

static int reap_all(struct txn *txn, struct reaping *reaping)
{
	struct reap_commit *commit = malloc(sizeof(*commit));
	size_t at = 0;
	int r = commit ? 0 : fail(txn->ctx, -ENOMEM, "out of memory");

	while (!r && at < reaping->count) {
		commit->filter = reaping->filter;
		r = gather(txn, reaping, commit, &at);
		if (!r && commit->count)
			r = commit_some(txn, reaping, commit);
	}
	free(commit);
	return r;
}

static int begin_reaping(struct xensplit_ctx *ctx, struct reaping *reaping)
{
	reaping->reap = calloc(1, sizeof(*reaping->reap));
	return reaping->reap ? 0 : fail(ctx, -ENOMEM, "out of memory");
}

static int end_reaping(struct reaping *reaping, int r, struct xensplit_reap **ret_reap)
{
	free(reaping->ids);
	domains_clear(&reaping->domains);
	if (r)
		xensplit_reap_free(reaping->reap);
	else
		*ret_reap = reaping->reap;
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
	if (!r)
		r = begin_reaping(ctx, &reaping);
	if (r)
		return r;
	reaping.filter = &f;
	r = record_foreach(&txn, &f, collect, &reaping);
	if (!r)
		r = reap_all(&txn, &reaping);
	if (!r)
		r = forget_domains(&txn, &reaping);
	return ctx_end(ctx, end_reaping(&reaping, r, ret_reap));
}

int reap_domains(struct xensplit_ctx *ctx, const uint32_t *domids, size_t count,
		 struct xensplit_reap **ret_reap)
{
	struct reaping reaping = { .unnamed = true };
	struct txn txn = TXN_NONE(ctx);
	XENSPLIT_FILTER(filter);
	size_t i;
	int r = begin_reaping(ctx, &reaping);

	if (r)
		return r;
	reaping.filter = &filter;
	for (i = 0; !r && i < count; i++) {
		filter.domid = domids[i];
		r = record_foreach(&txn, &filter, collect, &reaping);
	}
	filter.domid = XENSPLIT_ANY;
	if (!r)
		r = reap_all(&txn, &reaping);
	for (i = 0; !r && i < count; i++)
		r = forget_if_there(&txn, &reaping, domids[i]);
	return end_reaping(&reaping, r, ret_reap);
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
