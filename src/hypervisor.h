/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks Xen about domains, if permitted. */
#ifndef XENSPLIT_TOOL_HYPERVISOR_H
#define XENSPLIT_TOOL_HYPERVISOR_H

struct xensplit_hypervisor;

/* For struct xensplit_opts; its data is the logger. The first query opens Xen. */
extern const struct xensplit_hypervisor hypervisor;

void hypervisor_close(void);

#endif
