// SPDX-License-Identifier: LGPL-2.1-or-later
/* What Linux makes of a backend, where it stands in the domain that this runs in. */
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "findings.h"

#define BUS "/sys/bus/xen-backend/devices"

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

static const char *backend_type(const struct device_id *id)
{
	return *id->backend_type ? id->backend_type : id->type;
}

static int report_no_driver(struct patient *p, const char *device)
{
	struct diagnosis *d = p->of;
	char alias[sizeof(d->alias)];

	snprintf(alias, sizeof(alias), "xen-backend:%s", backend_type(&p->place.id));
	/* It takes a while, and devices of a type stand together. */
	if (strcmp(d->alias, alias) != 0)
		find_module(alias, d->module, sizeof(d->module));
	memcpy(d->alias, alias, sizeof(alias));
	if (*d->module)
		return finding_add(p, ERROR, "no-backend-driver",
				   "the kernel has the device and nobody who drives it",
				   "modprobe xen-backend:{U}",
				   "%s has no driver; module %s would drive it", device,
				   d->module);
	return finding_add(p, ERROR, "no-backend-module",
			   "the kernel has the device and nobody who drives it",
			   "insmod the backend's module, or install it and run depmod -a",
			   "%s has no driver, and no installed module has the alias %s",
			   device, alias);
}

static void device_path(char *path, size_t size, const struct device_id *id)
{
	snprintf(path, size, BUS "/%s-%" PRIu32 "-%" PRIu32, backend_type(id), id->domid,
		 id->devid);
}

static int report_old_device(struct patient *p, const char *device)
{
	return finding_add(p, ERROR, "old-backend-device",
			   "the device of that name before this one was removed and made "
			   "again too quickly for the kernel to notice",
			   FIX_REPLACE,
			   "the driver of %s does not begin with a new device", device);
}

static bool stands_here(struct patient *p)
{
	struct diagnosis *d = p->of;

	if (!d->looked_for_bus)
		d->has_own_domid = exists(BUS) && !domain_own(p->txn, &d->own_domid);
	d->looked_for_bus = true;
	return d->has_own_domid && d->own_domid == p->place.backend_domid;
}

int check_kernel(struct patient *p)
{
	char device[PATH_SIZE], driver[PATH_SIZE + 8];

	if (p->backend_state < 0 || state_is_connected(p->backend_state) ||
	    !stands_here(p))
		return 0;
	device_path(device, sizeof(device), &p->place.id);
	snprintf(driver, sizeof(driver), "%s/driver", device);
	if (!exists(device))
		return p->backend_state == XENSPLIT_STATE_CLOSED
			       ? 0
			       : finding_add(
					 p, ERROR, "no-backend-device",
					 "xenbus makes a device when it appears in state "
					 "Initialising, or never",
					 FIX_REPLACE, "the kernel has no %s", device);
	if (!exists(driver))
		return report_no_driver(p, device);
	return p->backend_state == XENSPLIT_STATE_INITIALISING
		       ? report_old_device(p, device)
		       : 0;
}
