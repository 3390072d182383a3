// SPDX-License-Identifier: LGPL-2.1-or-later
/* Operations: several commits and waits, split into steps that never block. */
#include <poll.h>

#include "operation.h"

int op_new(struct xensplit_ctx *ctx, unsigned int timeout_ms, struct xensplit_op **ret_op)
{
	struct xensplit_op *op = calloc(1, sizeof(*op));

	if (!op)
		return fail(ctx, -ENOMEM, "out of memory");
	op->ctx = ctx;
	op->timeout_ms = timeout_ms;
	op->begun_us = now_us();
	op->deadline_us = op->begun_us + 1000ull * timeout_ms;
	*ret_op = op;
	return 0;
}

int op_new_on(struct xensplit_ctx *ctx, const struct xensplit_id *id,
	      unsigned int timeout_ms, op_step *step, struct xensplit_op **ret_op)
{
	struct xensplit_op *op;
	int r = op_new(ctx, timeout_ms, &op);

	if (r)
		return r;
	op->step = step;
	op->waits = true;
	r = id_set(ctx, &op->spec.id, id->domid, id->type, id->devid);
	if (!r)
		r = hub_open(ctx);
	if (r) {
		xensplit_op_free(op);
		return r;
	}
	*ret_op = op;
	return 0;
}

int op_run_and_free(struct xensplit_op *op)
{
	int r = xensplit_op_run(op);

	xensplit_op_free(op);
	return r;
}

XENSPLIT_API struct xensplit_op *xensplit_op_free(struct xensplit_op *op)
{
	if (!op)
		return NULL;
	xensplit_op_free(op->child);
	wait_end(op->ctx, &op->wait);
	hub_unwatch(op->ctx, &op->domain.watch);
	free(op->domain.text);
	step_clear(&op->spec);
	free(op->failure);
	free(op);
	return NULL;
}

int op_next(struct xensplit_op *op, op_step *step)
{
	op->step = step;
	op->wake_us = 0;
	return OP_AGAIN;
}

int op_sleep(struct xensplit_op *op, uint64_t until_us, op_step *step)
{
	op->step = step;
	op->wake_us = until_us;
	return OP_WAIT;
}

int op_commit(struct xensplit_op *op, store_fn *fn, void *data)
{
	struct txn txn = TXN_NONE(op->ctx);
	int r;

	txn.part = op->part;
	r = store_try(&txn, fn, data);

	if (r == -EAGAIN && ++op->tries < STORE_TRIES)
		return op_sleep(op, now_us() + store_pause_us(op->tries), op->step);
	op->tries = 0;
	op->changed |= !r && txn.wrote;
	return r == -EAGAIN ? store_gave_up(op->ctx) : r;
}

/*
 * An end that keeps writing to its half can make every commit collide. Removals
 * that are single requests can't collide, and can't make anything. The record is
 * still removed by a commit, which looks again: another client may have removed
 * this device, and attached one of the same name.
 */
int op_remove(struct xensplit_op *op, store_fn *fn, void *data)
{
	struct txn plain = TXN_NONE(op->ctx);
	int r = op_commit(op, fn, data);

	if (r == -EBUSY && op->part == TXN_WHOLE) {
		plain.part = TXN_HALVES;
		r = fn(&plain, data);
		op->changed |= plain.wrote;
		op->part = TXN_RECORD;
		if (!r)
			r = op_commit(op, fn, data);
	}
	if (r != OP_WAIT)
		op->part = TXN_WHOLE;
	return r;
}

bool op_keep_failure(struct xensplit_op *op)
{
	if (!op->failure)
		op->failure = malloc(sizeof(*op->failure));
	if (op->failure)
		failure_copy(op->failure, &op->ctx->failure);
	return op->failure;
}

void op_restore_failure(struct xensplit_op *op)
{
	if (op->failure)
		failure_copy(&op->ctx->failure, op->failure);
}

XENSPLIT_API int xensplit_op_get_changed(const struct xensplit_op *op)
{
	if (!op)
		return -EINVAL;
	return op->changed || (op->child && xensplit_op_get_changed(op->child));
}

/* Saves the failure, for further calls of process. */
static int finish(struct xensplit_op *op, int r)
{
	op->finished = true;
	op->result = ctx_end(op->ctx, r);
	if (r && !op_keep_failure(op))
		log_debug(op->ctx, "out of memory: the text of a failure is lost");
	op->changed = xensplit_op_get_changed(op);
	op->child = xensplit_op_free(op->child);
	wait_end(op->ctx, &op->wait);
	hub_unwatch(op->ctx, &op->domain.watch);
	return r;
}

static int give_up(struct xensplit_op *op)
{
	op->cancelled = false;
	failure_set(op->ctx, -ECANCELED, NULL, "cancelled");
	return op->give_up ? op_next(op, op->give_up) : -ECANCELED;
}

int op_advance(struct xensplit_op *op)
{
	int r = op->cancelled ? give_up(op) : OP_AGAIN;

	if (r == OP_AGAIN && op->wake_us && now_us() < op->wake_us)
		return OP_WAIT;
	while (r == OP_AGAIN) {
		op->wake_us = 0;
		r = op->step(op);
	}
	return r == OP_WAIT ? ctx_end(op->ctx, r) : finish(op, r);
}

XENSPLIT_API int xensplit_op_process(struct xensplit_op *op)
{
	int r;

	if (!op)
		return -EINVAL;
	ctx_begin(op->ctx);
	if (op->finished) {
		op_restore_failure(op);
		return op->result;
	}
	r = op->ctx->hub ? hub_drain(op->ctx) : 0;
	return r ? finish(op, r) : op_advance(op);
}

XENSPLIT_API void xensplit_op_cancel(struct xensplit_op *op)
{
	if (op && !op->finished)
		op->cancelled = true;
}

XENSPLIT_API int xensplit_op_get_fd(const struct xensplit_op *op)
{
	if (!op)
		return -EINVAL;
	return op->waits ? hub_fd(op->ctx) : -1;
}

XENSPLIT_API int xensplit_op_get_events(const struct xensplit_op *op)
{
	return op ? POLLIN : -EINVAL;
}

static uint64_t next_wake(const struct xensplit_op *op)
{
	if (op->finished || op->cancelled)
		return 0;
	if (op->child)
		return next_wake(op->child);
	if (op->wake_us)
		return op->wake_us;
	if (op->domain.text)
		return op->domain.watch.fired ? 0 : op->domain.look_us;
	return op->wait.begun ? wait_timeout(&op->wait) : 0;
}

XENSPLIT_API uint64_t xensplit_op_get_timeout(const struct xensplit_op *op)
{
	uint64_t wake = op ? next_wake(op) : 0;

	if (op && op->ctx->hub && hub_timeout(op->ctx) < wake)
		wake = hub_timeout(op->ctx);
	return wake;
}

/* --- the device --- */

static const struct xensplit_op *innermost(const struct xensplit_op *op)
{
	while (op->child)
		op = op->child;
	return op;
}

static void device_fill(struct xensplit_op *op)
{
	struct xensplit_device *device = &op->device;
	const struct device_id *id = &op->spec.id;
	struct txn txn = TXN_NONE(op->ctx);

	/* One request, unless the transaction has read it already. */
	if (!op->spec.domain)
		op->spec.domain = domain_name(&txn, id->domid);
	path_frontend(op->frontend, id, NULL);
	path_backend(op->backend, id, op->spec.backend_domid, NULL);
	device->id.domid = id->domid;
	device->id.type = id->type;
	device->id.devid = id->devid;
	device->domain = op->spec.domain;
	device->backend_domid = op->spec.backend_domid;
	device->frontend = op->frontend;
	device->backend = op->backend;
	device->frontend_state = op->states[0];
	device->backend_state = op->states[1];
	device->online = !state_is_closing(op->states[1]);
	device->origin = XENSPLIT_ORIGIN_XENSPLIT;
	device->unique_id = op->spec.unique_id;
	device->backend_type = id_backend_type(id);
	device->reserved = type_is_reserved(id->type) ||
			   type_is_reserved(device->backend_type);
	device->created = op->spec.created;
	device->listed = *op->spec.is_listed ? op->spec.is_listed : NULL;
	device->front = op->spec.front.list;
	device->front_count = op->spec.front.count;
	device->back = op->spec.back.list;
	device->back_count = op->spec.back.count;
}

XENSPLIT_API int xensplit_op_get_device(struct xensplit_op *op,
					const struct xensplit_device **ret_device)
{
	if (!op || !ret_device)
		return -EINVAL;
	if (!op->known)
		return -ENODATA;
	device_fill(op);
	*ret_device = &op->device;
	return 0;
}

/* --- the blocking calls --- */

#define DOING_SIZE (ID_TEXT_SIZE + 160)

struct progress {
	char doing[DOING_SIZE]; /* what was reported last */
	bool named;		/* the name of the domain was asked for */
};

/* "guest5 mydevice/0: Initialising/InitWait" */
static void describe(struct xensplit_op *op, const struct wait *wait,
		     struct progress *progress, char *buf, size_t size)
{
	struct txn txn = TXN_NONE(op->ctx);
	char domain[64];

	/* One request, which the device's description then saves. */
	if (!op->spec.domain && !progress->named)
		op->spec.domain = domain_name(&txn, wait->id.domid);
	progress->named = true;
	if (op->spec.domain)
		escape(domain, sizeof(domain), op->spec.domain, strlen(op->spec.domain));
	else
		snprintf(domain, sizeof(domain), "domain %" PRIu32, wait->id.domid);
	snprintf(buf, size, "%s %s/%" PRIu32 ": %s/%s", domain, wait->id.type,
		 wait->id.devid, xensplit_state_name(wait->states[0]),
		 xensplit_state_name(wait->states[1]));
}

static void describe_domain(const struct xensplit_op *op, char *buf, size_t size)
{
	const char *text = op->domain.text;
	char shown[64];

	snprintf(buf, size, "waiting for domain %s",
		 escape(shown, sizeof(shown), text, strlen(text)));
}

static void report_time(const struct xensplit_op *op, struct progress *progress,
			const char *doing, uint64_t begun_us, uint64_t deadline_us)
{
	unsigned long total = (unsigned long)((deadline_us - begun_us) / 1000);
	unsigned long done = (unsigned long)((now_us() - begun_us) / 1000);

	/* Loggers expect a 0 with each new text (xentoollog.h). */
	if (strcmp(doing, progress->doing) != 0)
		log_progress(op->ctx, doing, 0, total);
	snprintf(progress->doing, sizeof(progress->doing), "%s", doing);
	log_progress(op->ctx, doing, done < total ? done : total, total);
}

static void report_progress(struct xensplit_op *op, struct progress *progress)
{
	char doing[DOING_SIZE], text[ID_TEXT_SIZE];
	const struct xensplit_op *inner = innermost(op);
	const struct wait *wait = &inner->wait;

	if (op->domain.text) {
		describe_domain(op, doing, sizeof(doing));
		report_time(op, progress, doing, op->begun_us, op->deadline_us);
	} else if (wait->begun && wait->looked && wait->deadline_us > wait->begun_us) {
		describe(op, wait, progress, doing, sizeof(doing));
		report_time(op, progress, doing, wait->begun_us, wait->deadline_us);
	} else {
		/* A sign of life for the logger. */
		log_progress(op->ctx, id_text(&op->spec.id, text, sizeof(text)), 0, 0);
	}
}

static int poll_once(const struct xensplit_op *op)
{
	struct pollfd fd = { .fd = xensplit_op_get_fd(op),
			     .events = (short)xensplit_op_get_events(op) };
	uint64_t until = xensplit_op_get_timeout(op), now = now_us();

	if (fd.fd < 0) {
		sleep_until(until);
		return 0;
	}
	/* Round up, to avoid spinning for the last millisecond. */
	if (poll(&fd, 1, until > now ? (int)((until - now + 999) / 1000) : 0) < 0 &&
	    errno != EINTR)
		return fail(op->ctx, -errno, "poll: %s", strerror(errno));
	return 0;
}

XENSPLIT_API int xensplit_op_run(struct xensplit_op *op)
{
	struct progress progress = { .doing = "" };
	int r;

	if (!op)
		return -EINVAL;
	for (;;) {
		r = xensplit_op_process(op);
		if (r != OP_WAIT)
			break;
		report_progress(op, &progress);
		r = poll_once(op);
		if (r)
			break;
	}
	return r;
}
