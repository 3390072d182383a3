/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sandbox with forty domains and any number of devices. A commit costs xenstored more with more
 * domains, because it checks for each node and each domain whether to send an event. So the number
 * of domains is fixed, and just large enough for 10000 devices within a guest's quota of 1000
 * nodes.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <xensplit.h>
#include <xenstore.h>

#include "bench.h"

#define DOMAINS	    40
#define FIRST_DOMID 100
#define BASE	    10	/* devices; the reference for the cost of a device */
#define PER_COMMIT  32	/* devices */
#define LIMIT_SECS  120 /* for one process */

struct world {
	char *dir;
	char store[256];
	struct xensplit_ctx *ctx;
	struct xs_handle *xs;
	unsigned int devices; /* existing ones */
	unsigned int fresh;   /* number of domains that never had a device */
	clockid_t daemon;     /* processor time of its xenstored */
};

/* Milliseconds; negative: it took too long. */
struct took {
	double wall, cpu;
};

static char *tool, *sandbox, *script;

/* New processes and connections use this world. */
static void enter(const struct world *w)
{
	setenv("XENSTORED_PATH", w->store, 1);
	setenv("XENSPLIT_SANDBOX", w->dir, 1);
}

/* At least ten devices per domain. */
static unsigned int domains_of(unsigned int devices)
{
	unsigned int domains = devices / BASE;

	return domains < 1 ? 1 : domains > DOMAINS ? DOMAINS : domains;
}

static struct xensplit_id device(unsigned int i, unsigned int devices)
{
	unsigned int each = (devices + domains_of(devices) - 1) / domains_of(devices);

	return (struct xensplit_id){ FIRST_DOMID + i / each, "bench", i % each };
}

static double ms_since(uint64_t begun)
{
	return (double)(now_ns() - begun) / 1e6;
}

static double clock_ms(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time))
		err(1, "clock_gettime");
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Time and cost of this program itself. */
static struct took begin(const struct world *w)
{
	return (struct took){
		.wall = clock_ms(CLOCK_MONOTONIC),
		.cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID) + clock_ms(w->daemon),
	};
}

static struct took end(const struct world *w, struct took begun)
{
	struct took now = begin(w);

	return (struct took){ now.wall - begun.wall, now.cpu - begun.cpu };
}

static const struct took too_long = { -1, -1 };

static struct took sum(struct took a, struct took b)
{
	if (a.wall < 0 || b.wall < 0)
		return too_long;
	return (struct took){ a.wall + b.wall, a.cpu + b.cpu };
}

static struct took run_tool(const struct world *w, char *const argv[], int worst_status)
{
	double before = clock_ms(w->daemon);
	struct cost cost = run_process(argv, LIMIT_SECS);

	if (cost.status == 128 + SIGKILL)
		return too_long;
	if (cost.status > worst_status)
		errx(1, "%s %s ended with %d", argv[0], argv[1], cost.status);
	return (struct took){
		.wall = (double)cost.ns / 1e6,
		.cpu = cost.cpu_ms + clock_ms(w->daemon) - before,
	};
}

static void control_domain(const struct world *w, char *verb, unsigned int domid)
{
	char number[16];
	char *argv[] = { sandbox, verb, number, NULL };

	snprintf(number, sizeof(number), "%u", domid);
	run_tool(w, argv, 0);
}

/* --- the devices of a world --- */

/* Attaches devices @from to @to, exclusive, in one commit. */
static void attach_some(struct world *w, unsigned int from, unsigned int to,
			unsigned int devices)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_batch *batch;
	unsigned int i;

	if (xensplit_batch_new(w->ctx, &batch))
		errx(1, "%s", xensplit_errmsg(w->ctx));
	for (i = from; i < to; i++) {
		struct xensplit_id id = device(i, devices);

		opts.domid = id.domid;
		opts.type = id.type;
		opts.devid = id.devid;
		xensplit_batch_attach(batch, &opts);
	}
	if (xensplit_batch_commit(batch))
		errx(1, "attach: %s", xensplit_errmsg(w->ctx));
	xensplit_batch_free(batch);
}

static struct took attach_all(struct world *w, unsigned int devices,
			      unsigned int per_commit)
{
	struct took begun = begin(w);
	unsigned int from, to;

	for (from = 0; from < devices; from = to) {
		to = from + per_commit < devices ? from + per_commit : devices;
		attach_some(w, from, to, devices);
	}
	return end(w, begun);
}

static struct took attach_library(struct world *w, unsigned int devices)
{
	return attach_all(w, devices, PER_COMMIT);
}

/* In commits of BASE devices each. */
static struct took attach_in_small(struct world *w, unsigned int devices)
{
	return attach_all(w, devices, BASE);
}

/* Bypasses the library, so that each version of it finds the same. */
static void remove_devices(struct world *w)
{
	char path[64];
	unsigned int i;

	for (i = 0; w->devices && i < domains_of(w->devices); i++) {
		unsigned int domid = FIRST_DOMID + i;

		snprintf(path, sizeof(path), "/xensplit/%u", domid);
		xs_rm(w->xs, XBT_NULL, path);
		snprintf(path, sizeof(path), "/local/domain/%u/device/bench", domid);
		xs_rm(w->xs, XBT_NULL, path);
		snprintf(path, sizeof(path), "/local/domain/0/backend/bench/%u", domid);
		xs_rm(w->xs, XBT_NULL, path);
	}
	w->devices = 0;
}

/* A domain's first device may cost more, so it is not measured. */
static void age(struct world *w)
{
	unsigned int i;

	for (i = 0; i < w->fresh; i++)
		attach_some(w, i * BASE, i * BASE + 1, w->fresh * BASE);
	w->devices = w->fresh * BASE;
	w->fresh = 0;
	remove_devices(w);
}

static void none_left(struct world *w, const char *after)
{
	unsigned int i, count;
	char path[64];
	char **names;

	for (i = 0; i < DOMAINS; i++) {
		snprintf(path, sizeof(path), "/xensplit/%u/bench", FIRST_DOMID + i);
		names = xs_directory(w->xs, XBT_NULL, path, &count);
		if (names && count)
			errx(1, "%s left %u devices in %s", after, count, path);
		free(names);
	}
}

/* The process that listens on a socket. */
static pid_t listener(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct ucred peer;
	socklen_t len = sizeof(peer);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		err(1, "%s", path);
	close(fd);
	return peer.pid;
}

static void world_begin(struct world *w, char *dir)
{
	unsigned int i;

	w->dir = dir;
	w->fresh = DOMAINS;
	snprintf(w->store, sizeof(w->store), "%s/dom0.sock", dir);
	enter(w);
	w->xs = xs_open(0);
	if (!w->xs || xensplit_new(NULL, &w->ctx))
		err(1, "%s", w->store);
	if (clock_getcpuclockid(listener(w->store), &w->daemon))
		errx(1, "%s: who listens there?", w->store);
	for (i = 0; i < DOMAINS; i++)
		control_domain(w, "create", FIRST_DOMID + i);
}

static void world_end(struct world *w)
{
	xensplit_free(w->ctx);
	xs_close(w->xs);
}

#endif
