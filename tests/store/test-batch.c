// SPDX-License-Identifier: GPL-2.0-or-later
/* Many steps in one commit, in a transaction of the caller, or as a preview. */
#include "store.h"

static struct xensplit_batch *batch;

static int begin(void **state)
{
	world_begin(state);
	assert_result(xensplit_batch_new(ctx, &batch), 0);
	return 0;
}

static int end(void **state)
{
	batch = xensplit_batch_free(batch);
	return world_end(state);
}

static void new_batch(void)
{
	xensplit_batch_free(batch);
	assert_result(xensplit_batch_new(ctx, &batch), 0);
}

static int add_attach(uint32_t domid, const char *type, uint32_t devid, uint32_t flags)
{
	struct xensplit_attach_opts opts = device_opts(domid, type, devid);

	opts.flags = flags;
	return xensplit_batch_attach(batch, &opts);
}

static void a_hundred_devices_in_one_commit(void **state)
{
	struct xensplit_list *list;
	const struct xensplit_device *device;
	uint32_t i, devid;
	size_t index;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_int_equal(
			add_attach(5 + i % 2, "mydevice", XENSPLIT_DEVID_AUTO, 0), i);
	assert_result(xensplit_batch_commit(batch), 0);
	for (i = 0; i < 100; i++) {
		assert_result(xensplit_batch_devid(batch, (int)i, &devid), 0);
		assert_int_equal(devid, i / 2);
	}
	assert_result(xensplit_list_new(ctx, NULL, 0, &list), 0);
	/* In order of domid and of the id as a number. */
	xensplit_list_foreach (list, index, device) {
		assert_int_equal(device->id.domid, index < 50 ? 5 : 6);
		assert_int_equal(device->id.devid, index % 50);
	}
	assert_int_equal(index, 100);
	xensplit_list_free(list);

	new_batch();
	for (i = 0; i < 100; i++) {
		struct xensplit_id id = { 5 + i % 2, "mydevice", i / 2 };

		assert_int_equal(xensplit_batch_remove(batch, &id, 0), i);
	}
	assert_result(xensplit_batch_commit(batch), 0);
	assert_gone("/local/domain/0/backend");
	assert_gone("/local/domain/5/device/mydevice");
}

static void one_that_fails_stops_all(void **state)
{
	const char *before;
	uint32_t i, devid = 77;

	(void)state;
	attach_mydevice();
	before = dump();
	for (i = 0; i < 99; i++)
		add_attach(6, "mydevice", XENSPLIT_DEVID_AUTO, 0);
	add_attach(5, "mydevice", 0, 0);
	assert_result(xensplit_batch_commit(batch), -EEXIST);
	assert_untouched(before);
	assert_result(xensplit_batch_devid(batch, 0, &devid), -ENODATA);
	assert_int_equal(devid, 77);
	/* The same batch succeeds once the device is gone. */
	assert_result(xensplit_detach(ctx, &mydevice, 0, 1000), 0);
	assert_result(xensplit_batch_commit(batch), 0);
	assert_result(xensplit_batch_devid(batch, 0, &devid), 0);
	assert_int_equal(devid, 0);
}

static void steps_that_are_refused(void **state)
{
	const char *before = dump();
	uint32_t devid = 77;

	(void)state;
	assert_result(add_attach(5, "a/b", 0, 0), -EINVAL);
	assert_result(add_attach(5, "mydevice", 0, XENSPLIT_ATTACH_ROLLBACK), -EINVAL);
	assert_result(xensplit_batch_remove(batch, &mydevice, 1u << 1), -EINVAL);
	assert_result(xensplit_batch_close(batch, &(struct xensplit_id){ 5, "", 0 }),
		      -EINVAL);
	assert_result(xensplit_batch_commit(batch), 0); /* an empty one */
	assert_result(xensplit_batch_devid(batch, 0, &devid), -EINVAL);
	assert_result(xensplit_batch_devid(batch, -1, &devid), -EINVAL);
	assert_result(xensplit_batch_close(batch, &mydevice), 0);
	assert_result(xensplit_batch_commit(batch), -ENOENT);
	assert_untouched(before);
}

/* Options are copied: the caller may free them before the commit. */
static void options_are_copied(void **state)
{
	char type[] = "mydevice", key[] = "key", value[] = "value";
	struct xensplit_pair pair = { key, value };
	struct xensplit_attach_opts opts = device_opts(5, type, 0);

	(void)state;
	opts.front = &pair;
	opts.front_count = 1;
	assert_result(xensplit_batch_attach(batch, &opts), 0);
	memset(type, 'x', sizeof(type) - 1);
	memset(key, 'x', sizeof(key) - 1);
	memset(value, 'x', sizeof(value) - 1);
	memset(&pair, 0, sizeof(pair));
	memset(&opts, 0, sizeof(opts));
	assert_result(xensplit_batch_commit(batch), 0);
	assert_node(FE "/key", "value", "n5,r0");
}

/* Steps see the changes of earlier steps. */
static void steps_follow_one_another(void **state)
{
	(void)state;
	attach_mydevice();
	put(BE "/state", "6", NULL);
	xensplit_batch_remove(batch, &mydevice, 0);
	add_attach(5, "mydevice", 0, 0);
	add_attach(5, "mydevice", XENSPLIT_DEVID_AUTO, 0);
	xensplit_batch_close(batch, &mydevice);
	assert_result(xensplit_batch_commit(batch), 0);
	assert_node(BE "/online", "0", "n0,r5");
	assert_true(exists("/xensplit/5/mydevice/1"));
}

/* Every change, one per line, without what differs each time. */
static char *changes(void)
{
	const struct xensplit_node *node;
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	for (i = 0; (node = xensplit_batch_change(batch, i)); i++)
		if (!node->value || !strstr(node->value, "unique-id="))
			fprintf(out, "%d %s %s %s\n", node->op, node->path,
				node->value ? node->value : "-",
				node->perms ? node->perms : "-");
	fclose(out);
	return text;
}

static void add_all_kinds(void)
{
	static const struct xensplit_id other = { 5, "mydevice", 1 },
					third = { 5, "third", 0 };
	static const struct xensplit_pair pair = { "key", "" };
	struct xensplit_attach_opts opts = device_opts(5, "new", XENSPLIT_DEVID_AUTO);

	opts.front = opts.back = &pair;
	opts.front_count = opts.back_count = 1;
	assert_true(xensplit_batch_attach(batch, &opts) >= 0);
	assert_true(add_attach(5, "mydevice", 0, XENSPLIT_ATTACH_REPLACE) >= 0);
	assert_true(xensplit_batch_close(batch, &other) >= 0);
	assert_true(xensplit_batch_remove(batch, &third, 0) >= 0);
}

/* A preview writes nothing, and shows exactly what the commit then does. */
static void a_preview_is_what_a_commit_does(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 1);
	const char *before;
	char *previewed, *committed, *line, *rest;
	uint32_t devid;

	(void)state;
	attach_mydevice();
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	opts.type = "third";
	opts.devid = 0;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	put("/local/domain/5/error/device/new/0/error", "old", NULL);
	before = dump();
	add_all_kinds();
	assert_result(xensplit_batch_preview(batch), 0);
	assert_untouched(before);
	assert_result(xensplit_batch_devid(batch, 0, &devid), 0);
	assert_int_equal(devid, 0);
	previewed = changes();
	assert_contains(previewed, "1 /local/domain/5/device/new/0  n0,r5,r0\n");
	assert_contains(previewed, "3 /local/domain/5/device/new/0 - n5,r0\n");
	assert_contains(previewed, "2 /local/domain/5/device/third/0 - -\n");
	assert_result(xensplit_batch_commit(batch), 0);
	committed = changes();
	/* Only the preview shows the parents that xenstored creates. */
	assert_contains(previewed, "1 /local/domain/5/device/new  n0,r5\n");
	for (line = strtok_r(committed, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		assert_contains(previewed, line);
	free(previewed);
	free(committed);
}

/* A directory gets its final permissions after its first children. */
static void assert_written(const struct xensplit_node *node, size_t index)
{
	const struct xensplit_node *later;
	const char *perms = node->perms;
	size_t i;

	for (i = index + 1; (later = xensplit_batch_change(batch, i)); i++)
		if (later->op == XENSPLIT_NODE_PERMS && !strcmp(later->path, node->path))
			perms = later->perms;
	assert_node(node->path, node->value, perms);
}

/* Every node in the changes of a commit reads back the same, with permissions. */
static void changes_tell_the_truth(void **state)
{
	const struct xensplit_node *node;
	size_t i, removed = 0;

	(void)state;
	attach_mydevice();
	put(BE "/old", "x", NULL);
	add_attach(5, "mydevice", 0, XENSPLIT_ATTACH_REPLACE);
	add_attach(5, "mydevice", XENSPLIT_DEVID_AUTO, 0);
	assert_result(xensplit_batch_commit(batch), 0);
	for (i = 0; (node = xensplit_batch_change(batch, i)); i++)
		if (node->op == XENSPLIT_NODE_REMOVE)
			removed++;
		else if (node->op == XENSPLIT_NODE_WRITE)
			assert_written(node, i);
	assert_true(i > 25);
	assert_true(removed >= 3);
	assert_gone(BE "/old");
}

static void a_preview_that_fails_as_the_commit_would(void **state)
{
	const char *before;

	(void)state;
	attach_mydevice();
	before = dump();
	add_attach(5, "mydevice", 0, 0);
	assert_result(xensplit_batch_preview(batch), -EEXIST);
	new_batch();
	add_attach(7, "mydevice", 0, 0);
	assert_result(xensplit_batch_preview(batch), -ESRCH);
	assert_untouched(before);
}

/* --- a transaction of the caller's --- */

/* Tests batches on the test's own connection. */
static void on_own_connection(void)
{
	XENSPLIT_OPTS(xensplit_opts, opts);

	batch = xensplit_batch_free(batch);
	xensplit_free(ctx);
	opts.xs = dom0;
	ctx = new_ctx(&opts);
	new_batch();
}

static const struct xensplit_id other = { 5, "mydevice", 1 };
static const struct xensplit_id third = { 5, "third", 0 };

static xs_transaction_t stage_a_toolstacks_work(void)
{
	xs_transaction_t t;

	assert_int_equal(add_attach(5, "new", 0, 0), 0);
	assert_int_equal(xensplit_batch_close(batch, &other), 1);
	assert_int_equal(xensplit_batch_remove(batch, &third, 0), 2);
	t = xs_transaction_start(dom0);
	assert_true(t != XBT_NULL);
	assert_true(xs_write(dom0, t, "/tool/mine", "1", 1));
	assert_result(xensplit_batch_stage(batch, t), 0);
	assert_true(xs_write(dom0, t, "/tool/mine", "2", 1));
	return t;
}

static void two_devices_before(void)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 1);

	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	opts.type = "third";
	opts.devid = 0;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

static void staged_and_committed(void **state)
{
	xs_transaction_t t;

	(void)state;
	on_own_connection();
	two_devices_before();
	t = stage_a_toolstacks_work();
	/* Nobody sees any of it before the commit. */
	assert_gone("/local/domain/5/device/new");
	assert_gone("/tool/mine");
	assert_true(xs_transaction_end(dom0, t, false));
	assert_node("/tool/mine", "2", "n0");
	assert_node("/local/domain/5/device/new/0/state", "1", "n5,r0");
	assert_node("/local/domain/0/backend/mydevice/5/1/online", "0", "n0,r5");
	assert_gone("/local/domain/5/device/third");
	assert_gone("/xensplit/5/third");
	xs_rm(dom0, XBT_NULL, "/tool/mine");
}

static void staged_and_aborted(void **state)
{
	const char *before;
	xs_transaction_t t;

	(void)state;
	on_own_connection();
	two_devices_before();
	before = dump();
	t = stage_a_toolstacks_work();
	assert_true(xs_transaction_end(dom0, t, true));
	assert_untouched(before);
	assert_result(xensplit_batch_stage(batch, XBT_NULL), -EINVAL);
	assert_untouched(before);
}

/* If the caller's commit collides, the same batch is staged again. */
static void staged_again_after_a_collision(void **state)
{
	struct xs_handle *somebody = as_domain(0);
	xs_transaction_t t;

	(void)state;
	on_own_connection();
	two_devices_before();
	t = stage_a_toolstacks_work();
	assert_true(xs_write(somebody, XBT_NULL, "/tool/mine", "0", 1));
	assert_false(xs_transaction_end(dom0, t, false));
	assert_int_equal(errno, EAGAIN);
	t = xs_transaction_start(dom0);
	assert_result(xensplit_batch_stage(batch, t), 0);
	assert_true(xs_transaction_end(dom0, t, false));
	assert_node("/local/domain/5/device/new/0/state", "1", "n5,r0");
	xs_rm(dom0, XBT_NULL, "/tool/mine");
}

/* A step that fails leaves the transaction open, for the caller to abort. */
static void a_staged_step_that_fails(void **state)
{
	const char *before;
	xs_transaction_t t;

	(void)state;
	on_own_connection();
	attach_mydevice();
	before = dump();
	add_attach(6, "mydevice", 0, 0);
	add_attach(5, "mydevice", 0, 0);
	t = xs_transaction_start(dom0);
	assert_result(xensplit_batch_stage(batch, t), -EEXIST);
	assert_true(xs_transaction_end(dom0, t, true));
	assert_untouched(before);
}

/* --- repair --- */

static void a_repair_sets_what_an_attach_would_have(void **state)
{
	const char *before;

	(void)state;
	attach_mydevice();
	before = dump();
	put(FE "/state", "1", "n0");
	put(FE "/backend", BE, "b5");
	put(BE, "", "r0");
	put(BE "/state", "1", "w0");
	xs_rm(dom0, XBT_NULL, BE "/online");
	assert_result(xensplit_batch_repair(batch, &mydevice), 0);
	assert_result(xensplit_batch_commit(batch), 0);
	assert_untouched(before);
	/* If nothing is wrong, nothing is written. */
	assert_result(xensplit_batch_commit(batch), 0);
	assert_null(xensplit_batch_change(batch, 0));
}

#define batch_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		batch_test(a_hundred_devices_in_one_commit),
		batch_test(one_that_fails_stops_all),
		batch_test(steps_that_are_refused),
		batch_test(options_are_copied),
		batch_test(steps_follow_one_another),
		batch_test(a_preview_is_what_a_commit_does),
		batch_test(changes_tell_the_truth),
		batch_test(a_preview_that_fails_as_the_commit_would),
		batch_test(staged_and_committed),
		batch_test(staged_and_aborted),
		batch_test(staged_again_after_a_collision),
		batch_test(a_staged_step_that_fails),
		batch_test(a_repair_sets_what_an_attach_would_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
