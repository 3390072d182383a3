// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The monitor: finds devices, and turns watches into events.
 *
 * A watch only says that something changed. So read everything that fired first,
 * then read each affected device once (refresh.c).
 */
#include <poll.h>

#include "monitor.h"

/* A dead xenstored does not wake up the descriptor: check this often. */
#define PROBE_US 1000000
/* How many events may be queued. */
#define EVENTS_MAX 4096

XENSPLIT_API int xensplit_monitor_next(struct xensplit_monitor *monitor,
				       const struct xensplit_event **ret_event)
{
	if (!monitor || !ret_event)
		return -EINVAL;
	return events_next(&monitor->events, ret_event);
}

/* --- finding devices --- */

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

/* Finds new devices and those that are gone, in one domain or in all. */
static int scan(struct xensplit_monitor *m)
{
	struct xensplit_filter filter = m->filter;
	size_t begin = 0, end = m->table.count, i;
	int r;

	if (!m->rescan)
		return 0;
	m->rescan = false;
	if (m->rescan_domid != XENSPLIT_ANY) {
		filter.domid = m->rescan_domid;
		begin = table_begin(&m->table, filter.domid, NULL, 0);
		end = table_begin(&m->table, filter.domid + 1, NULL, 0);
	}
	for (i = begin; i < end; i++) {
		m->table.devices[i]->seen = false;
		m->table.devices[i]->old = true;
	}
	r = record_foreach(&m->txn, &filter, note_record, m);
	if (filter.domid != XENSPLIT_ANY)
		end = table_begin(&m->table, filter.domid + 1, NULL, 0);
	else
		end = m->table.count;
	for (i = begin; i < end; i++) {
		struct followed *f = m->table.devices[i];

		if (!f->old || f->seen)
			continue;
		f->relocate = true;
		table_pend(&m->table, f);
	}
	return r;
}

static void forget(struct followed *f, void *data)
{
	struct xensplit_monitor *m = data;
	int part;

	for (part = 0; part < PARTS; part++)
		unwatch_part(m, f, (enum part)part);
}

/* --- domains --- */

static int check_domain(struct xensplit_monitor *m, struct domains *domains,
			struct followed *f, int end, uint32_t domid)
{
	int r;

	if (!f->present || f->told_gone[end] || domid == XENSPLIT_ANY)
		return 0;
	r = domains_exists(&m->txn, domains, domid);
	if (r)
		return r < 0 ? r : 0;
	f->told_gone[end] = true;
	return push_plain(m, f, XENSPLIT_EVENT_DOMAIN_GONE,
			  end ? XENSPLIT_END_BACKEND : XENSPLIT_END_FRONTEND);
}

static int check_all_domains(struct xensplit_monitor *m)
{
	struct domains domains = { 0 };
	size_t i;
	int r = 0;

	if (!m->released)
		return 0;
	m->released = false;
	for (i = 0; !r && i < m->table.count; i++) {
		struct followed *f = m->table.devices[i];

		r = check_domain(m, &domains, f, 0, f->id.domid);
		if (!r)
			r = check_domain(m, &domains, f, 1, f->backend_domid);
	}
	domains_clear(&domains);
	return r;
}

static int probe(struct xensplit_monitor *m)
{
	int r;

	if (now_us() < m->probe_us)
		return 0;
	r = store_exists(&m->txn, RECORD_ROOT);
	m->probe_us = now_us() + PROBE_US;
	/* A refusal is an answer, too. */
	return r < 0 && r != -EACCES ? r : 0;
}

/* Handles what is pending now; later changes are for the next call. */
static int look_at_pending(struct xensplit_monitor *m)
{
	size_t count = m->table.pending_count;
	int r = 0;

	while (!r && count--) {
		struct followed *f = table_next_pending(&m->table);

		r = refresh(m, f);
		if (r)
			table_pend(&m->table, f);
	}
	return r;
}

static int process(struct xensplit_monitor *m)
{
	int r = drain(m);

	m->more = m->drained == DRAIN_MAX;
	/* While the queue is full, only count what fires. */
	if (r || m->events.count >= EVENTS_MAX)
		return r ? r : probe(m);
	r = scan(m);
	if (!r)
		r = look_at_trees(&m->txn, &m->watches, &m->table);
	if (!r)
		r = look_at_pending(m);
	if (!r)
		r = check_all_domains(m);
	if (!r)
		r = probe(m);
	if (!r)
		table_forget(&m->table, forget, m);
	m->more |= m->table.pending_count != 0;
	return r;
}

XENSPLIT_API int xensplit_monitor_process(struct xensplit_monitor *monitor)
{
	int r;

	if (!monitor)
		return -EINVAL;
	ctx_begin(monitor->ctx);
	if (monitor->dead)
		return fail(monitor->ctx, -ENOTCONN, "xenstored does not answer");
	r = process(monitor);
	monitor->dead = r == -ENOTCONN;
	if (!r)
		ctx_begin(monitor->ctx);
	return r;
}

/* --- the object --- */

static int start(struct xensplit_monitor *m)
{
	char path[PATH_SIZE];
	struct device_id only;
	int r = 0;

	if (m->single) {
		r = id_set(m->ctx, &only, m->filter.domid, m->filter.type,
			   m->filter.devid);
		if (!r)
			r = monitor_follow(m, &only);
		path_record(path, &only, NULL);
	} else {
		snprintf(path, sizeof(path), "%s", RECORD_ROOT);
		monitor_want_scan(m, XENSPLIT_ANY);
	}
	if (!r)
		r = store_watch(&m->txn, path, "records");
	/* Only a privileged domain may set it; others notice from the nodes alone. */
	if (!r) {
		r = store_watch(&m->txn, "@releaseDomain", "release");
		if (r == -EACCES)
			r = 0;
	}
	m->probe_us = now_us() + PROBE_US;
	m->watches.starting = true;
	if (!r)
		r = process(m);
	m->watches.starting = false;
	return r;
}

XENSPLIT_API int xensplit_monitor_new(struct xensplit_ctx *ctx,
				      const struct xensplit_filter *filter,
				      struct xensplit_monitor **ret_monitor)
{
	struct xensplit_monitor *m;
	int r;

	if (!ctx || !ret_monitor)
		return -EINVAL;
	ctx_begin(ctx);
	m = calloc(1, sizeof(*m));
	if (!m)
		return fail(ctx, -ENOMEM, "out of memory");
	m->ctx = ctx;
	m->txn.ctx = ctx;
	table_init(&m->table);
	r = id_check_filter(ctx, filter, &m->filter);
	if (!r) {
		/* The caller's string is valid only during this call. */
		snprintf(m->type, sizeof(m->type), "%s",
			 m->filter.type ? m->filter.type : "");
		if (m->filter.type)
			m->filter.type = m->type;
		m->single = filter_is_single(&m->filter);
		m->txn.xs = store_open();
		r = m->txn.xs ? start(m)
			      : fail(ctx, -ENOTCONN,
				     "no connection to xenstored for watches");
	}
	if (r) {
		xensplit_monitor_free(m);
		return r;
	}
	ctx_begin(ctx);
	*ret_monitor = m;
	return 0;
}

XENSPLIT_API struct xensplit_monitor *
xensplit_monitor_free(struct xensplit_monitor *monitor)
{
	if (!monitor)
		return NULL;
	/* Closing the connection ends its watches. */
	store_close(monitor->txn.xs);
	events_clear(&monitor->events);
	table_clear(&monitor->table);
	watches_clear(&monitor->watches);
	free(monitor);
	return NULL;
}

XENSPLIT_API int xensplit_monitor_get_fd(struct xensplit_monitor *monitor)
{
	return monitor ? store_watch_fd(monitor->txn.xs) : -EINVAL;
}

XENSPLIT_API int xensplit_monitor_get_events(struct xensplit_monitor *monitor)
{
	return monitor ? POLLIN : -EINVAL;
}

XENSPLIT_API uint64_t xensplit_monitor_get_timeout(struct xensplit_monitor *monitor)
{
	if (!monitor || monitor->more || monitor->events.count)
		return 0;
	return monitor->probe_us;
}
