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
	r = push_plain(m, f, XENSPLIT_EVENT_DOMAIN_GONE,
		       end ? XENSPLIT_END_BACKEND : XENSPLIT_END_FRONTEND);
	f->told_gone[end] = !r;
	return r;
}

static int check_all_domains(struct xensplit_monitor *m)
{
	struct domains domains = { 0 };
	size_t i;
	int r = 0;

	if (!m->released)
		return 0;
	for (i = 0; !r && i < m->table.count; i++) {
		struct followed *f = m->table.devices[i];

		r = check_domain(m, &domains, f, 0, f->id.domid);
		if (!r)
			r = check_domain(m, &domains, f, 1, f->backend_domid);
	}
	domains_clear(&domains);
	m->released = r != 0;
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

static int look_at_all(struct xensplit_monitor *m)
{
	int r = monitor_scan(m);

	if (!r)
		r = look_at_trees(&m->txn, &m->watches, &m->table);
	if (!r)
		r = look_at_pending(m);
	return r ? r : check_all_domains(m);
}

/* --- the domain that has the name --- */

static int watch_records(struct xensplit_monitor *m)
{
	struct device_id only;
	char path[PATH_SIZE];
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
	if (!r && (m->single || !m->begun))
		r = store_watch(&m->txn, path, "records");
	m->begun |= !r;
	return r;
}

/* Of what is there, whose watches have just been set. */
static int first_look(struct xensplit_monitor *m)
{
	int r;

	m->watches.starting = true;
	r = drain(m);
	if (!r)
		r = look_at_all(m);
	m->watches.starting = false;
	m->more |= m->table.pending_count != 0;
	return r;
}

/* Forgets the devices of the domain that had the name. */
static void leave(struct xensplit_monitor *m)
{
	char path[PATH_SIZE];
	size_t i;

	if (m->single && m->table.count) {
		path_record(path, &m->table.devices[0]->id, NULL);
		store_unwatch(&m->txn, path, "records");
	}
	for (i = 0; i < m->table.count; i++)
		forget(m->table.devices[i], m);
	table_clear(&m->table);
	m->rescan = false;
	memset(&m->rescans, 0, sizeof(m->rescans));
}

static int report_domain(struct xensplit_monitor *m)
{
	struct device_id none = { .domid = m->named.domid, .devid = XENSPLIT_ANY };
	struct xensplit_event *event;
	char *name = strdup(m->named.name);

	event = name ? events_push(&m->events, &none, "", XENSPLIT_EVENT_DOMAIN) : NULL;
	if (!event) {
		free(name);
		return fail(m->ctx, -ENOMEM, "out of memory");
	}
	event->backend_domid = XENSPLIT_ANY;
	event->text = name;
	return 0;
}

/* Until another one has the name, the devices of the one that had it are followed. */
static int follow_name(struct xensplit_monitor *m)
{
	int r;

	if (!m->named.name)
		return 0;
	r = named_look(&m->txn, &m->named);
	if (!r && m->named.changed) {
		r = report_domain(m);
		m->named.changed = r != 0;
	}
	if (r || named_is_missing(&m->named) || m->named.domid == m->filter.domid)
		return r;
	leave(m);
	m->filter.domid = m->named.domid;
	r = watch_records(m);
	if (!r)
		return first_look(m);
	leave(m);
	m->filter.domid = XENSPLIT_ANY; /* the next call tries again */
	return r;
}

/* --- */

static int process(struct xensplit_monitor *m)
{
	int r = drain(m);

	m->more = m->drained == DRAIN_MAX;
	/* While the queue is full, only count what fires. */
	if (r || m->events.count >= EVENTS_MAX)
		return r ? r : probe(m);
	r = look_at_all(m);
	if (!r)
		r = follow_name(m);
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
	int r;

	m->txn.xs = store_open();
	if (!m->txn.xs)
		return fail(m->ctx, -ENOTCONN, "no connection to xenstored for watches");
	m->probe_us = now_us() + PROBE_US;
	/* Only a privileged domain may set it; others notice from the nodes alone. */
	r = m->watches.states_only ? 0
				   : store_watch(&m->txn, "@releaseDomain", "release");
	if (r == -EACCES)
		r = 0;
	if (!r && m->named.name) {
		r = named_begin(&m->txn, &m->named);
		if (!r && named_is_missing(&m->named))
			return report_domain(m);
		m->filter.domid = m->named.domid;
	}
	if (!r)
		r = watch_records(m);
	return r ? r : first_look(m);
}

static int set_filter(struct xensplit_monitor *m, const struct xensplit_filter *filter)
{
	int r = id_check_filter(m->ctx, filter, &m->filter);

	if (r)
		return r;
	/* The caller's string is valid only during this call. */
	snprintf(m->type, sizeof(m->type), "%s", m->filter.type ? m->filter.type : "");
	if (m->filter.type)
		m->filter.type = m->type;
	m->single = m->filter.type && m->filter.devid != XENSPLIT_ANY &&
		    (m->named.name || m->filter.domid != XENSPLIT_ANY);
	if (m->named.name && m->filter.domid != XENSPLIT_ANY)
		return fail(m->ctx, -EINVAL, "the filter has a domain, too");
	return 0;
}

/* @name: NULL for the domain of the filter */
static int create(struct xensplit_ctx *ctx, const char *name,
		  const struct xensplit_filter *filter, bool states_only,
		  struct xensplit_monitor **ret_monitor)
{
	struct xensplit_monitor *m = calloc(1, sizeof(*m));
	int r;

	ctx_begin(ctx);
	if (!m)
		return fail(ctx, -ENOMEM, "out of memory");
	m->ctx = ctx;
	m->txn.ctx = ctx;
	m->watches.states_only = states_only;
	table_init(&m->table);
	r = name ? named_set(ctx, &m->named, name) : 0;
	if (!r)
		r = set_filter(m, filter);
	if (!r)
		r = start(m);
	if (r) {
		xensplit_monitor_free(m);
		return r;
	}
	ctx_begin(ctx);
	*ret_monitor = m;
	return 0;
}

int monitor_of_states(struct xensplit_ctx *ctx, struct xensplit_monitor **ret_monitor)
{
	return create(ctx, NULL, NULL, true, ret_monitor);
}

XENSPLIT_API int xensplit_monitor_new(struct xensplit_ctx *ctx,
				      const struct xensplit_filter *filter,
				      struct xensplit_monitor **ret_monitor)
{
	return ctx && ret_monitor ? create(ctx, NULL, filter, false, ret_monitor)
				  : -EINVAL;
}

XENSPLIT_API int xensplit_monitor_new_named(struct xensplit_ctx *ctx, const char *name,
					    const struct xensplit_filter *filter,
					    struct xensplit_monitor **ret_monitor)
{
	return ctx && name && ret_monitor ? create(ctx, name, filter, false, ret_monitor)
					  : -EINVAL;
}

XENSPLIT_API struct xensplit_monitor *
xensplit_monitor_free(struct xensplit_monitor *monitor)
{
	if (!monitor)
		return NULL;
	/* Closing the connection ends its watches. */
	store_close(monitor->ctx, monitor->txn.xs);
	events_clear(&monitor->events);
	table_clear(&monitor->table);
	watches_clear(&monitor->watches);
	named_clear(&monitor->named);
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
	if (named_is_missing(&monitor->named) &&
	    monitor->named.look_us < monitor->probe_us)
		return monitor->named.look_us;
	return monitor->probe_us;
}
