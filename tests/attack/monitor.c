// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * monitor ROUNDS [DOMID TYPE DEVID]: a program that follows devices, or one, and is too slow to take
 * the events: it lets the library process what has changed, as often as that. Then it takes them all,
 * and prints how many there were and what they say.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xensplit.h>

static int fail(struct xensplit_ctx *ctx, const char *what)
{
	fprintf(stderr, "monitor: %s: %s\n", what, xensplit_errmsg(ctx));
	return 1;
}

/* Returns when something has changed, as far as the library can tell, or after a second. */
static void wait_for(struct xensplit_monitor *monitor)
{
	struct pollfd fd = { .fd = xensplit_monitor_get_fd(monitor),
			     .events = (short)xensplit_monitor_get_events(monitor) };

	poll(&fd, 1, 1000);
}

static void take(struct xensplit_monitor *monitor)
{
	const struct xensplit_event *event;
	unsigned long count = 0, longest = 0, counts[16] = { 0 };

	while (xensplit_monitor_next(monitor, &event) > 0) {
		count++;
		counts[event->type & 15]++;
		if (event->text && strlen(event->text) > longest)
			longest = strlen(event->text);
	}
	printf("events %lu states %lu errors %lu longest %lu\n", count,
	       counts[XENSPLIT_EVENT_STATE], counts[XENSPLIT_EVENT_ERROR], longest);
	puts(count <= 8192 ? "the queue is bounded" : "the queue has no end");
}

int main(int argc, char **argv)
{
	XENSPLIT_FILTER(filter);
	struct xensplit_monitor *monitor;
	struct xensplit_ctx *ctx;
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, i;
	int r;

	if (argc == 5) {
		filter.domid = (uint32_t)strtoul(argv[2], NULL, 10);
		filter.type = argv[3];
		filter.devid = (uint32_t)strtoul(argv[4], NULL, 10);
	}
	r = xensplit_new(NULL, &ctx);
	if (r)
		return 1;
	r = xensplit_monitor_new(ctx, &filter, &monitor);
	if (r)
		return fail(ctx, "new");
	for (i = 0; !r && i < rounds; i++) {
		wait_for(monitor);
		r = xensplit_monitor_process(monitor);
	}
	if (r)
		return fail(ctx, "process");
	take(monitor);
	xensplit_monitor_free(monitor);
	xensplit_free(ctx);
	return 0;
}
