/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom the library asks about domains: Xen, where it may be asked. */
#ifndef XENSPLIT_TOOL_HYPERVISOR_H
#define XENSPLIT_TOOL_HYPERVISOR_H

struct xensplit_hypervisor;

/* For struct xensplit_opts; its data is the logger. Xen is opened by the first query. */
extern const struct xensplit_hypervisor hypervisor;

void hypervisor_close(void);

#endif
