// SPDX-License-Identifier: LGPL-2.1-or-later
/* Mending a device that stands wrongly: permissions, and what tells a backend to stay. */
#include "operation.h"

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

/* A directory and what stands right below it, which is all the schema has. */
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

		/* Set below, for these are not the guest's. */
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

static int repair_place(struct repair *repair)
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
	/* A driver that was refused does not try again until the other end moves. */
	path_backend(path, id, backend_domid, "state");
	r = write_again(repair, path, &backend);
	path_frontend(path, id, "state");
	return r ? r : write_again(repair, path, &frontend);
}

int repair_stage(struct txn *txn, const struct device_id *id)
{
	char text[ID_TEXT_SIZE];
	struct place place;
	struct repair repair = { txn, &place, false };
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
		return fail(txn->ctx, -ENOENT,
			    "%s has no backend: attach it again with --replace",
			    id_text(id, text, sizeof(text)));
	r = domain_identity(txn, id->domid, NULL, NULL);
	return r ? r : repair_place(&repair);
}

/* --- a driver that was refused --- */

#define SECOND_LOOK_MS 2000

/* A foreign device is made again only if nothing of its configuration gets lost. */
static int require_bare(struct txn *txn, const struct place *place)
{
	static const char *const known[] = { "backend",	 "backend-id",	"state",
					     "frontend", "frontend-id", "online" };
	char dir[2][PATH_SIZE], **names = NULL;
	unsigned int count, i, j, half;
	int r = 0;

	path_frontend(dir[0], &place->id, NULL);
	path_backend(dir[1], &place->id, place->backend_domid, NULL);
	for (half = 0; !r && half < 2; half++) {
		r = store_list(txn, dir[half], &names, &count);
		for (i = 0; !r && i < count; i++) {
			for (j = 0; j < ARRAY_SIZE(known); j++)
				if (!strcmp(names[i], known[j]))
					break;
			if (j == ARRAY_SIZE(known))
				r = fail(txn->ctx, -EPROTO,
					 "%s has keys that would get lost if it were "
					 "made again",
					 dir[half]);
		}
		free(names);
		names = NULL;
	}
	return r;
}

/*
 * Linux takes a state that it could not write for the one it is in, and never
 * writes it again (__xenbus_switch_state): only a new device gets such a driver
 * going. With its permissions mended the old one can close.
 */
static int make_again(struct xensplit_ctx *ctx, const struct place *place,
		      unsigned int timeout_ms)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct txn txn = TXN_NONE(ctx);
	int r = place->recorded ? 0 : require_bare(&txn, place);

	opts.domid = place->id.domid;
	opts.backend_domid = place->backend_domid;
	opts.type = place->id.type;
	opts.backend_type = *place->id.backend_type ? place->id.backend_type : NULL;
	opts.devid = place->id.devid;
	opts.flags = XENSPLIT_ATTACH_REPLACE | XENSPLIT_ATTACH_RESERVED;
	return r ? r : xensplit_attach(ctx, &opts, timeout_ms, NULL);
}

/* 1 if one of the drivers has written an error and the device is not connected. */
static int has_failed(struct txn *txn, const struct place *place)
{
	char path[PATH_SIZE];
	int frontend, backend;
	int r = place_states(txn, place, &frontend, &backend);

	if (r || (state_is_connected(frontend) && state_is_connected(backend)))
		return r;
	path_frontend_error(path, &place->id, "error");
	r = store_exists(txn, path);
	if (r)
		return r;
	path_backend_error(path, &place->id, place->backend_domid, "error");
	return store_exists(txn, path);
}

static int commit_repair(struct xensplit_ctx *ctx, const struct xensplit_id *id)
{
	struct xensplit_batch *batch;
	int r = xensplit_batch_new(ctx, &batch);

	if (r)
		return r;
	r = xensplit_batch_repair(batch, id);
	if (r >= 0)
		r = xensplit_batch_commit(batch);
	xensplit_batch_free(batch);
	return r;
}

XENSPLIT_API int xensplit_repair(struct xensplit_ctx *ctx, const struct xensplit_id *id,
				 unsigned int timeout_ms)
{
	struct wait wait = { .until = XENSPLIT_UNTIL_CONNECTED,
			     .timeout_ms = timeout_ms };
	struct record record = { .phase = "" };
	struct place place;
	int r, failed;

	if (!ctx || !id)
		return -EINVAL;
	struct txn txn = TXN_NONE(ctx);

	r = id_set(ctx, &wait.id, id->domid, id->type, id->devid);
	if (!r)
		r = place_find(&txn, &wait.id, &place);
	if (!r && place.recorded)
		r = record_read(&txn, &wait.id, &record);
	/* Its halves are gone, or about to go. */
	if (!r && *record.phase)
		return make_again(ctx, &place, timeout_ms);
	if (!r)
		r = commit_repair(ctx, id);
	if (r)
		return r;
	failed = has_failed(&txn, &place);
	if (failed < 0)
		return failed;
	/* A driver that does look again shall not lose its device. */
	if (failed && timeout_ms > SECOND_LOOK_MS)
		wait.timeout_ms = SECOND_LOOK_MS;
	wait.deadline_us = now_us() + 1000ull * wait.timeout_ms;
	r = wait_run(ctx, &wait);
	if (failed && (r == -ETIMEDOUT || r == -EPROTO))
		r = make_again(ctx, &place, timeout_ms);
	return r;
}
