// SPDX-License-Identifier: GPL-2.0-or-later
/* Events of a keeper in serve: lines of the log, counts and sums. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <cmocka.h>

#include "../../src/config.h"
#include "../../src/serve-events.h"
#include "../../src/serve-log.h"
#include "../../src/serve-metrics.h"
#include "../../src/serve-status.h"
#include "../../src/serve.h"

/* --- instead of the log, the files and the library --- */

static char logged[300];
static int logged_priority;

void serve_log(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(logged, sizeof(logged), format, args);
	va_end(args);
	logged_priority = priority;
}

static struct config_entry entries[2] = {
	{ .line = 7 }, { .line = 8, .wanted.flags = XENSPLIT_WANTED_NO_WAIT }
};
static struct config config = { .path = "g.cfg", .entries = entries, .count = 2 };
static const struct served_file served[] = {
	{ .path = "g.cfg", .config = &config },
	{ .path = "bad.cfg", .error = "bad.cfg: it has no name" },
};

const struct served_file *files_find(const struct files *files, const char *domain)
{
	(void)files;
	return strcmp(domain, "guest5") ? NULL : &served[0];
}

const struct served_file *files_get(const struct files *files, size_t index)
{
	(void)files;
	return index < 2 ? &served[index] : NULL;
}

static const struct xensplit_kept *kept_devices;
static size_t kept_count;

const struct xensplit_kept *xensplit_keeper_get(struct xensplit_keeper *keeper,
						size_t index)
{
	(void)keeper;
	return index < kept_count ? &kept_devices[index] : NULL;
}

const char *xensplit_version(void)
{
	return "1.2.3";
}

const char *xensplit_state_name(int state)
{
	(void)state;
	return "a state";
}

/* --- */

static struct serve serve;
static const struct xensplit_error failure = { .err = -EIO,
					       .code = "failed",
					       .message = "it failed" };
static const struct xensplit_error refusal = { .err = -EINVAL,
					       .code = "bad-type",
					       .message = "no such type" };

static struct xensplit_keeper_event event_of(int type, const char *domain)
{
	struct xensplit_keeper_event event = { .type = type,
					       .domain = domain,
					       .id = { 5, "mydevice", 0 },
					       .backend_domid = XENSPLIT_ANY };

	if (type == XENSPLIT_KEEPER_FAILED)
		event.error = &failure;
	if (type == XENSPLIT_KEEPER_REFUSED)
		event.error = &refusal;
	return event;
}

static void logs(const struct xensplit_keeper_event *event, int priority,
		 const char *expected)
{
	*logged = '\0';
	serve.changed = 0;
	event_note(&serve, event);
	assert_string_equal(logged, expected);
	assert_int_equal(logged_priority, priority);
	assert_int_equal(serve.changed, 1);
}

static int restart(void **state)
{
	(void)state;
	stats_clear(&serve.stats);
	memset(&serve, 0, sizeof(serve));
	kept_count = 0;
	return 0;
}

static void who_it_is_about(void **state)
{
	struct xensplit_keeper_event event = event_of(XENSPLIT_KEEPER_ATTACHED, "guest5");

	(void)state;
	logs(&event, LOG_INFO, "guest5 mydevice/0: attached");
	event.domain = NULL;
	logs(&event, LOG_INFO, "domain 5 mydevice/0: attached");
	event.domain = "guest\n5";
	event.id.devid = XENSPLIT_DEVID_AUTO;
	logs(&event, LOG_INFO, "guest\\x0a5 mydevice/auto: attached");
	event = event_of(XENSPLIT_KEEPER_DOMAIN, "guest5");
	event.id.type = NULL;
	logs(&event, LOG_INFO, "guest5: domain 5 is there");
	event.type = XENSPLIT_KEEPER_DOMAIN_GONE;
	event.domain = NULL;
	logs(&event, LOG_INFO, "domain 5: domain 5 is gone");
	assert_int_equal(serve.stats.attached, 3);
}

static void what_is_removed(void **state)
{
	struct xensplit_keeper_event event = event_of(XENSPLIT_KEEPER_DETACHED, "guest5");

	(void)state;
	logs(&event, LOG_NOTICE, "guest5 mydevice/0: detached, it is not on the list");
	event.type = XENSPLIT_KEEPER_REAPED;
	logs(&event, LOG_NOTICE, "guest5 mydevice/0: removed, its domain is gone");
	assert_int_equal(serve.stats.detached, 1);
	assert_int_equal(serve.stats.reaped, 1);
}

static void how_long_it_took(void **state)
{
	struct xensplit_keeper_event event =
		event_of(XENSPLIT_KEEPER_CONNECTED, "guest5");

	(void)state;
	logs(&event, LOG_INFO, "guest5 mydevice/0: connected");
	event.took_us = 12600;
	logs(&event, LOG_NOTICE, "guest5 mydevice/0: connected after 13 ms");
	event.took_us = 2340000;
	logs(&event, LOG_NOTICE, "guest5 mydevice/0: connected after 2.3 s");
	event.took_us = 3600000000;
	event.domain = NULL;
	logs(&event, LOG_NOTICE, "domain 5 mydevice/0: connected after 3600.0 s");
	assert_int_equal(serve.stats.connected, 4);
	assert_int_equal(serve.stats.times, 3);
	assert_int_equal(serve.stats.time_us, 3602352600);
	assert_int_equal(serve.stats.ranges[1], 1); /* up to 30 ms */
	assert_int_equal(serve.stats.ranges[5], 1); /* up to 3 s */
	assert_int_equal(serve.stats.ranges[STATS_RANGES - 1], 1);
}

/* What was lost and connects again is counted, each once, unless its domain has gone meanwhile. */
static void lost_and_found(void **state)
{
	struct xensplit_keeper_event lost = event_of(XENSPLIT_KEEPER_LOST, "guest5");
	struct xensplit_keeper_event found =
		event_of(XENSPLIT_KEEPER_CONNECTED, "guest5");
	struct xensplit_keeper_event gone =
		event_of(XENSPLIT_KEEPER_DOMAIN_GONE, "guest6");

	(void)state;
	logs(&lost, LOG_WARNING, "guest5 mydevice/0: no longer connected");
	lost.entry = 1;
	event_note(&serve, &lost);
	lost.domain = "guest6";
	event_note(&serve, &lost);
	assert_int_equal(serve.stats.open_count, 3);
	event_note(&serve, &found);
	event_note(&serve, &found);
	assert_int_equal(serve.stats.reconnected, 1);
	event_note(&serve, &gone);
	assert_int_equal(serve.stats.open_count, 1);
	found.domain = "guest6";
	found.entry = 1;
	event_note(&serve, &found);
	assert_int_equal(serve.stats.reconnected, 1);
	found.domain = "guest5";
	event_note(&serve, &found);
	assert_int_equal(serve.stats.reconnected, 2);
	assert_int_equal(serve.stats.lost, 3);
}

/* One whose name nobody knows cannot be found again. */
static void lost_without_a_name(void **state)
{
	struct xensplit_keeper_event lost = event_of(XENSPLIT_KEEPER_LOST, NULL);
	struct xensplit_keeper_event gone = event_of(XENSPLIT_KEEPER_DOMAIN_GONE, NULL);

	(void)state;
	logs(&lost, LOG_WARNING, "domain 5 mydevice/0: no longer connected");
	assert_int_equal(serve.stats.open_count, 0);
	lost.domain = "guest5";
	event_note(&serve, &lost);
	event_note(&serve, &gone);
	assert_int_equal(serve.stats.lost, 2);
	assert_int_equal(serve.stats.open_count, 1);
}

/* Some are still lost when serve ends: stats_clear() frees them. */
static void lost_until_the_end(void **state)
{
	struct xensplit_keeper_event lost = event_of(XENSPLIT_KEEPER_LOST, "guest5");

	(void)state;
	event_note(&serve, &lost);
	assert_int_equal(serve.stats.open_count, 1);
}

static void when_it_tries_again(void **state)
{
	struct xensplit_keeper_event event = event_of(XENSPLIT_KEEPER_FAILED, "guest5");

	(void)state;
	logs(&event, LOG_WARNING, "guest5 mydevice/0: it failed");
	event.retry_us = 500000;
	logs(&event, LOG_WARNING, "guest5 mydevice/0: it failed; next try in 500 ms");
	event.retry_us = 30000000;
	logs(&event, LOG_WARNING, "guest5 mydevice/0: it failed; next try in 30.0 s");
}

static void where_a_refused_entry_is(void **state)
{
	struct xensplit_keeper_event event = event_of(XENSPLIT_KEEPER_REFUSED, "guest5");

	(void)state;
	event.entry = 1;
	logs(&event, LOG_ERR, "guest5 mydevice/0: g.cfg:8: no such type");
	event.entry = 2; /* the file has changed meanwhile */
	logs(&event, LOG_ERR, "guest5 mydevice/0: no such type");
	event.entry = -1;
	logs(&event, LOG_ERR, "guest5 mydevice/0: no such type");
	event.domain = "guest6";
	logs(&event, LOG_ERR, "guest6 mydevice/0: no such type");
	event.domain = NULL;
	logs(&event, LOG_ERR, "domain 5 mydevice/0: no such type");
}

static void each_code_is_counted(void **state)
{
	struct xensplit_keeper_event failed = event_of(XENSPLIT_KEEPER_FAILED, "guest5");
	struct xensplit_keeper_event refused =
		event_of(XENSPLIT_KEEPER_REFUSED, "guest5");

	(void)state;
	event_note(&serve, &failed);
	event_note(&serve, &refused);
	event_note(&serve, &failed);
	assert_int_equal(serve.stats.code_count, 2);
	assert_string_equal(serve.stats.codes[0].code, "failed");
	assert_int_equal(serve.stats.codes[0].count, 2);
	assert_string_equal(serve.stats.codes[1].code, "bad-type");
	assert_int_equal(serve.stats.codes[1].count, 1);
}

static void the_state_of_a_device(void **state)
{
	static const struct {
		int front, back;
		enum kept_state is;
	} rows[] = {
		{ XENSPLIT_STATE_CONNECTED, XENSPLIT_STATE_CONNECTED, KEPT_CONNECTED },
		{ XENSPLIT_STATE_CONNECTED, XENSPLIT_STATE_RECONFIGURING,
		  KEPT_CONNECTED },
		{ XENSPLIT_STATE_RECONFIGURED, XENSPLIT_STATE_CONNECTED, KEPT_CONNECTED },
		{ XENSPLIT_STATE_CONNECTED, XENSPLIT_STATE_INIT_WAIT, KEPT_WAITING },
		{ XENSPLIT_STATE_INITIALISED, XENSPLIT_STATE_CONNECTED, KEPT_WAITING },
		{ XENSPLIT_STATE_CLOSED, XENSPLIT_STATE_CLOSED, KEPT_WAITING },
	};
	struct xensplit_kept kept = { .error = &failure };

	(void)state;
	assert_int_equal(kept_state(&kept), KEPT_REFUSED);
	kept.failures = 1;
	assert_int_equal(kept_state(&kept), KEPT_FAILED);
	kept.error = NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kept.frontend_state = rows[i].front;
		kept.backend_state = rows[i].back;
		assert_int_equal(kept_state(&kept), rows[i].is);
	}
}

/* One that nobody waits for is fine while it waits; not once its list has no such entry. */
static void the_sums(void **state)
{
	static const struct xensplit_kept devices[] = {
		{ .domain = "guest5",
		  .id = { 5, "mydevice", 0 },
		  .frontend_state = XENSPLIT_STATE_CONNECTED,
		  .backend_state = XENSPLIT_STATE_CONNECTED },
		{ .domain = "guest5", .id = { 5, "mydevice", 1 }, .entry = 0 },
		{ .domain = "guest5", .id = { 5, "mydevice", 2 }, .entry = 1 },
		{ .domain = "guest5", .id = { 5, "mydevice", 3 }, .entry = 2 },
		{ .domain = "guest5", .id = { 5, "mydevice", 4 }, .entry = -1 },
		{ .domain = "guest6", .id = { 6, "mydevice", 0 }, .error = &refusal },
	};
	struct totals totals;

	(void)state;
	kept_devices = devices;
	kept_count = sizeof(devices) / sizeof(devices[0]);
	totals_get(&serve, &totals);
	assert_int_equal(totals.wanted, 0); /* without xenstored */
	assert_int_equal(totals.lists, 1);
	assert_int_equal(totals.listed, 2);
	assert_int_equal(totals.bad_files, 1);
	serve.keeper = (struct xensplit_keeper *)&serve;
	totals_get(&serve, &totals);
	assert_int_equal(totals.wanted, 6);
	assert_int_equal(totals.states[KEPT_CONNECTED], 1);
	assert_int_equal(totals.states[KEPT_WAITING], 4);
	assert_int_equal(totals.states[KEPT_REFUSED], 1);
	assert_int_equal(totals.fine, 2);
	assert_int_equal(totals.domains, 2);
}

static void has(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	if (!at || (at > text && at[-1] != '\n') || at[strlen(line)] != '\n')
		print_error("no line \"%s\" in:\n%s\n", line, text);
	assert_true(at && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n');
}

static void the_words_for_systemd(void **state)
{
	static const struct xensplit_kept device = {
		.domain = "guest5",
		.frontend_state = XENSPLIT_STATE_CONNECTED,
		.backend_state = XENSPLIT_STATE_CONNECTED
	};
	char *text = status_words(&serve);

	(void)state;
	assert_string_equal(text, "waiting for xenstored; 1 file cannot be used");
	free(text);
	serve.keeper = (struct xensplit_keeper *)&serve;
	kept_devices = &device;
	kept_count = 1;
	text = status_words(&serve);
	assert_string_equal(text, "1 of 1 devices connected, in 1 of 1 domains; 1 file "
				  "cannot be used");
	free(text);
}

/* Before xenstored is there, it is not known which devices are wanted. */
static void metrics_without_xenstored(void **state)
{
	char *text = metrics_text(&serve);

	(void)state;
	has(text, "xensplit_xenstored_connected 0");
	has(text, "xensplit_listed_devices 2");
	has(text, "xensplit_bad_files 1");
	assert_null(strstr(text, "xensplit_wanted_devices"));
	assert_null(strstr(text, "xensplit_devices{"));
	free(text);
}

static void metrics(void **state)
{
	static const struct xensplit_kept devices[] = {
		{ .domain = "guest5",
		  .id = { 5, "q\"\\\n", 0 },
		  .frontend_state = XENSPLIT_STATE_CONNECTED,
		  .backend_state = XENSPLIT_STATE_CONNECTED },
		{ .domain = "guest5", .id = { 5, "q\"\\\n", 1 } },
		{ .domain = "guest5", .id = { 5, "q\"\\\n", 2 } },
		{ .domain = "guest6", .id = { 6, "mydevice", 0 }, .error = &refusal },
	};
	struct xensplit_keeper_event event =
		event_of(XENSPLIT_KEEPER_CONNECTED, "guest5");
	struct xensplit_keeper_event failed = event_of(XENSPLIT_KEEPER_FAILED, "guest5");
	char *text;

	(void)state;
	event.took_us = 30000;
	event_note(&serve, &event);
	event.took_us = 2000000;
	event_note(&serve, &event);
	event_note(&serve, &failed);
	serve.keeper = (struct xensplit_keeper *)&serve;
	serve.xenstored_losses = 3;
	kept_devices = devices;
	kept_count = sizeof(devices) / sizeof(devices[0]);
	text = metrics_text(&serve);
	has(text, "xensplit_build_info{version=\"1.2.3\"} 1");
	has(text, "xensplit_wanted_devices 4");
	has(text, "xensplit_domains 2");
	has(text,
	    "xensplit_devices{type=\"q\\\"\\\\\\\\\\\\x0a\",state=\"connected\"} 1");
	has(text, "xensplit_devices{type=\"q\\\"\\\\\\\\\\\\x0a\",state=\"waiting\"} 2");
	has(text, "xensplit_devices{type=\"mydevice\",state=\"refused\"} 1");
	has(text, "xensplit_connect_seconds_bucket{le=\"0.01\"} 0");
	has(text, "xensplit_connect_seconds_bucket{le=\"0.03\"} 1");
	has(text, "xensplit_connect_seconds_bucket{le=\"3\"} 2");
	has(text, "xensplit_connect_seconds_bucket{le=\"+Inf\"} 2");
	has(text, "xensplit_connect_seconds_sum 2.030000");
	has(text, "xensplit_connect_seconds_count 2");
	has(text, "xensplit_xenstored_lost_total 3");
	has(text, "xensplit_failures_total{code=\"failed\"} 1");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_it_is_about, restart),
		cmocka_unit_test_setup(what_is_removed, restart),
		cmocka_unit_test_setup(how_long_it_took, restart),
		cmocka_unit_test_setup(lost_and_found, restart),
		cmocka_unit_test_setup_teardown(lost_without_a_name, restart, restart),
		cmocka_unit_test_setup_teardown(lost_until_the_end, restart, restart),
		cmocka_unit_test_setup(when_it_tries_again, restart),
		cmocka_unit_test_setup(where_a_refused_entry_is, restart),
		cmocka_unit_test_setup_teardown(each_code_is_counted, restart, restart),
		cmocka_unit_test_setup(the_state_of_a_device, restart),
		cmocka_unit_test_setup(the_sums, restart),
		cmocka_unit_test_setup(the_words_for_systemd, restart),
		cmocka_unit_test_setup(metrics_without_xenstored, restart),
		cmocka_unit_test_setup_teardown(metrics, restart, restart),
	};

	return cmocka_run_group_tests_name("unit/serve", tests, NULL, NULL);
}
