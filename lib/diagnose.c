// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a device does not get on: what its states and its domains say. */
#include "internal.h"

#define SAME (-100)

struct cause {
	int frontend; /* SAME: any */
	int backend;
	const char *text;
};

/* The first row that fits. States of enum xensplit_state. */
static const struct cause causes[] = {
	{ -1, -1, "neither half is there" },
	{ -2, SAME,
	  "the frontend's state is no state: the guest wrote something else there" },
	{ SAME, -2,
	  "the backend's state is no state: its driver wrote something else there" },
	{ SAME, -1, "the backend is gone: detach the device and attach it again" },
	{ -1, SAME,
	  "the frontend is gone: the guest, or its toolstack, removed it; detach the "
	  "device and attach it again" },
	{ 1, 1, "no driver has taken up either end: are both modules loaded?" },
	{ SAME, 1,
	  "the backend driver has not taken the device up: is its module loaded in the "
	  "backend's domain?" },
	{ 1, 2,
	  "the frontend driver has not taken the device up: is its module loaded in the "
	  "guest?" },
	{ 1, SAME,
	  "the frontend driver has not taken the device up: is its module loaded in the "
	  "guest, and new enough for this backend?" },
	{ 2, 2,
	  "each driver waits for the other: one of them must go on to Initialised or "
	  "Connected" },
	{ 3, 2, "the backend driver does not answer the frontend's Initialised" },
	{ 4, 2, "the backend driver does not answer the frontend's Connected" },
	{ 4, 3, "the backend driver does not answer the frontend's Connected" },
	{ 3, 4, "the frontend driver does not answer the backend's Connected" },
	{ 2, 4, "the frontend driver does not answer the backend's Connected" },
	{ 6, 6, "both ends are closed: the frontend's driver was unloaded or gave up" },
	{ 6, SAME, "the frontend is closed: its driver was unloaded or gave up" },
	{ 5, SAME, "the frontend is closing and has not finished" },
	{ 4, 5,
	  "the frontend driver does not answer the request to close: is the guest alive, "
	  "and "
	  "the device not in use there?" },
	{ SAME, 5, "the backend is closing, and the frontend driver does not follow" },
	{ SAME, 6, "the backend is closed: its driver was unloaded or gave up" },
	{ 4, 4, "both ends are connected" },
	{ SAME, SAME, "the drivers do not go on from these states" },
};

const char *diagnose_states(int frontend_state, int backend_state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(causes) - 1; i++)
		if ((causes[i].frontend == SAME ||
		     causes[i].frontend == frontend_state) &&
		    (causes[i].backend == SAME || causes[i].backend == backend_state))
			break;
	return causes[i].text;
}

static const char *domain_trouble(uint32_t flags)
{
	if (flags & XENSPLIT_DOMAIN_DYING)
		return "is dying";
	if (flags & XENSPLIT_DOMAIN_CRASHED)
		return "has crashed";
	if (flags & XENSPLIT_DOMAIN_SHUTDOWN)
		return "has shut down";
	if (flags & XENSPLIT_DOMAIN_PAUSED)
		return "is paused: unpause it ('xl unpause')";
	return NULL;
}

const char *diagnose_domain(struct xensplit_ctx *ctx, const struct device_id *id,
			    uint32_t backend_domid, char *buf, size_t size)
{
	const char *trouble = domain_trouble(domain_flags(ctx, id->domid));
	uint32_t domid = id->domid;

	if (!trouble && backend_domid != XENSPLIT_ANY) {
		trouble = domain_trouble(domain_flags(ctx, backend_domid));
		domid = backend_domid;
	}
	if (!trouble)
		return NULL;
	snprintf(buf, size, "domain %" PRIu32 " %s", domid, trouble);
	return buf;
}
