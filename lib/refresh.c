// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reads a device whose watch fired: each node once, however often it was written,
 * and counts the changes missed by that.
 */
#include "monitor.h"

static struct xensplit_event *push(struct xensplit_monitor *m, const struct followed *f,
				   int type, int end)
{
	struct xensplit_event *event =
		events_push(&m->events, &f->id, f->unique_id, type);

	if (!event) {
		failure_set(m->ctx, -ENOMEM, NULL, "out of memory");
		return NULL;
	}
	event->end = end;
	event->backend_domid = f->backend_domid;
	event->from = f->state[0];
	event->to = f->state[1];
	return event;
}

int push_plain(struct xensplit_monitor *m, const struct followed *f, int type, int end)
{
	return push(m, f, type, end) ? 0 : -ENOMEM;
}

/* --- location --- */

void unwatch_part(struct xensplit_monitor *m, struct followed *f, enum part part)
{
	if (m->single)
		unwatch_device(&m->txn, f, part);
	else
		unwatch_tree(&m->txn, &m->watches, f, part);
}

static int watch_parts(struct xensplit_monitor *m, struct followed *f)
{
	return m->single ? watch_device(&m->txn, f)
			 : watch_trees(&m->txn, &m->watches, f);
}

/* Moves the watches if the backend has moved. */
static int set_place(struct xensplit_monitor *m, struct followed *f,
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
	return watch_parts(m, f);
}

static int report_vanished(struct xensplit_monitor *m, struct followed *f)
{
	int r;

	f->state[0] = f->state[1] = XENSPLIT_STATE_ABSENT;
	r = push_plain(m, f, XENSPLIT_EVENT_VANISHED, XENSPLIT_END_NONE);
	if (r)
		return r;
	f->present = false;
	f->told_gone[0] = f->told_gone[1] = false;
	return 0;
}

static int find_foreign(struct txn *txn, struct place *place)
{
	struct claims claims = { 0 };
	char path[PATH_SIZE];
	int r = claims_find(txn, &place->id, &claims);

	if (!r)
		r = claims_choose(txn, &place->id, &claims, &place->backend_domid);
	if (!r && !claims.count) {
		path_frontend(path, &place->id, NULL);
		r = store_exists(txn, path);
		r = r > 0 ? 0 : r < 0 ? r : -ENOENT;
	}
	claims_clear(&claims);
	return r;
}

/* -ENOENT if there is none, -EXDEV if its backend does not match the filter. */
static int find_place(struct xensplit_monitor *m, const struct followed *f,
		      struct record *record, struct place *place)
{
	int r = record_read(&m->txn, &f->id, record);

	*place = (struct place){ .id = f->id, .backend_domid = XENSPLIT_ANY };
	if (!r) {
		place->id = record->id;
		place->backend_domid = record->backend_domid;
		place->recorded = true;
	} else if (r == -EBADMSG) {
		log_debug(m->ctx, "%s", m->ctx->failure.text);
		r = -ENOENT;
	} else if (r == -ENOENT && m->single) {
		*record->unique_id = '\0';
		r = find_foreign(&m->txn, place);
	}
	if (!r && !backend_matches(place->backend_domid, &m->filter))
		r = -EXDEV;
	return r;
}

/*
 * Is there a record, or (for a single device) a foreign device? A device from
 * another attach is a different one.
 */
static int locate(struct xensplit_monitor *m, struct followed *f)
{
	struct record record = { .unique_id = "" };
	struct place place;
	int r = find_place(m, f, &record, &place);

	if (r && r != -ENOENT && r != -EXDEV)
		return r;
	f->relocate = false;
	f->elsewhere = r == -EXDEV;
	f->recorded = !r && place.recorded;
	if (r)
		return m->single ? watch_parts(m, f) : 0;
	if (f->present && place.recorded && strcmp(f->unique_id, record.unique_id) != 0) {
		r = report_vanished(m, f);
		if (r)
			return r;
	}
	memcpy(f->unique_id, record.unique_id, sizeof(f->unique_id));
	return set_place(m, f, &place);
}

/* --- states and errors --- */

static int report_error(struct xensplit_monitor *m, struct followed *f, enum part part)
{
	struct xensplit_event *event;
	char path[PATH_SIZE], *text;
	size_t len;
	int r;

	if (part == PART_BACKEND_ERROR && f->backend_domid == XENSPLIT_ANY)
		return 0;
	part_path(path, f, part);
	r = store_read(&m->txn, path, &text, &len);
	if (r || !len) {
		if (!r)
			free(text);
		return r == -ENOENT || r == -EACCES ? 0 : r;
	}
	event = push(m, f, XENSPLIT_EVENT_ERROR,
		     part == PART_FRONTEND_ERROR ? XENSPLIT_END_FRONTEND
						 : XENSPLIT_END_BACKEND);
	if (!event) {
		free(text);
		return -ENOMEM;
	}
	text[len < VALUE_MAX_LEN ? len : VALUE_MAX_LEN] = '\0';
	event->text = text;
	return 0;
}

static int report_change(struct xensplit_monitor *m, struct followed *f, int end,
			 int state)
{
	struct xensplit_event *event;
	int from = f->state[end];

	if (from == state)
		return 0;
	event = push(m, f, XENSPLIT_EVENT_STATE,
		     end ? XENSPLIT_END_BACKEND : XENSPLIT_END_FRONTEND);
	if (!event)
		return -ENOMEM;
	event->from = from;
	event->to = state;
	f->state[end] = state;
	return 0;
}

static int report_missed(struct xensplit_monitor *m, struct followed *f)
{
	struct xensplit_event *event;

	if (!f->missed)
		return 0;
	event = push(m, f, XENSPLIT_EVENT_RESYNC, XENSPLIT_END_NONE);
	if (!event)
		return -ENOMEM;
	event->missed = f->missed;
	f->missed = 0;
	return 0;
}

/*
 * Watches that fired for neither this change nor the previous one. A lower limit:
 * xenstored merges identical queued events.
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
	int end;

	for (end = 0; end < 2; end++) {
		bool changed = f->state[end] != states[end];
		int r = report_change(m, f, end, states[end]);

		if (r)
			return r;
		f->missed += count_missed(f, end, changed);
		f->fired[end] = 0;
	}
	return report_missed(m, f);
}

/*
 * Xenstored sends the event of a write before the answer to a later read. So
 * events received by now are covered by what was read, or will be read again.
 */
static int report_appeared(struct xensplit_monitor *m, struct followed *f,
			   const int states[2])
{
	int r;

	f->ahead[0] = f->ahead[1] = false;
	memcpy(f->state, states, sizeof(f->state));
	r = drain(m);
	if (!r)
		r = push_plain(m, f, XENSPLIT_EVENT_APPEARED, XENSPLIT_END_NONE);
	f->present = !r;
	return r;
}

/* When following many, only a device with a record, while any of it is left. */
static bool is_there(const struct xensplit_monitor *m, const struct followed *f)
{
	return !f->elsewhere && (f->recorded || f->present || m->single);
}

static int read_states(struct xensplit_monitor *m, const struct followed *f,
		       int states[2])
{
	struct place place = { f->id, f->backend_domid, f->recorded };

	states[0] = states[1] = XENSPLIT_STATE_ABSENT;
	if (!is_there(m, f))
		return 0;
	return place_states(&m->txn, &place, &states[0], &states[1]);
}

/* Reads location and states. An absent end can mean that the device has moved. */
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

static int report_look(struct xensplit_monitor *m, struct followed *f,
		       const int states[2])
{
	bool there, appeared;
	int r = 0;

	there = f->recorded || states[0] != XENSPLIT_STATE_ABSENT ||
		states[1] != XENSPLIT_STATE_ABSENT;
	appeared = there && !f->present;
	if (appeared)
		r = report_appeared(m, f, states);
	else if (there)
		r = report_states(m, f, states);
	else if (f->present)
		r = report_vanished(m, f);
	if (r)
		return r;
	f->unread[PART_FRONTEND] = appeared && f->fired[PART_FRONTEND];
	f->unread[PART_BACKEND] = appeared && f->fired[PART_BACKEND];
	f->fired[PART_FRONTEND] = f->fired[PART_BACKEND] = 0;
	if (!there && !m->single)
		m->table.vanished = true;
	return 0;
}

/* After a failure it is all to do again, also if no further watch fires. */
static int refresh_states(struct xensplit_monitor *m, struct followed *f)
{
	int states[2], r = look(m, f, states);

	if (!r)
		r = report_look(m, f, states);
	if (r)
		f->relocate = true;
	return r;
}

static bool is_unread(const struct followed *f, enum part part)
{
	return f->fired[part] || f->unread[part];
}

static void forget_fired(struct followed *f)
{
	memset(f->fired, 0, sizeof(f->fired));
	memset(f->unread, 0, sizeof(f->unread));
	f->orphaned = false;
}

/* Is it another device now, of a domain that has the same domid? */
static int look_at_buried(struct xensplit_monitor *m, struct followed *f)
{
	struct record record;
	int r;

	forget_fired(f);
	if (!f->relocate)
		return 0;
	r = record_read(&m->txn, &f->id, &record);
	if (r && r != -ENOENT && r != -EBADMSG)
		return r;
	f->buried = !r && !strcmp(f->unique_id, record.unique_id);
	f->relocate = !r && !f->buried;
	if (r) {
		f->recorded = f->present = false;
		m->table.vanished = true;
	}
	return 0;
}

int refresh(struct xensplit_monitor *m, struct followed *f)
{
	int part, r = f->buried ? look_at_buried(m, f) : 0;

	if (!r && f->orphaned)
		r = look_at_siblings(&m->txn, &m->table, f);
	if (!r &&
	    (f->relocate || is_unread(f, PART_FRONTEND) || is_unread(f, PART_BACKEND)))
		r = refresh_states(m, f);
	if (r)
		return r;
	for (part = PART_FRONTEND_ERROR; part < PARTS; part++) {
		if (is_unread(f, (enum part)part) && is_there(m, f))
			r = report_error(m, f, (enum part)part);
		if (r)
			return r;
		f->fired[part] = 0;
		f->unread[part] = false;
	}
	if (is_unread(f, PART_FRONTEND) || is_unread(f, PART_BACKEND))
		table_pend(&m->table, f);
	return 0;
}
