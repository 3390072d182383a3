// SPDX-License-Identifier: LGPL-2.1-or-later
/* The extra keys of a device and their values: copies that the library owns. */
#include "internal.h"

int pairs_add(struct pairs *pairs, const char *key, const char *value)
{
	char **keys = realloc(pairs->keys, (pairs->count + 1) * sizeof(*keys));
	char **values;

	if (!keys)
		return -ENOMEM;
	pairs->keys = keys;
	values = realloc(pairs->values, (pairs->count + 1) * sizeof(*values));
	if (!values)
		return -ENOMEM;
	pairs->values = values;
	keys[pairs->count] = strdup(key);
	values[pairs->count] = strdup(value);
	if (!keys[pairs->count] || !values[pairs->count]) {
		free(keys[pairs->count]);
		free(values[pairs->count]);
		return -ENOMEM;
	}
	pairs->count++;
	return 0;
}

const char *pairs_find(const struct pairs *pairs, const char *key)
{
	size_t i;

	for (i = 0; i < pairs->count; i++)
		if (!strcmp(pairs->keys[i], key))
			return pairs->values[i];
	return NULL;
}

int pairs_add_missing(struct pairs *pairs, const struct pairs *from)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < from->count; i++)
		if (!pairs_find(pairs, from->keys[i]))
			r = pairs_add(pairs, from->keys[i], from->values[i]);
	return r;
}

void pairs_clear(struct pairs *pairs)
{
	size_t i;

	for (i = 0; i < pairs->count; i++) {
		free(pairs->keys[i]);
		free(pairs->values[i]);
	}
	free(pairs->keys);
	free(pairs->values);
	memset(pairs, 0, sizeof(*pairs));
}
