// SPDX-License-Identifier: LGPL-2.1-or-later
/* One entry of a list of wanted devices: what it says, and whether that can be done. */
#include "array.h"
#include "plan.h"

/* --- the backend's domain --- */

static int by_name(struct planning *p, const char *text, uint32_t *ret_domid)
{
	int r = domain_parse(p->txn->ctx, text, ret_domid);

	/* Such an entry stays wrong, whichever domains there are. */
	if (r < 0)
		return -EINVAL;
	if (!r)
		return 0;
	r = p->resolve(p->txn->ctx, text, p->resolve_data, ret_domid);
	/* That of no domain, or of several: both may change. */
	if (r == -EINVAL &&
	    strcmp(p->txn->ctx->failure.error.code, "invalid-argument") != 0)
		return -ESRCH;
	return r;
}

static int find_backend(struct planning *p, struct backend *backend)
{
	struct xensplit_ctx *ctx = p->txn->ctx;
	int r = backend->text ? by_name(p, backend->text, &backend->domid) : 0;

	if (!r)
		r = domain_check(p->txn, backend->domid);
	if (!r || (r != -ESRCH && r != -EINVAL))
		return r;
	backend->result = r;
	backend->code = ctx->failure.error.code;
	backend->message = strdup(ctx->failure.text);
	return backend->message ? 0 : fail(ctx, -ENOMEM, "out of memory");
}

static void backend_free(struct backend *backend)
{
	free(backend->text);
	free(backend->message);
	free(backend);
}

static bool is_same(const struct backend *backend, const char *text)
{
	if (!text || !backend->text)
		return text == backend->text;
	return !strcmp(backend->text, text);
}

static int add_backend(struct planning *p, const char *text)
{
	struct backend **more = array_grow(p->backends, p->backend_count,
					   &p->backend_room, sizeof(*more));
	struct backend *backend = calloc(1, sizeof(*backend));
	int r = 0;

	if (more)
		p->backends = more;
	if (backend && text)
		backend->text = strdup(text);
	if (!more || !backend || (text && !backend->text))
		r = fail(p->txn->ctx, -ENOMEM, "out of memory");
	if (!r)
		r = find_backend(p, backend);
	if (!r)
		p->backends[p->backend_count++] = backend;
	else if (backend)
		backend_free(backend);
	return r;
}

/* Each is looked for once. */
static int get_backend(struct planning *p, const char *text,
		       const struct backend **ret_backend)
{
	size_t i;
	int r = 0;

	for (i = 0; i < p->backend_count && !is_same(p->backends[i], text); i++)
		;
	if (i == p->backend_count)
		r = add_backend(p, text);
	if (!r)
		*ret_backend = p->backends[i];
	return r;
}

void plan_forget_backends(struct planning *p)
{
	while (p->backend_count)
		backend_free(p->backends[--p->backend_count]);
	free(p->backends);
}

/* --- the entry --- */

static int to_step(struct planning *p, struct planned *planned,
		   const struct xensplit_wanted *wanted)
{
	static const uint32_t known = XENSPLIT_WANTED_RESERVED | XENSPLIT_WANTED_NO_WAIT;
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	int r;

	if (wanted->flags & ~known)
		return fail(p->txn->ctx, -EINVAL, "unknown flags 0x%x of a wanted device",
			    wanted->flags & ~known);
	opts.domid = p->plan->domid;
	opts.type = wanted->type;
	opts.devid = wanted->devid;
	opts.backend_type = wanted->backend_type;
	opts.front = wanted->front;
	opts.front_count = wanted->front_count;
	opts.back = wanted->back;
	opts.back_count = wanted->back_count;
	if (wanted->flags & XENSPLIT_WANTED_RESERVED)
		opts.flags |= XENSPLIT_ATTACH_RESERVED;
	r = step_from_opts(p->txn->ctx, &opts, &planned->step);
	snprintf(planned->step.listed, LISTED_SIZE, "%s",
		 planned->is_auto ? "auto" : "fixed");
	return r;
}

/* Also of an entry that is wrong otherwise: its device stays what it is. */
static int name_device(struct planning *p, struct planned *planned,
		       const struct xensplit_wanted *wanted)
{
	struct xensplit_id *id = &planned->action.id;

	planned->is_auto = wanted->devid == XENSPLIT_DEVID_AUTO;
	planned->valid = type_is_valid(wanted->type);
	planned->type = strdup(wanted->type ? wanted->type : "");
	if (!planned->type)
		return fail(p->txn->ctx, -ENOMEM, "out of memory");
	id->domid = p->plan->domid;
	id->type = planned->type;
	id->devid = wanted->devid;
	return 0;
}

int plan_entry(struct planning *p, struct planned *planned,
	       const struct xensplit_wanted *from)
{
	const struct backend *backend;
	struct xensplit_wanted wanted;
	int r;

	if (opts_copy(&wanted, sizeof(wanted), from))
		return fail(p->txn->ctx, -EINVAL,
			    "a wanted device is of a newer version");
	planned->action.backend_domid = XENSPLIT_ANY;
	r = name_device(p, planned, &wanted);
	if (r)
		return r;
	r = to_step(p, planned, &wanted);
	if (r)
		return r == -EINVAL ? plan_refuse(p, planned, r) : r;
	r = get_backend(p, wanted.backend, &backend);
	if (r)
		return r;
	if (backend->result) {
		failure_set(p->txn->ctx, backend->result, backend->code, "%s",
			    backend->message);
		return plan_refuse(p, planned, backend->result);
	}
	planned->step.backend_domid = backend->domid;
	planned->action.backend_domid = backend->domid;
	return 0;
}
