// SPDX-License-Identifier: LGPL-2.1-or-later
/* Waiting, with a deadline, until the two states of a device are as wanted. */
#include "findings.h"
#include "operation.h"

/* No watch fires for a domain that dies after its nodes are gone. */
#define LOOK_AGAIN_US 1000000

enum end {
	FRONTEND,
	BACKEND
};

static const char *const end_names[] = { "frontend", "backend" };

static const char *states_of(const struct wait *w, char *buf)
{
	return states_text(w->states[FRONTEND], w->states[BACKEND], buf,
			   STATES_TEXT_SIZE);
}

static double elapsed(const struct wait *w)
{
	return (double)(now_us() - w->begun_us) / 1e6;
}

/* --- location and states --- */

static void end_path(const struct wait *w, enum end end, char *path)
{
	if (end == FRONTEND)
		path_frontend(path, &w->place.id, "state");
	else
		path_backend(path, &w->place.id, w->place.backend_domid, "state");
}

static int watch_end(struct xensplit_ctx *ctx, struct wait *w, enum end end)
{
	char path[PATH_SIZE];

	if (end == BACKEND && w->place.backend_domid == XENSPLIT_ANY)
		return 0;
	end_path(w, end, path);
	if (w->watches[end].serial && !strcmp(w->watches[end].path, path))
		return 0;
	hub_unwatch(ctx, &w->watches[end]);
	return hub_watch(ctx, &w->watches[end], path);
}

static int find(struct xensplit_ctx *ctx, struct wait *w)
{
	struct txn txn = TXN_NONE(ctx);
	int r = place_find(&txn, &w->id, &w->place);

	w->found = !r;
	return r == -ENOENT ? 0 : r;
}

static int watch_both(struct xensplit_ctx *ctx, struct wait *w)
{
	int r = watch_end(ctx, w, BACKEND);

	return r ? r : watch_end(ctx, w, FRONTEND);
}

static void log_wait(struct xensplit_ctx *ctx, const struct wait *w)
{
	static const char *const aim[] = { "Connected", "Closed", "gone", "InitWait" };
	char text[ID_TEXT_SIZE];
	uint64_t now = now_us();

	log_verbose(ctx, "%s: waiting until %s, up to %.1f s",
		    id_text(&w->id, text, sizeof(text)), aim[w->until],
		    now < w->deadline_us ? (double)(w->deadline_us - now) / 1e6 : 0);
}

int wait_begin(struct xensplit_ctx *ctx, struct wait *w, const struct place *place)
{
	int r = hub_open(ctx);

	w->states[FRONTEND] = w->states[BACKEND] = XENSPLIT_STATE_ABSENT;
	w->found = place;
	if (place)
		w->place = *place;
	else if (!r)
		r = find(ctx, w);
	if (!r && w->found)
		r = watch_both(ctx, w);
	w->begun = true;
	if (!r)
		log_wait(ctx, w);
	return r;
}

void wait_end(struct xensplit_ctx *ctx, struct wait *w)
{
	if (!w->begun)
		return;
	hub_unwatch(ctx, &w->watches[FRONTEND]);
	hub_unwatch(ctx, &w->watches[BACKEND]);
	w->begun = false;
}

static int read_end(struct xensplit_ctx *ctx, struct wait *w, enum end end)
{
	struct txn txn = TXN_NONE(ctx);
	char path[PATH_SIZE];
	int r;

	w->watches[end].fired = false;
	if (end == BACKEND && w->place.backend_domid == XENSPLIT_ANY)
		return 0;
	end_path(w, end, path);
	r = state_read(&txn, path, &w->states[end]);
	/* From now on Closing means failure. */
	if (!r && (state_is_started(w->states[end]) ||
		   w->states[end] == XENSPLIT_STATE_INITIALISING))
		w->open[end] = true;
	return r;
}

/* Reads what fired; 1 if there was any, else 0. */
static int read_fired(struct xensplit_ctx *ctx, struct wait *w)
{
	bool again = w->look_us && now_us() >= w->look_us;
	int end, any = 0, r = 0;

	for (end = FRONTEND; !r && end <= BACKEND; end++)
		if (w->watches[end].fired || again) {
			any = 1;
			r = read_end(ctx, w, (enum end)end);
		}
	return r ? r : any;
}

/* --- reasons of failures --- */

/* The error that the driver of that end wrote, in quotes; empty if none. */
static const char *error_of(struct xensplit_ctx *ctx, const struct wait *w, enum end end,
			    char *buf, size_t size)
{
	struct txn txn = TXN_NONE(ctx);
	char path[PATH_SIZE], shown[512], *value;
	size_t len;

	buf[0] = '\0';
	if (end == FRONTEND)
		path_frontend_error(path, &w->place.id, "error");
	else
		path_backend_error(path, &w->place.id, w->place.backend_domid, "error");
	if (store_read(&txn, path, &value, &len))
		return buf;
	if (len)
		snprintf(buf, size, ": \"%s\"", escape(shown, sizeof(shown), value, len));
	free(value);
	return buf;
}

static int gave_up(struct xensplit_ctx *ctx, struct wait *w, enum end end)
{
	char states[STATES_TEXT_SIZE], error[600];
	int r;

	if (!state_is_closing(w->states[end]) || !(w->open[end] || w->fresh))
		return 0;
	/* The end that closes first is to blame; the other follows. */
	error_of(ctx, w, end, error, sizeof(error));
	if (!*error && end == FRONTEND && state_is_closing(w->states[BACKEND])) {
		error_of(ctx, w, BACKEND, error, sizeof(error));
		if (*error)
			end = BACKEND;
	}
	r = fail(ctx, -EPROTO, "the %s driver gave up after %.1f s (%s)%s",
		 end_names[end], elapsed(w), states_of(w, states), error);
	failure_set_states(ctx, w->states[FRONTEND], w->states[BACKEND]);
	diagnose_failure(ctx, &w->id);
	return r;
}

static int domain_gone(struct xensplit_ctx *ctx, const struct wait *w)
{
	const uint32_t domids[] = { w->id.domid, w->place.backend_domid };
	struct txn txn = TXN_NONE(ctx);
	int end, r;

	for (end = FRONTEND; end <= BACKEND; end++) {
		if (domids[end] == XENSPLIT_ANY)
			continue;
		r = domain_identity(&txn, domids[end], NULL, NULL);
		if (r == -ESRCH)
			return fail_as(ctx, -ENOENT, "domain-gone",
				       "the %s's domain was gone after %.1f s",
				       end_names[end], elapsed(w));
		if (r)
			return r;
	}
	return 0;
}

/* An end is absent: another client removed it, its domain died, or it has moved. */
static int look_for_it(struct xensplit_ctx *ctx, struct wait *w)
{
	int r = domain_gone(ctx, w);

	if (!r)
		r = find(ctx, w);
	if (r)
		return r;
	if (!w->found)
		return fail_as(ctx, -ENOENT, "removed",
			       "another client removed the device after %.1f s",
			       elapsed(w));
	w->look_us = now_us() + LOOK_AGAIN_US;
	return watch_both(ctx, w);
}

static int deadline_passed(struct xensplit_ctx *ctx, struct wait *w)
{
	static const struct {
		const char *code;
		const char *text;
	} missed[] = {
		{ "not-connected", "not connected" },
		{ "not-closed", "not closed" },
		{ "not-gone", "still there" },
		{ "not-in-initwait", "backend not in InitWait" },
	};
	char states[STATES_TEXT_SIZE];

	failure_set(ctx, -ETIMEDOUT, missed[w->until].code, "%s after %.1f s (%s)",
		    missed[w->until].text, elapsed(w), states_of(w, states));
	failure_set_states(ctx, w->states[FRONTEND], w->states[BACKEND]);
	if (!w->force)
		diagnose_failure(ctx, &w->id);
	return -ETIMEDOUT;
}

/* --- checks --- */

/* 1 when done, 0 not yet, or an error. */
static int check_started(struct xensplit_ctx *ctx, struct wait *w)
{
	bool both = w->until == XENSPLIT_UNTIL_CONNECTED;
	int r;

	if (both ? state_is_connected(w->states[FRONTEND]) &&
			    state_is_connected(w->states[BACKEND])
		 : state_is_started(w->states[BACKEND]))
		return 1;
	if (w->states[BACKEND] == XENSPLIT_STATE_ABSENT ||
	    w->states[FRONTEND] == XENSPLIT_STATE_ABSENT)
		return look_for_it(ctx, w);
	w->look_us = 0;
	r = both ? gave_up(ctx, w, FRONTEND) : 0;
	return r ? r : gave_up(ctx, w, BACKEND);
}

static int check(struct xensplit_ctx *ctx, struct wait *w)
{
	int backend = w->states[BACKEND];

	switch (w->until) {
	case XENSPLIT_UNTIL_CLOSED:
		return backend == XENSPLIT_STATE_CLOSED ||
		       backend == XENSPLIT_STATE_ABSENT;
	case XENSPLIT_UNTIL_GONE:
		return backend == XENSPLIT_STATE_ABSENT &&
		       w->states[FRONTEND] == XENSPLIT_STATE_ABSENT;
	default:
		return check_started(ctx, w);
	}
}

static int not_there(struct xensplit_ctx *ctx, const struct wait *w)
{
	if (w->until == XENSPLIT_UNTIL_CLOSED || w->until == XENSPLIT_UNTIL_GONE)
		return 0;
	return fail(ctx, -ENOENT, "no such device");
}

static int read_both(struct xensplit_ctx *ctx, struct wait *w)
{
	int r = read_end(ctx, w, BACKEND);

	return r ? r : read_end(ctx, w, FRONTEND);
}

/* Each watch fires once when it is set: reading earlier would be reading twice. */
static bool may_look(const struct wait *w)
{
	int end;

	for (end = FRONTEND; end <= BACKEND; end++)
		if (w->watches[end].serial && !w->watches[end].fired)
			return false;
	return true;
}

int wait_step(struct xensplit_ctx *ctx, struct wait *w)
{
	int r;

	if (!w->found)
		return not_there(ctx, w);
	if (!w->looked && !may_look(w) && now_us() < w->deadline_us)
		return OP_WAIT;
	r = w->looked ? read_fired(ctx, w) : read_both(ctx, w);
	if (r > 0 || (!r && !w->looked))
		r = check(ctx, w);
	w->looked = true;
	if (r)
		return r < 0 ? r : 0;
	return now_us() >= w->deadline_us ? deadline_passed(ctx, w) : OP_WAIT;
}

uint64_t wait_timeout(const struct wait *w)
{
	uint64_t until = w->deadline_us;

	if (!w->looked)
		return may_look(w) ? 0 : until;
	if (w->watches[FRONTEND].fired || w->watches[BACKEND].fired)
		return 0;
	return w->look_us && w->look_us < until ? w->look_us : until;
}
