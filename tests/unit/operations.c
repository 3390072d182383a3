// SPDX-License-Identifier: GPL-2.0-or-later
/* See operations.h. */
#include "operations.h"

/* Of the domain that has the domid of a former one. */
#define NEW_MARK "00000000deadbeef"

const struct xensplit_id device = { 5, "mydevice", 0 };
static const struct xensplit_pair pair = { "key", "value" };

static int attach_with(struct xensplit_ctx *ctx, uint32_t devid, uint32_t flags)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	uint32_t ret = 77;
	int r;

	opts.domid = 5;
	opts.type = "mydevice";
	opts.devid = devid;
	opts.flags = flags;
	opts.front = opts.back = &pair;
	opts.front_count = opts.back_count = 1;
	r = xensplit_attach(ctx, &opts, 0, &ret);
	/* One that is found as wanted is known before its states are. */
	if (!r || !(flags & XENSPLIT_ATTACH_ENSURE))
		assert_true(r ? ret == 77 : !ret || devid == XENSPLIT_DEVID_AUTO);
	return r;
}

int attach(struct xensplit_ctx *ctx)
{
	return attach_with(ctx, 0, 0);
}

static int attach_auto(struct xensplit_ctx *ctx)
{
	return attach_with(ctx, XENSPLIT_DEVID_AUTO, 0);
}

static int attach_replacing(struct xensplit_ctx *ctx)
{
	return attach_with(ctx, 0, XENSPLIT_ATTACH_REPLACE);
}

static int ensure(struct xensplit_ctx *ctx)
{
	return attach_with(ctx, 0, XENSPLIT_ATTACH_ENSURE);
}

static int ensure_replacing(struct xensplit_ctx *ctx)
{
	return attach_with(ctx, 0, XENSPLIT_ATTACH_ENSURE | XENSPLIT_ATTACH_REPLACE);
}

/* With a time to wait, in which no driver answers. */
static int attach_and_roll_back(struct xensplit_ctx *ctx)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	int r;

	opts.domid = 5;
	opts.type = "mydevice";
	opts.flags = XENSPLIT_ATTACH_ROLLBACK;
	r = xensplit_attach(ctx, &opts, 2000, NULL);
	if (r == -ETIMEDOUT)
		assert_contains(xensplit_errmsg(ctx), "not connected after 2.0 s");
	return r;
}

/* Every action of a plan. */
static int plan_of(struct xensplit_ctx *ctx, const struct xensplit_wanted *const *list,
		   size_t count)
{
	struct xensplit_plan *p;
	size_t i;
	int r = xensplit_plan_new(ctx, 5, list, count, XENSPLIT_PLAN_PRUNE, &p);

	if (r)
		return r;
	for (i = 0; !r && xensplit_plan_get(p, i); i++) {
		struct xensplit_op *op;

		r = xensplit_plan_op(p, i, 0, &op);
		if (r)
			break;
		r = xensplit_op_run(op);
		xensplit_op_free(op);
	}
	xensplit_plan_free(p);
	return r;
}

int plan(struct xensplit_ctx *ctx)
{
	XENSPLIT_OPTS(xensplit_wanted, wanted);
	const struct xensplit_wanted *list = &wanted;

	wanted.type = "mydevice";
	wanted.backend = "Domain-0";
	wanted.front = wanted.back = &pair;
	wanted.front_count = wanted.back_count = 1;
	return plan_of(ctx, &list, 1);
}

/* An id for the second, which none of the others has. */
static int plan_auto(struct xensplit_ctx *ctx)
{
	XENSPLIT_OPTS(xensplit_wanted, fixed);
	XENSPLIT_OPTS(xensplit_wanted, automatic);
	const struct xensplit_wanted *const list[] = { &fixed, &automatic };

	fixed.type = automatic.type = "mydevice";
	automatic.devid = XENSPLIT_DEVID_AUTO;
	return plan_of(ctx, list, 2);
}

static int plan_none(struct xensplit_ctx *ctx)
{
	return plan_of(ctx, NULL, 0);
}

int detach(struct xensplit_ctx *ctx)
{
	return xensplit_detach(ctx, &device, 0, 5000);
}

static int batch(struct xensplit_ctx *ctx,
		 int (*add)(struct xensplit_batch *batch, const struct xensplit_id *id),
		 int (*run)(struct xensplit_batch *batch))
{
	struct xensplit_batch *b;
	int r = xensplit_batch_new(ctx, &b);

	if (r)
		return r;
	r = add(b, &device);
	if (r >= 0)
		r = run(b);
	xensplit_batch_free(b);
	return r;
}

static int add_remove(struct xensplit_batch *b, const struct xensplit_id *id)
{
	return xensplit_batch_remove(b, id, 0);
}

static int add_reap(struct xensplit_batch *b, const struct xensplit_id *id)
{
	return xensplit_batch_remove(b, id, XENSPLIT_REMOVE_STALE);
}

static int close_(struct xensplit_ctx *ctx)
{
	return batch(ctx, xensplit_batch_close, xensplit_batch_commit);
}

static int remove_(struct xensplit_ctx *ctx)
{
	return batch(ctx, add_remove, xensplit_batch_commit);
}

static int preview_remove(struct xensplit_ctx *ctx)
{
	return batch(ctx, add_remove, xensplit_batch_preview);
}

static int reap(struct xensplit_ctx *ctx)
{
	return batch(ctx, add_reap, xensplit_batch_commit);
}

static int reap_all(struct xensplit_ctx *ctx)
{
	const struct xensplit_reaped *reaped;
	struct xensplit_reap *all;
	int r = xensplit_reap_new(ctx, NULL, 0, &all);

	if (r)
		return r;
	/* A failure belongs to that device. */
	reaped = xensplit_reap_get(all, 0);
	r = reaped ? reaped->result : 0;
	if (r)
		failure_set(ctx, reaped->result, NULL, "%s", reaped->message);
	xensplit_reap_free(all);
	return r;
}

static int repair(struct xensplit_ctx *ctx)
{
	return batch(ctx, xensplit_batch_repair, xensplit_batch_commit);
}

static int repair_and_wait(struct xensplit_ctx *ctx)
{
	return xensplit_repair(ctx, &device, 5000);
}

static int list(struct xensplit_ctx *ctx)
{
	struct xensplit_list *l;
	int r = xensplit_list_new(ctx, NULL, XENSPLIT_LIST_FOREIGN, &l);

	if (!r) {
		assert_non_null(xensplit_list_get(l, 0));
		xensplit_list_free(l);
	}
	return r;
}

/* Either it fails, or none is missing. */
static int list_among_others(struct xensplit_ctx *ctx)
{
	struct xensplit_list *l;
	int r = xensplit_list_new(ctx, NULL, XENSPLIT_LIST_FOREIGN, &l);

	if (!r) {
		assert_non_null(xensplit_list_get(l, 4));
		assert_null(xensplit_list_get(l, 5));
		assert_string_equal(xensplit_list_get(l, 3)->id.type, "foreign");
		assert_int_equal(xensplit_list_get(l, 3)->backend_domid, 6);
		xensplit_list_free(l);
	}
	return r;
}

static int nodes(struct xensplit_ctx *ctx)
{
	struct xensplit_nodes *n;
	int r = xensplit_nodes_new(ctx, &device, &n);

	if (!r) {
		assert_non_null(xensplit_nodes_get(n, 0));
		xensplit_nodes_free(n);
	}
	return r;
}

static int diagnose(struct xensplit_ctx *ctx)
{
	struct xensplit_findings *f;
	int r = xensplit_diagnose(ctx, NULL, &f);

	if (!r)
		xensplit_findings_free(f);
	return r;
}

int watch(struct xensplit_ctx *ctx)
{
	const struct xensplit_event *event;
	struct xensplit_monitor *monitor;
	int r = xensplit_monitor_new(ctx, NULL, &monitor);

	if (r)
		return r;
	fake_set(BE "/state", "2", 1);
	fake_set("/local/domain/0/error/backend/mydevice/5/0/error", "oops", 4);
	r = xensplit_monitor_process(monitor);
	while (xensplit_monitor_next(monitor, &event) > 0)
		;
	xensplit_monitor_free(monitor);
	return r;
}

static int wait_connected(struct xensplit_ctx *ctx)
{
	return xensplit_wait(ctx, &device, XENSPLIT_UNTIL_CONNECTED, 5000);
}

static int wait_gone(struct xensplit_ctx *ctx)
{
	return xensplit_wait(ctx, &device, XENSPLIT_UNTIL_GONE, 0);
}

int find_by_name(struct xensplit_ctx *ctx)
{
	uint32_t domid;

	return xensplit_domain_find(ctx, "g5", &domid);
}

static int wait_for_domain(struct xensplit_ctx *ctx)
{
	uint32_t domid;

	return xensplit_domain_wait(ctx, "nobody", 2000, &domid);
}

/* How often a keeper may be asked; each time skips what it waits for. */
#define KEEPER_TURNS 400
#define KEEPER_CALM  3
/* After this long it has asked whether xenstored is still there. */
#define KEEPER_PROBE_US 2500000

static int keep_until_settled(struct xensplit_keeper *keeper)
{
	const struct xensplit_keeper_event *event;
	unsigned int turn, calm = 0;
	bool failed;
	int r = 0;

	for (turn = 0; turn < KEEPER_TURNS && calm < KEEPER_CALM; turn++) {
		uint64_t until = xensplit_keeper_get_timeout(keeper), now = now_us();

		if (until > now)
			sleep_until(until);
		r = xensplit_keeper_process(keeper);
		/* After this it can be called again. */
		if (r && r != -ENOMEM)
			return r;
		while (xensplit_keeper_next(keeper, &event) > 0)
			;
		calm = !r && xensplit_keeper_is_settled(keeper) > 0 ? calm + 1 : 0;
	}
	if (!calm)
		return r ? r : -ETIMEDOUT;
	/* Once more if only now a request failed. */
	do {
		failed = fake.failed;
		sleep_until(now_us() + KEEPER_PROBE_US);
		r = xensplit_keeper_process(keeper);
	} while (!r && fake.failed && !failed);
	return r;
}

static int keep_list(struct xensplit_ctx *ctx, const struct xensplit_wanted *const *list,
		     size_t count)
{
	XENSPLIT_OPTS(xensplit_keeper_opts, opts);
	struct xensplit_keeper *keeper;
	int r;

	opts.flags = XENSPLIT_PLAN_REPLACE | XENSPLIT_PLAN_PRUNE;
	r = xensplit_keeper_new(ctx, &opts, &keeper);
	if (r)
		return r;
	r = xensplit_keeper_set(keeper, "g5", list, count);
	if (!r)
		r = keep_until_settled(keeper);
	xensplit_keeper_free(keeper);
	return r;
}

int keep(struct xensplit_ctx *ctx)
{
	XENSPLIT_OPTS(xensplit_wanted, wanted);
	const struct xensplit_wanted *list = &wanted;

	wanted.type = "mydevice";
	wanted.backend = "Domain-0";
	wanted.front = wanted.back = &pair;
	wanted.front_count = wanted.back_count = 1;
	return keep_list(ctx, &list, 1);
}

static int keep_none(struct xensplit_ctx *ctx)
{
	return keep_list(ctx, NULL, 0);
}

/* --- initial states --- */

void nothing(struct xensplit_ctx *ctx)
{
	(void)ctx;
}

static void attached(struct xensplit_ctx *ctx)
{
	assert_int_equal(attach(ctx), 0);
}

/* Without the keys that are wanted. */
static void attached_plain(struct xensplit_ctx *ctx)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	opts.domid = 5;
	opts.type = "mydevice";
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

void connected(struct xensplit_ctx *ctx)
{
	attached(ctx);
	fake_set(FE "/state", "4", 1);
	fake_set(BE "/state", "4", 1);
}

void of_a_former_domain(struct xensplit_ctx *ctx)
{
	attached(ctx);
	assert_true(xs_rm(ctx->xs, XBT_NULL, FE)); /* with its domain */
	fake_set("/local/domain/5/xensplit", NEW_MARK, strlen(NEW_MARK));
}

/* Of a domain that is not there any more. */
static void of_a_dead_domain(struct xensplit_ctx *ctx)
{
	attached(ctx);
	assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/5"));
}

/* With an id that is not on the list any more. */
static void listed(struct xensplit_ctx *ctx)
{
	char record[2048];

	attached(ctx);
	snprintf(record, sizeof(record), "%slisted=fixed\n", fake_value(REC, NULL));
	fake_set("/xensplit/5/mydevice/0", record, strlen(record));
}

/* And those of other tools: one that two domains claim, a frontend and a backend alone. */
static void among_others(struct xensplit_ctx *ctx)
{
	connected(ctx);
	fake_set("/xensplit/5/damaged/0", "nonsense", 8);
	fake_set("/local/domain/5/device/damaged/0/state", "4", 1);
	fake_set("/local/domain/6/backend/damaged/5/0/state", "4", 1);
	fake_set("/local/domain/0/backend/behind/5/3/state", "2", 1);
	fake_set("/local/domain/5/device/foreign/1/state", "4", 1);
	fake_set("/local/domain/5/device/foreign/1/backend",
		 "/local/domain/6/backend/foreign/5/1", 35);
	fake_set("/local/domain/0/backend/foreign/5/1/state", "4", 1);
	fake_set("/local/domain/6/backend/foreign/5/1/state", "4", 1);
	fake_set("/local/domain/5/device/alone/2/state", "1", 1);
	fake_set("/local/domain/5/error/device/foreign/1/error", "5 oops", 6);
	fake_set("/local/domain/6/error/backend/damaged/0/error", "", 0);
}

static void with_wrong_permissions(struct xensplit_ctx *ctx)
{
	connected(ctx);
	fake_set(BE "/new", "", 0);
	assert_true(xs_set_permissions(ctx->xs, XBT_NULL, FE "/state",
				       &(struct xs_permissions){ 0, XS_PERM_READ }, 1));
	assert_true(xs_rm(ctx->xs, XBT_NULL, BE "/online"));
}

const struct operation operations[] = {
	{ "attach", nothing, attach, 20, 0, false },
	{ "attach auto", nothing, attach_auto, 22, 0, false },
	{ "attach --rollback", nothing, attach_and_roll_back, 30, -ETIMEDOUT, false },
	{ "attach --replace", attached, attach_replacing, 35, 0, false },
	{ "ensure absent", nothing, ensure, 23, 0, false },
	{ "ensure equal", attached, ensure, 6, 0, false },
	{ "ensure different", attached_plain, ensure, 6, -EEXIST, false },
	{ "ensure --replace", attached_plain, ensure_replacing, 40, 0, false },
	{ "plan, absent", nothing, plan, 35, 0, false },
	{ "plan, auto", attached_plain, plan_auto, 30, 0, false },
	{ "plan, equal", attached, plan, 18, 0, false },
	{ "plan, stale", of_a_former_domain, plan, 50, 0, false },
	{ "plan, no longer listed", listed, plan_none, 20, 0, false },
	{ "detach unclaimed", attached, detach, 12, 0, false },
	{ "detach connected", connected, detach, 25, 0, false },
	{ "close", connected, close_, 8, 0, false },
	{ "remove", connected, remove_, 12, 0, false },
	{ "remove preview", connected, preview_remove, 12, 0, false },
	{ "reap", of_a_former_domain, reap, 10, 0, false },
	{ "reap all", of_a_former_domain, reap_all, 15, 0, false },
	{ "repair", with_wrong_permissions, repair, 20, 0, false },
	{ "list", connected, list, 15, 0, false },
	{ "list among others", among_others, list_among_others, 40, 0, false },
	{ "nodes", connected, nodes, 35, 0, false },
	{ "diagnose", connected, diagnose, 20, 0, false },
	{ "diagnose among others", among_others, diagnose, 60, 0, false },
	{ "watch", connected, watch, 15, 0, false },
	{ "wait until connected", connected, wait_connected, 7, 0, false },
	{ "wait until gone", connected, wait_gone, 12, -ETIMEDOUT, false },
	{ "wait for a domain", nothing, wait_for_domain, 6, -ETIMEDOUT, false },
	{ "domain by name", nothing, find_by_name, 3, 0, false },
	{ "repair and wait", with_wrong_permissions, repair_and_wait, 20, 0, false },
	{ "keeper, absent", nothing, keep, 60, 0, true },
	{ "keeper, equal", connected, keep, 30, 0, true },
	{ "keeper, different", attached_plain, keep, 70, 0, true },
	{ "keeper, stale", of_a_former_domain, keep, 60, 0, true },
	{ "keeper, no longer listed", listed, keep_none, 50, 0, true },
	{ "keeper, dead domain", of_a_dead_domain, keep, 25, 0, true },
};

const size_t operation_count = ARRAY_SIZE(operations);

/* --- what is left --- */

static bool is_below(const char *line, const char *top)
{
	return !strncmp(line, top, strlen(top));
}

/* The lines of the device: its record, halves and all parents, without the id. */
static char *device_of(const char *dump)
{
	char *kept = calloc(1, strlen(dump) + 1);

	while (*dump) {
		size_t len = strcspn(dump, "\n") + 1;

		/* A line that is not a path is a field of the record. */
		if (is_below(dump, "/xensplit") || *dump != '/' ||
		    memmem(dump, len, "/mydevice", 9))
			if (!is_below(dump, "unique-id=") &&
			    !is_below(dump, "created=") &&
			    !is_below(dump, "frontend-mark=") &&
			    !is_below(dump, "/local/domain/0/error"))
				strncat(kept, dump, len);
		dump += len;
	}
	return kept;
}

char *device_now(void)
{
	char *dump = fake_dump(), *kept = device_of(dump);

	free(dump);
	return kept;
}

bool there(const char *path)
{
	return fake_value(path, NULL) != NULL;
}

void assert_whole_or_none(const struct operation *op, const char *cause)
{
	const char *record = fake_value(REC, NULL);
	/* That of a former domain went with it. */
	bool front = record && op->prepare != of_a_dead_domain &&
		     (op->prepare != of_a_former_domain ||
		      strstr(record, "\nfrontend-mark=" NEW_MARK));

	if (there(FE "/state") != there(FE) || there(BE "/state") != there(BE))
		wrong("%s: %s failed, and half an end is left\n", op->name, cause);
	/* The next replace completes a record that says so. */
	if (record && strstr(record, "\nphase=replace\n") && there(FE) == there(BE))
		return;
	if (there(FE) != front || there(BE) != !!record)
		wrong("%s: %s failed, and half a device is left\n", op->name, cause);
}
