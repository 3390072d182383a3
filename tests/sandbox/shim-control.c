// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The socket by which xensplit-sandbox acts as the hypervisor. A packet is one command; its answer
 * is one packet with 0 or a negative errno in decimal.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim.h"

static struct source control;

static int die(unsigned int domid)
{
	int ret = xen_domain_die(domid);

	if (ret == 0)
		guest_gone(domid);
	return ret;
}

static const struct {
	const char *format;
	int (*run)(unsigned int domid);
} commands[] = {
	{ "new %u", xen_domain_new },
	{ "serve %u", guest_serve },
	{ "die %u", die },
};

static int run(const char *text)
{
	unsigned int i, domid;

	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (sscanf(text, commands[i].format, &domid) == 1)
			return commands[i].run(domid);
	return -EINVAL;
}

static void command(struct source *src, uint32_t events)
{
	char text[64], answer[16];
	ssize_t len = recv(src->fd, text, sizeof(text) - 1, 0);

	(void)events;
	if (len <= 0) {
		loop_remove(src);
		free(src);
		return;
	}
	text[len] = '\0';
	len = snprintf(answer, sizeof(answer), "%d", run(text));
	send(src->fd, answer, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void accept_control(struct source *src, uint32_t events)
{
	int fd = accept4(src->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct source *conn = calloc(1, sizeof(*conn));

	(void)events;
	if (fd < 0 || !conn || loop_add(conn, fd, command) < 0) {
		free(conn);
		if (fd >= 0)
			close(fd);
	}
}

int control_start(void)
{
	int fd = loop_listen("control.sock", SOCK_SEQPACKET);

	if (fd < 0) {
		errno = -fd;
		return -1;
	}
	return loop_add(&control, fd, accept_control) < 0 ? -1 : 0;
}
