// SPDX-License-Identifier: GPL-2.0-or-later
/* What an attach writes, with which owners, and what it does not overwrite. */
#include "store.h"

static int attach(struct xensplit_attach_opts opts)
{
	return xensplit_attach(ctx, &opts, 0, NULL);
}

/* The lines of @after that are not in @before, in order; none may be missing. */
static char *added(const char *before, const char *after)
{
	char *more = calloc(1, strlen(after) + 1);

	while (*after) {
		size_t len = strcspn(after, "\n") + 1;

		if (!strncmp(before, after, len))
			before += len;
		else
			strncat(more, after, len);
		after += len;
	}
	assert_string_equal(before, "");
	return more;
}

/* Every new node, with its owner and readers: the complete schema. */
static void the_schema(void **state)
{
	static const struct xensplit_pair front[] = { { "mac", "00:16" },
						      { "speed", "" } };
	static const struct xensplit_pair back[] = { { "path", "/dev/x y" } };
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	const char *before = dump();
	char *is, wanted[4096];

	(void)state;
	opts.front = front;
	opts.front_count = 2;
	opts.back = back;
	opts.back_count = 1;
	assert_result(attach(opts), 0);
	is = added(before, dump());
	snprintf(wanted, sizeof(wanted),
		 "/local/domain/0/backend = \"\" n0\n"
		 "/local/domain/0/backend/mydevice = \"\" n0\n"
		 "/local/domain/0/backend/mydevice/5 = \"\" n0\n" BE " = \"\" n0,r5\n" BE
		 "/frontend = \"" FE "\" n0,r5\n" BE "/frontend-id = \"5\" n0,r5\n" BE
		 "/online = \"1\" n0,r5\n" BE "/path = \"/dev/x y\" n0,r5\n" BE
		 "/state = \"1\" n0,r5\n"
		 "/local/domain/5/device/mydevice = \"\" n0,r5\n" FE " = \"\" n5,r0\n" FE
		 "/backend = \"" BE "\" n0,r5,r0\n" FE "/backend-id = \"0\" n0,r5,r0\n" FE
		 "/mac = \"00:16\" n5,r0\n" FE "/speed = \"\" n5,r0\n" FE
		 "/state = \"1\" n5,r0\n"
		 "/xensplit = \"\" n0\n/xensplit/5 = \"\" n0\n"
		 "/xensplit/5/mydevice = \"\" n0\n" REC " = \"schema=1\n"
		 "backend-id=0\nfrontend-mark=%s\nunique-id=%s\ncreated=%s\n"
		 "front.mac=00:16\nfront.speed=\nback.path=/dev/x y\n\" n0\n",
		 record_field(REC, "frontend-mark"), record_field(REC, "unique-id"),
		 record_field(REC, "created"));
	assert_string_equal(is, wanted);
	free(is);
	assert_int_equal(strlen(record_field(REC, "unique-id")), 32);
	assert_node("/local/domain/5/xensplit", record_field(REC, "frontend-mark"), "n0");
}

static void a_driver_domain_owns_its_half(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 3);

	(void)state;
	opts.backend_domid = 6;
	assert_result(attach(opts), 0);
	assert_node("/local/domain/6/backend/mydevice/5/3", "", "n6,r5");
	assert_node("/local/domain/6/backend/mydevice/5/3/state", "1", "n6,r5");
	assert_node("/local/domain/6/backend/mydevice/5/3/frontend",
		    "/local/domain/5/device/mydevice/3", "n6,r5");
	assert_node("/local/domain/5/device/mydevice/3", "", "n5,r6");
	assert_node("/local/domain/5/device/mydevice/3/state", "1", "n5,r6");
	assert_node("/local/domain/5/device/mydevice/3/backend",
		    "/local/domain/6/backend/mydevice/5/3", "n0,r5,r6");
	assert_node("/local/domain/5/device/mydevice/3/backend-id", "6", "n0,r5,r6");
	assert_node("/local/domain/6/xensplit",
		    record_field("/xensplit/5/mydevice/3", "backend-mark"), "n0");
}

static void assert_may(struct xs_handle *guest, const char *path, bool read, bool write)
{
	unsigned int len;
	char *value = xs_read(guest, XBT_NULL, path, &len);

	if (!value != !read || (!value && errno != EACCES))
		wrong("%s: read says %s\n", path, value ? "yes" : strerror(errno));
	free(value);
	if (xs_write(guest, XBT_NULL, path, "4", 1) != write ||
	    (!write && errno != EACCES))
		wrong("%s: write says %s\n", path, strerror(errno));
}

static void pitfall_03_the_guest_may_write_its_state_and_no_more(void **state)
{
	struct xs_handle *guest = as_domain(5);
	unsigned int count;

	(void)state;
	attach_mydevice();
	assert_may(guest, FE "/state", true, true);
	assert_may(guest, FE "/backend", true, false);
	assert_may(guest, FE "/backend-id", true, false);
	assert_may(guest, BE, true, false);
	assert_may(guest, BE "/state", true, false);
	assert_may(guest, BE "/online", true, false);
	assert_may(guest, REC, false, false);
	assert_may(guest, REC "/backend-id", false, false);
	assert_may(guest, "/xensplit", false, false);
	assert_false(xs_write(guest, XBT_NULL, BE "/new", "", 0));
	assert_int_equal(errno, EACCES);
	assert_null(xs_directory(guest, XBT_NULL, "/xensplit/5", &count));
	assert_int_equal(errno, EACCES);
	assert_false(xs_rm(guest, XBT_NULL, BE));
	assert_false(xs_rm(guest, XBT_NULL, REC));
	assert_false(xs_rm(guest, XBT_NULL, "/xensplit"));
	assert_node(FE "/backend", BE, "n0,r5,r0");
}

/* What the guest writes to its own half decides nothing: the record does. */
static void pitfall_03_a_half_that_the_guest_rewrote(void **state)
{
	struct xs_handle *guest = as_domain(5);
	struct xensplit_list *list;
	const struct xensplit_device *device;

	(void)state;
	put("/local/domain/6/backend/mydevice/5/0/state", "4", "n6,r5");
	attach_mydevice();
	/* It can remove its directory, except for one that dom0 owns above. */
	assert_true(xs_rm(guest, XBT_NULL, FE));
	put("/local/domain/5/device", "", "n5,r0");
	put("/local/domain/5/device/mydevice", "", "n5,r0");
	assert_true(xs_write(guest, XBT_NULL, FE "/backend",
			     "/local/domain/6/backend/mydevice/5/0", 36));
	assert_true(xs_write(guest, XBT_NULL, FE "/backend-id", "6", 1));
	assert_true(xs_write(guest, XBT_NULL, FE "/state", "1", 1));

	device = list_one(&list, XENSPLIT_LIST_FOREIGN);
	assert_int_equal(device->backend_domid, 0);
	assert_string_equal(device->backend, BE);
	xensplit_list_free(list);
	assert_result(xensplit_detach(ctx, &mydevice, 0, 1000), 0);
	assert_no_device();
	assert_node("/local/domain/6/backend/mydevice/5/0/state", "4", "n6,r5");
}

/* Configuration is read from the record, whatever a driver domain writes to its half. */
static void pitfall_04_a_driver_domain_that_rewrites_its_half(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	struct xs_handle *driver_domain = as_domain(6);
	const char *others;

	(void)state;
	put("/local/domain/5/device/other/0/state", "4", "n5,r0");
	put("/local/domain/0/backend/other/5/0/state", "4", "n0,r5");
	others = dump();
	put("/local/domain/6/backend", "", "n6,r0");
	opts.backend_domid = 6;
	assert_result(attach(opts), 0);
	assert_true(xs_write(driver_domain, XBT_NULL, "backend/mydevice/5/0/frontend",
			     "/local/domain/5/device/other/0", 30));
	assert_true(xs_write(driver_domain, XBT_NULL, "backend/mydevice/5/0/frontend-id",
			     "0", 1));
	assert_result(xensplit_detach(ctx, &mydevice, XENSPLIT_DETACH_FORCE, 0), 0);
	assert_gone(FE);
	xs_rm(dom0, XBT_NULL, "/local/domain/6/backend");
	assert_untouched(others);
}

/* The first entry of a list says what all others may do: nothing. */
static void pitfall_05_another_guest_sees_nothing(void **state)
{
	static const char *const nodes[] = { FE,	  FE "/state", FE "/backend", BE,
					     BE "/state", REC,	       "/xensplit/5" };
	struct xs_handle *other = as_domain(6);
	size_t i;

	(void)state;
	attach_mydevice();
	for (i = 0; i < ARRAY_SIZE(nodes); i++)
		assert_may(other, nodes[i], false, false);
}

static void pitfall_06_the_frontends_domain_is_not_there(void **state)
{
	const char *before = dump();

	(void)state;
	assert_result(attach(device_opts(7, "mydevice", 0)), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 7");
	assert_untouched(before);
}

/* xenstored accepts an unknown domain as a reader, so the library checks. */
static void pitfall_06_the_backends_domain_is_not_there(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	const char *before = dump();

	(void)state;
	opts.backend_domid = 7;
	assert_result(attach(opts), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 7");
	assert_untouched(before);
}

/* Nodes do not prove that a domain exists: xenstored refuses an owner unknown to Xen. */
static void pitfall_19_nodes_of_a_domain_that_is_gone(void **state)
{
	const char *before;

	(void)state;
	put("/local/domain/7/name", "ghost", NULL);
	before = dump();
	assert_result(attach(device_opts(7, "mydevice", 0)), -ESRCH);
	assert_untouched(before);
	xs_rm(dom0, XBT_NULL, "/local/domain/7");
}

/* Permissions of a former domain have no effect, although they look the same. */
static void pitfall_07_leftovers_are_written_again(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	const char *before;

	(void)state;
	put(FE "/state", "6", "n5,r0");
	put(FE "/old", "x", NULL);
	put(BE, "", "n0,r5");
	put(BE "/state", "6", "n0,r5");
	put(BE "/old", "x", NULL);
	run("\"$SANDBOX\" kill 5 --crash && \"$SANDBOX\" create 5 --name g5 "
	    "--uuid " UUID5);
	assert_node(BE, "", "n0,r5");
	assert_null(xs_read(as_domain(5), XBT_NULL, BE "/state", NULL));
	put(FE "/state", "6", "n0");
	before = dump();
	assert_result(attach(opts), -EEXIST);
	assert_contains(xensplit_errmsg(ctx), "xensplit did not make it");
	assert_untouched(before);

	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_result(attach(opts), 0);
	assert_gone(FE "/old");
	assert_gone(BE "/old");
	assert_node(FE "/state", "1", "n5,r0");
	assert_may(as_domain(5), FE "/state", true, true);
	assert_may(as_domain(5), BE "/state", true, false);
}

static void either_leftover_alone_stands_in_the_way(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	(void)state;
	put(BE "/state", "1", NULL);
	assert_result(attach(opts), -EEXIST);
	assert_contains(xensplit_errmsg(ctx), BE);
	xs_rm(dom0, XBT_NULL, "/local/domain/0/backend");
	put(FE, "", NULL);
	assert_result(attach(opts), -EEXIST);
	assert_contains(xensplit_errmsg(ctx), FE);
	xs_rm(dom0, XBT_NULL, FE);
	assert_result(attach(opts), 0);
}

static void a_device_that_is_attached_stays_as_it_is(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	const char *before;

	(void)state;
	attach_mydevice();
	before = dump();
	assert_result(attach(opts), -EEXIST);
	assert_contains(xensplit_errmsg(ctx), "already attached (frontend "
					      "Initialising, backend Initialising)");
	/* The same device, even with its backend elsewhere. */
	opts.backend_domid = 6;
	assert_result(attach(opts), -EEXIST);
	assert_untouched(before);
}

static void replace_moves_a_backend(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	const char *first, *second;

	(void)state;
	attach_mydevice();
	first = record_field(REC, "unique-id");
	opts.backend_domid = 6;
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_result(attach(opts), 0);
	second = record_field(REC, "unique-id");
	assert_string_not_equal(first, second);
	assert_gone("/local/domain/0/backend");
	assert_node("/local/domain/6/backend/mydevice/5/0/state", "1", "n6,r5");
	assert_node(FE "/backend-id", "6", "n0,r5,r6");
	assert_string_equal(record_field(REC, "backend-id"), "6");
}

/* Drivers that hold the old device close it first, then take up the new one. */
static void replace_of_a_device_in_use(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	struct driver *back = drive("back 0 mydevice"),
		      *front = drive("front 5 mydevice");

	(void)state;
	assert_result(xensplit_attach(ctx, &opts, 10000, NULL), 0);
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_result(xensplit_attach(ctx, &opts, 10000, NULL), 0);
	assert_node(FE "/state", "4", "n5,r0");
	assert_node(BE "/state", "4", "n0,r5");
	assert_true(driver_says(front, "4 -> 6"));
	assert_true(driver_says(back, "unregistered"));
}

static uint32_t attach_auto(void)
{
	uint32_t devid = 77;
	struct xensplit_attach_opts opts =
		device_opts(5, "mydevice", XENSPLIT_DEVID_AUTO);

	assert_result(xensplit_attach(ctx, &opts, 0, &devid), 0);
	return devid;
}

static void pitfall_09_an_automatic_id_is_not_soon_used_again(void **state)
{
	struct xensplit_id id = mydevice;
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(attach_auto(), i);
		id.devid = i;
		assert_result(xensplit_detach(ctx, &id, 0, 0), 0);
	}
	assert_node("/xensplit/5/mydevice/next-devid", "3", "n0");
	/* It skips what exists. */
	assert_result(attach(device_opts(5, "mydevice", 3)), 0);
	put("/local/domain/5/device/mydevice/4/state", "1", NULL);
	put("/local/domain/0/backend/mydevice/5/5/state", "1", NULL);
	assert_int_equal(attach_auto(), 6);
	/* Other types and domains count separately. */
	assert_gone("/xensplit/6");
	assert_gone("/xensplit/5/other");
}

/* After the last id that fits a bus id, or with a bad cursor, it starts from 0. */
static void pitfall_09_the_cursor_wraps_within_the_bus_id(void **state)
{
	struct xensplit_attach_opts opts =
		device_opts(5, "fifteen-letters", XENSPLIT_DEVID_AUTO);
	uint32_t devid, i;

	(void)state;
	for (i = 0; i < 10; i++) {
		assert_result(xensplit_attach(ctx, &opts, 0, &devid), 0);
		assert_int_equal(devid, i);
	}
	assert_result(xensplit_attach(ctx, &opts, 0, &devid), -EEXIST);
	assert_contains(xensplit_errmsg(ctx), "every device id up to 9 is taken");
	assert_result(xensplit_detach(ctx,
				      &(struct xensplit_id){ 5, "fifteen-letters", 4 }, 0,
				      0),
		      0);
	put("/xensplit/5/fifteen-letters/next-devid", "10 or so", NULL);
	assert_result(xensplit_attach(ctx, &opts, 0, &devid), 0);
	assert_int_equal(devid, 4);
}

/* XAPI and dom0less give a guest its `device`: do not trust what it made there. */
static void pitfall_20_a_device_directory_of_the_guest(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	struct xs_handle *guest = as_domain(5);

	(void)state;
	put("/local/domain/5/device", "", "n5,r0");
	assert_true(xs_write(guest, XBT_NULL, "device/mydevice/0/backend-id", "6", 1));
	assert_true(xs_write(guest, XBT_NULL, "device/mydevice/0/evil", "x", 1));
	assert_result(attach(opts), -EEXIST);
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_result(attach(opts), 0);
	assert_gone(FE "/evil");
	assert_node(FE "/backend-id", "0", "n0,r5,r0");
	assert_may(guest, FE "/backend-id", true, false);
	assert_may(guest, FE "/state", true, true);
	assert_result(xensplit_detach(ctx, &mydevice, 0, 1000), 0);
	assert_gone("/local/domain/5/device/mydevice");
	/* Next to a node of the guest, too. */
	assert_true(xs_write(guest, XBT_NULL, "device/mydevice/9/x", "x", 1));
	opts.flags = 0;
	assert_result(attach(opts), 0);
	assert_node(FE "/backend", BE, "n0,r5,r0");
	assert_result(xensplit_detach(ctx, &mydevice, 0, 1000), 0);
	assert_gone(FE);
	assert_true(exists("/local/domain/5/device/mydevice/9/x"));
}

static void pitfall_21_what_libxl_manages_is_left_alone(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "vbd", 51712);
	const char *before = dump();

	(void)state;
	assert_result(attach(opts), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "libxl manages");
	assert_untouched(before);
	opts.flags = XENSPLIT_ATTACH_RESERVED;
	assert_result(attach(opts), 0);
	assert_node("/local/domain/5/device/vbd/51712/state", "1", "n5,r0");
}

static void pitfall_23_the_longest_value_and_the_oddest(void **state)
{
	char longest[2049];
	struct xensplit_pair pairs[] = { { "long", longest },
					 { "odd", "\x01\x1b[2J\n\"\\ \xff" },
					 { "empty", "" } };
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	struct xs_handle *guest = as_domain(5);
	unsigned int len;
	char *value;

	(void)state;
	memset(longest, 'v', 2048);
	longest[2048] = '\0';
	opts.front = opts.back = pairs;
	opts.front_count = opts.back_count = ARRAY_SIZE(pairs);
	assert_result(attach(opts), 0);
	value = xs_read(guest, XBT_NULL, FE "/long", &len);
	assert_int_equal(len, 2048);
	free(value);
	value = xs_read(guest, XBT_NULL, BE "/odd", &len);
	assert_string_equal(value, pairs[1].value);
	free(value);
	assert_node(FE "/empty", "", "n5,r0");
}

/* Whatever is wrong: a clear message, and no change of the store. */
static void bad_input_changes_nothing(void **state)
{
	static const struct xensplit_pair written = { "state", "4" },
					  slash = { "a/b", "" };
	struct xensplit_attach_opts bad[8];
	const char *before = dump();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = device_opts(5, "mydevice", 0);
	bad[0].type = "a/b";
	bad[1].type = "";
	bad[2].type = "nineteen-characters";
	bad[3].devid = 1000000000;
	bad[4].front = &written;
	bad[4].front_count = 1;
	bad[5].back = &slash;
	bad[5].back_count = 1;
	bad[6].flags = 0x80;
	bad[7].type = "vif";
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_result(attach(bad[i]), -EINVAL);
		assert_true(strlen(xensplit_errmsg(ctx)) > 10);
		assert_null(strchr(xensplit_errmsg(ctx), '\n'));
	}
	assert_untouched(before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(the_schema),
		store_test(a_driver_domain_owns_its_half),
		store_test(pitfall_03_the_guest_may_write_its_state_and_no_more),
		store_test(pitfall_03_a_half_that_the_guest_rewrote),
		store_test(pitfall_04_a_driver_domain_that_rewrites_its_half),
		store_test(pitfall_05_another_guest_sees_nothing),
		store_test(pitfall_06_the_frontends_domain_is_not_there),
		store_test(pitfall_06_the_backends_domain_is_not_there),
		store_test(pitfall_07_leftovers_are_written_again),
		store_test(either_leftover_alone_stands_in_the_way),
		store_test(a_device_that_is_attached_stays_as_it_is),
		store_test(replace_moves_a_backend),
		store_test(replace_of_a_device_in_use),
		store_test(pitfall_09_an_automatic_id_is_not_soon_used_again),
		store_test(pitfall_09_the_cursor_wraps_within_the_bus_id),
		store_test(pitfall_19_nodes_of_a_domain_that_is_gone),
		store_test(pitfall_20_a_device_directory_of_the_guest),
		store_test(pitfall_21_what_libxl_manages_is_left_alone),
		store_test(pitfall_23_the_longest_value_and_the_oddest),
		store_test(bad_input_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
