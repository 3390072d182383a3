// SPDX-License-Identifier: LGPL-2.1-or-later
/* How to follow all devices from a poll loop. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xensplit.h>

static const char *end_name(int end)
{
	return end == XENSPLIT_END_FRONTEND ? "frontend" : "backend";
}

static void print_event(const struct xensplit_event *event)
{
	printf("%s/%u of domain %u: ", event->id.type, event->id.devid, event->id.domid);
	switch (event->type) {
	case XENSPLIT_EVENT_APPEARED:
		printf("appeared, %s/%s\n", xensplit_state_name(event->from),
		       xensplit_state_name(event->to));
		break;
	case XENSPLIT_EVENT_STATE:
		printf("%s %s -> %s\n", end_name(event->end),
		       xensplit_state_name(event->from), xensplit_state_name(event->to));
		break;
	case XENSPLIT_EVENT_ERROR:
		/* A guest wrote this text: escape it before printing it. */
		printf("%s driver wrote an error (%zu bytes)\n", end_name(event->end),
		       strlen(event->text));
		break;
	case XENSPLIT_EVENT_VANISHED:
		puts("vanished");
		break;
	case XENSPLIT_EVENT_DOMAIN_GONE:
		printf("the %s's domain is gone\n", end_name(event->end));
		break;
	case XENSPLIT_EVENT_RESYNC:
		printf("%u changes came too fast to see each\n", event->missed);
		break;
	}
}

/* The monitor's timeout is absolute, in microseconds; poll's is relative, in milliseconds. */
static int poll_timeout(struct xensplit_monitor *monitor)
{
	uint64_t until = xensplit_monitor_get_timeout(monitor), now;
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	return until > now ? (int)((until - now + 999) / 1000) : 0;
}

static int watch(struct xensplit_monitor *monitor)
{
	struct pollfd fd = { .fd = xensplit_monitor_get_fd(monitor),
			     .events = (short)xensplit_monitor_get_events(monitor) };
	const struct xensplit_event *event;
	int r;

	for (;;) {
		while (xensplit_monitor_next(monitor, &event) > 0)
			print_event(event);
		fflush(stdout);
		if (poll(&fd, 1, poll_timeout(monitor)) < 0 && errno != EINTR)
			return -errno;
		/* Even without an event: it checks that xenstored is alive. */
		r = xensplit_monitor_process(monitor);
		if (r)
			return r;
	}
}

int main(void)
{
	struct xensplit_monitor *monitor;
	struct xensplit_ctx *ctx;
	int r;

	r = xensplit_new(NULL, &ctx);
	if (r) {
		fprintf(stderr, "can't reach XenStore: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	r = xensplit_monitor_new(ctx, NULL, &monitor);
	if (!r) {
		r = watch(monitor);
		xensplit_monitor_free(monitor);
	}
	if (r < 0)
		fprintf(stderr, "%s\n", xensplit_errmsg(ctx));
	xensplit_free(ctx);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
