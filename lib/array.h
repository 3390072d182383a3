/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays that grow. */
#ifndef XENSPLIT_ARRAY_H
#define XENSPLIT_ARRAY_H

#include "internal.h"

/* @array with room for one more than @count; NULL, and @array unchanged, without memory. */
static inline void *array_grow(void *array, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 16;
	void *grown;

	if (count < *room)
		return array;
	grown = reallocarray(array, more, size);
	if (grown)
		*room = more;
	return grown;
}

#endif
