// SPDX-License-Identifier: GPL-2.0-or-later
/* The parser of one device in a configuration: part of the tool, not of the library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../src/config-entry.h"

static struct config_entry entry;
static char *error;

static void parse(const char *text)
{
	int err;

	entry_clear(&entry);
	free(error);
	error = NULL;
	err = entry_parse(text, &entry, &error);
	assert_int_equal(err, error ? -1 : 0);
}

static void good(const char *text)
{
	parse(text);
	if (error)
		print_error("%s: %s\n", text, error);
	assert_null(error);
}

static void bad(const char *text, const char *message)
{
	parse(text);
	if (!error)
		print_error("%s: no error\n", text);
	assert_non_null(error);
	assert_string_equal(error, message);
}

static void assert_pair(const struct xensplit_pair *pair, const char *key,
			const char *value)
{
	assert_string_equal(pair->key, key);
	assert_string_equal(pair->value, value);
}

static void a_device_alone(void **state)
{
	(void)state;
	good("mydevice");
	assert_int_equal(entry.wanted.sz, sizeof(entry.wanted));
	assert_string_equal(entry.wanted.type, "mydevice");
	assert_int_equal(entry.wanted.devid, 0);
	assert_int_equal(entry.wanted.flags, 0);
	assert_null(entry.wanted.backend);
	assert_null(entry.wanted.backend_type);
	assert_int_equal(entry.wanted.front_count + entry.wanted.back_count, 0);
	assert_string_equal(entry.text, "mydevice");

	good("mydevice/4294967294");
	assert_int_equal(entry.wanted.devid, 4294967294u);
	good("accel/auto");
	assert_int_equal(entry.wanted.devid, XENSPLIT_DEVID_AUTO);
	assert_string_equal(entry.wanted.type, "accel");
	assert_string_equal(entry.text, "accel/auto");
}

static void all_keys(void **state)
{
	(void)state;
	good("a/1,backend=drv1,front.mode=fast,backend-type=b,back.p=/dev/acc0,back.q="
	     ",wait=no,reserved=yes");
	assert_string_equal(entry.wanted.backend, "drv1");
	assert_string_equal(entry.wanted.backend_type, "b");
	assert_int_equal(entry.wanted.front_count, 1);
	assert_pair(entry.wanted.front, "mode", "fast");
	assert_int_equal(entry.wanted.back_count, 2);
	assert_pair(entry.wanted.back, "p", "/dev/acc0");
	assert_pair(entry.wanted.back + 1, "q", "");
	assert_int_equal(entry.wanted.flags,
			 XENSPLIT_WANTED_NO_WAIT | XENSPLIT_WANTED_RESERVED);

	good("a/1,wait=yes,reserved=no");
	assert_int_equal(entry.wanted.flags, 0);
}

static void the_same_key_for_both_halves(void **state)
{
	(void)state;
	good("a,front.mode=1,back.mode=2");
	assert_pair(entry.wanted.front, "mode", "1");
	assert_pair(entry.wanted.back, "mode", "2");
}

static void a_value_ends_at_a_comma_only(void **state)
{
	(void)state;
	good("a,back.p=x=y='z' \"/w\"");
	assert_pair(entry.wanted.back, "p", "x=y='z' \"/w\"");
}

static void blanks_do_not_count(void **state)
{
	(void)state;
	good(" a/3 ,\n\tbackend = drv1 , back.p= two words ");
	assert_string_equal(entry.text, "a/3");
	assert_int_equal(entry.wanted.devid, 3);
	assert_string_equal(entry.wanted.backend, "drv1");
	assert_pair(entry.wanted.back, "p", "two words");
}

static void parts_are_taken_as_they_are(void **state)
{
	const char *const parts[] = { "a/2", "back.p= one, two ", "backend=d" };

	(void)state;
	parse("a");
	entry_clear(&entry);
	assert_int_equal(entry_parse_parts(parts, 3, &entry, &error), 0);
	assert_int_equal(entry.wanted.devid, 2);
	assert_pair(entry.wanted.back, "p", " one, two ");
	assert_string_equal(entry.wanted.backend, "d");
}

static void no_parts_at_all(void **state)
{
	(void)state;
	parse("a");
	entry_clear(&entry);
	assert_int_equal(entry_parse_parts(NULL, 0, &entry, &error), -1);
	assert_string_equal(error, "'[]' names no device");
}

static void wrong_devices(void **state)
{
	static const char *const devices[] = { "",	"/",	 "/0",	 "a/",
					       "a/b",	"a/-1",	 "a/+1", "a/4294967295",
					       "a/ 1",	"a/0/1", "5",	 "5/0",
					       "a/AUTO" };
	char message[120];

	(void)state;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		snprintf(message, sizeof(message),
			 "'%s' is not a device: use TYPE, TYPE/DEVID or TYPE/auto",
			 devices[i]);
		bad(devices[i], message);
	}
	bad(",backend=1", "'' is not a device: use TYPE, TYPE/DEVID or TYPE/auto");
}

static void wrong_keys(void **state)
{
	static const char others[] = " is not a key: use backend, backend-type, "
				     "front.KEY, back.KEY, wait or reserved";
	static const char *const keys[] = { "colour", "front", "Backend", "back-end",
					    "frontmode" };
	char text[40], message[160];

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(text, sizeof(text), "a,%s=1", keys[i]);
		snprintf(message, sizeof(message), "'%s'%s", keys[i], others);
		bad(text, message);
	}
	bad("a,", "'' is not KEY=VALUE");
	bad("a,,backend=1", "'' is not KEY=VALUE");
	bad("a,wait", "'wait' is not KEY=VALUE");
	bad("a,=1", "'=1' is not KEY=VALUE");
	bad("a,backend=", "'backend' has no value");
	bad("a,backend-type=", "'backend-type' has no value");
	bad("a,wait=maybe", "'wait' is yes or no");
	bad("a,reserved=1", "'reserved' is yes or no");
	bad("a,backend=1,backend=1", "'backend' is there twice");
	bad("a,back.p=1,wait=no,back.p=2", "'back.p' is there twice");
}

static void hostile_bytes_are_escaped_and_cut(void **state)
{
	char text[200] = "a,", message[120] = "'";

	(void)state;
	bad("a,\x1b]0;x\a\xff=1", "'\\x1b]0;x\\x07\\xff' is not a key: use backend, "
				  "backend-type, front.KEY, back.KEY, wait or reserved");
	memset(text + 2, 'k', 100);
	memset(message + 1, 'k', 80);
	strcat(message, "...' is not KEY=VALUE");
	bad(text, message);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_alone),
		cmocka_unit_test(all_keys),
		cmocka_unit_test(the_same_key_for_both_halves),
		cmocka_unit_test(a_value_ends_at_a_comma_only),
		cmocka_unit_test(blanks_do_not_count),
		cmocka_unit_test(parts_are_taken_as_they_are),
		cmocka_unit_test(no_parts_at_all),
		cmocka_unit_test(wrong_devices),
		cmocka_unit_test(wrong_keys),
		cmocka_unit_test(hostile_bytes_are_escaped_and_cut),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	entry_clear(&entry);
	free(error);
	return failed;
}
