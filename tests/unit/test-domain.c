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

static void a_name_that_is_empty(void **state)
{
	struct txn txn = TXN_NONE(ctx);
	char *name;

	(void)state;
	set("/local/domain/5/name", "");
	assert_null(domain_name(&txn, 5));
	name = domain_name(&txn, 6);
	assert_string_equal(name, "g6");
	free(name);
}

static void which_domain_has_a_name(void **state)
{
	static const struct xs_permissions own = { 6, XS_PERM_NONE };
	uint32_t domid = 77;

	(void)state;
	fake.fail_call = "read /local/domain/5/name";
	fake.fail_errno = EACCES;
	assert_int_equal(xensplit_domain_find(ctx, "g6", &domid), 0);
	assert_int_equal(domid, 6);
	fake_calm();

	domid = 77;
	assert_int_equal(xensplit_domain_find(ctx, "g\x1b", &domid), -ESRCH);
	assert_string_equal(xensplit_errmsg(ctx), "no such domain: 'g\\x1b'");
	assert_int_equal(xensplit_domain_find(ctx, "5x", &domid), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "'5x' is neither a domid");
	set("/local/domain/6/name", "g5");
	assert_int_equal(xensplit_domain_find(ctx, "g5", &domid), -EINVAL);
	assert_string_equal(xensplit_last_error(ctx)->code, "ambiguous-domain");
	assert_int_equal(domid, 77);

	/* One that a guest has chosen counts for nothing beside another. */
	fake_set_perms("/local/domain/6/name", &own, 1);
	assert_int_equal(xensplit_domain_find(ctx, "g5", &domid), 0);
	assert_int_equal(domid, 5);
	set("/local/domain/6/name", "5x");
	assert_int_equal(xensplit_domain_find(ctx, "5x", &domid), -ESRCH);
	assert_string_equal(xensplit_last_error(ctx)->code, "untrusted-name");
	assert_int_equal(domid, 5);
}

static void it_dies_meanwhile(const char *call, const char *path)
{
	if (!strcmp(call, "get-permissions") && strstr(path, "/5/name"))
		assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/5"));
}

/* What a dead domain has left, or one that dies while it is looked at. */
static void a_name_of_a_dead_domain(void **state)
{
	uint32_t domid = 77;

	(void)state;
	set("/local/domain/6/name", "g5");
	fake.dead_domid = 5;
	assert_int_equal(xensplit_domain_wait(ctx, "g5", 0, &domid), 0);
	assert_int_equal(domid, 6);
	fake.dead_domid = 6;
	assert_int_equal(xensplit_domain_wait(ctx, "g5", 0, &domid), 0);
	assert_int_equal(domid, 5);
	set("/local/domain/6/name", "g6");
	fake_calm();
	fake.before = it_dies_meanwhile;
	assert_int_equal(xensplit_domain_wait(ctx, "g5", 0, &domid), -ETIMEDOUT);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 'g5', after ");
	fake_calm();
}

/* It exists as long as Xen does. */
static void dom0_is_not_asked_about(void **state)
{
	(void)state;
	fake.fail_call = "is-introduced /local/domain/0";
	fake.fail_errno = EACCES;
	assert_int_equal(xensplit_domain_check(ctx, 0), 0);
	assert_int_equal(attach(ctx), 0);
	assert_false(is_stale());
	assert_false(fake.failed);
}

/* A guest that could read it could make a record for it. */
static void a_mark_stays_and_is_secret(void **state)
{
	struct txn txn = TXN_NONE(ctx);
	struct node_perms perms;
	char mark[MARK_SIZE];

	(void)state;
	assert_int_equal(attach(ctx), 0);
	assert_int_equal(store_get_perms(&txn, "/local/domain/5/xensplit", &perms), 0);
	assert_string_equal(perms.text, "n0");
	snprintf(mark, sizeof(mark), "%s", fake_value("/local/domain/5/xensplit", NULL));
	assert_int_equal(detach(ctx), 0);
	assert_int_equal(attach(ctx), 0);
	assert_string_equal(fake_value("/local/domain/5/xensplit", NULL), mark);
	/* Without one it is another domain, or none yet. */
	assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/5/xensplit"));
	assert_true(is_stale());
}

static int count_domains(struct txn *txn, uint32_t domid, void *data)
{
	unsigned int *count = data;

	(void)txn;
	++*count;
	return domid == 5 ? -EIO : 0;
}

static void names_that_are_no_domids(void **state)
{
	static const char *const names[] = { "32752", "05", "x", "4294967301" };
	struct txn txn = TXN_NONE(ctx);
	unsigned int count = 0;
	char path[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "/domains/%s", names[i]);
		set(path, "");
	}
	assert_int_equal(domids_foreach(&txn, "/domains", count_domains, &count), 0);
	assert_int_equal(count, 0);
	set("/domains/4", "");
	set("/domains/5", "");
	set("/domains/6", "");
	assert_int_equal(domids_foreach(&txn, "/domains", count_domains, &count), -EIO);
	assert_int_equal(count, 2);
	assert_int_equal(domids_foreach(&txn, "/none", count_domains, &count), 0);
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
	opts.domid = 9;
	opts.type = "mydevice";
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), -ESRCH);
	assert_string_equal(xensplit_last_error(ctx)->code, "no-such-domain");
	assert_string_equal(xensplit_errmsg(ctx), "no such domain: 9");
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
	/* That of dom0 is all zeros: it has none. */
	assert_null(strstr(fake_value(REC, NULL), "backend-uuid="));
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
		domain_test(a_name_that_is_empty),
		domain_test(which_domain_has_a_name),
		domain_test(a_name_of_a_dead_domain),
		domain_test(dom0_is_not_asked_about),
		domain_test(a_mark_stays_and_is_secret),
		domain_test(names_that_are_no_domids),
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
