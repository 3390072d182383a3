// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The library on a store that anybody has written: the first line names operations, the
 * others are nodes (README.md). After each operation, only what it is about has changed; a device is
 * whole after a success, and nothing is left of one that was removed; no operation goes on for ever,
 * and no text of the library has a byte that is not printable.
 */
#include "tree.h"

/* More than the longest needs, which is a keeper that tries again and again. */
#define REQUESTS_MOST 60000
#define TURNS_MOST    40
#define WAIT_MS	      3000

static const struct xensplit_id device = { 5, "mydevice", 0 };
static const struct area of_device = { 5, "mydevice", 0, false };
static const struct area of_domain = { 5, NULL, XENSPLIT_ANY, false };
static const struct area of_all = { XENSPLIT_ANY, NULL, XENSPLIT_ANY, false };
/* A keeper looks for a name, which any domain may have. */
static const struct area of_keeper = { XENSPLIT_ANY, NULL, XENSPLIT_ANY, true };

/* One operation of the first line. */
struct run {
	struct xensplit_ctx *ctx;
	const struct snapshot *before;
	const char *name;
};

static void must_say(struct run *run, int r)
{
	const char *text = xensplit_errmsg(run->ctx);

	must_hold_for(is_printable(text), text);
	must_hold_for(!r || *text, run->name);
	must_hold_for(!fake.open_transactions && !fake.committed_failure, run->name);
}

/* --- what is there --- */

static void must_be_sound(const struct xensplit_device *d)
{
	must_hold(d->id.domid < DOMID_END && type_is_valid(d->id.type));
	must_hold(d->id.devid <= INT32_MAX);
	must_hold(d->backend_domid < DOMID_END || d->backend_domid == XENSPLIT_ANY);
	must_hold(d->frontend_state >= XENSPLIT_STATE_INVALID && d->frontend_state <= 8);
	must_hold(d->backend_state >= XENSPLIT_STATE_INVALID && d->backend_state <= 8);
	must_hold((d->backend_domid == XENSPLIT_ANY) == !d->backend);
	must_hold(!d->unique_id || d->origin == XENSPLIT_ORIGIN_XENSPLIT);
}

static void list(struct run *run)
{
	const struct xensplit_device *d;
	struct xensplit_list *devices;
	size_t i, bystanders = 0;
	int r = xensplit_list_new(run->ctx, NULL, XENSPLIT_LIST_FOREIGN, &devices);

	must_say(run, r);
	must_hold(!r);
	xensplit_list_foreach (devices, i, d) {
		must_be_sound(d);
		bystanders += d->id.domid == BYSTANDER;
	}
	must_hold(bystanders == 1);
	xensplit_list_free(devices);
	must_be_same(run->before, run->name);
}

static void show(struct run *run)
{
	const struct xensplit_node *node;
	struct xensplit_nodes *nodes;
	size_t i;
	int r = xensplit_nodes_new(run->ctx, &device, &nodes);

	must_say(run, r);
	for (i = 0; !r && (node = xensplit_nodes_get(nodes, i)); i++)
		must_hold(snapshot_has(run->before, node->path));
	if (!r)
		xensplit_nodes_free(nodes);
	must_be_same(run->before, run->name);
}

static void must_be_sound_finding(const struct xensplit_finding *f)
{
	must_hold(f->id.domid < DOMID_END || f->id.domid == XENSPLIT_ANY);
	must_hold_for(is_printable(f->what), f->what);
	must_hold_for(is_printable(f->why), f->why);
	must_hold(f->id.domid != BYSTANDER || f->severity != XENSPLIT_SEVERITY_ERROR);
	must_hold(f->remedy != XENSPLIT_REMEDY_REMOVE || f->node);
}

static struct xensplit_findings *diagnose(struct run *run)
{
	const struct xensplit_finding *finding;
	struct xensplit_findings *findings;
	size_t i;
	int r = xensplit_diagnose(run->ctx, NULL, &findings);

	must_say(run, r);
	must_hold(!r);
	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++)
		must_be_sound_finding(finding);
	return findings;
}

static void doctor(struct run *run)
{
	xensplit_findings_free(diagnose(run));
	must_be_same(run->before, run->name);
}

static void monitor(struct run *run)
{
	const struct xensplit_event *event;
	struct xensplit_monitor *m;
	int r = xensplit_monitor_new(run->ctx, NULL, &m), turns = 0;

	must_say(run, r);
	if (r)
		return;
	while (turns++ < 4) {
		must_hold(!xensplit_monitor_process(m));
		while (xensplit_monitor_next(m, &event) > 0)
			must_hold(event->type >= XENSPLIT_EVENT_APPEARED &&
				  event->type <= XENSPLIT_EVENT_DOMAIN);
	}
	xensplit_monitor_free(m);
	must_be_same(run->before, run->name);
}

/* --- what is left --- */

static bool is_there(const char *path)
{
	return fake_value(path, NULL);
}

static bool has_value(const char *path, const char *value)
{
	size_t len;
	const char *is = fake_value(path, &len);

	return is && len == strlen(value) && !memcmp(is, value, len);
}

/* Both halves are there and name each other, so far as the library trusts them. */
static void must_be_whole(struct run *run, const struct xensplit_device *d)
{
	char path[600], number[16];

	must_hold_for(d && d->frontend && d->backend, run->name);
	must_hold_for(d->frontend_state != XENSPLIT_STATE_ABSENT, run->name);
	must_hold_for(d->backend_state != XENSPLIT_STATE_ABSENT, run->name);
	if (!d->unique_id || d->damaged)
		return;
	snprintf(path, sizeof(path), "%s/frontend", d->backend);
	snprintf(number, sizeof(number), "%u", d->backend_domid);
	must_hold_for(has_value(path, d->frontend), path);
	snprintf(path, sizeof(path), "%s/backend", d->frontend);
	must_hold_for(has_value(path, d->backend), path);
	snprintf(path, sizeof(path), "%s/backend-id", d->frontend);
	must_hold_for(has_value(path, number), path);
}

/* The device as it is; @written: just now, by the library. */
static void must_be_there(struct run *run, bool written)
{
	XENSPLIT_FILTER(filter);
	const struct xensplit_device *d;
	struct xensplit_list *devices;

	filter.domid = device.domid;
	filter.type = device.type;
	filter.devid = device.devid;
	must_hold(!xensplit_list_new(run->ctx, &filter, XENSPLIT_LIST_FOREIGN, &devices));
	d = xensplit_list_get(devices, 0);
	must_hold_for(d, run->name);
	if (written) {
		must_hold_for(d->unique_id && !d->damaged && !d->stale && !d->phase,
			      run->name);
		must_be_whole(run, d);
	}
	xensplit_list_free(devices);
}

static void must_be_gone(struct run *run)
{
	must_hold_for(!is_there("/xensplit/5/mydevice/0"), run->name);
	must_hold_for(!is_there("/local/domain/5/device/mydevice/0"), run->name);
}

static void repair_one(struct run *run, const struct xensplit_id *id)
{
	struct snapshot before = snapshot_take();
	struct area area = { id->domid, id->type, id->devid, false };
	int r = xensplit_repair(run->ctx, id, WAIT_MS);

	must_say(run, r);
	must_change_only(&before, &area, run->name);
	if (!r && !strcmp(id->type, device.type) && id->domid == 5 && !id->devid)
		must_be_there(run, false);
	snapshot_clear(&before);
}

static void repair(struct run *run)
{
	repair_one(run, &device);
}

static void fix(struct run *run)
{
	struct xensplit_findings *findings = diagnose(run);
	const struct xensplit_finding *finding;
	size_t i;

	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++)
		if (finding->remedy == XENSPLIT_REMEDY_REPAIR)
			repair_one(run, &finding->id);
	xensplit_findings_free(findings);
}

static void adopt(struct run *run)
{
	XENSPLIT_OPTS(xensplit_adopt_opts, opts);
	struct xensplit_batch *batch;
	int r;

	opts.domid = device.domid;
	opts.type = device.type;
	opts.backend_domid = XENSPLIT_ANY;
	must_hold(!xensplit_batch_new(run->ctx, &batch));
	r = xensplit_batch_adopt(batch, &opts);
	if (r >= 0)
		r = xensplit_batch_commit(batch);
	must_say(run, r < 0 ? r : 0);
	xensplit_batch_free(batch);
	must_change_only(run->before, &of_device, run->name);
	if (!r)
		must_be_there(run, true);
	else
		must_be_same(run->before, run->name);
}

static void replace(struct run *run)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	int r;

	opts.domid = device.domid;
	opts.type = device.type;
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	r = xensplit_attach(run->ctx, &opts, WAIT_MS, NULL);
	must_say(run, r);
	must_change_only(run->before, &of_device, run->name);
	if (!r || r == -EPROTO)
		must_be_there(run, true);
}

static void detach_with(struct run *run, uint32_t flags)
{
	int r = xensplit_detach(run->ctx, &device, flags, WAIT_MS);

	must_say(run, r);
	must_change_only(run->before, &of_device, run->name);
	if (!r)
		must_be_gone(run);
}

static void detach(struct run *run)
{
	detach_with(run, 0);
}

static void detach_force(struct run *run)
{
	detach_with(run, XENSPLIT_DETACH_FORCE);
}

/* --- many devices --- */

static size_t reap_once(struct run *run, uint32_t flags)
{
	const struct xensplit_reaped *reaped;
	struct xensplit_reap *reap;
	size_t i, count = 0;
	char path[512];
	int r = xensplit_reap_new(run->ctx, NULL, flags, &reap);

	must_say(run, r);
	must_hold(!r);
	for (i = 0; (reaped = xensplit_reap_get(reap, i)); i++) {
		must_hold(reaped->id.domid != BYSTANDER);
		must_hold(!reaped->message || is_printable(reaped->message));
		if (reaped->result)
			continue;
		count++;
		snprintf(path, sizeof(path), "/xensplit/%u/%s/%u", reaped->id.domid,
			 reaped->id.type ? reaped->id.type : "", reaped->id.devid);
		must_hold_for((flags & XENSPLIT_REAP_DRY_RUN) || !is_there(path), path);
	}
	xensplit_reap_free(reap);
	return count;
}

static void reap(struct run *run)
{
	reap_once(run, XENSPLIT_REAP_DRY_RUN);
	must_be_same(run->before, run->name);
	reap_once(run, 0);
	must_change_only(run->before, &of_all, run->name);
	/* Nothing is left for a second one. */
	must_hold_for(fake.conflicts || !reap_once(run, 0), run->name);
}

static void plan_of(struct run *run, const struct xensplit_wanted *const *wanted,
		    size_t count, uint32_t flags)
{
	const struct xensplit_action *action;
	struct xensplit_plan *plan;
	struct xensplit_op *op;
	size_t i;
	int r = xensplit_plan_new(run->ctx, 5, wanted, count, flags, &plan);

	must_say(run, r);
	if (r)
		return;
	must_be_same(run->before, run->name);
	for (i = 0; (action = xensplit_plan_get(plan, i)); i++) {
		must_hold(!action->message || is_printable(action->message));
		if (action->kind == XENSPLIT_ACTION_REFUSE ||
		    xensplit_plan_op(plan, i, 0, &op))
			continue;
		r = xensplit_op_run(op);
		must_say(run, r);
		xensplit_op_free(op);
		if (!r && action->entry == 0 && action->kind != XENSPLIT_ACTION_KEEP)
			must_be_there(run, true);
	}
	xensplit_plan_free(plan);
	must_change_only(run->before, &of_domain, run->name);
}

static const struct xensplit_pair pair = { "key", "value" };

static void want(struct xensplit_wanted wanted[2])
{
	size_t i;

	for (i = 0; i < 2; i++) {
		memset(&wanted[i], 0, sizeof(wanted[i]));
		wanted[i].sz = sizeof(wanted[i]);
		wanted[i].type = device.type;
		wanted[i].front = &pair;
		wanted[i].front_count = 1;
	}
	wanted[1].devid = XENSPLIT_DEVID_AUTO;
}

static void plan(struct run *run)
{
	struct xensplit_wanted wanted[2];
	const struct xensplit_wanted *list[] = { &wanted[0], &wanted[1] };

	want(wanted);
	plan_of(run, list, 2, XENSPLIT_PLAN_REPLACE | XENSPLIT_PLAN_PRUNE);
}

static void plan_none(struct run *run)
{
	plan_of(run, NULL, 0, XENSPLIT_PLAN_PRUNE);
}

static void keep(struct run *run)
{
	XENSPLIT_OPTS(xensplit_keeper_opts, opts);
	const struct xensplit_keeper_event *event;
	struct xensplit_wanted wanted[2];
	const struct xensplit_wanted *list[] = { &wanted[0], &wanted[1] };
	struct xensplit_keeper *keeper;
	int turn, r;

	want(wanted);
	opts.flags = XENSPLIT_PLAN_REPLACE | XENSPLIT_PLAN_PRUNE;
	must_hold(!xensplit_keeper_new(run->ctx, &opts, &keeper));
	must_hold(!xensplit_keeper_set(keeper, "g5", list, 2));
	for (turn = 0; turn < TURNS_MOST; turn++) {
		uint64_t until = xensplit_keeper_get_timeout(keeper), now = now_us();

		if (until > now)
			sleep_until(until);
		r = xensplit_keeper_process(keeper);
		must_hold(!r);
		while (xensplit_keeper_next(keeper, &event) > 0)
			must_hold(!event->error || is_printable(event->error->message));
		if (xensplit_keeper_is_settled(keeper) > 0)
			break;
	}
	xensplit_keeper_free(keeper);
	must_change_only(run->before, &of_keeper, run->name);
}

/* --- */

static const struct {
	char letter;
	const char *name;
	void (*run)(struct run *run);
} operations[] = {
	{ 'l', "list", list },
	{ 's', "show", show },
	{ 'd', "doctor", doctor },
	{ 'm', "monitor", monitor },
	{ 'r', "repair", repair },
	{ 'f', "doctor --fix", fix },
	{ 'a', "adopt", adopt },
	{ 'e', "attach --replace", replace },
	{ 't', "detach", detach },
	{ 'T', "detach --force", detach_force },
	{ 'g', "reap", reap },
	{ 'p', "plan", plan },
	{ 'P', "plan of nothing", plan_none },
	{ 'k', "keeper", keep },
};

static void for_ever(void)
{
	must_hold(!"an operation waits for ever, or never ends");
}

static struct xensplit_ctx *make_ctx(void)
{
	XENSPLIT_OPTS(xensplit_opts, opts);
	struct xensplit_ctx *ctx;

	opts.logger = &printable_logger;
	must_hold(!xensplit_new(&opts, &ctx));
	return ctx;
}

static void make_bystander(struct xensplit_ctx *ctx)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	fake_set("/local/domain/7/name", "g7", 2);
	opts.domid = BYSTANDER;
	opts.type = device.type;
	must_hold(!xensplit_attach(ctx, &opts, 0, NULL));
	fake_set("/local/domain/7/device/mydevice/0/state", "4", 1);
	fake_set("/local/domain/0/backend/mydevice/7/0/state", "4", 1);
}

static void run_one(struct xensplit_ctx *ctx, char letter)
{
	struct snapshot before;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		struct run run = { ctx, &before, operations[i].name };

		if (operations[i].letter != letter)
			continue;
		before = snapshot_take();
		fake.requests = 0;
		operations[i].run(&run);
		snapshot_clear(&before);
	}
}

/* Letters of operations, and of how the store behaves. */
static void run_all(struct xensplit_ctx *ctx, const char *letters)
{
	size_t i;

	for (i = 0; i < 4 && letters[i]; i++)
		if (letters[i] == 'c')
			fake.backend_closes = true;
		else if (letters[i] >= '1' && letters[i] <= '9')
			fake.conflicts = (unsigned int)(letters[i] - '0');
		else
			run_one(ctx, letters[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { (const char *)data, (const char *)data + size };
	struct xensplit_ctx *ctx;
	char *letters = input_line(&input, NULL);

	if (!letters)
		return -1;
	fake_reset();
	ctx = make_ctx();
	make_bystander(ctx);
	fake_calm();
	fake.requests_most = REQUESTS_MOST;
	fake.idle = for_ever;
	tree_make(&input);
	run_all(ctx, letters);
	unit_ctx_free(ctx);
	free(letters);
	return 0;
}
