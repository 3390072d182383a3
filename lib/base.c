// SPDX-License-Identifier: LGPL-2.1-or-later
/* Used by all files: the logger of a context, sized structs, time. */
#include <sys/random.h>
#include <time.h>

#include "internal.h"

int opts_copy(void *to, size_t to_size, const void *from)
{
	size_t size, i;

	memset(to, 0, to_size);
	memcpy(&size, from, sizeof(size));
	if (size < sizeof(size))
		return -EINVAL;
	for (i = to_size; i < size; i++)
		if (((const char *)from)[i])
			return -EINVAL;
	memcpy(to, from, size < to_size ? size : to_size);
	return 0;
}

static void __printf(3, 0) log_at(struct xensplit_ctx *ctx, xentoollog_level level,
				  const char *fmt, va_list args)
{
	int saved = errno;

	xtl_logv(ctx->logger, level, -1, "xensplit", fmt, args);
	errno = saved;
}

void log_debug(struct xensplit_ctx *ctx, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_at(ctx, XTL_DEBUG, fmt, args);
	va_end(args);
}

void log_verbose(struct xensplit_ctx *ctx, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_at(ctx, XTL_VERBOSE, fmt, args);
	va_end(args);
}

void log_warn(struct xensplit_ctx *ctx, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_at(ctx, XTL_WARN, fmt, args);
	va_end(args);
}

void log_progress(struct xensplit_ctx *ctx, const char *doing, unsigned long done,
		  unsigned long total)
{
	int saved = errno;

	xtl_progress(ctx->logger, "xensplit", doing, done, total);
	errno = saved;
}

uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Signals do not shorten the sleep. */
void sleep_until(uint64_t time_us)
{
	struct timespec ts = { .tv_sec = (time_t)(time_us / 1000000),
			       .tv_nsec = (long)(time_us % 1000000) * 1000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

int random_text(struct xensplit_ctx *ctx, char *text, size_t size)
{
	uint8_t bytes[(UNIQUE_ID_SIZE - 1) / 2];
	size_t count = (size - 1) / 2, i;

	if (getrandom(bytes, count, 0) != (ssize_t)count)
		return fail(ctx, -errno, "no random numbers: %s", strerror(errno));
	for (i = 0; i < count; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}
