// SPDX-License-Identifier: GPL-2.0-or-later
/* What is refused before any request to the store, and the messages. */
#include "unit.h"

static struct xensplit_ctx *ctx;

static int make_ctx(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	fake_calm();
	return 0;
}

static int end_ctx(void **state)
{
	(void)state;
	assert_int_equal(fake.requests, 0);
	unit_ctx_free(ctx);
	return 0;
}

static struct xensplit_attach_opts device(const char *type, uint32_t domid,
					  uint32_t devid)
{
	struct xensplit_attach_opts opts = {
		.sz = sizeof(opts), .domid = domid, .type = type, .devid = devid
	};

	return opts;
}

static void assert_refused(const struct xensplit_attach_opts *opts, int r,
			   const char *why)
{
	assert_int_equal(validate_attach(ctx, opts), r);
	assert_contains(xensplit_errmsg(ctx), why);
}

static void a_plain_device_is_fine(void **state)
{
	struct xensplit_attach_opts opts = device("mydevice", 5, 0);

	(void)state;
	assert_int_equal(validate_attach(ctx, &opts), 0);
	opts.devid = XENSPLIT_DEVID_AUTO;
	assert_int_equal(validate_attach(ctx, &opts), 0);
	opts.flags = XENSPLIT_ATTACH_ROLLBACK;
	assert_int_equal(validate_attach(ctx, &opts), 0);
	opts.devid = 7;
	opts.flags |= XENSPLIT_ATTACH_REPLACE | XENSPLIT_ATTACH_RESERVED;
	assert_int_equal(validate_attach(ctx, &opts), 0);
}

static void a_type_that_is_not_one_path_element(void **state)
{
	struct xensplit_attach_opts opts = device("my/device", 5, 0);

	(void)state;
	assert_refused(&opts, -EINVAL, "'my/device' is not a device type");
	opts.type = "";
	assert_refused(&opts, -EINVAL, "'' is not a device type");
	opts.type = NULL;
	assert_refused(&opts, -EINVAL, "is not a device type");
	opts.type = "..";
	assert_refused(&opts, -EINVAL, "'..' is not a device type");
}

static void domids_that_no_domain_has(void **state)
{
	struct xensplit_attach_opts opts = device("mydevice", 32752, 0);

	(void)state;
	assert_refused(&opts, -ESRCH, "no such domain: 32752");
	opts.domid = 5;
	opts.backend_domid = 32752;
	assert_refused(&opts, -ESRCH, "no such domain: 32752");
	opts.backend_domid = XENSPLIT_ANY;
	assert_refused(&opts, -ESRCH, "no such domain: 4294967295");
}

static void flags_that_are_not_known(void **state)
{
	struct xensplit_attach_opts opts = device("mydevice", 5, 0);

	(void)state;
	opts.flags = 1u << 5;
	assert_refused(&opts, -EINVAL, "unknown attach flags 0x20");
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	opts.devid = XENSPLIT_DEVID_AUTO;
	assert_refused(&opts, -EINVAL, "can't replace one");
	opts.flags = XENSPLIT_ATTACH_ENSURE;
	assert_refused(&opts, -EINVAL, "does not say which device");
}

/* T-D-I counts, as it is always longer than T/I: at most 19 characters. */
static void pitfall_10_a_bus_id_has_at_most_19_characters(void **state)
{
	static const struct {
		const char *type;
		uint32_t domid, devid;
		bool fits;
	} rows[] = {
		/* depends on the type: 15 + 1 + 1 + 1 + 1 */
		{ "fifteen-letters", 5, 0, true },
		{ "sixteen-letters_", 5, 0, false },
		/* on the domid */
		{ "fifteen-letters", 9, 0, true },
		{ "fifteen-letters", 10, 0, false },
		{ "elevenchars", 32751, 0, true },
		{ "twelve-chars", 32751, 0, false },
		/* and on the device id */
		{ "fifteen-letters", 5, 9, true },
		{ "fifteen-letters", 5, 10, false },
		{ "mydevice", 5, 99999999, true },
		{ "mydevice", 5, 100000000, false },
		/* "T/I" alone would have 18 and 19 */
		{ "sixteen-letters_", 5, 1, false },
		{ "seventeen-letters", 5, 1, false },
		{ "t", 5, INT32_MAX, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xensplit_attach_opts opts =
			device(rows[i].type, rows[i].domid, rows[i].devid);
		char bus_id[64];
		int len = snprintf(bus_id, sizeof(bus_id), "%s-%u-%u", rows[i].type,
				   rows[i].domid, rows[i].devid);

		assert_int_equal(len < 20, rows[i].fits); /* as Linux checks */
		assert_int_equal(validate_attach(ctx, &opts), rows[i].fits ? 0 : -EINVAL);
	}
}

static void pitfall_10_the_error_shows_the_calculation(void **state)
{
	struct xensplit_attach_opts opts = device("mydevice", 12, 12345678);

	(void)state;
	assert_refused(
		&opts, -EINVAL,
		"bus id 'mydevice-12-12345678' has 8 + 1 + 2 + 1 + 8 = 20 characters");
	opts = device("averyveryverylongtypename", 5, XENSPLIT_DEVID_AUTO);
	assert_refused(&opts, -EINVAL, "has 25 + 1 + 1 + 1 + 1 = 29 characters");
}

/* The limit agrees with the length of the name, for types and domids of every size. */
static void pitfall_10_the_highest_device_id_is_the_last_that_fits(void **state)
{
	static const uint32_t domids[] = { 0,	9,    10,   99,	   100,
					   999, 1000, 9999, 10000, 32751 };
	char type[32], bus_id[64];
	size_t len, i;

	(void)state;
	for (len = 1; len < sizeof(type) - 1; len++)
		for (i = 0; i < ARRAY_SIZE(domids); i++) {
			int64_t limit;

			memset(type, 't', len);
			type[len] = '\0';
			limit = devid_limit(type, domids[i]);
			if (limit < 0) {
				snprintf(bus_id, sizeof(bus_id), "%s-%u-0", type,
					 domids[i]);
				assert_true(strlen(bus_id) >= 20);
				continue;
			}
			snprintf(bus_id, sizeof(bus_id), "%s-%u-%" PRId64, type,
				 domids[i], limit);
			assert_true(strlen(bus_id) < 20);
			snprintf(bus_id, sizeof(bus_id), "%s-%u-%" PRId64, type,
				 domids[i], limit + 1);
			assert_true(strlen(bus_id) >= 20 || limit == INT32_MAX);
		}
}

static void pitfall_21_types_that_libxl_manages(void **state)
{
	static const char *const types[] = {
		"vif",	       "vbd",	  "qdisk",    "tap",  "pci",	"vfb",
		"vkbd",	       "console", "vtpm",     "vusb", "qusb",	"9pfs",
		"vdispl",      "vuart",	  "pvcalls",  "vsnd", "vinput", "virtio",
		"virtio_disk", "vbd3",	  "xen_9pfs",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		struct xensplit_attach_opts opts = device(types[i], 5, 0);

		assert_refused(&opts, -EINVAL, "libxl manages devices");
		assert_contains(xensplit_errmsg(ctx), types[i]);
		opts.flags = XENSPLIT_ATTACH_RESERVED;
		assert_int_equal(validate_attach(ctx, &opts), 0);
	}
	struct xensplit_attach_opts near = device("vif2", 5, 0);

	assert_int_equal(validate_attach(ctx, &near), 0);
	near.type = "vb";
	assert_int_equal(validate_attach(ctx, &near), 0);
}

static struct xensplit_attach_opts with_key(bool back, const struct xensplit_pair *pair,
					    size_t count)
{
	struct xensplit_attach_opts opts = device("mydevice", 5, 0);

	if (back) {
		opts.back = pair;
		opts.back_count = count;
	} else {
		opts.front = pair;
		opts.front_count = count;
	}
	return opts;
}

/* The backend's directory has a type of its own: what holds for one holds for the other. */
static void a_backend_of_another_type(void **state)
{
	struct xensplit_attach_opts opts = device("mydevice", 5, 0);

	(void)state;
	opts.backend_type = "other";
	assert_int_equal(validate_attach(ctx, &opts), 0);
	opts.backend_type = "my/device";
	assert_refused(&opts, -EINVAL, "'my/device' is not a device type");
	opts.backend_type = "vbd";
	assert_refused(&opts, -EINVAL, "libxl manages devices of type 'vbd'");
	opts.backend_type = "sixteen_letters_";
	assert_refused(&opts, -EINVAL, "bus id 'sixteen_letters_-5-0' has 16");
	opts.type = "sixteen_letters_";
	opts.backend_type = "mydevice";
	assert_refused(&opts, -EINVAL, "bus id 'sixteen_letters_-5-0' has 16");
}

static void keys_that_the_schema_writes(void **state)
{
	static const char *const front[] = { "backend", "backend-id", "state" };
	static const char *const back[] = { "frontend", "frontend-id", "online",
					    "state" };
	struct xensplit_pair pair = { NULL, "1" };
	struct xensplit_attach_opts opts;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(front); i++) {
		pair.key = front[i];
		opts = with_key(false, &pair, 1);
		assert_refused(&opts, -EINVAL, "is written by xensplit itself");
		assert_contains(xensplit_errmsg(ctx), "frontend key");
	}
	for (i = 0; i < ARRAY_SIZE(back); i++) {
		pair.key = back[i];
		opts = with_key(true, &pair, 1);
		assert_refused(&opts, -EINVAL, "is written by xensplit itself");
		assert_contains(xensplit_errmsg(ctx), "backend key");
	}
	/* Keys of the other half are allowed. */
	pair.key = "online";
	opts = with_key(false, &pair, 1);
	assert_int_equal(validate_attach(ctx, &opts), 0);
	pair.key = "backend-id";
	opts = with_key(true, &pair, 1);
	assert_int_equal(validate_attach(ctx, &opts), 0);
}

static void pitfall_23_keys_are_one_path_element(void **state)
{
	static const char *const keys[] = { "",	   "a/b", "/",	"..",  "a.b",
					    "a b", "a\n", "a@", "a\t", "\x80" };
	struct xensplit_pair pair = { NULL, "1" };
	struct xensplit_attach_opts opts;
	size_t i;
	int back;

	(void)state;
	for (back = 0; back < 2; back++)
		for (i = 0; i < ARRAY_SIZE(keys); i++) {
			pair.key = keys[i];
			opts = with_key(back, &pair, 1);
			assert_refused(&opts, -EINVAL, "is not a node name");
		}
	pair.key = "\x1b[2J";
	opts = with_key(false, &pair, 1);
	assert_refused(&opts, -EINVAL, "'\\x1b[2J'");
}

static void pitfall_23_a_value_has_at_most_2048_bytes(void **state)
{
	char value[2050];
	struct xensplit_pair pair = { "mac", value };
	struct xensplit_attach_opts opts;
	int back;

	(void)state;
	memset(value, 'v', sizeof(value));
	for (back = 0; back < 2; back++) {
		opts = with_key(back, &pair, 1);
		value[2048] = '\0';
		assert_int_equal(validate_attach(ctx, &opts), 0);
		value[2048] = 'v';
		value[2049] = '\0';
		assert_refused(&opts, -EINVAL, "'mac' has 2049 bytes");
	}
	pair.value = "";
	opts = with_key(false, &pair, 1);
	assert_int_equal(validate_attach(ctx, &opts), 0);
}

static void keys_given_twice_or_not_at_all(void **state)
{
	struct xensplit_pair pairs[3] = { { "a", "1" }, { "b", "2" }, { "a", "1" } };
	struct xensplit_attach_opts opts = with_key(false, pairs, 3);

	(void)state;
	assert_refused(&opts, -EINVAL, "frontend key 'a' is given twice");
	opts = with_key(true, pairs, 3);
	assert_refused(&opts, -EINVAL, "backend key 'a' is given twice");
	/* Once for each half is allowed. */
	opts = with_key(false, pairs, 2);
	opts.back = pairs;
	opts.back_count = 2;
	assert_int_equal(validate_attach(ctx, &opts), 0);

	pairs[0].value = NULL;
	assert_refused(&opts, -EINVAL, "lacks its name or value");
	pairs[0].key = NULL;
	assert_refused(&opts, -EINVAL, "lacks its name or value");
	opts = with_key(false, NULL, 1);
	assert_refused(&opts, -EINVAL, "is NULL");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_device_is_fine),
		cmocka_unit_test(a_type_that_is_not_one_path_element),
		cmocka_unit_test(domids_that_no_domain_has),
		cmocka_unit_test(flags_that_are_not_known),
		cmocka_unit_test(pitfall_10_a_bus_id_has_at_most_19_characters),
		cmocka_unit_test(pitfall_10_the_error_shows_the_calculation),
		cmocka_unit_test(pitfall_10_the_highest_device_id_is_the_last_that_fits),
		cmocka_unit_test(pitfall_21_types_that_libxl_manages),
		cmocka_unit_test(a_backend_of_another_type),
		cmocka_unit_test(keys_that_the_schema_writes),
		cmocka_unit_test(pitfall_23_keys_are_one_path_element),
		cmocka_unit_test(pitfall_23_a_value_has_at_most_2048_bytes),
		cmocka_unit_test(keys_given_twice_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, make_ctx, end_ctx);
}
