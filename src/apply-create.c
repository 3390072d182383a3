// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * apply --create: xl creates the domain, paused; its devices are written; xl unpauses it. So the
 * guest finds them when it looks for the first time.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "logger.h"
#include "text.h"
#include "watchdog.h"
#include "xl.h"

static int __attribute__((format(printf, 4, 5)))
fail(struct apply *apply, int err, const char *code, const char *format, ...)
{
	const struct target *target = &apply->targets[0];
	struct xensplit_error error = { .err = err, .code = code };
	char *message;
	va_list args;

	va_start(args, format);
	error.message = message = vwords(format, args);
	va_end(args);
	apply_note(apply, target, target->config->name_line, &error, NULL);
	free(message);
	return apply->status;
}

/* "what to do" about a domain that has been created. */
static void say_paused(const struct target *target)
{
	char *domain = domain_words(target->domid, target->domain);
	char *path = escape(target->config->path, strlen(target->config->path));
	char *hint = words("%s stays paused. Then: xensplit apply %s --no-wait && "
			   "xl unpause %u, or: xl destroy %u",
			   domain, path, target->domid, target->domid);

	logger_hint("note", hint);
	free(hint);
	free(path);
	free(domain);
}

/* --- before --- */

static int check_name(struct apply *apply)
{
	struct target *target = &apply->targets[0];
	uint32_t domid;
	int err = xensplit_domain_find(apply->tool->ctx, target->domain, &domid);

	if (!err)
		return fail(apply, -EEXIST, "domain-exists",
			    "there is a domain of this name already: domain %u", domid);
	if (err != -ESRCH)
		apply_fail(apply, target, target->config->name_line, err, NULL);
	return apply->status;
}

/* A forgotten line is noticed before the guest runs without its devices. */
static int check_list(struct apply *apply)
{
	if (apply->targets[0].config->has_list)
		return EXIT_SUCCESS;
	return fail(apply, -EINVAL, "bad-config", "it has no list called xensplit");
}

/* A guest that could not get its devices would only stay paused. */
static int check_backends(struct apply *apply)
{
	const struct target *target = &apply->targets[0];
	struct xensplit_ctx *ctx = apply->tool->ctx;

	for (size_t i = 0; i < target->config->count; i++) {
		const struct xensplit_wanted *wanted = target->wanted[i];
		struct xensplit_id id = { 0, wanted->type, wanted->devid };
		uint32_t domid;
		int err;

		if (!wanted->backend)
			continue;
		err = xensplit_domain_find(ctx, wanted->backend, &domid);
		if (!err)
			err = xensplit_domain_check(ctx, domid);
		if (err)
			apply_fail(apply, target, target->config->entries[i].line, err,
				   &id);
	}
	return apply->status;
}

/* --- */

static int create(struct apply *apply)
{
	struct target *target = &apply->targets[0];
	char *const argv[] = { "xl", "create", "-p", target->config->path, NULL };
	const char *failed = xl_run(argv);
	int err = xensplit_domain_find(apply->tool->ctx, target->domain, &target->domid);

	if (failed)
		fail(apply, -EIO, "xl-failed", "xl create %s; no device was attached",
		     failed);
	else if (err)
		apply_fail(apply, target, target->config->name_line, err, NULL);
	target->is_there = !err;
	if (!failed && !err)
		return EXIT_SUCCESS;
	if (!err) /* xl removes what it could not finish, unless it was killed */
		say_paused(target);
	return apply->status;
}

static void print_created(const struct apply *apply)
{
	const struct target *target = &apply->targets[0];
	char *words = domain_words(target->domid, target->domain);

	if (!apply->tool->json && !apply->tool->quiet)
		print_note("%s created", words);
	free(words);
}

static int unpause(struct apply *apply)
{
	const struct target *target = &apply->targets[0];
	char domid[16];
	char *const argv[] = { "xl", "unpause", domid, NULL };
	const char *failed;

	snprintf(domid, sizeof(domid), "%u", target->domid);
	failed = xl_run(argv);
	if (!failed) {
		print_created(apply);
		return EXIT_SUCCESS;
	}
	fail(apply, -EIO, "xl-failed", "its devices are attached, but xl unpause %s",
	     failed);
	say_paused(target);
	return apply->status;
}

/* Until the guest runs, a signal takes effect only between two steps. */
static void stop_if_caught(struct apply *apply)
{
	if (!xl_caught())
		return;
	fail(apply, -ECANCELED, "caught-signal", "interrupted by signal %d", xl_caught());
	if (apply->targets[0].is_there)
		say_paused(&apply->targets[0]);
	xl_die();
}

static int build(struct apply *apply)
{
	int status;

	xl_catch_signals();
	status = create(apply);
	if (status)
		return status;
	apply->is_paused = 1;
	apply->start_ms = now_ms(); /* xl's time does not count */
	watchdog_deadline(apply->timeout_ms);
	status = apply_plan(apply);
	stop_if_caught(apply);
	if (!status)
		apply_write(apply);
	stop_if_caught(apply);
	status = status ? status : apply->status;
	if (status) {
		say_paused(&apply->targets[0]);
		return status;
	}
	return unpause(apply);
}

int apply_create(struct apply *apply)
{
	int status = check_list(apply);

	if (!status)
		status = check_name(apply);
	if (!status)
		status = check_backends(apply);
	if (!status)
		status = build(apply);
	if (status && xl_caught())
		xl_die();
	if (status)
		return status;
	xl_release_signals();
	apply_wait(apply);
	return apply->status;
}
