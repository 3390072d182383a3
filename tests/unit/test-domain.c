// SPDX-License-Identifier: GPL-2.0-or-later
/* How the library knows a domain from the next one with its domid, and what a hypervisor adds. */
#include "operations.h"

#define UUID  "00000000-0000-4000-8000-000000000005"
#define OTHER "00000000-0000-4000-8000-000000000006"

static struct xensplit_ctx *ctx;
static int answer; /* of the hypervisor */
static struct xensplit_domain known;

static int query(void *data, uint32_t domid, struct xensplit_domain *domain)
{
	(void)data;
	if (domid == 5) {
		domain->flags = known.flags;
		memcpy(domain->uuid, known.uuid, sizeof(known.uuid));
	}
	return domid == 5 ? answer : 0;
}

static int begin(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	return 0;
}

static int begin_with_hypervisor(void **state)
{
	static const struct xensplit_hypervisor hypervisor = { sizeof(hypervisor),
							       query };
	XENSPLIT_OPTS(xensplit_opts, opts);

	(void)state;
	fake_reset();
	answer = 0;
	known = (struct xensplit_domain){ .uuid = { 1, 2, 3 } };
	opts.hypervisor = &hypervisor;
	return xensplit_new(&opts, &ctx);
}

static int end(void **state)
{
	(void)state;
	unit_ctx_free(ctx);
	return 0;
}

static bool is_stale(void)
{
	struct xensplit_filter filter = { sizeof(filter), 5, "mydevice", 0,
					  XENSPLIT_ANY };
	struct xensplit_list *list;
	bool stale;

	assert_int_equal(xensplit_list_new(ctx, &filter, 0, &list), 0);
	stale = xensplit_list_get(list, 0)->stale;
	xensplit_list_free(list);
	return stale;
}

/* Its record has the UUID, and not the mark. */
static void attach_with_uuid(void)
{
	char record[2048], *mark;
	size_t len;

	assert_int_equal(attach(ctx), 0);
	strcpy(record, fake_value(REC, NULL));
	mark = strstr(record, "frontend-mark=");
	assert_non_null(mark);
	len = strcspn(mark, "\n") + 1;
	memmove(mark, mark + len, strlen(mark + len) + 1);
	strcat(record, "frontend-uuid=" UUID "\n");
	set(REC, record);
}

static void a_uuid_in_the_store(void **state)
{
	(void)state;
	attach_with_uuid();
	assert_false(is_stale());
	set("/local/domain/5/vm", "/vm/" OTHER);
	assert_true(is_stale());
	set("/local/domain/5/vm", "/vm/" UUID);
	assert_false(is_stale());
}

/* The same of the backend's domain. */
static void a_uuid_of_the_backends_domain(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	char record[2048], *mark;
	size_t len;

	(void)state;
	opts.domid = 5;
	opts.type = "mydevice";
	opts.backend_domid = 6;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	strcpy(record, fake_value(REC, NULL));
	mark = strstr(record, "backend-mark=");
	assert_non_null(mark);
	len = strcspn(mark, "\n") + 1;
	memmove(mark, mark + len, strlen(mark + len) + 1);
	strcat(record, "backend-uuid=" OTHER "\n");
	set(REC, record);
	set("/local/domain/6/vm", "/vm/" OTHER);
	assert_false(is_stale());
	set("/local/domain/6/vm", "/vm/" UUID);
	assert_true(is_stale());
	/* A field that is too long is none. */
	strcat(record, "backend-uuid=" OTHER "0\n");
	set(REC, record);
	assert_int_equal(xensplit_detach(ctx, &device, 0, 0), -EBADMSG);
}

/* Only what this library writes is a mark: one more digit makes it another one. */
static void marks_of_another_length(void **state)
{
	char mark[MARK_SIZE + 1];

	(void)state;
	assert_int_equal(attach(ctx), 0);
	snprintf(mark, sizeof(mark), "%s", fake_value("/local/domain/5/xensplit", NULL));
	assert_int_equal(strlen(mark), MARK_SIZE - 1);
	strcat(mark, "0");
	set("/local/domain/5/xensplit", mark);
	assert_true(is_stale());
	mark[MARK_SIZE - 1] = '\0';
	set("/local/domain/5/xensplit", mark);
	assert_false(is_stale());
	mark[MARK_SIZE - 2] = '\0';
	set("/local/domain/5/xensplit", mark);
	assert_true(is_stale());
}

/* "g5" followed by something that C does not see is not the name "g5". */
static void a_name_with_a_nul(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	const struct xensplit_device *found;
	struct xensplit_op *op;
	uint32_t domid;

	(void)state;
	fake_set("/local/domain/5/name", "g5\0x", 4);
	assert_int_equal(xensplit_domain_find(ctx, "g5", &domid), -ESRCH);
	opts.domid = 5;
	opts.type = "mydevice";
	assert_int_equal(xensplit_op_attach(ctx, &opts, 0, &op), 0);
	assert_int_equal(xensplit_op_run(op), 0);
	assert_int_equal(xensplit_op_get_device(op, &found), 0);
	assert_null(found->domain);
	xensplit_op_free(op);
}

static void the_domid_of_this_domain(void **state)
{
	static const char *const wrong[] = { "", "zero", "32752", "0 " };
	struct txn txn = TXN_NONE(ctx);
	uint32_t domid = 77;
	size_t i;

	(void)state;
	assert_int_equal(domain_own(&txn, &domid), -ENOENT);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		set("/local/domain/0/domid", wrong[i]);
		assert_int_equal(domain_own(&txn, &domid), -EBADMSG);
	}
	assert_int_equal(domid, 77);
	set("/local/domain/0/domid", "6");
	assert_int_equal(domain_own(&txn, &domid), 0);
	assert_int_equal(domid, 6);
}

static void a_domid_that_no_domain_can_have(void **state)
{
	struct txn txn = TXN_NONE(ctx);
	struct identity identity = { .uuid = "as before" };

	(void)state;
	fake.requests = 0;
	assert_int_equal(domain_claim(&txn, DOMID_END, &identity, NULL), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 32752");
	assert_string_equal(identity.uuid, "as before");
	assert_int_equal(fake.requests, 0);
}

/* What is not known proves nothing. */
static void a_uuid_that_is_not_there(void **state)
{
	static const char *const others[] = { "", "/vm/5", "/vx/" OTHER,
					      "/vm/" OTHER "-" };
	size_t i;

	(void)state;
	attach_with_uuid();
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		set("/local/domain/5/vm", others[i]);
		assert_false(is_stale());
	}
	fake_set("/local/domain/5/vm", "/vm/" OTHER "\0", 40);
	assert_true(is_stale());
	fake_set("/local/domain/5/vm",
		 "/vm/00000000\0"
		 "0000-4000-8000-000000000006",
		 40);
	assert_false(is_stale());
	assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/5/vm"));
	assert_false(is_stale());
	assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/5"));
	assert_true(is_stale());
}

static void no_such_domids(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	(void)state;
	assert_int_equal(xensplit_domain_check(NULL, 5), -EINVAL);
	assert_int_equal(xensplit_domain_check(ctx, 5), 0);
	assert_int_equal(xensplit_domain_check(ctx, 40000), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 40000");
	opts.domid = 40000;
	opts.type = "mydevice";
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 40000");
	opts.domid = 5;
	opts.backend_domid = 40000;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 40000");
}

/* Though it has a directory. */
static void a_domain_that_the_hypervisor_does_not_know(void **state)
{
	(void)state;
	assert_int_equal(attach(ctx), 0);
	assert_false(is_stale());
	answer = -ESRCH;
	assert_true(is_stale());
	assert_int_equal(xensplit_domain_check(ctx, 5), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 5");
	assert_int_equal(attach(ctx), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 5");
	/* It can't tell: then the store is asked. */
	answer = -EIO;
	assert_false(is_stale());
	assert_int_equal(xensplit_domain_check(ctx, 5), 0);
}

static void a_domain_that_is_dying(void **state)
{
	(void)state;
	known.flags = XENSPLIT_DOMAIN_DYING;
	assert_int_equal(attach(ctx), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "domain 5 is dying");
	assert_int_equal(xensplit_domain_check(ctx, 5), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "domain 5 is dying");
	known.flags = XENSPLIT_DOMAIN_PAUSED;
	assert_int_equal(attach(ctx), 0);
}

static void a_uuid_of_the_hypervisor(void **state)
{
	(void)state;
	assert_int_equal(attach(ctx), 0);
	assert_contains(fake_value(REC, NULL),
			"frontend-uuid=01020300-0000-0000-0000-000000000000\n");
	known.uuid[15] = 1;
	assert_true(is_stale());
	known.uuid[15] = 0;
	assert_false(is_stale());
	/* The next domain has no mark yet. */
	assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/5/xensplit"));
	assert_true(is_stale());
}

#define domain_test(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define hypervisor_test(name) \
	cmocka_unit_test_setup_teardown(name, begin_with_hypervisor, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		domain_test(a_uuid_in_the_store),
		domain_test(a_uuid_of_the_backends_domain),
		domain_test(marks_of_another_length),
		domain_test(a_name_with_a_nul),
		domain_test(the_domid_of_this_domain),
		domain_test(a_domid_that_no_domain_can_have),
		domain_test(a_uuid_that_is_not_there),
		domain_test(no_such_domids),
		hypervisor_test(a_domain_that_the_hypervisor_does_not_know),
		hypervisor_test(a_domain_that_is_dying),
		hypervisor_test(a_uuid_of_the_hypervisor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
