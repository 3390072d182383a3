// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes each request, and each allocation, of a monitor fail once while it looks at what has
 * changed. The next look, without a failure, has to tell the rest: nothing twice, nothing never.
 */
#include "operations.h"

#define POINTS_MAX 300
/* With so many events that nobody has taken, the queue has to grow, sooner or later. */
#define UNTOLD_LEAST 8
#define UNTOLD_MOST  16

#define BE_OF_6	     "/local/domain/6/backend/mydevice/5/0"
#define FRONT_ERR    "/local/domain/5/error/device/mydevice/0/error"
#define BACK_ERR     "/local/domain/0/error/backend/mydevice/5/0/error"

static struct xensplit_ctx *ctx;
static struct xensplit_monitor *monitor;
static struct xs_handle *other;
static unsigned int fill = UNTOLD_MOST;
static unsigned int untold; /* of them, not taken yet */

/* --- what it tells --- */

/* Without what was missed: a failure makes it read once more, and so count less. */
static void say(char *said, size_t size, const struct xensplit_event *e)
{
	size_t used = strlen(said);

	assert_true(used < size - 100);
	if (e->type == XENSPLIT_EVENT_RESYNC)
		return;
	if (!e->id.type)
		snprintf(said + used, size - used, "%s is %d;", e->text ? e->text : "?",
			 (int)e->id.domid);
	else
		snprintf(said + used, size - used, "%u %s/%u %d %d:%d>%d %s;",
			 e->id.domid, e->id.type, e->id.devid, e->type, e->end, e->from,
			 e->to, e->text ? e->text : "");
}

static int look(char *said, size_t size)
{
	const struct xensplit_event *event;
	int r = xensplit_monitor_process(monitor);

	while (xensplit_monitor_next(monitor, &event) > 0)
		if (untold)
			untold--;
		else
			say(said, size, event);
	return r;
}

/* --- what changes --- */

static void attach_to(const char *type, uint32_t devid, uint32_t backend_domid)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	opts.domid = 5;
	opts.type = type;
	opts.devid = devid;
	opts.backend_domid = backend_domid;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

static void remove_node(const char *path)
{
	assert_true(xs_rm(other, XBT_NULL, path));
}

static void states_change(void)
{
	set(FE "/state", "5");
	set(BE "/state", "6");
}

static void a_state_is_written_often(void)
{
	set(BE "/state", "5");
	set(BE "/state", "6");
	set(BE "/state", "5");
}

static void errors_are_written(void)
{
	set(FRONT_ERR, "2 in front");
	set(BACK_ERR, "5 behind");
}

static void it_is_removed(void)
{
	remove_node(REC);
	remove_node(FE);
	remove_node(BE);
}

static void it_is_made_again(void)
{
	it_is_removed();
	attach_to("mydevice", 0, 0);
}

static void it_moves(void)
{
	it_is_removed();
	attach_to("mydevice", 0, 6);
}

static void another_one_comes(void)
{
	attach_to("another", 3, 6);
}

static void all_records_go(void)
{
	remove_node("/xensplit");
	remove_node(FE);
	remove_node(BE);
}

static void all_backends_go(void)
{
	remove_node("/local/domain/0/backend");
}

static void the_backends_of_one_domain_go(void)
{
	remove_node("/local/domain/0/backend/mydevice/5");
}

static void the_domain_dies(void)
{
	fake.dead_domid = 5;
	fake_announce("@releaseDomain");
}

static void the_driver_domain_dies(void)
{
	fake.dead_domid = 6;
	fake_announce("@releaseDomain");
}

static void the_name_goes(void)
{
	set("/local/domain/5/name", "other");
}

static void the_name_moves(void)
{
	set("/local/domain/5/name", "other");
	set("/local/domain/6/name", "g5");
}

/* Only watches that are still there, and once, tell this. */
static void everything_goes_on(void)
{
	fake.dead_domid = 0;
	if (there(FE "/state"))
		set(FE "/state", "2");
	if (there(BE "/state"))
		set(BE "/state", "3");
	if (there(BE_OF_6 "/state"))
		set(BE_OF_6 "/state", "3");
	if (there("/local/domain/6/device/mydevice/0/state"))
		set("/local/domain/6/device/mydevice/0/state", "4");
	set(FRONT_ERR, "3 in front again");
	set(BACK_ERR, "4 behind again");
	attach_to("another", 7, 0);
	set("/local/domain/7/name", "g5");
	if (!strcmp(fake_value("/local/domain/6/name", NULL), "g5"))
		set("/local/domain/6/name", "g6");
	fake_announce("@introduceDomain");
}

/* --- each failure of each --- */

struct scenario {
	const char *name;
	void (*change)(void);
};

static const struct scenario scenarios[] = {
	{ "states change", states_change },
	{ "a state is written often", a_state_is_written_often },
	{ "errors are written", errors_are_written },
	{ "it is removed", it_is_removed },
	{ "it is made again", it_is_made_again },
	{ "it moves", it_moves },
	{ "another one comes", another_one_comes },
	{ "all records go", all_records_go },
	{ "all backends go", all_backends_go },
	{ "the backends of one domain go", the_backends_of_one_domain_go },
	{ "the domain dies", the_domain_dies },
	{ "the driver domain dies", the_driver_domain_dies },
	{ "the name goes", the_name_goes },
	{ "the name moves", the_name_moves },
};

enum kind {
	ALL,
	SINGLE,
	NAMED,
	KINDS
};

static const char *const kinds[] = { "all", "a single one", "one of a name" };

static void follow(enum kind kind)
{
	struct xensplit_filter filter = { sizeof(filter), XENSPLIT_ANY, NULL,
					  XENSPLIT_ANY, XENSPLIT_ANY };

	if (kind != ALL) {
		filter.type = "mydevice";
		filter.devid = 0;
	}
	if (kind == SINGLE)
		filter.domid = 5;
	assert_int_equal(kind == NAMED ? xensplit_monitor_new_named(ctx, "g5", &filter,
								    &monitor)
				       : xensplit_monitor_new(ctx, &filter, &monitor),
			 0);
}

static void fill_queue(void)
{
	for (untold = 0; untold < fill; untold++) {
		set(FE "/state", untold % 2 ? "4" : "3");
		assert_int_equal(xensplit_monitor_process(monitor), 0);
	}
}

static void begin_run(enum kind kind, char *said, size_t size)
{
	fake_reset();
	ctx = unit_ctx();
	other = xs_open(0);
	connected(ctx);
	attach_to("other", 0, 6);
	fake_set("/local/domain/6/device/mydevice/0/state", "1", 1);
	fake_set("/local/domain/0/backend/mydevice/6/0/state", "1", 1);
	follow(kind);
	*said = '\0';
	assert_int_equal(look(said, size), 0);
	assert_int_equal(look(said, size), 0);
	fill_queue();
	fake_calm();
	*said = '\0';
}

static void end_run(void)
{
	monitor = xensplit_monitor_free(monitor);
	xs_close(other);
	unit_ctx_free(ctx);
}

/* @said: the events of a change, and of what follows. True: something failed. */
static bool run(const struct scenario *scenario, enum kind kind, unsigned int request,
		unsigned int allocation, char *said, size_t size)
{
	bool failed;
	int r;

	begin_run(kind, said, size);
	scenario->change();
	fake.requests = 0;
	fake.fail_at = request;
	fake.fail_errno = ENOSPC;
	memory = (struct memory){ .fail_at = allocation };
	r = xensplit_monitor_process(monitor);
	memory.fail_at = 0;
	fake.fail_at = 0;
	failed = fake.failed || memory.failed;
	if (r && r != -ENOSPC && r != -ENOMEM)
		wrong("%s, %s: %d (%s)\n", scenario->name, kinds[kind], r,
		      xensplit_errmsg(ctx));
	assert_int_equal(look(said, size), 0);
	assert_int_equal(look(said, size), 0);
	strcat(said, " then ");
	everything_goes_on();
	assert_int_equal(look(said, size), 0);
	assert_int_equal(look(said, size), 0);
	end_run();
	return failed;
}

static void fail_at_each(const struct scenario *scenario, enum kind kind, bool requests)
{
	char expected[8192], said[8192];
	unsigned int at;

	run(scenario, kind, 0, 0, expected, sizeof(expected));
	for (at = 1; at < POINTS_MAX; at++) {
		bool failed = run(scenario, kind, requests ? at : 0, requests ? 0 : at,
				  said, sizeof(said));

		if (strcmp(said, expected) != 0)
			wrong("%s, %s, without %s %u (%s):\n%s\nand not\n%s\n",
			      scenario->name, kinds[kind],
			      requests ? "request" : "allocation", at, fake.failed_call,
			      said, expected);
		if (!failed)
			break;
	}
	assert_in_range(at, 1, POINTS_MAX - 1);
}

static void fail_all(bool requests)
{
	size_t i;
	int kind;

	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < ARRAY_SIZE(scenarios); i++)
			fail_at_each(&scenarios[i], (enum kind)kind, requests);
}

static void no_answer_to_one_request(void **state)
{
	(void)state;
	fail_all(true);
}

static void no_memory_for_one_allocation(void **state)
{
	(void)state;
	for (fill = UNTOLD_LEAST; fill <= UNTOLD_MOST; fill += 2)
		fail_all(false);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_answer_to_one_request),
		cmocka_unit_test(no_memory_for_one_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
