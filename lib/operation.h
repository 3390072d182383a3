/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What waits, or takes more than one commit. */
#ifndef XENSPLIT_OPERATION_H
#define XENSPLIT_OPERATION_H

#include "stage.h"

/* wait.c */

struct wait {
	struct device_id id;
	int until;
	unsigned int timeout_ms;
	uint64_t deadline_us;
	bool fresh; /* just attached: error nodes and Closing are news */
	bool force; /* goes on after the deadline, whatever the cause */
};

int wait_run(struct xensplit_ctx *ctx, const struct wait *wait) __must_check;

/* replace.c */

/* Close and remove what is where @wait's device shall be; only its record stays. */
int replace_clear(struct xensplit_ctx *ctx, uint32_t backend_domid,
		  const struct wait *wait) __must_check;

#endif
