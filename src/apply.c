// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "logger.h"
#include "text.h"
#include "watchdog.h"

/* --- failures --- */

/* Of the messages from now on. */
static void set_domain(struct tool *tool, const struct target *target)
{
	free(tool->attempt.domain);
	tool->attempt.domain =
		target->domain ? escape(target->domain, strlen(target->domain)) : NULL;
	tool->attempt.domid = target->domid;
}

void apply_note(struct apply *apply, const struct target *target, unsigned int line,
		const struct xensplit_error *error, const struct xensplit_id *id)
{
	char *words = config_words(target->config->path, line, error->message);
	struct xensplit_error shown = *error;

	shown.message = words;
	set_domain(apply->tool, target);
	tool_report_error(apply->tool, &shown, id);
	if (!apply->status)
		apply->status = exit_status(error->err);
	free(words);
}

void apply_fail(struct apply *apply, const struct target *target, unsigned int line,
		int err, const struct xensplit_id *id)
{
	const struct xensplit_error *error = xensplit_last_error(apply->tool->ctx);
	const struct xensplit_error plain = { .err = err,
					      .code = "failed",
					      .message = strerror(-err) };

	apply_note(apply, target, line, error ? error : &plain, id);
}

/* --- files --- */

/* Before any domain is known. Returns: EXIT_USAGE. */
static int refuse(struct apply *apply, const char *message)
{
	const struct xensplit_error error = { .err = -EINVAL,
					      .code = "bad-config",
					      .message = message };

	tool_report_error(apply->tool, &error, NULL);
	return EXIT_USAGE;
}

static int refuse_file(struct apply *apply, const struct config *config,
		       unsigned int line, const char *text)
{
	char *words = config_words(config->path, line, text);
	int status = refuse(apply, words);

	free(words);
	return status;
}

/* Two lists for one domain would undo each other. */
static int refuse_twin(struct apply *apply, const struct target *target,
		       const struct target *twin)
{
	char *path = escape(twin->config->path, strlen(twin->config->path));
	char *words = config_words("the same domain as in", 0, path);
	int status = refuse_file(apply, target->config, target->config->name_line, words);

	free(words);
	free(path);
	return status;
}

static const struct target *find_twin(const struct apply *apply,
				      const struct target *target)
{
	for (const struct target *t = apply->targets; t < target; t++)
		if (t->is_there ? target->is_there && t->domid == target->domid
				: t->domain && !strcmp(t->domain, target->domain))
			return t;
	return NULL;
}

static int read_file(struct apply *apply, const char *path)
{
	struct target *target = &apply->targets[apply->target_count];
	const struct target *twin;
	char *error;
	int status = config_read(path, &target->config, &error);

	if (status) {
		refuse(apply, error);
		free(error);
		return status;
	}
	apply->target_count++;
	target->wanted = config_wanted(target->config);
	target->domain = apply->domain ? apply->domain : target->config->name;
	if (!target->domain)
		return refuse_file(apply, target->config, 0,
				   "it has no name of a domain");
	twin = find_twin(apply, target);
	return twin ? refuse_twin(apply, target, twin) : EXIT_SUCCESS;
}

int apply_read(struct apply *apply, int count, char **paths)
{
	int status = EXIT_SUCCESS;

	watchdog_idle(); /* a slow disk is no silent xenstored */
	apply->targets = must(calloc((size_t)count, sizeof(*apply->targets)));
	for (int i = 0; i < count; i++)
		if (read_file(apply, paths[i]))
			status = EXIT_USAGE;
	watchdog_request();
	return status;
}

/* --- entries --- */

/*
 * What the library refuses whatever the domain is, and whether it is there: an operation checks
 * its options before anything else.
 */
static int check_entry(struct tool *tool, const struct xensplit_wanted *wanted)
{
	struct xensplit_attach_opts opts = {
		.sz = sizeof(opts),
		.domid = 1,
		.type = wanted->type,
		.devid = wanted->devid,
		.backend_type = wanted->backend_type,
		.flags = wanted->flags & XENSPLIT_WANTED_RESERVED
				 ? XENSPLIT_ATTACH_RESERVED
				 : 0,
		.front = wanted->front,
		.front_count = wanted->front_count,
		.back = wanted->back,
		.back_count = wanted->back_count,
	};
	struct xensplit_op *op = NULL;
	int err = xensplit_op_attach(tool->ctx, &opts, 0, &op);

	xensplit_op_free(op);
	return err;
}

static void check_target(struct apply *apply, const struct target *target)
{
	const struct xensplit_wanted *wanted;
	int err;

	for (size_t i = 0; i < target->config->count; i++) {
		wanted = target->wanted[i];
		err = check_entry(apply->tool, wanted);
		if (err) {
			struct xensplit_id id = { target->domid, wanted->type,
						  wanted->devid };

			apply_fail(apply, target, target->config->entries[i].line, err,
				   &id);
		}
	}
}

int apply_check(struct apply *apply)
{
	int status = tool_open(apply->tool);

	if (status)
		return status;
	for (size_t i = 0; i < apply->target_count; i++)
		check_target(apply, &apply->targets[i]);
	return apply->status;
}

/* --- plans --- */

static int find_domain(struct apply *apply, struct target *target)
{
	struct tool *tool = apply->tool;
	const struct target *twin;
	int err = xensplit_domain_find(tool->ctx, target->domain, &target->domid);

	if (err) {
		apply_fail(apply, target, target->config->name_line, err, NULL);
		return EXIT_SUCCESS;
	}
	target->is_there = 1;
	twin = find_twin(apply, target);
	return twin ? refuse_twin(apply, target, twin) : EXIT_SUCCESS;
}

static void add_job(struct apply *apply, const struct target *target, size_t index,
		    const struct xensplit_action *action)
{
	const struct config_entry *entry =
		action->entry >= 0 ? &target->config->entries[action->entry] : NULL;
	struct job *job;

	apply->jobs = must(
		reallocarray(apply->jobs, apply->job_count + 1, sizeof(*apply->jobs)));
	job = &apply->jobs[apply->job_count++];
	*job = (struct job){ .target = target, .index = index };
	job->waits = !apply->no_wait && entry &&
		     !(entry->wanted.flags & XENSPLIT_WANTED_NO_WAIT);
	job->result = (struct applied){ .id = action->id,
					.backend_domid = action->backend_domid,
					.kind = action->kind,
					.reason = action->message,
					.frontend_state = XENSPLIT_STATE_ABSENT,
					.backend_state = XENSPLIT_STATE_ABSENT,
					.file = target->config->path,
					.line = entry ? entry->line : 0 };
	if (!is_number(target->domain))
		job->result.domain = must(strdup(target->domain));
}

static void plan_target(struct apply *apply, struct target *target)
{
	uint32_t flags = apply->plan_flags;
	const struct xensplit_action *action;
	int err;

	/* A file that says nothing about devices is no reason to detach any. */
	if (!target->config->has_list)
		return;
	err = xensplit_plan_new(apply->tool->ctx, target->domid, target->wanted,
				target->config->count, flags, &target->plan);
	if (err) {
		apply_fail(apply, target, target->config->name_line, err, NULL);
		return;
	}
	for (size_t i = 0; (action = xensplit_plan_get(target->plan, i)); i++)
		add_job(apply, target, i, action);
}

/* Says what can't be done. Returns: EXIT_USAGE if an entry is wrong. */
static int note_refusals(struct apply *apply)
{
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < apply->job_count; i++) {
		struct job *job = &apply->jobs[i];
		const struct xensplit_action *action =
			xensplit_plan_get(job->target->plan, job->index);
		const struct xensplit_error error = { .err = action->result,
						      .code = action->code,
						      .message = action->message };

		if (action->kind != XENSPLIT_ACTION_REFUSE)
			continue;
		job->result.code = must(strdup(error.code));
		job->result.message = must(strdup(error.message));
		job->result.reason = NULL;
		apply_note(apply, job->target, job->result.line, &error, &action->id);
		if (action->result == -EINVAL)
			status = EXIT_USAGE;
	}
	return status;
}

int apply_plan(struct apply *apply)
{
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < apply->target_count; i++)
		if (find_domain(apply, &apply->targets[i]))
			status = EXIT_USAGE;
	if (status)
		return status;
	for (size_t i = 0; i < apply->target_count; i++)
		if (apply->targets[i].is_there)
			plan_target(apply, &apply->targets[i]);
	return note_refusals(apply);
}

void apply_free(struct apply *apply)
{
	for (size_t i = 0; i < apply->job_count; i++) {
		free(apply->jobs[i].result.domain);
		free(apply->jobs[i].result.code);
		free(apply->jobs[i].result.message);
	}
	free(apply->jobs);
	for (size_t i = 0; i < apply->target_count; i++) {
		xensplit_plan_free(apply->targets[i].plan);
		free(apply->targets[i].wanted);
		config_free(apply->targets[i].config);
	}
	free(apply->targets);
}
