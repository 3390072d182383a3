// SPDX-License-Identifier: LGPL-2.1-or-later
/* A device to attach or adopt: checks and copies the caller's options. */
#include "stage.h"

static int pairs_copy(struct pairs *to, const struct xensplit_pair *from, size_t count)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < count; i++)
		r = pairs_add(to, from[i].key, from[i].value);
	return r;
}

void step_clear(struct step *step)
{
	pairs_clear(&step->front);
	pairs_clear(&step->back);
	free(step->domain);
	free(step->avoid);
	step->domain = NULL;
	step->avoid = NULL;
}

int step_from_opts(struct xensplit_ctx *ctx, const struct xensplit_attach_opts *opts,
		   struct step *step)
{
	struct xensplit_attach_opts o;
	int r;

	memset(step, 0, sizeof(*step));
	if (opts_copy(&o, sizeof(o), opts))
		return fail(ctx, -EINVAL, "the attach options are of a newer version");
	r = validate_attach(ctx, &o);
	if (r)
		return r;
	step->kind = STEP_ATTACH;
	step->auto_devid = o.devid == XENSPLIT_DEVID_AUTO;
	step->flags = o.flags;
	/* Otherwise the device would still differ. */
	if (step->flags & XENSPLIT_ATTACH_ENSURE)
		step->flags |= XENSPLIT_ATTACH_DROP_KEYS;
	step->backend_domid = o.backend_domid;
	r = id_set(ctx, &step->id, o.domid, o.type, step->auto_devid ? 0 : o.devid);
	if (r)
		return r;
	id_set_backend_type(&step->id, o.backend_type);
	if (pairs_copy(&step->front, o.front, o.front_count) ||
	    pairs_copy(&step->back, o.back, o.back_count))
		return fail(ctx, -ENOMEM, "out of memory");
	return 0;
}

/* The same checks as for an attach without keys. */
int step_from_adopt_opts(struct xensplit_ctx *ctx, const struct xensplit_adopt_opts *opts,
			 struct step *step)
{
	XENSPLIT_OPTS(xensplit_attach_opts, attach);
	struct xensplit_adopt_opts o;
	int r;

	memset(step, 0, sizeof(*step));
	if (opts_copy(&o, sizeof(o), opts))
		return fail(ctx, -EINVAL, "the adopt options are of a newer version");
	if (o.flags & ~XENSPLIT_ADOPT_RESERVED)
		return fail(ctx, -EINVAL, "unknown adopt flags 0x%x",
			    o.flags & ~XENSPLIT_ADOPT_RESERVED);
	if (o.devid == XENSPLIT_DEVID_AUTO)
		return fail(ctx, -EINVAL, "the device id is missing");
	attach.domid = o.domid;
	attach.type = o.type;
	attach.devid = o.devid;
	attach.backend_type = o.backend_type;
	attach.backend_domid = o.backend_domid == XENSPLIT_ANY ? 0 : o.backend_domid;
	attach.flags = o.flags ? XENSPLIT_ATTACH_RESERVED : 0;
	r = step_from_opts(ctx, &attach, step);
	step->kind = STEP_ADOPT;
	step->flags = o.flags;
	step->backend_domid = o.backend_domid;
	return r;
}
