// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * First everything is written, then drivers are waited for: a device whose drivers are slow does
 * not delay another, and a paused guest can be unpaused in between.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "logger.h"
#include "many.h"
#include "text.h"

/* Jobs that run side by side. */
struct round {
	struct apply *apply;
	struct job **jobs;
};

static void print_attached(const struct apply *apply, const struct job *job)
{
	const struct applied *result = &job->result;
	char then[60];

	if (apply->tool->json || apply->tool->quiet)
		return;
	if (job->waits)
		snprintf(then, sizeof(then), ", connected %s",
			 took_text(apply->start_ms));
	else
		snprintf(then, sizeof(then), ", not waiting for the drivers");
	print_done(&result->id,
		   result->kind == XENSPLIT_ACTION_RENEW ? "renewed in" : "attached to",
		   result->domain, then);
}

static void print_detached(const struct apply *apply, const struct job *job)
{
	char then[40];

	if (apply->tool->json || apply->tool->quiet)
		return;
	snprintf(then, sizeof(then), " %s", took_text(apply->start_ms));
	print_done(&job->result.id, "detached from", job->result.domain, then);
}

static void note_failure(struct apply *apply, struct job *job, int err)
{
	const struct xensplit_error *error = xensplit_last_error(apply->tool->ctx);

	job->result.code = must(strdup(error ? error->code : "failed"));
	job->result.message = must(strdup(error ? error->message : strerror(-err)));
	apply_fail(apply, job->target, job->result.line, err, &job->result.id);
}

/* If only its domid was given. */
static void name_domain(struct job *job, const struct xensplit_device *device)
{
	if (!job->result.domain && device->domain)
		job->result.domain = must(strdup(device->domain));
}

/* --- writing --- */

static int begin_write(const struct many *many, size_t index, unsigned int timeout_ms,
		       struct xensplit_op **ret_op)
{
	const struct round *round = many->data;
	const struct job *job = round->jobs[index];
	int kind = job->result.kind;

	/* apply_wait() waits. To replace a device in use takes time before it is written. */
	if (kind == XENSPLIT_ACTION_ATTACH ||
	    (kind == XENSPLIT_ACTION_RENEW && (!job->waits || round->apply->is_paused)))
		timeout_ms = 0;
	return xensplit_plan_op(job->target->plan, job->index, timeout_ms, ret_op);
}

/* It will be started again, and the next operation does not know what this one changed. */
static void paused_write(const struct many *many, size_t index, struct xensplit_op *op)
{
	const struct round *round = many->data;

	round->jobs[index]->result.changed |= xensplit_op_get_changed(op);
}

/* Learns what only an operation knows, such as the id that was picked. */
static void see_device(struct job *job, struct xensplit_op *op)
{
	const struct xensplit_device *device;

	if (!op || xensplit_op_get_device(op, &device))
		return;
	job->result.id.devid = device->id.devid;
	job->result.backend_domid = device->backend_domid;
	name_domain(job, device);
}

static void ended_write(const struct many *many, size_t index, struct xensplit_op *op,
			int err)
{
	const struct round *round = many->data;
	struct apply *apply = round->apply;
	struct job *job = round->jobs[index];
	int detaches = job->result.kind == XENSPLIT_ACTION_DETACH;

	if (op)
		job->result.changed |= xensplit_op_get_changed(op);
	if (detaches && err == -ENOENT) /* another client was faster */
		return;
	if (err)
		note_failure(apply, job, err);
	see_device(job, op);
	if (err)
		return;
	if (detaches)
		print_detached(apply, job);
	else if (!job->waits)
		print_attached(apply, job);
}

static int must_be_written(const struct job *job)
{
	return job->result.kind != XENSPLIT_ACTION_KEEP &&
	       job->result.kind != XENSPLIT_ACTION_REFUSE;
}

static int is_fixed_attach(const struct job *job)
{
	const struct xensplit_action *action =
		xensplit_plan_get(job->target->plan, job->index);

	return action->kind == XENSPLIT_ACTION_ATTACH &&
	       action->id.devid != XENSPLIT_DEVID_AUTO;
}

static int is_other_write(const struct job *job)
{
	return must_be_written(job) && !is_fixed_attach(job);
}

/* --- waiting --- */

static int begin_wait(const struct many *many, size_t index, unsigned int timeout_ms,
		      struct xensplit_op **ret_op)
{
	const struct round *round = many->data;

	return xensplit_op_wait(many->tool->ctx, &round->jobs[index]->result.id,
				XENSPLIT_UNTIL_CONNECTED, timeout_ms, ret_op);
}

static void ended_wait(const struct many *many, size_t index, struct xensplit_op *op,
		       int err)
{
	const struct round *round = many->data;
	struct job *job = round->jobs[index];

	(void)op;
	if (err)
		note_failure(round->apply, job, err);
	else if (job->result.kind != XENSPLIT_ACTION_KEEP)
		print_attached(round->apply, job);
}

static int must_connect(const struct job *job)
{
	return job->waits && !job->result.code;
}

/* --- */

static void run_round(struct apply *apply, int (*selects)(const struct job *job),
		      struct many many)
{
	struct round round = { .apply = apply };
	int err;

	round.jobs = must(calloc(apply->job_count + 1, sizeof(struct job *)));
	for (size_t i = 0; i < apply->job_count; i++)
		if (selects(&apply->jobs[i]))
			round.jobs[many.count++] = &apply->jobs[i];
	many.tool = apply->tool;
	many.timeout_ms = time_left(apply->start_ms, apply->timeout_ms);
	many.data = &round;
	err = many_run(&many);
	if (err && !apply->status)
		apply->status = tool_fail(apply->tool, err, NULL);
	free(round.jobs);
}

void apply_write(struct apply *apply)
{
	const struct many many = { .doing = "writing",
				   .begin = begin_write,
				   .paused = paused_write,
				   .ended = ended_write };

	/* An automatic id must not be one that the file gives to another device. */
	run_round(apply, is_fixed_attach, many);
	run_round(apply, is_other_write, many);
}

void apply_wait(struct apply *apply)
{
	const struct many many = { .doing = "connecting",
				   .begin = begin_wait,
				   .ended = ended_wait };

	run_round(apply, must_connect, many);
}

/* --- the result --- */

static void see_state(struct job *job, const struct xensplit_device *device)
{
	name_domain(job, device);
	if (job->result.id.devid != device->id.devid ||
	    strcmp(job->result.id.type, device->id.type) != 0)
		return;
	job->result.frontend_state = device->frontend_state;
	job->result.backend_state = device->backend_state;
}

static void find_states(struct apply *apply, const struct target *target)
{
	const struct xensplit_device *device;
	struct xensplit_list *list = NULL;
	XENSPLIT_FILTER(filter);
	size_t i;
	int err;

	filter.domid = target->domid;
	err = xensplit_list_new(apply->tool->ctx, &filter, XENSPLIT_LIST_FOREIGN, &list);
	if (err) {
		apply_fail(apply, target, 0, err, NULL);
		return;
	}
	xensplit_list_foreach (list, i, device)
		for (size_t j = 0; j < apply->job_count; j++)
			if (apply->jobs[j].target == target)
				see_state(&apply->jobs[j], device);
	xensplit_list_free(list);
}

static void print_nothing_to_do(const struct apply *apply)
{
	size_t kept = 0, lists = 0;

	for (size_t i = 0; i < apply->job_count; i++) {
		if (apply->jobs[i].result.changed)
			return;
		kept += apply->jobs[i].result.kind == XENSPLIT_ACTION_KEEP;
	}
	for (size_t i = 0; i < apply->target_count; i++)
		lists += !!apply->targets[i].config->has_list;
	if (!lists) /* maybe the word is misspelt */
		print_note("nothing to do: no file has a list called xensplit");
	else
		print_note("nothing to do: %zu device%s as wanted", kept,
			   kept == 1 ? "" : "s");
}

void apply_report(struct apply *apply, int dry_run)
{
	const struct applied **results;

	if (!apply->tool->json && !dry_run) {
		if (!apply->status && !apply->tool->quiet)
			print_nothing_to_do(apply);
		return;
	}
	if (apply->tool->json)
		for (size_t i = 0; i < apply->target_count; i++)
			if (apply->targets[i].plan)
				find_states(apply, &apply->targets[i]);
	results = must(calloc(apply->job_count + 1, sizeof(*results)));
	for (size_t i = 0; i < apply->job_count; i++) {
		struct applied *result = &apply->jobs[i].result;

		if (dry_run)
			result->changed = must_be_written(&apply->jobs[i]);
		results[i] = result;
	}
	if (apply->tool->json)
		print_applied_json(results, apply->job_count);
	else
		print_planned(results, apply->job_count);
	free(results);
}
