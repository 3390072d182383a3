// SPDX-License-Identifier: LGPL-2.1-or-later
/* The extra keys of a device and their values, owned by the library. */
#include "internal.h"

int pairs_add(struct pairs *pairs, const char *key, const char *value)
{
	struct xensplit_pair *more =
		realloc(pairs->list, (pairs->count + 1) * sizeof(*more));
	char *own_key, *own_value;

	if (!more)
		return -ENOMEM;
	pairs->list = more;
	own_key = strdup(key);
	own_value = strdup(value);
	if (!own_key || !own_value) {
		free(own_key);
		free(own_value);
		return -ENOMEM;
	}
	pairs->list[pairs->count].key = own_key;
	pairs->list[pairs->count++].value = own_value;
	return 0;
}

const char *pairs_find(const struct pairs *pairs, const char *key)
{
	size_t i;

	for (i = 0; i < pairs->count; i++)
		if (!strcmp(pairs->list[i].key, key))
			return pairs->list[i].value;
	return NULL;
}

int pairs_add_missing(struct pairs *pairs, const struct pairs *from)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < from->count; i++)
		if (!pairs_find(pairs, from->list[i].key))
			r = pairs_add(pairs, from->list[i].key, from->list[i].value);
	return r;
}

void pairs_clear(struct pairs *pairs)
{
	size_t i;

	for (i = 0; i < pairs->count; i++) {
		free((char *)pairs->list[i].key);
		free((char *)pairs->list[i].value);
	}
	free(pairs->list);
	memset(pairs, 0, sizeof(*pairs));
}
