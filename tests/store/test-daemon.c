// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pitfall 16: xenstored dies while clients wait. libxenstore's descriptors do not report that, so
 * they would wait forever, or until the deadline.
 */
#include <poll.h>
#include <pthread.h>

#include "store.h"

#define DEADLINE_MS 60000

struct waiter {
	const char *name;
	int (*wait)(struct waiter *waiter);
	struct xensplit_ctx *ctx;
	struct xensplit_id id;
	pthread_t thread;
	int result;
	uint64_t ended;
};

static int in_attach(struct waiter *w)
{
	struct xensplit_attach_opts opts =
		device_opts(w->id.domid, w->id.type, w->id.devid);

	return xensplit_attach(w->ctx, &opts, DEADLINE_MS, NULL);
}

static int in_attach_with_rollback(struct waiter *w)
{
	struct xensplit_attach_opts opts =
		device_opts(w->id.domid, w->id.type, w->id.devid);

	opts.flags = XENSPLIT_ATTACH_ROLLBACK;
	return xensplit_attach(w->ctx, &opts, DEADLINE_MS, NULL);
}

static int in_wait(struct waiter *w)
{
	return xensplit_wait(w->ctx, &w->id, XENSPLIT_UNTIL_CONNECTED, DEADLINE_MS);
}

static int in_wait_gone(struct waiter *w)
{
	return xensplit_wait(w->ctx, &w->id, XENSPLIT_UNTIL_GONE, DEADLINE_MS);
}

static int in_detach(struct waiter *w)
{
	return xensplit_detach(w->ctx, &w->id, 0, DEADLINE_MS);
}

static int in_forced_detach(struct waiter *w)
{
	return xensplit_detach(w->ctx, &w->id, XENSPLIT_DETACH_FORCE, DEADLINE_MS);
}

static int in_replace(struct waiter *w)
{
	struct xensplit_attach_opts opts =
		device_opts(w->id.domid, w->id.type, w->id.devid);

	opts.flags = XENSPLIT_ATTACH_REPLACE;
	return xensplit_attach(w->ctx, &opts, DEADLINE_MS, NULL);
}

static int in_wait_for_domain(struct waiter *w)
{
	uint32_t domid;

	return xensplit_domain_wait(w->ctx, "nobody", DEADLINE_MS, &domid);
}

static int in_own_loop(struct waiter *w)
{
	struct xensplit_monitor *monitor;
	const struct xensplit_event *event;
	int r = xensplit_monitor_new(w->ctx, NULL, &monitor);

	if (r)
		return r;
	while (!r) {
		struct pollfd fd = { .fd = xensplit_monitor_get_fd(monitor),
				     .events = (short)xensplit_monitor_get_events(
					     monitor) };
		uint64_t until = xensplit_monitor_get_timeout(monitor) / 1000;
		uint64_t now = now_ms();

		poll(&fd, 1, until > now ? (int)(until - now) + 1 : 0);
		r = xensplit_monitor_process(monitor);
		while (xensplit_monitor_next(monitor, &event) > 0)
			;
	}
	/* Final. */
	if (r == -ENOTCONN)
		r = xensplit_monitor_process(monitor);
	xensplit_monitor_free(monitor);
	return r;
}

static void *waiter_run(void *data)
{
	struct waiter *w = data;

	w->result = w->wait(w);
	w->ended = now_ms();
	return NULL;
}

/* A device whose ends were started and do not answer. */
static void attach_and_leave(const struct xensplit_id *id)
{
	struct xensplit_attach_opts opts = device_opts(id->domid, id->type, id->devid);
	char path[128];

	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	snprintf(path, sizeof(path), "/local/domain/5/device/%s/%u/state", id->type,
		 id->devid);
	put(path, "3", NULL);
	snprintf(path, sizeof(path), "/local/domain/0/backend/%s/5/%u/state", id->type,
		 id->devid);
	put(path, "2", NULL);
}

static void pitfall_16_everybody_who_waits_hears_that_the_daemon_died(void **state)
{
	struct waiter waiters[] = {
		{ .name = "attach", .wait = in_attach },
		{ .name = "attach with rollback", .wait = in_attach_with_rollback },
		{ .name = "wait", .wait = in_wait },
		{ .name = "wait until gone", .wait = in_wait_gone },
		{ .name = "detach", .wait = in_detach },
		{ .name = "detach by force", .wait = in_forced_detach },
		{ .name = "attach in place of another", .wait = in_replace },
		{ .name = "wait for a domain", .wait = in_wait_for_domain },
		{ .name = "a loop of the caller", .wait = in_own_loop },
	};
	struct xensplit_list *list;
	uint64_t begun, died;
	uint32_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(waiters); i++) {
		struct waiter *w = &waiters[i];

		w->ctx = new_ctx(NULL);
		w->id = (struct xensplit_id){ 5, "mydevice", i };
		w->result = 77;
		if (w->wait != in_attach && w->wait != in_attach_with_rollback)
			attach_and_leave(&w->id);
	}
	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		assert_int_equal(pthread_create(&waiters[i].thread, NULL, waiter_run,
						&waiters[i]),
				 0);
	sleep_ms(1000);
	begun = now_ms();
	run("\"$SANDBOX\" stop-daemon");
	died = now_ms();
	for (i = 0; i < ARRAY_SIZE(waiters); i++) {
		struct waiter *w = &waiters[i];

		pthread_join(w->thread, NULL);
		if (w->result != -ENOTCONN || w->ended < begun || w->ended > died + 4000)
			wrong("%s: %d after %d ms: %s\n", w->name, w->result,
			      (int)(w->ended - died), xensplit_errmsg(w->ctx));
		/* A slow one may not have had its watches yet. */
		assert_contains(xensplit_errmsg(w->ctx), "xenstored");
		xensplit_free(w->ctx);
	}
	/* Later calls, too. */
	assert_result(xensplit_list_new(ctx, NULL, 0, &list), -ENOTCONN);
	assert_result(xensplit_detach(ctx, &mydevice, 0, DEADLINE_MS), -ENOTCONN);
	assert_result(xensplit_wait(ctx, &mydevice, XENSPLIT_UNTIL_GONE, DEADLINE_MS),
		      -ENOTCONN);
}

/* The daemon can die only once, so there is a single test. */
int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(pitfall_16_everybody_who_waits_hears_that_the_daemon_died),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
