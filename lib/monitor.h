/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watches turned into events. */
#ifndef XENSPLIT_MONITOR_H
#define XENSPLIT_MONITOR_H

#include "schema.h"

/* monitor.c */

struct view {
	bool present;
	uint32_t backend_domid;
	int frontend_state;
	int backend_state;
};

/* What a monitor of one device knows about it. */
void monitor_view(const struct xensplit_monitor *monitor, struct view *ret_view);

#endif
