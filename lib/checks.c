// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All checks of a device, causes first: an earlier finding explains a later one.
 */
#include "findings.h"

static int check_damaged(struct patient *p)
{
	char path[PATH_SIZE];
	int r;

	if (!p->damaged)
		return 0;
	path_record(path, &p->place.id, NULL);
	r = finding_add(p, ERROR, "record-damaged",
			"without its record the owner of the device is not known, so "
			"nothing else acts on it",
			XENSPLIT_REMEDY_FORCE, "%s is damaged", path);
	return r ? r : 1;
}

static int check_phase(struct patient *p)
{
	char shown[4 * PHASE_SIZE];

	if (!p->phase)
		return 0;
	return finding_add(p, ERROR, "interrupted",
			   "replacing the device was interrupted, or is still going on",
			   XENSPLIT_REMEDY_REPAIR, "the record has phase \"%s\"",
			   escape(shown, sizeof(shown), p->phase, strlen(p->phase)));
}

/* Would xensplit_batch_adopt() take it, if its halves can be trusted? */
static bool is_adoptable(const struct patient *p)
{
	const struct device_id *id = &p->place.id;

	return p->place.backend_domid != XENSPLIT_ANY &&
	       p->frontend_state != XENSPLIT_STATE_ABSENT &&
	       p->backend_state != XENSPLIT_STATE_ABSENT &&
	       (int64_t)id->devid <= devid_limit(id->type, id->domid);
}

/* A device that works is worth a note: only adopt, a replace or doctor act on it. */
static int check_origin(struct patient *p)
{
	char path[PATH_SIZE];

	if (p->place.recorded || p->damaged || type_is_reserved(p->place.id.type))
		return 0;
	path_record(path, &p->place.id, NULL);
	return finding_add(p, NOTE, "foreign",
			   "xensplit did not make the device, so it can't detach it",
			   is_adoptable(p) ? XENSPLIT_REMEDY_ADOPT
					   : XENSPLIT_REMEDY_REPLACE,
			   "there is no %s", path);
}

typedef int check_fn(struct patient *p);

int check_device(struct patient *p)
{
	static check_fn *const checks[] = {
		check_damaged,	   check_domains, check_phase,	check_bus_id,
		check_claims,	   check_halves,  check_nodes,	check_pointers,
		check_permissions, check_drivers, check_online, check_pointer_permissions,
		check_origin,
	};
	size_t i;
	int r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(checks); i++)
		r = checks[i](p);
	return r < 0 ? r : 0;
}

/* --- the host --- */

#define SPEED_TRIES  16
#define FEW_TRIES    2
#define SLOW_READ_US 20000

int check_store_speed(struct patient *p)
{
	uint64_t begun = now_us(), each = SLOW_READ_US;
	unsigned int i;

	/* A single slow read may be chance. */
	for (i = 0; i < FEW_TRIES || (each >= SLOW_READ_US && i < SPEED_TRIES); i++) {
		int r = store_exists(p->txn, RECORD_ROOT);

		if (r < 0)
			return r;
		each = (now_us() - begun) / (i + 1);
	}
	if (each < SLOW_READ_US)
		return 0;
	return finding_add(p, WARNING, "xenstored-slow",
			   "every change of every device waits for it",
			   XENSPLIT_REMEDY_LOAD,
			   "xenstored takes %" PRIu64 " ms for a read", each / 1000);
}
