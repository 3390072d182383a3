/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiled, never run: uses the macros of the header as a caller does. */
#include <xensplit.h>
#include <xensplit.h>

int user(struct xensplit_ctx *ctx);

int user(struct xensplit_ctx *ctx)
{
	XENSPLIT_FILTER(filter);
	const struct xensplit_device *device;
	struct xensplit_list *list;
	size_t i, n = 0;
	int r;

	filter.domid = XENSPLIT_ANY;
	r = xensplit_list_new(ctx, &filter, XENSPLIT_LIST_FOREIGN, &list);
	if (r < 0)
		return r;
	xensplit_list_foreach (list, i, device)
		n += device->id.devid;
	xensplit_list_free(list);
	return (int)n;
}
