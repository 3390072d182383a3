// SPDX-License-Identifier: LGPL-2.1-or-later
/* Waiting for one device, with a deadline: a monitor, driven by poll(2). */
#include <poll.h>

#include "findings.h"
#include "monitor.h"
#include "operation.h"

#define DOING_SIZE (ID_TEXT_SIZE + 160)

struct waiting {
	struct xensplit_ctx *ctx;
	const struct wait *wait;
	struct xensplit_monitor *monitor;
	struct view view;
	bool was_present;
	bool started[2];
	bool armed; /* what was there at the start has been taken in */
	int gone_end;
	int error_end;
	char error[512];
	char doing[DOING_SIZE]; /* what progress was told of last */
};

static const char *end_name(int end)
{
	return end == XENSPLIT_END_FRONTEND ? "frontend" : "backend";
}

static const char *states_of(const struct waiting *w, char *buf)
{
	return states_text(w->view.frontend_state, w->view.backend_state, buf,
			   STATES_TEXT_SIZE);
}

static double elapsed(const struct wait *wait)
{
	uint64_t begun = wait->deadline_us - 1000ull * wait->timeout_ms;

	return (double)(now_us() - begun) / 1e6;
}

/* "mydevice/0 of domain 5 (g1)" */
static void describe(const struct waiting *w, char *buf, size_t size)
{
	struct txn txn = TXN_NONE(w->ctx);
	char *name = domain_name(&txn, w->wait->id.domid);
	char text[ID_TEXT_SIZE], shown[64];

	id_text(&w->wait->id, text, sizeof(text));
	if (name)
		snprintf(buf, size, "%s (%s)", text,
			 escape(shown, sizeof(shown), name, strlen(name)));
	else
		snprintf(buf, size, "%s", text);
	free(name);
}

static void take_event(struct waiting *w, const struct xensplit_event *event)
{
	int end = event->end == XENSPLIT_END_BACKEND;

	switch (event->type) {
	case XENSPLIT_EVENT_STATE:
		if (state_is_started(event->from) || state_is_started(event->to))
			w->started[end] = true;
		break;
	case XENSPLIT_EVENT_ERROR:
		/* What stood there before tells of an earlier try, unless this is the first. */
		if (!w->armed && !w->wait->fresh)
			break;
		w->error_end = event->end;
		escape(w->error, sizeof(w->error), event->text, strlen(event->text));
		break;
	case XENSPLIT_EVENT_DOMAIN_GONE:
		w->gone_end = event->end;
		break;
	}
}

static void take_events(struct waiting *w)
{
	const struct xensplit_event *event;

	while (xensplit_monitor_next(w->monitor, &event) > 0)
		take_event(w, event);
	monitor_view(w->monitor, &w->view);
	if (w->view.present)
		w->was_present = true;
	w->started[0] |= state_is_started(w->view.frontend_state);
	w->started[1] |= state_is_started(w->view.backend_state);
	w->armed = true;
}

static int gave_up(struct waiting *w, int end, int state)
{
	char what[ID_TEXT_SIZE + 80], states[STATES_TEXT_SIZE];

	if (!state_is_closing(state) || !(w->started[end] || w->wait->fresh))
		return 0;
	describe(w, what, sizeof(what));
	return fail(
		w->ctx, -EPROTO,
		"%s: the %s driver gave up after %.1f s (%s); its kernel log tells why",
		what, end ? "backend" : "frontend", elapsed(w->wait),
		states_of(w, states));
}

/* 1 when there, 0 not yet, or a negative errno. */
static int check_connected(struct waiting *w)
{
	char what[ID_TEXT_SIZE + 80], states[STATES_TEXT_SIZE];
	int r;

	if (state_is_connected(w->view.frontend_state) &&
	    state_is_connected(w->view.backend_state))
		return 1;
	describe(w, what, sizeof(what));
	states_of(w, states);
	if (w->error_end)
		return fail(w->ctx, -EPROTO,
			    "%s: the %s driver gave up after %.1f s (%s): \"%s\"", what,
			    end_name(w->error_end), elapsed(w->wait), states, w->error);
	if (w->gone_end)
		return fail(w->ctx, -ENOENT, "%s: the %s's domain went away after %.1f s",
			    what, end_name(w->gone_end), elapsed(w->wait));
	if (w->was_present && !w->view.present)
		return fail(w->ctx, -ENOENT, "%s was removed after %.1f s", what,
			    elapsed(w->wait));
	r = gave_up(w, 0, w->view.frontend_state);
	return r ? r : gave_up(w, 1, w->view.backend_state);
}

static int check(struct waiting *w)
{
	char what[ID_TEXT_SIZE + 80];

	switch (w->wait->until) {
	case XENSPLIT_UNTIL_CONNECTED:
		if (w->was_present)
			return check_connected(w);
		describe(w, what, sizeof(what));
		return fail(w->ctx, -ENOENT, "there is no %s", what);
	case XENSPLIT_UNTIL_CLOSED:
		return w->view.backend_state == XENSPLIT_STATE_CLOSED ||
		       w->view.backend_state == XENSPLIT_STATE_ABSENT;
	default:
		return !w->view.present;
	}
}

static int deadline_passed(struct waiting *w)
{
	static const char *const missed[] = { "not Connected", "not Closed", "not gone" };
	char what[ID_TEXT_SIZE + 80], states[STATES_TEXT_SIZE], cause[512];
	double seconds = elapsed(w->wait);
	bool known;

	describe(w, what, sizeof(what));
	known = !w->wait->force &&
		diagnose_cause(w->ctx, &w->wait->id, states_of(w, states), cause,
			       sizeof(cause));
	return fail(w->ctx, -ETIMEDOUT, "%s is %s after %.1f s (%s)%s%s", what,
		    missed[w->wait->until], seconds, states_of(w, states),
		    known ? ": " : "", known ? cause : "");
}

static void report_progress(struct waiting *w)
{
	static const char *const aim[] = { "to connect", "to close", "to go" };
	char doing[DOING_SIZE], text[ID_TEXT_SIZE], states[STATES_TEXT_SIZE];
	unsigned long total = w->wait->timeout_ms, left;

	left = (unsigned long)((w->wait->deadline_us - now_us()) / 1000);
	snprintf(doing, sizeof(doing), "waiting for %s %s (%s)",
		 id_text(&w->wait->id, text, sizeof(text)), aim[w->wait->until],
		 states_of(w, states));
	/* Loggers are promised a 0 with each new text (xentoollog.h). */
	if (strcmp(doing, w->doing) != 0)
		log_progress(w->ctx, doing, 0, total);
	memcpy(w->doing, doing, sizeof(w->doing));
	log_progress(w->ctx, doing, left < total ? total - left : 0, total);
}

/* 0 when something happened or it is time to look; the deadline is checked by the caller. */
static int poll_once(struct waiting *w)
{
	struct pollfd fd = { .fd = xensplit_monitor_get_fd(w->monitor),
			     .events = (short)xensplit_monitor_get_events(w->monitor) };
	uint64_t until = xensplit_monitor_get_timeout(w->monitor), now = now_us();

	if (until > w->wait->deadline_us)
		until = w->wait->deadline_us;
	/* Rounded up, or the last millisecond would be spent spinning. */
	if (poll(&fd, 1, until > now ? (int)((until - now + 999) / 1000) : 0) < 0 &&
	    errno != EINTR)
		return fail(w->ctx, -errno, "poll: %s", strerror(errno));
	return xensplit_monitor_process(w->monitor);
}

static int run(struct waiting *w)
{
	int r;

	for (;;) {
		take_events(w);
		r = check(w);
		if (r)
			return r < 0 ? r : 0;
		if (now_us() >= w->wait->deadline_us)
			return deadline_passed(w);
		report_progress(w);
		r = poll_once(w);
		if (r)
			return r;
	}
}

int wait_run(struct xensplit_ctx *ctx, const struct wait *wait)
{
	struct waiting w = { .ctx = ctx, .wait = wait };
	XENSPLIT_FILTER(filter);
	int r;

	filter.domid = wait->id.domid;
	filter.type = wait->id.type;
	filter.devid = wait->id.devid;
	r = xensplit_monitor_new(ctx, &filter, &w.monitor);
	if (!r)
		r = run(&w);
	xensplit_monitor_free(w.monitor);
	return r;
}

XENSPLIT_API int xensplit_wait(struct xensplit_ctx *ctx, const struct xensplit_id *id,
			       int until, unsigned int timeout_ms)
{
	struct wait wait = { .until = until, .timeout_ms = timeout_ms };
	int r;

	if (!ctx || !id)
		return -EINVAL;
	if (until < XENSPLIT_UNTIL_CONNECTED || until > XENSPLIT_UNTIL_GONE)
		return fail(ctx, -EINVAL, "%d is nothing to wait for", until);
	wait.deadline_us = now_us() + 1000ull * timeout_ms;
	r = id_set(ctx, &wait.id, id->domid, id->type, id->devid);
	return r ? r : wait_run(ctx, &wait);
}
