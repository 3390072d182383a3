// SPDX-License-Identifier: GPL-2.0-or-later
/* The verb drive: simulates a domain's kernel with one driver loaded. */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox.h"
#include "xenbus.h"

#define MAX_DELAY_MS 3600000

/* Resolves \xHH and \\ in place; returns the length, as there may be NUL bytes. */
static size_t unescape(char *text)
{
	char *from = text, *to = text;

	while (*from) {
		unsigned int byte;

		if (from[0] == '\\' && from[1] == 'x' &&
		    isxdigit((unsigned char)from[2]) &&
		    isxdigit((unsigned char)from[3]) &&
		    sscanf(from + 2, "%2x", &byte) == 1) {
			*to++ = byte;
			from += 4;
			continue;
		}
		if (from[0] == '\\' && from[1] == '\\')
			from++;
		*to++ = *from++;
	}
	return to - text;
}

/* A descriptor that is readable after one of the signals. */
static int signals(int signal, int other)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigaddset(&set, other);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* SIGUSR1: reports when everything that happened before has been handled. */
static void catch_up(struct bus *bus, int sync_fd)
{
	struct signalfd_siginfo info;

	if (read(sync_fd, &info, sizeof(info)) != sizeof(info))
		return;
	/* Earlier events arrive before this answer. */
	free(xs_read(bus->xs, XBT_NULL, "domid", NULL));
	bus_event(bus);
	puts("caught up");
}

/*
 * Handles events until a signal arrives, the domain dies, or with @once a device has ended.
 * libxenstore does not report a broken connection; a second connection, @life_fd, does.
 */
static void serve(struct bus *bus, int life_fd, int sync_fd, bool once)
{
	struct pollfd fds[] = {
		{ .fd = xs_fileno(bus->xs), .events = POLLIN },
		{ .fd = life_fd, .events = POLLIN },
		{ .fd = bus->stop_fd, .events = POLLIN },
		{ .fd = sync_fd, .events = POLLIN },
	};

	while (!once || !bus->finished) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			err(EXIT_FAILURE, "poll");
		if (fds[1].revents) {
			bus_die(bus);
			return;
		}
		if (fds[2].revents)
			break;
		if (fds[3].revents)
			catch_up(bus, sync_fd);
		bus_event(bus);
	}
	bus_stop(bus);
}

static int run_driver(struct bus *bus, bool once)
{
	int life_fd, sync_fd, ret;

	/* before libxenstore starts its thread */
	bus->stop_fd = signals(SIGINT, SIGTERM);
	sync_fd = signals(SIGUSR1, SIGUSR1);
	bus->xs = xs_open(0);
	life_fd = bus->xs ? connect_unix(getenv("XENSTORED_PATH"), SOCK_STREAM) : -1;
	if (life_fd < 0) {
		warnx("cannot connect as domain %u", bus->domid);
		return EXIT_FAILURE;
	}
	ret = bus_start(bus);
	if (ret == 0)
		serve(bus, life_fd, sync_fd, once);
	else
		warnx("cannot watch as domain %u: %s", bus->domid, strerror(-ret));
	close(life_fd);
	close(sync_fd);
	close(bus->stop_fd);
	xs_close(bus->xs);
	return ret == 0 ? 0 : EXIT_FAILURE;
}

static const struct option options[] = {
	{ "stop-at", required_argument, NULL, 's' },
	{ "never-close", no_argument, NULL, 'n' },
	{ "delay", required_argument, NULL, 'd' },
	{ "error", required_argument, NULL, 'e' },
	{ "garbage", required_argument, NULL, 'g' },
	{ "flood", required_argument, NULL, 'f' },
	{ "restored", no_argument, NULL, 'r' },
	{ "once", no_argument, NULL, 'o' },
	{ 0 },
};

static int parse_option(int opt, struct misbehaviour *how, bool *once)
{
	unsigned long number;

	switch (opt) {
	case 's':
		if (parse_number(optarg, XenbusStateReconfigured, &number) < 0)
			return usage_error("--stop-at takes a state from 0 to 8");
		how->stop_at = number ?: 1; /* nothing is written before 1 */
		return 0;
	case 'n':
		how->never_close = true;
		return 0;
	case 'd':
		if (parse_number(optarg, MAX_DELAY_MS, &number) < 0)
			return usage_error("--delay takes milliseconds");
		how->delay_ms = number;
		return 0;
	case 'e':
		how->error = optarg;
		return 0;
	case 'g':
		how->garbage_len = unescape(optarg);
		how->garbage = optarg;
		return 0;
	case 'f':
		if (parse_number(optarg, 1000000000, &how->flood) < 0)
			return usage_error("--flood takes a number of writes");
		return 0;
	case 'r':
		how->restored = true;
		return 0;
	case 'o':
		*once = true;
		return 0;
	default:
		return EXIT_USAGE;
	}
}

int verb_drive(int argc, char **argv)
{
	struct bus bus = { 0 };
	bool once = false;
	char **args;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		ret = parse_option(opt, &bus.how, &once);
		if (ret)
			return ret;
	}
	args = argv + optind;
	if (argc - optind != 3 || parse_domid(args[1], &bus.domid) < 0)
		return usage_error("drive needs front or back, a DOMID and a TYPE");
	bus.front = !strcmp(args[0], "front");
	if (!bus.front && strcmp(args[0], "back"))
		return usage_error("'%s' is neither front nor back", args[0]);
	bus.type = args[2];
	if (use_domain_socket(bus.domid) < 0)
		return EXIT_SANDBOX;
	setvbuf(stdout, NULL, _IOLBF, 0);
	return run_driver(&bus, once);
}
