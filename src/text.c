// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "text.h"
#include "xensplit.h"

char *escape(const char *bytes, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char *text = must(malloc(4 * len + 1));
	char *end = text;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte == '\\') {
			*end++ = '\\';
			*end++ = '\\';
		} else if (byte >= ' ' && byte <= '~') {
			*end++ = (char)byte;
		} else {
			*end++ = '\\';
			*end++ = 'x';
			*end++ = hex[byte >> 4];
			*end++ = hex[byte & 15];
		}
	}
	*end = '\0';
	return text;
}

char *id_name(const struct xensplit_id *id)
{
	char *type = escape(id->type, strlen(id->type));
	char devid[16] = "auto";
	char *name = NULL;

	if (id->devid != XENSPLIT_DEVID_AUTO)
		snprintf(devid, sizeof(devid), "%u", id->devid);
	if (asprintf(&name, "%s/%s of domain %u", type, devid, id->domid) < 0)
		name = NULL;
	free(type);
	return must(name);
}
