// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common.h"
#include "logger.h"

int usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	logger_verror(format, args);
	va_end(args);
	return EXIT_USAGE;
}

int exit_status(int err)
{
	switch (-err) {
	case 0:
		return EXIT_SUCCESS;
	case EINVAL:
		return EXIT_USAGE;
	case ESRCH:
	case ENOENT:
		return EXIT_NOT_FOUND;
	case EACCES:
	case EPERM:
		return EXIT_PERMISSION;
	case EEXIST:
	case EBUSY:
	case ESTALE:
		return EXIT_BUSY;
	case ETIMEDOUT:
		return EXIT_DEADLINE;
	default:
		return EXIT_FAILURE;
	}
}

void *must(void *allocated)
{
	if (!allocated) {
		logger_error("out of memory");
		exit(EXIT_FAILURE);
	}
	return allocated;
}

char *vwords(const char *format, va_list args)
{
	char *text;

	return must(vasprintf(&text, format, args) < 0 ? NULL : text);
}

char *words(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = vwords(format, args);
	va_end(args);
	return text;
}

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
