// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"
#include "serve-write.h"

static char *with_end(const char *path, const char *end)
{
	return words("%s%s", path, end);
}

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t done;

	while (len) {
		done = write(fd, text, len);
		if (done < 0 && errno != EINTR)
			return -errno;
		text += done > 0 ? done : 0;
		len -= done > 0 ? (size_t)done : 0;
	}
	return 0;
}

int write_whole(const char *path, const char *text)
{
	char *new_path = with_end(path, ".new");
	size_t len = strlen(text);
	int err = 0, fd;

	fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		err = -errno;
	if (!err)
		err = write_all(fd, text, len);
	if (!err && (!len || text[len - 1] != '\n'))
		err = write_all(fd, "\n", 1);
	if (fd >= 0 && close(fd) && !err)
		err = -errno;
	if (!err && rename(new_path, path))
		err = -errno;
	if (err && fd >= 0)
		unlink(new_path);
	free(new_path);
	return err;
}

char *lock_path(const char *path)
{
	return with_end(path, ".lock");
}

/* Only for root: whoever can open it, could keep others from it. */
static int lock_open(const char *path, int flags)
{
	char *name = lock_path(path);
	int fd = open(name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);

	free(name);
	return fd < 0 ? -errno : fd;
}

int lock_take(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = lock_open(path, O_RDWR | O_CREAT), err;

	if (fd < 0)
		return fd;
	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return 0; /* the end of the process closes it */
	err = errno == EACCES ? -EAGAIN : -errno;
	close(fd);
	return err;
}

int lock_is_taken(const char *path)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd = lock_open(path, O_RDONLY), err = 0;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fcntl(fd, F_OFD_GETLK, &lock))
		err = -errno;
	close(fd);
	return err ? err : lock.l_type != F_UNLCK;
}
