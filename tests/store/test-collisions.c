// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pitfall 1 and 2: guests and other clients that keep writing to the same nodes. They can make
 * each commit collide; the operation still succeeds, or fails soon.
 */
#include <pthread.h>

#include "store.h"

struct noise {
	pthread_t thread;
	struct xs_handle *xs;
	const char *path;
	volatile bool stop;
	volatile unsigned long writes;
};

static void *make_noise(void *data)
{
	struct noise *noise = data;

	while (!noise->stop) {
		xs_write(noise->xs, XBT_NULL, noise->path, "4", 1);
		noise->writes++;
	}
	return NULL;
}

static void start_noise(struct noise *noise, unsigned int domid, const char *path)
{
	memset(noise, 0, sizeof(*noise));
	noise->xs = as_domain(domid);
	noise->path = path;
	assert_int_equal(pthread_create(&noise->thread, NULL, make_noise, noise), 0);
	while (noise->writes < 100)
		sleep_ms(1);
}

static void stop_noise(struct noise *noise)
{
	noise->stop = true;
	pthread_join(noise->thread, NULL);
}

static void pitfall_02_detach_while_the_guest_writes_its_state(void **state)
{
	struct noise noise;
	uint64_t begun;
	int i;

	(void)state;
	drive("back 0 mydevice --never-close");
	for (i = 0; i < 3; i++) {
		attach_mydevice();
		await(BE "/state", "2");
		start_noise(&noise, 5, FE "/state");
		await(BE "/state", "4");
		begun = now_ms();
		assert_result(xensplit_detach(ctx, &mydevice, XENSPLIT_DETACH_FORCE, 50),
			      0);
		assert_true(now_ms() - begun < 5000);
		stop_noise(&noise);
		assert_no_device();
	}
}

/* It can't be asked to close by a commit, so it is removed without: only if that is wanted. */
static void pitfall_02_detach_while_a_driver_domain_writes_its_state(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	struct noise noise;
	int i, r;

	(void)state;
	opts.backend_domid = 6;
	for (i = 0; i < 3; i++) {
		opts.flags = 0;
		assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
		start_noise(&noise, 6, "/local/domain/6/backend/mydevice/5/0/state");
		r = xensplit_detach(ctx, &mydevice, 0, 100);
		if (r != -EBUSY && r != -ETIMEDOUT)
			wrong("%d: %s\n", r, xensplit_errmsg(ctx));
		assert_true(exists(REC));
		opts.flags = XENSPLIT_ATTACH_REPLACE;
		r = xensplit_attach(ctx, &opts, 1, NULL);
		if (r != -ETIMEDOUT)
			wrong("%d: %s\n", r, xensplit_errmsg(ctx));
		assert_true(exists(REC) && exists(FE));
		assert_result(xensplit_detach(ctx, &mydevice, XENSPLIT_DETACH_FORCE, 50),
			      0);
		stop_noise(&noise);
		assert_no_device();
	}
}

/* A guest that owns its `device` can write there before the device exists. */
static void pitfall_02_attach_while_the_guest_writes_beside_it(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	struct noise noise;
	uint64_t begun;
	int i;

	(void)state;
	put("/local/domain/5/device", "", "n5,r0");
	put("/local/domain/5/device/mydevice", "", "n5,r0");
	start_noise(&noise, 5, "/local/domain/5/device/mydevice/noise");
	for (i = 0; i < 10 || noise.writes < 300; i++) {
		begun = now_ms();
		assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
		assert_result(xensplit_detach(ctx, &mydevice, 0, 0), 0);
		assert_true(now_ms() - begun < 5000);
	}
	stop_noise(&noise);
	assert_gone(FE);
}

/* On the same nodes as the commit, the only possible result is a quick refusal. */
static void pitfall_02_attach_onto_what_a_guest_keeps_writing(void **state)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	struct noise noise;
	uint64_t begun;
	int r;

	(void)state;
	put("/local/domain/5/device", "", "n5,r0");
	put(FE "/state", "", "n5,r0");
	start_noise(&noise, 5, FE "/state");
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	begun = now_ms();
	r = xensplit_attach(ctx, &opts, 0, NULL);
	assert_true(now_ms() - begun < 10000);
	stop_noise(&noise);
	if (r != 0 && r != -EBUSY && r != -EEXIST)
		wrong("%d: %s\n", r, xensplit_errmsg(ctx));
	/* A whole device or none. */
	assert_int_equal(exists(REC), !r);
	assert_int_equal(exists(BE "/state"), !r);
	if (!r)
		assert_node(FE "/backend", BE, "n0,r5,r0");
}

/* Two toolstacks at the same time, with different devices: both get all of theirs. */
struct toolstack {
	pthread_t thread;
	struct xensplit_ctx *ctx;
	uint32_t domid;
	int failed;
};

static void *attach_and_detach(void *data)
{
	struct toolstack *t = data;
	uint32_t i;

	for (i = 0; !t->failed && i < 40; i++) {
		struct xensplit_attach_opts opts =
			device_opts(t->domid, "mydevice", XENSPLIT_DEVID_AUTO);
		uint32_t devid;

		t->failed = xensplit_attach(t->ctx, &opts, 0, &devid);
		if (!t->failed && i % 2) {
			struct xensplit_id id = { t->domid, "mydevice", devid };

			t->failed = xensplit_detach(t->ctx, &id, 0, 1000);
		}
	}
	return NULL;
}

static void pitfall_02_two_contexts_in_two_threads(void **state)
{
	struct toolstack t[2] = { { .domid = 5 }, { .domid = 6 } };
	struct xensplit_list *list;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++)
		t[i].ctx = new_ctx(NULL);
	for (i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&t[i].thread, NULL, attach_and_detach, &t[i]), 0);
	for (i = 0; i < 2; i++) {
		pthread_join(t[i].thread, NULL);
		if (t[i].failed)
			wrong("%s\n", xensplit_errmsg(t[i].ctx));
		xensplit_free(t[i].ctx);
	}
	assert_result(xensplit_list_new(ctx, NULL, 0, &list), 0);
	assert_non_null(xensplit_list_get(list, 39));
	assert_null(xensplit_list_get(list, 40));
	xensplit_list_free(list);
}

/* With the same device: one gets it, the other an error. */
static void *attach_one(void *data)
{
	struct toolstack *t = data;
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	t->failed = xensplit_attach(t->ctx, &opts, 0, NULL);
	return NULL;
}

static void pitfall_02_two_that_want_the_same_device(void **state)
{
	struct toolstack t[2];
	size_t i;
	int round;

	(void)state;
	for (i = 0; i < 2; i++)
		t[i].ctx = new_ctx(NULL);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 2; i++)
			assert_int_equal(
				pthread_create(&t[i].thread, NULL, attach_one, &t[i]), 0);
		for (i = 0; i < 2; i++)
			pthread_join(t[i].thread, NULL);
		assert_int_equal(t[0].failed + t[1].failed, -EEXIST);
		assert_result(xensplit_detach(ctx, &mydevice, 0, 0), 0);
	}
	for (i = 0; i < 2; i++)
		xensplit_free(t[i].ctx);
}

static int every_domain_lives(void *data, uint32_t domid, struct xensplit_domain *domain)
{
	(void)data;
	(void)domid;
	(void)domain;
	return 0;
}

/* xenstored would commit a transaction in which a request failed; the library does not. */
static void pitfall_01_nothing_of_a_commit_that_fails_half_way(void **state)
{
	static const struct xensplit_hypervisor table = { sizeof(table),
							  every_domain_lives };
	XENSPLIT_OPTS(xensplit_opts, context);
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);
	xs_transaction_t t;
	const char *before;

	(void)state;
	/* Shows that xenstored would. */
	t = xs_transaction_start(dom0);
	assert_true(xs_write(dom0, t, "/tool/partial", "1", 1));
	assert_false(xs_set_permissions(dom0, t, "/tool/partial",
					&(struct xs_permissions){ 77, XS_PERM_NONE }, 1));
	assert_true(xs_transaction_end(dom0, t, false));
	assert_true(exists("/tool/partial"));
	xs_rm(dom0, XBT_NULL, "/tool/partial");

	/* The last permissions fail: domain 7 has nodes, but Xen does not know it. */
	put("/local/domain/7/name", "ghost", NULL);
	before = dump();
	context.hypervisor = &table;
	xensplit_free(ctx);
	ctx = new_ctx(&context);
	opts.backend_domid = 7;
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), -ESRCH);
	assert_contains(xensplit_errmsg(ctx), "no such domain: 7");
	assert_untouched(before);
	xs_rm(dom0, XBT_NULL, "/local/domain/7");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(pitfall_01_nothing_of_a_commit_that_fails_half_way),
		store_test(pitfall_02_detach_while_the_guest_writes_its_state),
		store_test(pitfall_02_detach_while_a_driver_domain_writes_its_state),
		store_test(pitfall_02_attach_while_the_guest_writes_beside_it),
		store_test(pitfall_02_attach_onto_what_a_guest_keeps_writing),
		store_test(pitfall_02_two_contexts_in_two_threads),
		store_test(pitfall_02_two_that_want_the_same_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
