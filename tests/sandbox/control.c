// SPDX-License-Identifier: GPL-2.0-or-later
/* The sockets in the sandbox's directory. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sandbox.h"

/* NULL, after a message, outside a sandbox. */
const char *sandbox_dir(void)
{
	const char *dir = getenv("XENSPLIT_SANDBOX");

	if (!dir)
		warnx("not in a sandbox: XENSPLIT_SANDBOX is not set");
	return dir;
}

int connect_unix(const char *path, int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int err = errno;

		close(fd);
		return -err;
	}
	return fd;
}

int control_open(void)
{
	const char *dir = sandbox_dir();
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	if (!dir)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/control.sock", dir);
	return connect_unix(path, SOCK_SEQPACKET);
}

/* Sends one command to the shim. Returns its answer, 0 or a negative errno. */
int control(const char *format, ...)
{
	char text[64];
	va_list ap;
	ssize_t len;
	int fd;

	fd = control_open();
	if (fd < 0)
		return fd;
	va_start(ap, format);
	len = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (send(fd, text, len, MSG_NOSIGNAL) == len)
		len = recv(fd, text, sizeof(text) - 1, 0);
	else
		len = 0;
	close(fd);
	if (len <= 0)
		return -EPIPE;
	text[len] = '\0';
	return atoi(text);
}

/* Makes libxenstore, here and in child processes, connect as that domain. */
int use_domain_socket(unsigned int domid)
{
	const char *dir = sandbox_dir();
	char *path;

	if (!dir)
		return -ENOENT;
	if (asprintf(&path, "%s/dom%u.sock", dir, domid) < 0)
		return -ENOMEM;
	if (access(path, F_OK) < 0) {
		warnx("there is no domain %u in this sandbox", domid);
		free(path);
		return -ESRCH;
	}
	setenv("XENSTORED_PATH", path, 1);
	free(path);
	return 0;
}

int verb_as(int argc, char **argv)
{
	unsigned int domid;

	if (argc < 3)
		return usage_error("as needs a DOMID and a COMMAND");
	if (parse_domid(argv[1], &domid) < 0)
		return usage_error("'%s' is not a domid", argv[1]);
	if (use_domain_socket(domid) < 0)
		return EXIT_SANDBOX;
	return run_in_place(argv + 2);
}

/* Kills xenstored and waits until it has ended, freezes it, or thaws it. */
int verb_stop_daemon(int argc, char **argv)
{
	bool freeze = argc == 2 && !strcmp(argv[1], "--freeze");
	bool thaw = argc == 2 && !strcmp(argv[1], "--thaw");
	int signo = freeze ? SIGSTOP : thaw ? SIGCONT : SIGKILL;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	char byte;
	int fd;

	if (argc > 1 && !freeze && !thaw)
		return usage_error("stop-daemon takes only --freeze or --thaw");
	fd = control_open();
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
		warnx("cannot reach the sandbox's xenstored");
		return EXIT_FAILURE;
	}
	if (kill(peer.pid, signo) < 0) {
		warn("xenstored");
		return EXIT_FAILURE;
	}
	if (signo == SIGKILL && recv(fd, &byte, 1, 0) < 0 && errno != ECONNRESET)
		warn("xenstored");
	close(fd);
	return 0;
}
