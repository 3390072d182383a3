// SPDX-License-Identifier: LGPL-2.1-or-later
/* How to run a monitor in systemd's sd-event loop. */
/* pkg-config: libsystemd */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>

#include <xensplit.h>

/* sd-event has one source for the descriptor and one for the timeout; both use this. */
struct watch {
	struct xensplit_monitor *monitor;
	sd_event_source *timer;
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

static int process(struct watch *watch)
{
	int r = xensplit_monitor_process(watch->monitor);

	take_events(watch->monitor);
	/* Both count microseconds of CLOCK_MONOTONIC. A source for time fires once. */
	if (!r)
		r = sd_event_source_set_time(
			watch->timer, xensplit_monitor_get_timeout(watch->monitor));
	if (!r)
		r = sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
	if (r < 0)
		sd_event_exit(sd_event_source_get_event(watch->timer), r);
	return r;
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *data)
{
	(void)source;
	(void)fd;
	(void)events;
	return process(data);
}

static int on_time(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	return process(data);
}

static int run(sd_event *loop, struct xensplit_monitor *monitor)
{
	struct watch watch = { .monitor = monitor };
	int r;

	r = sd_event_add_time(loop, &watch.timer, CLOCK_MONOTONIC,
			      xensplit_monitor_get_timeout(monitor), 0, on_time, &watch);
	if (r >= 0)
		r = sd_event_add_io(loop, NULL, xensplit_monitor_get_fd(monitor),
				    (uint32_t)xensplit_monitor_get_events(monitor),
				    on_readable, &watch);
	if (r >= 0) {
		take_events(monitor);
		r = sd_event_loop(loop);
	}
	sd_event_source_unref(watch.timer);
	return r;
}

int main(void)
{
	struct xensplit_monitor *monitor;
	sd_event *loop = NULL;
	struct xensplit_ctx *ctx;
	int r;

	r = xensplit_new(NULL, &ctx);
	if (r) {
		fprintf(stderr, "can't reach XenStore: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	r = xensplit_monitor_new(ctx, NULL, &monitor);
	if (!r) {
		r = sd_event_default(&loop);
		if (r >= 0)
			r = run(loop, monitor);
		sd_event_unref(loop);
		xensplit_monitor_free(monitor);
	}
	if (r < 0)
		fprintf(stderr, "%s\n", xensplit_errmsg(ctx));
	xensplit_free(ctx);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
