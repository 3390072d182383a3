// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads every node of a device. */
#include "schema.h"

/* A guest's quota is 1000 nodes; allow twice that for both ends, and more. */
#define NODES_MAX 4096
#define DEPTH_MAX 16

static int walk(struct txn *txn, struct xensplit_nodes *nodes, const char *path,
		unsigned int depth);

static int walk_children(struct txn *txn, struct xensplit_nodes *nodes, const char *path,
			 unsigned int depth)
{
	unsigned int count, i;
	char **names = NULL;
	int r = store_list(txn, path, &names, &count);

	if (r)
		return r;
	for (i = 0; i < count && !r; i++) {
		char *child;

		if (asprintf(&child, "%s/%s", path, names[i]) < 0) {
			r = fail(txn->ctx, -ENOMEM, "out of memory");
			break;
		}
		r = walk(txn, nodes, child, depth + 1);
		free(child);
	}
	free(names);
	return r;
}

/* Leaves out nodes that disappear between two requests. */
static int walk(struct txn *txn, struct xensplit_nodes *nodes, const char *path,
		unsigned int depth)
{
	struct node_perms perms;
	char *value;
	size_t len;
	int r;

	if (nodes->count >= NODES_MAX || depth > DEPTH_MAX)
		return 0;
	r = store_read(txn, path, &value, &len);
	if (r)
		return r == -ENOENT ? 0 : r;
	r = store_get_perms(txn, path, &perms);
	if (!r && nodes_add(nodes, XENSPLIT_NODE_IS, path, value, len, perms.text))
		r = fail(txn->ctx, -ENOMEM, "out of memory");
	free(value);
	if (!r)
		r = walk_children(txn, nodes, path, depth);
	return r == -ENOENT ? 0 : r;
}

static int walk_place(struct txn *txn, struct xensplit_nodes *nodes,
		      const struct place *place)
{
	const struct device_id *id = &place->id;
	char path[PATH_SIZE];
	int r;

	path_record(path, id, NULL);
	r = walk(txn, nodes, path, 0);
	path_frontend(path, id, NULL);
	if (!r)
		r = walk(txn, nodes, path, 0);
	path_frontend_error(path, id, NULL);
	if (!r)
		r = walk(txn, nodes, path, 0);
	if (r || place->backend_domid == XENSPLIT_ANY)
		return r;
	path_backend(path, id, place->backend_domid, NULL);
	r = walk(txn, nodes, path, 0);
	path_backend_error(path, id, place->backend_domid, NULL);
	return r ? r : walk(txn, nodes, path, 0);
}

XENSPLIT_API int xensplit_nodes_new(struct xensplit_ctx *ctx,
				    const struct xensplit_id *id,
				    struct xensplit_nodes **ret_nodes)
{
	struct xensplit_nodes *nodes;
	struct device_id device;
	struct place place;
	int r;

	if (!ctx || !id || !ret_nodes)
		return -EINVAL;
	ctx_begin(ctx);
	struct txn txn = TXN_NONE(ctx);

	r = id_set(ctx, &device, id->domid, id->type, id->devid);
	if (!r)
		r = place_find(&txn, &device, &place);
	if (r)
		return r;
	nodes = calloc(1, sizeof(*nodes));
	if (!nodes)
		return fail(ctx, -ENOMEM, "out of memory");
	r = walk_place(&txn, nodes, &place);
	if (!r && !nodes->count)
		r = fail(ctx, -ENOENT, "no such device");
	if (r) {
		xensplit_nodes_free(nodes);
		return r;
	}
	if (nodes->count >= NODES_MAX)
		log_warn(ctx, "only the first %d nodes of the device were read",
			 NODES_MAX);
	ctx_begin(ctx);
	*ret_nodes = nodes;
	return ctx_end(ctx, 0);
}
