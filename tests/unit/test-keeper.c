// SPDX-License-Identifier: GPL-2.0-or-later
/* What a keeper does when the store refuses, or others are at work, on the fake's clock. */
#include <poll.h>

#include "keeper.h"
#include "operations.h"

#define SECOND 1000000ull

static struct xensplit_ctx *ctx;
static struct xensplit_keeper *keeper;
static char said[8192]; /* the events since the last look, as "attached 5 mydevice/0;" */
static struct xensplit_keeper_event latest; /* without what it points to */
static char latest_domain[32][16];	    /* by its domid */

static int begin(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	return 0;
}

static int end(void **state)
{
	(void)state;
	keeper = xensplit_keeper_free(keeper);
	unit_ctx_free(ctx);
	return 0;
}

static void start(uint32_t flags)
{
	XENSPLIT_OPTS(xensplit_keeper_opts, opts);

	opts.flags = flags;
	assert_int_equal(xensplit_keeper_new(ctx, &opts, &keeper), 0);
}

static void say(const struct xensplit_keeper_event *e)
{
	static const char *const names[] = { "?",	 "domain",    "gone",
					     "attached", "connected", "lost",
					     "detached", "reaped",    "failed",
					     "refused" };
	size_t used = strlen(said);

	latest = *e;
	assert_true(e->id.domid < ARRAY_SIZE(latest_domain));
	snprintf(latest_domain[e->id.domid], sizeof(latest_domain[0]), "%s",
		 e->domain ? e->domain : "");
	assert_true(used < sizeof(said) - 200);
	used += (size_t)sprintf(said + used, "%s %u", names[e->type], e->id.domid);
	if (e->id.type && e->id.devid == XENSPLIT_DEVID_AUTO)
		used += (size_t)sprintf(said + used, " %s/auto", e->id.type);
	else if (e->id.type)
		used += (size_t)sprintf(said + used, " %s/%u", e->id.type, e->id.devid);
	if (e->error)
		used += (size_t)sprintf(said + used, " %s", e->error->code);
	strcpy(said + used, ";");
}

/* Waits as a caller does, but not after @end_us. */
static void turn(uint64_t end_us)
{
	struct pollfd fd = { xensplit_keeper_get_fd(keeper), POLLIN, 0 };
	const struct xensplit_keeper_event *event;
	uint64_t until = xensplit_keeper_get_timeout(keeper), now = now_us();

	if (until > end_us)
		until = end_us;
	poll(&fd, 1, until > now ? (int)((until - now) / 1000 + 1) : 0);
	assert_int_equal(xensplit_keeper_process(keeper), 0);
	while (xensplit_keeper_next(keeper, &event) > 0)
		say(event);
}

/* What it tells in that many seconds. */
static const char *pass(unsigned int seconds)
{
	uint64_t end_us = now_us() + seconds * SECOND;

	*said = '\0';
	do
		turn(end_us);
	while (now_us() < end_us || xensplit_keeper_get_timeout(keeper) <= now_us());
	return said;
}

static void pass_until(const char *what)
{
	uint64_t end_us = now_us() + 7200 * SECOND;

	*said = '\0';
	while (!strstr(said, what)) {
		assert_true(now_us() < end_us);
		turn(UINT64_MAX);
	}
}

static unsigned int told(const char *what)
{
	const char *at = said;
	unsigned int count = 0;

	while ((at = strstr(at, what))) {
		at += strlen(what);
		count++;
	}
	return count;
}

static struct xensplit_wanted wanted_of(const char *type, uint32_t devid)
{
	XENSPLIT_OPTS(xensplit_wanted, wanted);

	wanted.type = type;
	wanted.devid = devid;
	return wanted;
}

static void want(const char *domain, const struct xensplit_wanted *wanted, size_t count)
{
	const struct xensplit_wanted *list[80];
	size_t i;

	assert_true(count <= ARRAY_SIZE(list));
	for (i = 0; i < count; i++)
		list[i] = &wanted[i];
	assert_int_equal(xensplit_keeper_set(keeper, domain, list, count), 0);
}

static void want_mydevice(const char *domain)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);

	want(domain, &wanted, 1);
}

static void remove_node(const char *path)
{
	assert_true(xs_rm(ctx->xs, XBT_NULL, path));
}

static void fail_with(const char *call, int err)
{
	fake.fail_call = call;
	fake.fail_errno = err;
}

static void refuse(const char *call)
{
	fail_with(call, EACCES);
}

static void states(const char *frontend, const char *backend)
{
	set(FE "/state", frontend);
	set(BE "/state", backend);
}

static void connect_mydevice(void)
{
	want_mydevice("g5");
	pass(1);
	states("4", "4");
	assert_string_equal(pass(1), "connected 5 mydevice/0;");
}

/* Another process makes the device again, with that value of a key. */
static void replace_mydevice(const char *value)
{
	struct xensplit_pair pair = { "key", value };
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	opts.domid = 5;
	opts.backend_domid = 0;
	opts.type = "mydevice";
	opts.devid = 0;
	opts.front = &pair;
	opts.front_count = 1;
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

static void end_domain(uint32_t domid)
{
	char home[64];

	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	remove_node(home);
	fake_announce("@releaseDomain");
}

/* --- the caller --- */

static void options_that_are_refused(void **state)
{
	struct {
		struct xensplit_keeper_opts opts;
		uint64_t later;
	} newer = { .later = 1 };

	(void)state;
	newer.opts.sz = sizeof(newer.opts);
	newer.opts.flags = 1u << 7;
	assert_int_equal(xensplit_keeper_new(ctx, &newer.opts, &keeper), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "0x80");
	newer.opts.flags = 0;
	newer.opts.sz = sizeof(newer);
	assert_int_equal(xensplit_keeper_new(ctx, &newer.opts, &keeper), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "newer version");
}

static void a_time_to_connect_of_its_own(void **state)
{
	XENSPLIT_OPTS(xensplit_keeper_opts, opts);

	(void)state;
	opts.connect_ms = 3000;
	assert_int_equal(xensplit_keeper_new(ctx, &opts, &keeper), 0);
	want_mydevice("g5");
	assert_string_equal(pass(2), "domain 5;attached 5 mydevice/0;");
	pass(2);
	assert_true(told("failed 5 mydevice/0 not-connected;"));
}

static void nothing_is_known_at_first(void **state)
{
	(void)state;
	start(0);
	assert_null(xensplit_keeper_get(keeper, 0));
}

/* Then nothing is begun, so that there is a limit to what waits for it. */
static void a_caller_that_does_not_take_the_events(void **state)
{
	struct xensplit_wanted wanted = wanted_of("other", XENSPLIT_DEVID_AUTO);
	const struct xensplit_wanted *list[4096];
	const struct xensplit_keeper_event *event;
	size_t i;

	(void)state;
	start(0);
	pass(1);
	wanted.backend = "missing";
	for (i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = &wanted;
	assert_int_equal(xensplit_keeper_set(keeper, "g5", list, ARRAY_SIZE(list)), 0);
	assert_int_equal(xensplit_keeper_process(keeper), 0);
	assert_true(keeper->events.count > ARRAY_SIZE(list));
	want_mydevice("g6");
	assert_int_equal(xensplit_keeper_process(keeper), 0);
	assert_false(there("/xensplit/6/mydevice/0"));
	/* One more is enough. */
	for (i = 0; i < 2; i++)
		assert_int_equal(xensplit_keeper_next(keeper, &event), 1);
	assert_int_equal(xensplit_keeper_get_timeout(keeper), 0);
	assert_int_equal(xensplit_keeper_process(keeper), 0);
	assert_true(there("/xensplit/6/mydevice/0"));
}

/* What happened in between is not known: it stays dead. */
static void an_xenstored_that_does_not_answer(void **state)
{
	(void)state;
	start(0);
	pass(1);
	fail_with("transaction-start", EPIPE);
	want_mydevice("g5");
	assert_int_equal(xensplit_keeper_process(keeper), -ENOTCONN);
	assert_int_equal(xensplit_keeper_get_timeout(keeper), 0);
	fake_calm();
	assert_int_equal(xensplit_keeper_process(keeper), -ENOTCONN);
	assert_false(there(REC));
}

static void an_xenstored_that_is_gone_when_nothing_is_due(void **state)
{
	(void)state;
	start(0);
	pass(1);
	fail_with("", EPIPE);
	poll(NULL, 0, 10000);
	assert_int_equal(xensplit_keeper_process(keeper), -ENOTCONN);
	assert_int_equal(xensplit_keeper_get_timeout(keeper), 0);
}

/* --- what domains leave --- */

static void what_is_left_is_removed_later(void **state)
{
	unsigned int i;

	(void)state;
	start(0);
	connect_mydevice();
	refuse("rm " BE);
	end_domain(5);
	assert_string_equal(pass(0), "gone 5;failed 5 mydevice/0 no-permission;");
	/* After 2 s, then 4, 8, 16, 32, and each minute. */
	pass(290);
	assert_in_range(told("failed 5 mydevice/0 no-permission;"), 6, 12);
	assert_true(there(REC) && there(BE));
	assert_true(xensplit_keeper_is_settled(keeper));
	for (i = 0; i < 100 * 20; i++) {
		turn(now_us() + SECOND / 20);
		assert_in_range(xensplit_keeper_get_timeout(keeper), 0,
				keeper->graves->due_us);
	}
	fake_calm();
	assert_string_equal(pass(70), "reaped 5 mydevice/0;");
	assert_int_equal(latest.backend_domid, 0);
	assert_string_equal(latest_domain[5], "g5");
	assert_false(there("/xensplit/5") || there(BE));
	assert_string_equal(pass(70), "");
}

static void records_that_can_not_be_listed(void **state)
{
	(void)state;
	start(0);
	connect_mydevice();
	refuse("list /xensplit/5");
	end_domain(5);
	assert_string_equal(pass(20), "gone 5;");
	assert_true(there(REC) && there(BE));
	/* Another one is not held up by it. */
	refuse("list /xensplit/5/");
	end_domain(6);
	assert_string_equal(pass(1), "");
	fake_calm();
	assert_string_equal(pass(70), "reaped 5 mydevice/0;");
	assert_false(there("/xensplit/5"));
}

/* It has ended once more: there is new hope. */
static void a_domid_that_ends_twice(void **state)
{
	(void)state;
	start(0);
	connect_mydevice();
	refuse("list /xensplit");
	end_domain(5);
	end_domain(6);
	pass(100);
	assert_true(there(REC));
	set("/local/domain/5/name", "next");
	fake_announce("@introduceDomain");
	pass(1);
	end_domain(5);
	pass(1);
	fake_calm();
	assert_string_equal(pass(5), "reaped 5 mydevice/0;");
}

/* Its devices are not what the former domain left. */
static void a_domid_that_another_domain_has_now(void **state)
{
	(void)state;
	start(0);
	connect_mydevice();
	refuse("rm " BE);
	end_domain(5);
	pass(0);
	assert_non_null(keeper->graves);
	set("/local/domain/5/name", "g5");
	fake_announce("@introduceDomain");
	fake_calm();
	pass(1);
	assert_true(there(REC) && there(FE) && there(BE));
	pass(60);
	assert_null(keeper->graves);
	assert_true(there(REC) && there(FE) && there(BE));
}

static void two_domains_that_end_at_once(void **state)
{
	(void)state;
	start(0);
	want_mydevice("g5");
	want_mydevice("g6");
	pass(1);
	end_domain(5);
	end_domain(6);
	pass(1);
	assert_int_equal(told("reaped"), 2);
	assert_string_equal(latest_domain[5], "g5");
	assert_string_equal(latest_domain[6], "g6");
}

static void many_domains_that_end_at_once(void **state)
{
	char path[64];
	unsigned int i;

	(void)state;
	for (i = 7; i < 27; i++) {
		sprintf(path, "/local/domain/%u/name", i);
		set(path, "victim");
	}
	start(0);
	want_mydevice("victim");
	pass(1);
	assert_int_equal(told("attached"), 20);
	for (i = 7; i < 27; i++)
		end_domain(i);
	pass(1);
	assert_int_equal(told("reaped"), 20);
	assert_null(keeper->graves);
}

/* Nobody was there to see its end, and later something of it appears again. */
static void what_is_found_later(void **state)
{
	char record[2048];

	(void)state;
	connected(ctx);
	snprintf(record, sizeof(record), "%s", fake_value(REC, NULL));
	remove_node("/local/domain/5");
	start(0);
	assert_string_equal(pass(1), "reaped 5 mydevice/0;");
	set(REC, record);
	assert_string_equal(pass(130), "reaped 5 mydevice/0;");
	assert_false(there(REC));
}

/* The cursor that picks ids is of no interest, unless it can't be removed. */
static void a_cursor_is_removed_without_a_word(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", XENSPLIT_DEVID_AUTO);

	(void)state;
	start(0);
	want("g5", &wanted, 1);
	pass(1);
	remove_node(REC);
	remove_node(BE);
	refuse("rm /xensplit/5");
	end_domain(5);
	assert_string_equal(pass(0), "gone 5;failed 5 no-permission;");
	assert_true(there("/xensplit/5/mydevice/next-devid"));
	fake_calm();
	assert_string_equal(pass(5), "");
	assert_false(there("/xensplit/5"));
}

/* xenstored has dropped the domain, and nobody has said so. */
static void a_domain_that_dies_in_silence(void **state)
{
	struct xensplit_wanted wanted[] = { wanted_of("mydevice", 0),
					    wanted_of("other", 0) };

	(void)state;
	start(0);
	connect_mydevice();
	fake.dead_domid = 5;
	want("g5", wanted, 2);
	assert_string_equal(pass(1), "gone 5;reaped 5 mydevice/0;");
	assert_false(there(REC) || there(BE));
	/* Another one has its domid. */
	fake.dead_domid = 0;
	set("/local/domain/5/name", "g5");
	assert_string_equal(pass(1),
			    "domain 5;attached 5 mydevice/0;attached 5 other/0;");
}

/* No domain goes; that one has ended is all that is known. */
static void dead_domains_that_are_looked_for(void **state)
{
	(void)state;
	start(0);
	want_mydevice("g5");
	want_mydevice("g6");
	pass(1);
	fake.dead_domid = 5;
	fake_announce("@releaseDomain");
	assert_string_equal(pass(3), "gone 5;reaped 5 mydevice/0;");
	/* And once more. */
	fake.dead_domid = 6;
	fake_announce("@releaseDomain");
	assert_string_equal(pass(3), "gone 6;reaped 6 mydevice/0;");
}

/* It is on no list. */
static void a_device_of_a_backend_that_has_ended(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	(void)state;
	opts.domid = 5;
	opts.backend_domid = 6;
	opts.type = "mydevice";
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	start(0);
	assert_string_equal(pass(3), "");
	end_domain(6);
	assert_string_equal(pass(1), "reaped 5 mydevice/0;");
}

static void a_device_of_a_former_domain(void **state)
{
	(void)state;
	of_a_former_domain(ctx);
	start(0);
	assert_string_equal(pass(1), "reaped 5 mydevice/0;");
	assert_string_equal(latest_domain[5], "g5");
	assert_false(there(REC) || there(BE));
}

/* The failure does not end the search. */
static void a_device_that_may_be_stale(void **state)
{
	(void)state;
	of_a_former_domain(ctx);
	refuse("read /local/domain/5/xensplit");
	start(0);
	assert_string_equal(pass(1), "failed 5 no-permission;");
	assert_true(there(REC));
	fake_calm();
	assert_string_equal(pass(5), "reaped 5 mydevice/0;");
}

static void a_backend_whose_domain_has_ended(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);

	(void)state;
	set("/local/domain/7/name", "driver");
	start(0);
	wanted.backend = "driver";
	want("g5", &wanted, 1);
	assert_string_equal(pass(1), "domain 5;attached 5 mydevice/0;");
	end_domain(7);
	pass(3);
	assert_int_equal(told("refused 5 mydevice/0 no-such-domain;"), 1);
	assert_int_equal(told("reaped 5 mydevice/0;"), 1);
	assert_false(there(REC) || there(FE));
}

static unsigned int reads;

/* After the monitor has seen it. */
static void damage_record(const char *call, const char *path)
{
	if (!strcmp(call, "read") && !strcmp(path, REC) && ++reads == 2)
		set(REC, "damaged");
}

static void a_record_that_is_damaged_meanwhile(void **state)
{
	(void)state;
	connected(ctx);
	reads = 0;
	fake.before = damage_record;
	start(0);
	assert_string_equal(pass(1), "");
	assert_true(reads > 1);
	assert_true(there(REC) && there(FE) && there(BE));
}

static void a_silent_death_that_leaves_something(void **state)
{
	struct xensplit_wanted wanted[] = { wanted_of("mydevice", 0),
					    wanted_of("other", 0) };

	(void)state;
	start(0);
	connect_mydevice();
	refuse("rm " BE);
	fake.dead_domid = 5;
	want("g5", wanted, 2);
	assert_string_equal(pass(0), "gone 5;failed 5 mydevice/0 no-permission;");
	fake.fail_call = NULL;
	assert_string_equal(pass(5), "reaped 5 mydevice/0;");
	assert_false(there(REC) || there(BE));
}

/* --- what is written --- */

static void a_device_that_always_collides(void **state)
{
	(void)state;
	start(0);
	pass(1);
	fake.conflicts = UINT32_MAX;
	want_mydevice("g5");
	pass_until("failed 5 mydevice/0 busy;");
	assert_int_equal(fake.tries, STORE_TRIES);
	/* Then it has as many tries again. */
	fake.conflicts = STORE_TRIES - 1;
	pass_until("ed 5 mydevice/0");
	assert_string_equal(said, "attached 5 mydevice/0;");
	/* And the next one begins with pauses as short as at first. */
	pass(1);
	fake.tries = 0;
	fake.conflicts = UINT32_MAX;
	want_mydevice("g6");
	while (!fake.tries)
		turn(UINT64_MAX);
	assert_int_equal(keeper->collisions, fake.tries);
	fake.conflicts = 0;
	assert_string_equal(pass(5), "attached 6 mydevice/0;");
}

static void two_devices_that_always_collide(void **state)
{
	struct xensplit_wanted wanted[] = { wanted_of("mydevice", 0),
					    wanted_of("other", 0) };

	(void)state;
	start(0);
	pass(1);
	fake.conflicts = UINT32_MAX;
	want("g5", wanted, 2);
	pass(100);
	assert_true(told("failed 5 mydevice/0 busy;"));
	assert_true(told("failed 5 other/0 busy;"));
}

/* After a collision one at a time, but not for ever. */
static void many_devices_after_a_collision(void **state)
{
	struct xensplit_wanted wanted[63];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		wanted[i] = wanted_of("mydevice", i);
	start(0);
	pass(1);
	fake.conflicts = 6;
	want("g5", wanted, ARRAY_SIZE(wanted));
	while (fake.conflicts)
		turn(UINT64_MAX);
	fake_calm();
	pass(5);
	assert_true(there("/xensplit/5/mydevice/62"));
	/* 1, 2, 4, 8, 16, 32 */
	assert_in_range(fake.tries, 1, 8);
}

static void a_device_that_can_not_be_written(void **state)
{
	struct xensplit_wanted wanted[] = { wanted_of("mydevice", 0),
					    wanted_of("other", 0) };

	(void)state;
	start(0);
	pass(1);
	refuse("write /xensplit/5/other/0");
	want("g5", wanted, 2);
	assert_string_equal(
		pass(0),
		"domain 5;failed 5 other/0 no-permission;attached 5 mydevice/0;");
}

/* With many in a commit it is not known which one the store refused. */
static void a_commit_of_two_that_fails(void **state)
{
	struct xensplit_wanted wanted[] = { wanted_of("mydevice", 0),
					    wanted_of("other", 0) };

	(void)state;
	start(0);
	pass(1);
	refuse("commit");
	want("g5", wanted, 2);
	assert_string_equal(pass(0), "domain 5;failed 5 mydevice/0 no-permission;"
				     "failed 5 other/0 no-permission;");
	assert_int_equal(fake.tries, 3);
	fake_calm();
	pass(3);
	assert_int_equal(told("attached 5 mydevice/0;"), 1);
	assert_int_equal(told("attached 5 other/0;"), 1);
}

/* While a device is to be written, its domain is planned again. */
static void a_list_that_grows_while_a_commit_waits(void **state)
{
	struct xensplit_wanted wanted[] = { wanted_of("mydevice", 0),
					    wanted_of("other", 0) };
	const struct xensplit_keeper_event *event;

	(void)state;
	start(0);
	assert_string_equal(pass(1), "");
	fake.conflicts = 2;
	want("g5", wanted, 1);
	assert_int_equal(xensplit_keeper_process(keeper), 0);
	assert_int_equal(fake.conflicts, 1);
	assert_false(there(REC));
	while (xensplit_keeper_next(keeper, &event) > 0)
		say(event);
	assert_in_range(xensplit_keeper_get_timeout(keeper), 0, keeper->staged_us);
	want("g5", wanted, 2);
	assert_string_equal(said, "domain 5;");
	assert_string_equal(pass(5), "attached 5 mydevice/0;attached 5 other/0;");
}

static void a_domain_that_dies_while_its_device_waits(void **state)
{
	(void)state;
	start(0);
	pass(1);
	fake.conflicts = 1;
	want_mydevice("g5");
	assert_int_equal(xensplit_keeper_process(keeper), 0);
	assert_int_equal(fake.conflicts, 0);
	fake.dead_domid = 5;
	assert_string_equal(pass(5), "domain 5;gone 5;");
	assert_false(there(REC) || there(BE));
}

/* Another process was faster: then with another id. */
static void an_id_that_another_process_took(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", XENSPLIT_DEVID_AUTO);

	(void)state;
	start(0);
	want("g5", &wanted, 1);
	assert_string_equal(pass(1), "domain 5;attached 5 mydevice/0;");
	remove_node(REC);
	remove_node(FE);
	remove_node(BE);
	set(FE "/of-another-tool", "1");
	assert_string_equal(pass(9), "failed 5 mydevice/auto foreign;"
				     "attached 5 mydevice/1;");
	assert_true(there("/xensplit/5/mydevice/1"));
	assert_string_equal(fake_value(FE "/of-another-tool", NULL), "1");
}

/* It was removed before the monitor has seen it. */
static void a_device_that_is_gone_at_once(void **state)
{
	(void)state;
	start(0);
	pass(1);
	want_mydevice("g5");
	turn(0);
	assert_true(there(REC));
	remove_node(REC);
	remove_node(FE);
	remove_node(BE);
	/* After ten seconds it is lost, and two more are for it to come back. */
	assert_string_equal(pass(11), "");
	assert_string_equal(pass(9), "attached 5 mydevice/0;");
	assert_true(there(REC) && there(FE) && there(BE));
}

/* What changes beside it does not make it try more often. */
static void a_pause_stays_when_the_list_grows(void **state)
{
	struct xensplit_wanted wanted[] = { wanted_of("mydevice", 0),
					    wanted_of("other", 0) };
	static const struct xensplit_pair pair = { "key", "value" };
	unsigned int i;

	(void)state;
	start(XENSPLIT_PLAN_REPLACE);
	connect_mydevice();
	wanted[0].front = &pair;
	wanted[0].front_count = 1;
	refuse("write " REC);
	want("g5", wanted, 1);
	for (i = 0; i < 5; i++)
		pass_until("failed 5 mydevice/0 no-permission;");
	want("g5", wanted, 2);
	assert_string_equal(pass(1), "attached 5 other/0;");
	fake_calm();
	pass_until("attached 5 mydevice/0;");
	assert_string_equal(fake_value(FE "/key", NULL), "value");
}

/* No watch fires when the name is there again. */
static void each_domain_is_looked_at_now_and_then(void **state)
{
	(void)state;
	start(0);
	connect_mydevice();
	fail_with("read /local/domain/5/name", ENOENT);
	set("/local/domain/5/name", "g5");
	assert_string_equal(pass(1), "gone 5;");
	fake_calm();
	assert_string_equal(pass(30), "");
	assert_string_equal(pass(60), "domain 5;connected 5 mydevice/0;");
}

/* --- many domains --- */

static void make_domains(uint32_t count)
{
	char path[64];
	uint32_t i;

	for (i = 0; i < count; i++) {
		sprintf(path, "/local/domain/%u/name", 100 + i);
		set(path, "another");
	}
}

/* So many that there is no room for one more. */
static void domains_that_fill_the_schedule(void **state)
{
	(void)state;
	make_domains(61);
	start(0);
	pass(1);
	assert_int_equal(keeper->count, 64);
	assert_int_equal(keeper->scheduled, 64);
	want_mydevice("g5");
	assert_string_equal(pass(1), "domain 5;attached 5 mydevice/0;");
}

/* It was one of too many to read all of their names. */
static void a_domain_that_goes_before_its_name_was_read(void **state)
{
	(void)state;
	make_domains(300);
	start(0);
	assert_int_equal(xensplit_keeper_process(keeper), 0);
	assert_int_equal(keeper->fresh, 303);
	remove_node("/local/domain/399");
	poll(NULL, 0, 61000);
	assert_int_equal(xensplit_keeper_process(keeper), 0);
	assert_true(keeper->fresh);
	assert_int_equal(keeper->count, 302);
	want_mydevice("g5");
	assert_string_equal(pass(1), "domain 5;attached 5 mydevice/0;");
}

static void domains_of_the_same_name(void **state)
{
	(void)state;
	set("/local/domain/7/name", "g6");
	start(0);
	pass(1);
	want_mydevice("g6");
	pass(1);
	assert_int_equal(told("attached 6 mydevice/0;"), 1);
	assert_int_equal(told("attached 7 mydevice/0;"), 1);
}

/* --- what is tried again --- */

static void a_name_that_can_not_be_read(void **state)
{
	(void)state;
	start(0);
	connect_mydevice();
	refuse("read /local/domain/5/name");
	set("/local/domain/5/name", "g5");
	assert_string_equal(pass(1), "failed 5 no-permission;");
	assert_in_range(latest.retry_us, SECOND, 2 * SECOND);
	assert_int_equal(latest.entry, -1);
	assert_false(xensplit_keeper_is_settled(keeper));
	pass(30);
	assert_in_range(told("failed 5 no-permission;"), 2, 6);
	fake_calm();
	assert_string_equal(pass(30), "");
	assert_true(xensplit_keeper_is_settled(keeper));
}

static void a_domain_whose_owner_can_not_be_read(void **state)
{
	(void)state;
	refuse("get-permissions /local/domain/5/name");
	start(0);
	want_mydevice("g5");
	assert_string_equal(pass(1), "failed 5 no-permission;");
	assert_false(xensplit_keeper_is_settled(keeper));
	fake_calm();
	assert_string_equal(pass(5), "domain 5;attached 5 mydevice/0;");
}

static void domains_that_can_not_be_listed(void **state)
{
	(void)state;
	refuse("list /local/domain");
	start(0);
	want_mydevice("g5");
	assert_string_equal(pass(1), "");
	assert_false(xensplit_keeper_is_settled(keeper));
	fake_calm();
	assert_string_equal(pass(5), "domain 5;attached 5 mydevice/0;");
}

/* It fails once, for all of its devices; each of them has the error until then. */
static void a_domain_that_can_not_be_planned(void **state)
{
	const struct xensplit_kept *kept;

	(void)state;
	start(0);
	refuse("list /xensplit/5");
	want_mydevice("g5");
	assert_string_equal(pass(1), "domain 5;failed 5 no-permission;");
	assert_false(xensplit_keeper_is_settled(keeper));
	kept = xensplit_keeper_get(keeper, 0);
	assert_int_equal(kept->failures, 1);
	assert_string_equal(kept->error->code, "no-permission");
	fake_calm();
	assert_string_equal(pass(5), "attached 5 mydevice/0;");
	kept = xensplit_keeper_get(keeper, 0);
	assert_int_equal(kept->failures, 0);
	assert_null(kept->error);
}

static void a_connected_device_of_a_domain_that_can_not_be_planned(void **state)
{
	struct xensplit_wanted wanted[] = { wanted_of("mydevice", 0),
					    wanted_of("other", 0) };

	(void)state;
	start(0);
	connect_mydevice();
	assert_non_null(xensplit_keeper_get(keeper, 0));
	assert_null(xensplit_keeper_get(keeper, 1));
	refuse("list /xensplit/5");
	want("g5", wanted, 2);
	assert_string_equal(pass(0), "failed 5 no-permission;");
	assert_int_equal(xensplit_keeper_get(keeper, 0)->failures, 0);
	assert_null(xensplit_keeper_get(keeper, 0)->error);
	assert_int_equal(xensplit_keeper_get(keeper, 1)->failures, 1);
	assert_non_null(xensplit_keeper_get(keeper, 1)->error);
}

/* Once its domain is planned, the error is that of the device. */
static void an_error_that_is_over(void **state)
{
	const struct xensplit_kept *kept;

	(void)state;
	start(0);
	refuse("list /xensplit/5");
	want_mydevice("g5");
	pass(0);
	kept = xensplit_keeper_get(keeper, 0);
	assert_int_equal(kept->frontend_state, XENSPLIT_STATE_ABSENT);
	assert_int_equal(kept->backend_state, XENSPLIT_STATE_ABSENT);
	assert_non_null(kept->error);
	fake_calm();
	fail_with("set-permissions " FE, ENOENT);
	while (!fake.failed)
		turn(UINT64_MAX);
	kept = xensplit_keeper_get(keeper, 0);
	assert_null(kept->error);
	assert_int_equal(kept->failures, 1);
}

/* It has all that it waits for. */
static void a_failure_of_a_device_that_nobody_waits_for(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);
	const struct xensplit_kept *kept;

	(void)state;
	start(0);
	wanted.flags = XENSPLIT_WANTED_NO_WAIT;
	refuse("write " REC);
	want("g5", &wanted, 1);
	assert_string_equal(pass(0), "domain 5;failed 5 mydevice/0 no-permission;");
	assert_int_equal(xensplit_keeper_get(keeper, 0)->failures, 1);
	fake_calm();
	assert_string_equal(pass(3), "attached 5 mydevice/0;");
	kept = xensplit_keeper_get(keeper, 0);
	assert_int_equal(kept->failures, 0);
	assert_null(kept->error);
	assert_true(xensplit_keeper_is_settled(keeper));
	/* Until there is something to do. */
	want("g6", NULL, 0);
	assert_false(xensplit_keeper_is_settled(keeper));
	assert_int_equal(xensplit_keeper_process(keeper), 0);
	assert_false(keeper->busy);
	assert_int_equal(xensplit_keeper_get_timeout(keeper), 0);
	assert_string_equal(pass(0), "domain 6;");
	assert_true(xensplit_keeper_is_settled(keeper));
}

static void a_device_that_can_not_be_pruned(void **state)
{
	(void)state;
	start(XENSPLIT_PLAN_PRUNE);
	want_mydevice("g5");
	pass(1);
	refuse("list /xensplit/5");
	want("g5", NULL, 0);
	assert_string_equal(pass(1), "failed 5 no-permission;");
	assert_false(xensplit_keeper_is_settled(keeper));
	refuse("rm " BE);
	pass_until("failed 5 mydevice/0 no-permission;");
	assert_false(xensplit_keeper_is_settled(keeper));
	fake_calm();
	assert_string_equal(pass(3), "detached 5 mydevice/0;");
	assert_true(xensplit_keeper_is_settled(keeper));
}

/* Most likely the domain is about to go: there is nothing to tell, and not the end either. */
static void a_failure_that_is_not_told(void **state)
{
	(void)state;
	start(0);
	pass(1);
	fail_with("set-permissions " FE, ENOENT);
	want_mydevice("g5");
	assert_string_equal(pass(0), "domain 5;");
	assert_false(there(REC));
	assert_false(xensplit_keeper_is_settled(keeper));
	/* But the domain stays. */
	pass_until("failed 5 mydevice/0 no-such-domain;");
	fake_calm();
	pass_until("attached 5 mydevice/0;");
}

/* A guest that may write its name can add a NUL: it does not get the devices of "g5". */
static void names_that_are_not_the_same(void **state)
{
	(void)state;
	start(0);
	fake_set("/local/domain/5/name", "g5\0x", 4);
	want_mydevice("g5");
	assert_string_equal(pass(2), "");
	set("/local/domain/5/name", "");
	assert_string_equal(pass(2), "");
	assert_false(there(REC));
	set("/local/domain/5/name", "g5");
	assert_string_equal(pass(2), "domain 5;attached 5 mydevice/0;");
}

/* --- lists --- */

static void a_backend_that_is_a_domid(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);

	(void)state;
	start(0);
	wanted.backend = "06";
	want("g5", &wanted, 1);
	assert_string_equal(pass(1), "domain 5;attached 5 mydevice/0;");
	assert_true(there("/local/domain/6/backend/mydevice/5/0"));
	/* The same list: nothing is asked. */
	pass(3);
	fake.requests = 0;
	wanted.backend = "6";
	want("g5", &wanted, 1);
	assert_int_equal(xensplit_keeper_process(keeper), 0);
	assert_int_equal(fake.requests, 0);
}

static void a_backend_name_of_two_domains(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);

	(void)state;
	set("/local/domain/7/name", "g6");
	start(0);
	wanted.backend = "g6";
	want("g5", &wanted, 1);
	assert_string_equal(pass(1), "domain 5;refused 5 mydevice/0 ambiguous-domain;");
	end_domain(7);
	assert_string_equal(pass(1), "attached 5 mydevice/0;");
	assert_true(there("/local/domain/6/backend/mydevice/5/0"));
}

static void a_backend_that_appears_after_a_change_of_the_list(void **state)
{
	struct xensplit_wanted wanted[] = { wanted_of("mydevice", 0),
					    wanted_of("other", 0),
					    wanted_of("third", 0) };
	size_t i;

	(void)state;
	start(0);
	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		wanted[i].backend = "driver\n";
	want("another", wanted, 3);
	want("g5", wanted, 3);
	assert_int_equal(xensplit_keeper_unset(keeper, "another"), 0);
	pass(1);
	assert_int_equal(told("refused"), 3);
	assert_contains(xensplit_keeper_get(keeper, 0)->error->message, "'driver\\x0a'");
	wanted[0].devid = 1;
	want("g5", wanted, 3);
	pass(1);
	set("/local/domain/7/name", "driver\n");
	fake_announce("@introduceDomain");
	pass(1);
	assert_int_equal(told("attached 5 mydevice/1;"), 1);
	assert_int_equal(told("attached 5 other/0;"), 1);
	assert_int_equal(told("attached 5 third/0;"), 1);
}

/* Not each time that its domain is planned. */
static void a_refusal_is_told_once(void **state)
{
	static const struct xensplit_pair pair = { "key", "value" };
	struct xensplit_wanted wanted[] = { wanted_of("mydevice", 0),
					    wanted_of("other", 0) };

	(void)state;
	start(0);
	connect_mydevice();
	wanted[0].front = &pair;
	wanted[0].front_count = 1;
	want("g5", wanted, 1);
	assert_string_equal(pass(5), "refused 5 mydevice/0 differs;");
	want("g5", wanted, 2);
	assert_string_equal(pass(2), "attached 5 other/0;");
}

static void a_refusal_for_another_reason(void **state)
{
	static const struct xensplit_pair pair = { "key", "value" };
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);

	(void)state;
	start(0);
	connect_mydevice();
	wanted.front = &pair;
	wanted.front_count = 1;
	want("g5", &wanted, 1);
	assert_string_equal(pass(1), "refused 5 mydevice/0 differs;");
	assert_contains(xensplit_keeper_get(keeper, 0)->error->message, "is missing");
	replace_mydevice("other");
	assert_string_equal(pass(90), "refused 5 mydevice/0 differs;");
	assert_contains(xensplit_keeper_get(keeper, 0)->error->message, "is 'other'");
	/* And for none. */
	replace_mydevice("value");
	states("4", "4");
	assert_string_equal(pass(90), "connected 5 mydevice/0;");
}

static void lists_that_are_compared(void **state)
{
	static const struct xensplit_pair pairs[] = { { "key", "value" },
						      { "key", "other" },
						      { "another", "other" } };
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);
	size_t i;

	(void)state;
	start(XENSPLIT_PLAN_REPLACE);
	wanted.front_count = 1;
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		wanted.front = &pairs[i];
		want("g5", &wanted, 1);
		pass(2);
		assert_int_equal(told("attached 5 mydevice/0;"), 1);
		want("g5", &wanted, 1);
		pass(2);
		assert_int_equal(told("attached"), 0);
	}
	assert_string_equal(fake_value(FE "/another", NULL), "other");
	assert_false(there(FE "/key"));
}

/* The same list is no news; one that differs in anything is planned at once. */
static void what_makes_another_list(void **state)
{
	static const struct xensplit_pair pairs[] = { { "a", "1" }, { "b", "2" } };
	struct xensplit_wanted base = wanted_of("mydevice", 0), others[9];
	size_t i;

	(void)state;
	base.backend = "6";
	base.backend_type = "printer";
	base.front = base.back = pairs;
	base.front_count = base.back_count = 2;
	for (i = 0; i < ARRAY_SIZE(others); i++)
		others[i] = base;
	others[0].type = "other";
	others[1].devid = 1;
	others[2].flags = XENSPLIT_WANTED_RESERVED;
	others[3].backend = NULL;
	others[4].backend_type = NULL;
	others[5].backend_type = "disk";
	others[6].front_count = 1;
	others[7].back_count = 0;
	others[8].back = &pairs[1];
	others[8].back_count = 1;
	start(0);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		want("g5", &base, 1);
		pass(5);
		fake.requests = 0;
		want("g5", &base, 1);
		assert_int_equal(xensplit_keeper_process(keeper), 0);
		assert_int_equal(fake.requests, 0);
		want("g5", &others[i], 1);
		assert_int_equal(xensplit_keeper_process(keeper), 0);
		assert_true(fake.requests > 0);
	}
}

static void lists_that_are_refused(void **state)
{
	struct {
		struct xensplit_wanted wanted;
		uint64_t later;
	} newer = { wanted_of("mydevice", 0), 1 };
	struct xensplit_pair pair = { "key", NULL };
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);
	const struct xensplit_wanted *list = &wanted;

	(void)state;
	start(0);
	wanted.front = &pair;
	wanted.front_count = 1;
	assert_int_equal(xensplit_keeper_set(keeper, "g5", &list, 1), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "a key or its value is missing");
	pair = (struct xensplit_pair){ NULL, "value" };
	assert_int_equal(xensplit_keeper_set(keeper, "g5", &list, 1), -EINVAL);
	newer.wanted.sz = sizeof(newer);
	list = &newer.wanted;
	assert_int_equal(xensplit_keeper_set(keeper, "g5", &list, 1), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "newer version");
	list = NULL;
	assert_int_equal(xensplit_keeper_set(keeper, "g5", &list, 1), -EINVAL);
	wanted = wanted_of(NULL, 0);
	list = &wanted;
	assert_int_equal(xensplit_keeper_set(keeper, "g5", &list, 1), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "type of a wanted device is missing");
	wanted = wanted_of("mydevice", 0);
	assert_int_equal(xensplit_keeper_set(keeper, "", &list, 1), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "name of the domain is empty");
	assert_int_equal(xensplit_keeper_unset(keeper, "g5"), -ENOENT);
	assert_string_equal(pass(1), "");
}

static void an_entry_that_moves(void **state)
{
	struct xensplit_wanted wanted[] = { wanted_of("other", 0),
					    wanted_of("mydevice", 0) };

	(void)state;
	start(0);
	connect_mydevice();
	want("g5", wanted, 2);
	assert_string_equal(pass(1), "attached 5 other/0;");
	assert_int_equal(xensplit_keeper_get(keeper, 1)->entry, 1);
	states("6", "6");
	assert_string_equal(pass(1), "lost 5 mydevice/0;");
	assert_int_equal(latest.entry, 1);
}

/* The device stays, but nobody cares for it. */
static void a_list_that_is_taken_back(void **state)
{
	(void)state;
	start(0);
	connect_mydevice();
	assert_int_equal(xensplit_keeper_unset(keeper, "g5"), 0);
	assert_string_equal(pass(1), "");
	assert_null(xensplit_keeper_get(keeper, 0));
	assert_true(there(REC));
	states("6", "6");
	assert_string_equal(pass(9), "");
}

/* So many that some share a place in the table. */
static void lists_of_many_names(void **state)
{
	char name[32];
	int i;

	(void)state;
	start(0);
	for (i = 0; i < 3000; i++) {
		sprintf(name, "name-%d", i);
		want_mydevice(name);
	}
	for (i = 0; i < 3000; i += 2) {
		sprintf(name, "name-%d", i);
		assert_int_equal(xensplit_keeper_unset(keeper, name), 0);
	}
	for (i = 0; i < 3000; i++) {
		sprintf(name, "name-%d", i);
		assert_int_equal(xensplit_keeper_unset(keeper, name),
				 i % 2 ? 0 : -ENOENT);
	}
}

/* --- devices that are lost --- */

static void unique_id(char id[33])
{
	const char *record = fake_value(REC, NULL);

	assert_non_null(record);
	snprintf(id, 33, "%s", strstr(record, "unique-id=") + 10);
}

static void a_lost_device_is_made_again(void **state)
{
	struct xensplit_wanted wanted = wanted_of("vif", 0);

	(void)state;
	start(0);
	wanted.flags = XENSPLIT_WANTED_RESERVED;
	want("g5", &wanted, 1);
	pass(1);
	set("/local/domain/5/device/vif/0/state", "4");
	set("/local/domain/0/backend/vif/5/0/state", "4");
	pass(1);
	set("/local/domain/5/device/vif/0/state", "6");
	set("/local/domain/0/backend/vif/5/0/state", "6");
	assert_string_equal(pass(9), "lost 5 vif/0;attached 5 vif/0;");
}

/* It connects again: that takes as long as it takes. */
static void a_lost_device_that_comes_back(void **state)
{
	char before[33], after[33];

	(void)state;
	start(0);
	connect_mydevice();
	unique_id(before);
	states("6", "6");
	assert_string_equal(pass(1), "lost 5 mydevice/0;");
	states("3", "2");
	assert_string_equal(pass(8), "");
	unique_id(after);
	assert_string_equal(before, after);
	pass_until("failed 5 mydevice/0 not-connected;");
	states("4", "4");
	assert_string_equal(pass(1), "connected 5 mydevice/0;");
}

/* A guest may do so all the time. */
static void flap(unsigned int times)
{
	*said = '\0';
	while (times--) {
		states("6", "6");
		turn(0);
		states("4", "4");
		turn(0);
	}
}

static void a_device_that_is_lost_all_the_time(void **state)
{
	(void)state;
	start(0);
	connect_mydevice();
	flap(20);
	assert_int_equal(told("lost 5 mydevice/0;"), 5);
	assert_int_equal(told("connected 5 mydevice/0;"), 5);
	assert_int_equal(xensplit_keeper_get(keeper, 0)->connects, 21);
	pass(11);
	flap(3);
	assert_int_equal(told("lost 5 mydevice/0;"), 1);
	assert_int_equal(told("connected 5 mydevice/0;"), 1);
	/* After a long pause it is news again. */
	pass(61);
	flap(20);
	assert_int_equal(told("lost 5 mydevice/0;"), 5);
	assert_int_equal(told("connected 5 mydevice/0;"), 5);
	/* One that lasts makes an event. */
	states("6", "6");
	assert_string_equal(pass(4), "lost 5 mydevice/0;attached 5 mydevice/0;");
}

/* That it was lost before is over. */
static void a_refusal_after_losses(void **state)
{
	static const struct xensplit_pair pair = { "key", "value" };
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);
	char before[2048], after[2048], *value;

	(void)state;
	start(0);
	wanted.front = &pair;
	wanted.front_count = 1;
	want("g5", &wanted, 1);
	pass(1);
	states("4", "4");
	pass(1);
	flap(20);
	snprintf(before, sizeof(before), "%s", fake_value(REC, NULL));
	strcpy(after, before);
	value = strstr(after, "value");
	assert_non_null(value);
	memcpy(value, "other", 5);
	set(REC, after);
	assert_string_equal(pass(90), "refused 5 mydevice/0 differs;");
	set(REC, before);
	assert_string_equal(pass(90), "connected 5 mydevice/0;");
}

/* How long it took from its attach; not when it has come back by itself. */
static void the_time_that_a_connect_took(void **state)
{
	(void)state;
	start(0);
	want_mydevice("g5");
	pass(2);
	states("4", "4");
	assert_string_equal(pass(0), "connected 5 mydevice/0;");
	assert_in_range(latest.took_us, SECOND, 60 * SECOND);
	flap(1);
	assert_string_equal(said, "lost 5 mydevice/0;connected 5 mydevice/0;");
	assert_int_equal(latest.took_us, 0);
}

static void one_end_that_connects(void **state)
{
	(void)state;
	start(0);
	want_mydevice("g5");
	pass(1);
	states("4", "2");
	assert_string_equal(pass(1), "");
	states("3", "4");
	assert_string_equal(pass(1), "");
	states("4", "4");
	assert_string_equal(pass(1), "connected 5 mydevice/0;");
}

static void domain_goes(const char *call, const char *path)
{
	if (strcmp(call, "read") != 0 || strcmp(path, "/local/domain/5/name") != 0)
		return;
	fake.before = NULL;
	end_domain(5);
}

/* Its device goes first: that is no loss. */
static void a_device_that_goes_with_its_domain(void **state)
{
	(void)state;
	start(0);
	connect_mydevice();
	fake.before = domain_goes;
	remove_node(FE);
	assert_string_equal(pass(1), "gone 5;reaped 5 mydevice/0;");
	assert_null(fake.before);
}

/* It is tried again, after pauses that grow, and each failure is an event. */
static void a_driver_that_closes_the_device_each_time(void **state)
{
	uint64_t begun;
	unsigned int i;

	(void)state;
	start(0);
	want_mydevice("g5");
	assert_string_equal(pass(0), "domain 5;attached 5 mydevice/0;");
	for (i = 0; i < 8; i++) {
		begun = now_us();
		states("2", "6");
		if (i == 7)
			assert_string_equal(pass(20), "");
		pass_until("attached 5 mydevice/0;");
		assert_int_equal(told("failed 5 mydevice/0 not-connected;"), 1);
	}
	assert_in_range(now_us() - begun, 30 * SECOND, 600 * SECOND);
	assert_int_equal(xensplit_keeper_get(keeper, 0)->failures, 8);
	states("4", "4");
	assert_string_equal(pass(1), "connected 5 mydevice/0;");
	assert_int_equal(xensplit_keeper_get(keeper, 0)->failures, 0);
	assert_null(xensplit_keeper_get(keeper, 0)->error);
}

static void two_devices_that_connect_at_once(void **state)
{
	struct xensplit_wanted wanted[] = { wanted_of("mydevice", 0),
					    wanted_of("mydevice", 1) };

	(void)state;
	start(0);
	want("g5", wanted, 2);
	pass(1);
	states("4", "4");
	set("/local/domain/5/device/mydevice/1/state", "4");
	set("/local/domain/0/backend/mydevice/5/1/state", "4");
	*said = '\0';
	turn(0);
	assert_string_equal(said, "connected 5 mydevice/0;connected 5 mydevice/1;");
}

static void states_that_can_not_be_read(void **state)
{
	(void)state;
	start(0);
	connect_mydevice();
	refuse("read " BE "/state");
	states("6", "6");
	assert_int_equal(xensplit_keeper_process(keeper), -EACCES);
	fake_calm();
	assert_string_equal(pass(1), "lost 5 mydevice/0;");
}

static void a_driver_that_closes_what_nobody_waits_for(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);

	(void)state;
	start(0);
	wanted.flags = XENSPLIT_WANTED_NO_WAIT;
	want("g5", &wanted, 1);
	pass(1);
	states("2", "6");
	assert_string_equal(pass(4), "attached 5 mydevice/0;");
}

/* The guest of this name may still boot, however long its domain is there. */
static void a_domain_that_gets_its_name_late(void **state)
{
	(void)state;
	set("/local/domain/5/name", "unnamed");
	start(0);
	want_mydevice("g5");
	assert_string_equal(pass(100), "");
	set("/local/domain/5/name", "g5");
	assert_string_equal(pass(1), "domain 5;attached 5 mydevice/0;");
	states("1", "2");
	assert_string_equal(pass(40), "failed 5 mydevice/0 not-connected;");
	assert_string_equal(pass(30), "attached 5 mydevice/0;");
}

/* A guest that boots has not begun; and nobody waits for it. */
static void a_lost_device_that_nobody_waits_for(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);
	char before[33], after[33];

	(void)state;
	start(0);
	wanted.flags = XENSPLIT_WANTED_NO_WAIT;
	want("g5", &wanted, 1);
	assert_string_equal(pass(1), "domain 5;attached 5 mydevice/0;");
	unique_id(before);
	states("1", "6");
	assert_string_equal(pass(50), "");
	unique_id(after);
	assert_string_equal(before, after);
	assert_string_equal(pass(20), "attached 5 mydevice/0;");
}

/* That the guest has not begun is known only after one that did not fail. */
static void a_renewal_that_fails(void **state)
{
	(void)state;
	start(0);
	want_mydevice("g5");
	pass(1);
	states("1", "6");
	refuse("write " REC);
	pass_until("failed 5 mydevice/0 no-permission;");
	fake_calm();
	assert_string_equal(pass(9), "attached 5 mydevice/0;");
}

/* Another process was faster: the list counts. */
static void a_device_replaced_while_it_is_renewed(void **state)
{
	(void)state;
	start(0);
	connect_mydevice();
	states("6", "6");
	assert_string_equal(pass(1), "lost 5 mydevice/0;");
	while (!keeper->running_count)
		turn(UINT64_MAX);
	replace_mydevice("other");
	assert_true(there(FE "/key"));
	assert_string_equal(pass(1), "attached 5 mydevice/0;");
	assert_false(there(FE "/key"));
}

static void set_phase(const char *phase)
{
	const char *record = fake_value(REC, NULL), *end = strstr(record, "phase=");
	char text[2048];

	snprintf(text, sizeof(text), "%.*sphase=%s\n",
		 (int)(end ? (size_t)(end - record) : strlen(record)), record, phase);
	set(REC, text);
}

/* Whoever was replacing it was killed, and it has no drivers. */
static void an_interrupted_replace_without_drivers(void **state)
{
	(void)state;
	connected(ctx);
	states("1", "1");
	set_phase("replace");
	start(0);
	assert_string_equal(pass(29), "");
	assert_string_equal(pass(15), "attached 5 mydevice/0;");
	assert_null(strstr(fake_value(REC, NULL), "phase="));
}

/* What is to be done with it is up to the list. */
static void an_interrupted_replace_that_is_refused(void **state)
{
	struct xensplit_wanted wanted = wanted_of("mydevice", 0);

	(void)state;
	connected(ctx);
	set_phase("replace");
	start(0);
	wanted.backend = "missing";
	want("g5", &wanted, 1);
	assert_string_equal(pass(90), "domain 5;refused 5 mydevice/0 no-such-domain;");
	assert_contains(fake_value(REC, NULL), "phase=replace");
}

/* Whoever is at work may be slow, but goes on. */
static void a_replace_that_goes_on(void **state)
{
	(void)state;
	connected(ctx);
	states("1", "1");
	set_phase("replace");
	start(0);
	assert_string_equal(pass(20), "");
	set_phase("more");
	assert_string_equal(pass(29), "");
	assert_string_equal(pass(30), "attached 5 mydevice/0;");
}

/* --- many operations at a time --- */

static void path_of(char *path, const char *fmt, uint32_t domid, uint32_t devid)
{
	sprintf(path, fmt, domid, devid);
}

static unsigned int asked_to_close(uint32_t domid, uint32_t count)
{
	unsigned int found = 0;
	const char *value;
	char path[64];
	uint32_t i;

	for (i = 0; i < count; i++) {
		path_of(path, "/local/domain/0/backend/t/%u/%u/state", domid, i);
		value = fake_value(path, NULL);
		found += value && *value == '5';
	}
	return found;
}

static void connect_many(uint32_t domid, uint32_t count)
{
	struct xensplit_wanted wanted[40];
	char path[64], name[16];
	uint32_t i;

	sprintf(name, "g%u", domid);
	path_of(path, "/local/domain/%u/name", domid, 0);
	set(path, name);
	for (i = 0; i < count; i++)
		wanted[i] = wanted_of("t", i);
	want(name, wanted, count);
	fake_announce("@introduceDomain");
	pass(0);
	for (i = 0; i < count; i++) {
		path_of(path, "/local/domain/%u/device/t/%u/state", domid, i);
		set(path, "4");
		path_of(path, "/local/domain/0/backend/t/%u/%u/state", domid, i);
		set(path, "4");
	}
	pass(0);
	assert_int_equal(told("connected"), count);
}

static void want_none(uint32_t domid)
{
	char name[16];

	sprintf(name, "g%u", domid);
	assert_int_equal(xensplit_keeper_set(keeper, name, NULL, 0), 0);
	turn(0);
}

static void close_some(uint32_t domid, uint32_t from, uint32_t to)
{
	char path[64];

	for (; from < to; from++) {
		path_of(path, "/local/domain/0/backend/t/%u/%u/state", domid, from);
		set(path, "6");
	}
	pass(0);
}

static void begin_many(void)
{
	start(XENSPLIT_PLAN_PRUNE);
	connect_many(5, 30);
	connect_many(6, 30);
	connect_many(7, 6);
	connect_many(8, 3);
	want_none(5);
	want_none(6);
	want_none(7);
	want_none(8);
	pass(0);
	assert_int_equal(asked_to_close(5, 30), 30);
	assert_int_equal(asked_to_close(6, 30), 30);
	assert_int_equal(asked_to_close(7, 6), 4);
	assert_int_equal(asked_to_close(8, 3), 0);
}

/* The others wait until one has ended, the first of them first. */
static void operations_that_wait_for_others(void **state)
{
	(void)state;
	begin_many();
	close_some(5, 0, 1);
	assert_int_equal(asked_to_close(5, 30), 29);
	assert_int_equal(asked_to_close(7, 6), 5);
	assert_int_equal(asked_to_close(8, 3), 0);
	close_some(5, 1, 30);
	assert_int_equal(told("detached 5"), 29);
	assert_false(xensplit_keeper_is_settled(keeper));
	assert_int_equal(asked_to_close(7, 6), 6);
	assert_int_equal(asked_to_close(8, 3), 3);
}

static void domains_that_end_while_they_wait(void **state)
{
	(void)state;
	begin_many();
	end_domain(8);
	pass(0);
	assert_int_equal(told("reaped 8 t/"), 3);
	assert_int_equal(asked_to_close(7, 6), 4);
	connect_many(9, 2);
	want_none(9);
	pass(0);
	assert_int_equal(asked_to_close(9, 2), 0);
	/* That makes room. */
	end_domain(6);
	pass(0);
	assert_int_equal(told("reaped 6 t/"), 30);
	assert_int_equal(asked_to_close(7, 6), 6);
	assert_int_equal(asked_to_close(9, 2), 2);
}

#define keeper_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		keeper_test(options_that_are_refused),
		keeper_test(a_time_to_connect_of_its_own),
		keeper_test(nothing_is_known_at_first),
		keeper_test(a_caller_that_does_not_take_the_events),
		keeper_test(an_xenstored_that_does_not_answer),
		keeper_test(an_xenstored_that_is_gone_when_nothing_is_due),
		keeper_test(what_is_left_is_removed_later),
		keeper_test(records_that_can_not_be_listed),
		keeper_test(a_domid_that_ends_twice),
		keeper_test(a_domid_that_another_domain_has_now),
		keeper_test(two_domains_that_end_at_once),
		keeper_test(many_domains_that_end_at_once),
		keeper_test(what_is_found_later),
		keeper_test(a_cursor_is_removed_without_a_word),
		keeper_test(a_domain_that_dies_in_silence),
		keeper_test(dead_domains_that_are_looked_for),
		keeper_test(a_device_of_a_backend_that_has_ended),
		keeper_test(a_device_of_a_former_domain),
		keeper_test(a_device_that_may_be_stale),
		keeper_test(a_backend_whose_domain_has_ended),
		keeper_test(a_record_that_is_damaged_meanwhile),
		keeper_test(a_silent_death_that_leaves_something),
		keeper_test(a_device_that_always_collides),
		keeper_test(two_devices_that_always_collide),
		keeper_test(many_devices_after_a_collision),
		keeper_test(a_device_that_can_not_be_written),
		keeper_test(a_commit_of_two_that_fails),
		keeper_test(a_list_that_grows_while_a_commit_waits),
		keeper_test(a_domain_that_dies_while_its_device_waits),
		keeper_test(an_id_that_another_process_took),
		keeper_test(a_device_that_is_gone_at_once),
		keeper_test(a_pause_stays_when_the_list_grows),
		keeper_test(each_domain_is_looked_at_now_and_then),
		keeper_test(domains_that_fill_the_schedule),
		keeper_test(a_domain_that_goes_before_its_name_was_read),
		keeper_test(domains_of_the_same_name),
		keeper_test(names_that_are_not_the_same),
		keeper_test(a_name_that_can_not_be_read),
		keeper_test(a_domain_whose_owner_can_not_be_read),
		keeper_test(domains_that_can_not_be_listed),
		keeper_test(a_domain_that_can_not_be_planned),
		keeper_test(a_connected_device_of_a_domain_that_can_not_be_planned),
		keeper_test(an_error_that_is_over),
		keeper_test(a_failure_of_a_device_that_nobody_waits_for),
		keeper_test(a_device_that_can_not_be_pruned),
		keeper_test(a_failure_that_is_not_told),
		keeper_test(a_backend_that_is_a_domid),
		keeper_test(a_backend_name_of_two_domains),
		keeper_test(a_backend_that_appears_after_a_change_of_the_list),
		keeper_test(a_refusal_is_told_once),
		keeper_test(a_refusal_for_another_reason),
		keeper_test(lists_that_are_compared),
		keeper_test(what_makes_another_list),
		keeper_test(lists_that_are_refused),
		keeper_test(an_entry_that_moves),
		keeper_test(a_list_that_is_taken_back),
		keeper_test(lists_of_many_names),
		keeper_test(a_lost_device_is_made_again),
		keeper_test(a_lost_device_that_comes_back),
		keeper_test(a_device_that_is_lost_all_the_time),
		keeper_test(a_refusal_after_losses),
		keeper_test(the_time_that_a_connect_took),
		keeper_test(one_end_that_connects),
		keeper_test(a_device_that_goes_with_its_domain),
		keeper_test(a_driver_that_closes_the_device_each_time),
		keeper_test(a_driver_that_closes_what_nobody_waits_for),
		keeper_test(two_devices_that_connect_at_once),
		keeper_test(states_that_can_not_be_read),
		keeper_test(a_domain_that_gets_its_name_late),
		keeper_test(a_lost_device_that_nobody_waits_for),
		keeper_test(a_renewal_that_fails),
		keeper_test(a_device_replaced_while_it_is_renewed),
		keeper_test(an_interrupted_replace_without_drivers),
		keeper_test(an_interrupted_replace_that_is_refused),
		keeper_test(a_replace_that_goes_on),
		keeper_test(operations_that_wait_for_others),
		keeper_test(domains_that_end_while_they_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
