// SPDX-License-Identifier: GPL-2.0-or-later
/* What a monitor tells, what it forgets, and what it asks for, on the fake. */
#include "operations.h"

#define FRONT_ERR "/local/domain/5/error/device/mydevice/0/error"
#define BACK_ERR  "/local/domain/0/error/backend/mydevice/5/0/error"

static struct xensplit_ctx *ctx;
static struct xensplit_monitor *monitor;
static struct xs_handle *other;
static char said[4096]; /* the events since the last look, as "appeared state:1>2" */

static int begin(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	other = xs_open(0);
	connected(ctx);
	fake_calm();
	return 0;
}

static int end(void **state)
{
	(void)state;
	monitor = xensplit_monitor_free(monitor);
	xs_close(other);
	unit_ctx_free(ctx);
	return 0;
}

static void say(const struct xensplit_event *e)
{
	static const char *const names[] = {
		[XENSPLIT_EVENT_APPEARED] = "appeared",
		[XENSPLIT_EVENT_STATE] = "state",
		[XENSPLIT_EVENT_ERROR] = "error",
		[XENSPLIT_EVENT_VANISHED] = "vanished",
		[XENSPLIT_EVENT_DOMAIN_GONE] = "gone",
		[XENSPLIT_EVENT_RESYNC] = "missed",
		[XENSPLIT_EVENT_DOMAIN] = "domain",
	};
	static const char *const ends[] = { "", "-front", "-back" };
	size_t used = strlen(said);

	assert_true(used < sizeof(said) - 100);
	assert_true(e->type == XENSPLIT_EVENT_DOMAIN ? !e->id.type : !!*e->id.type);
	used += (size_t)sprintf(said + used, "%s%s%s", *said ? " " : "", names[e->type],
				ends[e->end]);
	if (e->type == XENSPLIT_EVENT_STATE || e->type == XENSPLIT_EVENT_APPEARED)
		sprintf(said + used, ":%d>%d", e->from, e->to);
	else if (e->type == XENSPLIT_EVENT_RESYNC)
		sprintf(said + used, ":%u", e->missed);
	else if (e->type == XENSPLIT_EVENT_DOMAIN)
		sprintf(said + used, ":%s=%d", e->text, (int)e->id.domid);
	else if (e->text)
		sprintf(said + used, ":%s", e->text);
}

static const char *look(void)
{
	const struct xensplit_event *event;

	*said = '\0';
	assert_int_equal(xensplit_monitor_process(monitor), 0);
	while (xensplit_monitor_next(monitor, &event) > 0)
		say(event);
	return said;
}

static void follow(uint32_t domid, const char *type, uint32_t devid)
{
	struct xensplit_filter filter = { sizeof(filter), domid, type, devid,
					  XENSPLIT_ANY };

	monitor = xensplit_monitor_free(monitor);
	assert_int_equal(xensplit_monitor_new(ctx, &filter, &monitor), 0);
}

static void follow_all(void)
{
	follow(XENSPLIT_ANY, NULL, XENSPLIT_ANY);
	assert_string_equal(look(), "appeared:4>4");
}

static void follow_name(const char *name, const char *type, uint32_t devid)
{
	struct xensplit_filter filter = { sizeof(filter), XENSPLIT_ANY, type, devid,
					  XENSPLIT_ANY };

	monitor = xensplit_monitor_free(monitor);
	assert_int_equal(xensplit_monitor_new_named(ctx, name, &filter, &monitor), 0);
}

static void attach_more(uint32_t domid, const char *type, uint32_t devid,
			uint32_t backend_domid)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	opts.domid = domid;
	opts.type = type;
	opts.devid = devid;
	opts.backend_domid = backend_domid;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

/* --- domains that die --- */

static void a_dead_domain_is_told_once(void **state)
{
	(void)state;
	attach_more(5, "other", 0, 6);
	follow(XENSPLIT_ANY, NULL, XENSPLIT_ANY);
	assert_string_equal(look(), "appeared:4>4 appeared:1>1");
	fake.dead_domid = 6;
	fake_announce("@releaseDomain");
	assert_string_equal(look(), "gone-back");
	fake_announce("@releaseDomain");
	assert_string_equal(look(), "");
	fake.dead_domid = 5;
	fake_announce("@releaseDomain");
	assert_string_equal(look(), "gone-front gone-front");
	fake_announce("@releaseDomain");
	assert_string_equal(look(), "");
}

static void a_dead_domain_of_a_device_that_is_not_there(void **state)
{
	(void)state;
	follow(5, "mydevice", 7);
	fake.dead_domid = 5;
	fake_announce("@releaseDomain");
	assert_string_equal(look(), "");
}

/* Another device of that name can lose its domain, too. */
static void a_dead_domain_of_the_next_device(void **state)
{
	(void)state;
	follow_all();
	fake.dead_domid = 5;
	fake_announce("@releaseDomain");
	assert_string_equal(look(), "gone-front");
	fake.dead_domid = 0;
	fake.backend_closes = true;
	assert_int_equal(detach(ctx), 0);
	assert_int_equal(attach(ctx), 0);
	assert_string_equal(look(), "vanished appeared:1>1");
	fake.dead_domid = 5;
	fake_announce("@releaseDomain");
	assert_string_equal(look(), "gone-front");
}

static void foreign_backend(uint32_t domid)
{
	char path[64];

	sprintf(path, "/local/domain/%u/backend/mydevice/5/0/state", domid);
	set(path, "2");
}

/* Nothing but its backend's directory says that it has moved. */
static void a_foreign_device_that_moves(void **state)
{
	(void)state;
	set("/local/domain/7/name", "g7");
	assert_true(xs_rm(other, XBT_NULL, REC) && xs_rm(other, XBT_NULL, BE));
	foreign_backend(6);
	follow(5, "mydevice", 0);
	assert_string_equal(look(), "appeared:4>2");
	fake.dead_domid = 6;
	fake_announce("@releaseDomain");
	assert_string_equal(look(), "gone-back");
	assert_true(xs_rm(other, XBT_NULL, "/local/domain/6/backend"));
	foreign_backend(7);
	look();
	set("/local/domain/7/backend/mydevice/5/0/state", "3");
	assert_string_equal(look(), "state-back:2>3");
	fake.dead_domid = 7;
	fake_announce("@releaseDomain");
	assert_string_equal(look(), "gone-back");
}

/* --- what it asks for --- */

static void nothing_is_asked_while_nothing_happens(void **state)
{
	(void)state;
	follow_all();
	fake_announce("@releaseDomain");
	look();
	fake.requests = 0;
	assert_string_equal(look(), "");
	assert_int_equal(fake.requests, 0);
	assert_true(xensplit_monitor_get_timeout(monitor) > now_us());
}

static void a_probe_each_second(void **state)
{
	(void)state;
	follow_all();
	fake.requests = 0;
	sleep_until(now_us() + 1100000);
	/* A refusal is an answer. */
	fake.fail_at = 1;
	fake.fail_errno = EACCES;
	assert_string_equal(look(), "");
	assert_true(fake.failed);
	fake_calm();
	sleep_until(now_us() + 1100000);
	fake.fail_at = 1;
	fake.fail_errno = EINVAL;
	fake.fail_from_there_on = true;
	assert_int_equal(xensplit_monitor_process(monitor), -ENOTCONN);
	/* It is not asked again. */
	fake_calm();
	assert_int_equal(xensplit_monitor_process(monitor), -ENOTCONN);
	assert_contains(xensplit_errmsg(ctx), "xenstored does not answer");
	assert_int_equal(fake.requests, 0);
}

static void a_read_that_fails_is_repeated(void **state)
{
	(void)state;
	follow_all();
	set(BE "/state", "5");
	fake.requests = 0;
	fake.fail_at = 1;
	fake.fail_errno = ENOSPC;
	assert_int_equal(xensplit_monitor_process(monitor), -ENOSPC);
	assert_int_equal(xensplit_monitor_get_timeout(monitor), 0);
	fake_calm();
	assert_string_equal(look(), "state-back:4>5");
}

static void a_record_that_can_not_be_read_is_read_again(void **state)
{
	char record[2048];

	(void)state;
	follow_all();
	strcpy(record, fake_value(REC, NULL));
	memcpy(strstr(record, "unique-id=") + 10, "another", 7);
	set(REC, record);
	fake.requests = 0;
	fake.fail_at = 1;
	fake.fail_errno = ENOSPC;
	assert_int_equal(xensplit_monitor_process(monitor), -ENOSPC);
	fake_calm();
	assert_string_equal(look(), "vanished appeared:4>4");
}

/* xenstored has a quota of watches. */
static void a_watch_that_fails_is_set_again(void **state)
{
	(void)state;
	follow_all();
	attach_more(5, "other", 0, 0);
	fake.fail_call = "watch /local/domain/5/device/other";
	fake.fail_errno = ENOSPC;
	assert_int_equal(xensplit_monitor_process(monitor), -ENOSPC);
	assert_true(fake.failed);
	assert_int_equal(xensplit_monitor_get_timeout(monitor), 0);
	fake_calm();
	assert_string_equal(look(), "appeared:1>1");
	set("/local/domain/5/device/other/0/state", "3");
	assert_string_equal(look(), "state-front:1>3");
}

/* Only a privileged domain may: others notice from the nodes. */
static void a_watch_for_dead_domains_that_is_refused(void **state)
{
	XENSPLIT_FILTER(filter);

	(void)state;
	for (fake.fail_at = 1; fake.fail_at < 10; fake.fail_at++) {
		int r;

		fake.requests = 0;
		fake.failed = false;
		fake.fail_errno = EACCES;
		r = xensplit_monitor_new(ctx, &filter, &monitor);
		if (!strcmp(fake.failed_call, "watch @releaseDomain")) {
			assert_int_equal(r, 0);
			return;
		}
	}
	wrong("it was not asked for\n");
}

/* --- what it tells --- */

static void all_that_is_pending_is_told(void **state)
{
	(void)state;
	attach_more(5, "other", 0, 0);
	attach_more(5, "other", 1, 6);
	follow(XENSPLIT_ANY, NULL, XENSPLIT_ANY);
	look();
	set("/local/domain/5/device/other/1/state", "2");
	set(FE "/state", "5");
	set("/local/domain/5/device/other/0/state", "3");
	assert_string_equal(look(), "state-front:1>2 state-front:4>5 state-front:1>3");
}

/* Whatever the order in which they came, and however often one was written. */
static void devices_that_come_later(void **state)
{
	(void)state;
	follow_all();
	attach_more(5, "c", 0, 0);
	attach_more(5, "b", 0, 0);
	assert_string_equal(look(), "appeared:1>1 appeared:1>1");
	attach_more(5, "a", 0, 0);
	assert_string_equal(look(), "appeared:1>1");
	look();
	set("/local/domain/5/device/a/0/state", "2");
	set("/local/domain/5/device/a/0/state", "3");
	assert_string_equal(look(), "state-front:1>3 missed:1");
	set("/local/domain/5/device/b/0/state", "3");
	set("/local/domain/5/device/c/0/state", "4");
	assert_string_equal(look(), "state-front:1>3 state-front:1>4");
}

static void events_have_the_id_of_the_attach(void **state)
{
	const struct xensplit_event *event;

	(void)state;
	follow_all();
	set(BE "/state", "5");
	assert_int_equal(xensplit_monitor_process(monitor), 0);
	/* Without memory it stays queued. */
	memory = (struct memory){ .fail_at = 1 };
	assert_int_equal(xensplit_monitor_next(monitor, &event), 0);
	memory.fail_at = 0;
	assert_int_equal(xensplit_monitor_next(monitor, &event), 1);
	assert_non_null(event->unique_id);
	assert_non_null(strstr(fake_value(REC, NULL), event->unique_id));
	assert_true(xs_rm(other, XBT_NULL, REC));
	follow(5, "mydevice", 0);
	assert_int_equal(xensplit_monitor_process(monitor), 0);
	assert_int_equal(xensplit_monitor_next(monitor, &event), 1);
	assert_null(event->unique_id);
}

/* When the queue has to grow: the sanitizers see what is lost. */
static void an_error_without_memory_for_its_event(void **state)
{
	unsigned int at, i, failed = 0;

	(void)state;
	for (at = 1; at < 8; at++) {
		follow(XENSPLIT_ANY, NULL, XENSPLIT_ANY);
		for (i = 0; i < 15; i++) {
			set(BE "/state", i % 2 ? "4" : "5");
			assert_int_equal(xensplit_monitor_process(monitor), 0);
		}
		set(BACK_ERR, "5 oops");
		memory = (struct memory){ .fail_at = at };
		failed += xensplit_monitor_process(monitor) == -ENOMEM;
		memory.fail_at = 0;
		assert_non_null(strstr(look(), "state-back:4>5"));
	}
	assert_true(failed > 0);
}

/* That allocation, or that request, counted from 1; 0: none. */
static void process_with_failure(unsigned int memory_at, unsigned int request_at)
{
	int r;

	memory = (struct memory){ .fail_at = memory_at };
	fake.requests = 0;
	fake.fail_at = request_at;
	fake.fail_errno = ENOSPC;
	r = xensplit_monitor_process(monitor);
	memory.fail_at = fake.fail_at = 0;
	if (!fake.failed)
		assert_int_equal(r, memory.failed ? -ENOMEM : 0);
}

static unsigned int times(const char *text, const char *part)
{
	unsigned int count = 0;

	while ((text = strstr(text, part))) {
		text += strlen(part);
		count++;
	}
	return count;
}

/* Events that nobody has taken: the queue grows at the 17th. */
static void queue(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		set(BE "/state", i % 2 ? "4" : "5");
		assert_int_equal(xensplit_monitor_process(monitor), 0);
	}
}

/* Each kind of event, after @queued others. Returns: false if nothing failed. */
static bool fail_at_events(unsigned int queued, unsigned int memory_at,
			   unsigned int request_at)
{
	attach_more(5, "goes", 0, 0);
	follow(XENSPLIT_ANY, NULL, XENSPLIT_ANY);
	look();
	queue(queued);
	set(BE "/state", "2");
	set(BE "/state", "6");
	set(FRONT_ERR, "2 no node");
	assert_true(xs_rm(other, XBT_NULL, "/xensplit/5/goes") &&
		    xs_rm(other, XBT_NULL, "/local/domain/5/device/goes") &&
		    xs_rm(other, XBT_NULL, "/local/domain/0/backend/goes"));
	attach_more(5, "comes", 0, 0);
	process_with_failure(memory_at, request_at);
	look();
	assert_int_equal(times(said, ">6"), 1);
	assert_int_equal(times(said, "missed:1"), 1);
	assert_int_equal(times(said, "error-front:2 no node"), 1);
	assert_int_equal(times(said, "vanished"), 1);
	assert_int_equal(times(said, "appeared:1>1"), 1);
	return memory.failed || fake.failed;
}

static void nothing_is_lost_without_memory(void **state)
{
	unsigned int queued = 11, at = 1;

	while (queued < 17) {
		bool failed = fail_at_events(queued, at, 0);

		assert_true(failed || at > 1);
		at = failed ? at + 1 : 1;
		queued += !failed;
		end(state);
		begin(state);
	}
}

static void nothing_is_lost_by_a_request_that_fails(void **state)
{
	unsigned int at;

	for (at = 1; fail_at_events(0, 0, at); at++) {
		end(state);
		begin(state);
	}
	assert_true(at > 10);
}

static void a_new_device_is_found_in_spite_of_two_failures(void **state)
{
	unsigned int at;

	for (at = 1;; at++) {
		follow(XENSPLIT_ANY, NULL, XENSPLIT_ANY);
		look();
		attach_more(5, "comes", 0, 0);
		process_with_failure(at, 0);
		if (!memory.failed)
			break;
		process_with_failure(0, 1);
		assert_string_equal(look(), "appeared:1>1");
		end(state);
		begin(state);
	}
	assert_true(at > 3);
}

/* Returns: false if nothing failed. */
static bool fail_at_a_dead_domain(unsigned int memory_at, unsigned int request_at)
{
	attach_more(5, "other", 0, 6);
	follow(XENSPLIT_ANY, NULL, XENSPLIT_ANY);
	look();
	queue(16);
	fake.dead_domid = 6;
	fake_announce("@releaseDomain");
	process_with_failure(memory_at, request_at);
	look();
	assert_int_equal(times(said, "gone-back"), 1);
	fake_announce("@releaseDomain");
	assert_string_equal(look(), "");
	return memory.failed || fake.failed;
}

static void a_dead_domain_is_told_after_a_failure(void **state)
{
	unsigned int at;

	for (at = 1; fail_at_a_dead_domain(at, 0); at++) {
		end(state);
		begin(state);
	}
	assert_true(at > 1);
	end(state);
	begin(state);
	for (at = 1; fail_at_a_dead_domain(0, at); at++) {
		end(state);
		begin(state);
	}
	assert_true(at > 1);
}

static void changes_that_were_missed_are_counted(void **state)
{
	(void)state;
	follow_all();
	set(BE "/state", "5");
	set(BE "/state", "6");
	set(BE "/state", "2");
	assert_string_equal(look(), "state-back:4>2 missed:2");
	set(BE "/state", "3");
	set(BE "/state", "2");
	assert_string_equal(look(), "missed:2");
	set(FE "/state", "4");
	assert_string_equal(look(), "missed:1");
	set(FE "/state", "5");
	assert_string_equal(look(), "state-front:4>5");
}

/* The backend writes when the monitor, because of something else, is about to read its state. */
static const char *late_path, *late_state;

static void write_late(const char *call, const char *path)
{
	if (strcmp(call, "read") != 0 || strcmp(path, late_path) != 0)
		return;
	fake.before = NULL;
	set(late_path, late_state);
}

static void will_write(const char *path, const char *state)
{
	late_path = path;
	late_state = state;
	fake.before = write_late;
}

static void a_change_that_is_read_before_its_event(void **state)
{
	(void)state;
	follow_all();
	will_write(BE "/state", "5");
	set(FE "/state", "5");
	assert_string_equal(look(), "state-front:4>5 state-back:4>5");
	assert_string_equal(look(), "");
	/* That event is forgotten, those of later changes count. */
	set(BE "/state", "6");
	set(BE "/state", "5");
	assert_string_equal(look(), "missed:2");
}

static void a_change_while_the_device_appears(void **state)
{
	(void)state;
	follow_all();
	attach_more(5, "other", 0, 0);
	will_write("/local/domain/0/backend/other/5/0/state", "2");
	assert_string_equal(look(), "appeared:1>2");
	assert_string_equal(look(), "");
}

static void errors_with_their_end_and_text(void **state)
{
	(void)state;
	follow_all();
	set(BACK_ERR, "5 oops");
	assert_string_equal(look(), "error-back:5 oops");
	set(FRONT_ERR, "2 no node");
	assert_string_equal(look(), "error-front:2 no node");
	/* The driver has removed its text. */
	set(FRONT_ERR, "");
	assert_string_equal(look(), "");
	/* One that nobody takes is freed, too. */
	set(BACK_ERR, "5 again");
	assert_int_equal(xensplit_monitor_process(monitor), 0);
}

static void directories_that_go_as_a_whole(void **state)
{
	(void)state;
	attach_more(5, "mydevice", 1, 0);
	follow(XENSPLIT_ANY, NULL, XENSPLIT_ANY);
	look();
	assert_true(xs_rm(other, XBT_NULL, "/local/domain/0/backend"));
	assert_string_equal(look(), "state-back:4>-1 state-back:1>-1");
}

/* Those of one domain, while others have some of that type. */
static void the_backends_of_one_domain_go(void **state)
{
	(void)state;
	attach_more(5, "mydevice", 1, 0);
	attach_more(6, "mydevice", 0, 0);
	follow(XENSPLIT_ANY, NULL, XENSPLIT_ANY);
	look();
	look();
	assert_true(xs_rm(other, XBT_NULL, "/local/domain/0/backend/mydevice/5"));
	assert_string_equal(look(), "state-back:4>-1");
	assert_string_equal(look(), "state-back:1>-1");
	assert_string_equal(look(), "");
}

static void a_device_that_is_made_again_is_another(void **state)
{
	(void)state;
	follow_all();
	fake.backend_closes = true;
	assert_int_equal(detach(ctx), 0);
	assert_int_equal(attach(ctx), 0);
	assert_string_equal(look(), "vanished appeared:1>1");
}

static void a_frontend_without_a_backend(void **state)
{
	(void)state;
	assert_true(xs_rm(other, XBT_NULL, REC) && xs_rm(other, XBT_NULL, BE));
	follow(5, "mydevice", 0);
	assert_string_equal(look(), "appeared:4>-1");
	set(FE "/state", "5");
	assert_string_equal(look(), "state-front:4>5");
	/* One that comes and goes again: its domain is of no interest then. */
	foreign_backend(6);
	assert_true(xs_rm(other, XBT_NULL, FE));
	set(FE "/state", "4");
	look();
	follow(5, "mydevice", 0);
	assert_string_equal(look(), "appeared:4>2");
	assert_true(xs_rm(other, XBT_NULL, "/local/domain/6/backend"));
	assert_string_equal(look(), "state-back:2>-1");
	fake.dead_domid = 6;
	fake_announce("@releaseDomain");
	assert_string_equal(look(), "");
	assert_true(xs_rm(other, XBT_NULL, FE));
	assert_string_equal(look(), "vanished");
}

/* That device of each domain: not a single one. */
static void a_type_and_an_id_without_a_domain(void **state)
{
	(void)state;
	attach_more(6, "mydevice", 0, 0);
	attach_more(6, "mydevice", 1, 0);
	follow(XENSPLIT_ANY, "mydevice", 0);
	assert_string_equal(look(), "appeared:4>4 appeared:1>1");
}

static void a_record_that_gets_damaged(void **state)
{
	(void)state;
	follow_all();
	set(REC, "nothing that makes sense");
	assert_string_equal(look(), "");
	set(BE "/state", "5");
	assert_string_equal(look(), "state-back:4>5");
}

/* In the order in which they happened, also if the queue has grown meanwhile. */
static void events_stay_in_order(void **state)
{
	static const char *const states[] = { "1", "2", "3", "4" };
	const struct xensplit_event *event;
	int round, i, last = 4;

	(void)state;
	follow_all();
	for (round = 1; round <= 3; round++) {
		for (i = 0; i < 20 * round; i++) {
			set(BE "/state", states[i % 4]);
			assert_int_equal(xensplit_monitor_process(monitor), 0);
		}
		for (i = 0; i < 11; i++) {
			assert_int_equal(xensplit_monitor_next(monitor, &event), 1);
			assert_int_equal(event->from, last);
			last = event->to;
		}
		/* There is something to do at once. */
		assert_int_equal(xensplit_monitor_get_timeout(monitor), 0);
	}
	while (xensplit_monitor_next(monitor, &event) > 0) {
		assert_int_equal(event->from, last);
		last = event->to;
	}
	assert_int_equal(last, 4);
}

/* A caller that takes no events must not cost memory for ever. */
static void the_queue_has_a_limit(void **state)
{
	const struct xensplit_event *event;
	unsigned int i, count = 0;

	(void)state;
	follow_all();
	for (i = 0; i < 6000; i++) {
		set(BE "/state", i % 2 ? "2" : "3");
		assert_int_equal(xensplit_monitor_process(monitor), 0);
	}
	while (xensplit_monitor_next(monitor, &event) > 0)
		count++;
	assert_in_range(count, 4096, 4200);
	assert_string_equal(look(), "missed:1904");
}

/* --- what it forgets --- */

static void watches_go_with_a_device(void **state)
{
	unsigned int with, before;

	(void)state;
	follow_all();
	before = fake_watches();
	attach_more(5, "other", 0, 6);
	assert_string_equal(look(), "appeared:1>1");
	with = fake_watches();
	assert_int_equal(with, before + 4);
	attach_more(5, "other", 1, 6);
	assert_string_equal(look(), "appeared:1>1");
	assert_int_equal(fake_watches(), with);
	assert_int_equal(
		xensplit_detach(ctx, &(struct xensplit_id){ 5, "other", 0 }, 0, 0), 0);
	look();
	assert_int_equal(fake_watches(), with);
	assert_int_equal(
		xensplit_detach(ctx, &(struct xensplit_id){ 5, "other", 1 }, 0, 0), 0);
	look();
	assert_int_equal(fake_watches(), before);
}

static void watches_go_with_a_backend_that_moves(void **state)
{
	unsigned int before;

	(void)state;
	follow_all();
	before = fake_watches();
	fake.backend_closes = true;
	assert_int_equal(detach(ctx), 0);
	attach_more(5, "mydevice", 0, 6);
	assert_string_equal(look(), "vanished appeared:1>1");
	assert_string_equal(look(), "");
	assert_int_equal(fake_watches(), before);
	set("/local/domain/6/backend/mydevice/5/0/state", "2");
	assert_string_equal(look(), "state-back:1>2");
	follow(5, "mydevice", 0);
	assert_string_equal(look(), "appeared:1>2");
	before = fake_watches();
	assert_int_equal(xensplit_detach(ctx, &device, XENSPLIT_DETACH_FORCE, 10), 0);
	assert_int_equal(attach(ctx), 0);
	assert_string_equal(look(), "vanished appeared:1>1");
	assert_string_equal(look(), "");
	assert_int_equal(fake_watches(), before);
}

/* --- a name --- */

static void give_name_to(uint32_t domid)
{
	set("/local/domain/5/name", domid == 5 ? "box" : "g5");
	set("/local/domain/6/name", domid == 6 ? "box" : "g6");
	fake_announce("@introduceDomain");
}

/* @single: a single device is followed */
static void assert_follows_name(bool single)
{
	unsigned int in5, in6;

	give_name_to(5);
	follow_name("box", single ? "mydevice" : NULL, single ? 0 : XENSPLIT_ANY);
	assert_string_equal(look(), "appeared:4>4");
	in5 = fake_watches();
	give_name_to(6);
	assert_string_equal(look(), "domain:box=6");
	in6 = fake_watches();
	/* Nothing more of the one that had it. */
	set(FE "/state", "5");
	assert_string_equal(look(), "");
	set(FE "/state", "4");
	give_name_to(5);
	assert_string_equal(look(), "domain:box=5 appeared:4>4");
	assert_int_equal(fake_watches(), in5);
	give_name_to(6);
	assert_string_equal(look(), "domain:box=6");
	assert_int_equal(fake_watches(), in6);
	give_name_to(0);
	assert_string_equal(look(), "domain:box=-1");
	assert_string_equal(look(), "");
	give_name_to(5);
	look();
	look();
	assert_int_equal(fake_watches(), in5);
}

static void a_name_and_its_devices(void **state)
{
	(void)state;
	assert_follows_name(false);
}

static void a_name_and_a_single_device(void **state)
{
	(void)state;
	assert_follows_name(true);
}

/* At first no domain has it. Returns: false if nothing failed. */
static bool fail_at_a_name(bool single, unsigned int memory_at, unsigned int request_at)
{
	attach_more(6, "mydevice", 0, 0);
	follow_name("box", single ? "mydevice" : NULL, single ? 0 : XENSPLIT_ANY);
	assert_string_equal(look(), "domain:box=-1");
	look();
	give_name_to(6);
	process_with_failure(memory_at, request_at);
	assert_string_equal(look(), "domain:box=6 appeared:1>1");
	attach_more(6, "other", 0, 0);
	assert_string_equal(look(), single ? "" : "appeared:1>1");
	give_name_to(5);
	assert_string_equal(look(), "domain:box=5 appeared:4>4");
	return memory.failed || fake.failed;
}

static void a_name_is_followed_after_a_failure(void **state)
{
	unsigned int kind, at = 1;

	for (kind = 0; kind < 4;) {
		bool failed =
			fail_at_a_name(kind % 2, kind < 2 ? at : 0, kind < 2 ? 0 : at);

		assert_true(failed || at > 3);
		at = failed ? at + 1 : 1;
		kind += !failed;
		end(state);
		begin(state);
	}
}

static void new_domains_are_watched_after_a_failure(void **state)
{
	(void)state;
	give_name_to(5);
	follow_name("box", NULL, XENSPLIT_ANY);
	look();
	give_name_to(0);
	fake.fail_call = "watch @introduceDomain";
	fake.fail_errno = ENOSPC;
	assert_int_equal(xensplit_monitor_process(monitor), -ENOSPC);
	fake_calm();
	assert_string_equal(look(), "domain:box=-1");
	look();
	set("/local/domain/6/name", "box");
	fake_announce("@introduceDomain");
	assert_string_equal(look(), "domain:box=6");
}

/* Xenstored announces a domain, but not its name. */
static void a_missing_name_is_looked_for_each_second(void **state)
{
	uint64_t now;

	(void)state;
	follow_name("box", NULL, XENSPLIT_ANY);
	assert_string_equal(look(), "domain:box=-1");
	look();
	now = now_us();
	assert_in_range(xensplit_monitor_get_timeout(monitor), now, now + 1000000);
	sleep_until(now + 500000);
	fake_announce("@introduceDomain");
	assert_string_equal(look(), "");
	sleep_until(now + 1100000);
	assert_string_equal(look(), "");
	assert_in_range(xensplit_monitor_get_timeout(monitor), now + 1400000,
			now + 1700000);
	set("/local/domain/5/name", "box");
	assert_string_equal(look(), "");
	sleep_until(now + 1800000);
	assert_string_equal(look(), "domain:box=5 appeared:4>4");
}

/* Its own owner may have chosen it, and of two domains one is about to lose it. */
static void a_name_that_is_not_to_be_believed(void **state)
{
	struct xs_permissions own = { 6, XS_PERM_NONE };

	(void)state;
	give_name_to(5);
	follow_name("box", NULL, XENSPLIT_ANY);
	look();
	set("/local/domain/6/name", "box");
	assert_true(xs_set_permissions(other, XBT_NULL, "/local/domain/6/name", &own, 1));
	set("/local/domain/5/name", "g5");
	assert_string_equal(look(), "domain:box=-1");
	own.id = 0;
	assert_true(xs_set_permissions(other, XBT_NULL, "/local/domain/6/name", &own, 1));
	set("/local/domain/5/name", "box");
	fake_announce("@introduceDomain");
	assert_string_equal(look(), "");
	set("/local/domain/6/name", "g6");
	fake_announce("@introduceDomain");
	assert_string_equal(look(), "domain:box=5");
	own.id = 5;
	assert_true(xs_set_permissions(other, XBT_NULL, "/local/domain/5/name", &own, 1));
	set("/local/domain/5/name", "box");
	assert_string_equal(look(), "domain:box=-1");
	own.id = 0;
	assert_true(xs_set_permissions(other, XBT_NULL, "/local/domain/5/name", &own, 1));
	set("/local/domain/5/name", "box");
	fake_announce("@introduceDomain");
	assert_string_equal(look(), "domain:box=5");
	/* It keeps its directory. */
	fake.dead_domid = 5;
	fake_announce("@releaseDomain");
	assert_string_equal(look(), "gone-front domain:box=-1");
}

static void what_is_no_name(void **state)
{
	XENSPLIT_FILTER(filter);

	(void)state;
	assert_int_equal(xensplit_monitor_new_named(ctx, "5", &filter, &monitor),
			 -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "is a domid");
	assert_int_equal(xensplit_monitor_new_named(ctx, "99999", &filter, &monitor),
			 -EINVAL);
	filter.domid = 5;
	assert_int_equal(xensplit_monitor_new_named(ctx, "g5", &filter, &monitor),
			 -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "has a domain");
	assert_null(monitor);
}

/* --- filters --- */

static void only_what_the_filter_has(void **state)
{
	char type[] = "other";

	(void)state;
	follow(5, type, XENSPLIT_ANY);
	strcpy(type, "xxxxx"); /* it belongs to the caller */
	assert_string_equal(look(), "");
	attach_more(5, "other", 0, 0);
	assert_string_equal(look(), "appeared:1>1");
	attach_more(5, "third", 0, 0);
	attach_more(6, "other", 0, 0);
	fake.requests = 0;
	assert_string_equal(look(), "");
	/* Nor is there anything to read. */
	assert_in_range(fake.requests, 0, 4);
	attach_more(5, "other", 1, 0);
	assert_string_equal(look(), "appeared:1>1");
	look();
	fake.requests = 0;
	assert_true(xs_rm(other, XBT_NULL, "/xensplit/6"));
	assert_string_equal(look(), "");
	assert_int_equal(fake.requests, 1);
}

static void only_backends_of_one_domain(void **state)
{
	struct xensplit_filter filter = { sizeof(filter), XENSPLIT_ANY, NULL,
					  XENSPLIT_ANY, 6 };

	(void)state;
	assert_int_equal(xensplit_monitor_new(ctx, &filter, &monitor), 0);
	assert_string_equal(look(), "");
	attach_more(5, "other", 0, 6);
	assert_string_equal(look(), "appeared:1>1");
	monitor = xensplit_monitor_free(monitor);
	filter.domid = 5;
	filter.type = "mydevice";
	filter.devid = 0;
	assert_int_equal(xensplit_monitor_new(ctx, &filter, &monitor), 0);
	set(FE "/state", "5");
	assert_string_equal(look(), "");
}

static void nodes_that_are_no_records(void **state)
{
	char path[TYPE_MAX + 132];

	(void)state;
	attach_more(5, "mydevice", 1, 6);
	follow(XENSPLIT_ANY, NULL, XENSPLIT_ANY);
	look();
	look();
	fake.requests = 0;
	set("/xensplit/5/bad.type/0", "");
	set("/xensplit/5/mydevice/00", "");
	set("/xensplit/05/mydevice/1", "");
	set("/xensplit/5/mydevice/0/below", "");
	snprintf(path, sizeof(path), "/xensplit/5/%0*d/0", TYPE_MAX + 100, 7);
	set(path, "");
	assert_string_equal(look(), "");
	assert_int_equal(fake.requests, 0);
	set(BE, "");
	assert_string_equal(look(), "");
	set(FE "/stately", "");
	set(FE "/key", "");
	set("/local/domain/5/device/mydevice/00/state", "3");
	set("/local/domain/6/backend/mydevice/5/0/state", "3");
	fake.requests = 0;
	assert_string_equal(look(), "");
	assert_int_equal(fake.requests, 0);
}

#define monitor_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		monitor_test(a_dead_domain_is_told_once),
		monitor_test(a_dead_domain_of_a_device_that_is_not_there),
		monitor_test(a_dead_domain_of_the_next_device),
		monitor_test(a_foreign_device_that_moves),
		monitor_test(nothing_is_asked_while_nothing_happens),
		monitor_test(a_probe_each_second),
		monitor_test(a_read_that_fails_is_repeated),
		monitor_test(a_record_that_can_not_be_read_is_read_again),
		monitor_test(a_watch_that_fails_is_set_again),
		monitor_test(a_watch_for_dead_domains_that_is_refused),
		monitor_test(all_that_is_pending_is_told),
		monitor_test(devices_that_come_later),
		monitor_test(events_have_the_id_of_the_attach),
		monitor_test(an_error_without_memory_for_its_event),
		monitor_test(nothing_is_lost_without_memory),
		monitor_test(nothing_is_lost_by_a_request_that_fails),
		monitor_test(a_new_device_is_found_in_spite_of_two_failures),
		monitor_test(a_dead_domain_is_told_after_a_failure),
		monitor_test(changes_that_were_missed_are_counted),
		monitor_test(a_change_that_is_read_before_its_event),
		monitor_test(a_change_while_the_device_appears),
		monitor_test(errors_with_their_end_and_text),
		monitor_test(directories_that_go_as_a_whole),
		monitor_test(the_backends_of_one_domain_go),
		monitor_test(a_device_that_is_made_again_is_another),
		monitor_test(a_frontend_without_a_backend),
		monitor_test(a_type_and_an_id_without_a_domain),
		monitor_test(a_record_that_gets_damaged),
		monitor_test(events_stay_in_order),
		monitor_test(the_queue_has_a_limit),
		monitor_test(watches_go_with_a_device),
		monitor_test(watches_go_with_a_backend_that_moves),
		monitor_test(a_name_and_its_devices),
		monitor_test(a_name_and_a_single_device),
		monitor_test(a_name_is_followed_after_a_failure),
		monitor_test(new_domains_are_watched_after_a_failure),
		monitor_test(a_missing_name_is_looked_for_each_second),
		monitor_test(a_name_that_is_not_to_be_believed),
		monitor_test(what_is_no_name),
		monitor_test(only_what_the_filter_has),
		monitor_test(only_backends_of_one_domain),
		monitor_test(nodes_that_are_no_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
