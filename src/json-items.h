/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several reports tell of: devices and nodes. */
#ifndef XENSPLIT_JSON_ITEMS_H
#define XENSPLIT_JSON_ITEMS_H

struct json_object;
struct xensplit_device;
struct xensplit_node;

void json_add_device(struct json_object *array, const struct xensplit_device *device);
/* A node as it is has a path, a value and permissions; a change has what it touches. */
void json_add_node(struct json_object *array, const struct xensplit_node *node);

/* What is done to a node, in one word. */
const char *node_op_name(int op);

#endif
