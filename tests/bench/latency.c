// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Measures the time from a guest's write of its state to the line on the stdout of
 * `xensplit watch`, compared with that of the store itself. Prints rows of the table. Runs in the
 * sandbox; domain 5 has mydevice/0, which no driver has claimed.
 */
#include <err.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#define TRIES 1000
#define NODE  "/local/domain/5/device/mydevice/0/state"

extern char **environ;

static struct xs_handle *dom0, *guest;
static FILE *lines; /* output of watch */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct xs_handle *connect_as(const char *socket)
{
	struct xs_handle *xs;

	setenv("XENSTORED_PATH", socket, 1);
	xs = xs_open(0);
	if (!xs)
		err(1, "%s", socket);
	return xs;
}

static void read_state(struct xs_handle *xs)
{
	char *value = xs_read(xs, XBT_NULL, NODE, NULL);

	if (!value)
		err(1, "reading %s", NODE);
	free(value);
}

/* A different value each time, so that each write is a change. */
static void guest_writes(void)
{
	static int i;

	if (!xs_write(guest, XBT_NULL, NODE, i++ % 2 ? "1" : "3", 1))
		err(1, "writing %s", NODE);
}

static void wait_event(void)
{
	unsigned int count;

	free(xs_read_watch(dom0, &count));
}

static void wait_line(void)
{
	static char line[4096];

	if (!fgets(line, sizeof(line), lines))
		errx(1, "xensplit watch ended");
}

static void try_read(void)
{
	read_state(dom0);
}

static void try_watch(void)
{
	guest_writes();
	wait_event();
}

static void try_watch_read(void)
{
	guest_writes();
	wait_event();
	read_state(dom0);
}

static void try_line(void)
{
	guest_writes();
	wait_line();
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void measure(const char *what, void (*try)(void))
{
	static uint64_t took[TRIES];
	static uint64_t unit;
	int i;

	for (i = 0; i < TRIES; i++) {
		uint64_t begun = now_ns();

		try();
		took[i] = now_ns() - begun;
		usleep(500); /* let everything settle */
	}
	qsort(took, TRIES, sizeof(*took), compare);
	if (!unit)
		unit = took[TRIES / 2];
	printf("event\t%s\t%.0f us\t%.0f us\t%.1f\t\t\n", what,
	       (double)took[TRIES / 2] / 1e3, (double)unit / 1e3,
	       (double)took[TRIES / 2] / (double)unit);
	fflush(stdout);
}

static pid_t start_watch(char *tool)
{
	char *argv[] = { tool, "watch", "5", "mydevice/0", "--banner", "--json", NULL };
	posix_spawn_file_actions_t actions;
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		err(1, "pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, fds[0]);
	posix_spawn_file_actions_addclose(&actions, fds[1]);
	if (posix_spawn(&pid, tool, &actions, NULL, argv, environ))
		errx(1, "cannot start %s", tool);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	lines = fdopen(fds[0], "r");
	if (!lines)
		err(1, "fdopen");
	wait_line();
	wait_line(); /* the existing device */
	return pid;
}

static void end_watch(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	fclose(lines);
}

int main(int argc, char **argv)
{
	char *sandbox = getenv("XENSPLIT_SANDBOX");
	char socket[256];
	pid_t pid;

	if (argc != 2 || !sandbox)
		return warnx("usage, in a sandbox: %s XENSPLIT", argv[0]), 2;
	snprintf(socket, sizeof(socket), "%s/dom5.sock", sandbox);
	guest = connect_as(socket);
	snprintf(socket, sizeof(socket), "%s/dom0.sock", sandbox);
	dom0 = connect_as(socket);

	measure("an xs_read, the store's own round trip", try_read);
	measure("the guest's xs_write alone", guest_writes);
	if (!xs_watch(dom0, NODE, "bench"))
		err(1, "xs_watch");
	wait_event();
	measure("to xs_watch's event", try_watch);
	measure("to xs_watch's event and an xs_read", try_watch_read);
	xs_unwatch(dom0, NODE, "bench");
	pid = start_watch(argv[1]);
	measure("to the line of xensplit watch", try_line);
	end_watch(pid);
	xs_close(guest);
	xs_close(dom0);
	return 0;
}
