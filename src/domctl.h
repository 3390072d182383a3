/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the hypervisor knows about domains. */
#ifndef XENSPLIT_DOMCTL_H
#define XENSPLIT_DOMCTL_H

#include <stdint.h>

struct xensplit_domain;

struct domctl_plugin {
	const char *version;
	/* Returns: 0 or a negative errno. */
	int (*open)(void);
	/* Like the query of struct xensplit_hypervisor. */
	int (*query)(uint32_t domid, struct xensplit_domain *domain);
	void (*close)(void);
};

#endif
