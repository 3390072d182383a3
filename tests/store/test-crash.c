// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kills the tool by SIGKILL at every request to the store, before xenstored gets it and before
 * the answer arrives: the store has a whole device or nothing, and the next attach or detach
 * works as usual.
 */
#include <sys/wait.h>

#include "store.h"

#define POINTS_MAX 500
#define KILLED	   137

/* The third test is slow, so it only tries every Nth request; KILL_STEP=1 tries all. */
static unsigned int step(void)
{
	const char *text = getenv("KILL_STEP");

	return text ? (unsigned int)atoi(text) : 5;
}

static int status_of(const char *command)
{
	int status = system(command);

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Runs the tool and kills it at its request number @at; 0: only counts. */
static int tool(unsigned int at, bool after, const char *arguments)
{
	char command[1024], kill[64] = "";

	if (at)
		snprintf(kill, sizeof(kill), "--kill-at %u%s", at,
			 after ? " --after" : "");
	snprintf(command, sizeof(command),
		 "\"$SANDBOX\" proxy %s -- \"$XENSPLIT\" %s >/dev/null 2>&1", kill,
		 arguments);
	return status_of(command);
}

static void assert_tool(const char *arguments)
{
	int status = tool(0, false, arguments);

	if (status)
		wrong("xensplit %s: exit status %d\n", arguments, status);
}

static const char *const whole[] = {
	REC,	     FE "/backend",  FE "/backend-id",	FE "/state",
	FE "/key",   BE "/frontend", BE "/frontend-id", BE "/online",
	BE "/state", BE "/key",
};

/* 1 if all of it is there, 0 if nothing; otherwise fails. */
static bool is_whole(unsigned int at, bool after)
{
	size_t i, there = 0;

	for (i = 0; i < ARRAY_SIZE(whole); i++)
		there += exists(whole[i]);
	if (there != 0 && there != ARRAY_SIZE(whole))
		wrong("killed %s request %u: %zu of %zu nodes\n%s",
		      after ? "after" : "at", at, there, ARRAY_SIZE(whole), dump());
	return there;
}

static const char attach[] = "attach 5 -F key=value -B key=value --no-wait";
static const char detach[] = "detach 5 -t 5";

/* Removes everything without telling the drivers. */
static void remove_all(void)
{
	exists(REC) ? assert_tool("detach 5 --force -t 1") : (void)0;
	assert_no_device();
}

static void say_how_many(const char *verb, unsigned int points, unsigned int left_whole)
{
	print_message(
		"# %s: killed at %u points, %u times the device was there after it\n",
		verb, points, left_whole);
	/* The commit is one of them, and both outcomes have been seen. */
	assert_true(points > 30);
	assert_in_range(left_whole, 1, points - 1);
}

static void killed_in_an_attach(void **state)
{
	unsigned int at, points = 0, left_whole = 0;
	int after, status;

	(void)state;
	for (after = 0; after < 2; after++)
		for (at = 1; at < POINTS_MAX; at++) {
			status = tool(at, after, attach);
			if (status == 0)
				break;
			assert_int_equal(status, KILLED);
			points++;
			if (is_whole(at, after)) {
				left_whole++;
				assert_int_equal(tool(0, false, attach), 5);
			} else {
				assert_no_device();
				assert_tool(attach);
			}
			assert_true(is_whole(at, after));
			remove_all();
		}
	say_how_many("attach", points, left_whole);
}

/*
 * The number of requests depends on the timing of the drivers, so a run may end before its kill
 * point; one of the runs around it meets the last commit.
 */
#define RUNS_TO_THE_END 8

static void killed_in_a_detach(void **state)
{
	unsigned int at, points = 0, left_whole = 0, ended;
	struct driver *front, *back;
	int after, status;

	(void)state;
	back = drive("back 0 mydevice");
	front = drive("front 5 mydevice");
	for (after = 0; after < 2; after++)
		for (at = 1, ended = 0; ended < RUNS_TO_THE_END; at++) {
			assert_true(at < POINTS_MAX);
			driver_forget(front);
			driver_forget(back);
			assert_tool("attach 5 -F key=value -B key=value");
			status = tool(at - ended, after, detach);
			if (status == 0)
				ended++;
			else
				assert_int_equal(status, KILLED);
			points += status == KILLED;
			if (is_whole(at, after)) {
				assert_int_equal(status, KILLED);
				left_whole++;
				assert_tool(detach);
			}
			assert_no_device();
			/* A driver that missed the removal would miss the next one, too. */
			assert_true(driver_says(front, "unregistered"));
			assert_true(driver_says(back, "unregistered"));
		}
	say_how_many("detach", points, left_whole);
}

/*
 * Three commits and a pause: afterwards there is the old device, the new one, or a record that
 * says what is missing. Nothing is lost, including keys: the next replace, which does not give
 * the keys again, completes it.
 */
static void killed_in_an_attach_in_place_of_another(void **state)
{
	static const char replace[] = "attach 5 -F new=1 --replace --no-wait";
	static const char again[] = "attach 5 --replace --no-wait";
	unsigned int at, points = 0, left_whole = 0, half = 0;
	int status;

	(void)state;
	for (at = 1; at < POINTS_MAX; at += step()) {
		assert_tool(attach);
		status = tool(at, at % 2, replace);
		if (status == 0)
			break;
		assert_int_equal(status, KILLED);
		points++;
		assert_true(exists(REC));
		if (record_field(REC, "phase")) {
			half++;
			assert_int_equal(tool(0, false, attach), 5);
			assert_int_equal(exists(FE), exists(BE));
			assert_tool(again);
		} else {
			left_whole++;
		}
		assert_true(is_whole(at, at % 2));
		assert_null(record_field(REC, "phase"));
		assert_string_equal(record_field(REC, "front.key"), "value");
		assert_string_equal(record_field(REC, "back.key"), "value");
		remove_all();
	}
	print_message("# attach --replace: %u of %u times a record with a phase\n", half,
		      points);
	assert_true(half * step() >= 20);
	assert_true(left_whole > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(killed_in_an_attach),
		store_test(killed_in_a_detach),
		store_test(killed_in_an_attach_in_place_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
