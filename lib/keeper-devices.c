// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the monitor has seen, for the wanted devices. */
#include "keeper.h"

static void take(struct xensplit_keeper *k, const struct xensplit_event *event)
{
	struct guest *guest = guest_find(k, event->id.domid);
	struct device_id id = { .domid = event->id.domid, .devid = event->id.devid };
	struct kept *kept;

	if (!guest || event->type == XENSPLIT_EVENT_ERROR)
		return;
	snprintf(id.type, sizeof(id.type), "%s", event->id.type);
	kept = guest_find_kept(guest, &id);
	if (kept)
		kept_look(k, kept);
}

int devices_process(struct xensplit_keeper *k)
{
	const struct xensplit_event *event;
	int r = xensplit_monitor_process(k->monitor);

	if (r)
		return r;
	while (xensplit_monitor_next(k->monitor, &event) > 0)
		take(k, event);
	return 0;
}
