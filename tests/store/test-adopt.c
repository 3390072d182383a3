// SPDX-License-Identifier: GPL-2.0-or-later
/* A record for a device that another tool made, and what is refused with nothing written. */
#include "store.h"

#define BACK6 "/local/domain/6/backend/mydevice/5/0"

static struct xensplit_adopt_opts opts_of(uint32_t backend_domid)
{
	XENSPLIT_OPTS(xensplit_adopt_opts, opts);

	opts.domid = 5;
	opts.type = "mydevice";
	opts.backend_domid = backend_domid;
	return opts;
}

static int adopt(const struct xensplit_adopt_opts *opts)
{
	struct xensplit_batch *batch;
	int r;

	assert_int_equal(xensplit_batch_new(ctx, &batch), 0);
	r = xensplit_batch_adopt(batch, opts);
	if (!r)
		r = xensplit_batch_commit(batch);
	xensplit_batch_free(batch);
	return r;
}

/* Returns the error, and checks that it has this code and text, and that nothing changed. */
static void refuse(const struct xensplit_adopt_opts *opts, int err, const char *code,
		   const char *text)
{
	const char *before = dump();

	assert_result(adopt(opts), err);
	assert_string_equal(xensplit_last_error(ctx)->code, code);
	assert_contains(xensplit_errmsg(ctx), text);
	assert_untouched(before);
}

static void refuse_any(int err, const char *code, const char *text)
{
	struct xensplit_adopt_opts opts = opts_of(XENSPLIT_ANY);

	refuse(&opts, err, code, text);
}

/* Made by dom0 for a backend in dom0, with halves that name each other. */
static void by_hand(void)
{
	put(BE, "", "r0");
	put(FE "/backend", BE, "n0,r5");
	put(FE "/backend-id", "0", "n0,r5");
	put(FE "/mode", "fast", "n0,r5");
	put(FE "/state", "1", "n0,r5");
	put(BE "/frontend", FE, "n0");
	put(BE "/frontend-id", "5", "n0");
	put(BE "/params", "/dev/acc0", "r0");
	put(BE "/state", "1", "r0");
}

/* The same, with its backend in driver domain 6. */
static void by_hand_in_6(void)
{
	put(FE "/backend", BACK6, "n0,r5");
	put(FE "/backend-id", "6", "n0,r5");
	put(FE "/state", "1", "n5,r6");
	put(BACK6 "/frontend", FE, "n6,r5");
	put(BACK6 "/frontend-id", "5", "n6,r5");
	put(BACK6 "/state", "1", "n6,r5");
}

/* A driver domain that owns its directory can claim any device. */
static void claim(uint32_t domid)
{
	char path[80];

	snprintf(path, sizeof(path),
		 "/local/domain/%" PRIu32 "/backend/mydevice/5/0/frontend", domid);
	put(path, FE, domid ? "n6" : "n0");
}

static void it_becomes_ours(void **state)
{
	struct xensplit_adopt_opts opts = opts_of(XENSPLIT_ANY);
	const struct xensplit_device *device;
	struct xensplit_findings *findings;
	struct xensplit_list *list;
	XENSPLIT_FILTER(filter);
	size_t i;

	(void)state;
	by_hand();
	put(BE "/state", "2", NULL);
	device = list_one(&list, XENSPLIT_LIST_FOREIGN);
	assert_int_equal(device->origin, XENSPLIT_ORIGIN_FOREIGN);
	xensplit_list_free(list);
	assert_result(adopt(&opts), 0);

	device = list_one(&list, 0);
	assert_int_equal(device->origin, XENSPLIT_ORIGIN_XENSPLIT);
	assert_int_equal(device->backend_domid, 0);
	assert_int_equal(device->frontend_state, XENSPLIT_STATE_INITIALISING);
	assert_int_equal(device->backend_state, XENSPLIT_STATE_INIT_WAIT);
	assert_int_equal(strlen(device->unique_id), 32);
	assert_true(device->created > 0);
	assert_int_equal(device->online, 1);
	assert_false(device->stale);
	/* Only values of dom0 itself are in the record. */
	assert_int_equal(device->front_count + device->back_count, 0);
	xensplit_list_free(list);
	assert_non_null(record_field(REC, "frontend-mark"));

	assert_node(FE, "", "n5,r0");
	assert_node(FE "/backend", BE, "n0,r5,r0");
	assert_node(FE "/backend-id", "0", "n0,r5,r0");
	assert_node(FE "/mode", "fast", "n5,r0");
	assert_node(FE "/state", "1", "n5,r0");
	assert_node(BE, "", "n0,r5");
	assert_node(BE "/params", "/dev/acc0", "n0,r5");
	assert_node(BE "/online", "1", "n0,r5");
	assert_node(BE "/state", "2", "n0,r5");

	filter.domid = 5;
	assert_result(xensplit_diagnose(ctx, &filter, &findings), 0);
	for (i = 0; xensplit_findings_get(findings, i); i++)
		assert_string_equal(xensplit_findings_get(findings, i)->code,
				    "no-frontend-driver");
	xensplit_findings_free(findings);
	assert_result(xensplit_detach(ctx, &mydevice, XENSPLIT_DETACH_FORCE, 1), 0);
	assert_no_device();
}

/* Both drivers run all the time; the frontend's writes only now that it may. */
static void drivers_connect_and_close(void **state)
{
	struct xensplit_adopt_opts opts = opts_of(XENSPLIT_ANY);

	(void)state;
	drive_both();
	by_hand();
	await(BE "/state", "2");
	assert_result(adopt(&opts), 0);
	await(FE "/state", "4");
	await(BE "/state", "4");
	assert_result(xensplit_detach(ctx, &mydevice, 0, 10000), 0);
	assert_no_device();
}

static void a_backend_in_a_driver_domain(void **state)
{
	struct xensplit_adopt_opts opts = opts_of(6);
	const struct xensplit_device *device;
	struct xensplit_list *list;

	(void)state;
	by_hand_in_6();
	/* Other devices have it in their records. */
	put("/local/domain/6/xensplit", "0123456789abcdef", NULL);
	assert_result(adopt(&opts), 0);
	device = list_one(&list, 0);
	assert_int_equal(device->backend_domid, 6);
	xensplit_list_free(list);
	assert_string_equal(record_field(REC, "backend-mark"), "0123456789abcdef");
	assert_node(FE "/state", "1", "n5,r6");
	assert_node(BACK6 "/online", "1", "n6,r5");
}

static void a_driver_domain_without_a_mark_gets_one(void **state)
{
	struct xensplit_adopt_opts opts = opts_of(6);

	(void)state;
	by_hand_in_6();
	assert_result(adopt(&opts), 0);
	assert_non_null(record_field(REC, "backend-mark"));
	assert_node("/local/domain/6/xensplit", record_field(REC, "backend-mark"), "n0");
}

static void a_backend_of_another_type(void **state)
{
	struct xensplit_adopt_opts opts = opts_of(XENSPLIT_ANY);
	const struct xensplit_device *device;
	struct xensplit_list *list;

	(void)state;
	by_hand();
	xs_rm(dom0, XBT_NULL, BE);
	put(FE "/backend", "/local/domain/0/backend/other/5/0", "n0,r5");
	put("/local/domain/0/backend/other/5/0/frontend", FE, "n0,r5");
	put("/local/domain/0/backend/other/5/0/frontend-id", "5", "n0,r5");
	put("/local/domain/0/backend/other/5/0/state", "1", "n0,r5");
	refuse_any(-ENOENT, "no-backend", "the device has no backend");
	opts.backend_type = "other";
	assert_result(adopt(&opts), 0);
	device = list_one(&list, XENSPLIT_LIST_FOREIGN);
	assert_string_equal(device->backend_type, "other");
	xensplit_list_free(list);
}

static void halves_that_do_not_agree(void **state)
{
	static const struct {
		const char *path, *wrong, *right;
	} rows[] = {
		{ FE "/backend", "/local/domain/6/backend/mydevice/5/0", BE },
		{ FE "/backend-id", "6", "0" },
		{ BE "/frontend", "/local/domain/5/device/mydevice/1", FE },
		{ BE "/frontend-id", "6", "5" },
	};
	size_t i;

	(void)state;
	by_hand();
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		put(rows[i].path, rows[i].wrong, NULL);
		refuse_any(-EPERM, "not-repairable", rows[i].path);
		xs_rm(dom0, XBT_NULL, rows[i].path);
		refuse_any(-EPERM, "not-repairable", "does not name the other half");
		put(rows[i].path, rows[i].right, "n0,r5");
	}
}

static void a_pointer_that_a_guest_can_write(void **state)
{
	static const char *const perms[] = { "n5,r0", "n0,b5", "w0", "n0,r5,w6" };
	struct xensplit_adopt_opts opts = opts_of(0);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(perms); i++) {
		by_hand();
		put(FE "/backend", BE, perms[i]);
		refuse_any(-EPERM, "not-repairable",
			   "/backend can be written by a guest");
		/* not even if the backend's domain is given */
		refuse(&opts, -EPERM, "not-repairable", "can be written by a guest");
		by_hand();
		put(FE "/backend-id", "0", perms[i]);
		refuse_any(-EPERM, "not-repairable", "/backend-id can be written");
	}
}

static void several_backends(void **state)
{
	struct xensplit_adopt_opts opts = opts_of(6);

	(void)state;
	by_hand();
	claim(6);
	refuse_any(-EPERM, "not-repairable", "has more than one backend");
	/* The halves have to agree also about the one that is given. */
	put(BACK6 "/state", "1", "n6");
	refuse(&opts, -EPERM, "not-repairable", "does not name the other half");
	opts.backend_domid = 0;
	assert_result(adopt(&opts), 0);
	assert_null(record_field(REC, "backend-mark"));
	assert_node(BACK6 "/state", "1", "n6");
}

static void one_that_is_ours(void **state)
{
	(void)state;
	attach_mydevice();
	refuse_any(-EEXIST, "already-attached",
		   "already attached (frontend Initialising");
	put("/local/domain/5/xensplit", "0123456789abcdef", NULL);
	refuse_any(-ESTALE, "stale", "an earlier domain 5");
	put(REC, "nothing that makes sense", NULL);
	refuse_any(-EBADMSG, "record-damaged", "is damaged");
}

static void one_that_is_not_whole(void **state)
{
	struct xensplit_adopt_opts opts = opts_of(6);

	(void)state;
	refuse_any(-ENOENT, "no-such-device", "no such device");
	refuse(&opts, -ENOENT, "no-such-device", "no such device");
	put(FE "/state", "1", "n5,r0");
	refuse_any(-ENOENT, "no-backend", "the device has no backend");
	by_hand();
	refuse(&opts, -ENOENT, "no-backend", BACK6 " does not exist");
	xs_rm(dom0, XBT_NULL, FE "/state");
	refuse_any(-ENOENT, "partial", FE "/state does not exist");
	by_hand();
	xs_rm(dom0, XBT_NULL, BE "/state");
	refuse_any(-ENOENT, "partial", BE "/state does not exist");
	xs_rm(dom0, XBT_NULL, FE);
	refuse_any(-ENOENT, "partial", FE "/state does not exist");
}

static void a_domain_that_is_gone(void **state)
{
	struct xensplit_adopt_opts opts = opts_of(XENSPLIT_ANY);

	(void)state;
	by_hand_in_6();
	run("$SANDBOX kill 6");
	put(BACK6 "/frontend", FE, "n0,r5");
	put(BACK6 "/frontend-id", "5", "n0,r5");
	put(BACK6 "/state", "1", "n0,r5");
	refuse_any(-ESRCH, "no-such-domain", "no such domain: 6");
	opts.domid = 77;
	put("/local/domain/0/backend/mydevice/77/0/state", "1", "n0");
	refuse(&opts, -ESRCH, "no-such-domain", "no such domain: 77");
}

static void arguments_that_are_wrong(void **state)
{
	struct xensplit_adopt_opts opts = opts_of(XENSPLIT_ANY);
	struct xensplit_batch *batch;

	(void)state;
	by_hand();
	opts.type = "vbd";
	refuse(&opts, -EINVAL, "reserved-type", "libxl manages devices of type 'vbd'");
	opts.flags = XENSPLIT_ADOPT_RESERVED;
	refuse(&opts, -ENOENT, "no-such-device", "no such device");
	opts.flags = 2;
	refuse(&opts, -EINVAL, "invalid-argument", "unknown adopt flags 0x2");
	opts.flags = 0;
	opts.type = "mydevice-is-too-long";
	refuse(&opts, -EINVAL, "bus-id-too-long", "'mydevice-is-too-long-5-0'");
	opts.type = "a/b";
	refuse(&opts, -EINVAL, "invalid-argument", "'a/b' is not a device type");
	opts.type = NULL;
	refuse(&opts, -EINVAL, "invalid-argument", "is not a device type");
	opts.type = "mydevice";
	opts.devid = XENSPLIT_DEVID_AUTO;
	refuse(&opts, -EINVAL, "invalid-argument", "the device id is missing");
	opts.devid = 0;
	opts.backend_domid = 40000;
	refuse(&opts, -ESRCH, "no-such-domain", "no such domain: 40000");
	opts.backend_domid = XENSPLIT_ANY;
	opts.backend_type = "a/b";
	refuse(&opts, -EINVAL, "invalid-argument", "'a/b' is not a device type");
	assert_int_equal(xensplit_batch_new(ctx, &batch), 0);
	assert_int_equal(xensplit_batch_adopt(NULL, &opts), -EINVAL);
	assert_int_equal(xensplit_batch_adopt(batch, NULL), -EINVAL);
	xensplit_batch_free(batch);
}

/* Also a step before the one that is refused. */
static void all_steps_or_none(void **state)
{
	struct xensplit_attach_opts device = device_opts(6, "mydevice", 0);
	struct xensplit_adopt_opts opts = opts_of(XENSPLIT_ANY);
	struct xensplit_batch *batch;
	const char *before;

	(void)state;
	by_hand();
	before = dump();
	assert_int_equal(xensplit_batch_new(ctx, &batch), 0);
	assert_int_equal(xensplit_batch_attach(batch, &device), 0);
	assert_int_equal(xensplit_batch_adopt(batch, &opts), 1);
	opts.devid = 1;
	assert_int_equal(xensplit_batch_adopt(batch, &opts), 2);
	assert_result(xensplit_batch_commit(batch), -ENOENT);
	assert_untouched(before);
	assert_result(xensplit_batch_preview(batch), -ENOENT);
	assert_untouched(before);
	xensplit_batch_free(batch);
}

/* @want: what the note about a device without a record advises */
static void expect_advice(int want)
{
	const struct xensplit_finding *finding;
	struct xensplit_findings *findings;
	XENSPLIT_FILTER(filter);
	int remedy = -1;
	size_t i;

	filter.domid = 5;
	assert_result(xensplit_diagnose(ctx, &filter, &findings), 0);
	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++)
		if (!strcmp(finding->code, "foreign"))
			remedy = finding->remedy;
	xensplit_findings_free(findings);
	assert_int_equal(remedy, want);
	assert_result(xensplit_detach(ctx, &mydevice, 0, 100), -ENOENT);
	assert_string_equal(xensplit_last_error(ctx)->code, "foreign");
	assert_int_equal(xensplit_last_error(ctx)->cause->remedy, want);
}

/* Only where it would be done. */
static void adopt_is_advised(void **state)
{
	struct xensplit_adopt_opts opts = opts_of(XENSPLIT_ANY);

	(void)state;
	by_hand();
	expect_advice(XENSPLIT_REMEDY_ADOPT);
	put(FE "/backend", BE, "n5,r0");
	expect_advice(XENSPLIT_REMEDY_REPLACE);
	by_hand();
	put(FE "/backend", BE, "n0,r5");
	claim(6);
	expect_advice(XENSPLIT_REMEDY_REPLACE);
	xs_rm(dom0, XBT_NULL, BACK6);
	expect_advice(XENSPLIT_REMEDY_ADOPT);
	xs_rm(dom0, XBT_NULL, BE "/state");
	expect_advice(XENSPLIT_REMEDY_REPLACE);
	xs_rm(dom0, XBT_NULL, BE);
	expect_advice(XENSPLIT_REMEDY_REPLACE);
	by_hand();
	assert_result(adopt(&opts), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(it_becomes_ours),
		store_test(drivers_connect_and_close),
		store_test(a_backend_in_a_driver_domain),
		store_test(a_driver_domain_without_a_mark_gets_one),
		store_test(a_backend_of_another_type),
		store_test(halves_that_do_not_agree),
		store_test(a_pointer_that_a_guest_can_write),
		store_test(several_backends),
		store_test(one_that_is_ours),
		store_test(one_that_is_not_whole),
		store_test(a_domain_that_is_gone),
		store_test(arguments_that_are_wrong),
		store_test(all_steps_or_none),
		store_test(adopt_is_advised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
