// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the tool does outside of its process and of the store, for fuzz-options, which runs it again
 * and again in one process: nothing. No timer, no signal handler, no file that is written, no xl.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "../../src/serve-write.h"
#include "../../src/watchdog.h"
#include "../../src/xl.h"

void watchdog_start(const char *verb)
{
	(void)verb;
}

void watchdog_deadline(unsigned int limit_ms)
{
	(void)limit_ms;
}

void watchdog_stay(void (*silence)(uint64_t silence_ms))
{
	(void)silence;
}

void watchdog_request(void)
{
}

void watchdog_idle(void)
{
}

void watchdog_progress(int shown)
{
	(void)shown;
}

void watchdog_stop(void)
{
}

int write_whole(const char *path, const char *text)
{
	(void)path;
	(void)text;
	return -EROFS;
}

char *lock_path(const char *path)
{
	return strdup(path);
}

/* So serve does not begin. */
int lock_take(const char *path)
{
	(void)path;
	return -EAGAIN;
}

int lock_is_taken(const char *path)
{
	(void)path;
	return 0;
}

void xl_catch_signals(void)
{
}

int xl_caught(void)
{
	return 0;
}

void xl_die(void)
{
}

void xl_release_signals(void)
{
}

const char *xl_run(char *const *argv)
{
	(void)argv;
	return "could not be run: is it in PATH?";
}

/* The Makefile gives the tool these in place of those of the C library. */
int outside_mkdir(const char *path, mode_t mode);
int outside_mkdir(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	errno = EROFS;
	return -1;
}

int outside_sigaction(int number, const struct sigaction *action, struct sigaction *old);
int outside_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	(void)number;
	(void)action;
	if (old)
		memset(old, 0, sizeof(*old));
	return 0;
}
