// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

/* As strdup(): a string of its own size, so that ASan sees where it ends. */
static char *copy(const char *text, size_t len, size_t *ret_len)
{
	char *own = malloc(len + 1);

	memcpy(own, text, len);
	own[len] = '\0';
	if (ret_len)
		*ret_len = len;
	return own;
}

void must_hold_failed(const char *what, const char *text)
{
	dprintf(STDERR_FILENO, "This must hold: %s\n", what);
	if (text)
		dprintf(STDERR_FILENO, "It does not for: %s\n", text);
	abort();
}

void fuzz_quiet(void)
{
	static FILE *nowhere;

	if (!nowhere)
		stderr = nowhere = fopen("/dev/null", "w");
}

bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

char *input_line(struct input *input, size_t *ret_len)
{
	const char *at = input->at, *end;

	if (at >= input->end)
		return NULL;
	end = memchr(at, '\n', (size_t)(input->end - at));
	if (!end)
		end = input->end;
	input->at = end + 1;
	return copy(at, (size_t)(end - at), ret_len);
}

char *input_rest(struct input *input, size_t *ret_len)
{
	const char *at = input->at < input->end ? input->at : input->end;

	input->at = input->end;
	return copy(at, (size_t)(input->end - at), ret_len);
}

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Within $'...': \\, \' and \xHH. */
static char *unquote_bytes(const char *at, char *to)
{
	for (; *at && *at != '\''; at++) {
		if (*at != '\\') {
			*to++ = *at;
		} else if (at[1] == '\\' || at[1] == '\'') {
			*to++ = *++at;
		} else if (at[1] == 'x' && hex(at[2]) >= 0 && hex(at[3]) >= 0) {
			*to++ = (char)(16 * hex(at[2]) + hex(at[3]));
			at += 3;
		} else {
			return NULL;
		}
	}
	return strcmp(at, "'") ? NULL : to;
}

char *shell_unquote(const char *word)
{
	size_t len = strlen(word);
	char *text = calloc(1, len + 1), *end = text;

	if (!strncmp(word, "$'", 2)) {
		end = unquote_bytes(word + 2, text);
	} else if (len >= 2 && *word == '\'' && word[len - 1] == '\'') {
		memcpy(text, word + 1, len - 2);
		end = strchr(text, '\'') ? NULL : text + len - 2;
	} else {
		/* These mean something to a shell. */
		end = !len || strpbrk(word, " \t\n|&;<>()$`\\\"'*?[]#~!{}^") ? NULL
									     : text + len;
		strcpy(text, word);
	}
	if (!end) {
		free(text);
		return NULL;
	}
	*end = '\0';
	return text;
}

static void say(struct xentoollog_logger *logger, xentoollog_level level, int errnoval,
		const char *context, const char *format, va_list args)
{
	char text[2048];

	(void)logger;
	(void)errnoval;
	(void)context;
	if (level < XTL_VERBOSE)
		return;
	vsnprintf(text, sizeof(text), format, args);
	must_hold_for(is_printable(text), text);
}

struct xentoollog_logger printable_logger = { .vmessage = say };
