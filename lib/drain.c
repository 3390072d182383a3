// SPDX-License-Identifier: LGPL-2.1-or-later
/* Read the watches that fired, and find the devices they are about. */
#include "monitor.h"

int monitor_follow(struct xensplit_monitor *m, const struct device_id *id)
{
	struct followed *f = table_add(&m->table, id);

	if (!f)
		return fail(m->ctx, -ENOMEM, "out of memory");
	f->relocate = true;
	table_pend(&m->table, f);
	return 0;
}

void monitor_want_scan(struct xensplit_monitor *m, uint32_t domid)
{
	if (m->filter.domid != XENSPLIT_ANY && domid != XENSPLIT_ANY &&
	    m->filter.domid != domid)
		return;
	if (m->filter.domid != XENSPLIT_ANY)
		domid = m->filter.domid;
	m->rescan |= domid == XENSPLIT_ANY;
	domid_set_add(&m->rescans, domid);
}

/* /xensplit/D/T/I is that device's record; a path above it may be gone entirely. */
static int take_record(struct xensplit_monitor *m, const char *path)
{
	struct path_part parts[PATH_PARTS];
	size_t count = path_split(path, parts);
	struct device_id id = { 0 };
	struct followed *f;
	bool numbered;

	if (m->single) {
		f = m->table.count ? m->table.devices[0] : NULL;
		if (f) {
			f->relocate = true;
			table_pend(&m->table, f);
		}
		return 0;
	}
	numbered = count > 1 && path_part_number(&parts[1], DOMID_END - 1, &id.domid);
	if (count < 4) {
		/* The watch fires once when it is set. */
		if (count > 1 ? numbered : m->records_fired)
			monitor_want_scan(m, numbered ? id.domid : XENSPLIT_ANY);
		m->records_fired |= count == 1;
		return 0;
	}
	if (count > 4 || !numbered || parts[2].len > TYPE_MAX ||
	    !path_part_number(&parts[3], INT32_MAX, &id.devid))
		return 0;
	memcpy(id.type, parts[2].text, parts[2].len);
	f = table_find(&m->table, &id);
	if (!f)
		return id_matches(&id, &m->filter) && type_is_valid(id.type)
			       ? monitor_follow(m, &id)
			       : 0;
	/* One scan finds out about all of its domain. */
	if (f->buried) {
		monitor_want_scan(m, id.domid);
		return 0;
	}
	f->relocate = true;
	table_pend(&m->table, f);
	return 0;
}

static int take(struct xensplit_monitor *m, const char *path, const char *token)
{
	if (!strcmp(token, "records"))
		return take_record(m, path);
	if (!strcmp(token, "release"))
		m->released = m->named.fired = true;
	else if (!strcmp(token, "name"))
		m->named.fired = true;
	else if (m->single)
		take_device(&m->table, token);
	else if (*token == 't')
		take_tree(&m->watches, &m->table, path, token);
	return 0;
}

int drain(struct xensplit_monitor *m)
{
	int r = ctx_check_owner(m->ctx);
	unsigned int taken;

	for (taken = 0; !r && taken < DRAIN_MAX; taken++) {
		char **watch = store_next_watch(m->txn.xs);

		if (!watch)
			break;
		r = take(m, watch[XS_WATCH_PATH], watch[XS_WATCH_TOKEN]);
		free(watch);
	}
	/* Without memory for a device that is new. */
	if (r == -ENOMEM)
		m->rescan = true;
	m->drained = taken;
	m->more |= taken != 0;
	return r;
}
