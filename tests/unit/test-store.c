// SPDX-License-Identifier: GPL-2.0-or-later
/* The layer above libxenstore: what a child must not send, and answers that mislead. */
#include <unistd.h>

#include "operations.h"

#define NODE "/local/domain/5/device/mydevice/0/key"

static const struct perms perms = { 1, { { 0, XS_PERM_NONE } } };
static struct xensplit_ctx *ctx;
static struct txn txn;

static int begin(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	txn = (struct txn)TXN_NONE(ctx);
	set(NODE, "value");
	return 0;
}

static int end(void **state)
{
	(void)state;
	unit_ctx_free(ctx);
	return 0;
}

/* --- a connection of the parent, in a child --- */

static int nothing_to_do(struct txn *t, void *data)
{
	(void)t;
	(void)data;
	return 0;
}

static int child_read(void)
{
	char *value;
	size_t len;

	return store_read(&txn, NODE, &value, &len);
}

static int child_exists(void)
{
	return store_exists(&txn, NODE);
}

static int child_list(void)
{
	unsigned int count;
	char **names;

	return store_list(&txn, "/local/domain", &names, &count);
}

static int child_get_perms(void)
{
	struct node_perms now;

	return store_get_perms(&txn, NODE, &now);
}

static int child_set_perms(void)
{
	return store_set_perms(&txn, NODE, &perms);
}

static int child_write(void)
{
	return store_write(&txn, NODE, "other", &perms);
}

static int child_mkdir(void)
{
	return store_mkdir(&txn, NODE "/more", &perms);
}

static int child_remove(void)
{
	return store_remove(&txn, NODE);
}

static int child_transaction(void)
{
	return store_transaction(&txn, nothing_to_do, NULL);
}

static int child_knows_domain(void)
{
	return store_knows_domain(&txn, 5);
}

static int child_watch(void)
{
	return store_watch(&txn, NODE, "token");
}

static int child_unwatch(void)
{
	store_unwatch(&txn, "@releaseDomain", "parent");
	return -ECHILD;
}

/* Its answer would come to whichever of the two reads first. */
static void a_child_sends_nothing(void **state)
{
	static int (*const calls[])(void) = {
		child_read,	   child_exists,       child_list,  child_get_perms,
		child_set_perms,   child_write,	       child_mkdir, child_remove,
		child_transaction, child_knows_domain, child_watch, child_unwatch,
	};
	char *before, *after;
	size_t i;

	(void)state;
	assert_int_equal(store_watch(&txn, "@releaseDomain", "parent"), 0);
	before = fake_dump();
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		ctx_begin(ctx);
		fake.requests = 0;
		ctx->owner = getpid() + 1;
		assert_int_equal(calls[i](), -ECHILD);
		if (calls[i] != child_unwatch)
			assert_string_equal(xensplit_last_error(ctx)->code, "forked");
		assert_int_equal(fake.requests, 0);
	}
	store_close(ctx, ctx->xs);
	ctx->owner = getpid();
	after = fake_dump();
	assert_string_equal(before, after);
	assert_int_equal(fake_watches(), 1);
	assert_int_equal(child_exists(), 1);
	free(before);
	free(after);
}

/* As in a callback of the caller that forks. */
static int fork_inside(struct txn *t, void *data)
{
	const int *result = data;

	(void)t;
	ctx->owner = getpid() + 1;
	return *result;
}

static void a_transaction_of_the_parent_stays_open(void **state)
{
	static const int results[] = { 0, -EPERM };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(results); i++) {
		fake.requests = 0;
		assert_true(store_try(&txn, fork_inside, (void *)&results[i]) < 0);
		assert_int_equal(fake.requests, 1);
		assert_int_equal(fake.open_transactions, 1);
		ctx->owner = getpid();
		assert_true(xs_transaction_end(ctx->xs, 1, true));
	}
}

/* --- answers that mislead --- */

/* The request that failed was the first one. */
static void refuse_from_now_on(void)
{
	fake.fail_errno = EACCES;
}

/* libxenstore says EINVAL both for a bad request and for a dead daemon. */
static void a_refusal_is_an_answer(void **state)
{
	(void)state;
	fake_calm();
	fake.fail_at = 1;
	fake.fail_errno = EINVAL;
	fake.fail_from_there_on = true;
	fake.requests_most = 1;
	fake.idle = refuse_from_now_on;
	assert_int_equal(child_write(), -EIO);
	assert_int_equal(fake.requests, 2);
}

/* Both are the same to a caller. */
static void not_permitted(void **state)
{
	static const int errors[] = { EACCES, EPERM };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		fake.fail_call = "write";
		fake.fail_errno = errors[i];
		assert_int_equal(child_write(), -EACCES);
		assert_string_equal(xensplit_last_error(ctx)->code, "no-permission");
	}
}

/* ENOENT is also what the daemon says of a parent that is missing; here the node is there. */
static void a_node_that_is_there_was_not_removed(void **state)
{
	(void)state;
	fake.fail_call = "rm " NODE;
	fake.fail_errno = ENOENT;
	assert_int_equal(store_remove(&txn, NODE), -EIO);
	assert_contains(xensplit_errmsg(ctx), "can't remove " NODE);
	assert_true(there(NODE));
	assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/5/device"));
	assert_int_equal(store_remove(&txn, NODE), 0);
}

/* A signal leaves its errno behind, though libxenstore goes on and gets the answer. */
static void a_signal_before_the_answer(void **state)
{
	(void)state;
	assert_int_equal(store_knows_domain(&txn, 5), 1);
	fake.fail_call = "is-introduced";
	fake.fail_errno = EINTR;
	assert_int_equal(store_knows_domain(&txn, 5), 0);
	fake.fail_errno = EACCES;
	assert_int_equal(store_knows_domain(&txn, 5), -EACCES);
}

/* Another client removes directories, too: one that is gone ends nothing. */
static void a_parent_that_is_gone_already(void **state)
{
	(void)state;
	assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/5/device/mydevice"));
	assert_int_equal(store_remove_prune(&txn, NODE, 3), 0);
	assert_false(there("/local/domain/5/device"));
	assert_true(there("/local/domain/5/name"));
}

/* The daemon says ENOENT, as of a node that is not there. */
static void an_owner_that_xen_does_not_know(void **state)
{
	const struct perms none = { 1, { { 9, XS_PERM_NONE } } };

	(void)state;
	assert_int_equal(store_set_perms(&txn, NODE, &none), -ESRCH);
	assert_string_equal(xensplit_errmsg(ctx), "no such domain: 9");
	assert_int_equal(store_set_perms(&txn, NODE, &perms), 0);
}

/* Of more than it has room for, the first. */
static void more_permissions_than_it_keeps(void **state)
{
	struct xs_permissions many[NODE_PERMS_MAX + 2] = { { 0, XS_PERM_NONE } };
	struct node_perms now;
	unsigned int i;

	(void)state;
	for (i = 1; i < ARRAY_SIZE(many); i++)
		many[i] = (struct xs_permissions){ i, XS_PERM_READ };
	fake_set_perms(NODE, many, ARRAY_SIZE(many));
	assert_int_equal(store_get_perms(&txn, NODE, &now), 0);
	assert_int_equal(now.count, NODE_PERMS_MAX);
	assert_int_equal(now.entry[NODE_PERMS_MAX - 1].id, NODE_PERMS_MAX - 1);
}

/* --- a transaction --- */

static struct {
	int result;	  /* of each try */
	const char *fail; /* a call that fails in the first */
	int err;
	bool writes;
	unsigned int tries;
} script;

static int follow(struct txn *t, void *data)
{
	int r = 0;

	(void)data;
	fake.fail_call = script.tries++ ? NULL : script.fail;
	fake.fail_errno = script.err;
	if (script.writes)
		r = store_write(t, NODE, "new", &perms);
	else
		r = store_exists(t, NODE);
	return r < 0 ? r : script.result;
}

static int run_script(void)
{
	struct txn t = TXN_NONE(ctx);
	int r = store_transaction(&t, follow, NULL);

	assert_true(t.t == XBT_NULL);
	assert_int_equal(fake.open_transactions, 0);
	fake_calm();
	return r;
}

/* In a transaction the daemon gives these for what another client has removed. */
static void an_error_that_is_a_collision(void **state)
{
	static const int errors[] = { EIO, EINVAL };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		memset(&script, 0, sizeof(script));
		script.writes = true;
		script.fail = "write " NODE;
		script.err = errors[i];
		assert_int_equal(run_script(), 0);
		assert_int_equal(script.tries, 2);
		/* Not outside of one. */
		fake.fail_at = 1;
		fake.fail_errno = errors[i];
		assert_int_equal(child_write(), i ? -EIO : -ENOTCONN);
		fake_calm();
	}
}

/* What refuses may have read half of another client's commit: it has to get through, too. */
static void a_refusal_that_collides(void **state)
{
	static const int results[] = { -ENOENT, -EEXIST, -ESTALE, -EBADMSG };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(results); i++) {
		memset(&script, 0, sizeof(script));
		script.result = results[i];
		fake.conflicts = 1;
		assert_int_equal(run_script(), results[i]);
		assert_int_equal(script.tries, 2);
	}
	script.result = -EPERM;
	script.tries = 0;
	fake.conflicts = 1;
	assert_int_equal(run_script(), -EPERM);
	assert_int_equal(script.tries, 1);
}

static void a_refusal_after_a_write_writes_nothing(void **state)
{
	(void)state;
	memset(&script, 0, sizeof(script));
	script.writes = true;
	script.result = -EEXIST;
	assert_int_equal(run_script(), -EEXIST);
	assert_string_equal(fake_value(NODE, NULL), "value");
	script.result = 0;
	assert_int_equal(run_script(), 0);
	assert_string_equal(fake_value(NODE, NULL), "new");
}

static int remove_twice(struct txn *t, void *data)
{
	int r = store_remove(t, NODE);

	(void)data;
	if (r >= 0)
		r = store_remove(t, NODE);
	return r < 0 ? r : 0;
}

/* One node, however often it was tried or asked for. */
static void a_journal_is_of_the_last_try(void **state)
{
	struct xensplit_nodes journal = { 0 };
	struct txn t = TXN_NONE(ctx);

	(void)state;
	t.journal = &journal;
	memset(&script, 0, sizeof(script));
	script.writes = true;
	fake.conflicts = 2;
	assert_int_equal(store_transaction(&t, follow, NULL), 0);
	assert_int_equal(script.tries, 3);
	assert_int_equal(journal.count, 1);
	assert_string_equal(journal.nodes[0]->value, "new");
	t.preview = true;
	assert_int_equal(store_transaction(&t, remove_twice, NULL), 0);
	assert_int_equal(journal.count, 1);
	assert_int_equal(journal.nodes[0]->op, XENSPLIT_NODE_REMOVE);
	assert_true(there(NODE));
	nodes_clear(&journal);
}

static int prune(struct txn *t, void *data)
{
	(void)data;
	return store_remove_prune(t, NODE, 3);
}

/* A parent goes with its last child, and stays with another. */
static void parents_that_become_empty(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		set(NODE, "value");
		set("/local/domain/5/device/other/0", "");
		assert_int_equal(
			i ? store_transaction(&txn, prune, NULL) : prune(&txn, NULL), 0);
		assert_false(there("/local/domain/5/device/mydevice"));
		assert_true(there("/local/domain/5/device/other/0"));
		assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/5/device/other"));
	}
}

/* --- a preview --- */

static int write_deep(struct txn *t, void *data)
{
	(void)data;
	return store_write(t, "/xensplit/5/mydevice/0", "", &perms);
}

static int make_deep(struct txn *t, void *data)
{
	(void)data;
	return store_mkdir(t, "/xensplit/5/mydevice/0", &perms);
}

static int preview(store_fn *fn)
{
	struct xensplit_nodes journal = { 0 };
	struct txn t = TXN_NONE(ctx);
	size_t count;
	int r;

	t.preview = true;
	t.journal = &journal;
	r = store_transaction(&t, fn, NULL);
	count = journal.count;
	nodes_clear(&journal);
	if (!r)
		assert_int_equal(count, 4);
	return r;
}

static unsigned int fail_at_each_request(store_fn *fn)
{
	unsigned int at;
	int r;

	for (at = 1; at < 100; at++) {
		fake_calm();
		fake.fail_at = at;
		fake.fail_errno = ENOSPC;
		r = preview(fn);
		if (!fake.failed)
			break;
		assert_int_equal(fake.open_transactions, 0);
		if (!strcmp(fake.failed_call, "abort "))
			continue;
		assert_int_equal(r, -ENOSPC);
		/* It is ended, and nothing else is asked. */
		assert_int_equal(fake.requests, at == 1 ? 1 : at + 1);
	}
	assert_false(there("/xensplit"));
	return at;
}

static unsigned int fail_at_each_allocation(store_fn *fn)
{
	unsigned int at;
	int r;

	fake_calm();
	for (at = 1; at < 100; at++) {
		memory = (struct memory){ .fail_at = at };
		r = preview(fn);
		if (!memory.failed)
			break;
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(fake.open_transactions, 0);
	}
	memory.fail_at = 0;
	return at;
}

/* It shows the parents that a write makes, for which it has to ask more than the write does. */
static void a_preview_that_fails(void **state)
{
	static store_fn *const fns[] = { write_deep, make_deep };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(fns); i++) {
		assert_in_range(fail_at_each_request(fns[i]), 10, 50);
		assert_in_range(fail_at_each_allocation(fns[i]), 4, 50);
	}
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(a_child_sends_nothing),
		store_test(a_transaction_of_the_parent_stays_open),
		store_test(a_refusal_is_an_answer),
		store_test(not_permitted),
		store_test(a_node_that_is_there_was_not_removed),
		store_test(a_signal_before_the_answer),
		store_test(a_parent_that_is_gone_already),
		store_test(an_owner_that_xen_does_not_know),
		store_test(more_permissions_than_it_keeps),
		store_test(an_error_that_is_a_collision),
		store_test(a_refusal_that_collides),
		store_test(a_refusal_after_a_write_writes_nothing),
		store_test(a_journal_is_of_the_last_try),
		store_test(parents_that_become_empty),
		store_test(a_preview_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
