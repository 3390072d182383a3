// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Watches turned into events.
 *
 * A watch only says that something happened: all that fired is taken in first,
 * then each node that it was about is read once. What a guest writes faster than
 * that is counted, and told of as missed.
 */
#include <poll.h>

#include "monitor.h"

/* A dead xenstored does not wake the descriptor: ask it this often. */
#define PROBE_US 1000000
/* How much is taken in at a time, and how many events may wait to be taken. */
#define DRAIN_MAX  65536
#define EVENTS_MAX 4096

enum part {
	PART_FRONTEND,
	PART_BACKEND,
	PART_FRONTEND_ERROR,
	PART_BACKEND_ERROR,
	PARTS
};

struct followed {
	struct device_id id;
	uint64_t serial; /* what a watch's token names it by */
	uint32_t backend_domid;
	bool recorded;
	bool present;
	bool seen;     /* by the scan that is under way */
	bool relocate; /* its record was touched */
	bool told_gone[2];
	bool watched[PARTS];
	bool first_fire[PARTS]; /* each watch fires once when it is set */
	bool unread[PARTS];
	unsigned int fired[PARTS];
	bool ahead[2]; /* a change was read before its watch fired */
	int state[2];
};

struct queued {
	struct xensplit_event event;
	struct device_id id;
	char *text;
};

struct xensplit_monitor {
	struct xensplit_ctx *ctx;
	struct txn txn; /* a connection of its own */
	struct xensplit_filter filter;
	struct device_id only; /* where the filter names one device */
	bool single;
	struct followed **devices;
	size_t count;
	uint64_t serials;
	bool rescan;
	bool released;
	struct queued *queue;
	size_t queue_head, queue_count, queue_room;
	struct queued current;
	uint64_t probe_us;
	bool more; /* something was taken in that is yet to be looked at */
	bool dead;
};

/* --- events --- */

static void queued_clear(struct queued *queued)
{
	free(queued->text);
	memset(queued, 0, sizeof(*queued));
}

static struct queued *push(struct xensplit_monitor *m, const struct followed *f, int type,
			   int end)
{
	struct queued *queued;

	if (m->queue_count == m->queue_room) {
		size_t room = m->queue_room ? 2 * m->queue_room : 16, i;
		struct queued *more = calloc(room, sizeof(*more));

		if (!more)
			return NULL;
		for (i = 0; i < m->queue_count; i++)
			more[i] = m->queue[(m->queue_head + i) % m->queue_room];
		free(m->queue);
		m->queue = more;
		m->queue_room = room;
		m->queue_head = 0;
	}
	queued = &m->queue[(m->queue_head + m->queue_count++) % m->queue_room];
	memset(queued, 0, sizeof(*queued));
	queued->id = f->id;
	queued->event.type = type;
	queued->event.end = end;
	queued->event.backend_domid = f->backend_domid;
	queued->event.from = f->state[0];
	queued->event.to = f->state[1];
	queued->event.time_us = now_us();
	return queued;
}

static int push_plain(struct xensplit_monitor *m, const struct followed *f, int type,
		      int end)
{
	return push(m, f, type, end) ? 0 : fail(m->ctx, -ENOMEM, "out of memory");
}

XENSPLIT_API int xensplit_monitor_next(struct xensplit_monitor *monitor,
				       const struct xensplit_event **ret_event)
{
	struct queued *current;

	if (!monitor || !ret_event)
		return -EINVAL;
	current = &monitor->current;
	queued_clear(current);
	if (!monitor->queue_count)
		return 0;
	*current = monitor->queue[monitor->queue_head];
	monitor->queue_head = (monitor->queue_head + 1) % monitor->queue_room;
	monitor->queue_count--;
	current->event.id.domid = current->id.domid;
	current->event.id.type = current->id.type;
	current->event.id.devid = current->id.devid;
	current->event.text = current->text;
	*ret_event = &current->event;
	return 1;
}

/* --- the devices that are followed --- */

static void part_path(char *path, const struct followed *f, enum part part)
{
	switch (part) {
	case PART_FRONTEND:
		path_frontend(path, &f->id, "state");
		return;
	case PART_BACKEND:
		path_backend(path, &f->id, f->backend_domid, "state");
		return;
	case PART_FRONTEND_ERROR:
		path_frontend_error(path, &f->id, "error");
		return;
	default:
		path_backend_error(path, &f->id, f->backend_domid, "error");
		return;
	}
}

static void part_token(char *token, size_t size, const struct followed *f, enum part part)
{
	snprintf(token, size, "%" PRIu64 ":%d", f->serial, (int)part);
}

static int watch_part(struct xensplit_monitor *m, struct followed *f, enum part part)
{
	char path[PATH_SIZE], token[40];
	int r;

	if (f->watched[part])
		return 0;
	if ((part == PART_BACKEND || part == PART_BACKEND_ERROR) &&
	    f->backend_domid == XENSPLIT_ANY)
		return 0;
	part_path(path, f, part);
	part_token(token, sizeof(token), f, part);
	r = store_watch(&m->txn, path, token);
	if (r)
		return r;
	f->watched[part] = true;
	f->first_fire[part] = true;
	f->unread[part] = true;
	return 0;
}

static void unwatch_part(struct xensplit_monitor *m, struct followed *f, enum part part)
{
	char path[PATH_SIZE], token[40];

	if (!f->watched[part])
		return;
	part_path(path, f, part);
	part_token(token, sizeof(token), f, part);
	store_unwatch(&m->txn, path, token);
	f->watched[part] = false;
}

static int watch_all(struct xensplit_monitor *m, struct followed *f)
{
	int part, r = 0;

	for (part = 0; !r && part < PARTS; part++)
		r = watch_part(m, f, (enum part)part);
	return r;
}

static struct followed *find_followed(struct xensplit_monitor *m,
				      const struct device_id *id)
{
	size_t i;

	for (i = 0; i < m->count; i++)
		if (!id_compare(&m->devices[i]->id, id))
			return m->devices[i];
	return NULL;
}

/* In the order of their serials, as the devices are found by them. */
static int follow(struct xensplit_monitor *m, const struct device_id *id,
		  struct followed **ret)
{
	struct followed **more, *f;

	more = realloc(m->devices, (m->count + 1) * sizeof(struct followed *));
	if (!more)
		return fail(m->ctx, -ENOMEM, "out of memory");
	m->devices = more;
	f = calloc(1, sizeof(*f));
	if (!f)
		return fail(m->ctx, -ENOMEM, "out of memory");
	f->id = *id;
	f->serial = ++m->serials;
	f->backend_domid = XENSPLIT_ANY;
	f->state[0] = f->state[1] = XENSPLIT_STATE_ABSENT;
	m->devices[m->count++] = f;
	*ret = f;
	return 0;
}

static void unfollow(struct xensplit_monitor *m, size_t index)
{
	struct followed *f = m->devices[index];
	int part;

	for (part = 0; part < PARTS; part++)
		unwatch_part(m, f, (enum part)part);
	free(f);
	m->count--;
	memmove(m->devices + index, m->devices + index + 1,
		(m->count - index) * sizeof(struct followed *));
}

/* A backend that is somewhere else than it was: its watches move along. */
static int set_backend(struct xensplit_monitor *m, struct followed *f,
		       const struct place *place)
{
	if (f->backend_domid != place->backend_domid ||
	    strcmp(f->id.backend_type, place->id.backend_type) != 0) {
		unwatch_part(m, f, PART_BACKEND);
		unwatch_part(m, f, PART_BACKEND_ERROR);
		f->backend_domid = place->backend_domid;
		f->id = place->id;
		f->ahead[1] = false;
		f->told_gone[1] = false;
	}
	return watch_all(m, f);
}

/* Is there a record, or (for a single device) halves that somebody else made? */
static int locate(struct xensplit_monitor *m, struct followed *f)
{
	struct place place;
	struct record record;
	int r;

	f->relocate = false;
	if (m->single) {
		r = place_find(&m->txn, &f->id, &place);
	} else {
		r = record_read(&m->txn, &f->id, &record);
		place.id = record.id;
		place.backend_domid = record.backend_domid;
		place.recorded = true;
	}
	f->recorded = !r && place.recorded;
	if (!r)
		return set_backend(m, f, &place);
	if (r == -EBADMSG)
		log_warn(m->ctx, "%s", m->ctx->errmsg);
	return r == -ENOENT || r == -EBADMSG ? watch_all(m, f) : r;
}

/* --- what has become of one --- */

static int read_states(struct xensplit_monitor *m, const struct followed *f,
		       int states[2])
{
	struct place place = { f->id, f->backend_domid, f->recorded };

	return place_states(&m->txn, &place, &states[0], &states[1]);
}

static int report_error(struct xensplit_monitor *m, struct followed *f, enum part part)
{
	struct queued *queued;
	char path[PATH_SIZE], *text;
	size_t len;
	int r;

	part_path(path, f, part);
	r = store_read(&m->txn, path, &text, &len);
	if (r || !len) {
		if (!r)
			free(text);
		return r == -ENOENT ? 0 : r;
	}
	queued = push(m, f, XENSPLIT_EVENT_ERROR,
		      part == PART_FRONTEND_ERROR ? XENSPLIT_END_FRONTEND
						  : XENSPLIT_END_BACKEND);
	if (!queued) {
		free(text);
		return fail(m->ctx, -ENOMEM, "out of memory");
	}
	text[len < VALUE_MAX_LEN ? len : VALUE_MAX_LEN] = '\0';
	queued->text = text;
	return 0;
}

static int report_change(struct xensplit_monitor *m, struct followed *f, int end,
			 int state)
{
	struct queued *queued;
	int from = f->state[end];

	f->state[end] = state;
	if (from == state)
		return 0;
	queued = push(m, f, XENSPLIT_EVENT_STATE,
		      end ? XENSPLIT_END_BACKEND : XENSPLIT_END_FRONTEND);
	if (!queued)
		return fail(m->ctx, -ENOMEM, "out of memory");
	queued->event.from = from;
	queued->event.to = state;
	return 0;
}

static int report_missed(struct xensplit_monitor *m, struct followed *f,
			 unsigned int missed)
{
	struct queued *queued;

	if (!missed)
		return 0;
	queued = push(m, f, XENSPLIT_EVENT_RESYNC, XENSPLIT_END_NONE);
	if (!queued)
		return fail(m->ctx, -ENOMEM, "out of memory");
	queued->event.missed = missed;
	return 0;
}

/*
 * What fired for neither this change nor the one that was read before. Xenstored does not
 * queue a second event like the first, so it may have been more.
 */
static unsigned int count_missed(struct followed *f, int end, unsigned int changes)
{
	unsigned int fired = f->fired[end];

	if (fired < changes) {
		if (!f->unread[end]) /* otherwise it has fired already */
			f->ahead[end] = true;
		return 0;
	}
	fired -= changes;
	if (!fired || !f->ahead[end])
		return fired;
	f->ahead[end] = false;
	return fired - 1;
}

static int report_states(struct xensplit_monitor *m, struct followed *f,
			 const int states[2])
{
	unsigned int missed = 0;
	int end, r = 0;

	for (end = 0; !r && end < 2; end++) {
		missed += count_missed(f, end, f->state[end] != states[end]);
		r = report_change(m, f, end, states[end]);
	}
	return r ? r : report_missed(m, f, missed);
}

static unsigned int drain(struct xensplit_monitor *m);

/*
 * Xenstored tells of a write before it answers a later read: what has fired by now is about
 * what was read, or comes after it and is read again.
 */
static int report_appeared(struct xensplit_monitor *m, struct followed *f,
			   const int states[2])
{
	f->present = true;
	f->ahead[0] = f->ahead[1] = false;
	memcpy(f->state, states, sizeof(f->state));
	if (drain(m))
		m->more = true;
	return push_plain(m, f, XENSPLIT_EVENT_APPEARED, XENSPLIT_END_NONE);
}

static int report_vanished(struct xensplit_monitor *m, struct followed *f)
{
	f->present = false;
	f->state[0] = f->state[1] = XENSPLIT_STATE_ABSENT;
	f->told_gone[0] = f->told_gone[1] = false;
	return push_plain(m, f, XENSPLIT_EVENT_VANISHED, XENSPLIT_END_NONE);
}

/* Where it is and what it says. An end that is absent can mean that it has moved. */
static int look(struct xensplit_monitor *m, struct followed *f, int states[2])
{
	bool located = f->relocate || !f->present;
	int r = located ? locate(m, f) : 0;

	if (!r)
		r = read_states(m, f, states);
	if (r || located ||
	    (states[0] != XENSPLIT_STATE_ABSENT && states[1] != XENSPLIT_STATE_ABSENT))
		return r;
	r = locate(m, f);
	return r ? r : read_states(m, f, states);
}

static int refresh_states(struct xensplit_monitor *m, struct followed *f)
{
	int states[2];
	bool there, appeared;
	int r = look(m, f, states);

	if (r)
		return r;
	there = f->recorded || states[0] != XENSPLIT_STATE_ABSENT ||
		states[1] != XENSPLIT_STATE_ABSENT;
	appeared = there && !f->present;
	if (appeared)
		r = report_appeared(m, f, states);
	else if (there)
		r = report_states(m, f, states);
	else if (f->present)
		r = report_vanished(m, f);
	f->unread[PART_FRONTEND] = appeared && f->fired[PART_FRONTEND];
	f->unread[PART_BACKEND] = appeared && f->fired[PART_BACKEND];
	f->fired[PART_FRONTEND] = f->fired[PART_BACKEND] = 0;
	return r;
}

static bool is_unread(const struct followed *f, enum part part)
{
	return f->fired[part] || f->unread[part];
}

static int refresh(struct xensplit_monitor *m, struct followed *f)
{
	int part, r = 0;

	if (f->relocate || is_unread(f, PART_FRONTEND) || is_unread(f, PART_BACKEND))
		r = refresh_states(m, f);
	for (part = PART_FRONTEND_ERROR; !r && part < PARTS; part++) {
		if (is_unread(f, (enum part)part))
			r = report_error(m, f, (enum part)part);
		f->fired[part] = 0;
		f->unread[part] = false;
	}
	return r;
}

/* --- which devices there are --- */

static int note_record(struct txn *txn, const struct device_id *id, void *data)
{
	struct xensplit_monitor *m = data;
	struct followed *f = find_followed(m, id);
	int r;

	(void)txn;
	if (!f) {
		r = follow(m, id, &f);
		if (r)
			return r;
		f->relocate = true;
	}
	f->seen = true;
	return 0;
}

static int scan(struct xensplit_monitor *m)
{
	size_t i;
	int r;

	m->rescan = false;
	for (i = 0; i < m->count; i++)
		m->devices[i]->seen = false;
	r = record_foreach(&m->txn, &m->filter, note_record, m);
	for (i = 0; i < m->count; i++)
		if (!m->devices[i]->seen)
			m->devices[i]->relocate = true;
	return r;
}

static void forget_vanished(struct xensplit_monitor *m)
{
	size_t i = 0;

	while (!m->single && i < m->count)
		if (m->devices[i]->present || m->devices[i]->recorded)
			i++;
		else
			unfollow(m, i);
}

static int check_domain(struct xensplit_monitor *m, struct followed *f, int end,
			uint32_t domid)
{
	int r;

	if (!f->present || f->told_gone[end] || domid == XENSPLIT_ANY)
		return 0;
	r = domain_identity(&m->txn, domid, NULL, NULL);
	if (r != -ESRCH)
		return r;
	f->told_gone[end] = true;
	return push_plain(m, f, XENSPLIT_EVENT_DOMAIN_GONE,
			  end ? XENSPLIT_END_BACKEND : XENSPLIT_END_FRONTEND);
}

static int check_domains(struct xensplit_monitor *m)
{
	size_t i;
	int r = 0;

	if (!m->released)
		return 0;
	m->released = false;
	for (i = 0; !r && i < m->count; i++) {
		struct followed *f = m->devices[i];

		r = check_domain(m, f, 0, f->id.domid);
		if (!r)
			r = check_domain(m, f, 1, f->backend_domid);
	}
	return r;
}

/* --- taking in --- */

/* /xensplit/D/T/I, or a key below it: that device; a parent: all have to be looked for. */
static void take_record_path(struct xensplit_monitor *m, const char *path)
{
	struct device_id id = { 0 };
	struct followed *f;
	int used = 0;

	if (sscanf(path, "/xensplit/%" SCNu32 "/%127[^/]/%" SCNu32 "%n", &id.domid,
		   id.type, &id.devid, &used) == 3 &&
	    (path[used] == '\0' || path[used] == '/')) {
		f = find_followed(m, &id);
		if (f) {
			f->relocate = true;
			return;
		}
	}
	m->rescan = !m->single;
}

static int compare_serial(const void *key, const void *element)
{
	const struct followed *const *f = element;
	uint64_t serial = *(const uint64_t *)key;

	return serial < (*f)->serial ? -1 : serial > (*f)->serial;
}

static void take_device_token(struct xensplit_monitor *m, const char *token)
{
	const char *colon = strchr(token, ':');
	struct followed **found, *f;
	uint64_t serial, part;

	if (!colon ||
	    !parse_number(token, (size_t)(colon - token), UINT64_MAX, &serial) ||
	    !parse_number(colon + 1, strlen(colon + 1), PARTS - 1, &part))
		return;
	found = m->count ? bsearch(&serial, m->devices, m->count,
				   sizeof(struct followed *), compare_serial)
			 : NULL;
	if (!found)
		return;
	f = *found;
	if (f->first_fire[part])
		f->first_fire[part] = false;
	else
		f->fired[part]++;
}

/* Returns: how many watches had fired, of those that were taken in. */
static unsigned int drain(struct xensplit_monitor *m)
{
	unsigned int taken;

	for (taken = 0; taken < DRAIN_MAX; taken++) {
		char **watch = store_next_watch(m->txn.xs);

		if (!watch)
			break;
		if (!strcmp(watch[XS_WATCH_TOKEN], "records"))
			take_record_path(m, watch[XS_WATCH_PATH]);
		else if (!strcmp(watch[XS_WATCH_TOKEN], "release"))
			m->released = true;
		else
			take_device_token(m, watch[XS_WATCH_TOKEN]);
		free(watch);
	}
	return taken;
}

static int probe(struct xensplit_monitor *m)
{
	int r;

	if (now_us() < m->probe_us)
		return 0;
	r = store_exists(&m->txn, RECORD_ROOT);
	m->probe_us = now_us() + PROBE_US;
	/* Being refused is an answer too. */
	return r < 0 && r != -EACCES ? r : 0;
}

XENSPLIT_API int xensplit_monitor_process(struct xensplit_monitor *monitor)
{
	size_t i;
	int r;

	if (!monitor)
		return -EINVAL;
	if (monitor->dead)
		return fail(monitor->ctx, -ENOTCONN, "xenstored does not answer");
	monitor->more = drain(monitor) == DRAIN_MAX;
	/* What fires is only counted until somebody takes events. */
	if (monitor->queue_count >= EVENTS_MAX)
		return probe(monitor);
	r = monitor->rescan ? scan(monitor) : 0;
	for (i = 0; !r && i < monitor->count; i++)
		r = refresh(monitor, monitor->devices[i]);
	if (!r)
		r = check_domains(monitor);
	if (!r)
		r = probe(monitor);
	if (!r)
		forget_vanished(monitor);
	monitor->dead = r == -ENOTCONN;
	return r;
}

/* --- the object --- */

static int start(struct xensplit_monitor *m)
{
	char path[PATH_SIZE];
	struct followed *f;
	int r;

	if (m->single)
		path_record(path, &m->only, NULL);
	else
		snprintf(path, sizeof(path), "%s", RECORD_ROOT);
	r = store_watch(&m->txn, path, "records");
	/* Only a privileged domain may; others learn by their nodes alone. */
	if (!r) {
		r = store_watch(&m->txn, "@releaseDomain", "release");
		if (r == -EACCES)
			r = 0;
	}
	if (!r && m->single)
		r = follow(m, &m->only, &f);
	if (!r && m->single)
		f->relocate = true;
	m->rescan = !m->single;
	m->probe_us = now_us() + PROBE_US;
	return r ? r : xensplit_monitor_process(m);
}

XENSPLIT_API int xensplit_monitor_new(struct xensplit_ctx *ctx,
				      const struct xensplit_filter *filter,
				      struct xensplit_monitor **ret_monitor)
{
	struct xensplit_monitor *m;
	int r;

	if (!ctx || !ret_monitor)
		return -EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return fail(ctx, -ENOMEM, "out of memory");
	m->ctx = ctx;
	m->txn.ctx = ctx;
	r = id_check_filter(ctx, filter, &m->filter);
	m->single = !r && m->filter.domid != XENSPLIT_ANY && m->filter.type &&
		    m->filter.devid != XENSPLIT_ANY;
	if (m->single)
		r = id_set(ctx, &m->only, m->filter.domid, m->filter.type,
			   m->filter.devid);
	if (!r) {
		m->txn.xs = store_open();
		r = m->txn.xs ? start(m)
			      : fail(ctx, -ENOTCONN,
				     "no connection to xenstored for watches");
	}
	if (r) {
		xensplit_monitor_free(m);
		return r;
	}
	*ret_monitor = m;
	return 0;
}

XENSPLIT_API struct xensplit_monitor *
xensplit_monitor_free(struct xensplit_monitor *monitor)
{
	size_t i;

	if (!monitor)
		return NULL;
	/* Closing the connection ends its watches. */
	store_close(monitor->txn.xs);
	for (i = 0; i < monitor->count; i++)
		free(monitor->devices[i]);
	for (i = 0; i < monitor->queue_count; i++)
		queued_clear(
			&monitor->queue[(monitor->queue_head + i) % monitor->queue_room]);
	queued_clear(&monitor->current);
	free(monitor->devices);
	free(monitor->queue);
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
	if (!monitor || monitor->more || monitor->queue_count)
		return 0;
	return monitor->probe_us;
}

void monitor_view(const struct xensplit_monitor *monitor, struct view *ret_view)
{
	const struct followed *f = monitor->devices[0];

	ret_view->present = f->present;
	ret_view->backend_domid = f->backend_domid;
	ret_view->frontend_state = f->state[0];
	ret_view->backend_state = f->state[1];
}
