// SPDX-License-Identifier: LGPL-2.1-or-later
/* For a monitor: which devices there are, by their records. */
#include "monitor.h"

static int note_record(struct txn *txn, const struct device_id *id, void *data)
{
	struct xensplit_monitor *m = data;
	struct followed *f = table_find(&m->table, id);

	(void)txn;
	if (!f)
		return monitor_follow(m, id);
	f->seen = true;
	return 0;
}

static void take_unseen(struct xensplit_monitor *m, struct followed *f)
{
	if (f->buried && !f->seen) {
		f->recorded = f->present = false;
		m->table.vanished = true;
	} else if (f->buried || !f->seen) {
		f->relocate = true;
		table_pend(&m->table, f);
	}
}

/* Finds new devices and those that are gone, in one domain or in all. */
static int scan(struct xensplit_monitor *m, uint32_t domid)
{
	struct xensplit_filter filter = m->filter;
	size_t begin = 0, end = m->table.count, i;
	int r;

	if (domid != XENSPLIT_ANY) {
		filter.domid = domid;
		begin = table_begin(&m->table, domid, NULL, 0);
		end = table_begin(&m->table, domid + 1, NULL, 0);
	}
	for (i = begin; i < end; i++) {
		m->table.devices[i]->seen = false;
		m->table.devices[i]->old = true;
	}
	r = record_foreach(&m->txn, &filter, note_record, m);
	end = domid != XENSPLIT_ANY ? table_begin(&m->table, domid + 1, NULL, 0)
				    : m->table.count;
	for (i = begin; !r && i < end; i++)
		if (m->table.devices[i]->old)
			take_unseen(m, m->table.devices[i]);
	return r;
}

int monitor_scan(struct xensplit_monitor *m)
{
	uint32_t domid = XENSPLIT_ANY;
	int r = 0;

	if (m->rescan) {
		while (domid_set_take(&m->rescans, &domid))
			;
		r = scan(m, m->filter.domid);
		m->rescan = r != 0;
		return r;
	}
	while (!r && domid_set_take(&m->rescans, &domid))
		r = scan(m, domid);
	if (r)
		monitor_want_scan(m, domid);
	return r;
}

/* --- devices of domains that are gone --- */

void monitor_bury(struct xensplit_monitor *m, uint32_t domid)
{
	struct table *table = &m->table;
	size_t i = table_begin(table, domid, NULL, 0);

	for (; i < table->count && table->devices[i]->id.domid == domid; i++) {
		table->devices[i]->buried = true;
		unwatch_part(m, table->devices[i], PART_FRONTEND);
	}
}

void monitor_unbury(struct xensplit_monitor *m, uint32_t domid)
{
	struct table *table = &m->table;
	size_t i = table_begin(table, domid, NULL, 0);

	for (; i < table->count && table->devices[i]->id.domid == domid; i++) {
		struct followed *f = table->devices[i];

		if (!f->buried)
			continue;
		f->buried = false;
		f->relocate = true;
		table_pend(table, f);
	}
}
