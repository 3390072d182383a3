// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "serve-notify.h"

static struct sockaddr_un address;
static socklen_t address_len;
static int notify_fd = -1;
static uint64_t period_ms, alive_ms;
static char last_status[300];

/* Only if it is meant for this process, and not for one that started it. */
static void read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtoull(pid, NULL, 10) != (unsigned long long)getpid()))
		return;
	period_ms = strtoull(usec, NULL, 10) / 2000;
}

void notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if ((len && *path != '/' && *path != '@') || len < 2 ||
	    len >= sizeof(address.sun_path))
		return;
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify_fd < 0)
		return;
	address.sun_family = AF_UNIX;
	memcpy(address.sun_path, path, len);
	if (*path == '@') /* of the abstract namespace */
		address.sun_path[0] = '\0';
	address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	read_watchdog();
}

void notify_raw(const char *text)
{
	if (notify_fd >= 0)
		(void)sendto(notify_fd, text, strlen(text), MSG_NOSIGNAL,
			     (struct sockaddr *)&address, address_len);
}

void notify_ready(void)
{
	notify_raw("READY=1");
}

void notify_reloading(void)
{
	struct timespec now;
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	notify_raw(text);
}

void notify_stopping(void)
{
	notify_raw("STOPPING=1");
}

void notify_status(const char *text)
{
	char line[sizeof(last_status) + 8];

	if (!strcmp(text, last_status))
		return;
	snprintf(last_status, sizeof(last_status), "%s", text);
	snprintf(line, sizeof(line), "STATUS=%s", last_status);
	notify_raw(line);
}

void notify_alive(void)
{
	uint64_t now = now_ms();

	if (!period_ms || now - alive_ms < period_ms)
		return;
	alive_ms = now;
	notify_raw("WATCHDOG=1");
}

int notify_period_ms(void)
{
	return period_ms ? (int)(period_ms < 1000 ? period_ms : 1000) : -1;
}
