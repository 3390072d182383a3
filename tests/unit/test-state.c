// SPDX-License-Identifier: GPL-2.0-or-later
/* The XenBus states: their names, and other values that a guest may write. */
#include "unit.h"

static void pitfall_17_only_a_number_from_0_to_8_is_a_state(void **state)
{
	static const struct {
		const char *value;
		size_t len;
	} bad[] = {
		{ "", 0 },	   { "9", 1 },		 { "10", 2 },
		{ "44", 2 },	   { "-1", 2 },		 { "+4", 2 },
		{ " 4", 2 },	   { "4 ", 2 },		 { "4\n", 2 },
		{ "4\0", 2 },	   { "\0004", 2 },	 { "\0", 1 },
		{ "4\0005", 3 },   { "0x4", 3 },	 { "four", 4 },
		{ "4\x1b[2J", 5 }, { "4294967300", 10 }, { "18446744073709551620", 20 },
	};
	char huge[2048], one[16];
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(state_parse(bad[i].value, bad[i].len),
				 XENSPLIT_STATE_INVALID);
	memset(huge, '4', sizeof(huge));
	assert_int_equal(state_parse(huge, sizeof(huge)), XENSPLIT_STATE_INVALID);
	for (n = 0; n <= 8; n++) {
		snprintf(one, sizeof(one), "%d", n);
		assert_int_equal(state_parse(one, 1), n);
	}
}

static void names_are_those_of_xenbus_h(void **state)
{
	static const char *const names[] = {
		"Unknown", "Initialising", "InitWait",	    "Initialised", "Connected",
		"Closing", "Closed",	   "Reconfiguring", "Reconfigured"
	};
	int i;

	(void)state;
	for (i = 0; i < (int)ARRAY_SIZE(names); i++)
		assert_string_equal(xensplit_state_name(i), names[i]);
	assert_string_equal(xensplit_state_name(XENSPLIT_STATE_ABSENT), "absent");
	assert_string_equal(xensplit_state_name(XENSPLIT_STATE_INVALID), "invalid");
	assert_string_equal(xensplit_state_name(9), "invalid");
	assert_string_equal(xensplit_state_name(INT32_MAX), "invalid");
	assert_string_equal(xensplit_state_name(INT32_MIN), "invalid");
}

/* Started: a driver has it. Closing: a driver is closing it. Neither: no driver, or no state. */
static void states_fall_into_classes(void **state)
{
	static const struct {
		int state;
		bool started, connected, closing;
	} rows[] = {
		{ -2, false, false, false }, { -1, false, false, false },
		{ 0, false, false, false },  { 1, false, false, false },
		{ 2, true, false, false },   { 3, true, false, false },
		{ 4, true, true, false },    { 5, false, false, true },
		{ 6, false, false, true },   { 7, true, true, false },
		{ 8, true, true, false },    { 9, false, false, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(state_is_started(rows[i].state), rows[i].started);
		assert_int_equal(state_is_connected(rows[i].state), rows[i].connected);
		assert_int_equal(state_is_closing(rows[i].state), rows[i].closing);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pitfall_17_only_a_number_from_0_to_8_is_a_state),
		cmocka_unit_test(names_are_those_of_xenbus_h),
		cmocka_unit_test(states_fall_into_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
