// SPDX-License-Identifier: GPL-2.0-or-later
/* What a keeper does when the store refuses, or others are at work, on the fake's clock. */
#include <poll.h>

#include "keeper.h"
#include "operations.h"

#define SECOND 1000000ull

static struct xensplit_ctx *ctx;
static struct xensplit_keeper *keeper;
static char said[8192]; /* the events since the last look, as "attached 5 mydevice/0;" */

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
	*said = '\0';
	while (!strstr(said, what))
		turn(UINT64_MAX);
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

static void end_domain(uint32_t domid)
{
	char home[64];

	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	remove_node(home);
	fake_announce("@releaseDomain");
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
	fake.conflicts = 0;
	assert_string_equal(pass(5), "attached 5 mydevice/0;");
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

	(void)state;
	start(0);
	pass(1);
	fake.conflicts = 2;
	want("g5", wanted, 1);
	assert_int_equal(xensplit_keeper_process(keeper), 0);
	assert_int_equal(fake.conflicts, 1);
	assert_false(there(REC));
	want("g5", wanted, 2);
	assert_string_equal(pass(5),
			    "domain 5;attached 5 mydevice/0;attached 5 other/0;");
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

/* --- what is tried again --- */

static void a_name_that_can_not_be_read(void **state)
{
	(void)state;
	start(0);
	connect_mydevice();
	refuse("read /local/domain/5/name");
	set("/local/domain/5/name", "g5");
	assert_string_equal(pass(1), "failed 5 no-permission;");
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
	fake_calm();
	assert_string_equal(pass(3), "attached 5 mydevice/0;");
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
	assert_int_equal(xensplit_keeper_unset(keeper, "g5"), -ENOENT);
	assert_string_equal(pass(1), "");
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

/* It is tried again, after pauses that grow, and that is told. */
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

/* Whoever was replacing it was killed, and it has no drivers. */
static void an_interrupted_replace_without_drivers(void **state)
{
	char record[2048];

	(void)state;
	connected(ctx);
	states("1", "1");
	snprintf(record, sizeof(record), "%sphase=replace\n", fake_value(REC, NULL));
	set(REC, record);
	start(0);
	assert_string_equal(pass(29), "");
	assert_string_equal(pass(15), "attached 5 mydevice/0;");
	assert_null(strstr(fake_value(REC, NULL), "phase="));
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
		keeper_test(what_is_left_is_removed_later),
		keeper_test(records_that_can_not_be_listed),
		keeper_test(a_domid_that_ends_twice),
		keeper_test(a_cursor_is_removed_without_a_word),
		keeper_test(a_domain_that_dies_in_silence),
		keeper_test(a_device_that_always_collides),
		keeper_test(a_commit_of_two_that_fails),
		keeper_test(a_list_that_grows_while_a_commit_waits),
		keeper_test(a_domain_that_dies_while_its_device_waits),
		keeper_test(an_id_that_another_process_took),
		keeper_test(a_device_that_is_gone_at_once),
		keeper_test(a_pause_stays_when_the_list_grows),
		keeper_test(each_domain_is_looked_at_now_and_then),
		keeper_test(names_that_are_not_the_same),
		keeper_test(a_name_that_can_not_be_read),
		keeper_test(a_domain_whose_owner_can_not_be_read),
		keeper_test(domains_that_can_not_be_listed),
		keeper_test(a_domain_that_can_not_be_planned),
		keeper_test(a_failure_of_a_device_that_nobody_waits_for),
		keeper_test(a_device_that_can_not_be_pruned),
		keeper_test(a_failure_that_is_not_told),
		keeper_test(a_backend_that_is_a_domid),
		keeper_test(a_backend_name_of_two_domains),
		keeper_test(a_refusal_is_told_once),
		keeper_test(lists_that_are_compared),
		keeper_test(what_makes_another_list),
		keeper_test(lists_that_are_refused),
		keeper_test(lists_of_many_names),
		keeper_test(a_lost_device_is_made_again),
		keeper_test(a_lost_device_that_comes_back),
		keeper_test(a_driver_that_closes_the_device_each_time),
		keeper_test(a_lost_device_that_nobody_waits_for),
		keeper_test(an_interrupted_replace_without_drivers),
		keeper_test(operations_that_wait_for_others),
		keeper_test(domains_that_end_while_they_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
