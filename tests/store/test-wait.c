// SPDX-License-Identifier: GPL-2.0-or-later
/* Waiting: which states count as success or failure, and the messages. */
#include <signal.h>
#include <sys/time.h>

#include "store.h"

static int attach(unsigned int timeout_ms)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	return xensplit_attach(ctx, &opts, timeout_ms, NULL);
}

static int wait_until(int until, unsigned int timeout_ms)
{
	return xensplit_wait(ctx, &mydevice, until, timeout_ms);
}

static void both_drivers_connect(void **state)
{
	uint64_t begun = now_ms();

	(void)state;
	drive_both();
	assert_result(attach(20000), 0);
	assert_true(now_ms() - begun < 5000);
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 0), 0);
}

/* Attached before the drivers are loaded: it connects once they are. */
static void drivers_that_come_later(void **state)
{
	(void)state;
	assert_result(attach(0), 0);
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 0), -ETIMEDOUT);
	drive_both();
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 10000), 0);
}

static void no_driver_comes(void **state)
{
	uint64_t begun = now_ms();

	(void)state;
	assert_result(attach(300), -ETIMEDOUT);
	assert_in_range(now_ms() - begun, 300, 6000);
	assert_contains(xensplit_errmsg(ctx), "not connected after ");
	assert_contains(xensplit_errmsg(ctx),
			"frontend Initialising, backend Initialising");
	/* The device stays, and its id is returned. */
	assert_true(exists(REC));
	assert_node(FE "/state", "1", "n5,r0");
}

static void the_id_is_returned_even_so(void **state)
{
	struct xensplit_attach_opts opts =
		device_opts(5, "mydevice", XENSPLIT_DEVID_AUTO);
	uint32_t devid = 77;

	(void)state;
	put("/local/domain/5/device/mydevice/0/state", "1", NULL);
	assert_result(xensplit_attach(ctx, &opts, 50, &devid), -ETIMEDOUT);
	assert_int_equal(devid, 1);
	devid = 77;
	opts.devid = 1;
	assert_result(xensplit_attach(ctx, &opts, 50, &devid), -EEXIST);
	assert_int_equal(devid, 77);
}

static void rollback_leaves_nothing(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	const char *before = dump();

	(void)state;
	opts.flags = XENSPLIT_ATTACH_ROLLBACK;
	assert_result(xensplit_attach(ctx, &opts, 100, NULL), -ETIMEDOUT);
	assert_contains(xensplit_errmsg(ctx), "not connected after ");
	assert_contains(xensplit_errmsg(ctx), "it was removed again");
	assert_untouched(before);
	/* Also if one end is there already. */
	drive("back 0 mydevice");
	assert_result(xensplit_attach(ctx, &opts, 100, NULL), -ETIMEDOUT);
	assert_untouched(before);
}

/* A failed attach does not touch a device that existed before. */
static void rollback_spares_what_was_there(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	const char *before;

	(void)state;
	assert_result(attach(0), 0);
	before = dump();
	opts.flags = XENSPLIT_ATTACH_ROLLBACK;
	assert_result(xensplit_attach(ctx, &opts, 100, NULL), -EEXIST);
	assert_untouched(before);
}

static void in_the_background(const char *command)
{
	run("(%s) >/dev/null 2>&1 &", command);
}

/* Ends that skip states, or are past Connected, count as connected. */
static void pitfall_15_a_backend_that_jumps(void **state)
{
	(void)state;
	in_the_background("until xenstore-read " BE "/state; do :; done; "
			  "xenstore-write " BE "/state 4 " FE "/state 4");
	assert_result(attach(10000), 0);
}

static void pitfall_15_states_after_connected(void **state)
{
	(void)state;
	assert_result(attach(0), 0);
	put(FE "/state", "7", NULL);
	put(BE "/state", "4", NULL);
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 0), 0);
	put(FE "/state", "8", NULL);
	put(BE "/state", "7", NULL);
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 0), 0);
	put(FE "/state", "3", NULL);
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 0), -ETIMEDOUT);
}

static void assert_gives_up(const char *front, const char *back, const char *why)
{
	uint64_t begun;

	assert_result(attach(0), 0);
	put(FE "/state", "2", NULL);
	put(BE "/state", "2", NULL);
	run("(sleep 0.5; xenstore-write %s %s) >/dev/null 2>&1 &", front, back);
	begun = now_ms();
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 20000), -EPROTO);
	assert_true(now_ms() - begun < 5000);
	assert_contains(xensplit_errmsg(ctx), why);
}

static void pitfall_15_a_frontend_that_closes_after_a_start(void **state)
{
	(void)state;
	assert_gives_up(FE "/state", "6", "the frontend driver gave up");
}

static void pitfall_15_a_backend_that_closes_after_a_start(void **state)
{
	(void)state;
	assert_gives_up(BE "/state", "5", "the backend driver gave up");
}

/* Right after an attach, Closing means that probe failed, even if no start was seen. */
static void pitfall_15_a_probe_that_fails_at_once(void **state)
{
	uint64_t begun = now_ms();

	(void)state;
	drive("back 0 mydevice");
	drive("front 5 mydevice --error 'no \"ring\"\x1b[2J here'");
	assert_result(attach(20000), -EPROTO);
	assert_true(now_ms() - begun < 5000);
	assert_contains(xensplit_errmsg(ctx), "the frontend driver gave up");
	assert_contains(xensplit_errmsg(ctx), "no \"ring\"\\x1b[2J here");
}

static void a_backend_that_writes_an_error(void **state)
{
	struct driver *back;

	(void)state;
	drive("front 5 mydevice");
	back = drive("back 0 mydevice --error 'out of grants' --stop-at 1");
	attach_mydevice();
	assert_true(driver_says(back, "error: "));
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 100), -ETIMEDOUT);
	assert_string_equal(xensplit_last_error(ctx)->cause->code, "backend-error");
	assert_contains(xensplit_last_error(ctx)->cause->what, "\"out of grants\"");
}

/* An error from an earlier try is not a failure of this one. */
static void an_old_error_node(void **state)
{
	(void)state;
	drive_both();
	put("/local/domain/5/error/device/mydevice/0/error", "long ago", "n5");
	put("/local/domain/0/error/backend/mydevice/5/0/error", "long ago", NULL);
	assert_result(attach(10000), 0);
	assert_gone("/local/domain/5/error/device");
	put("/local/domain/5/error/device/mydevice/0/error", "long ago", "n5");
	put(FE "/state", "3", NULL);
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 300), -ETIMEDOUT);
}

static void a_frontend_that_stops(void **state)
{
	(void)state;
	drive("back 0 mydevice");
	drive("front 5 mydevice --stop-at 1");
	attach_mydevice();
	await(BE "/state", "2");
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 100), -ETIMEDOUT);
	assert_contains(xensplit_errmsg(ctx), "frontend Initialising, backend InitWait");
}

/* A guest's state is read with its length, and escaped in messages. */
static void pitfall_17_an_invalid_state(void **state)
{
	static const char *const garbage[] = { "4\\x00",    "\\x004",
					       "4\\x0a",    " 4",
					       "\\x1b[31m", "44444444444444444444",
					       "" };
	char huge[2049];
	size_t i;

	(void)state;
	assert_result(attach(0), 0);
	put(BE "/state", "4", NULL);
	for (i = 0; i < ARRAY_SIZE(garbage); i++) {
		char bytes[32];
		size_t len = 0;
		const char *from = garbage[i];

		for (; *from; len++)
			if (*from == '\\') {
				bytes[len] = (char)strtol(
					(char[]){ from[2], from[3], '\0' }, NULL, 16);
				from += 4;
			} else {
				bytes[len] = *from++;
			}
		put_bytes(FE "/state", bytes, len, NULL);
		assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 0), -ETIMEDOUT);
		assert_contains(xensplit_errmsg(ctx),
				"frontend invalid, backend Connected");
		assert_null(strchr(xensplit_errmsg(ctx), '\x1b'));
	}
	memset(huge, '4', sizeof(huge));
	put_bytes(FE "/state", huge, sizeof(huge), NULL);
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 0), -ETIMEDOUT);
	assert_contains(xensplit_errmsg(ctx), "frontend invalid");
	assert_result(xensplit_detach(ctx, &mydevice, XENSPLIT_DETACH_FORCE, 0), 0);
	assert_no_device();
}

static void pitfall_17_a_driver_that_writes_garbage(void **state)
{
	struct driver *front;

	(void)state;
	drive("back 0 mydevice");
	front = drive("front 5 mydevice --garbage '4\\x00\\x1b[2J'");
	attach_mydevice();
	assert_true(driver_says(front, "garbage: written"));
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 100), -ETIMEDOUT);
	assert_contains(xensplit_errmsg(ctx), "frontend invalid");
}

/* Every pair of states has an explanation. */
static void every_pair_of_states_has_a_cause(void **state)
{
	static const char *const states[] = { NULL, "x", "0", "1", "2", "3",
					      "4",  "5", "6", "7", "8" };
	size_t front, back;

	(void)state;
	for (front = 0; front < ARRAY_SIZE(states); front++)
		for (back = 0; back < ARRAY_SIZE(states); back++) {
			const struct xensplit_error *error;
			int r;

			xs_rm(dom0, XBT_NULL, "/xensplit");
			xs_rm(dom0, XBT_NULL, FE);
			xs_rm(dom0, XBT_NULL, BE);
			assert_result(attach(0), 0);
			xs_rm(dom0, XBT_NULL, FE "/state");
			xs_rm(dom0, XBT_NULL, BE "/state");
			if (states[front])
				put(FE "/state", states[front], "n5,r0");
			if (states[back])
				put(BE "/state", states[back], "n0,r5");
			r = wait_until(XENSPLIT_UNTIL_CONNECTED, 0);
			if (!r)
				assert_true(front == 6 || front >= 9);
			if (r != -ETIMEDOUT)
				continue;
			error = xensplit_last_error(ctx);
			if (!error || !error->cause || strlen(error->cause->why) < 20)
				wrong("no cause: %s\n", xensplit_errmsg(ctx));
		}
}

static void until_closed_and_until_gone(void **state)
{
	(void)state;
	assert_result(wait_until(XENSPLIT_UNTIL_GONE, 0), 0);
	assert_result(wait_until(XENSPLIT_UNTIL_CLOSED, 0), 0);
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 0), -ENOENT);
	assert_result(attach(0), 0);
	assert_result(wait_until(XENSPLIT_UNTIL_CLOSED, 0), -ETIMEDOUT);
	assert_result(wait_until(XENSPLIT_UNTIL_GONE, 0), -ETIMEDOUT);
	put(BE "/state", "6", NULL);
	assert_result(wait_until(XENSPLIT_UNTIL_CLOSED, 0), 0);
	assert_result(wait_until(XENSPLIT_UNTIL_GONE, 50), -ETIMEDOUT);
	in_the_background("sleep 0.1; xenstore-rm /xensplit " FE "; xenstore-rm " BE);
	assert_result(wait_until(XENSPLIT_UNTIL_GONE, 10000), 0);
	assert_result(wait_until(4, 0), -EINVAL);
	assert_result(wait_until(-1, 0), -EINVAL);
}

static void a_device_that_is_removed_meanwhile(void **state)
{
	uint64_t begun = now_ms();

	(void)state;
	assert_result(attach(0), 0);
	in_the_background("sleep 0.1; xenstore-rm /xensplit " BE "; xenstore-rm " FE);
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 20000), -ENOENT);
	assert_true(now_ms() - begun < 5000);
}

static void a_domain_that_dies_meanwhile(void **state)
{
	uint64_t begun = now_ms();

	(void)state;
	in_the_background("until xenstore-exists " REC
			  "; do :; done; \"$SANDBOX\" kill 5");
	assert_result(attach(20000), -ENOENT);
	assert_true(now_ms() - begun < 5000);
}

/* A foreign device is followed in the same way. */
static void a_foreign_device_is_waited_for(void **state)
{
	(void)state;
	put("/local/domain/6/backend/mydevice/5/0/state", "2", "n6,r5");
	put(FE "/state", "1", "n5,r6");
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 0), -ETIMEDOUT);
	in_the_background("sleep 0.1; xenstore-write " FE "/state 4 "
			  "/local/domain/6/backend/mydevice/5/0/state 4");
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 10000), 0);
}

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

/* Signal handlers neither end a wait early nor make it longer. */
static void a_wait_survives_signals(void **state)
{
	struct itimerval every = { { 0, 5000 }, { 0, 5000 } }, never = { 0 };
	struct sigaction action = { .sa_handler = tick }, old;
	uint64_t begun;

	(void)state;
	assert_result(attach(0), 0);
	sigaction(SIGALRM, &action, &old);
	setitimer(ITIMER_REAL, &every, NULL);
	begun = now_ms();
	assert_result(wait_until(XENSPLIT_UNTIL_CONNECTED, 300), -ETIMEDOUT);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &old, NULL);
	assert_in_range(now_ms() - begun, 300, 6000);
	assert_true(ticks > 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(both_drivers_connect),
		store_test(drivers_that_come_later),
		store_test(no_driver_comes),
		store_test(the_id_is_returned_even_so),
		store_test(rollback_leaves_nothing),
		store_test(rollback_spares_what_was_there),
		store_test(pitfall_15_a_backend_that_jumps),
		store_test(pitfall_15_states_after_connected),
		store_test(pitfall_15_a_frontend_that_closes_after_a_start),
		store_test(pitfall_15_a_backend_that_closes_after_a_start),
		store_test(pitfall_15_a_probe_that_fails_at_once),
		store_test(a_backend_that_writes_an_error),
		store_test(an_old_error_node),
		store_test(a_frontend_that_stops),
		store_test(pitfall_17_an_invalid_state),
		store_test(pitfall_17_a_driver_that_writes_garbage),
		store_test(every_pair_of_states_has_a_cause),
		store_test(until_closed_and_until_gone),
		store_test(a_device_that_is_removed_meanwhile),
		store_test(a_domain_that_dies_meanwhile),
		store_test(a_foreign_device_is_waited_for),
		store_test(a_wait_survives_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
