// SPDX-License-Identifier: GPL-2.0-or-later
/* Waiting for a domain that is not there yet. */
#include <poll.h>
#include <time.h>

#include "store.h"

/* Longer than any machine takes. */
#define LONG_MS 60000

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static struct xensplit_op *begin(const char *text, unsigned int timeout_ms)
{
	struct xensplit_op *op;

	assert_result(xensplit_op_domain(ctx, text, timeout_ms, &op), 0);
	return op;
}

static void poll_op(const struct xensplit_op *op)
{
	uint64_t until = xensplit_op_get_timeout(op), now = now_us();
	struct pollfd fd = { xensplit_op_get_fd(op), (short)xensplit_op_get_events(op),
			     0 };

	assert_true(until <= now + 1000000);
	poll(&fd, 1, until > now ? (int)((until - now + 999) / 1000) : 0);
}

/* Until it has looked, and waits. */
static void settle(struct xensplit_op *op)
{
	uint64_t end = now_ms() + LONG_MS;

	do
		assert_result(xensplit_op_process(op), 1);
	while (xensplit_op_get_timeout(op) <= now_us() && now_ms() < end);
	/* The watch fires once when it is set. */
	poll_op(op);
	assert_result(xensplit_op_process(op), 1);
}

static void finds(struct xensplit_op *op, uint32_t wanted)
{
	uint32_t domid = 77;
	int r;

	while ((r = xensplit_op_process(op)) == 1)
		poll_op(op);
	assert_result(r, 0);
	assert_result(xensplit_op_process(op), 0);
	assert_int_equal(xensplit_op_get_domid(op, &domid), 0);
	assert_int_equal(domid, wanted);
	xensplit_op_free(op);
}

static unsigned int requests(const char *part)
{
	const char *line = logged;
	unsigned int count = 0;

	while ((line = strstr(line, "debug: "))) {
		const char *end = strchr(line, '\n');
		const char *found = strstr(line, part);

		count += found && found < end;
		line = end;
	}
	return count;
}

static void it_is_there_already(void **state)
{
	uint32_t domid = 77;

	(void)state;
	assert_result(xensplit_domain_wait(ctx, "g6", 0, &domid), 0);
	assert_int_equal(domid, 6);
	logged[0] = '\0';
	assert_result(xensplit_domain_wait(ctx, "5", LONG_MS, &domid), 0);
	assert_int_equal(domid, 5);
	/* Is it known, and has it a directory? No watch. */
	assert_int_equal(requests(""), 2);
	assert_result(xensplit_domain_wait(ctx, "Domain-0", 0, &domid), 0);
	assert_int_equal(domid, 0);
}

/* The descriptor tells: nobody has to call process before. */
static void one_that_comes_later(void **state)
{
	static const char *const texts[] = { "7", "late" };
	struct pollfd fd = { .events = POLLIN };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		struct xensplit_op *op = begin(texts[i], LONG_MS);
		uint32_t domid = 77;

		settle(op);
		assert_int_equal(xensplit_op_get_domid(op, &domid), -ENODATA);
		assert_int_equal(domid, 77);
		run("\"$SANDBOX\" create 7 --name late");
		fd.fd = xensplit_op_get_fd(op);
		while (poll(&fd, 1, LONG_MS) < 0)
			assert_int_equal(errno, EINTR);
		assert_int_equal(fd.revents, POLLIN);
		finds(op, 7);
		run("\"$SANDBOX\" kill 7");
	}
}

static void another_domain_changes_nothing(void **state)
{
	struct xensplit_op *op = begin("late", LONG_MS);

	(void)state;
	settle(op);
	run("\"$SANDBOX\" create 7 --name early && \"$SANDBOX\" kill 7");
	assert_result(xensplit_op_process(op), 1);
	run("\"$SANDBOX\" create 7 --name late");
	finds(op, 7);
	run("\"$SANDBOX\" kill 7");
}

/* As at the end of a migration. */
static void one_that_gets_the_name_later(void **state)
{
	struct xensplit_op *op = begin("5x", LONG_MS);

	(void)state;
	settle(op);
	put("/local/domain/6/name", "5x", NULL);
	finds(op, 6);
}

static void a_name_that_two_domains_have(void **state)
{
	uint32_t domid = 77;

	(void)state;
	put("/local/domain/6/name", "g5", NULL);
	assert_result(xensplit_domain_wait(ctx, "g5", LONG_MS, &domid), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "2 domains have the name 'g5'");
	assert_string_equal(xensplit_last_error(ctx)->code, "ambiguous-domain");
	assert_int_equal(domid, 77);
}

/* What a dead domain has left does not count, also beside a living one of that name. */
static void a_dead_one_does_not_count(void **state)
{
	uint32_t domid = 77;

	(void)state;
	put("/local/domain/9/name", "g5", NULL);
	assert_result(xensplit_domain_wait(ctx, "g5", 0, &domid), 0);
	assert_int_equal(domid, 5);
	put("/local/domain/9/name", "ghost", NULL);
	assert_result(xensplit_domain_wait(ctx, "ghost", 0, &domid), -ETIMEDOUT);
	assert_result(xensplit_domain_wait(ctx, "9", 0, &domid), -ETIMEDOUT);
	xs_rm(dom0, XBT_NULL, "/local/domain/9");
}

static uint32_t flags_of_5;

static int query(void *data, uint32_t domid, struct xensplit_domain *domain)
{
	(void)data;
	domain->flags = domid == 5 ? flags_of_5 : 0;
	return domid > 7 ? -ESRCH : 0;
}

static void with_hypervisor(void)
{
	static const struct xensplit_hypervisor table = { sizeof(table), query };
	XENSPLIT_OPTS(xensplit_opts, opts);

	opts.hypervisor = &table;
	xensplit_free(ctx);
	ctx = new_ctx(&opts);
}

static void a_dying_one_does_not_count(void **state)
{
	struct xensplit_op *op;
	uint32_t domid = 77;

	(void)state;
	with_hypervisor();
	flags_of_5 = XENSPLIT_DOMAIN_DYING;
	assert_result(xensplit_domain_wait(ctx, "5", 0, &domid), -ETIMEDOUT);
	assert_contains(xensplit_errmsg(ctx), "domain 5 is dying, after 0.0 s");
	op = begin("g5", LONG_MS);
	settle(op);
	put("/local/domain/6/name", "g5", NULL);
	finds(op, 6);
}

/* Xen has it already, its toolstack goes on. */
static void one_in_creation_does_not_count_yet(void **state)
{
	struct xensplit_op *op;
	uint32_t domid = 77;

	(void)state;
	with_hypervisor();
	flags_of_5 = 0;
	xs_rm(dom0, XBT_NULL, "/local/domain/5");
	assert_result(xensplit_domain_wait(ctx, "5", 0, &domid), -ETIMEDOUT);
	assert_contains(xensplit_errmsg(ctx), "may still be in creation, after ");
	op = begin("5", LONG_MS);
	settle(op);
	put("/local/domain/5/name", "g5", NULL);
	finds(op, 5);
}

static void the_deadline(void **state)
{
	uint64_t begun = now_ms();
	uint32_t domid = 77;

	(void)state;
	assert_result(xensplit_domain_wait(ctx, "n\x1bne", 1300, &domid), -ETIMEDOUT);
	assert_in_range(now_ms() - begun, 1300, 1300 + LONG_MS / 2);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 'n\\x1bne', after ");
	assert_string_equal(xensplit_last_error(ctx)->code, "domain-not-there");
	assert_result(xensplit_domain_wait(ctx, "7", 0, &domid), -ETIMEDOUT);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 7, after ");
	assert_int_equal(domid, 77);
	/* Nothing is left behind that would disturb the next one. */
	assert_result(xensplit_domain_wait(ctx, "g5", LONG_MS, &domid), 0);
}

static void cancelled_or_freed(void **state)
{
	struct xensplit_op *op = begin("late", LONG_MS), *other = begin("later", LONG_MS);
	uint32_t domid;

	(void)state;
	settle(op);
	settle(other);
	xensplit_op_cancel(op);
	assert_int_equal(xensplit_op_get_timeout(op), 0);
	assert_int_equal(xensplit_op_process(op), -ECANCELED);
	assert_int_equal(xensplit_op_get_domid(op, &domid), -ENODATA);
	xensplit_op_free(op);
	xensplit_op_free(other);
	xensplit_op_free(begin("late", LONG_MS));
}

/* While it waits: each second a look, which is a listing and a read for each domain. */
static void its_requests(void **state)
{
	struct xensplit_op *op = begin("late", LONG_MS);
	unsigned int looks, seconds;
	uint64_t begun;

	(void)state;
	settle(op);
	logged[0] = '\0';
	begun = now_us();
	while (requests("list /local/domain") < 2) {
		poll_op(op);
		assert_result(xensplit_op_process(op), 1);
	}
	seconds = (unsigned int)((now_us() - begun) / 1000000);
	looks = requests("list /local/domain");
	assert_in_range(looks, 2, seconds + 2);
	/* dom0, 5 and 6; and the check that xenstored is there. */
	assert_in_range(requests(""), 4 * looks + 1, 4 * looks + seconds + 1);
	xensplit_op_free(op);
}

static void wrong_arguments(void **state)
{
	struct xensplit_op *op = NULL;
	uint32_t domid = 77;

	(void)state;
	assert_result(xensplit_op_domain(ctx, "", 0, &op), -EINVAL);
	assert_contains(xensplit_errmsg(ctx), "name of the domain is empty");
	assert_result(xensplit_op_domain(ctx, "32752", 0, &op), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "domids are below 32752");
	assert_int_equal(xensplit_op_domain(ctx, NULL, 0, &op), -EINVAL);
	assert_int_equal(xensplit_op_domain(NULL, "5", 0, &op), -EINVAL);
	assert_int_equal(xensplit_op_domain(ctx, "5", 0, NULL), -EINVAL);
	assert_null(op);
	assert_int_equal(xensplit_domain_wait(ctx, "5", 0, NULL), -EINVAL);
	assert_int_equal(xensplit_domain_wait(ctx, "", 0, &domid), -EINVAL);
	assert_int_equal(domid, 77);
	assert_int_equal(xensplit_op_get_domid(NULL, &domid), -EINVAL);
	assert_result(xensplit_op_wait(ctx, &mydevice, XENSPLIT_UNTIL_GONE, 0, &op), 0);
	assert_int_equal(xensplit_op_get_domid(op, NULL), -EINVAL);
	assert_int_equal(xensplit_op_process(op), 0);
	assert_int_equal(xensplit_op_get_domid(op, &domid), -ENODATA);
	xensplit_op_free(op);
}

/* Only privileged domains hear of others. */
static void without_permission(void **state)
{
	XENSPLIT_OPTS(xensplit_opts, opts);
	uint32_t domid;

	(void)state;
	opts.xs = as_domain(5);
	xensplit_free(ctx);
	ctx = new_ctx(&opts);
	assert_result(xensplit_domain_wait(ctx, "late", LONG_MS, &domid), -EACCES);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(it_is_there_already),
		store_test(one_that_comes_later),
		store_test(another_domain_changes_nothing),
		store_test(one_that_gets_the_name_later),
		store_test(a_name_that_two_domains_have),
		store_test(a_dead_one_does_not_count),
		store_test(a_dying_one_does_not_count),
		store_test(one_in_creation_does_not_count_yet),
		store_test(the_deadline),
		store_test(cancelled_or_freed),
		store_test(its_requests),
		store_test(wrong_arguments),
		store_test(without_permission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
