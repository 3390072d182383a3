// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may do what with a node. */
#include "unit.h"

/* "n5,r0": the owner and what all others may do, then others. */
static struct node_perms perms_of(const char *text)
{
	struct node_perms perms = { 0 };

	for (; *text; perms.count++) {
		struct xs_permissions *entry = &perms.entry[perms.count];

		entry->perms = *text == 'r'   ? XS_PERM_READ
			       : *text == 'w' ? XS_PERM_WRITE
			       : *text == 'b' ? XS_PERM_READ | XS_PERM_WRITE
					      : XS_PERM_NONE;
		entry->id = (unsigned int)strtoul(text + 1, (char **)&text, 10);
		text += *text == ',';
	}
	return perms;
}

static const struct {
	const char *perms;
	const char *readers, *writers; /* of the domains 0, 5, 6 and 7 */
	bool guest_writes, open;
} rows[] = {
	{ "n0", "0", "0", false, false },
	{ "n5", "05", "05", true, false },
	{ "n0,r5", "05", "0", false, false },
	{ "n0,w5", "0", "05", true, false },
	{ "n0,b5,r6", "056", "05", true, false },
	{ "r0", "0567", "0", false, true },
	{ "w0", "0", "0567", true, true },
	{ "b6,n5", "067", "067", true, true },
	{ "n0,b0", "0", "0", false, false },
	{ "n5,r0,w7", "05", "057", true, false },
};

static void each_domain(void **state)
{
	static const uint32_t domids[] = { 0, 5, 6, 7 };
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct node_perms perms = perms_of(rows[i].perms);
		char readers[5] = "", writers[5] = "";

		for (j = 0; j < ARRAY_SIZE(domids); j++) {
			const char digit[] = { (char)('0' + domids[j]), '\0' };

			if (perms_may_read(&perms, domids[j]))
				strcat(readers, digit);
			if (perms_may_write(&perms, domids[j]))
				strcat(writers, digit);
		}
		assert_string_equal(readers, rows[i].readers);
		assert_string_equal(writers, rows[i].writers);
		assert_int_equal(perms_guest_may_write(&perms), rows[i].guest_writes);
		assert_int_equal(perms_open_to_all(&perms), rows[i].open);
	}
}

/* From a daemon that lies: whoever could write it is not trusted. */
static void no_permissions_at_all(void **state)
{
	struct node_perms none = { 0 };

	(void)state;
	assert_true(perms_may_read(&none, 5));
	assert_true(perms_may_write(&none, 5));
	assert_false(perms_open_to_all(&none));
}

static void as_text(void **state)
{
	struct node_perms perms = perms_of("n0,b5,r6,w7");
	char text[64], small[6];

	(void)state;
	perms_format(perms.entry, perms.count, text, sizeof(text));
	assert_string_equal(text, "n0,b5,r6,w7");
	perms_format(perms.entry, perms.count, small, sizeof(small));
	assert_string_equal(small, "n0,b5");
	perms_format(perms.entry, 0, text, sizeof(text));
	assert_string_equal(text, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_domain),
		cmocka_unit_test(no_permissions_at_all),
		cmocka_unit_test(as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
