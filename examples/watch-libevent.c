// SPDX-License-Identifier: LGPL-2.1-or-later
/* How to run a monitor in libevent's loop. */
/* pkg-config: libevent_core */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xensplit.h>

struct watch {
	struct event_base *base;
	struct event *event;
	struct xensplit_monitor *monitor;
	int result;
};

static void take_events(struct xensplit_monitor *monitor)
{
	const struct xensplit_event *event;

	while (xensplit_monitor_next(monitor, &event) > 0)
		printf("%s/%u of domain %u: event %d, %d -> %d\n", event->id.type,
		       event->id.devid, event->id.domid, event->type, event->from,
		       event->to);
	fflush(stdout);
}

/* libevent takes a relative timeout; the monitor's is absolute. */
static void wait_for_more(struct watch *watch)
{
	uint64_t until = xensplit_monitor_get_timeout(watch->monitor), now, left;
	struct timespec ts;
	struct timeval tv;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	left = until > now ? until - now : 0;
	tv.tv_sec = (time_t)(left / 1000000);
	tv.tv_usec = (suseconds_t)(left % 1000000);
	event_add(watch->event, &tv);
}

static void on_event(evutil_socket_t fd, short what, void *data)
{
	struct watch *watch = data;

	(void)fd;
	(void)what;
	watch->result = xensplit_monitor_process(watch->monitor);
	take_events(watch->monitor);
	if (watch->result)
		event_base_loopbreak(watch->base);
	else
		wait_for_more(watch);
}

/* EV_READ is libevent's equivalent of xensplit_monitor_get_events(). */
static int run(struct xensplit_monitor *monitor)
{
	struct watch watch = { .base = event_base_new(), .monitor = monitor };

	if (!watch.base)
		return -1;
	watch.event = event_new(watch.base, xensplit_monitor_get_fd(monitor), EV_READ,
				on_event, &watch);
	if (watch.event) {
		take_events(monitor);
		wait_for_more(&watch);
		event_base_dispatch(watch.base);
		event_free(watch.event);
	}
	event_base_free(watch.base);
	return watch.result;
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
		r = run(monitor);
		xensplit_monitor_free(monitor);
	}
	if (r < 0)
		fprintf(stderr, "%s\n", xensplit_errmsg(ctx));
	xensplit_free(ctx);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
