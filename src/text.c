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

/* Within $'...', as bash, zsh and ksh have it: the bytes can be anything. */
static char *shell_bytes(const char *text)
{
	char *word = must(malloc(4 * strlen(text) + 4)), *end = word;

	end += sprintf(end, "$'");
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '\'' || byte == '\\')
			end += sprintf(end, "\\%c", byte);
		else if (byte >= ' ' && byte <= '~')
			*end++ = (char)byte;
		else
			end += sprintf(end, "\\x%02x", byte);
	}
	sprintf(end, "'");
	return word;
}

char *shell_word(const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789@%+=:,./_-";

	if (*text && strspn(text, plain) == strlen(text))
		return must(strdup(text));
	for (const char *at = text; *at; at++)
		if (*at < ' ' || *at > '~' || *at == '\'')
			return shell_bytes(text);
	return words("'%s'", text);
}

char *domain_words(uint32_t domid, const char *name)
{
	char *shown = name ? escape(name, strlen(name)) : NULL;
	char *text = shown ? words("%s (domain %u)", shown, domid)
			   : words("domain %u", domid);

	free(shown);
	return text;
}

int is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

char *device_name(const struct xensplit_id *id)
{
	char *type = escape(id->type, strlen(id->type));
	char devid[16] = "auto";
	char *name;

	if (id->devid != XENSPLIT_DEVID_AUTO)
		snprintf(devid, sizeof(devid), "%u", id->devid);
	name = words("%s/%s", type, devid);
	free(type);
	return name;
}

char *id_name(const struct xensplit_id *id)
{
	char *device = device_name(id);
	char *name = words("%s of domain %u", device, id->domid);

	free(device);
	return name;
}

const char *took_text(uint64_t start_ms)
{
	static char text[32];
	uint64_t ms = now_ms() - start_ms;

	if (ms < 1000)
		snprintf(text, sizeof(text), "after %u ms", (unsigned int)ms);
	else
		snprintf(text, sizeof(text), "after %.1f s", (double)ms / 1000);
	return text;
}
