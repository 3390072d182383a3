// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Devices without a record. A driver domain that owns its `backend` directory can
 * claim any frontend, and a guest that owns its frontend's pointers can name any
 * backend (XSA-175, XSA-178). So believe these nodes only if nothing contradicts
 * them.
 */
#include "array.h"
#include "schema.h"

int claims_add(struct txn *txn, struct claims *claims, uint32_t domid)
{
	uint32_t *more =
		array_grow(claims->domids, claims->count, &claims->room, sizeof(*more));
	size_t i;

	if (!more)
		return fail(txn->ctx, -ENOMEM, "out of memory");
	claims->domids = more;
	for (i = claims->count++; i && more[i - 1] > domid; i--)
		more[i] = more[i - 1];
	more[i] = domid;
	return 0;
}

void claims_clear(struct claims *claims)
{
	free(claims->domids);
	memset(claims, 0, sizeof(*claims));
}

struct claiming {
	const struct device_id *id;
	struct claims *claims;
};

static int ask_domain(struct txn *txn, uint32_t domid, void *data)
{
	struct claiming *claiming = data;
	char path[PATH_SIZE];
	int r;

	path_backend(path, claiming->id, domid, NULL);
	r = store_exists(txn, path);
	return r > 0 ? claims_add(txn, claiming->claims, domid) : r;
}

int claims_find(struct txn *txn, const struct device_id *id, struct claims *claims)
{
	struct claiming claiming = { id, claims };

	return domain_foreach(txn, ask_domain, &claiming);
}

/* 1 if the node has this value, 0 if it has another one or does not exist. */
static int has_value(struct txn *txn, const char *path, const char *wanted)
{
	char *value;
	size_t len;
	int r = store_read(txn, path, &value, &len);

	if (r)
		return r == -ENOENT ? 0 : r;
	r = len == strlen(wanted) && !memcmp(value, wanted, len);
	free(value);
	return r;
}

int place_pointer_writable(struct txn *txn, const struct place *place,
			   char path[PATH_SIZE], struct node_perms *ret_perms)
{
	static const char *const keys[] = { "backend", "backend-id" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		int r;

		path_frontend(path, &place->id, keys[i]);
		r = store_get_perms(txn, path, ret_perms);
		if (r == -ENOENT)
			continue;
		if (r)
			return r;
		if (perms_guest_may_write(ret_perms))
			return 1;
	}
	return 0;
}

int claims_choose(struct txn *txn, const struct device_id *id,
		  const struct claims *claims, uint32_t *ret_domid)
{
	struct place place = { .id = *id };
	char path[PATH_SIZE], wanted[PATH_SIZE], *value;
	struct node_perms perms;
	size_t i, len;
	int r;

	/* Dom0 sorts first. */
	*ret_domid = claims->count ? claims->domids[0] : XENSPLIT_ANY;
	if (claims->count < 2)
		return 0;
	r = place_pointer_writable(txn, &place, path, &perms);
	if (r)
		return r < 0 ? r : 0;
	path_frontend(path, id, "backend");
	r = store_read(txn, path, &value, &len);
	if (r)
		return r == -ENOENT ? 0 : r;
	for (i = 0; i < claims->count; i++) {
		path_backend(wanted, id, claims->domids[i], NULL);
		if (!strcmp(value, wanted))
			*ret_domid = claims->domids[i];
	}
	free(value);
	return 0;
}

static int not_mutual(struct txn *txn, const char *path, const char *why)
{
	return fail(txn->ctx, 0, "%s %s", path, why);
}

static int require_value(struct txn *txn, const char *path, const char *wanted)
{
	int r = has_value(txn, path, wanted);

	return r ? r : not_mutual(txn, path, "does not name the other half");
}

static int pointers_agree(struct txn *txn, const struct place *place)
{
	char path[PATH_SIZE], wanted[PATH_SIZE], domid[16];
	int r;

	path_frontend(path, &place->id, "backend");
	path_backend(wanted, &place->id, place->backend_domid, NULL);
	r = require_value(txn, path, wanted);
	if (r <= 0)
		return r;
	path_frontend(path, &place->id, "backend-id");
	snprintf(domid, sizeof(domid), "%" PRIu32, place->backend_domid);
	r = require_value(txn, path, domid);
	if (r <= 0)
		return r;
	path_backend(path, &place->id, place->backend_domid, "frontend");
	path_frontend(wanted, &place->id, NULL);
	r = require_value(txn, path, wanted);
	if (r <= 0)
		return r;
	path_backend(path, &place->id, place->backend_domid, "frontend-id");
	snprintf(domid, sizeof(domid), "%" PRIu32, place->id.domid);
	return require_value(txn, path, domid);
}

int place_halves_agree(struct txn *txn, const struct place *place)
{
	struct node_perms perms;
	char path[PATH_SIZE];
	int r;

	path_frontend(path, &place->id, NULL);
	if (place->backend_domid == XENSPLIT_ANY)
		return not_mutual(txn, path, "has no backend");
	r = pointers_agree(txn, place);
	if (r <= 0)
		return r;
	r = place_pointer_writable(txn, place, path, &perms);
	if (r)
		return r < 0 ? r : not_mutual(txn, path, "can be written by a guest");
	return 1;
}

int place_is_mutual(struct txn *txn, const struct place *place)
{
	struct claims claims = { 0 };
	char path[PATH_SIZE];
	bool alone;
	int r = place_halves_agree(txn, place);

	if (r <= 0)
		return r;
	r = claims_find(txn, &place->id, &claims);
	alone = claims.count == 1 && claims.domids[0] == place->backend_domid;
	claims_clear(&claims);
	if (r)
		return r;
	path_frontend(path, &place->id, NULL);
	return alone ? 1 : not_mutual(txn, path, "has more than one backend");
}
