// SPDX-License-Identifier: LGPL-2.1-or-later
/* Waiting for a domain that is not there yet, as an operation. */
#include "operation.h"

/* Xenstored announces a domain, but not that one gets its name, or another one. */
#define LOOK_AGAIN_US 1000000

static int look(struct xensplit_op *op)
{
	struct awaited *domain = &op->domain;
	struct txn txn = TXN_NONE(op->ctx);
	uint32_t domid = 0;
	int r = domain_parse(op->ctx, domain->text, &domid);

	domain->watch.fired = false;
	if (r >= 0)
		r = r ? domain_named(&txn, domain->text, &domid)
		      : domain_check(&txn, domid);
	if (!r) {
		domain->domid = domid;
		domain->found = true;
	}
	return r;
}

/* Keeps the reason why it does not count: it may be dying, or be in creation. */
static int deadline_passed(struct xensplit_op *op)
{
	return fail_as(op->ctx, -ETIMEDOUT, "domain-not-there", "%s, after %.1f s",
		       op->ctx->failure.text, (double)(now_us() - op->begun_us) / 1e6);
}

static int look_step(struct xensplit_op *op)
{
	struct awaited *domain = &op->domain;
	uint64_t now = now_us();
	int r;

	if (!domain->watch.fired && now < domain->look_us)
		return OP_WAIT;
	r = look(op);
	if (r != -ESRCH)
		return r;
	if (now >= op->deadline_us)
		return deadline_passed(op);
	domain->look_us = now + LOOK_AGAIN_US;
	if (domain->look_us > op->deadline_us)
		domain->look_us = op->deadline_us;
	return OP_WAIT;
}

/* Most often it is there already, and needs no watch. */
static int start(struct xensplit_op *op)
{
	int r = look(op);
	char shown[128];

	if (r != -ESRCH)
		return r;
	if (now_us() >= op->deadline_us)
		return deadline_passed(op);
	log_verbose(op->ctx, "waiting for domain %s, up to %.1f s",
		    escape(shown, sizeof(shown), op->domain.text,
			   strlen(op->domain.text)),
		    op->timeout_ms / 1e3);
	/* It fires at once: then look again, for one that has come meanwhile. */
	r = hub_watch(op->ctx, &op->domain.watch, "@introduceDomain");
	op->domain.look_us = now_us() + LOOK_AGAIN_US;
	return r ? r : op_next(op, look_step);
}

XENSPLIT_API int xensplit_op_domain(struct xensplit_ctx *ctx, const char *text,
				    unsigned int timeout_ms, struct xensplit_op **ret_op)
{
	struct xensplit_op *op;
	uint32_t domid;
	int r;

	if (!ctx || !text || !ret_op)
		return -EINVAL;
	ctx_begin(ctx);
	r = domain_parse(ctx, text, &domid);
	if (r >= 0)
		r = op_new(ctx, timeout_ms, &op);
	if (r)
		return r;
	op->step = start;
	op->waits = true;
	op->domain.text = strdup(text);
	r = op->domain.text ? hub_open(ctx) : fail(ctx, -ENOMEM, "out of memory");
	if (r) {
		xensplit_op_free(op);
		return r;
	}
	*ret_op = op;
	return 0;
}

XENSPLIT_API int xensplit_op_get_domid(const struct xensplit_op *op, uint32_t *ret_domid)
{
	if (!op || !ret_domid)
		return -EINVAL;
	if (!op->domain.found)
		return -ENODATA;
	*ret_domid = op->domain.domid;
	return 0;
}

XENSPLIT_API int xensplit_domain_wait(struct xensplit_ctx *ctx, const char *text,
				      unsigned int timeout_ms, uint32_t *ret_domid)
{
	struct xensplit_op *op;
	int r;

	if (!ret_domid)
		return -EINVAL;
	r = xensplit_op_domain(ctx, text, timeout_ms, &op);
	if (r)
		return r;
	r = xensplit_op_run(op);
	if (!r)
		r = xensplit_op_get_domid(op, ret_domid);
	xensplit_op_free(op);
	return r;
}
