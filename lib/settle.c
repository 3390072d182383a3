// SPDX-License-Identifier: LGPL-2.1-or-later
/* Checks whether this domain's kernel has noticed that a backend is gone. */
#include <sys/stat.h>

#include "operation.h"

#define BUS "/bus/xen-backend/devices"

/*
 * Like a guest, the kernel sees a removal only afterwards, and mistakes a new
 * backend of the same name for the old one. Here sysfs shows when it has checked.
 */
int kernel_holds(struct xensplit_ctx *ctx, const struct device_id *id,
		 uint32_t backend_domid)
{
	char device[PATH_SIZE], path[PATH_SIZE];
	struct txn txn = TXN_NONE(ctx);
	uint32_t domid;
	struct stat st;
	int r;

	snprintf(device, sizeof(device), "%s" BUS "/%s-%" PRIu32 "-%" PRIu32, sysfs,
		 id_backend_type(id), id->domid, id->devid);
	if (stat(device, &st) || domain_own(&txn, &domid) || domid != backend_domid)
		return 0;
	path_backend(path, id, backend_domid, NULL);
	r = store_exists(&txn, path);
	return r < 0 ? r : !r;
}
