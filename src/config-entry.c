// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "common.h"
#include "config-entry.h"
#include "text.h"

#define BLANKS " \t\n\v\f\r"
/* Of what was written, in a message. */
#define SHOWN_MOST 80

/* "'TEXT' is not a device": a text may be as long as the file. */
static int wrong(char **ret_error, const char *text, const char *what)
{
	size_t len = strnlen(text, SHOWN_MOST + 1);
	char *shown = escape(text, len > SHOWN_MOST ? SHOWN_MOST : len);

	*ret_error = words("'%s%s' %s", shown, len > SHOWN_MOST ? "..." : "", what);
	free(shown);
	return -1;
}

static int parse_type(struct config_entry *entry, char **ret_error)
{
	struct xensplit_id id = { 0 };

	entry->text = must(strdup(entry->parts[0]));
	if (parse_device(entry->parts[0], 1, &id) || is_number(id.type))
		return wrong(ret_error, entry->text,
			     "is not a device: use TYPE, TYPE/DEVID or TYPE/auto");
	entry->wanted.type = id.type;
	entry->wanted.devid = id.devid;
	return 0;
}

/* @set: the word that sets the flag */
static int set_flag(uint32_t *flags, uint32_t flag, const char *set, const char *value)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return -1;
	if (!strcmp(value, set))
		*flags |= flag;
	return 0;
}

static const char *after(const char *key, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(key, prefix, len) ? NULL : key + len;
}

static int set_key(struct config_entry *entry, const char *key, const char *value,
		   char **ret_error)
{
	struct xensplit_wanted *wanted = &entry->wanted;
	const char *name;

	if ((name = after(key, "front."))) {
		entry->front[wanted->front_count++] =
			(struct xensplit_pair){ name, value };
		return 0;
	}
	if ((name = after(key, "back."))) {
		entry->back[wanted->back_count++] = (struct xensplit_pair){ name, value };
		return 0;
	}
	if (!strcmp(key, "wait") || !strcmp(key, "reserved")) {
		int err = *key == 'w' ? set_flag(&wanted->flags, XENSPLIT_WANTED_NO_WAIT,
						 "no", value)
				      : set_flag(&wanted->flags, XENSPLIT_WANTED_RESERVED,
						 "yes", value);

		return err ? wrong(ret_error, key, "is yes or no") : 0;
	}
	if (!strcmp(key, "backend"))
		wanted->backend = value;
	else if (!strcmp(key, "backend-type"))
		wanted->backend_type = value;
	else
		return wrong(ret_error, key,
			     "is not a key: use backend, backend-type, front.KEY, "
			     "back.KEY, wait or reserved");
	return *value ? 0 : wrong(ret_error, key, "has no value");
}

/* The keys of the parts before it are cut off already. */
static int parse_part(struct config_entry *entry, size_t index, char **ret_error)
{
	char *key = entry->parts[index], *equals = strchr(key, '=');

	if (!equals || equals == key)
		return wrong(ret_error, key, "is not KEY=VALUE");
	*equals = '\0';
	for (size_t i = 1; i < index; i++)
		if (!strcmp(entry->parts[i], key))
			return wrong(ret_error, key, "is there twice");
	return set_key(entry, key, equals + 1, ret_error);
}

static int parse_all(struct config_entry *entry, char **ret_error)
{
	entry->front = must(calloc(entry->part_count, sizeof(*entry->front)));
	entry->back = must(calloc(entry->part_count, sizeof(*entry->back)));
	entry->wanted.sz = sizeof(entry->wanted);
	entry->wanted.front = entry->front;
	entry->wanted.back = entry->back;
	if (parse_type(entry, ret_error))
		return -1;
	for (size_t i = 1; i < entry->part_count; i++)
		if (parse_part(entry, i, ret_error))
			return -1;
	return 0;
}

static void add_part(struct config_entry *entry, char *part)
{
	entry->parts = must(
		reallocarray(entry->parts, entry->part_count + 1, sizeof(*entry->parts)));
	entry->parts[entry->part_count++] = must(part);
}

static void trim(const char **text, size_t *len)
{
	while (*len && strchr(BLANKS, **text)) {
		(*text)++;
		(*len)--;
	}
	while (*len && strchr(BLANKS, (*text)[*len - 1]))
		(*len)--;
}

/* A copy without the blanks around it, and around its first '='. */
static char *copy_trimmed(const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t key_len = equals ? (size_t)(equals - text) : len;
	const char *value = equals ? equals + 1 : "";
	size_t value_len = equals ? len - key_len - 1 : 0;

	trim(&text, &key_len);
	trim(&value, &value_len);
	return words("%.*s%s%.*s", (int)key_len, text, equals ? "=" : "", (int)value_len,
		     value);
}

int entry_parse(const char *text, struct config_entry *ret_entry, char **ret_error)
{
	size_t len;

	*ret_entry = (struct config_entry){ 0 };
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		add_part(ret_entry, copy_trimmed(text, len));
		if (!text[len])
			return parse_all(ret_entry, ret_error);
	}
}

int entry_parse_parts(const char *const *parts, size_t count,
		      struct config_entry *ret_entry, char **ret_error)
{
	*ret_entry = (struct config_entry){ 0 };
	for (size_t i = 0; i < count; i++)
		add_part(ret_entry, strdup(parts[i]));
	if (!count)
		return wrong(ret_error, "[]", "names no device");
	return parse_all(ret_entry, ret_error);
}

void entry_clear(struct config_entry *entry)
{
	for (size_t i = 0; i < entry->part_count; i++)
		free(entry->parts[i]);
	free(entry->parts);
	free(entry->text);
	free(entry->front);
	free(entry->back);
	*entry = (struct config_entry){ 0 };
}
