// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The records, below /xensplit. Only dom0 can read and write them, so they are
 * the only nodes to trust when acting on a device (XSA-175, XSA-178).
 *
 * A record is the value of a single node, so one request reads all of it and it
 * is never half written. It has a key=value field on each line; the value is
 * escaped by escape(). Fields unknown to this version are kept and ignored. Extra
 * keys that do not fit are nodes below it.
 */
#include "schema.h"

#define RECORD_SCHEMA 1
/* XenStore's payload is 4096 bytes: path, NUL and value. */
#define RECORD_MAX (4096 - PATH_SIZE)

static const struct perms record_perms = { 1, { { 0, XS_PERM_NONE } } };

static int bad_record(struct txn *txn, const struct device_id *id, const char *why)
{
	char path[PATH_SIZE];

	path_record(path, id, NULL);
	return fail(txn->ctx, -EBADMSG, "%s is damaged: %s", path, why);
}

/* --- from text --- */

/* One line of a record: a key of @key_len bytes, and what follows the '='. */
struct field {
	const char *key;
	size_t key_len;
	const char *value;
	size_t len;
};

/* Parses the next field of @text; false at the end, or if a line is not a field. */
static bool field_next(const char **text, struct field *field)
{
	size_t line = strcspn(*text, "\n");
	const char *equals = memchr(*text, '=', line);

	if (!equals || !(*text)[line])
		return false;
	field->key = *text;
	field->key_len = (size_t)(equals - *text);
	field->value = equals + 1;
	field->len = line - field->key_len - 1;
	*text += line + 1;
	return true;
}

static bool field_is(const struct field *field, const char *key)
{
	return strlen(key) == field->key_len && !strncmp(field->key, key, field->key_len);
}

static bool take_number(const struct field *field, uint64_t max, uint64_t *ret_number)
{
	return parse_number(field->value, field->len, max, ret_number);
}

static bool take_text(const struct field *field, char *buf, size_t size)
{
	if (field->len >= size)
		return false;
	memcpy(buf, field->value, field->len);
	buf[field->len] = '\0';
	return true;
}

/* front.KEY=VALUE and back.KEY=VALUE are extra keys with escaped values. */
static bool is_key(const struct field *field, const char *side)
{
	return field->key_len > strlen(side) && !strncmp(field->key, side, strlen(side));
}

/* It becomes the name of a node again. */
static bool key_is_valid(const struct field *field, size_t prefix)
{
	struct field name = { .value = field->key + prefix,
			      .len = field->key_len - prefix };
	char key[TYPE_MAX + 1];

	return take_text(&name, key, sizeof(key)) && type_is_valid(key);
}

struct parsed {
	struct record record;
	uint64_t schema;
	uint64_t backend_domid;
	uint64_t more;
};

static bool take_field(struct parsed *parsed, const struct field *field)
{
	struct record *record = &parsed->record;

	if (field_is(field, "schema"))
		return take_number(field, UINT32_MAX, &parsed->schema);
	if (field_is(field, "backend-id"))
		return take_number(field, DOMID_END - 1, &parsed->backend_domid);
	if (field_is(field, "backend-type"))
		return take_text(field, record->id.backend_type, TYPE_MAX + 1) &&
		       type_is_valid(record->id.backend_type);
	if (field_is(field, "frontend-uuid"))
		return take_text(field, record->frontend.uuid, UUID_SIZE);
	if (field_is(field, "frontend-mark"))
		return take_text(field, record->frontend.mark, MARK_SIZE);
	if (field_is(field, "backend-uuid"))
		return take_text(field, record->backend.uuid, UUID_SIZE);
	if (field_is(field, "backend-mark"))
		return take_text(field, record->backend.mark, MARK_SIZE);
	if (field_is(field, "unique-id"))
		return take_text(field, record->unique_id, UNIQUE_ID_SIZE);
	if (field_is(field, "created"))
		return take_number(field, INT64_MAX, &record->created);
	if (field_is(field, "phase"))
		return take_text(field, record->phase, PHASE_SIZE);
	if (field_is(field, "listed"))
		return take_text(field, record->listed, LISTED_SIZE);
	if (field_is(field, "more-keys"))
		return take_number(field, 1, &parsed->more);
	if (is_key(field, "front."))
		return key_is_valid(field, strlen("front."));
	return !is_key(field, "back.") || key_is_valid(field, strlen("back."));
}

static int parse(struct txn *txn, const struct device_id *id, const char *value,
		 size_t len, struct record *ret_record)
{
	struct parsed parsed = { .record.id = *id, .backend_domid = XENSPLIT_ANY };
	const char *text = value;
	struct field field;

	parsed.record.id.backend_type[0] = '\0';
	while (field_next(&text, &field))
		if (!take_field(&parsed, &field))
			return bad_record(txn, id, "a field has a wrong value");
	if (text != value + len || !len)
		return bad_record(txn, id, "a line is no field");
	if (parsed.schema != RECORD_SCHEMA)
		return bad_record(txn, id, "it has another schema");
	if (parsed.backend_domid == XENSPLIT_ANY || !*parsed.record.unique_id)
		return bad_record(txn, id, "a field is missing");
	parsed.record.backend_domid = (uint32_t)parsed.backend_domid;
	parsed.record.more_keys = parsed.more;
	*ret_record = parsed.record;
	return 0;
}

static int read_value(struct txn *txn, const struct device_id *id, char **ret_value,
		      size_t *ret_len)
{
	char path[PATH_SIZE];

	path_record(path, id, NULL);
	return store_read(txn, path, ret_value, ret_len);
}

int record_read(struct txn *txn, const struct device_id *id, struct record *ret_record)
{
	char *value;
	size_t len;
	int r = read_value(txn, id, &value, &len);

	if (r)
		return r;
	r = parse(txn, id, value, len, ret_record);
	free(value);
	return r;
}

/* --- extra keys --- */

static int take_key(const struct field *field, const char *side, struct pairs *pairs)
{
	char *key, *value;
	int r = -ENOMEM;

	if (!is_key(field, side))
		return 0;
	key = strndup(field->key + strlen(side), field->key_len - strlen(side));
	value = unescape(field->value, field->len);
	if (key && value)
		r = pairs_add(pairs, key, value);
	free(key);
	free(value);
	return r;
}

static int read_keys_below(struct txn *txn, const struct device_id *id, const char *side,
			   struct pairs *pairs)
{
	char dir[PATH_SIZE], **names = NULL;
	unsigned int count, i;
	int r;

	path_record(dir, id, side);
	r = store_list(txn, dir, &names, &count);
	if (r)
		return r == -ENOENT ? 0 : r;
	for (i = 0; !r && i < count; i++) {
		char path[PATH_SIZE + TYPE_MAX + 2], *value;
		size_t len;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		r = store_read(txn, path, &value, &len);
		if (r)
			break;
		r = pairs_add(pairs, names[i], value);
		free(value);
	}
	free(names);
	return r;
}

int record_read_whole(struct txn *txn, const struct device_id *id,
		      struct record *ret_record, struct pairs *front, struct pairs *back)
{
	struct record record;
	struct field field;
	const char *text;
	char *value;
	size_t len;
	int r = read_value(txn, id, &value, &len);

	if (r)
		return r;
	r = parse(txn, id, value, len, &record);
	for (text = value; !r && field_next(&text, &field);) {
		r = take_key(&field, "front.", front);
		if (!r)
			r = take_key(&field, "back.", back);
	}
	free(value);
	if (!r && record.more_keys)
		r = read_keys_below(txn, id, "front", front);
	if (!r && record.more_keys)
		r = read_keys_below(txn, id, "back", back);
	if (!r)
		*ret_record = record;
	return r == -ENOMEM ? fail(txn->ctx, r, "out of memory") : r;
}

/* --- to text --- */

struct text {
	char value[RECORD_MAX + 1];
	size_t len;
};

/* False, with nothing added, if the line does not fit. */
static bool __printf(2, 3) add_line(struct text *text, const char *format, ...)
{
	size_t room = sizeof(text->value) - text->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text->value + text->len, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room) {
		text->value[text->len] = '\0';
		return false;
	}
	text->len += (size_t)len;
	return true;
}

static void add_identity(struct text *text, const char *end,
			 const struct identity *identity)
{
	if (*identity->uuid)
		add_line(text, "%s-uuid=%s\n", end, identity->uuid);
	if (*identity->mark)
		add_line(text, "%s-mark=%s\n", end, identity->mark);
}

/* These fields fit for every device. */
static void add_fields(struct text *text, const struct record *record)
{
	add_line(text, "schema=%d\n", RECORD_SCHEMA);
	add_line(text, "backend-id=%" PRIu32 "\n", record->backend_domid);
	if (*record->id.backend_type)
		add_line(text, "backend-type=%s\n", record->id.backend_type);
	add_identity(text, "frontend", &record->frontend);
	add_identity(text, "backend", &record->backend);
	add_line(text, "unique-id=%s\n", record->unique_id);
	add_line(text, "created=%" PRIu64 "\n", record->created);
	if (*record->phase)
		add_line(text, "phase=%s\n", record->phase);
	if (*record->listed)
		add_line(text, "listed=%s\n", record->listed);
	if (record->more_keys)
		add_line(text, "more-keys=1\n");
}

static bool add_key(struct text *text, const char *side, const char *key,
		    const char *value)
{
	char shown[4 * VALUE_MAX_LEN + 8];

	escape(shown, sizeof(shown), value, strlen(value));
	return add_line(text, "%s.%s=%s\n", side, key, shown);
}

static bool add_keys(struct text *text, const char *side, const struct pairs *pairs)
{
	bool fit = true;
	size_t i;

	for (i = 0; i < pairs->count; i++)
		fit &= add_key(text, side, pairs->list[i].key, pairs->list[i].value);
	return fit;
}

/* Writes keys that do not fit below the record; fills @text again to find them. */
static int write_keys_below(struct txn *txn, const struct record *record,
			    struct text *text, const char *side,
			    const struct pairs *pairs)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < pairs->count; i++) {
		char path[PATH_SIZE + TYPE_MAX + 2], dir[PATH_SIZE];

		if (add_key(text, side, pairs->list[i].key, pairs->list[i].value))
			continue;
		path_record(dir, &record->id, side);
		snprintf(path, sizeof(path), "%s/%s", dir, pairs->list[i].key);
		r = store_write(txn, path, pairs->list[i].value, &record_perms);
	}
	return r;
}

int record_write(struct txn *txn, struct record *record, const struct pairs *front,
		 const struct pairs *back)
{
	char path[PATH_SIZE];
	struct text text = { .len = 0 };
	bool front_fits, back_fits;
	int r;

	add_fields(&text, record);
	front_fits = add_keys(&text, "front", front);
	back_fits = add_keys(&text, "back", back);
	record->more_keys = !front_fits || !back_fits;
	if (record->more_keys) {
		text.len = 0;
		add_fields(&text, record);
		add_keys(&text, "front", front);
		add_keys(&text, "back", back);
	}
	path_record(path, &record->id, NULL);
	/* Inherits permissions from the root of the store: dom0 only. */
	r = store_write(txn, path, text.value, &record_perms);
	if (r || !record->more_keys)
		return r;
	text.len = 0;
	add_fields(&text, record);
	r = write_keys_below(txn, record, &text, "front", front);
	return r ? r : write_keys_below(txn, record, &text, "back", back);
}

int record_set_phase(struct txn *txn, const struct device_id *id, const char *phase)
{
	char path[PATH_SIZE], *value;
	struct text text = { .len = 0 };
	struct record record;
	const char *rest;
	struct field field;
	bool fits = true;
	size_t len;
	int r = read_value(txn, id, &value, &len);

	if (r)
		return r;
	r = parse(txn, id, value, len, &record);
	for (rest = value; !r && field_next(&rest, &field);)
		if (!field_is(&field, "phase"))
			fits &= add_line(&text, "%.*s=%.*s\n", (int)field.key_len,
					 field.key, (int)field.len, field.value);
	if (*phase)
		fits &= add_line(&text, "phase=%s\n", phase);
	free(value);
	if (!r && !fits)
		r = bad_record(txn, id, "it is too long");
	path_record(path, id, NULL);
	return r ? r : store_write(txn, path, text.value, &record_perms);
}

int record_remove(struct txn *txn, const struct device_id *id)
{
	char path[PATH_SIZE];

	path_record(path, id, NULL);
	return txn->part == TXN_HALVES ? 0 : store_remove_prune(txn, path, 3);
}
