// SPDX-License-Identifier: GPL-2.0-or-later
/* A keeper: domains get their devices as they come and go, whatever happens to them. */
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store.h"

static struct xensplit_keeper *keeper;
static char events[262144]; /* one per line, from take_event() */

static int begin(void **state)
{
	events[0] = '\0';
	return world_begin(state);
}

static int end(void **state)
{
	keeper = xensplit_keeper_free(keeper);
	return world_end(state);
}

#define keeper_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void take_event(const struct xensplit_keeper_event *event)
{
	static const char *const types[] = { "?",	 "domain",    "domain-gone",
					     "attached", "connected", "lost",
					     "detached", "reaped",    "failed",
					     "refused" };
	size_t used = strlen(events);

	assert_in_range(event->type, 1, 9);
	used += (size_t)snprintf(events + used, sizeof(events) - used, "%s %u %s ",
				 types[event->type], event->id.domid,
				 event->domain ? event->domain : "-");
	if (event->id.type)
		used += (size_t)snprintf(events + used, sizeof(events) - used, "%s/%u",
					 event->id.type, event->id.devid);
	if (event->error) {
		assert_true(event->error->err < 0);
		used += (size_t)snprintf(events + used, sizeof(events) - used, " %s: %s",
					 event->error->code, event->error->message);
	}
	if (event->type == XENSPLIT_KEEPER_FAILED && event->id.type)
		assert_true(event->retry_us > 0);
	assert_int_equal(event->error != NULL,
			 event->type == XENSPLIT_KEEPER_FAILED ||
				 event->type == XENSPLIT_KEEPER_REFUSED);
	snprintf(events + used, sizeof(events) - used, "\n");
}

/* One round of a caller's loop, as documented in the header. */
static void turn(unsigned int most_ms)
{
	struct pollfd fd = { xensplit_keeper_get_fd(keeper),
			     (short)xensplit_keeper_get_events(keeper), 0 };
	uint64_t until = xensplit_keeper_get_timeout(keeper) / 1000 + 1, now = now_ms();
	const struct xensplit_keeper_event *event;
	uint64_t wait = until > now ? until - now : 0;

	poll(&fd, 1, (int)(wait < most_ms ? wait : most_ms));
	assert_result(xensplit_keeper_process(keeper), 0);
	while (xensplit_keeper_next(keeper, &event) > 0)
		take_event(event);
}

static void until(const char *line)
{
	uint64_t deadline = now_ms() + 300000;

	while (!strstr(events, line)) {
		if (now_ms() > deadline)
			wrong("no '%s' in:\n%s", line, events);
		turn(1000);
	}
}

static void until_settled(void)
{
	uint64_t deadline = now_ms() + 300000;

	do {
		if (now_ms() > deadline)
			wrong("it does not settle:\n%s", events);
		turn(1000);
	} while (!xensplit_keeper_is_settled(keeper));
}

static void start(uint32_t flags, unsigned int connect_ms)
{
	XENSPLIT_OPTS(xensplit_keeper_opts, opts);

	opts.flags = flags;
	opts.connect_ms = connect_ms;
	assert_result(xensplit_keeper_new(ctx, &opts, &keeper), 0);
}

static struct xensplit_wanted wanted_of(const char *type, uint32_t devid)
{
	XENSPLIT_OPTS(xensplit_wanted, wanted);

	wanted.type = type;
	wanted.devid = devid;
	return wanted;
}

static void want(const char *domain, const struct xensplit_wanted *wanted)
{
	assert_result(xensplit_keeper_set(keeper, domain, &wanted, 1), 0);
}

/* mydevice/0 of that domain, its backend in dom0 */
static void want_mydevice(const char *domain)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);

	want(domain, &wanted);
}

static void kill_domain(unsigned int domid)
{
	run("\"$SANDBOX\" kill %u", domid);
}

static void create_domain(unsigned int domid, const char *name)
{
	run("\"$SANDBOX\" create %u --name %s", domid, name);
}

/* --- domains come and go --- */

static void a_domain_that_is_there(void **state)
{
	(void)state;
	drive_both();
	start(0, 0);
	want_mydevice("g5");
	until("connected 5 g5 mydevice/0\n");
	assert_string_equal(events, "domain 5 g5 \n"
				    "attached 5 g5 mydevice/0\n"
				    "connected 5 g5 mydevice/0\n");
	assert_string_equal(record_field(REC, "listed"), "fixed");
	until_settled();
}

static void a_domain_comes_and_goes(void **state)
{
	(void)state;
	drive("back 0 mydevice");
	start(0, 0);
	want_mydevice("new");
	until_settled();
	assert_string_equal(events, "");
	create_domain(7, "new");
	drive("front 7 mydevice");
	until("connected 7 new mydevice/0\n");
	kill_domain(7);
	until("reaped 7 new mydevice/0\n");
	until_settled();
	assert_string_equal(events, "domain 7 new \n"
				    "attached 7 new mydevice/0\n"
				    "connected 7 new mydevice/0\n"
				    "domain-gone 7 new \n"
				    "reaped 7 new mydevice/0\n");
	assert_no_device();
}

/* Its toolstack is not there to remove its directory. */
static void a_domain_crashes(void **state)
{
	(void)state;
	drive_both();
	start(0, 0);
	want_mydevice("g5");
	until("connected");
	run("\"$SANDBOX\" kill 5 --crash");
	until("reaped 5 g5 mydevice/0\n");
	assert_contains(events, "domain-gone 5 g5 \n");
	until_settled();
	assert_gone("/xensplit");
	assert_gone(BE);
}

/* The new one has that domid before anybody has listed the domains. */
static void a_domid_is_reused(void **state)
{
	(void)state;
	drive("back 0 mydevice");
	drive("front 5 mydevice");
	start(0, 0);
	want_mydevice("g5");
	want_mydevice("other");
	until("connected 5 g5 mydevice/0\n");
	kill_domain(5);
	create_domain(5, "other");
	drive("front 5 mydevice");
	until("connected 5 other mydevice/0\n");
	assert_contains(events, "domain-gone 5 g5 \n");
	assert_node(BE "/state", "4", "n0,r5");
}

/* The same name, as after a reboot. */
static void a_domain_starts_again(void **state)
{
	(void)state;
	drive("back 0 mydevice");
	drive("front 5 mydevice");
	start(0, 0);
	want_mydevice("g5");
	until("connected 5 g5 mydevice/0\n");
	kill_domain(5);
	create_domain(8, "g5");
	drive("front 8 mydevice");
	until("connected 8 g5 mydevice/0\n");
	until("reaped 5 g5 mydevice/0\n");
	until_settled();
	assert_gone("/xensplit/5");
	assert_gone(BE);
	kill_domain(8);
	until("domain-gone 8 g5 \n");
}

/* As after a migration. */
static void a_domain_is_renamed(void **state)
{
	(void)state;
	drive_both();
	start(0, 0);
	want_mydevice("g5--incoming-not");
	until_settled();
	run("xenstore-write /local/domain/5/name moved");
	want_mydevice("moved");
	until("connected 5 moved mydevice/0\n");
	run("xenstore-write /local/domain/5/name g5");
	until("domain-gone 5 moved \n");
	assert_node(BE "/state", "4", "n0,r5"); /* it stays */
}

static void a_list_changes(void **state)
{
	struct xensplit_wanted one = wanted_of("mydevice", 0),
			       two = wanted_of("other", 3);
	const struct xensplit_wanted *both[] = { &one, &two };

	(void)state;
	drive_both();
	drive("back 0 other");
	drive("front 5 other");
	start(0, 0);
	want("g5", &one);
	until("connected 5 g5 mydevice/0\n");
	/* The same list again is no news. */
	want("g5", &one);
	until_settled();
	events[0] = '\0';
	assert_result(xensplit_keeper_set(keeper, "g5", both, 2), 0);
	until("connected 5 g5 other/3\n");
	assert_string_equal(events, "attached 5 g5 other/3\nconnected 5 g5 other/3\n");
	assert_int_equal(xensplit_keeper_get(keeper, 0)->connects, 1);
	assert_result(xensplit_keeper_unset(keeper, "g5"), 0);
	assert_int_equal(xensplit_keeper_unset(keeper, "g5"), -ENOENT);
	until_settled();
	assert_null(xensplit_keeper_get(keeper, 0));
	assert_node(BE "/state", "4", "n0,r5");
}

/* --- lists and what is there --- */

static void a_device_that_differs(void **state)
{
	static const struct xensplit_pair key = { "mode", "fast" };
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);

	(void)state;
	connect_mydevice();
	start(0, 0);
	wanted.front = &key;
	wanted.front_count = 1;
	want("g5", &wanted);
	until("refused 5 g5 mydevice/0 differs: ");
	until_settled();
	assert_contains(events, "front.mode");
	assert_int_equal(xensplit_keeper_get(keeper, 0)->error->err, -EEXIST);
	assert_gone(FE "/mode");
	/* Told once, though the keeper looks at it again. */
	events[0] = '\0';
	want_mydevice("g6");
	want("g5", &wanted);
	create_domain(7, "g7");
	until("attached 6 g6");
	assert_null(strstr(events, "refused"));
	kill_domain(7);
	keeper = xensplit_keeper_free(keeper);
	start(XENSPLIT_PLAN_REPLACE, 0);
	events[0] = '\0';
	want("g5", &wanted);
	until("connected 5 g5 mydevice/0\n");
	assert_string_equal(events, "domain 5 g5 \n"
				    "attached 5 g5 mydevice/0\n"
				    "connected 5 g5 mydevice/0\n");
	assert_node(FE "/mode", "fast", "n5,r0");
}

/* Only what a list has named goes with its line. */
static void devices_off_the_list(void **state)
{
	struct xensplit_wanted one = wanted_of("mydevice", 1),
			       two = wanted_of("mydevice", 2);
	const struct xensplit_wanted *both[] = { &one, &two };

	(void)state;
	connect_mydevice();
	start(0, 0);
	assert_result(xensplit_keeper_set(keeper, "g5", both, 2), 0);
	until("connected 5 g5 mydevice/1\n");
	until("connected 5 g5 mydevice/2\n");
	want("g5", &one);
	until_settled();
	assert_true(exists("/xensplit/5/mydevice/2"));
	keeper = xensplit_keeper_free(keeper);
	start(XENSPLIT_PLAN_PRUNE, 0);
	events[0] = '\0';
	want("g5", &one);
	until("detached 5 g5 mydevice/2\n");
	until_settled();
	assert_gone("/xensplit/5/mydevice/2");
	assert_gone("/local/domain/5/device/mydevice/2");
	assert_true(exists("/xensplit/5/mydevice/1"));
	assert_node(BE "/state", "4", "n0,r5");
}

/* Also when another process has removed it, and with another keeper. */
static void an_automatic_id_stays(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", XENSPLIT_DEVID_AUTO);
	struct xensplit_id id = { 5, "mydevice", 1 };

	(void)state;
	connect_mydevice();
	start(0, 0);
	want("g5", &wanted);
	until("connected 5 g5 mydevice/1\n");
	assert_int_equal(xensplit_keeper_get(keeper, 0)->id.devid, 1);
	assert_string_equal(record_field("/xensplit/5/mydevice/1", "listed"), "auto");
	assert_result(xensplit_detach(ctx, &id, 0, 20000), 0);
	until("lost 5 g5 mydevice/1\n");
	events[0] = '\0';
	until("connected 5 g5 mydevice/1\n");
	assert_string_equal(record_field("/xensplit/5/mydevice/1", "listed"), "auto");
	keeper = xensplit_keeper_free(keeper);
	start(0, 0);
	events[0] = '\0';
	want("g5", &wanted);
	until_settled();
	assert_string_equal(events, "domain 5 g5 \nconnected 5 g5 mydevice/1\n");
}

/* --- backends in other domains --- */

static void a_backend_by_name_appears_later(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);

	(void)state;
	drive("front 5 mydevice");
	start(0, 0);
	wanted.backend = "drv";
	want("g5", &wanted);
	until("refused 5 g5 mydevice/0 no-such-domain: no such domain: 'drv'\n");
	until_settled();
	create_domain(9, "drv");
	drive("back 9 mydevice");
	until("connected 5 g5 mydevice/0\n");
	assert_node("/local/domain/9/backend/mydevice/5/0/state", "4", "n9,r5");
	kill_domain(9);
}

static void a_driver_domain_starts_again(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);

	(void)state;
	create_domain(9, "drv");
	drive("front 5 mydevice");
	drive("back 9 mydevice");
	start(0, 0);
	wanted.backend = "drv";
	want("g5", &wanted);
	until("connected 5 g5 mydevice/0\n");
	kill_domain(9);
	until("refused 5 g5 mydevice/0 no-such-domain");
	until_settled();
	assert_no_device();
	events[0] = '\0';
	create_domain(10, "drv");
	drive("back 10 mydevice");
	until("connected 5 g5 mydevice/0\n");
	assert_node("/local/domain/10/backend/mydevice/5/0/state", "4", "n10,r5");
	kill_domain(10);
}

/* While nobody kept the device. */
static void a_driver_domain_has_died(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	(void)state;
	create_domain(9, "drv");
	opts.backend_domid = 9;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	kill_domain(9);
	start(0, 0);
	wanted.backend = "drv";
	want("g5", &wanted);
	until("reaped 5 g5 mydevice/0\n");
	until_settled();
	assert_no_device();
}

/* A device that nobody wants, too. */
static void a_driver_domain_dies(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	(void)state;
	create_domain(9, "drv");
	opts.backend_domid = 9;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	start(0, 0);
	until_settled();
	assert_true(exists(REC));
	kill_domain(9);
	until("reaped 5 g5 mydevice/0\n");
	until_settled();
	assert_gone(REC);
	assert_gone(FE);
}

/* --- devices that do not connect, or no longer --- */

static void a_restored_guest(void **state)
{
	(void)state;
	drive("back 0 mydevice");
	drive("front 5 mydevice --restored");
	start(0, 500);
	want_mydevice("g5");
	until("connected 5 g5 mydevice/0\n");
	assert_contains(events,
			"failed 5 g5 mydevice/0 not-connected: "
			"not connected (frontend Initialising, backend InitWait)\n"
			"attached 5 g5 mydevice/0\n"
			"connected 5 g5 mydevice/0\n");
}

/* Its driver takes the device that was there from the beginning. */
static void a_guest_that_boots_slowly(void **state)
{
	const char *unique_id;
	uint64_t begun;

	(void)state;
	drive("back 0 mydevice");
	start(0, 3000);
	want_mydevice("g5");
	until("attached 5 g5 mydevice/0\n");
	unique_id = record_field(REC, "unique-id");
	until("failed 5 g5 mydevice/0 not-connected: "
	      "not connected (frontend Initialising, backend InitWait)\n");
	begun = now_ms();
	while (now_ms() < begun + 2000)
		turn(100);
	drive("front 5 mydevice");
	until("connected 5 g5 mydevice/0\n");
	assert_string_equal(record_field(REC, "unique-id"), unique_id);
}

/* It is made again once, in case that the guest was restored. */
static void a_frontend_that_never_begins(void **state)
{
	const char *unique_id;

	(void)state;
	drive("back 0 mydevice");
	start(0, 200);
	want_mydevice("g5");
	until("failed 5 g5 mydevice/0 not-connected");
	events[0] = '\0';
	until("attached 5 g5 mydevice/0\n");
	unique_id = record_field(REC, "unique-id");
	until("failed 5 g5 mydevice/0 not-connected");
	events[0] = '\0';
	until("failed 5 g5 mydevice/0 not-connected"); /* the next try */
	assert_null(strstr(events, "attached"));
	assert_string_equal(record_field(REC, "unique-id"), unique_id);
}

/* Without any driver a new device would not help. */
static void no_drivers(void **state)
{
	const char *unique_id;

	(void)state;
	start(0, 200);
	want_mydevice("g5");
	until("failed 5 g5 mydevice/0 not-connected");
	until_settled();
	unique_id = record_field(REC, "unique-id");
	events[0] = '\0';
	until("failed 5 g5 mydevice/0 not-connected"); /* the next try */
	assert_string_equal(record_field(REC, "unique-id"), unique_id);
	assert_true(xensplit_keeper_get(keeper, 0)->failures >= 2);
	drive_both();
	until("connected 5 g5 mydevice/0\n");
	assert_string_equal(record_field(REC, "unique-id"), unique_id);
	assert_int_equal(xensplit_keeper_get(keeper, 0)->failures, 0);
	assert_null(xensplit_keeper_get(keeper, 0)->error);
}

static uint32_t flags_of_5;

static int query(void *data, uint32_t domid, struct xensplit_domain *domain)
{
	(void)data;
	domain->flags = domid == 5 ? flags_of_5 : 0;
	domain->uuid[15] = (uint8_t)domid;
	return domid == 0 || domid == 5 || domid == 6 ? 0 : -ESRCH;
}

/* Created paused: it gets its devices at once, but can't connect them. */
static void a_paused_domain(void **state)
{
	static const struct xensplit_hypervisor table = { sizeof(table), query };
	XENSPLIT_OPTS(xensplit_opts, opts);
	const char *unique_id;

	(void)state;
	xensplit_free(ctx);
	opts.hypervisor = &table;
	ctx = new_ctx(&opts);
	flags_of_5 = XENSPLIT_DOMAIN_PAUSED;
	drive("back 0 mydevice");
	start(0, 200);
	want_mydevice("g5");
	until("attached 5 g5 mydevice/0\n");
	unique_id = record_field(REC, "unique-id");
	await(BE "/state", "2");
	until("failed 5 g5 mydevice/0 not-connected");
	until_settled();
	events[0] = '\0';
	until("failed 5 g5 mydevice/0 not-connected");
	assert_string_equal(record_field(REC, "unique-id"), unique_id);
	flags_of_5 = 0;
	drive("front 5 mydevice");
	until("connected 5 g5 mydevice/0\n");
}

static void nobody_waits_for_it(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);
	uint64_t begun;

	(void)state;
	start(0, 100);
	wanted.flags = XENSPLIT_WANTED_NO_WAIT;
	want("g5", &wanted);
	until("attached");
	until_settled();
	begun = now_ms();
	while (now_ms() < begun + 1500)
		turn(100);
	assert_string_equal(events, "domain 5 g5 \nattached 5 g5 mydevice/0\n");
	drive_both();
	until("connected 5 g5 mydevice/0\n");
}

static void a_driver_is_loaded_again(void **state)
{
	struct driver *front;

	(void)state;
	drive("back 0 mydevice");
	front = drive("front 5 mydevice");
	start(0, 0);
	want_mydevice("g5");
	until("connected 5 g5 mydevice/0\n");
	driver_unload(front);
	until("lost 5 g5 mydevice/0\n");
	events[0] = '\0';
	drive("front 5 mydevice");
	until("connected 5 g5 mydevice/0\n");
	assert_int_equal(xensplit_keeper_get(keeper, 0)->connects, 2);
}

static void another_tool_removes_it(void **state)
{
	(void)state;
	drive_both();
	start(0, 0);
	want_mydevice("g5");
	until("connected 5 g5 mydevice/0\n");
	assert_result(xensplit_detach(ctx, &mydevice, 0, 20000), 0);
	until("lost 5 g5 mydevice/0\n");
	events[0] = '\0';
	until("connected 5 g5 mydevice/0\n");
}

/* --- after another process --- */

static void what_was_there_before(void **state)
{
	const struct xensplit_kept *kept;

	(void)state;
	connect_mydevice();
	start(0, 0);
	want_mydevice("g5");
	until("connected 5 g5 mydevice/0\n");
	assert_string_equal(events, "domain 5 g5 \nconnected 5 g5 mydevice/0\n");
	kept = xensplit_keeper_get(keeper, 0);
	assert_string_equal(kept->domain, "g5");
	assert_int_equal(kept->id.domid, 5);
	assert_string_equal(kept->id.type, "mydevice");
	assert_int_equal(kept->id.devid, 0);
	assert_int_equal(kept->frontend_state, XENSPLIT_STATE_CONNECTED);
	assert_int_equal(kept->connects, 1);
	assert_null(xensplit_keeper_get(keeper, 1));
}

static void left_overs_of_a_former_life(void **state)
{
	(void)state;
	attach_mydevice();
	kill_domain(5);
	create_domain(5, "g5");
	start(0, 0);
	until("reaped 5 g5 mydevice/0\n");
	until_settled();
	assert_no_device();
	/* The domid is not in use. */
	attach_mydevice();
	keeper = xensplit_keeper_free(keeper);
	kill_domain(5);
	start(0, 0);
	until("reaped 5 - mydevice/0\n");
	until_settled();
	assert_no_device();
}

/* As an attach with XENSPLIT_ATTACH_REPLACE leaves it that is killed. */
static void mark_replaced(void)
{
	unsigned int len;
	char *record = xs_read(dom0, XBT_NULL, REC, &len), *marked;

	assert_non_null(record);
	assert_true(asprintf(&marked, "%sphase=replace\n", record) > 0);
	put(REC, marked, NULL);
	free(marked);
	free(record);
	assert_string_equal(record_field(REC, "phase"), "replace");
}

/* Nobody wants it, and whoever was replacing it was killed. */
static void an_interrupted_replace(void **state)
{
	(void)state;
	connect_mydevice();
	mark_replaced();
	start(0, 0);
	until("attached 5 g5 mydevice/0\n"); /* after half a minute */
	assert_null(record_field(REC, "phase"));
	assert_node(BE "/state", "4", "n0,r5");
	until_settled();
}

/* --- more than one --- */

static void a_bad_device_beside_good_ones(void **state)
{
	struct xensplit_wanted wanted[4];
	const struct xensplit_wanted *list[4];
	unsigned int i;

	(void)state;
	drive_both();
	for (i = 0; i < 4; i++) {
		wanted[i] = wanted_of("mydevice", i);
		list[i] = &wanted[i];
	}
	/* The second is a script's, the third can't be. */
	put("/local/domain/5/device/mydevice/1/state", "1", NULL);
	start(0, 0);
	wanted[2].type = "not a type";
	assert_result(xensplit_keeper_set(keeper, "g5", list, 4), 0);
	until("connected 5 g5 mydevice/3\n");
	until("refused 5 g5 not a type/2 invalid-argument: ");
	until("connected 5 g5 mydevice/0\n");
	until(" 5 g5 mydevice/1 foreign: ");
	until_settled();
	assert_gone("/xensplit/5/mydevice/1");
}

static volatile bool stop_writing;

static void *write_all_the_time(void *data)
{
	struct xs_handle *xs = data;

	while (!stop_writing) {
		xs_mkdir(xs, XBT_NULL, "/local/domain/0/backend/mydevice/5/noise");
		xs_rm(xs, XBT_NULL, "/local/domain/0/backend/mydevice/5/noise");
	}
	return NULL;
}

/* Each commit collides that takes longer than the pauses of the other client. */
static void collisions(void **state)
{
	struct xensplit_wanted wanted[40];
	const struct xensplit_wanted *list[ARRAY_SIZE(wanted)];
	struct xs_handle *xs = xs_open(0);
	pthread_t thread;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		wanted[i] = wanted_of("mydevice", i);
		wanted[i].flags = XENSPLIT_WANTED_NO_WAIT;
		list[i] = &wanted[i];
	}
	start(0, 0);
	assert_result(xensplit_keeper_set(keeper, "g5", list, ARRAY_SIZE(wanted)), 0);
	want_mydevice("g6");
	stop_writing = false;
	pthread_create(&thread, NULL, write_all_the_time, xs);
	for (i = 0; i < 100; i++)
		turn(10);
	stop_writing = true;
	pthread_join(thread, NULL);
	xs_close(xs);
	until("attached 5 g5 mydevice/39\n");
	until("attached 6 g6 mydevice/0\n");
	assert_non_null(xensplit_keeper_get(keeper, 40));
}

/* --- arguments and errors --- */

static unsigned int count(const char *what)
{
	const char *at = events;
	unsigned int number = 0;

	while ((at = strstr(at, what))) {
		number++;
		at++;
	}
	return number;
}

/* A guest that connects and closes all the time does not fill the log; a loss that lasts makes an event. */
static void a_guest_that_connects_and_closes(void **state)
{
	unsigned int i, told;

	(void)state;
	start(0, 0);
	want_mydevice("g5");
	until("attached");
	put(FE "/state", "4", NULL);
	put(BE "/state", "4", NULL);
	until("connected");
	for (i = 0; i < 40; i++) {
		put(FE "/state", i % 2 ? "4" : "6", NULL);
		turn(1000);
	}
	told = count("lost 5");
	if (told < 1 || told > 8)
		wrong("%u losses are too many", told);
	put(FE "/state", "6", NULL);
	events[0] = '\0';
	until("lost 5 g5 mydevice/0\n");
}

/* As init-dom0less leaves it: the guest could call itself as another one. */
static void a_name_that_the_guest_may_write(void **state)
{
	struct xs_handle *guest = as_domain(5);

	(void)state;
	put("/local/domain/5/name", "g5", "n5,r0");
	assert_true(xs_write(guest, XBT_NULL, "name", "victim", 6));
	start(0, 0);
	want_mydevice("victim");
	want_mydevice("g6");
	until("attached 6 g6 mydevice/0\n");
	until_settled();
	assert_null(strstr(events, "victim"));
	assert_contains(logged, "the name of domain 5 does not count");
	assert_gone(REC);
}

static void wrong_arguments(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);
	const struct xensplit_wanted *list[] = { &wanted };
	XENSPLIT_OPTS(xensplit_keeper_opts, opts);

	(void)state;
	opts.flags = 1u << 7;
	assert_result(xensplit_keeper_new(ctx, &opts, &keeper), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "0x80");
	assert_result(xensplit_keeper_new(NULL, NULL, &keeper), -EINVAL);
	start(0, 0);
	assert_result(xensplit_keeper_set(keeper, "", list, 1), -EINVAL);
	assert_result(xensplit_keeper_set(keeper, NULL, list, 1), -EINVAL);
	wanted.type = NULL;
	assert_result(xensplit_keeper_set(keeper, "g5", list, 1), -EINVAL);
	wanted = wanted_of("mydevice", 0);
	wanted.sz = sizeof(wanted) + 1;
	assert_int_equal(xensplit_keeper_unset(keeper, "g5"), -ENOENT);
	assert_null(xensplit_keeper_free(NULL));
	assert_null(xensplit_keeper_get(keeper, 0));
}

/* A guest may not follow the others. */
static void not_a_privileged_domain(void **state)
{
	XENSPLIT_OPTS(xensplit_opts, opts);
	struct xensplit_ctx *guest;
	char path[256], *usual;

	(void)state;
	opts.xs = as_domain(5);
	guest = new_ctx(&opts);
	snprintf(path, sizeof(path), "%s/dom5.sock", getenv("XENSPLIT_SANDBOX"));
	usual = strdup(getenv("XENSTORED_PATH"));
	setenv("XENSTORED_PATH", path, 1);
	assert_int_equal(xensplit_keeper_new(guest, NULL, &keeper), -EACCES);
	setenv("XENSTORED_PATH", usual, 1);
	free(usual);
	assert_contains(xensplit_errmsg(guest), "privileged");
	xensplit_free(guest);
}

/* --- killed, and counted: this program again, as a process of its own --- */

#define DOMAINS	     200
#define COUNTED	     40 /* of them */
#define DEVICES	     4	/* of each */
#define FIRST_DOMAIN 100

/* Runs this program as a child through the sandbox's proxy; returns its exit status. */
static int child(const char *proxy_options, const char *mode)
{
	char command[1024], self[512];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int status;

	assert_true(len > 0);
	self[len] = '\0';
	snprintf(command, sizeof(command), "\"$SANDBOX\" proxy %s -- '%s' %s >&2",
		 proxy_options, self, mode);
	status = system(command);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int child_until_settled(void)
{
	const struct xensplit_keeper_event *event;
	uint64_t deadline = now_ms() + 300000;

	do {
		struct pollfd fd = { xensplit_keeper_get_fd(keeper),
				     (short)xensplit_keeper_get_events(keeper), 0 };
		uint64_t until = xensplit_keeper_get_timeout(keeper) / 1000;
		uint64_t now = now_ms();

		poll(&fd, 1, until > now ? (int)(until - now) + 1 : 0);
		if (xensplit_keeper_process(keeper) || now_ms() > deadline) {
			fprintf(stderr, "%s\n", xensplit_errmsg(ctx));
			return 1;
		}
		while (xensplit_keeper_next(keeper, &event) > 0)
			take_event(event);
	} while (!xensplit_keeper_is_settled(keeper));
	return 0;
}

/* Two devices of domain 5. */
static void child_want_two(void)
{
	struct xensplit_wanted fixed = wanted_of("mydevice", 0);
	struct xensplit_wanted picked = wanted_of("mydevice", XENSPLIT_DEVID_AUTO);
	const struct xensplit_wanted *list[] = { &fixed, &picked };

	if (xensplit_keeper_set(keeper, "g5", list, 2))
		exit(1);
}

static void want_many(unsigned int domains)
{
	struct xensplit_wanted wanted[DEVICES];
	const struct xensplit_wanted *list[DEVICES];
	unsigned int i;
	char name[32];

	for (i = 0; i < DEVICES; i++) {
		wanted[i] = wanted_of("mydevice", i);
		wanted[i].flags = XENSPLIT_WANTED_NO_WAIT;
		list[i] = &wanted[i];
	}
	for (i = 0; i < domains; i++) {
		snprintf(name, sizeof(name), "many%u", FIRST_DOMAIN + i);
		if (xensplit_keeper_set(keeper, name, list, DEVICES))
			exit(1);
	}
}

/* The same attaches as want_many(), 32 in each commit. */
static int child_batches(void)
{
	struct xensplit_batch *batch = NULL;
	unsigned int i, r = 0;

	for (i = 0; !r && i < COUNTED * DEVICES; i++) {
		struct xensplit_attach_opts opts =
			device_opts(FIRST_DOMAIN + i / DEVICES, "mydevice", i % DEVICES);

		if (i % 32 == 0 && xensplit_batch_new(ctx, &batch))
			return 1;
		if (xensplit_batch_attach(batch, &opts) < 0)
			return 1;
		if (i % 32 == 31) {
			r = xensplit_batch_commit(batch) != 0;
			batch = xensplit_batch_free(batch);
		}
	}
	return r;
}

static int child_main(const char *mode)
{
	XENSPLIT_OPTS(xensplit_keeper_opts, opts);
	int r;

	if (xensplit_new(NULL, &ctx))
		return 1;
	if (!strcmp(mode, "batches"))
		return child_batches();
	opts.connect_ms = 20000;
	if (xensplit_keeper_new(ctx, &opts, &keeper))
		return 1;
	if (!strcmp(mode, "many"))
		want_many(COUNTED);
	else
		child_want_two();
	r = child_until_settled();
	if (getenv("KEEPER_EVENTS"))
		fputs(events, stderr);
	xensplit_keeper_free(keeper);
	xensplit_free(ctx);
	return r;
}

#define POINTS_MAX 2000
#define KILLED	   137

/* KILL_STEP=1 tries each request. */
static unsigned int kill_step(void)
{
	const char *text = getenv("KILL_STEP");

	return text ? (unsigned int)atoi(text) : 7;
}

static void assert_two_devices(unsigned int at)
{
	struct xensplit_list *list;
	const struct xensplit_device *device;
	size_t i;

	assert_result(xensplit_list_new(ctx, NULL, 0, &list), 0);
	xensplit_list_foreach (list, i, device) {
		if (device->phase || device->stale || device->frontend_state != 4 ||
		    device->backend_state != 4)
			wrong("killed at %u: %s/%u is %d/%d\n", at, device->id.type,
			      device->id.devid, device->frontend_state,
			      device->backend_state);
	}
	if (i != 2)
		wrong("killed at %u: %zu devices\n%s", at, i, dump());
	xensplit_list_free(list);
}

/* Kills a child at every request, before or after it; a second one converges. */
static void kill_and_converge(const char *mode, void (*prepare)(void))
{
	unsigned int at, points = 0;
	char options[64];

	for (at = 1; at < POINTS_MAX; at += kill_step()) {
		int status;

		prepare();
		snprintf(options, sizeof(options), "--kill-at %u%s", at,
			 at / kill_step() % 2 ? " --after" : "");
		status = child(options, mode);
		if (!status)
			break;
		assert_int_equal(status, KILLED);
		points++;
		if (child("", "two"))
			wrong("killed at %u: the next one fails\n", at);
		assert_two_devices(at);
	}
	print_message("# %s: killed at %u points\n", mode, points);
	assert_true(points * kill_step() > 40);
}

static void remove_all(void)
{
	unsigned int i;
	struct xensplit_id id = mydevice;

	for (i = 0; i < 40; i++) {
		id.devid = i;
		xensplit_detach(ctx, &id, XENSPLIT_DETACH_FORCE, 10000);
	}
}

static void killed_while_it_attaches(void **state)
{
	(void)state;
	drive_both();
	kill_and_converge("two", remove_all);
}

static void leave_half_replaced(void)
{
	remove_all();
	attach_mydevice();
	mark_replaced();
}

static void killed_while_it_renews(void **state)
{
	(void)state;
	drive_both();
	kill_and_converge("two", leave_half_replaced);
}

static void create_many(unsigned int domains)
{
	run("for d in $(seq %u %u); do \"$SANDBOX\" create $d --name many$d || exit; "
	    "done",
	    FIRST_DOMAIN, FIRST_DOMAIN + domains - 1);
}

static void kill_many(unsigned int domains)
{
	run("for d in $(seq %u %u); do \"$SANDBOX\" kill $d || exit; done", FIRST_DOMAIN,
	    FIRST_DOMAIN + domains - 1);
}

static unsigned int requests(const char *mode)
{
	unsigned int total = 0;
	char line[512];
	FILE *file;

	assert_int_equal(child("--count \"$XENSPLIT_SANDBOX/count\"", mode), 0);
	snprintf(line, sizeof(line), "%s/count", getenv("XENSPLIT_SANDBOX"));
	file = fopen(line, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "total %u\n", &total);
	fclose(file);
	return total;
}

/* What a keeper adds to the attaches themselves, for each device. */
static void requests_for_each_device(void **state)
{
	unsigned int kept, batches, count = COUNTED * DEVICES;

	(void)state;
	create_many(COUNTED);
	kept = requests("many");
	kill_many(COUNTED);
	start(0, 0);
	until_settled();
	keeper = xensplit_keeper_free(keeper);
	assert_gone("/xensplit");
	create_many(COUNTED);
	batches = requests("batches");
	kill_many(COUNTED);
	print_message("# requests for each device: %.1f, of which attaches %.1f\n",
		      (double)kept / count, (double)batches / count);
	assert_true(kept > batches && kept - batches < 8 * count);
}

static void many_domains_at_once(void **state)
{
	uint64_t begun;

	(void)state;
	create_many(DOMAINS);
	start(0, 0);
	want_many(DOMAINS);
	begun = now_ms();
	until_settled();
	print_message("# %u domains with %u devices each: %.2f s\n", DOMAINS, DEVICES,
		      (double)(now_ms() - begun) / 1000);
	assert_non_null(xensplit_keeper_get(keeper, DOMAINS * DEVICES - 1));
	assert_null(xensplit_keeper_get(keeper, DOMAINS * DEVICES));
	assert_true(exists("/local/domain/0/backend/mydevice/299/3/state"));
	kill_many(DOMAINS);
	begun = now_ms();
	while (exists("/xensplit"))
		turn(1000);
	print_message("# their end: %.2f s\n", (double)(now_ms() - begun) / 1000);
	until_settled();
	assert_no_device();
	assert_null(xensplit_keeper_get(keeper, 0));
}

/* --- xenstored --- */

static void xenstored_dies(void **state)
{
	uint64_t deadline = now_ms() + 20000;
	int r = 0;

	(void)state;
	start(0, 0);
	want_mydevice("g5");
	until("attached");
	run("\"$SANDBOX\" stop-daemon");
	while (!r && now_ms() < deadline) {
		struct pollfd fd = { xensplit_keeper_get_fd(keeper),
				     (short)xensplit_keeper_get_events(keeper), 0 };

		poll(&fd, 1, 1000);
		r = xensplit_keeper_process(keeper);
	}
	assert_int_equal(r, -ENOTCONN);
	assert_contains(xensplit_errmsg(ctx), "xenstored");
	/* Final. */
	assert_int_equal(xensplit_keeper_process(keeper), -ENOTCONN);
	/* Without the world's teardown, which needs xenstored. */
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		keeper_test(a_domain_that_is_there),
		keeper_test(a_domain_comes_and_goes),
		keeper_test(a_domain_crashes),
		keeper_test(a_domid_is_reused),
		keeper_test(a_domain_starts_again),
		keeper_test(a_domain_is_renamed),
		keeper_test(a_list_changes),
		keeper_test(a_device_that_differs),
		keeper_test(devices_off_the_list),
		keeper_test(an_automatic_id_stays),
		keeper_test(a_backend_by_name_appears_later),
		keeper_test(a_driver_domain_starts_again),
		keeper_test(a_driver_domain_has_died),
		keeper_test(a_driver_domain_dies),
		keeper_test(a_restored_guest),
		keeper_test(a_guest_that_boots_slowly),
		keeper_test(a_frontend_that_never_begins),
		keeper_test(no_drivers),
		keeper_test(a_paused_domain),
		keeper_test(nobody_waits_for_it),
		keeper_test(a_driver_is_loaded_again),
		keeper_test(another_tool_removes_it),
		keeper_test(what_was_there_before),
		keeper_test(left_overs_of_a_former_life),
		keeper_test(an_interrupted_replace),
		keeper_test(a_bad_device_beside_good_ones),
		keeper_test(collisions),
		keeper_test(a_guest_that_connects_and_closes),
		keeper_test(a_name_that_the_guest_may_write),
		keeper_test(wrong_arguments),
		keeper_test(not_a_privileged_domain),
		keeper_test(many_domains_at_once),
		keeper_test(requests_for_each_device),
		keeper_test(killed_while_it_attaches),
		keeper_test(killed_while_it_renews),
		keeper_test(xenstored_dies),
	};

	return argc > 1 ? child_main(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
