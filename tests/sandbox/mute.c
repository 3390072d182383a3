// SPDX-License-Identifier: GPL-2.0-or-later
/* The verb mute: a socket that accepts connections and never answers. */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sandbox.h"

int verb_mute(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (argc != 2)
		return usage_error("mute needs a PATH");
	if (strlen(argv[1]) >= sizeof(addr.sun_path))
		return usage_error("'%s' is too long for a socket", argv[1]);
	strcpy(addr.sun_path, argv[1]);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(fd, 16) < 0)
		err(EXIT_FAILURE, "%s", argv[1]);
	puts("ready");
	fflush(stdout);
	/* Keep connections open: closing them would be an answer. */
	for (;;)
		accept(fd, NULL, NULL);
}
