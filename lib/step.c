// SPDX-License-Identifier: LGPL-2.1-or-later
/* A device to attach: checks and copies the caller's options. */
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
	step->domain = NULL;
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
