// SPDX-License-Identifier: LGPL-2.1-or-later
/* Bytes that somebody else wrote: made printable, or read as a number. */
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
