// SPDX-License-Identifier: GPL-2.0-or-later
/* Escaping bytes, and parsing numbers. */
#include "unit.h"

#define SHOWN(bytes, text)                                                               \
	do {                                                                             \
		char buf_[128];                                                          \
		assert_string_equal(                                                     \
			escape(buf_, sizeof(buf_), (bytes), sizeof(bytes) - 1), (text)); \
	} while (0)

static void escape_leaves_printable_ascii(void **state)
{
	(void)state;
	SHOWN("", "");
	SHOWN("My device, v1.0 ~!", "My device, v1.0 ~!");
}

static void escape_shows_what_could_harm_a_terminal(void **state)
{
	(void)state;
	SHOWN("a\0b", "a\\x00b");
	SHOWN("\x1b[2J\n\t\x7f", "\\x1b[2J\\x0a\\x09\\x7f");
	SHOWN("\xc3\xa4\xff", "\\xc3\\xa4\\xff");
	SHOWN("a\\x00", "a\\\\x00");
}

/* For any size: fits, is terminated, and no escape is cut in half. */
static void escape_is_cut_to_fit(void **state)
{
	static const char bytes[] = "ab\x01\\cd\xff\xffzz";
	char whole[128], buf[64];
	size_t size;

	(void)state;
	escape(whole, sizeof(whole), bytes, sizeof(bytes) - 1);
	for (size = 1; size < sizeof(buf); size++) {
		size_t len;

		memset(buf, '!', sizeof(buf));
		escape(buf, size, bytes, sizeof(bytes) - 1);
		len = strlen(buf);
		assert_true(len < size);
		assert_int_equal(buf[size], '!');
		assert_memory_equal(buf, whole, len);
		/* The cut must not be inside an escape. */
		if (len >= 1 && whole[len])
			assert_false(buf[len - 1] == '\\' && whole[len] == 'x' &&
				     (len < 2 || buf[len - 2] != '\\'));
	}
	assert_string_equal(buf, whole);
}

static bool parses(const char *text, size_t len, uint64_t max, uint64_t *ret)
{
	*ret = 77;
	return parse_number(text, len, max, ret);
}

static void parse_number_accepts_only_digits(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		{ "", 0 },    { "-1", 2 },     { "+1", 2 }, { " 1", 2 },   { "1 ", 2 },
		{ "1\n", 2 }, { "1\0", 2 },    { "\0", 1 }, { "0x1", 3 },  { "1e1", 3 },
		{ "a", 1 },   { "1.0", 3 },    { "1,", 2 }, { "\xb9", 1 }, { "/", 1 },
		{ ":", 1 },   { "1\0001", 3 },
	};
	uint64_t number;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(parses(bad[i].text, bad[i].len, UINT64_MAX, &number));
		assert_int_equal(number, 77);
	}
	assert_true(parses("0", 1, 0, &number));
	assert_int_equal(number, 0);
	assert_true(parses("123", 2, 99, &number)); /* reads @len bytes, not to a NUL */
	assert_int_equal(number, 12);
}

static void parse_number_stops_at_max(void **state)
{
	static const uint64_t max[] = { 0,   1,	  4,	     5,		 8,	   9,
					10,  11,  18,	     19,	 32751,	   99,
					100, 255, INT32_MAX, UINT32_MAX, INT64_MAX };
	char text[32];
	uint64_t number;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(max); i++) {
		snprintf(text, sizeof(text), "%" PRIu64, max[i]);
		assert_true(parses(text, strlen(text), max[i], &number));
		assert_true(number == max[i]);
		snprintf(text, sizeof(text), "%" PRIu64, max[i] + 1);
		assert_false(parses(text, strlen(text), max[i], &number));
		assert_int_equal(number, 77);
	}
}

/* A digit above a one-digit limit must not make the subtraction wrap. */
static void parse_number_with_a_digit_above_max(void **state)
{
	uint64_t number;

	(void)state;
	assert_false(parses("9", 1, 8, &number));
	assert_false(parses("9", 1, 3, &number));
	assert_false(parses("1", 1, 0, &number));
	assert_false(parses("19", 2, 3, &number));
	assert_false(parses("09", 2, 8, &number));
	assert_true(parses("08", 2, 8, &number));
	assert_int_equal(number, 8);
}

static void parse_number_does_not_overflow(void **state)
{
	static const char most[] = "18446744073709551615";
	static const char *const over[] = {
		"18446744073709551616", "18446744073709551620", "28446744073709551615",
		"99999999999999999999", "184467440737095516150"
	};
	char zeros[4096];
	uint64_t number;
	size_t i;

	(void)state;
	assert_true(parses(most, strlen(most), UINT64_MAX, &number));
	assert_true(number == UINT64_MAX);
	for (i = 0; i < ARRAY_SIZE(over); i++)
		assert_false(parses(over[i], strlen(over[i]), UINT64_MAX, &number));
	memset(zeros, '9', sizeof(zeros));
	assert_false(parses(zeros, sizeof(zeros), UINT64_MAX, &number));
}

/* "07" is another node than "7", and no device of that id. */
static void parse_name_without_leading_zeros(void **state)
{
	uint64_t number = 77;

	(void)state;
	assert_false(parse_name("00", 9, &number));
	assert_false(parse_name("07", 9, &number));
	assert_false(parse_name("7x", 9, &number));
	assert_false(parse_name("", 9, &number));
	assert_int_equal(number, 77);
	assert_true(parse_name("0", 9, &number));
	assert_int_equal(number, 0);
	assert_true(parse_name("70", 99, &number));
	assert_int_equal(number, 70);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(escape_leaves_printable_ascii),
		cmocka_unit_test(escape_shows_what_could_harm_a_terminal),
		cmocka_unit_test(escape_is_cut_to_fit),
		cmocka_unit_test(parse_number_accepts_only_digits),
		cmocka_unit_test(parse_number_stops_at_max),
		cmocka_unit_test(parse_number_with_a_digit_above_max),
		cmocka_unit_test(parse_number_does_not_overflow),
		cmocka_unit_test(parse_name_without_leading_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
