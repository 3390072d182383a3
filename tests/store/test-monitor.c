// SPDX-License-Identifier: GPL-2.0-or-later
/* Events: complete, in order, whatever the domains do. */
#include <fcntl.h>
#include <poll.h>

#include "store.h"

static struct xensplit_monitor *monitor;
static char events[65536]; /* one per line, from event_text() */
static uint64_t last_us;
static uint32_t missed;

static int begin(void **state)
{
	events[0] = '\0';
	last_us = 0;
	missed = 0;
	return world_begin(state);
}

static int end(void **state)
{
	monitor = xensplit_monitor_free(monitor);
	return world_end(state);
}

static struct xensplit_filter filter_of(uint32_t domid, const char *type, uint32_t devid)
{
	XENSPLIT_FILTER(filter);

	filter.domid = domid;
	filter.type = type;
	filter.devid = devid;
	return filter;
}

static void take_event(const struct xensplit_event *event)
{
	static const char *const types[] = { "?",	 "appeared",	"state", "error",
					     "vanished", "domain-gone", "resync" };
	static const char *const ends[] = { "none", "front", "back" };
	size_t used = strlen(events);

	assert_in_range(event->type, 1, 6);
	assert_in_range(event->end, 0, 2);
	/* A RESYNC counts what was missed; it may come at any time. */
	if (event->type == XENSPLIT_EVENT_RESYNC)
		missed += event->missed;
	assert_true(event->time_us >= last_us);
	last_us = event->time_us;
	used += (size_t)snprintf(events + used, sizeof(events) - used, "%s %u %s/%u ",
				 types[event->type], event->id.domid, event->id.type,
				 event->id.devid);
	if (event->type == XENSPLIT_EVENT_APPEARED)
		snprintf(events + used, sizeof(events) - used, "%d/%d at %u\n",
			 event->from, event->to, event->backend_domid);
	else if (event->type == XENSPLIT_EVENT_STATE)
		snprintf(events + used, sizeof(events) - used, "%s %d->%d\n",
			 ends[event->end], event->from, event->to);
	else
		snprintf(events + used, sizeof(events) - used, "%s%s%s\n",
			 ends[event->end], event->text ? " " : "",
			 event->text ? event->text : "");
}

/* One round of a caller's loop; false if there were no events. */
static bool turn(int timeout_ms)
{
	struct pollfd fd = { .fd = xensplit_monitor_get_fd(monitor),
			     .events = (short)xensplit_monitor_get_events(monitor) };
	const struct xensplit_event *event;
	bool woken = poll(&fd, 1, timeout_ms) > 0;

	assert_result(xensplit_monitor_process(monitor), 0);
	while (xensplit_monitor_next(monitor, &event) > 0)
		take_event(event);
	return woken;
}

static void until(const char *line)
{
	uint64_t deadline = now_ms() + 30000;

	while (!strstr(events, line)) {
		if (now_ms() > deadline)
			wrong("no '%s' in:\n%s", line, events);
		turn(50);
	}
}

/* Waits until all pending events have been reported. */
static void settle(void)
{
	while (turn(100))
		;
}

static void watch_for(uint32_t domid, const char *type, uint32_t devid)
{
	struct xensplit_filter filter = filter_of(domid, type, devid);

	assert_result(xensplit_monitor_new(ctx, &filter, &monitor), 0);
}

static void watch_all(void)
{
	assert_result(xensplit_monitor_new(ctx, NULL, &monitor), 0);
}

/* The lines of one end, in order. */
static char *only(const char *part)
{
	char *kept = calloc(1, sizeof(events));
	const char *from = events;

	while (*from) {
		size_t len = strcspn(from, "\n") + 1;
		const char *hit = strstr(from, part);

		if (hit && hit < from + len)
			strncat(kept, from, len);
		from += len;
	}
	return kept;
}

static void assert_only(const char *part, const char *wanted)
{
	char *is = only(part);

	assert_string_equal(is, wanted);
	free(is);
}

/* Changes one end after the other, so that each event is seen. */
static void a_full_life(void **state)
{
	static const struct {
		const char *write, *tells;
	} steps[] = {
		{ BE "/state 2", "back 1->2\n" }, { FE "/state 3", "front 1->3\n" },
		{ BE "/state 4", "back 2->4\n" }, { FE "/state 4", "front 3->4\n" },
		{ BE "/state 5", "back 4->5\n" }, { FE "/state 6", "front 4->6\n" },
		{ BE "/state 6", "back 5->6\n" },
	};
	size_t i;

	(void)state;
	watch_all();
	turn(0);
	assert_string_equal(events, "");
	attach_mydevice();
	until("appeared");
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		run("xenstore-write %s", steps[i].write);
		until(steps[i].tells);
	}
	assert_result(xensplit_detach(ctx, &mydevice, 0, 0), 0);
	until("vanished");
	assert_string_equal(events, "appeared 5 mydevice/0 1/1 at 0\n"
				    "state 5 mydevice/0 back 1->2\n"
				    "state 5 mydevice/0 front 1->3\n"
				    "state 5 mydevice/0 back 2->4\n"
				    "state 5 mydevice/0 front 3->4\n"
				    "state 5 mydevice/0 back 4->5\n"
				    "state 5 mydevice/0 front 4->6\n"
				    "state 5 mydevice/0 back 5->6\n"
				    "vanished 5 mydevice/0 none\n");
	events[0] = '\0';
	settle();
	assert_string_equal(events, "");
	/* Once more, with the same monitor. */
	attach_mydevice();
	until("appeared 5 mydevice/0 1/1 at 0\n");
}

/* With real drivers: each end's states in order, nothing missing or extra at the end. */
static void a_full_life_with_drivers(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	(void)state;
	drive("back 0 mydevice --delay 20");
	drive("front 5 mydevice --delay 20");
	watch_for(5, "mydevice", 0);
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	until("front 1->4");
	until("back 2->4");
	run("\"${XENSPLIT:-true}\" detach 5 >/dev/null 2>&1 &");
	until("vanished");
	assert_only("front", "state 5 mydevice/0 front 1->4\n"
			     "state 5 mydevice/0 front 4->6\n");
	assert_contains(events, "back 1->2");
	assert_contains(events, "back 2->4");
	assert_contains(events, "back 4->5");
}

static void devices_that_are_there_come_first(void **state)
{
	const struct xensplit_event *event;

	(void)state;
	connect_mydevice();
	watch_all();
	/* Without a wait. */
	assert_int_equal(xensplit_monitor_get_timeout(monitor), 0);
	assert_int_equal(xensplit_monitor_next(monitor, &event), 1);
	take_event(event);
	assert_string_equal(events, "appeared 5 mydevice/0 4/4 at 0\n");
	assert_int_equal(xensplit_monitor_next(monitor, &event), 0);
	settle();
	assert_string_equal(events, "appeared 5 mydevice/0 4/4 at 0\n");
}

static void the_loop_it_asks_for(void **state)
{
	uint64_t timeout;

	(void)state;
	watch_all();
	turn(0);
	assert_true(fcntl(xensplit_monitor_get_fd(monitor), F_GETFD) & FD_CLOEXEC);
	assert_int_equal(xensplit_monitor_get_events(monitor), POLLIN);
	timeout = xensplit_monitor_get_timeout(monitor) / 1000;
	assert_in_range(timeout, now_ms() - 1, now_ms() + 1001);
	/* Does not spin when idle: the descriptor is not readable. */
	settle();
	assert_true(poll(&(struct pollfd){ xensplit_monitor_get_fd(monitor), POLLIN, 0 },
			 1, 100) <= 0);
}

static void an_error_with_its_text(void **state)
{
	(void)state;
	attach_mydevice();
	watch_all();
	until("appeared");
	put("/local/domain/5/error/device/mydevice/0/error", "first words", NULL);
	until("error 5 mydevice/0 front first words\n");
	put("/local/domain/0/error/backend/mydevice/5/0/error", "more \x1b", NULL);
	until("error 5 mydevice/0 back more \x1b\n");
	put("/local/domain/5/error/device/mydevice/0/error", "again", NULL);
	until("error 5 mydevice/0 front again\n");
	/* None for an error node that is emptied or removed. */
	put("/local/domain/5/error/device/mydevice/0/error", "", NULL);
	xs_rm(dom0, XBT_NULL, "/local/domain/0/error");
	settle();
	assert_only("error", "error 5 mydevice/0 front first words\n"
			     "error 5 mydevice/0 back more \x1b\n"
			     "error 5 mydevice/0 front again\n");
}

static void an_error_that_is_long_or_holds_a_nul(void **state)
{
	static char longest[2049];

	(void)state;
	memset(longest, 'e', 2048);
	attach_mydevice();
	watch_all();
	put("/local/domain/5/error/device/mydevice/0/error", longest, "n5");
	until("eee");
	assert_int_equal(strspn(strstr(events, "eee"), "e"), 2048);
	put_bytes("/local/domain/0/error/backend/mydevice/5/0/error", "a\0b", 3, NULL);
	until("back a\n");
}

/* A guest that writes faster than the monitor reads: missed writes are counted. */
static void a_guest_that_floods(void **state)
{
	struct xs_handle *guest = as_domain(5);
	unsigned int i, changes = 0;
	const char *from;

	(void)state;
	attach_mydevice();
	watch_all();
	until("appeared");
	for (i = 1; i <= 5001; i++)
		assert_true(xs_write(guest, XBT_NULL, FE "/state", i % 2 ? "3" : "4", 1));
	until("front 1->3");
	sleep_ms(50);
	settle();
	assert_contains(events, "resync 5 mydevice/0 none");
	for (from = events; (from = strstr(from, " front ")); from++)
		changes++;
	/* xenstored itself drops an event if the same one is still queued. */
	assert_in_range(changes + missed, 100, 5001);
	/* The monitor ends up in the guest's state, and continues. */
	put(FE "/state", "6", NULL);
	until("front 3->6");
}

static void a_driver_that_floods(void **state)
{
	(void)state;
	drive("back 0 mydevice");
	watch_all();
	attach_mydevice();
	drive("front 5 mydevice --flood 500");
	until("->4\n");
	await(BE "/state", "4");
	settle();
	assert_contains(events, "resync");
}

static void a_domain_that_dies(void **state)
{
	(void)state;
	attach_mydevice();
	watch_all();
	until("appeared");
	run("\"$SANDBOX\" kill 6");
	settle();
	assert_null(strstr(events, "domain-gone"));
	run("\"$SANDBOX\" kill 5");
	until("domain-gone 5 mydevice/0 front\n");
	settle();
	assert_only("domain-gone", "domain-gone 5 mydevice/0 front\n");
	/* The record is still there, so the device has not vanished. */
	assert_null(strstr(events, "vanished"));
	xs_rm(dom0, XBT_NULL, BE);
	xs_rm(dom0, XBT_NULL, "/xensplit");
	until("vanished");
}

static void a_driver_domain_that_dies(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	(void)state;
	opts.backend_domid = 6;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	watch_all();
	until("appeared 5 mydevice/0 1/1 at 6\n");
	run("\"$SANDBOX\" kill 6");
	until("domain-gone 5 mydevice/0 back\n");
	assert_contains(events, "back 1->-1");
}

static void two_devices(void **state)
{
	struct xensplit_attach_opts opts = device_opts(6, "other", 7);

	(void)state;
	watch_all();
	attach_mydevice();
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	until("appeared 5 mydevice/0 1/1 at 0\n");
	until("appeared 6 other/7 1/1 at 0\n");
	put("/local/domain/6/device/other/7/state", "3", NULL);
	until("state 6 other/7 front 1->3\n");
	put(BE "/state", "2", NULL);
	until("state 5 mydevice/0 back 1->2\n");
	assert_result(xensplit_detach(ctx, &mydevice, XENSPLIT_DETACH_FORCE, 0), 0);
	until("vanished 5 mydevice/0 none\n");
	/* The other one is still followed. */
	put("/local/domain/6/device/other/7/state", "4", NULL);
	until("state 6 other/7 front 3->4\n");
	assert_only("vanished", "vanished 5 mydevice/0 none\n");
}

/* Each filter selects its devices, and no events of others. */
static void filters(void **state)
{
	static const struct {
		uint32_t domid;
		const char *type;
		uint32_t devid;
		const char *wanted;
	} rows[] = {
		{ 6, NULL, XENSPLIT_ANY, "6 other/7" },
		{ XENSPLIT_ANY, "mydevice", XENSPLIT_ANY, "5 mydevice/0" },
		{ XENSPLIT_ANY, NULL, 7, "6 other/7" },
		{ 5, "mydevice", 0, "5 mydevice/0" },
		{ 5, "other", XENSPLIT_ANY, NULL },
	};
	struct xensplit_attach_opts opts = device_opts(6, "other", 7);
	size_t i;

	(void)state;
	attach_mydevice();
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char wanted[128] = "";

		events[0] = '\0';
		watch_for(rows[i].domid, rows[i].type, rows[i].devid);
		settle();
		if (rows[i].wanted)
			snprintf(wanted, sizeof(wanted), "appeared %s 1/1 at 0\n",
				 rows[i].wanted);
		assert_string_equal(events, wanted);
		monitor = xensplit_monitor_free(monitor);
	}
}

/* A filter for one device follows it, even if another tool makes it, and wherever it moves. */
static void a_foreign_device(void **state)
{
	(void)state;
	watch_for(5, "mydevice", 0);
	settle();
	assert_string_equal(events, "");
	run("t=/local/domain/6/backend/mydevice/5/0; "
	    "xenstore-write " FE "/backend-id 6 $t/frontend-id 5 $t/state 1 " FE
	    "/state 1");
	until("appeared 5 mydevice/0");
	put(FE "/state", "4", NULL);
	until("front 1->4");
	put("/local/domain/6/backend/mydevice/5/0/state", "4", NULL);
	until("back 1->4");
	xs_rm(dom0, XBT_NULL, FE);
	xs_rm(dom0, XBT_NULL, "/local/domain/6/backend");
	until("vanished");
	/* With many devices, only those with a record are followed. */
	monitor = xensplit_monitor_free(monitor);
	events[0] = '\0';
	put(FE "/state", "1", NULL);
	watch_all();
	settle();
	assert_string_equal(events, "");
}

/* A backend that moves to another domain is followed there. */
static void a_backend_that_moves(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	(void)state;
	attach_mydevice();
	watch_all();
	until("at 0\n");
	opts.backend_domid = 6;
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	settle();
	put("/local/domain/6/backend/mydevice/5/0/state", "2", NULL);
	until("back 1->2");
	assert_null(strstr(events, "domain-gone"));
}

/* Two attaches with one name are two devices. */
static void a_device_that_is_made_again(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	const struct xensplit_event *event;
	struct xensplit_list *list;
	char first[64], second[64];
	int single;

	(void)state;
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	for (single = 0; single < 2; single++) {
		assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
		strcpy(first, list_one(&list, 0)->unique_id);
		xensplit_list_free(list);
		watch_for(single ? 5 : XENSPLIT_ANY, single ? "mydevice" : NULL,
			  single ? 0 : XENSPLIT_ANY);
		assert_int_equal(xensplit_monitor_next(monitor, &event), 1);
		assert_int_equal(event->type, XENSPLIT_EVENT_APPEARED);
		assert_string_equal(event->unique_id, first);
		/* All of it before the monitor reads again. */
		assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
		strcpy(second, list_one(&list, 0)->unique_id);
		xensplit_list_free(list);
		assert_string_not_equal(first, second);
		assert_result(xensplit_monitor_process(monitor), 0);
		assert_int_equal(xensplit_monitor_next(monitor, &event), 1);
		assert_int_equal(event->type, XENSPLIT_EVENT_VANISHED);
		assert_string_equal(event->unique_id, first);
		assert_int_equal(xensplit_monitor_next(monitor, &event), 1);
		assert_int_equal(event->type, XENSPLIT_EVENT_APPEARED);
		assert_string_equal(event->unique_id, second);
		settle();
		put(FE "/state", "3", NULL);
		until("front 1->3");
		events[0] = '\0';
		monitor = xensplit_monitor_free(monitor);
	}
}

static void by_the_backends_domain(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 1);
	XENSPLIT_FILTER(filter);

	(void)state;
	attach_mydevice();
	filter.backend_domid = 6;
	assert_result(xensplit_monitor_new(ctx, &filter, &monitor), 0);
	opts.backend_domid = 6;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	until("appeared 5 mydevice/1 1/1 at 6\n");
	put(FE "/state", "3", NULL);
	settle();
	assert_string_equal(events, "appeared 5 mydevice/1 1/1 at 6\n");
	/* For this monitor, a device that moves away is gone. */
	opts.backend_domid = 0;
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	until("vanished 5 mydevice/1");
	put("/local/domain/5/device/mydevice/1/state", "3", NULL);
	settle();
	assert_null(strstr(events, "1->3"));
}

/* Removing a directory above devices removes them all. */
static void directories_that_are_removed_as_a_whole(void **state)
{
	static const char *const dirs[] = { "/local/domain/5/device/mydevice",
					    "/local/domain/5/device",
					    "/local/domain/0/backend/mydevice/5",
					    "/local/domain/0/backend/mydevice",
					    "/local/domain/0/backend" };
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		const char *end = i < 2 ? "front" : "back";
		char line[64];

		for (opts.devid = 0; opts.devid < 3; opts.devid++) {
			opts.flags = XENSPLIT_ATTACH_REPLACE;
			assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
		}
		watch_all();
		settle();
		xs_rm(dom0, XBT_NULL, dirs[i]);
		for (opts.devid = 0; opts.devid < 3; opts.devid++) {
			snprintf(line, sizeof(line), "mydevice/%u %s 1->-1\n", opts.devid,
				 end);
			until(line);
		}
		events[0] = '\0';
		monitor = xensplit_monitor_free(monitor);
	}
}

/* What a guest does below its directories is no event, except for the schema's nodes. */
static void a_guest_that_writes_elsewhere(void **state)
{
	static const char *const paths[] = {
		FE "/ring-ref",
		FE "/state/below",
		FE "/state2",
		FE "/other/state",
		"/local/domain/5/device/mydevice/00/state",
		"/local/domain/5/device/mydevice/1/state",
		"/local/domain/5/device/mydevice/x/state",
		"/local/domain/5/device/mydevice/4294967296/state",
		"/local/domain/5/error/device/mydevice/0/other",
		"/local/domain/5/error/device/mydevice/0",
		"/local/domain/6/backend/mydevice/5/0/state",
		"/local/domain/0/backend/mydevice/5",
		"/local/domain/0/backend/mydevice",
		"/xensplit/5/mydevice/next-devid",
		"/xensplit/5/other/x",
	};
	size_t i, j;

	(void)state;
	attach_mydevice();
	watch_all();
	until("appeared");
	for (i = 0; i < 20; i++)
		for (j = 0; j < ARRAY_SIZE(paths); j++)
			put(paths[j], i % 2 ? "4" : "3", NULL);
	settle();
	assert_string_equal(events, "appeared 5 mydevice/0 1/1 at 0\n");
	xs_rm(dom0, XBT_NULL, "/local/domain/6/backend");
}

/* Bad records do not affect others. */
static void pitfall_17_odd_records(void **state)
{
	struct xensplit_list *list;

	(void)state;
	put("/xensplit/5/mydevice/1", "many", NULL);
	put("/xensplit/5/mydevice/x", "schema=1\nbackend-id=0\nunique-id=1\n", NULL);
	put("/xensplit/x/mydevice/1", "schema=1\nbackend-id=0\nunique-id=1\n", NULL);
	put("/xensplit/99999/mydevice/1", "schema=1\nbackend-id=0\nunique-id=1\n", NULL);
	put("/xensplit/6/mydevice/2", "schema=1\nbackend-id=0\n", NULL);
	attach_mydevice();
	watch_all();
	until("appeared 5 mydevice/0");
	settle();
	assert_string_equal(events, "appeared 5 mydevice/0 1/1 at 0\n");
	assert_result(xensplit_list_new(ctx, NULL, 0, &list), 0);
	assert_int_equal(xensplit_list_get(list, 0)->damaged, 0);
	assert_int_equal(xensplit_list_get(list, 1)->damaged, 1);
	assert_int_equal(xensplit_list_get(list, 1)->id.devid, 1);
	assert_int_equal(xensplit_list_get(list, 2)->damaged, 1);
	assert_int_equal(xensplit_list_get(list, 2)->id.domid, 6);
	assert_null(xensplit_list_get(list, 3));
	xensplit_list_free(list);
	assert_null(strstr(logged, "warn"));
}

#define monitor_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		monitor_test(a_full_life),
		monitor_test(a_full_life_with_drivers),
		monitor_test(devices_that_are_there_come_first),
		monitor_test(the_loop_it_asks_for),
		monitor_test(an_error_with_its_text),
		monitor_test(an_error_that_is_long_or_holds_a_nul),
		monitor_test(a_guest_that_floods),
		monitor_test(a_driver_that_floods),
		monitor_test(a_domain_that_dies),
		monitor_test(a_driver_domain_that_dies),
		monitor_test(two_devices),
		monitor_test(filters),
		monitor_test(a_foreign_device),
		monitor_test(a_backend_that_moves),
		monitor_test(a_device_that_is_made_again),
		monitor_test(by_the_backends_domain),
		monitor_test(directories_that_are_removed_as_a_whole),
		monitor_test(a_guest_that_writes_elsewhere),
		monitor_test(pitfall_17_odd_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
