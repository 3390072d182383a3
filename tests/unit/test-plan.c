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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(steps_of_a_plan, begin, end),
		cmocka_unit_test_setup_teardown(an_entry_that_is_refused_for_two_reasons,
						begin, end),
		cmocka_unit_test_setup_teardown(
			devices_that_an_automatic_id_does_not_take, begin, end),
		cmocka_unit_test_setup_teardown(a_search_that_fails, begin, end),
		cmocka_unit_test_setup_teardown(a_wanted_device_of_a_newer_version, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
