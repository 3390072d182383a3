// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "serve-watch.h"

/* As many as the kernel follows. */
#define LINKS_MOST 40

/* A file that is being written counts when it is closed. */
#define EVENTS                                                                  \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | \
	 IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

int watch_new(const char *dir)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), err;

	if (fd < 0)
		return -errno;
	if (inotify_add_watch(fd, dir, EVENTS) >= 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Cuts the path behind its last slash. */
static void cut_name(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		slash[1] = '\0';
	else
		memcpy(path, "./", sizeof("./"));
}

/* Replaces the path by what it links to. Returns: 0, or -1 if it is no link. */
static int follow(char *path)
{
	char target[PATH_MAX], next[2 * PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target) - 1);

	if (len < 0)
		return -1;
	target[len] = '\0';
	cut_name(path);
	snprintf(next, sizeof(next), "%s%s", *target == '/' ? "" : path, target);
	if (strlen(next) >= PATH_MAX)
		return -1;
	memcpy(path, next, strlen(next) + 1);
	return 0;
}

void watch_link(int fd, const char *path)
{
	char at[PATH_MAX], dir[PATH_MAX];

	if (snprintf(at, sizeof(at), "%s", path) >= (int)sizeof(at))
		return;
	for (int i = 0; i < LINKS_MOST && !follow(at); i++) {
		memcpy(dir, at, sizeof(dir));
		cut_name(dir);
		/* Without: SIGHUP still works. */
		(void)inotify_add_watch(fd, dir, EVENTS);
	}
}

int watch_drain(int fd)
{
	char buffer[4096];
	int any = 0;

	while (read(fd, buffer, sizeof(buffer)) > 0)
		any = 1;
	return any;
}
