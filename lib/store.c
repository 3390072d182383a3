// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The only file that calls libxenstore.
 *
 * A failed request does not poison a transaction: a later commit would write what
 * was done so far. So every error in a transaction here ends in an abort.
 */
#include "internal.h"

struct xs_handle *store_open(void)
{
	return xs_open(0);
}

/* A child has no reader thread that could be joined; exec() closes the descriptors. */
void store_close(struct xensplit_ctx *ctx, struct xs_handle *xs)
{
	if (!ctx_is_inherited(ctx))
		xs_close(xs);
}

/*
 * For a dead daemon libxenstore returns whatever error its descriptor gave,
 * including EINVAL, which is also the daemon's error for a bad path; there are no
 * bad paths here. In a transaction the daemon returns EIO and EINVAL for a node
 * whose children or parent another client's commit removed: a normal collision.
 */
static int store_errno(struct txn *txn)
{
	bool in_transaction = txn->t != XBT_NULL;
	int err = errno;
	void *root;

	switch (err) {
	case ENOENT:
	case EACCES:
	case EPERM:
	case ENOMEM:
	case EEXIST:
	case EAGAIN:
	case E2BIG:
	case ENOSPC:
	case ECHILD:
		return -err;
	case EIO:
		return in_transaction ? -EAGAIN : -ENOTCONN;
	case EINVAL:
		root = xs_read(txn->xs, XBT_NULL, "/", NULL);
		if (root || errno == EACCES) {
			free(root);
			return in_transaction ? -EAGAIN : -EIO;
		}
		break;
	}
	return -ENOTCONN;
}

/*
 * Before each request: logs it, so that a log shows which one hangs. False, with
 * errno set, in a child: its requests would take the answers to those of the parent.
 */
static bool may_send(struct txn *txn, const char *what, const char *path)
{
	log_debug(txn->ctx, "%s %s", what, path);
	errno = ctx_is_inherited(txn->ctx) ? ECHILD : 0;
	return !errno;
}

static int store_fail(struct txn *txn, const char *what, const char *path)
{
	int r = store_errno(txn);

	if (r == -ENOTCONN)
		return fail(txn->ctx, r, "xenstored does not answer (%s %s)", what, path);
	if (r == -ECHILD)
		return ctx_check_owner(txn->ctx);
	if (r == -EACCES || r == -EPERM)
		return fail(txn->ctx, -EACCES, "no permission to %s %s", what, path);
	return fail(txn->ctx, r, "can't %s %s: %s", what, path, strerror(-r));
}

int store_read(struct txn *txn, const char *path, char **ret_value, size_t *ret_len)
{
	unsigned int len;
	char *value;

	value = may_send(txn, "read", path) ? xs_read(txn->xs, txn->t, path, &len) : NULL;
	if (!value)
		return store_fail(txn, "read", path);
	*ret_value = value;
	*ret_len = len;
	return 0;
}

int store_exists(struct txn *txn, const char *path)
{
	char *value;

	value = may_send(txn, "read", path) ? xs_read(txn->xs, txn->t, path, NULL) : NULL;
	if (value) {
		free(value);
		return 1;
	}
	return errno == ENOENT ? 0 : store_fail(txn, "read", path);
}

int store_list(struct txn *txn, const char *path, char ***ret_names,
	       unsigned int *ret_count)
{
	char **names = NULL;

	if (may_send(txn, "list", path))
		names = xs_directory(txn->xs, txn->t, path, ret_count);
	if (!names)
		return store_fail(txn, "list", path);
	*ret_names = names;
	return 0;
}

int store_get_perms(struct txn *txn, const char *path, struct node_perms *ret_perms)
{
	struct xs_permissions *perms = NULL;
	unsigned int count;

	if (may_send(txn, "read the permissions of", path))
		perms = xs_get_permissions(txn->xs, txn->t, path, &count);
	if (!perms)
		return store_fail(txn, "read the permissions of", path);
	perms_format(perms, count, ret_perms->text, sizeof(ret_perms->text));
	ret_perms->count = count < NODE_PERMS_MAX ? count : NODE_PERMS_MAX;
	memcpy(ret_perms->entry, perms, ret_perms->count * sizeof(*perms));
	free(perms);
	return 0;
}

static int journal_add(struct txn *txn, int op, const char *path, const char *value,
		       const struct perms *perms)
{
	char text[16 * PERMS_MAX];

	if (!txn->journal)
		return 0;
	if (perms)
		perms_format(perms->entry, perms->count, text, sizeof(text));
	if (nodes_add(txn->journal, op, path, value, value ? strlen(value) : 0,
		      perms ? text : NULL))
		return fail(txn->ctx, -ENOMEM, "out of memory");
	return 0;
}

static int set_perms(struct txn *txn, const char *path, const struct perms *perms)
{
	struct xs_permissions entry[PERMS_MAX];

	txn->wrote = true;
	memcpy(entry, perms->entry, sizeof(entry));
	if (may_send(txn, "set the permissions of", path) &&
	    xs_set_permissions(txn->xs, txn->t, path, entry, perms->count))
		return 0;
	/* The daemon's error for an owner that Xen does not know. */
	if (errno == ENOENT)
		return fail(txn->ctx, -ESRCH, "no such domain: %u", perms->entry[0].id);
	return store_fail(txn, "set the permissions of", path);
}

/* xenstored creates missing parents, with permissions inherited from above. */
static int journal_parents(struct txn *txn, const char *path)
{
	struct node_perms above;
	char parent[PATH_SIZE];
	int r;

	if (!txn->preview)
		return 0;
	snprintf(parent, sizeof(parent), "%s", path);
	*strrchr(parent, '/') = '\0';
	if (!*parent)
		return 0;
	r = store_exists(txn, parent);
	if (r)
		return r < 0 ? r : 0;
	r = journal_parents(txn, parent);
	/* Create it here, so that the next preview step sees it. */
	if (!r && !xs_mkdir(txn->xs, txn->t, parent))
		r = store_fail(txn, "make", parent);
	if (!r)
		r = store_get_perms(txn, parent, &above);
	if (!r && nodes_add(txn->journal, XENSPLIT_NODE_WRITE, parent, "", 0, above.text))
		r = fail(txn->ctx, -ENOMEM, "out of memory");
	return r;
}

int store_write(struct txn *txn, const char *path, const char *value,
		const struct perms *inherited)
{
	int r = journal_parents(txn, path);

	if (r)
		return r;
	txn->wrote = true;
	if (!may_send(txn, "write", path) ||
	    !xs_write(txn->xs, txn->t, path, value, (unsigned int)strlen(value)))
		return store_fail(txn, "write", path);
	return journal_add(txn, XENSPLIT_NODE_WRITE, path, value, inherited);
}

int store_set_perms(struct txn *txn, const char *path, const struct perms *perms)
{
	int r = set_perms(txn, path, perms);

	return r ? r : journal_add(txn, XENSPLIT_NODE_PERMS, path, NULL, perms);
}

int store_write_perms(struct txn *txn, const char *path, const char *value,
		      const struct perms *perms)
{
	int r = store_write(txn, path, value, perms);

	return r ? r : set_perms(txn, path, perms);
}

/* Set permissions before creating children, which inherit them. */
int store_mkdir(struct txn *txn, const char *path, const struct perms *perms)
{
	int r = journal_parents(txn, path);

	if (r)
		return r;
	txn->wrote = true;
	if (!may_send(txn, "make", path) || !xs_mkdir(txn->xs, txn->t, path))
		return store_fail(txn, "make", path);
	r = set_perms(txn, path, perms);
	return r ? r : journal_add(txn, XENSPLIT_NODE_WRITE, path, "", perms);
}

/* 1 if removed (or if only the parent exists, which the daemon does not tell apart). */
int store_remove(struct txn *txn, const char *path)
{
	int r;

	/* A preview must not show the removal of a node that does not exist. */
	if (txn->preview) {
		r = store_exists(txn, path);
		if (r <= 0)
			return r;
	}
	txn->wrote = true;
	if (!may_send(txn, "remove", path) || !xs_rm(txn->xs, txn->t, path)) {
		if (errno != ENOENT)
			return store_fail(txn, "remove", path);
		/* That the record goes and a half stays is worth one request. */
		r = store_exists(txn, path);
		errno = EINVAL;
		return r > 0 ? store_fail(txn, "remove", path) : r;
	}
	r = journal_add(txn, XENSPLIT_NODE_REMOVE, path, NULL, NULL);
	return r ? r : 1;
}

/* 1 if it has at most @most children, else 0; 2 if it does not exist. */
static int has_at_most(struct txn *txn, const char *path, unsigned int most)
{
	unsigned int count = 0;
	char **names = NULL;
	int r = store_list(txn, path, &names, &count);

	if (r)
		return r == -ENOENT ? 2 : r;
	free(names);
	return count <= most;
}

/* Outside a transaction, since another client may add a second child. */
static int prune_each(struct txn *txn, char *path, unsigned int parents)
{
	int r = 0;

	while (r >= 0 && parents--) {
		*strrchr(path, '/') = '\0';
		r = has_at_most(txn, path, 0);
		if (r <= 0)
			break;
		if (r == 1)
			r = store_remove(txn, path);
	}
	return r;
}

/* Each parent is empty once its only child is removed with it. */
static int prune_highest(struct txn *txn, char *path, unsigned int parents)
{
	char empty[PATH_SIZE] = "";
	int r = 0;

	while (parents--) {
		*strrchr(path, '/') = '\0';
		r = has_at_most(txn, path, *empty ? 1 : 0);
		if (r <= 0)
			break;
		if (r == 1)
			snprintf(empty, sizeof(empty), "%s", path);
	}
	return r < 0 || !*empty ? r : store_remove(txn, empty);
}

/*
 * Removes the device's own directory first, and its parents only if they become
 * empty: a guest's XenBus only sees the topmost path that is removed, and does not
 * notice the removal of its device if that is device/T.
 */
int store_remove_prune(struct txn *txn, const char *path, unsigned int parents)
{
	char parent[PATH_SIZE];
	int r = store_remove(txn, path);

	snprintf(parent, sizeof(parent), "%s", path);
	if (r >= 0)
		r = txn->t == XBT_NULL ? prune_each(txn, parent, parents)
				       : prune_highest(txn, parent, parents);
	return r < 0 ? r : 0;
}

static bool is_refusal(int r)
{
	return r == -ENOENT || r == -EEXIST || r == -ESTALE || r == -EBADMSG;
}

/*
 * Reads in a transaction are not a snapshot: they may have seen half of another
 * client's commit. So what refuses is committed, too: if that succeeds, it is right.
 */
static int end(struct txn *txn, int r)
{
	if (txn->preview || (r < 0 && (txn->wrote || !is_refusal(r)))) {
		if (may_send(txn, "abort the transaction on", "XenStore"))
			xs_transaction_end(txn->xs, txn->t, true);
		return r;
	}
	if (may_send(txn, "commit to", "XenStore") &&
	    xs_transaction_end(txn->xs, txn->t, false))
		return r;
	return errno == EAGAIN ? -EAGAIN : store_fail(txn, "commit to", "XenStore");
}

int store_try(struct txn *txn, store_fn *fn, void *data)
{
	int r;

	if (txn->journal)
		nodes_clear(txn->journal);
	if (may_send(txn, "start a transaction on", "XenStore"))
		txn->t = xs_transaction_start(txn->xs);
	if (txn->t == XBT_NULL)
		return store_fail(txn, "start a transaction on", "XenStore");
	txn->wrote = false;
	r = end(txn, fn(txn, data));
	txn->t = XBT_NULL;
	return r < 0 ? r : 0;
}

/*
 * libxenstore also returns false for a failed request, and false makes callers
 * reap devices: only errno tells the two apart.
 */
int store_knows_domain(struct txn *txn, uint32_t domid)
{
	char path[32];

	snprintf(path, sizeof(path), "/local/domain/%" PRIu32, domid);
	if (may_send(txn, "ask for the domain of", path) &&
	    xs_is_domain_introduced(txn->xs, domid))
		return 1;
	if (!errno || errno == EINTR)
		return 0;
	return store_fail(txn, "ask for the domain of", path);
}

int store_watch(struct txn *txn, const char *path, const char *token)
{
	if (may_send(txn, "watch", path) && xs_watch(txn->xs, path, token))
		return 0;
	return store_fail(txn, "watch", path);
}

void store_unwatch(struct txn *txn, const char *path, const char *token)
{
	if (may_send(txn, "no longer watch", path))
		xs_unwatch(txn->xs, path, token);
}

int store_watch_fd(struct xs_handle *xs)
{
	return xs_fileno(xs);
}

char **store_next_watch(struct xs_handle *xs)
{
	return xs_check_watch(xs);
}
