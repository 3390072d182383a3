// SPDX-License-Identifier: GPL-2.0-or-later
/* Detach: ask first, wait, then remove in an order that both ends notice. */
#include "store.h"

static int detach(uint32_t flags, unsigned int timeout_ms)
{
	return xensplit_detach(ctx, &mydevice, flags, timeout_ms);
}

static void not_a_node_is_left(void **state)
{
	const char *before = dump();

	(void)state;
	connect_mydevice();
	assert_result(detach(0, 10000), 0);
	assert_no_device();
	assert_untouched(before);
}

static void what_is_not_attached(void **state)
{
	const char *before;

	(void)state;
	put(FE "/state", "4", "n5,r0");
	put(BE "/state", "4", "n0,r5");
	before = dump();
	assert_result(detach(0, 1000), -ENOENT);
	assert_contains(xensplit_errmsg(ctx), FE " exists, and xensplit did not make it");
	assert_string_equal(xensplit_last_error(ctx)->code, "foreign");
	assert_result(detach(1u << 1, 1000), -EINVAL);
	assert_untouched(before);
}

/* No driver has it, so there is nothing to wait for. */
static void a_device_never_claimed_goes_at_once(void **state)
{
	uint64_t begun = now_ms();

	(void)state;
	attach_mydevice();
	assert_result(detach(0, 20000), 0);
	assert_true(now_ms() - begun < 6000);
	assert_no_device();
}

/* The backend waits in InitWait for a guest without the module: it closes alone. */
static void a_backend_without_its_frontend(void **state)
{
	uint64_t begun;

	(void)state;
	drive("back 0 mydevice");
	attach_mydevice();
	await(BE "/state", "2");
	begun = now_ms();
	assert_result(detach(0, 20000), 0);
	assert_true(now_ms() - begun < 6000);
	assert_no_device();
}

/* Other devices of the domain, of the type, and of the other end stay. */
static void others_stay(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 1);
	const char *before;

	(void)state;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	opts.type = "other";
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	opts.domid = 6;
	opts.type = "mydevice";
	opts.devid = 0;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	before = dump();
	attach_mydevice();
	assert_result(detach(0, 1000), 0);
	assert_untouched(before);
}

/* Reads the guest's events up to a node that is written last. */
static bool guest_was_told(struct xs_handle *guest, const char *path)
{
	bool told = false;

	put("/local/domain/5/device/last", "", NULL);
	for (;;) {
		unsigned int count;
		char **event = xs_read_watch(guest, &count);
		bool last;

		assert_non_null(event);
		told |= !strcmp(event[XS_WATCH_PATH], path);
		last = !strcmp(event[XS_WATCH_PATH], "device/last");
		free(event);
		if (last)
			return told;
	}
}

/* Linux handles events with at least two slashes and ignores "device/mydevice". */
static void pitfall_11_the_guest_gets_an_event(void **state)
{
	struct xs_handle *guest = as_domain(5);

	(void)state;
	attach_mydevice();
	assert_true(xs_watch(guest, "device", "bus"));
	assert_false(guest_was_told(guest, "device/mydevice/0"));
	assert_result(detach(0, 1000), 0);
	assert_true(guest_was_told(guest, "device/mydevice/0"));
	assert_gone("/local/domain/5/device/mydevice");
}

/* A real driver lets go of a device that was removed by force. */
static void pitfall_11_a_driver_notices_a_removal(void **state)
{
	struct driver *front, *back;

	(void)state;
	back = drive("back 0 mydevice --never-close");
	front = drive("front 5 mydevice --never-close");
	attach_mydevice();
	await(FE "/state", "4");
	await(BE "/state", "4");
	assert_result(detach(XENSPLIT_DETACH_FORCE, 0), 0);
	assert_true(driver_says(front, "unregistered"));
	assert_true(driver_says(back, "unregistered"));
}

/* online = 0 and Closing are one commit; removal comes only after the backend's Closed. */
static void pitfall_12_close_comes_before_removal(void **state)
{
	struct driver *back, *front;

	(void)state;
	back = drive("back 0 mydevice --delay 50");
	front = drive("front 5 mydevice");
	attach_mydevice();
	await(BE "/state", "4");
	assert_result(detach(0, 10000), 0);
	assert_true(driver_says(front, "4 -> 6"));
	assert_true(driver_says(back, "4 -> 6"));
	assert_true(driver_says(back, "unregistered"));
	assert_no_device();
}

static void pitfall_12_closing_and_offline_are_one_commit(void **state)
{
	struct xs_handle *watcher = as_domain(0);
	unsigned int count, len;
	char **event, *online;

	(void)state;
	attach_mydevice();
	put(FE "/state", "4", NULL);
	put(BE "/state", "4", NULL);
	assert_true(xs_watch(watcher, BE "/state", "t"));
	free(xs_read_watch(watcher, &count));
	assert_result(detach(0, 100), -ETIMEDOUT);
	event = xs_read_watch(watcher, &count);
	assert_non_null(event);
	free(event);
	online = xs_read(watcher, XBT_NULL, BE "/online", &len);
	assert_string_equal(online, "0");
	free(online);
	assert_node(BE "/state", "5", "n0,r5");
	assert_node(FE "/state", "4", "n5,r0");
}

static void pitfall_13_a_guest_that_never_closes(void **state)
{
	uint64_t begun, took;

	(void)state;
	drive("back 0 mydevice");
	drive("front 5 mydevice --never-close");
	attach_mydevice();
	await(BE "/state", "4");
	begun = now_ms();
	assert_result(detach(0, 400), -ETIMEDOUT);
	took = now_ms() - begun;
	assert_in_range(took, 400, 6000);
	assert_contains(xensplit_errmsg(ctx), "not closed after ");
	assert_contains(xensplit_errmsg(ctx), "frontend Connected");
	assert_string_equal(xensplit_last_error(ctx)->code, "not-closed");
	assert_int_equal(xensplit_last_error(ctx)->frontend_state,
			 XENSPLIT_STATE_CONNECTED);
	/* Everything is still there, with online = 0 because it was asked to close. */
	assert_string_equal(record_field(REC, "backend-id"), "0");
	assert_node(FE "/state", "4", "n5,r0");
	assert_node(FE "/backend", BE, "n0,r5,r0");
	assert_node(BE "/online", "0", "n0,r5");
	assert_true(exists(BE "/state"));
	/* A second try, then by force. */
	assert_result(detach(0, 100), -ETIMEDOUT);
	assert_result(detach(XENSPLIT_DETACH_FORCE, 300), 0);
	assert_no_device();
	assert_contains(logged, "removed anyway");
}

static void pitfall_13_force_waits_for_drivers_that_close(void **state)
{
	struct driver *back;

	(void)state;
	back = drive("back 0 mydevice --delay 30");
	drive("front 5 mydevice --delay 30");
	attach_mydevice();
	await(BE "/state", "4");
	assert_result(detach(XENSPLIT_DETACH_FORCE, 10000), 0);
	assert_true(driver_says(back, "-> 6"));
	assert_null(strstr(logged, "removed anyway"));
}

/* A backend that removes its own directory has closed. */
static void pitfall_14_a_backend_that_vanishes(void **state)
{
	struct xs_handle *other = as_domain(0);
	uint64_t begun = now_ms();

	(void)state;
	connect_mydevice();
	/* Before the wait ... */
	assert_true(xs_rm(other, XBT_NULL, BE));
	assert_result(detach(0, 20000), 0);
	assert_true(now_ms() - begun < 5000);
	assert_no_device();
}

static void pitfall_14_a_backend_that_vanishes_meanwhile(void **state)
{
	uint64_t begun;

	(void)state;
	attach_mydevice();
	put(FE "/state", "4", NULL);
	put(BE "/state", "4", NULL);
	/* ... and during it. */
	run("(while [ \"$(xenstore-read " BE "/state)\" != 5 ]; do :; done; "
	    "sleep 0.1; xenstore-rm " BE ") >/dev/null 2>&1 &");
	begun = now_ms();
	assert_result(detach(0, 20000), 0);
	assert_true(now_ms() - begun < 5000);
	assert_gone(FE);
	assert_gone(REC);
	assert_gone("/local/domain/0/backend");
}

/* A driver domain can't remove what dom0 made above its half; its own `backend` stays. */
static void pitfall_18_a_driver_domains_own_directory_stays(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	struct xs_handle *driver_domain = as_domain(6);
	const char *before;

	(void)state;
	put("/local/domain/6/backend", "", "n6,r0");
	before = dump();
	drive("back 6 mydevice");
	drive("front 5 mydevice");
	opts.backend_domid = 6;
	assert_result(xensplit_attach(ctx, &opts, 10000, NULL), 0);
	assert_node("/local/domain/6/backend/mydevice/5/0/state", "4", "n6,r5");
	assert_result(detach(0, 10000), 0);
	assert_untouched(before);
	assert_true(xs_write(driver_domain, XBT_NULL, "backend/mine", "", 0));
}

/* The error nodes of the drivers are removed with the device, and no others. */
static void error_nodes_go_too(void **state)
{
	(void)state;
	attach_mydevice();
	put("/local/domain/5/error/device/mydevice/0/error", "oops", "n5");
	put("/local/domain/5/error/device/mydevice/1/error", "oops", "n5");
	put("/local/domain/0/error/backend/mydevice/5/0/error", "oops", NULL);
	assert_result(detach(0, 1000), 0);
	assert_gone("/local/domain/5/error/device/mydevice/0");
	assert_true(exists("/local/domain/5/error/device/mydevice/1/error"));
	assert_gone("/local/domain/0/error");
}

/* The guest removed its half: the rest is still removed in order. */
static void a_frontend_that_is_gone(void **state)
{
	(void)state;
	connect_mydevice();
	assert_true(xs_rm(as_domain(5), XBT_NULL, FE));
	assert_result(detach(0, 10000), 0);
	assert_no_device();
}

/* Drivers that stay loaded take up the next device of that name. */
static void attach_again(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	struct driver *front;
	int i;

	(void)state;
	drive("back 0 mydevice");
	front = drive("front 5 mydevice");
	for (i = 0; i < 5; i++) {
		driver_forget(front);
		assert_result(xensplit_attach(ctx, &opts, 10000, NULL), 0);
		assert_result(detach(0, 10000), 0);
		assert_no_device();
		/* A guest that has not noticed the removal would miss the next device. */
		assert_true(driver_says(front, "unregistered"));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(not_a_node_is_left),
		store_test(what_is_not_attached),
		store_test(a_device_never_claimed_goes_at_once),
		store_test(a_backend_without_its_frontend),
		store_test(others_stay),
		store_test(pitfall_11_the_guest_gets_an_event),
		store_test(pitfall_11_a_driver_notices_a_removal),
		store_test(pitfall_12_close_comes_before_removal),
		store_test(pitfall_12_closing_and_offline_are_one_commit),
		store_test(pitfall_13_a_guest_that_never_closes),
		store_test(pitfall_13_force_waits_for_drivers_that_close),
		store_test(pitfall_14_a_backend_that_vanishes),
		store_test(pitfall_14_a_backend_that_vanishes_meanwhile),
		store_test(pitfall_18_a_driver_domains_own_directory_stays),
		store_test(error_nodes_go_too),
		store_test(a_frontend_that_is_gone),
		store_test(attach_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
