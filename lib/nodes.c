// SPDX-License-Identifier: LGPL-2.1-or-later
/* XenStore nodes as data. */
#include "internal.h"

/* One block for each node, with its strings at the end. */
static struct xensplit_node *node_new(int op, const char *path, const char *value,
				      size_t len, const char *perms)
{
	size_t path_size = strlen(path) + 1, perms_size = perms ? strlen(perms) + 1 : 0;
	struct xensplit_node *node =
		calloc(1, sizeof(*node) + path_size + perms_size + len + 1);
	char *text;

	if (!node)
		return NULL;
	text = (char *)(node + 1);
	node->op = op;
	node->path = memcpy(text, path, path_size);
	text += path_size;
	if (perms)
		node->perms = memcpy(text, perms, perms_size);
	text += perms_size;
	if (value)
		node->value = memcpy(text, value, len);
	node->value_len = len;
	return node;
}

int nodes_add(struct xensplit_nodes *nodes, int op, const char *path, const char *value,
	      size_t len, const char *perms)
{
	struct xensplit_node *node;

	if (nodes->count == nodes->room) {
		size_t room = nodes->room ? 2 * nodes->room : 32;
		void *more = realloc(nodes->nodes, room * sizeof(struct xensplit_node *));

		if (!more)
			return -ENOMEM;
		nodes->nodes = more;
		nodes->room = room;
	}
	node = node_new(op, path, value, len, perms);
	if (!node)
		return -ENOMEM;
	nodes->nodes[nodes->count++] = node;
	return 0;
}

void nodes_clear(struct xensplit_nodes *nodes)
{
	while (nodes->count)
		free(nodes->nodes[--nodes->count]);
	free(nodes->nodes);
	nodes->nodes = NULL;
	nodes->room = 0;
}

XENSPLIT_API const struct xensplit_node *
xensplit_nodes_get(const struct xensplit_nodes *nodes, size_t index)
{
	return nodes && index < nodes->count ? nodes->nodes[index] : NULL;
}

XENSPLIT_API struct xensplit_nodes *xensplit_nodes_free(struct xensplit_nodes *nodes)
{
	if (nodes)
		nodes_clear(nodes);
	free(nodes);
	return NULL;
}
