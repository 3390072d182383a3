// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists of devices, and every node of one. */
#include "store.h"

static void nothing_to_list(void **state)
{
	struct xensplit_list *list;

	(void)state;
	assert_result(xensplit_list_new(ctx, NULL, 0, &list), 0);
	assert_null(xensplit_list_get(list, 0));
	list = xensplit_list_free(list);
	assert_null(list);
	assert_result(xensplit_list_new(ctx, NULL, XENSPLIT_LIST_FOREIGN, &list), 0);
	/* The suspend channel that each guest has below `device` is not a device. */
	assert_null(xensplit_list_get(list, 0));
	xensplit_list_free(list);
	assert_result(xensplit_list_new(ctx, NULL, 1u << 1, &list), -EINVAL);
	assert_null(xensplit_list_get(NULL, 0));
	assert_null(xensplit_list_free(NULL));
}

static void one_device_with_all_its_fields(void **state)
{
	const struct xensplit_device *device;
	struct xensplit_list *list;

	(void)state;
	connect_mydevice();
	device = list_one(&list, 0);
	assert_int_equal(device->id.domid, 5);
	assert_string_equal(device->id.type, "mydevice");
	assert_int_equal(device->id.devid, 0);
	assert_string_equal(device->domain, "g5");
	assert_int_equal(device->backend_domid, 0);
	assert_string_equal(device->frontend, FE);
	assert_string_equal(device->backend, BE);
	assert_int_equal(device->frontend_state, XENSPLIT_STATE_CONNECTED);
	assert_int_equal(device->backend_state, XENSPLIT_STATE_CONNECTED);
	assert_int_equal(device->online, 1);
	assert_int_equal(device->origin, XENSPLIT_ORIGIN_XENSPLIT);
	assert_int_equal(device->stale, 0);
	assert_string_equal(record_field(REC, "unique-id"), device->unique_id);
	assert_true(device->created > 1600000000);
	/* A snapshot does not change. */
	assert_result(xensplit_detach(ctx, &mydevice, 0, 10000), 0);
	assert_int_equal(device->frontend_state, XENSPLIT_STATE_CONNECTED);
	assert_string_equal(device->domain, "g5");
	xensplit_list_free(list);
}

static size_t count(uint32_t domid, const char *type, uint32_t devid)
{
	XENSPLIT_FILTER(filter);
	struct xensplit_list *list;
	size_t n = 0;

	filter.domid = domid;
	filter.type = type;
	filter.devid = devid;
	assert_result(xensplit_list_new(ctx, &filter, 0, &list), 0);
	while (xensplit_list_get(list, n))
		n++;
	xensplit_list_free(list);
	return n;
}

static void filters(void **state)
{
	static const struct {
		uint32_t domid, devid;
		const char *type;
	} devices[] = { { 5, 0, "a" }, { 5, 1, "a" }, { 5, 0, "b" }, { 6, 0, "a" } };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		struct xensplit_attach_opts opts =
			device_opts(devices[i].domid, devices[i].type, devices[i].devid);

		assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	}
	assert_int_equal(count(XENSPLIT_ANY, NULL, XENSPLIT_ANY), 4);
	assert_int_equal(count(5, NULL, XENSPLIT_ANY), 3);
	assert_int_equal(count(5, "a", XENSPLIT_ANY), 2);
	assert_int_equal(count(5, "a", 1), 1);
	assert_int_equal(count(XENSPLIT_ANY, "a", 0), 2);
	assert_int_equal(count(XENSPLIT_ANY, NULL, 0), 3);
	assert_int_equal(count(0, NULL, XENSPLIT_ANY), 0);
	assert_int_equal(count(7, NULL, XENSPLIT_ANY), 0);
	assert_int_equal(count(5, "c", 0), 0);
}

/* Foreign devices: found by their backends, or by a frontend without one. */
static void foreign_devices(void **state)
{
	const struct xensplit_device *device;
	struct xensplit_list *list;

	(void)state;
	put("/local/domain/6/backend/vif/5/0/state", "4", "n6,r5");
	put("/local/domain/5/device/vif/0/state", "4", "n5,r6");
	put("/local/domain/5/device/vif/0/backend", "/local/domain/0/backend/vbd/5/1",
	    NULL);
	put("/local/domain/5/device/alone/3/state", "1", "n5");
	put("/local/domain/5/device/odd@name/3/state", "1", NULL);
	attach_mydevice();
	list_one(&list, 0);
	xensplit_list_free(list);

	assert_result(xensplit_list_new(ctx, NULL, XENSPLIT_LIST_FOREIGN, &list), 0);
	device = xensplit_list_get(list, 0);
	assert_string_equal(device->id.type, "alone");
	assert_int_equal(device->backend_domid, XENSPLIT_ANY);
	assert_null(device->backend);
	assert_int_equal(device->backend_state, XENSPLIT_STATE_ABSENT);
	assert_int_equal(device->origin, XENSPLIT_ORIGIN_FOREIGN);
	assert_null(device->unique_id);
	assert_int_equal(device->created, 0);
	device = xensplit_list_get(list, 1);
	assert_string_equal(device->id.type, "mydevice");
	assert_int_equal(device->origin, XENSPLIT_ORIGIN_XENSPLIT);
	/* What the guest says about its backend is ignored. */
	device = xensplit_list_get(list, 2);
	assert_string_equal(device->id.type, "vif");
	assert_int_equal(device->backend_domid, 6);
	assert_int_equal(device->backend_state, XENSPLIT_STATE_CONNECTED);
	assert_null(xensplit_list_get(list, 3));
	xensplit_list_free(list);
}

/* Uses the backend that no guest can have forged; else dom0's, else the first. */
static void a_frontend_that_several_claim(void **state)
{
	static const struct {
		const char *value, *perms;
		bool dom0_claims;
		uint32_t wanted;
	} rows[] = {
		{ "/local/domain/6/backend/odd/5/0", "n0,r5", true, 6 },
		{ "/local/domain/6/backend/odd/5/0", "n5", true, 0 },
		{ "/local/domain/6/backend/odd/5/0", "n0,b5", true, 0 },
		{ "/local/domain/9/backend/odd/5/0", "n0", true, 0 },
		{ "/local/domain/0/backend/odd/5/0", "n0,r5", false, 5 },
		{ "/local/domain/6/backend/odd/5/0", "n0,r5", false, 6 },
	};
	struct xensplit_list *list;
	size_t i;

	(void)state;
	put("/local/domain/5/device/odd/0/state", "1", NULL);
	put("/local/domain/5/backend/odd/5/0/state", "1", NULL);
	put("/local/domain/6/backend/odd/5/0/state", "1", NULL);
	put("/local/domain/0/backend/odd/5/0/state", "1", NULL);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].dom0_claims)
			xs_rm(dom0, XBT_NULL, "/local/domain/0/backend/odd");
		put("/local/domain/5/device/odd/0/backend", rows[i].value, rows[i].perms);
		put("/local/domain/5/device/odd/0/backend-id", "6", rows[i].perms);
		assert_int_equal(list_one(&list, XENSPLIT_LIST_FOREIGN)->backend_domid,
				 rows[i].wanted);
		xensplit_list_free(list);
	}
}

/* The backend's directory of a device with a record is not another device. */
static void another_type_of_the_backend(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "net", 0);
	const struct xensplit_device *device;
	struct xensplit_list *list;

	(void)state;
	opts.backend_type = "xen_net";
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	device = list_one(&list, XENSPLIT_LIST_FOREIGN);
	assert_string_equal(device->id.type, "net");
	assert_string_equal(device->backend_type, "xen_net");
	assert_string_equal(device->backend, "/local/domain/0/backend/xen_net/5/0");
	assert_int_equal(device->backend_state, XENSPLIT_STATE_INITIALISING);
	xensplit_list_free(list);
	put("/local/domain/6/backend/xen_net/5/0/state", "2", NULL);
	assert_result(xensplit_list_new(ctx, NULL, XENSPLIT_LIST_FOREIGN, &list), 0);
	assert_int_equal(xensplit_list_get(list, 1)->backend_domid, 6);
	assert_null(xensplit_list_get(list, 2));
	xensplit_list_free(list);
}

static void by_the_backends_domain(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 1);
	XENSPLIT_FILTER(filter);
	struct xensplit_list *list;

	(void)state;
	attach_mydevice();
	opts.backend_domid = 6;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	put("/local/domain/6/backend/odd/5/0/state", "1", NULL);
	put("/local/domain/5/device/odd/1/state", "1", NULL);
	filter.backend_domid = 6;
	assert_result(xensplit_list_new(ctx, &filter, 0, &list), 0);
	assert_int_equal(xensplit_list_get(list, 0)->id.devid, 1);
	assert_null(xensplit_list_get(list, 1));
	xensplit_list_free(list);
	assert_result(xensplit_list_new(ctx, &filter, XENSPLIT_LIST_FOREIGN, &list), 0);
	assert_string_equal(xensplit_list_get(list, 1)->id.type, "odd");
	assert_null(xensplit_list_get(list, 2));
	xensplit_list_free(list);
	filter.backend_domid = 0;
	filter.domid = 5;
	filter.type = "mydevice";
	filter.devid = 1;
	assert_result(xensplit_list_new(ctx, &filter, 0, &list), 0);
	assert_null(xensplit_list_get(list, 0));
	xensplit_list_free(list);
	filter.backend_domid = 40000;
	assert_result(xensplit_list_new(ctx, &filter, 0, &list), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 40000");
	filter.backend_domid = 0;
	assert_result(xensplit_list_new(ctx, &filter, 0, &list), 0);
	assert_string_equal(xensplit_errmsg(ctx), "");
	xensplit_list_free(list);
}

/* Keys that fit in the record, and keys that do not. */
static void recorded_keys(void **state)
{
	static char longest[2049];
	const struct xensplit_pair front[] = { { "ring", "two words" },
					       { "first", longest },
					       { "second", longest } };
	const struct xensplit_pair back[] = { { "mode", "w\n=\\" } };
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	const struct xensplit_device *device;
	struct xensplit_list *list;
	size_t i, j;

	(void)state;
	memset(longest, 'x', 2048);
	opts.front = front;
	opts.front_count = ARRAY_SIZE(front);
	opts.back = back;
	opts.back_count = ARRAY_SIZE(back);
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	/* What either end does to the nodes is ignored. */
	put(FE "/ring", "else", NULL);
	device = list_one(&list, 0);
	assert_int_equal(device->front_count, 3);
	for (i = 0; i < 3; i++) {
		for (j = 0; strcmp(front[i].key, device->front[j].key) != 0; j++)
			assert_true(j < 2);
		assert_string_equal(front[i].value, device->front[j].value);
	}
	assert_int_equal(device->back_count, 1);
	assert_string_equal(device->back[0].key, "mode");
	assert_string_equal(device->back[0].value, "w\n=\\");
	assert_null(device->phase);
	xensplit_list_free(list);
}

static void one_that_is_being_replaced(void **state)
{
	const struct xensplit_device *device;
	struct xensplit_list *list;
	char record[4096], *value;

	(void)state;
	attach_mydevice();
	value = xs_read(dom0, XBT_NULL, REC, NULL);
	snprintf(record, sizeof(record), "%sphase=replace\n", value);
	free(value);
	put(REC, record, NULL);
	device = list_one(&list, 0);
	assert_string_equal(device->phase, "replace");
	assert_int_equal(device->damaged, 0);
	xensplit_list_free(list);
}

static void assert_listed(const char *listed)
{
	struct xensplit_list *list;

	assert_string_equal(list_one(&list, 0)->listed, listed);
	xensplit_list_free(list);
}

/* Who makes the device again does not know that it is on a list. */
static void one_that_is_on_a_list(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	const struct xensplit_device *device;
	struct xensplit_batch *batch;
	struct xensplit_list *list;
	struct xensplit_op *op;
	char record[4096], *value;

	(void)state;
	attach_mydevice();
	device = list_one(&list, 0);
	assert_null(device->listed);
	xensplit_list_free(list);
	value = xs_read(dom0, XBT_NULL, REC, NULL);
	snprintf(record, sizeof(record), "%slisted=auto\nphase=replace\n", value);
	free(value);
	put(REC, record, NULL);
	assert_listed("auto");

	assert_result(xensplit_repair(ctx, &mydevice, 100), -ETIMEDOUT);
	assert_null(record_field(REC, "phase"));
	assert_listed("auto");
	opts.flags = XENSPLIT_ATTACH_REPLACE | XENSPLIT_ATTACH_DROP_KEYS;
	assert_result(xensplit_op_attach(ctx, &opts, 0, &op), 0);
	assert_result(xensplit_op_run(op), 0);
	assert_int_equal(xensplit_op_get_device(op, &device), 0);
	assert_string_equal(device->listed, "auto");
	xensplit_op_free(op);
	assert_listed("auto");
	assert_result(xensplit_batch_new(ctx, &batch), 0);
	assert_int_equal(xensplit_batch_attach(batch, &opts), 0);
	assert_result(xensplit_batch_commit(batch), 0);
	xensplit_batch_free(batch);
	assert_listed("auto");
}

/* Only its name is known; the paths follow from the name. */
static void a_damaged_record(void **state)
{
	const struct xensplit_device *device;
	struct xensplit_list *list;
	unsigned int backend;

	(void)state;
	attach_mydevice();
	for (backend = 0; backend <= 6; backend += 6) {
		put(REC, "schema=1\nbackend-id=0\n", NULL);
		if (backend) {
			xs_rm(dom0, XBT_NULL, BE);
			put("/local/domain/6/backend/mydevice/5/0/state", "4", NULL);
		}
		device = list_one(&list, backend ? XENSPLIT_LIST_FOREIGN : 0);
		assert_int_equal(device->damaged, 1);
		assert_int_equal(device->origin, XENSPLIT_ORIGIN_XENSPLIT);
		assert_int_equal(device->stale, 0);
		assert_int_equal(device->backend_domid, backend);
		assert_int_equal(device->frontend_state, XENSPLIT_STATE_INITIALISING);
		assert_int_equal(device->backend_state, backend ? 4 : 1);
		assert_null(device->unique_id);
		assert_string_equal(device->domain, "g5");
		xensplit_list_free(list);
	}
	xs_rm(dom0, XBT_NULL, "/local/domain/6/backend");
	device = list_one(&list, 0);
	assert_int_equal(device->backend_domid, XENSPLIT_ANY);
	assert_null(device->backend);
	xensplit_list_free(list);
	assert_null(strstr(logged, "warn"));
	assert_string_equal(xensplit_errmsg(ctx), "");
}

/* A guest may fill its own half: readers still succeed. */
static void pitfall_17_a_guest_that_fills_its_half(void **state)
{
	struct xensplit_nodes *nodes;
	const struct xensplit_node *node;
	struct xensplit_list *list;
	size_t i, below = 0;

	(void)state;
	attach_mydevice();
	run("\"$SANDBOX\" as 5 bash -c 'd=device/mydevice/0; for i in {1..300}; do "
	    "args+=($d/n$i x); done; xenstore-write \"${args[@]}\"; "
	    "for i in {1..40}; do d+=/d; done; xenstore-write $d deep'");
	put_bytes(FE "/bytes", "a\0\x1b", 3, NULL);
	assert_int_equal(list_one(&list, 0)->frontend_state, XENSPLIT_STATE_INITIALISING);
	xensplit_list_free(list);
	assert_result(xensplit_nodes_new(ctx, &mydevice, &nodes), 0);
	for (i = 0; (node = xensplit_nodes_get(nodes, i)); i++) {
		assert_int_equal(node->op, XENSPLIT_NODE_IS);
		below += !strncmp(node->path, FE "/", strlen(FE "/"));
		assert_null(
			strstr(node->path, "/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d"));
		if (!strcmp(node->path, FE "/bytes")) {
			assert_int_equal(node->value_len, 3);
			assert_memory_equal(node->value, "a\0\x1b", 4);
		}
	}
	assert_true(below > 300);
	xensplit_nodes_free(nodes);
	assert_result(xensplit_detach(ctx, &mydevice, 0, 0), 0);
	assert_no_device();
}

/* Parents before children, each with the store's value, and none missing. */
static void every_node_of_a_device(void **state)
{
	struct xensplit_nodes *nodes;
	const struct xensplit_node *node;
	char seen[8192] = "";
	size_t i;

	(void)state;
	attach_mydevice();
	put("/local/domain/5/error/device/mydevice/0/error", "oops", NULL);
	put("/local/domain/0/error/backend/mydevice/5/0/error", "more", NULL);
	put(FE "/ring/ref", "8", NULL);
	assert_result(xensplit_nodes_new(ctx, &mydevice, &nodes), 0);
	for (i = 0; (node = xensplit_nodes_get(nodes, i)); i++) {
		char parent[256];

		assert_node(node->path, node->value, node->perms);
		snprintf(parent, sizeof(parent), "%s", node->path);
		*strrchr(parent, '/') = '\0';
		if (i && strstr(parent, "mydevice/0/"))
			assert_contains(seen, parent);
		strcat(seen, node->path);
		strcat(seen, "\n");
	}
	assert_contains(seen, REC "\n");
	assert_contains(seen, FE "/ring/ref\n");
	assert_contains(seen, BE "/online\n");
	assert_contains(seen, "/local/domain/5/error/device/mydevice/0/error\n");
	assert_contains(seen, "/local/domain/0/error/backend/mydevice/5/0/error\n");
	xensplit_nodes_free(nodes);
	assert_result(xensplit_nodes_new(ctx, &(struct xensplit_id){ 5, "other", 0 },
					 &nodes),
		      -ENOENT);
	assert_contains(xensplit_errmsg(ctx), "no such device");
	assert_result(xensplit_nodes_new(ctx, &mydevice, &nodes), 0);
	assert_string_equal(xensplit_errmsg(ctx), "");
	xensplit_nodes_free(nodes);
}

/* A client that may not read the records gets an error, not an empty list. */
static void without_permission(void **state)
{
	XENSPLIT_OPTS(xensplit_opts, opts);
	struct xensplit_list *list;

	(void)state;
	attach_mydevice();
	xensplit_free(ctx);
	opts.xs = as_domain(5);
	ctx = new_ctx(&opts);
	assert_result(xensplit_list_new(ctx, NULL, 0, &list), -EACCES);
	assert_contains(xensplit_errmsg(ctx), "no permission to list /xensplit");
	assert_result(xensplit_detach(ctx, &mydevice, 0, 0), -EACCES);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(nothing_to_list),
		store_test(one_device_with_all_its_fields),
		store_test(filters),
		store_test(foreign_devices),
		store_test(a_frontend_that_several_claim),
		store_test(another_type_of_the_backend),
		store_test(by_the_backends_domain),
		store_test(recorded_keys),
		store_test(one_that_is_being_replaced),
		store_test(one_that_is_on_a_list),
		store_test(a_damaged_record),
		store_test(pitfall_17_a_guest_that_fills_its_half),
		store_test(every_node_of_a_device),
		store_test(without_permission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
