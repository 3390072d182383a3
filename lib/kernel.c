// SPDX-License-Identifier: LGPL-2.1-or-later
/* What Linux did with a backend in the domain that this process runs in. */
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "findings.h"

/* The unit tests use their own. */
const char *sysfs = "/sys";
const char *modules = "/lib/modules";

#define BUS "/bus/xen-backend/devices"

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

/* The module that depmod(8) found for an alias; empty if there is none. */
static void find_module(const char *alias, char *module, size_t size)
{
	char path[PATH_SIZE], line[512], is_alias[256], is_module[128];
	struct utsname uts;
	FILE *file;

	module[0] = '\0';
	if (uname(&uts))
		return;
	snprintf(path, sizeof(path), "%s/%s/modules.alias", modules, uts.release);
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
	struct diagnosis *d = p->of;
	char alias[sizeof(d->alias)];

	snprintf(alias, sizeof(alias), "xen-backend:%s", id_backend_type(&p->place.id));
	/* The search is slow, and devices of a type are adjacent. */
	if (strcmp(d->alias, alias) != 0)
		find_module(alias, d->module, sizeof(d->module));
	memcpy(d->alias, alias, sizeof(alias));
	if (*d->module)
		return finding_add(p, ERROR, "no-backend-driver",
				   "no driver has taken the device",
				   XENSPLIT_REMEDY_BACKEND | IN_BACK,
				   "%s has no driver; module %s fits it", device,
				   d->module);
	return finding_add(p, ERROR, "no-backend-module",
			   "no driver has taken the device",
			   XENSPLIT_REMEDY_INSTALL | IN_BACK,
			   "%s has no driver, and no installed module has the alias %s",
			   device, alias);
}

static void device_path(char *path, size_t size, const struct device_id *id)
{
	snprintf(path, size, "%s" BUS "/%s-%" PRIu32 "-%" PRIu32, sysfs,
		 id_backend_type(id), id->domid, id->devid);
}

/* The last state that the driver set, from the kernel; empty if it does not show that. */
static void read_state(const char *device, char *state, size_t size)
{
	char path[PATH_SIZE + 8];
	FILE *file;

	snprintf(path, sizeof(path), "%s/state", device);
	file = fopen(path, "re");
	if (!file || !fgets(state, (int)size, file))
		state[0] = '\0';
	state[strcspn(state, "\n")] = '\0';
	if (file)
		fclose(file);
}

static int report_old_device(struct patient *p, const char *device, const char *state)
{
	return finding_add(p, ERROR, "old-backend-device",
			   "an earlier device of that name was removed and made again "
			   "too quickly for the kernel to notice",
			   XENSPLIT_REMEDY_REPLACE,
			   "the state is Initialising, but the driver of %s had set %s",
			   device, state);
}

static int report_idle_driver(struct patient *p, const char *device, const char *driver)
{
	char target[PATH_SIZE];
	ssize_t len = readlink(driver, target, sizeof(target) - 1);
	const char *name;

	target[len < 0 ? 0 : len] = '\0';
	name = strrchr(target, '/');
	return finding_add(p, ERROR, "driver-idle",
			   "the driver has probed, but has not changed its state",
			   XENSPLIT_REMEDY_DRIVER | IN_BACK,
			   "driver %s is bound to %s, whose state is still Initialising",
			   name ? name + 1 : target, device);
}

/*
 * A driver is bound, and the state is Initialising. The kernel remembers the last
 * state that the driver set. If it differs, it is from an earlier device, and the
 * driver was not probed for this one. The kernel also remembers a state whose write
 * failed, but then there is an error node, which says more.
 */
static int check_driver(struct patient *p, const char *device, const char *driver,
			bool failed)
{
	char state[32];
	int r;

	read_state(device, state, sizeof(state));
	/* It may have continued since the backend's state was read. */
	r = place_states(p->txn, &p->place, &p->frontend_state, &p->backend_state);
	if (r || p->backend_state != XENSPLIT_STATE_INITIALISING)
		return r;
	if (failed)
		return 0;
	if (!*state || !strcmp(state, xensplit_state_name(XENSPLIT_STATE_INITIALISING)))
		return report_idle_driver(p, device, driver);
	return report_old_device(p, device, state);
}

static bool has_bus(void)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s" BUS, sysfs);
	return exists(path);
}

static bool stands_here(struct patient *p)
{
	struct diagnosis *d = p->of;

	if (!d->looked_for_bus)
		d->has_own_domid = has_bus() && !domain_own(p->txn, &d->own_domid);
	d->looked_for_bus = true;
	return d->has_own_domid && d->own_domid == p->place.backend_domid;
}

int check_kernel(struct patient *p, bool failed)
{
	char device[PATH_SIZE], driver[PATH_SIZE + 8];

	if (p->backend_state < 0 || state_is_connected(p->backend_state) ||
	    !stands_here(p))
		return 0;
	p->asked_kernel = true;
	device_path(device, sizeof(device), &p->place.id);
	snprintf(driver, sizeof(driver), "%s/driver", device);
	if (!exists(device))
		return p->backend_state == XENSPLIT_STATE_CLOSED
			       ? 0
			       : finding_add(p, ERROR, "no-backend-device",
					     "xenbus only makes a device that appears in "
					     "state Initialising",
					     XENSPLIT_REMEDY_REPLACE,
					     "the kernel has no %s", device);
	if (!exists(driver))
		return report_no_driver(p, device);
	return p->backend_state == XENSPLIT_STATE_INITIALISING
		       ? check_driver(p, device, driver, failed)
		       : 0;
}
