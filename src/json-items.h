/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON for devices and nodes, used by several reports. */
#ifndef XENSPLIT_JSON_ITEMS_H
#define XENSPLIT_JSON_ITEMS_H

struct json_object;
struct xensplit_device;
struct xensplit_error;
struct xensplit_id;
struct xensplit_node;

void json_add_device(struct json_object *array, const struct xensplit_device *device);
/* Writes path, value and permissions of a node, or only what a change changes. */
void json_add_node(struct json_object *array, const struct xensplit_node *node);

/* Adds the first failure to the next report. @id and @remedy may be NULL. */
void json_note_error(const struct xensplit_error *error, const struct xensplit_id *id,
		     const char *remedy);

/* The name of a state, or NULL if there is none. */
const char *state_or_null(int state);

/* One word for a change of a node. */
const char *node_op_name(int op);

#endif
