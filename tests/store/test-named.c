// SPDX-License-Identifier: GPL-2.0-or-later
/* A monitor of whichever domain has a name. */
#include <poll.h>

#include "store.h"

#define LONG_MS 60000

static struct xensplit_monitor *monitor;
static char events[16384]; /* one per line */

static int begin(void **state)
{
	events[0] = '\0';
	return world_begin(state);
}

static int end(void **state)
{
	monitor = xensplit_monitor_free(monitor);
	return world_end(state);
}

static void take_event(const struct xensplit_event *event)
{
	size_t used = strlen(events), room = sizeof(events) - used;

	if (event->type == XENSPLIT_EVENT_DOMAIN) {
		assert_null(event->id.type);
		assert_null(event->unique_id);
		snprintf(events + used, room, "domain %s %d\n", event->text,
			 (int)event->id.domid);
		return;
	}
	assert_non_null(event->id.type);
	snprintf(events + used, room, "%d %u %s/%u %d->%d\n", event->type,
		 event->id.domid, event->id.type, event->id.devid, event->from,
		 event->to);
}

static void turn(void)
{
	struct pollfd fd = { .fd = xensplit_monitor_get_fd(monitor),
			     .events = (short)xensplit_monitor_get_events(monitor) };
	const struct xensplit_event *event;
	uint64_t now = now_ms(), next = xensplit_monitor_get_timeout(monitor) / 1000 + 1;

	poll(&fd, 1, next > now ? (int)(next - now) : 0);
	assert_result(xensplit_monitor_process(monitor), 0);
	while (xensplit_monitor_next(monitor, &event) > 0)
		take_event(event);
}

static void until(const char *line)
{
	uint64_t deadline = now_ms() + LONG_MS;

	while (!strstr(events, line)) {
		if (now_ms() > deadline)
			wrong("no '%s' in:\n%s", line, events);
		turn();
	}
}

static void watch(const char *name, const char *type, uint32_t devid)
{
	XENSPLIT_FILTER(filter);

	filter.type = type;
	filter.devid = devid;
	assert_result(xensplit_monitor_new_named(ctx, name, &filter, &monitor), 0);
}

static void watch_all_of(const char *name)
{
	assert_result(xensplit_monitor_new_named(ctx, name, NULL, &monitor), 0);
}

static void attach_to(uint32_t domid, const char *type, uint32_t devid)
{
	struct xensplit_attach_opts opts = device_opts(domid, type, devid);

	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

/* Some seconds of a caller's loop. */
static void let_pass(unsigned int ms)
{
	uint64_t deadline = now_ms() + ms;

	while (now_ms() < deadline)
		turn();
}

static void kill_7(void)
{
	run("\"$SANDBOX\" kill 7");
}

/* The devices of the first one are reported until there is another one. */
static void it_dies_and_the_next_one_comes(void **state)
{
	int fd;

	(void)state;
	attach_to(5, "mydevice", 0);
	attach_to(6, "mydevice", 0);
	watch_all_of("g5");
	fd = xensplit_monitor_get_fd(monitor);
	until("1 5 mydevice/0 1->1\n");
	assert_null(strstr(events, "domain"));
	run("\"$SANDBOX\" kill 5");
	until("domain g5 -1\n");
	until("5 5 mydevice/0 ");
	run("\"$SANDBOX\" create 7 --name g5");
	attach_to(7, "other", 3);
	until("domain g5 7\n");
	until("1 7 other/3 1->1\n");
	put("/local/domain/7/device/other/3/state", "4", NULL);
	until("2 7 other/3 1->4\n");
	assert_int_equal(xensplit_monitor_get_fd(monitor), fd);
	/* The first one is no longer of interest, and the others never were. */
	put("/local/domain/6/device/mydevice/0/state", "4", NULL);
	xs_rm(dom0, XBT_NULL, REC);
	put("/local/domain/7/device/other/3/state", "3", NULL);
	until("2 7 other/3 4->3\n");
	let_pass(300);
	assert_null(strstr(events, "4 5 mydevice/0"));
	assert_null(strstr(events, " 6 "));
	kill_7();
}

/* After a migration on one host the old domain may live for a while. */
static void a_name_that_moves_to_another_domain(void **state)
{
	(void)state;
	attach_to(5, "mydevice", 0);
	attach_to(6, "mydevice", 0);
	watch("g5", "mydevice", 0);
	until("1 5 mydevice/0 1->1\n");
	put("/local/domain/5/name", "g5--migratedaway", NULL);
	until("domain g5 -1\n");
	put("/local/domain/5/device/mydevice/0/state", "4", NULL);
	until("2 5 mydevice/0 1->4\n");
	put("/local/domain/6/name", "g5", NULL);
	until("domain g5 6\n");
	until("1 6 mydevice/0 1->1\n");
	put("/local/domain/5/device/mydevice/0/state", "6", NULL);
	put("/local/domain/6/device/mydevice/0/state", "4", NULL);
	until("2 6 mydevice/0 1->4\n");
	let_pass(300);
	assert_null(strstr(events, "2 5 mydevice/0 4->6\n"));
	/* And back. */
	put("/local/domain/6/name", "g6", NULL);
	put("/local/domain/5/name", "g5", NULL);
	until("domain g5 5\n");
	until("1 5 mydevice/0 6->1\n");
}

/* The first one keeps it, until it loses it. */
static void two_that_have_the_name_for_a_while(void **state)
{
	(void)state;
	watch_all_of("g5");
	put("/local/domain/6/name", "g5", NULL);
	attach_to(5, "mydevice", 0);
	until("1 5 mydevice/0 1->1\n");
	assert_null(strstr(events, "domain"));
	put("/local/domain/5/name", "old", NULL);
	until("domain g5 6\n");
	/* At once: no event that there was none. */
	assert_null(strstr(events, "domain g5 -1\n"));
	/* If two have it, and this one has not, it is nobody's. */
	run("\"$SANDBOX\" create 7 --name g5");
	put("/local/domain/5/name", "g5", NULL);
	put("/local/domain/6/name", "g6", NULL);
	until("domain g5 -1\n");
	kill_7();
	until("domain g5 5\n");
}

static void one_that_is_not_there_at_first(void **state)
{
	(void)state;
	watch("late", "mydevice", 0);
	let_pass(1500);
	assert_string_equal(events, "domain late -1\n");
	events[0] = '\0';
	run("\"$SANDBOX\" create 7 --name late");
	until("domain late 7\n");
	attach_to(7, "mydevice", 0);
	until("1 7 mydevice/0 1->1\n");
	kill_7();
	until("domain late -1\n");
	until("5 7 mydevice/0 ");
}

/* A domain that has gone with its directory left is not there, whatever its name. */
static void a_crash_is_noticed(void **state)
{
	(void)state;
	watch_all_of("g5");
	/* Its watches fire once when they are set. */
	let_pass(300);
	run("\"$SANDBOX\" kill 5 --crash");
	until("domain g5 -1\n");
	assert_true(exists("/local/domain/5/name"));
	run("\"$SANDBOX\" create 7 --name g5");
	until("domain g5 7\n");
	kill_7();
	xs_rm(dom0, XBT_NULL, "/local/domain/5");
}

static unsigned int requests(void)
{
	const char *line = logged;
	unsigned int count = 0;

	while ((line = strstr(line, "debug: "))) {
		line++;
		count++;
	}
	return count;
}

/* Nothing but the check each second that xenstored is there, as for a domid. */
static void its_requests_while_nothing_happens(void **state)
{
	uint64_t begun;

	(void)state;
	watch_all_of("g5");
	let_pass(300);
	logged[0] = '\0';
	begun = now_ms();
	let_pass(2500);
	assert_in_range(requests(), 1, (now_ms() - begun) / 1000 + 1);
	/* Another domain is not read if its name changes. */
	logged[0] = '\0';
	put("/local/domain/6/name", "other", NULL);
	put("/local/domain/5/memory/target", "1", NULL);
	begun = now_ms();
	let_pass(300);
	assert_in_range(requests(), 0, (now_ms() - begun) / 1000 + 1);
}

static void wrong_arguments(void **state)
{
	XENSPLIT_FILTER(filter);

	(void)state;
	assert_result(xensplit_monitor_new_named(ctx, "5", NULL, &monitor), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "5 is a domid, not a name");
	assert_result(xensplit_monitor_new_named(ctx, "99999", NULL, &monitor), -EINVAL);
	assert_result(xensplit_monitor_new_named(ctx, "", NULL, &monitor), -EINVAL);
	filter.domid = 5;
	assert_result(xensplit_monitor_new_named(ctx, "g5", &filter, &monitor), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "the filter has a domain, too");
	put("/local/domain/6/name", "g5", NULL);
	assert_result(xensplit_monitor_new_named(ctx, "g5", NULL, &monitor), -EINVAL);
	assert_string_equal(xensplit_last_error(ctx)->code, "ambiguous-domain");
	assert_int_equal(xensplit_monitor_new_named(ctx, NULL, NULL, &monitor), -EINVAL);
	assert_int_equal(xensplit_monitor_new_named(NULL, "g5", NULL, &monitor), -EINVAL);
	assert_int_equal(xensplit_monitor_new_named(ctx, "g5", NULL, NULL), -EINVAL);
	assert_null(monitor);
}

#define named_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* A new domain with that domid calls itself as the one that was followed. */
static void a_domain_that_chose_the_name(void **state)
{
	(void)state;
	assert_result(xensplit_monitor_new_named(ctx, "g5", NULL, &monitor), 0);
	run("\"$SANDBOX\" kill 5 && \"$SANDBOX\" create 5 --name g5 && "
	    "xenstore-chmod /local/domain/5/name n5 r0");
	until("domain g5 -1\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		named_test(it_dies_and_the_next_one_comes),
		named_test(a_name_that_moves_to_another_domain),
		named_test(two_that_have_the_name_for_a_while),
		named_test(one_that_is_not_there_at_first),
		named_test(a_crash_is_noticed),
		named_test(its_requests_while_nothing_happens),
		named_test(wrong_arguments),
		named_test(a_domain_that_chose_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
