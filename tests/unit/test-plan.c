// SPDX-License-Identifier: GPL-2.0-or-later
/* What a keeper uses of a plan: its own way to find domains, and steps to stage with others. */
#include "unit.h"

#include "plan.h"

static const struct xensplit_pair pair = { "key", "value" };
static struct xensplit_ctx *ctx;
static struct xensplit_plan *plan;

static int begin(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	fake_calm();
	return 0;
}

static int end(void **state)
{
	(void)state;
	plan = xensplit_plan_free(plan);
	unit_ctx_free(ctx);
	return 0;
}

static int resolve(struct xensplit_ctx *c, const char *text, void *data,
		   uint32_t *ret_domid)
{
	unsigned int *asked = data;

	++*asked;
	if (!strcmp(text, "gone"))
		return fail(c, -ESRCH, "no such domain: 'gone'");
	assert_string_equal(text, "drv");
	*ret_domid = 6;
	return 0;
}

static int make(const struct xensplit_wanted *const *list, size_t count,
		unsigned int *ret_asked)
{
	*ret_asked = 0;
	plan = xensplit_plan_free(plan);
	return plan_make(ctx, 5, list, count, 0, resolve, ret_asked, &plan);
}

static const struct xensplit_action *make_for(const struct xensplit_wanted *wanted,
					      uint32_t flags)
{
	plan = xensplit_plan_free(plan);
	assert_int_equal(xensplit_plan_new(ctx, 5, &wanted, 1, flags, &plan), 0);
	return xensplit_plan_get(plan, 0);
}

static int do_first(void)
{
	struct xensplit_op *op;
	int r;

	assert_int_equal(xensplit_plan_op(plan, 0, 0, &op), 0);
	r = xensplit_op_run(op);
	xensplit_op_free(op);
	return r;
}

static int stage_all(struct txn *txn, void *data)
{
	struct step *steps = data;
	int r = 0, i;

	for (i = 0; !r && i < 3; i++)
		r = attach_stage(txn, &steps[i]);
	return r;
}

static void steps_of_a_plan(void **state)
{
	struct txn txn = TXN_NONE(ctx);
	struct xensplit_wanted one = { .sz = sizeof(one), .type = "a", .backend = "drv" };
	struct xensplit_wanted two = one, other = one;
	const struct xensplit_wanted *const list[] = { &one, &two, &other };
	struct step steps[3], none;
	unsigned int asked, i;

	(void)state;
	one.devid = XENSPLIT_DEVID_AUTO;
	two.front = &pair;
	two.front_count = 1;
	other.backend = "gone";
	other.devid = 1;
	assert_int_equal(make(list, 3, &asked), 0);
	assert_int_equal(asked, 2);
	assert_int_equal(plan_step(plan, 2, &none), -EINVAL);
	step_clear(&none);
	assert_int_equal(plan_step(plan, 3, &none), -EINVAL);
	step_clear(&none);
	other.backend = NULL;
	assert_int_equal(make(list, 3, &asked), 0);
	assert_int_equal(asked, 1);
	for (i = 0; i < 3; i++)
		assert_int_equal(plan_step(plan, i, &steps[i]), 0);
	/* They outlive the plan. */
	plan = xensplit_plan_free(plan);
	assert_int_equal(store_transaction(&txn, stage_all, steps), 0);
	/* The automatic id is none that another entry has. */
	assert_int_equal(steps[0].id.devid, 2);
	assert_string_equal(steps[0].is_listed, "auto");
	assert_string_equal(steps[1].is_listed, "fixed");
	assert_string_equal(fake_value("/local/domain/5/device/a/0/key", NULL), "value");
	assert_string_equal(fake_value("/local/domain/5/device/a/2/backend-id", NULL),
			    "6");
	/* Another time there is nothing left to stage. */
	assert_int_equal(make(list, 3, &asked), 0);
	for (i = 0; i < 3; i++) {
		step_clear(&steps[i]);
		assert_int_equal(plan_step(plan, i, &none), -EINVAL);
		assert_int_equal(xensplit_plan_get(plan, i)->kind, XENSPLIT_ACTION_KEEP);
	}
}

/* What is wrong with the list comes before what is wrong with a domain. */
static void an_entry_that_is_refused_for_two_reasons(void **state)
{
	struct xensplit_wanted one = {
		.sz = sizeof(one), .type = "a", .backend = "gone", .devid = 1
	};
	const struct xensplit_wanted *const list[] = { &one, &one };
	const struct xensplit_action *action;
	unsigned int asked;

	(void)state;
	assert_int_equal(make(list, 2, &asked), 0);
	action = xensplit_plan_get(plan, 0);
	assert_int_equal(action->kind, XENSPLIT_ACTION_REFUSE);
	assert_int_equal(action->result, -ESRCH);
	assert_string_equal(action->code, "no-such-domain");
	assert_string_equal(action->message, "no such domain: 'gone'");
	action = xensplit_plan_get(plan, 1);
	assert_int_equal(action->kind, XENSPLIT_ACTION_REFUSE);
	assert_int_equal(action->result, -EINVAL);
	assert_string_equal(action->code, "listed-twice");
	assert_string_equal(action->message, "the list has a/1 twice");
}

static void list_as(const char *path, const char *listed)
{
	char record[2048];

	snprintf(record, sizeof(record), "%slisted=%s\n", fake_value(path, NULL), listed);
	set(path, record);
}

static void attach_listed(uint32_t domid, uint32_t devid, const char *listed)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	char path[64];

	opts.domid = domid;
	opts.type = "a";
	opts.devid = devid;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	snprintf(path, sizeof(path), "/xensplit/%u/a/%u", (unsigned int)domid,
		 (unsigned int)devid);
	list_as(path, listed);
}

static void what_is_kept_is_as_its_record_says(void **state)
{
	struct xensplit_wanted one = { .sz = sizeof(one), .type = "a" };
	const struct xensplit_device *found;
	struct xensplit_op *op;

	(void)state;
	attach_listed(5, 0, "fixed");
	assert_int_equal(make_for(&one, 0)->kind, XENSPLIT_ACTION_KEEP);
	assert_int_equal(xensplit_plan_op(plan, 0, 0, &op), 0);
	assert_int_equal(xensplit_op_run(op), 0);
	assert_int_equal(xensplit_op_get_changed(op), 0);
	assert_int_equal(xensplit_op_get_device(op, &found), 0);
	assert_string_equal(found->listed, "fixed");
	xensplit_op_free(op);
}

/* By their numbers, and not as the store has them. */
static void of_several_devices_the_lowest_id_is_taken(void **state)
{
	struct xensplit_wanted one = { .sz = sizeof(one), .type = "a" };

	(void)state;
	one.devid = XENSPLIT_DEVID_AUTO;
	attach_listed(5, 10, "auto");
	attach_listed(5, 9, "auto");
	assert_int_equal(make_for(&one, 0)->kind, XENSPLIT_ACTION_KEEP);
	assert_int_equal(xensplit_plan_get(plan, 0)->id.devid, 9);
}

static void devices_of_another_domain_or_type_are_no_matter(void **state)
{
	struct xensplit_wanted one = { .sz = sizeof(one), .type = "a" };

	(void)state;
	attach_listed(6, 0, "fixed");
	assert_int_equal(make_for(&one, XENSPLIT_PLAN_PRUNE)->kind,
			 XENSPLIT_ACTION_ATTACH);
	one.devid = 1;
	make_for(&one, XENSPLIT_PLAN_PRUNE);
	assert_null(xensplit_plan_get(plan, 1));
	attach_listed(5, 1, "fixed");
	one.type = "b";
	assert_int_equal(make_for(&one, 0)->kind, XENSPLIT_ACTION_ATTACH);
}

static void ids_of_another_type_are_free(void **state)
{
	struct xensplit_wanted one = { .sz = sizeof(one), .type = "a" };
	struct xensplit_wanted other = { .sz = sizeof(other), .type = "b" };
	const struct xensplit_wanted *const list[] = { &one, &other };
	unsigned int asked;
	struct step step;

	(void)state;
	one.devid = XENSPLIT_DEVID_AUTO;
	assert_int_equal(make(list, 2, &asked), 0);
	assert_int_equal(plan_step(plan, 0, &step), 0);
	assert_int_equal(step.avoid_count, 0);
	step_clear(&step);
}

/* Its own may come back with its backend's domain; this one is of another backend. */
static void an_entry_without_its_backend_takes_no_device_of_another(void **state)
{
	struct xensplit_wanted gone = { .sz = sizeof(gone), .type = "a" };
	struct xensplit_wanted one = gone;
	const struct xensplit_wanted *const list[] = { &gone, &one };
	unsigned int asked;

	(void)state;
	one.devid = gone.devid = XENSPLIT_DEVID_AUTO;
	gone.backend = "gone";
	attach_listed(5, 0, "auto");
	assert_int_equal(make(list, 2, &asked), 0);
	assert_int_equal(xensplit_plan_get(plan, 0)->kind, XENSPLIT_ACTION_REFUSE);
	assert_int_equal(xensplit_plan_get(plan, 1)->kind, XENSPLIT_ACTION_KEEP);
}

static void it_goes(void)
{
	fake.requests_most = 0;
	assert_true(xs_rm(ctx->xs, XBT_NULL, "/xensplit/5/a/0"));
}

static void a_device_that_goes_while_the_plan_is_made(void **state)
{
	struct xensplit_wanted one = { .sz = sizeof(one), .type = "a" };
	const struct xensplit_wanted *const list[] = { &one };
	unsigned int at, asked;
	bool went = true;

	(void)state;
	for (at = 1; went; at++) {
		attach_listed(5, 0, "fixed");
		fake_calm();
		fake.idle = it_goes;
		fake.requests_most = at;
		assert_int_equal(make(list, 1, &asked), 0);
		went = !fake.requests_most;
		end(NULL);
		begin(NULL);
	}
	assert_in_range(at, 5, 50);
}

/* A plan that says so would be one to show. */
static void without_memory_there_is_no_plan(void **state)
{
	struct xensplit_op *op = NULL;
	struct xensplit_wanted one = { .sz = sizeof(one), .type = "a", .backend = "drv" };
	struct xensplit_wanted two = one, three = one;
	const struct xensplit_wanted *const list[] = { &one, &two, &three };
	bool failed = true;
	unsigned int at, asked;
	int r;

	(void)state;
	attach_listed(5, 0, "fixed");
	two.devid = XENSPLIT_DEVID_AUTO;
	two.back = &pair;
	two.back_count = 1;
	three.backend = "gone";
	three.devid = 3;
	for (at = 1; failed; at++) {
		memory = (struct memory){ .fail_at = at };
		r = make(list, 3, &asked);
		failed = memory.failed;
		memory.fail_at = 0;
		assert_int_equal(r, failed ? -ENOMEM : 0);
		assert_int_equal(!plan, failed);
	}
	assert_in_range(at, 20, 500);
	/* Nor an operation; this one has a key, and ids to avoid. */
	at = 0;
	do {
		memory = (struct memory){ .fail_at = ++at };
		r = xensplit_plan_op(plan, 1, 0, &op);
		failed = memory.failed;
		memory.fail_at = 0;
		assert_int_equal(r, failed ? -ENOMEM : 0);
		assert_int_equal(!op, failed);
	} while (failed);
	assert_in_range(at, 4, 100);
	xensplit_op_free(op);
}

/* --- what another client does before its action --- */

static void what_another_has_attached_is_not_replaced(void **state)
{
	struct xensplit_wanted one = { .sz = sizeof(one), .type = "a" };

	(void)state;
	one.front = &pair;
	one.front_count = 1;
	assert_int_equal(make_for(&one, XENSPLIT_PLAN_REPLACE)->kind,
			 XENSPLIT_ACTION_ATTACH);
	attach_listed(5, 0, "fixed");
	assert_int_equal(do_first(), -EEXIST);
	assert_string_equal(xensplit_last_error(ctx)->code, "differs");
	assert_null(fake_value("/local/domain/5/device/a/0/key", NULL));
}

/* The backend's domain comes back, and has no half any more. */
static void make_stale(const struct xensplit_wanted *wanted, const char *mark)
{
	xs_rm(ctx->xs, XBT_NULL, "/local/domain/6/backend");
	set("/local/domain/6/xensplit", mark);
	fake_calm();
	assert_int_equal(make_for(wanted, 0)->kind, XENSPLIT_ACTION_RENEW);
}

/* A guest only sees that its frontend is another one if it was gone for a while. */
static void what_a_former_domain_has_left_is_attached_anew(void **state)
{
	struct xensplit_wanted one = { .sz = sizeof(one), .type = "a", .backend = "6" };

	(void)state;
	make_for(&one, 0);
	assert_int_equal(do_first(), 0);
	make_stale(&one, "0123456789abcdef");
	assert_int_equal(do_first(), 0);
	assert_int_equal(fake.pauses, 1);
	assert_int_equal(make_for(&one, 0)->kind, XENSPLIT_ACTION_KEEP);

	assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/5/device/a/0"));
	make_stale(&one, "1123456789abcdef");
	assert_int_equal(do_first(), 0);
	assert_int_equal(fake.pauses, 0);
	assert_int_equal(make_for(&one, 0)->kind, XENSPLIT_ACTION_KEEP);

	/* Another client has removed it. */
	make_stale(&one, "2123456789abcdef");
	it_goes();
	assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/5/device/a/0"));
	assert_int_equal(do_first(), 0);
	assert_int_equal(make_for(&one, 0)->kind, XENSPLIT_ACTION_KEEP);
}

/* For an id that a plan picked it takes only what a plan attached so, and can read. */
static void devices_that_an_automatic_id_does_not_take(void **state)
{
	struct xensplit_wanted one = { .sz = sizeof(one), .type = "a" };
	struct xensplit_wanted wrong = one, two = one;
	const struct xensplit_wanted *const list[] = { &wrong, &one, &two };
	static const struct xensplit_pair state_key = { "state", "4" };
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	unsigned int asked;

	(void)state;
	one.devid = wrong.devid = XENSPLIT_DEVID_AUTO;
	two.type = "b";
	two.devid = XENSPLIT_DEVID_AUTO;
	two.front = &pair;
	two.front_count = 1;
	wrong.front = &state_key;
	wrong.front_count = 1;
	set("/xensplit/5/a/0", "nonsense");
	opts.domid = 5;
	opts.type = "b";
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	list_as("/xensplit/5/b/0", "auto");
	opts.type = "a";
	opts.devid = 1;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	list_as("/xensplit/5/a/1", "fixed");
	assert_int_equal(make(list, 3, &asked), 0);
	assert_int_equal(xensplit_plan_get(plan, 0)->kind, XENSPLIT_ACTION_REFUSE);
	assert_int_equal(xensplit_plan_get(plan, 1)->kind, XENSPLIT_ACTION_ATTACH);
	/* This one is of its type, and has another key. */
	assert_int_equal(xensplit_plan_get(plan, 2)->kind, XENSPLIT_ACTION_REFUSE);
	opts.devid = 2;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	list_as("/xensplit/5/a/2", "auto");
	assert_int_equal(make(list, 3, &asked), 0);
	assert_int_equal(xensplit_plan_get(plan, 0)->kind, XENSPLIT_ACTION_REFUSE);
	assert_int_equal(xensplit_plan_get(plan, 1)->kind, XENSPLIT_ACTION_KEEP);
	assert_int_equal(xensplit_plan_get(plan, 1)->id.devid, 2);
}

/* A lost connection is no reason to refuse an entry. */
static int fail_to_resolve(struct xensplit_ctx *c, const char *text, void *data,
			   uint32_t *ret_domid)
{
	(void)text;
	(void)ret_domid;
	return fail(c, *(int *)data, "no luck");
}

static void a_search_that_fails(void **state)
{
	struct xensplit_wanted one = { .sz = sizeof(one), .type = "a", .backend = "drv" };
	const struct xensplit_wanted *const list[] = { &one };
	int errors[] = { -ENOTCONN, -ENOMEM, -EACCES };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(errors); i++)
		assert_int_equal(plan_make(ctx, 5, list, 1, 0, fail_to_resolve,
					   &errors[i], &plan),
				 errors[i]);
	assert_null(plan);
}

static void a_wanted_device_of_a_newer_version(void **state)
{
	struct {
		struct xensplit_wanted wanted;
		size_t more;
	} newer = { .wanted = { .sz = sizeof(newer), .type = "a" } };
	const struct xensplit_wanted *const list[] = { &newer.wanted };
	unsigned int asked;

	(void)state;
	assert_int_equal(make(list, 1, &asked), 0);
	newer.more = 1;
	assert_int_equal(make(list, 1, &asked), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "newer version");
}

#define plan_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		plan_test(steps_of_a_plan),
		plan_test(an_entry_that_is_refused_for_two_reasons),
		plan_test(what_is_kept_is_as_its_record_says),
		plan_test(of_several_devices_the_lowest_id_is_taken),
		plan_test(devices_of_another_domain_or_type_are_no_matter),
		plan_test(ids_of_another_type_are_free),
		plan_test(an_entry_without_its_backend_takes_no_device_of_another),
		plan_test(a_device_that_goes_while_the_plan_is_made),
		plan_test(without_memory_there_is_no_plan),
		plan_test(what_another_has_attached_is_not_replaced),
		plan_test(what_a_former_domain_has_left_is_attached_anew),
		plan_test(devices_that_an_automatic_id_does_not_take),
		plan_test(a_search_that_fails),
		plan_test(a_wanted_device_of_a_newer_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
