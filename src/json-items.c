// SPDX-License-Identifier: GPL-2.0-or-later
#include "fields.h"
#include "json.h"
#include "json-items.h"
#include "xensplit.h"

static void add_pairs(struct json_object *keys, const char *end,
		      const struct xensplit_pair *pairs, size_t count)
{
	struct json_object *object = json_member(keys, end);

	for (size_t i = 0; i < count; i++)
		json_add_text(object, pairs[i].key, pairs[i].value);
}

static void add_keys(struct json_object *object, const char *key,
		     const struct xensplit_device *device)
{
	struct json_object *keys;

	if (!device->unique_id) { /* without a record the keys are not known */
		json_add_text(object, key, NULL);
		return;
	}
	keys = json_member(object, key);
	add_pairs(keys, "front", device->front, device->front_count);
	add_pairs(keys, "back", device->back, device->back_count);
}

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
	case FIELD_TIME:
		json_add_time(object, field->key, *(const uint64_t *)at);
		return;
	case FIELD_KEYS:
		add_keys(object, field->key, device);
		return;
	case FIELD_ORIGIN:
		json_add_text(object, field->key, origin_name(*(const int *)at));
		return;
	case FIELD_DEVICE:
	case FIELD_STATUS:
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
