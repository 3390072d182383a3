// SPDX-License-Identifier: GPL-2.0-or-later
/* The shim's own thread: an epoll loop over its sockets, and a way to wake it. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shim.h"

static int epoll_fd = -1;
static struct source wake = { .fd = -1 };

int loop_add(struct source *src, int fd, void (*ready)(struct source *, uint32_t))
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = src };

	src->fd = fd;
	src->events = EPOLLIN;
	src->ready = ready;
	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

void loop_want(struct source *src, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = src };

	if (src->events == events)
		return;
	src->events = events;
	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, src->fd, &ev);
}

/* Closing the last descriptor of a file removes it from the epoll set. */
void loop_remove(struct source *src)
{
	close(src->fd);
	src->fd = -1;
}

void loop_wake(void)
{
	uint64_t one = 1;

	/* A full counter has woken the loop already. */
	if (write(wake.fd, &one, sizeof(one)) < 0)
		return;
}

static void woken(struct source *src, uint32_t events)
{
	uint64_t count;

	(void)events;
	if (read(src->fd, &count, sizeof(count)) < 0)
		return;
}

static void *loop(void *arg)
{
	struct epoll_event ev;

	/* One event at a time: a handler may free the source of the next one. */
	for (;;) {
		int n = epoll_wait(epoll_fd, &ev, 1, -1);

		if (n == 1) {
			struct source *src = ev.data.ptr;

			src->ready(src, ev.events);
			guests_pump();
		} else if (n < 0 && errno != EINTR) {
			perror("shim: epoll_wait");
			abort();
		}
	}
	return arg;
}

int loop_start(void)
{
	sigset_t all, old;
	pthread_t thread;
	int ret;

	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (epoll_fd < 0 || wake.fd < 0 || loop_add(&wake, wake.fd, woken) < 0)
		return -1;

	/* Leave signals to xenstored. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&thread, NULL, loop, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = ret;
	return ret ? -1 : 0;
}

static int socket_address(struct sockaddr_un *addr, const char *name)
{
	const char *dir = getenv("XENSTORED_RUNDIR");
	int len;

	addr->sun_family = AF_UNIX;
	len = snprintf(addr->sun_path, sizeof(addr->sun_path), "%s/%s", dir ?: ".", name);
	return len < (int)sizeof(addr->sun_path) ? 0 : -ENAMETOOLONG;
}

/* A listening socket @name in xenstored's directory. */
int loop_listen(const char *name, int type)
{
	struct sockaddr_un addr;
	int fd, ret;

	ret = socket_address(&addr, name);
	if (ret < 0)
		return ret;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 64) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

void loop_unlisten(struct source *src, const char *name)
{
	struct sockaddr_un addr;

	if (socket_address(&addr, name) == 0)
		unlink(addr.sun_path);
	loop_remove(src);
}
