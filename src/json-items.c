// SPDX-License-Identifier: GPL-2.0-or-later
#include "fields.h"
#include "json.h"
#include "json-items.h"
#include "xensplit.h"

static void add_field(struct json_object *object, const struct field *field,
		      const struct xensplit_device *device)
{
	const void *at = field_at(field, device);
	int state;

	switch (field->type) {
	case FIELD_NUMBER:
		json_add_number(object, field->key, *(const uint32_t *)at);
		return;
	case FIELD_TEXT:
		json_add_text(object, field->key, *(const char *const *)at);
		return;
	case FIELD_STATE:
		state = *(const int *)at;
		json_add_text(object, field->key,
			      state == XENSPLIT_STATE_ABSENT
				      ? NULL
				      : xensplit_state_name(state));
		return;
	case FIELD_FLAG:
		json_add_flag(object, field->key, *(const int *)at);
		return;
	case FIELD_ORIGIN:
		json_add_text(object, field->key, origin_name(*(const int *)at));
		return;
	}
}

void json_add_device(struct json_object *array, const struct xensplit_device *device)
{
	struct json_object *object = json_item(array);

	for (size_t i = 0; i < FIELD_COUNT; i++)
		add_field(object, &fields[i], device);
}

const char *node_op_name(int op)
{
	switch (op) {
	case XENSPLIT_NODE_WRITE:
		return "write";
	case XENSPLIT_NODE_REMOVE:
		return "remove";
	default:
		return "permissions";
	}
}

void json_add_node(struct json_object *array, const struct xensplit_node *node)
{
	struct json_object *object = json_item(array);

	if (node->op != XENSPLIT_NODE_IS)
		json_add_text(object, "op", node_op_name(node->op));
	json_add_text(object, "path", node->path);
	if (node->value)
		json_add_bytes(object, "value", node->value, node->value_len);
	if (node->perms)
		json_add_text(object, "permissions", node->perms);
}
