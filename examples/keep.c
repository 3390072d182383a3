// SPDX-License-Identifier: LGPL-2.1-or-later
/* How to make a domain have a device whenever it is there. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xensplit.h>

static void print_event(const struct xensplit_keeper_event *event)
{
	static const char *const what[] = { "?",
					    "domain is there",
					    "domain is gone",
					    "attached",
					    "connected",
					    "lost",
					    "detached",
					    "removed, as its domain is gone",
					    "failed",
					    "refused" };

	printf("domain %u", event->id.domid);
	if (event->id.type)
		printf(", %s/%u", event->id.type, event->id.devid);
	printf(": %s", (size_t)event->type < sizeof(what) / sizeof(what[0])
			       ? what[event->type]
			       : what[0]);
	if (event->error)
		printf(": %s", event->error->message);
	putchar('\n');
}

/* The keeper's timeout is absolute, in microseconds; poll's is relative, in milliseconds. */
static int poll_timeout(const struct xensplit_keeper *keeper)
{
	uint64_t until = xensplit_keeper_get_timeout(keeper), now;
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	return until > now ? (int)((until - now + 999) / 1000) : 0;
}

static int keep(struct xensplit_keeper *keeper)
{
	struct pollfd fd = { .fd = xensplit_keeper_get_fd(keeper),
			     .events = (short)xensplit_keeper_get_events(keeper) };
	const struct xensplit_keeper_event *event;
	int r;

	for (;;) {
		if (poll(&fd, 1, poll_timeout(keeper)) < 0 && errno != EINTR)
			return -errno;
		r = xensplit_keeper_process(keeper);
		while (xensplit_keeper_next(keeper, &event) > 0)
			print_event(event);
		fflush(stdout);
		if (r)
			return r;
	}
}

int main(int argc, char **argv)
{
	XENSPLIT_OPTS(xensplit_wanted, device);
	const struct xensplit_wanted *wanted[] = { &device };
	struct xensplit_keeper *keeper = NULL;
	struct xensplit_ctx *ctx;
	int r = xensplit_new(NULL, &ctx);

	if (r) {
		fprintf(stderr, "can't reach XenStore: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	device.type = "mydevice";
	device.backend = argc > 2 ? argv[2] : NULL;
	r = xensplit_keeper_new(ctx, NULL, &keeper);
	if (!r)
		r = xensplit_keeper_set(keeper, argc > 1 ? argv[1] : "", wanted, 1);
	if (!r)
		r = keep(keeper);
	fprintf(stderr, "%s\n", xensplit_errmsg(ctx));
	xensplit_keeper_free(keeper);
	xensplit_free(ctx);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
