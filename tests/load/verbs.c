// SPDX-License-Identifier: GPL-2.0-or-later
/* The operations, with the library. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

static struct xensplit_id id_of(const struct op *op)
{
	return (struct xensplit_id){ op->target->domid, op->target->type,
				     op->target->devid };
}

static int attach(struct op *op, uint32_t flags)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_pair pair = { "mode", op->mode };

	opts.domid = op->target->domid;
	opts.type = op->target->type;
	opts.devid = op->target->devid;
	opts.backend_domid = op->backend;
	opts.flags = flags;
	opts.front = opts.back = &pair;
	opts.front_count = opts.back_count = 1;
	return xensplit_attach(op->ctx, &opts, op->timeout_ms, NULL);
}

static int plain(struct op *op)
{
	return attach(op, 0);
}

static int ensure(struct op *op)
{
	return attach(op, XENSPLIT_ATTACH_ENSURE);
}

static int replace(struct op *op)
{
	return attach(op, XENSPLIT_ATTACH_REPLACE);
}

static int detach(struct op *op)
{
	const struct xensplit_id id = id_of(op);

	return xensplit_detach(op->ctx, &id, 0, op->timeout_ms);
}

static int force(struct op *op)
{
	const struct xensplit_id id = id_of(op);

	return xensplit_detach(op->ctx, &id, XENSPLIT_DETACH_FORCE, op->timeout_ms);
}

static int wait_connected(struct op *op)
{
	const struct xensplit_id id = id_of(op);

	return xensplit_wait(op->ctx, &id, XENSPLIT_UNTIL_CONNECTED, op->timeout_ms);
}

static int wait_gone(struct op *op)
{
	const struct xensplit_id id = id_of(op);

	return xensplit_wait(op->ctx, &id, XENSPLIT_UNTIL_GONE, op->timeout_ms);
}

static int list(struct op *op)
{
	struct xensplit_list *list;
	int r = xensplit_list_new(op->ctx, NULL, 0, &list);

	if (!r)
		xensplit_list_free(list);
	return r;
}

static int show(struct op *op)
{
	const struct xensplit_id id = id_of(op);
	struct xensplit_nodes *nodes;
	int r = xensplit_nodes_new(op->ctx, &id, &nodes);

	if (!r)
		xensplit_nodes_free(nodes);
	return r;
}

static int diagnose(struct op *op)
{
	struct xensplit_findings *findings;
	int r = xensplit_diagnose(op->ctx, NULL, &findings);
	const struct xensplit_finding *finding;
	size_t i;

	if (r)
		return r;
	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++)
		if (finding->severity != XENSPLIT_SEVERITY_NOTE) {
			r = -EIO; /* as the tool's status 1 */
			op_say(op, finding->code);
		}
	xensplit_findings_free(findings);
	return r;
}

static int repair(struct op *op)
{
	const struct xensplit_id id = id_of(op);

	return xensplit_repair(op->ctx, &id, op->timeout_ms);
}

static int adopt(struct op *op)
{
	XENSPLIT_OPTS(xensplit_adopt_opts, opts);
	struct xensplit_batch *batch;
	int r = xensplit_batch_new(op->ctx, &batch);

	if (r)
		return r;
	opts.domid = op->target->domid;
	opts.backend_domid = XENSPLIT_ANY;
	opts.type = op->target->type;
	opts.devid = op->target->devid;
	r = xensplit_batch_adopt(batch, &opts);
	if (r >= 0)
		r = xensplit_batch_commit(batch);
	xensplit_batch_free(batch);
	return r;
}

static int reap(struct op *op)
{
	const struct xensplit_reaped *reaped;
	struct xensplit_reap *reap;
	int r = xensplit_reap_new(op->ctx, NULL, 0, &reap);
	size_t i;

	if (r)
		return r;
	for (i = 0; (reaped = xensplit_reap_get(reap, i)); i++)
		if (reaped->result) {
			r = -EIO; /* as the tool's status 1 */
			op_say(op, reaped->message);
		}
	xensplit_reap_free(reap);
	return r;
}

/* --- three devices in one commit --- */

#define PACK 3

static int pack_step(struct op *op, struct xensplit_batch *batch, uint32_t devid,
		     bool attach)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_pair pair = { "mode", op->mode };
	const struct xensplit_id id = { op->domid, "pack", devid };

	opts.domid = op->domid;
	opts.type = "pack";
	opts.devid = devid;
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	opts.front = opts.back = &pair;
	opts.front_count = opts.back_count = 1;
	return attach ? xensplit_batch_attach(batch, &opts)
		      : xensplit_batch_remove(batch, &id, 0);
}

/* All or none of them are there, and of one attach, at any moment. */
static int check_pack(struct op *op)
{
	struct target pack[PACK];
	struct view views[PACK];
	const char *wrong;
	uint32_t i;

	for (i = 0; i < PACK; i++)
		pack[i] = (struct target){ op->domid, "pack", i };
	wrong = look(op->xs, pack, PACK, views);
	for (i = 1; !wrong && i < PACK; i++)
		if (views[i].is != views[0].is ||
		    strcmp(views[i].mode, views[0].mode) != 0)
			wrong = "half of a commit";
	if (!wrong)
		return 0;
	op_say(op, wrong);
	return -EIO;
}

static int batch(struct op *op)
{
	struct xensplit_batch *batch;
	int r = xensplit_batch_new(op->ctx, &batch);
	uint32_t i;

	for (i = 0; r >= 0 && i < PACK; i++)
		r = pack_step(op, batch, i, op->backend == 0);
	if (r >= 0)
		r = xensplit_batch_commit(batch);
	xensplit_batch_free(batch);
	return check_pack(op) ? -EIO : r;
}

/* --- ids that the library picks --- */

#define AUTO_MOST 4

static struct target autos[AUTO_MOST];
static size_t auto_count;

static int drop_auto(struct op *op)
{
	const struct target *last = &autos[--auto_count];
	const struct xensplit_id id = { last->domid, last->type, last->devid };

	return xensplit_detach(op->ctx, &id, 0, op->timeout_ms);
}

/* Nobody else uses such a device, so that it must be there until this process detaches it. */
static int any_id(struct op *op)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct target *target = &autos[auto_count];
	struct xensplit_pair pair = { "mode", op->mode };
	struct view view;
	const char *wrong;
	int r;

	if (auto_count == AUTO_MOST)
		return drop_auto(op);
	opts.domid = op->domid;
	opts.type = "any";
	opts.devid = XENSPLIT_DEVID_AUTO;
	opts.front = opts.back = &pair;
	opts.front_count = opts.back_count = 1;
	*target = (struct target){ op->domid, "any", 0 };
	r = xensplit_attach(op->ctx, &opts, 0, &target->devid);
	if (r)
		return r;
	auto_count++;
	wrong = look(op->xs, target, 1, &view);
	if (!wrong && (view.is != WHOLE || strcmp(view.mode, op->mode) != 0))
		wrong = "it is not what was attached";
	if (wrong)
		op_say(op, wrong);
	return wrong ? -EIO : 0;
}

/* --- the world --- */

/* The guest's drivers end with it. */
static int rebirth(struct op *op)
{
	char command[1024];

	snprintf(
		command, sizeof(command),
		"exec >/dev/null 2>&1; \"$SANDBOX\" kill %d %s && \"$SANDBOX\" create %d "
		"--name g%d --uuid 00000000-0000-4000-8000-00000000000%d && "
		"{ \"$SANDBOX\" drive front %d mydevice & }",
		MORTAL, op->backend ? "--crash" : "", MORTAL, MORTAL, MORTAL, MORTAL);
	return system(command) ? -EIO : 0;
}

const struct verb verbs[] = {
	{ "attach", 180, ONE, plain, "attach %D %T -b %B -F mode=%M -B mode=%M %W",
	  attached },
	{ "ensure", 80, ONE, ensure,
	  "attach %D %T -b %B -F mode=%M -B mode=%M %W --ensure", ensured },
	{ "replace", 50, ONE, replace,
	  "attach %D %T -b %B -F mode=%M -B mode=%M %W --replace", replaced },
	{ "detach", 180, ONE, detach, "detach %D %T -t %S", detached },
	{ "force", 50, ONE, force, "detach %D %T --force -t %S", detached },
	{ "wait", 80, ONE, wait_connected, "wait %D %T -t %S", waited },
	{ "gone", 20, ONE, wait_gone, "wait %D %T --until gone -t %S", gone },
	{ "show", 50, ONE, show, "show %D %T", shown },
	{ "fix", 40, ONE, repair, "doctor %D %T --fix -t %S", repaired },
	{ "adopt", 25, ONE, adopt, "adopt %D %T", adopted },
	{ "list", 60, OTHER, list, "list", NULL },
	{ "list-all", 10, OTHER, NULL, "list --all --json", NULL },
	{ "doctor", 20, OTHER, diagnose, "doctor", NULL },
	{ "watch", 10, OTHER, NULL, "watch --num-events 2 --idle-timeout 0.2", NULL },
	{ "detach-all", 3, DOMAIN, NULL, "detach 7 --all -t %S", NULL },
	{ "apply", 15, DOMAIN, NULL, "apply %C --replace --prune %W", NULL },
	{ "batch", 40, OTHER, batch, NULL, NULL },
	{ "auto", 40, OTHER, any_id, NULL, NULL },
	{ "reap", 30, OTHER, reap, "reap", reaped },
	{ "rebirth", 3, OTHER, rebirth, NULL, NULL },
};
const size_t verb_count = ARRAY_SIZE(verbs);
