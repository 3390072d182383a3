// SPDX-License-Identifier: GPL-2.0-or-later
/* Device ids, filters, and the paths of the schema. */
#include "unit.h"

static struct xensplit_ctx *ctx;

static int make_ctx(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	return 0;
}

static int end_ctx(void **state)
{
	(void)state;
	unit_ctx_free(ctx);
	return 0;
}

static void a_type_is_one_path_element(void **state)
{
	static const char *const bad[] = {
		"",    "a/b", "/a",    "a/",   ".",	   "..",   "a.b", "a b", "a@b",
		"a:b", "a\n", "\x1b[", "a\\b", "\xc3\xa4", "a\"b", "*",	  "a,b",
	};
	char longest[TYPE_MAX + 2];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(type_is_valid(bad[i]));
	assert_false(type_is_valid(NULL));
	assert_true(type_is_valid("mydevice"));
	assert_true(type_is_valid("A-z_09"));
	assert_true(type_is_valid("-"));
	memset(longest, 'a', sizeof(longest));
	longest[TYPE_MAX + 1] = '\0';
	assert_false(type_is_valid(longest));
	longest[TYPE_MAX] = '\0';
	assert_true(type_is_valid(longest));
}

static void an_id_is_checked_before_it_is_used(void **state)
{
	struct device_id id;

	(void)state;
	assert_int_equal(id_set(ctx, &id, 5, "a b", 0), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "'a b' is not a device type");
	assert_int_equal(id_set(ctx, &id, 5, "a\x1b", 0), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "'a\\x1b'");
	assert_int_equal(id_set(ctx, &id, 5, NULL, 0), -EINVAL);
	assert_int_equal(id_set(ctx, &id, 32752, "t", 0), -ESRCH);
	assert_int_equal(id_set(ctx, &id, UINT32_MAX, "t", 0), -ESRCH);
	assert_int_equal(id_set(ctx, &id, 5, "t", (uint32_t)INT32_MAX + 1), -EINVAL);
	assert_int_equal(id_set(ctx, &id, 5, "t", XENSPLIT_DEVID_AUTO), -EINVAL);
	assert_int_equal(id_set(ctx, &id, 32751, "t", INT32_MAX), 0);
	assert_int_equal(id.domid, 32751);
	assert_int_equal(id.devid, INT32_MAX);
	assert_string_equal(id.type, "t");
}

static void ids_have_an_order(void **state)
{
	/* Sorted as numbers: 9 before 10. */
	static const struct device_id sorted[] = {
		{ 0, 7, "z", "" },  { 5, 0, "a", "" },	{ 5, 9, "a", "b" },
		{ 5, 10, "a", "" }, { 5, 0, "aa", "" }, { 5, 0, "b", "" },
		{ 10, 0, "a", "" },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sorted); i++)
		for (j = 0; j < ARRAY_SIZE(sorted); j++) {
			int order = id_compare(&sorted[i], &sorted[j]);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

static void a_filter_matches_what_it_names(void **state)
{
	struct device_id id = { .domid = 5, .devid = 3, .type = "net" };
	XENSPLIT_FILTER(filter);
	struct xensplit_filter checked;

	(void)state;
	assert_int_equal(id_check_filter(ctx, NULL, &checked), 0);
	assert_true(id_matches(&id, &checked));
	filter.domid = 5;
	filter.devid = XENSPLIT_ANY;
	assert_int_equal(id_check_filter(ctx, &filter, &checked), 0);
	assert_true(id_matches(&id, &checked));
	checked.domid = 6;
	assert_false(id_matches(&id, &checked));
	checked.domid = XENSPLIT_ANY;
	checked.type = "ne";
	assert_false(id_matches(&id, &checked));
	checked.type = "net";
	assert_true(id_matches(&id, &checked));
	checked.devid = 0;
	assert_false(id_matches(&id, &checked));
	checked.devid = 3;
	assert_true(id_matches(&id, &checked));

	filter.type = "a/b";
	assert_int_equal(id_check_filter(ctx, &filter, &checked), -EINVAL);
	filter.type = NULL;
	filter.domid = 32752;
	assert_int_equal(id_check_filter(ctx, &filter, &checked), -ESRCH);
}

static void paths_are_those_of_the_schema(void **state)
{
	struct device_id id = { .domid = 5, .devid = 3, .type = "net" };
	char path[PATH_SIZE], text[ID_TEXT_SIZE];

	(void)state;
	path_record(path, &id, NULL);
	assert_string_equal(path, "/xensplit/5/net/3");
	path_record(path, &id, "created");
	assert_string_equal(path, "/xensplit/5/net/3/created");
	path_frontend(path, &id, "state");
	assert_string_equal(path, "/local/domain/5/device/net/3/state");
	path_backend(path, &id, 6, NULL);
	assert_string_equal(path, "/local/domain/6/backend/net/5/3");
	id_set_backend_type(&id, "xen_net");
	path_backend(path, &id, 6, "state");
	assert_string_equal(path, "/local/domain/6/backend/xen_net/5/3/state");
	path_backend_error(path, &id, 6, NULL);
	assert_string_equal(path, "/local/domain/6/error/backend/xen_net/5/3");
	id_set_backend_type(&id, "net");
	path_backend(path, &id, 6, NULL);
	assert_string_equal(path, "/local/domain/6/backend/net/5/3");
	path_frontend_error(path, &id, "error");
	assert_string_equal(path, "/local/domain/5/error/device/net/3/error");
	path_backend_error(path, &id, 0, "error");
	assert_string_equal(path, "/local/domain/0/error/backend/net/5/3/error");
	assert_string_equal(id_text(&id, text, sizeof(text)), "domain 5 net/3");
}

/* Nothing is truncated: longest type, domids, device id and key of the schema. */
static void the_longest_path_fits(void **state)
{
	struct device_id id = { .domid = 32751, .devid = INT32_MAX };
	char path[PATH_SIZE], end[64];

	(void)state;
	memset(id.type, 'x', TYPE_MAX);
	path_backend_error(path, &id, 32751, "frontend-uuid");
	snprintf(end, sizeof(end), "/32751/%d/frontend-uuid", INT32_MAX);
	assert_true(strlen(path) < PATH_SIZE - 1);
	assert_string_equal(path + strlen(path) - strlen(end), end);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_type_is_one_path_element),
		cmocka_unit_test(an_id_is_checked_before_it_is_used),
		cmocka_unit_test(ids_have_an_order),
		cmocka_unit_test(a_filter_matches_what_it_names),
		cmocka_unit_test(paths_are_those_of_the_schema),
		cmocka_unit_test(the_longest_path_fits),
	};

	return cmocka_run_group_tests(tests, make_ctx, end_ctx);
}
