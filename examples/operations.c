// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How to attach devices to several domains at the same time, from a poll loop.
 *
 * An operation never blocks; the loop waits. Ctrl-C cancels unfinished operations.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xensplit.h>

#define MOST	   16
#define TIMEOUT_MS 10000

static struct xensplit_op *ops[MOST];
static const char *names[MOST]; /* their domains; an error does not name its device */
static int count;

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	interrupted = number;
}

static void cancel_all(void)
{
	int i;

	interrupted = 0;
	for (i = 0; i < count; i++)
		xensplit_op_cancel(ops[i]);
}

static int begin(struct xensplit_ctx *ctx, const char *domain)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	int r = xensplit_domain_find(ctx, domain, &opts.domid);

	opts.type = "mydevice";
	opts.flags = XENSPLIT_ATTACH_ROLLBACK;
	if (!r)
		r = xensplit_op_attach(ctx, &opts, TIMEOUT_MS, &ops[count]);
	if (!r)
		names[count++] = domain;
	return r;
}

static void complain(struct xensplit_ctx *ctx, const char *domain)
{
	fprintf(stderr, "mydevice/0 of %s: %s\n", domain, xensplit_errmsg(ctx));
}

static void report(struct xensplit_ctx *ctx, int i, int r)
{
	const struct xensplit_device *device;

	if (r)
		complain(ctx, names[i]);
	else if (!xensplit_op_get_device(ops[i], &device))
		printf("%s/%u of domain %u is Connected\n", device->id.type,
		       device->id.devid, device->id.domid);
}

/* The operations of one context share a descriptor: process each when it wakes up. */
static void poll_once(void)
{
	struct pollfd fd = { xensplit_op_get_fd(ops[0]),
			     (short)xensplit_op_get_events(ops[0]), 0 };
	uint64_t until = UINT64_MAX, now;
	struct timespec ts;
	int i;

	for (i = 0; i < count; i++)
		if (xensplit_op_get_timeout(ops[i]) < until)
			until = xensplit_op_get_timeout(ops[i]);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	poll(&fd, 1, until > now ? (int)((until - now + 999) / 1000) : 0);
}

/* Returns: how many failed. */
static int run(struct xensplit_ctx *ctx)
{
	int failed = 0, i, r;

	while (count) {
		if (interrupted)
			cancel_all();
		for (i = 0; i < count; i++) {
			r = xensplit_op_process(ops[i]);
			if (r == 1)
				continue;
			report(ctx, i, r);
			failed += r != 0;
			xensplit_op_free(ops[i]);
			names[i] = names[--count];
			ops[i--] = ops[count];
		}
		if (count)
			poll_once();
	}
	return failed;
}

int main(int argc, char **argv)
{
	struct xensplit_ctx *ctx;
	int failed = 0, i, r;

	if (argc < 2 || argc > MOST + 1) {
		fprintf(stderr, "usage: %s DOMAIN... (at most %d)\n", argv[0], MOST);
		return EXIT_FAILURE;
	}
	r = xensplit_new(NULL, &ctx);
	if (r) {
		fprintf(stderr, "can't reach XenStore: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	for (i = 1; i < argc; i++) {
		if (!begin(ctx, argv[i]))
			continue;
		complain(ctx, argv[i]);
		failed++;
	}
	signal(SIGINT, interrupt);
	failed += run(ctx);
	xensplit_free(ctx);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
