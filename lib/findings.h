/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with devices. */
#ifndef XENSPLIT_FINDINGS_H
#define XENSPLIT_FINDINGS_H

#include "schema.h"

/* diagnose.c */

/* What a device is being looked at for. */
struct patient {
	struct txn *txn;
	struct place place;
	int frontend_state;
	int backend_state;
	struct xensplit_findings *findings;
};

/*
 * Note a finding down. @what is formatted; in @fix, {T} {D} {I} {B} stand for
 * the device and {FE} {BE} for its paths. One of each code for a device: 0.
 */
int finding_add(struct patient *patient, int severity, const char *code, const char *why,
		const char *fix, const char *what, ...) __printf(6, 7) __must_check;
/*
 * The cause of what holds a device up, for a message that tells its states
 * already. NULL: nothing was found.
 */
const char *diagnose_cause(struct xensplit_ctx *ctx, const struct device_id *id,
			   const char *states, char *buf, size_t size);

/* checks.c */

/* All that can be wrong with one device, causes first. */
int check_device(struct patient *patient) __must_check;
int check_store_speed(struct patient *patient) __must_check;

/* kernel.c */

/* What gets a device going that nothing else does; diagnose.c fills it in. */
#define FIX_REPLACE "xensplit attach {D} {T}/{I} --backend={B} --replace"

/* What the kernel of this domain makes of a backend that stands in it. */
int check_kernel(struct patient *patient) __must_check;

/* Wait a moment for this domain's kernel to give up a backend that is no more. */
int kernel_settle(struct xensplit_ctx *ctx, const struct device_id *id,
		  uint32_t backend_domid) __must_check;

#endif
