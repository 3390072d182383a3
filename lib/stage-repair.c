// SPDX-License-Identifier: LGPL-2.1-or-later
/* Inside a transaction: set permissions, and restore the backend's online node. */
#include "stage.h"

struct repair {
	struct txn *txn;
	const struct place *place;
	bool changed;
};

static bool perms_equal(const struct node_perms *is, const struct perms *want)
{
	unsigned int i;

	if (is->count != want->count)
		return false;
	for (i = 0; i < is->count; i++)
		if (is->entry[i].id != want->entry[i].id ||
		    is->entry[i].perms != want->entry[i].perms)
			return false;
	return true;
}

static int repair_node(struct repair *repair, const char *path, const struct perms *want)
{
	struct node_perms is;
	int r = store_get_perms(repair->txn, path, &is);

	if (r)
		return r == -ENOENT ? 0 : r;
	if (perms_equal(&is, want))
		return 0;
	repair->changed = true;
	return store_set_perms(repair->txn, path, want);
}

/* A directory and its direct children, which is all that the schema has. */
static int repair_half(struct repair *repair, const char *dir, const struct perms *want)
{
	unsigned int count, i;
	char **names = NULL;
	int r = store_list(repair->txn, dir, &names, &count);

	if (r)
		return r == -ENOENT ? 0 : r;
	r = repair_node(repair, dir, want);
	for (i = 0; !r && i < count; i++) {
		char path[PATH_SIZE];

		/* Set below, since they do not belong to the guest. */
		if (!strcmp(names[i], "backend") || !strcmp(names[i], "backend-id"))
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, names[i]) <
		    sizeof(path))
			r = repair_node(repair, path, want);
	}
	free(names);
	return r;
}

static int repair_online(struct repair *repair, const struct perms *perms)
{
	char path[PATH_SIZE];
	int r;

	path_backend(path, &repair->place->id, repair->place->backend_domid, "online");
	r = store_exists(repair->txn, path);
	if (r)
		return r < 0 ? r : 0;
	repair->changed = true;
	return store_write(repair->txn, path, "1", perms);
}

static int write_again(struct repair *repair, const char *path, const struct perms *perms)
{
	char value[16];
	int state;
	int r = state_read(repair->txn, path, &state);

	if (r || state < 0)
		return r;
	snprintf(value, sizeof(value), "%d", state);
	return store_write(repair->txn, path, value, perms);
}

static int repair_halves(struct repair *repair)
{
	const struct device_id *id = &repair->place->id;
	uint32_t backend_domid = repair->place->backend_domid;
	struct perms frontend = perms_frontend(id, backend_domid);
	struct perms backend = perms_backend(id, backend_domid);
	struct perms identity = perms_identity(id, backend_domid);
	char path[PATH_SIZE];
	int r;

	path_frontend(path, id, NULL);
	r = repair_half(repair, path, &frontend);
	path_frontend(path, id, "backend");
	if (!r)
		r = repair_node(repair, path, &identity);
	path_frontend(path, id, "backend-id");
	if (!r)
		r = repair_node(repair, path, &identity);
	path_backend(path, id, backend_domid, NULL);
	if (!r)
		r = repair_half(repair, path, &backend);
	if (!r)
		r = repair_online(repair, &backend);
	if (r || !repair->changed)
		return r;
	/* A driver whose write was refused retries only when the other end changes. */
	path_backend(path, id, backend_domid, "state");
	r = write_again(repair, path, &backend);
	path_frontend(path, id, "state");
	return r ? r : write_again(repair, path, &frontend);
}

int place_repair(struct txn *txn, const struct place *place)
{
	struct repair repair = { txn, place, false };

	return repair_halves(&repair);
}

/* Never act on what a guest or a driver domain may have written. */
int require_mutual(struct txn *txn, int mutual)
{
	if (mutual)
		return mutual < 0 ? mutual : 0;
	return fail(txn->ctx, -EPERM,
		    "xensplit did not make the device, and can't trust it: %s",
		    txn->ctx->failure.text);
}

int repair_stage(struct txn *txn, const struct device_id *id)
{
	struct place place;
	int r = place_find(txn, id, &place);

	if (r)
		return r;
	if (place.recorded) {
		struct record record;

		r = record_require(txn, id, &record);
		if (r)
			return r;
	}
	if (place.backend_domid == XENSPLIT_ANY)
		return fail_as(txn->ctx, -ENOENT, "no-backend",
			       "the device has no backend");
	if (!place.recorded)
		r = require_mutual(txn, place_is_mutual(txn, &place));
	if (!r)
		r = domain_identity(txn, id->domid, NULL, NULL);
	return r ? r : place_repair(txn, &place);
}
