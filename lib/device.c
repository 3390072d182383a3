// SPDX-License-Identifier: LGPL-2.1-or-later
/* The two halves of a device: paths, permissions, states, removal. */
#include "schema.h"

/* First the owner and what everyone else may do: nothing (docs/misc/xenstore.txt). */
static struct perms perms_two(uint32_t owner, uint32_t reader)
{
	struct perms perms = { 2, { { owner, XS_PERM_NONE }, { reader, XS_PERM_READ } } };

	return perms;
}

struct perms perms_frontend(const struct device_id *id, uint32_t backend_domid)
{
	return perms_two(id->domid, backend_domid);
}

struct perms perms_backend(const struct device_id *id, uint32_t backend_domid)
{
	return perms_two(backend_domid, id->domid);
}

/* Both ends may only read these: a guest must not choose its backend. */
struct perms perms_identity(const struct device_id *id, uint32_t backend_domid)
{
	struct perms perms = { 3,
			       { { 0, XS_PERM_NONE },
				 { id->domid, XS_PERM_READ },
				 { backend_domid, XS_PERM_READ } } };

	return perms;
}

const char *states_text(int frontend_state, int backend_state, char *buf, size_t size)
{
	snprintf(buf, size, "frontend %s, backend %s",
		 xensplit_state_name(frontend_state), xensplit_state_name(backend_state));
	return buf;
}

int state_read(struct txn *txn, const char *path, int *ret_state)
{
	char *value;
	size_t len;
	int r = store_read(txn, path, &value, &len);

	if (r == -ENOENT) {
		*ret_state = XENSPLIT_STATE_ABSENT;
		return 0;
	}
	if (r)
		return r;
	*ret_state = state_parse(value, len);
	free(value);
	return 0;
}

int place_states(struct txn *txn, const struct place *place, int *ret_frontend,
		 int *ret_backend)
{
	char path[PATH_SIZE];
	int frontend, backend = XENSPLIT_STATE_ABSENT;
	int r;

	path_frontend(path, &place->id, "state");
	r = state_read(txn, path, &frontend);
	if (!r && place->backend_domid != XENSPLIT_ANY) {
		path_backend(path, &place->id, place->backend_domid, "state");
		r = state_read(txn, path, &backend);
	}
	if (r)
		return r;
	*ret_frontend = frontend;
	*ret_backend = backend;
	return 0;
}

/*
 * A domain's "backend" directory is created with its first backend and removed
 * with the last, because libxl does not create one. If the driver domain owns it,
 * its toolstack created it, and it stays.
 */
int place_remove_backend(struct txn *txn, const struct device_id *id,
			 uint32_t backend_domid)
{
	char path[PATH_SIZE];
	unsigned int parents = 3;
	struct node_perms perms;
	int r;

	if (txn->part == TXN_RECORD)
		return 0;
	if (backend_domid) {
		snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/backend",
			 backend_domid);
		r = store_get_perms(txn, path, &perms);
		if (r == -ENOENT)
			return 0;
		if (r)
			return r;
		if (!perms.count || perms.entry[0].id != 0)
			parents = 2;
	}
	path_backend(path, id, backend_domid, NULL);
	return store_remove_prune(txn, path, parents);
}

int place_remove_frontend(struct txn *txn, const struct device_id *id)
{
	char path[PATH_SIZE];

	path_frontend(path, id, NULL);
	return txn->part == TXN_RECORD ? 0 : store_remove_prune(txn, path, 1);
}

int place_remove_halves(struct txn *txn, const struct place *place)
{
	int r = place_remove_frontend(txn, &place->id);

	if (r || place->backend_domid == XENSPLIT_ANY)
		return r;
	return place_remove_backend(txn, &place->id, place->backend_domid);
}

/* One request if there is nothing, which is the common case. */
static int remove_if_there(struct txn *txn, const char *path, unsigned int parents)
{
	int r = store_exists(txn, path);

	return r > 0 ? store_remove_prune(txn, path, parents) : r;
}

/*
 * Removes what drivers wrote about an earlier device of this name. Done outside
 * any transaction: the drivers own these nodes and could make it collide forever,
 * and nothing else depends on them.
 */
int place_remove_errors(struct xensplit_ctx *ctx, const struct place *place)
{
	struct txn txn = TXN_NONE(ctx);
	char path[PATH_SIZE];
	int r;

	path_frontend_error(path, &place->id, NULL);
	r = remove_if_there(&txn, path, 2);
	if (r || place->backend_domid == XENSPLIT_ANY)
		return r;
	path_backend_error(path, &place->id, place->backend_domid, NULL);
	return remove_if_there(&txn, path, place->backend_domid ? 3 : 4);
}

static int any_exists(struct txn *txn, const char *first, const char *second)
{
	int r = store_exists(txn, first);

	return r ? r : store_exists(txn, second);
}

/* Nothing to keep them for: there is no device. */
int place_remove_old_errors(struct xensplit_ctx *ctx, const struct place *place)
{
	char record[PATH_SIZE], front[PATH_SIZE], back[PATH_SIZE];
	struct txn txn = TXN_NONE(ctx);
	int r;

	path_frontend_error(front, &place->id, NULL);
	path_backend_error(back, &place->id, place->backend_domid, NULL);
	r = any_exists(&txn, front, back);
	if (r <= 0)
		return r;
	path_record(record, &place->id, NULL);
	path_frontend(front, &place->id, NULL);
	path_backend(back, &place->id, place->backend_domid, NULL);
	r = any_exists(&txn, record, front);
	if (!r)
		r = store_exists(&txn, back);
	if (r)
		return r < 0 ? r : 0;
	return place_remove_errors(ctx, place);
}
