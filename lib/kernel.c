// SPDX-License-Identifier: LGPL-2.1-or-later
/* What Linux makes of a backend, where it stands in the domain that this runs in. */
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "internal.h"

#define BUS "/sys/bus/xen-backend/devices"

/* A relative path is the reader's own domain's; a socket's is dom0's. */
static int own_domid(struct txn *txn, uint32_t *ret_domid)
{
	uint64_t domid;
	char *value;
	size_t len;
	bool ok;
	int r = store_read(txn, "domid", &value, &len);

	if (r)
		return r;
	ok = parse_number(value, len, DOMID_END - 1, &domid);
	free(value);
	if (!ok)
		return -EBADMSG;
	*ret_domid = (uint32_t)domid;
	return 0;
}

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

/* The module that depmod(8) found for an alias; empty where there is none. */
static void find_module(const char *alias, char *module, size_t size)
{
	char path[sizeof(((struct utsname *)0)->release) + 40], line[512];
	char is_alias[256], is_module[128];
	struct utsname uts;
	FILE *file;

	module[0] = '\0';
	if (uname(&uts))
		return;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.alias", uts.release);
	file = fopen(path, "re");
	if (!file)
		return;
	while (!*module && fgets(line, sizeof(line), file))
		if (sscanf(line, "alias %255s %127s", is_alias, is_module) == 2 &&
		    !strcmp(is_alias, alias))
			snprintf(module, size, "%s", is_module);
	fclose(file);
}

static int report_no_driver(struct patient *p, const char *device)
{
	char alias[TYPE_MAX + 16], module[128];

	snprintf(alias, sizeof(alias), "xen-backend:%s", p->place.id.type);
	find_module(alias, module, sizeof(module));
	if (*module)
		return finding_add(p, XENSPLIT_SEVERITY_ERROR, "no-backend-driver",
				   "the kernel has the device and nobody who drives it",
				   "modprobe xen-backend:{T}",
				   "%s has no driver; module %s would drive it", device,
				   module);
	return finding_add(p, XENSPLIT_SEVERITY_ERROR, "no-backend-module",
			   "the kernel has the device and nobody who drives it",
			   "insmod the backend's module, or install it and run depmod -a",
			   "%s has no driver, and no installed module has the alias %s",
			   device, alias);
}

int check_kernel(struct patient *p)
{
	char device[PATH_SIZE], driver[PATH_SIZE + 8];
	uint32_t domid;

	if (p->backend_state < 0 || state_is_connected(p->backend_state) ||
	    !exists(BUS) || own_domid(p->txn, &domid) || domid != p->place.backend_domid)
		return 0;
	snprintf(device, sizeof(device), BUS "/%s-%" PRIu32 "-%" PRIu32, p->place.id.type,
		 p->place.id.domid, p->place.id.devid);
	snprintf(driver, sizeof(driver), "%s/driver", device);
	if (!exists(device))
		return p->backend_state == XENSPLIT_STATE_CLOSED
			       ? 0
			       : finding_add(
					 p, XENSPLIT_SEVERITY_ERROR, "no-backend-device",
					 "xenbus makes a device when it appears in state "
					 "Initialising, or never",
					 "xensplit attach {D} {T}/{I} --backend={B} "
					 "--replace",
					 "the kernel has no %s", device);
	return exists(driver) ? 0 : report_no_driver(p, device);
}
