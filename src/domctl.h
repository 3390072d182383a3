/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the hypervisor knows about domains. */
#ifndef XENSPLIT_DOMCTL_H
#define XENSPLIT_DOMCTL_H

#include "xensplit.h"

struct xentoollog_logger;

/* For struct xensplit_opts; its data is the logger. Xen is opened by the first query. */
extern const struct xensplit_hypervisor domctl;

void domctl_close(void);

#endif
