// SPDX-License-Identifier: LGPL-2.1-or-later
/* Escapes and parses bytes that others wrote. */
#include "internal.h"

const char *escape(char *buf, size_t size, const char *bytes, size_t len)
{
	size_t i, used = 0;

	for (i = 0; i < len && used + 5 <= size; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\\')
			used += (size_t)snprintf(buf + used, size - used, "\\\\");
		else if (c >= ' ' && c <= '~')
			buf[used++] = (char)c;
		else
			used += (size_t)snprintf(buf + used, size - used, "\\x%02x", c);
	}
	buf[used] = '\0';
	return buf;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Keeps bytes that escape() would not produce. */
char *unescape(const char *text, size_t len)
{
	char *bytes = malloc(len + 1), *end = bytes;
	size_t i = 0;

	if (!bytes)
		return NULL;
	while (i < len) {
		if (text[i] == '\\' && i + 1 < len && text[i + 1] == '\\') {
			*end++ = '\\';
			i += 2;
		} else if (text[i] == '\\' && i + 3 < len && text[i + 1] == 'x' &&
			   hex_digit(text[i + 2]) >= 0 && hex_digit(text[i + 3]) >= 0) {
			*end++ = (char)(16 * hex_digit(text[i + 2]) +
					hex_digit(text[i + 3]));
			i += 4;
		} else {
			*end++ = text[i++];
		}
	}
	*end = '\0';
	return bytes;
}

bool parse_number(const char *text, size_t len, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t i;

	if (!len)
		return false;
	for (i = 0; i < len; i++) {
		unsigned int digit = (unsigned int)(unsigned char)text[i] - '0';

		if (digit > 9 || digit > max || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret_number = number;
	return true;
}

bool parse_name(const char *name, uint64_t max, uint64_t *ret_number)
{
	bool has_zeros = name[0] == '0' && name[1];

	return !has_zeros && parse_number(name, strlen(name), max, ret_number);
}
