// SPDX-License-Identifier: GPL-2.0-or-later
/* The library's allocations: see unit.h, and ALLOCATORS in tests.mk. */
#include "unit.h"

struct memory memory;

void *lib_malloc(size_t size);
void *lib_calloc(size_t count, size_t size);
void *lib_realloc(void *old, size_t size);
void *lib_reallocarray(void *old, size_t count, size_t size);
char *lib_strdup(const char *text);
char *lib_strndup(const char *text, size_t size);
int lib_vasprintf(char **ret_text, const char *fmt, va_list args);
int lib_asprintf(char **ret_text, const char *fmt, ...);

static bool fails(void)
{
	memory.count++;
	if (!memory.fail_at || memory.count < memory.fail_at ||
	    (memory.count > memory.fail_at && !memory.from_there_on))
		return false;
	memory.failed = true;
	errno = ENOMEM;
	return true;
}

void *lib_malloc(size_t size)
{
	return fails() ? NULL : malloc(size);
}

void *lib_calloc(size_t count, size_t size)
{
	return fails() ? NULL : calloc(count, size);
}

void *lib_realloc(void *old, size_t size)
{
	return fails() ? NULL : realloc(old, size);
}

void *lib_reallocarray(void *old, size_t count, size_t size)
{
	return fails() ? NULL : reallocarray(old, count, size);
}

char *lib_strdup(const char *text)
{
	return fails() ? NULL : strdup(text);
}

char *lib_strndup(const char *text, size_t size)
{
	return fails() ? NULL : strndup(text, size);
}

/* What *ret_text then holds is not defined: nothing that free() could take. */
int lib_vasprintf(char **ret_text, const char *fmt, va_list args)
{
	if (!fails())
		return vasprintf(ret_text, fmt, args);
	*ret_text = (char *)1;
	return -1;
}

int lib_asprintf(char **ret_text, const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = lib_vasprintf(ret_text, fmt, args);
	va_end(args);
	return r;
}
