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

const char *state_or_null(int state)
{
	return state == XENSPLIT_STATE_ABSENT ? NULL : xensplit_state_name(state);
}

static void add_field(struct json_object *object, const struct field *field,
		      const struct xensplit_device *device)
{
	const void *at = field_at(field, device);

	switch (field->type) {
	case FIELD_NUMBER:
		json_add_number(object, field->key, *(const uint32_t *)at);
		return;
	case FIELD_TEXT:
		json_add_text(object, field->key, *(const char *const *)at);
		return;
	case FIELD_STATE:
		json_add_text(object, field->key, state_or_null(*(const int *)at));
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

void json_note_error(const struct xensplit_error *error, const struct xensplit_id *id,
		     const char *remedy)
{
	struct json_object *object = json_error(), *part;

	if (!object)
		return;
	json_add_text(object, "code", error->code);
	json_add_escaped(object, "message", error->message);
	if (id) {
		part = json_member(object, "device");
		json_add_number(part, "domid", id->domid);
		json_add_text(part, "type", id->type);
		json_add_number(part, "devid", id->devid);
	} else {
		json_add_text(object, "device", NULL);
	}
	if (error->has_states) {
		part = json_member(object, "states");
		json_add_text(part, "frontend", state_or_null(error->frontend_state));
		json_add_text(part, "backend", state_or_null(error->backend_state));
	} else {
		json_add_text(object, "states", NULL);
	}
	json_add_escaped(object, "try", remedy);
}
