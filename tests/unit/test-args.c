// SPDX-License-Identifier: GPL-2.0-or-later
/* The parsers of the tool's arguments, and its texts: part of the tool, not of the library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../src/args.h"
#include "../../src/text.h"
#include "xensplit.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void numbers(void **state)
{
	static const char *const bad[] = {
		"",   "x",   "-1",  "+1",	  " 1",
		"1 ", "0x1", "301", "4294967296", "99999999999999999999999"
	};
	uint32_t number = 7;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_number(bad[i], 300, &number), -1);
	assert_int_equal(number, 7);
	assert_int_equal(parse_number("300", 300, &number), 0);
	assert_int_equal(number, 300);
	assert_int_equal(parse_number("007", 300, &number), 0);
	assert_int_equal(number, 7);
}

/* -1: not a device */
static int device(const char *text, int allow_auto, struct xensplit_id *id)
{
	static char copy[64];

	return parse_device(strcpy(copy, text), allow_auto, id);
}

static void devices(void **state)
{
	static const char *const bad[] = { "",	  "/",	  "/1",		  "a/",
					   "a/x", "a/-1", "a/4294967295", "a/1/2" };
	struct xensplit_id id;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(device(bad[i], 1, &id), -1);
	assert_int_equal(device("a/auto", 0, &id), -1);
	assert_int_equal(device("a/auto", 1, &id), 0);
	assert_true(id.devid == XENSPLIT_DEVID_AUTO);
	assert_int_equal(device("abc", 0, &id), 0);
	assert_string_equal(id.type, "abc");
	assert_int_equal(id.devid, 0);
	assert_int_equal(device("abc/12", 0, &id), 0);
	assert_string_equal(id.type, "abc");
	assert_int_equal(id.devid, 12);
}

static void seconds(void **state)
{
	static const struct {
		const char *text;
		unsigned int ms;
	} good[] = {
		{ "0", 0 },	    { "1", 1000 },	   { "0.5", 500 },
		{ "0.001", 1 },	    { "0.0001", 1 },	   { "2.0010", 2001 },
		{ "2.0011", 2002 }, { "86400", 86400000 }, { "86400.000", 86400000 },
	};
	static const char *const bad[] = { "",	  ".",	   ".5",	 "5.",
					   "5x",  "-1",	   "1.-1",	 "1,5",
					   "1e3", "86401", "86400.0001", "123456789" };
	unsigned int ms = 7;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_seconds(bad[i], &ms), -1);
	assert_int_equal(ms, 7);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse_seconds(good[i].text, &ms), 0);
		assert_int_equal(ms, good[i].ms);
	}
}

static int pairs_parse(const char *text, struct pairs *pairs)
{
	const struct opt options[] = {
		{ OPT_PAIRS, 'F', "front", "KEY=VALUE", pairs, "" }, { 0 }
	};
	const struct opt *const tables[] = { options, NULL };
	static char copy[64];
	char *argv[] = { "test", "-F", strcpy(copy, text), NULL };

	return opts_parse(tables, 3, argv, 1);
}

static void pairs(void **state)
{
	struct pairs pairs = { 0 };

	(void)state;
	assert_int_equal(pairs_parse("key", &pairs), -1);
	assert_int_equal(pairs_parse("=value", &pairs), -1);
	assert_int_equal(pairs_parse("", &pairs), -1);
	assert_int_equal(pairs.count, 0);
	assert_int_equal(pairs_parse("key=a=b", &pairs), 3);
	assert_string_equal(pairs.list[0].key, "key");
	assert_string_equal(pairs.list[0].value, "a=b");
	free(pairs.list);
}

static void assert_text(char *text, const char *wanted)
{
	assert_string_equal(text, wanted);
	free(text);
}

/* Whatever a guest writes must not get to a terminal. */
static void bytes_are_escaped(void **state)
{
	const struct xensplit_id id = { 5, "a\033b", 3 };
	const struct xensplit_id any = { 5, "a", XENSPLIT_DEVID_AUTO };

	(void)state;
	assert_text(escape("a\\b", 3), "a\\\\b");
	assert_text(escape("\0\037 ~\177\200\377", 7), "\\x00\\x1f ~\\x7f\\x80\\xff");
	assert_text(escape("", 0), "");
	assert_text(device_name(&id), "a\\x1bb/3");
	assert_text(device_name(&any), "a/auto");
	assert_text(id_name(&id), "a\\x1bb/3 of domain 5");
	assert_text(domain_words(5, "g\n5"), "g\\x0a5 (domain 5)");
	assert_text(domain_words(5, NULL), "domain 5");
}

/* It is meant to be pasted. */
static void words_for_a_shell(void **state)
{
	static const struct {
		const char *text, *word;
	} rows[] = {
		{ "plain-1.2_3/x:y,z=%@+", "plain-1.2_3/x:y,z=%@+" },
		{ "", "''" },
		{ "two words", "'two words'" },
		{ "$HOME", "'$HOME'" },
		{ "~", "'~'" },
		{ "it's", "$'it\\'s'" },
		{ "a\\b", "'a\\b'" },
		{ "'\\", "$'\\'\\\\'" },
		{ "a\nb", "$'a\\x0ab'" },
		{ "\377", "$'\\xff'" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_text(shell_word(rows[i].text), rows[i].word);
}

static void what_is_a_number(void **state)
{
	(void)state;
	assert_true(is_number("0") && is_number("123"));
	assert_false(is_number("") || is_number("1a") || is_number("-1"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),	     cmocka_unit_test(devices),
		cmocka_unit_test(seconds),	     cmocka_unit_test(pairs),
		cmocka_unit_test(bytes_are_escaped), cmocka_unit_test(words_for_a_shell),
		cmocka_unit_test(what_is_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
