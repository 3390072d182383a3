// SPDX-License-Identifier: LGPL-2.1-or-later
/* What becomes of one wanted device: which state it is in, and when to look again. */
#include "findings.h"
#include "keeper.h"

/* A driver that was reloaded needs this long to come back. */
#define COME_BACK_US 2000000
/* A guest may close and connect all the time: after so many losses, few make events. */
#define LOSSES_MANY   5
#define LOSS_PAUSE_US 10000000
#define LOSS_CALM_US  60000000
/* The first and the longest pause between two tries. */
#define PAUSE_FIRST_US 1000000
#define PAUSE_MOST_US  300000000
/* A guest may take this many times as long to boot as a device to connect. */
#define BOOT_TIMES 6

struct kept *kept_new(struct xensplit_keeper *k, struct guest *guest,
		      const struct want *want, int entry)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (!kept) {
		failure_set(k->ctx, -ENOMEM, NULL, "out of memory");
		return NULL;
	}
	kept->guest = guest;
	kept->want = want;
	kept->id.domid = guest->domid;
	kept->id.devid = XENSPLIT_DEVID_AUTO;
	if (want) {
		kept->id.devid = want->wanted.devid;
		snprintf(kept->id.type, sizeof(kept->id.type), "%s", want->type);
	}
	kept->seen.entry = entry;
	kept->seen.frontend_state = kept->seen.backend_state = XENSPLIT_STATE_ABSENT;
	kept->seen.backend_domid = XENSPLIT_ANY;
	return kept;
}

void kept_set_id(struct kept *kept, const struct xensplit_id *id, uint32_t backend_domid)
{
	kept->id.devid = id->devid;
	snprintf(kept->id.type, sizeof(kept->id.type), "%s", id->type);
	if (backend_domid != XENSPLIT_ANY)
		kept->seen.backend_domid = backend_domid;
}

struct xensplit_keeper_event *kept_tell(struct xensplit_keeper *k,
					const struct kept *kept, int type)
{
	const struct name *name = kept->guest->name;
	bool failed = type == XENSPLIT_KEEPER_FAILED || type == XENSPLIT_KEEPER_REFUSED;
	struct xensplit_keeper_event *event =
		keeper_tell(k, type, name ? name->text : NULL, &kept->id,
			    failed ? kept->failure : NULL);

	event->entry = kept->seen.entry;
	event->backend_domid = kept->seen.backend_domid;
	return event;
}

/* --- failures --- */

static void keep_failure(struct xensplit_keeper *k, struct kept *kept)
{
	free(kept->failure);
	kept->failure = error_copy(&k->ctx->failure.error);
	kept->seen.error = kept->failure;
	if (!kept->failure)
		log_warn(k->ctx, "out of memory: the text of a failure is lost");
}

static void drop_failure(struct kept *kept)
{
	free(kept->failure);
	kept->failure = NULL;
	kept->seen.error = NULL;
}

void kept_forgive(struct kept *kept)
{
	kept->seen.failures = 0;
	drop_failure(kept);
}

static uint64_t pause_of(uint32_t failures)
{
	return failures ? pause_us(PAUSE_FIRST_US, PAUSE_MOST_US, failures - 1) : 0;
}

static void wait_until(struct xensplit_keeper *k, struct kept *kept, uint64_t due_us)
{
	kept->due_us = due_us;
	guest_schedule(k, kept->guest, due_us);
}

static void pause_and_tell(struct xensplit_keeper *k, struct kept *kept, uint64_t pause)
{
	keep_failure(k, kept);
	kept->state = KEPT_FAILED;
	wait_until(k, kept, now_us() + pause);
	kept_tell(k, kept, XENSPLIT_KEEPER_FAILED)->retry_us = pause;
}

void kept_fail(struct xensplit_keeper *k, struct kept *kept, int r)
{
	uint64_t pause = pause_of(++kept->seen.failures);

	/* Its former id was taken. */
	if (r == -EEXIST && kept->want && kept->want->wanted.devid == XENSPLIT_DEVID_AUTO)
		kept->id.devid = XENSPLIT_DEVID_AUTO;
	/* Most likely the domain is about to go: say so only if it stays. */
	if (r == -ESRCH && kept->seen.failures == 1) {
		k->list = true;
		kept->state = KEPT_FAILED;
		wait_until(k, kept, now_us() + pause);
		return;
	}
	pause_and_tell(k, kept, pause);
}

void kept_refuse(struct xensplit_keeper *k, struct kept *kept)
{
	const struct xensplit_error *now = &k->ctx->failure.error;
	const struct xensplit_error *before = kept->seen.error;
	bool told = kept->state == KEPT_REFUSED && before && before->err == now->err &&
		    !strcmp(before->message, now->message);

	kept->state = KEPT_REFUSED;
	kept->due_us = 0;
	if (told)
		return;
	kept->guest->strays = true;
	keep_failure(k, kept);
	kept_tell(k, kept, XENSPLIT_KEEPER_REFUSED);
}

/* It stays new, so that a device which is there gets its time to connect. */
void kept_fail_unplanned(struct xensplit_keeper *k, struct kept *kept)
{
	if (kept->state != KEPT_NEW)
		return;
	kept->seen.failures = 1;
	keep_failure(k, kept);
}

/* --- states --- */

static bool is_connected(const struct kept *kept)
{
	return state_is_connected(kept->seen.frontend_state) &&
	       state_is_connected(kept->seen.backend_state);
}

static bool end_is_lost(int state)
{
	return state_is_closing(state) || state == XENSPLIT_STATE_ABSENT;
}

static bool is_lost(const struct kept *kept)
{
	return end_is_lost(kept->seen.frontend_state) ||
	       end_is_lost(kept->seen.backend_state);
}

static bool has_begun(const struct kept *kept)
{
	return kept->seen.frontend_state != XENSPLIT_STATE_INITIALISING;
}

/* No driver has looked at it, making it again was of no use, or the domain does not run. */
static bool is_hopeless(struct xensplit_keeper *k, const struct kept *kept)
{
	static const uint32_t stopped = XENSPLIT_DOMAIN_PAUSED | XENSPLIT_DOMAIN_DYING |
					XENSPLIT_DOMAIN_SHUTDOWN |
					XENSPLIT_DOMAIN_CRASHED;

	return (!has_begun(kept) &&
		(kept->renewed ||
		 kept->seen.backend_state == XENSPLIT_STATE_INITIALISING)) ||
	       (domain_flags(k->ctx, kept->id.domid) & stopped);
}

static bool may_tell_loss(struct kept *kept)
{
	uint64_t calm_us = now_us() - kept->loss_us;

	if (calm_us > LOSS_CALM_US)
		kept->losses = 0;
	return kept->losses < LOSSES_MANY || calm_us > LOSS_PAUSE_US;
}

static void tell_loss(struct xensplit_keeper *k, struct kept *kept)
{
	kept->losses++;
	kept->loss_us = now_us();
	kept->loss_untold = false;
	kept_tell(k, kept, XENSPLIT_KEEPER_LOST);
}

void kept_tell_loss(struct xensplit_keeper *k, struct kept *kept)
{
	if (kept->loss_untold && kept->state == KEPT_LOST && now_us() >= kept->due_us)
		tell_loss(k, kept);
}

static void set_connected(struct xensplit_keeper *k, struct kept *kept)
{
	bool untold = kept->loss_untold && !kept->written_us;
	struct xensplit_keeper_event *event;

	drop_failure(kept);
	kept->state = KEPT_CONNECTED;
	kept->renewed = false;
	kept->due_us = 0;
	kept->seen.failures = 0;
	kept->seen.connects++;
	kept->loss_untold = false;
	if (untold)
		return;
	event = kept_tell(k, kept, XENSPLIT_KEEPER_CONNECTED);
	if (kept->written_us)
		event->took_us = now_us() - kept->written_us;
	kept->written_us = 0;
}

/* Then the watch on its name is about to fire, and the loss is no news. */
static bool is_domain_gone(struct xensplit_keeper *k, const struct kept *kept)
{
	char path[64];

	if (kept->seen.frontend_state != XENSPLIT_STATE_ABSENT)
		return false;
	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/name", kept->id.domid);
	return !store_exists(&k->txn, path);
}

void kept_lose(struct xensplit_keeper *k, struct kept *kept)
{
	uint64_t pause = pause_of(kept->seen.failures);

	if (kept->state == KEPT_CONNECTED && !is_domain_gone(k, kept)) {
		kept->loss_untold = true;
		if (may_tell_loss(kept))
			tell_loss(k, kept);
	}
	kept->state = KEPT_LOST;
	wait_until(k, kept, now_us() + (pause > COME_BACK_US ? pause : COME_BACK_US));
}

/* 0: the monitor has not seen yet what was written. */
static bool read_states(struct xensplit_keeper *k, struct kept *kept)
{
	const struct followed *f = table_find(&k->monitor->table, &kept->id);

	if (*kept->unique_id && (!f || strcmp(f->unique_id, kept->unique_id) != 0))
		return false;
	*kept->unique_id = '\0';
	kept->seen.frontend_state = f ? f->state[0] : XENSPLIT_STATE_ABSENT;
	kept->seen.backend_state = f ? f->state[1] : XENSPLIT_STATE_ABSENT;
	return true;
}

void kept_look(struct xensplit_keeper *k, struct kept *kept)
{
	if (!read_states(k, kept) || !kept->want)
		return;
	switch (kept->state) {
	case KEPT_WAITING:
	case KEPT_LOST:
	case KEPT_FAILED:
		if (is_connected(kept))
			set_connected(k, kept);
		else if (kept->state == KEPT_WAITING && is_lost(kept))
			kept_lose(k, kept);
		else if (kept->state == KEPT_LOST && !is_lost(kept))
			kept_wait(k, kept, NULL);
		return;
	case KEPT_CONNECTED:
		if (!is_connected(kept))
			kept_lose(k, kept);
		return;
	default:
		return;
	}
}

void kept_wait(struct xensplit_keeper *k, struct kept *kept, const char *unique_id)
{
	kept->state = KEPT_WAITING;
	kept->due_us = 0;
	/* Nobody waits for more than this. */
	if (kept->want->wanted.flags & XENSPLIT_WANTED_NO_WAIT)
		kept->seen.failures = 0;
	if (!kept->seen.failures)
		drop_failure(kept);
	if (unique_id) {
		kept->written_us = now_us();
		snprintf(kept->unique_id, sizeof(kept->unique_id), "%s", unique_id);
		kept->seen.frontend_state = XENSPLIT_STATE_INITIALISING;
		kept->seen.backend_state = XENSPLIT_STATE_INITIALISING;
		kept_tell(k, kept, XENSPLIT_KEEPER_ATTACHED);
	}
	if (!(kept->want->wanted.flags & XENSPLIT_WANTED_NO_WAIT))
		wait_until(k, kept,
			   now_us() + k->connect_us + pause_of(kept->seen.failures));
	kept_look(k, kept);
}

/* --- time --- */

bool kept_may_try(const struct kept *kept)
{
	switch (kept->state) {
	case KEPT_STAGED:
	case KEPT_BUSY:
		return false;
	case KEPT_LOST:
	case KEPT_FAILED:
		return now_us() >= kept->due_us;
	default:
		return true;
	}
}

static bool is_due(const struct kept *kept)
{
	return kept->due_us && now_us() >= kept->due_us;
}

static void say_not_connected(struct xensplit_keeper *k, const struct kept *kept)
{
	int frontend = kept->seen.frontend_state, backend = kept->seen.backend_state;
	char states[STATES_TEXT_SIZE];

	failure_set(k->ctx, -ETIMEDOUT, "not-connected", "not connected (%s)",
		    states_text(frontend, backend, states, sizeof(states)));
	failure_set_states(k->ctx, frontend, backend);
	diagnose_failure(k->ctx, &kept->id);
}

/*
 * For how long to leave it alone, as its domain may still boot; 0 if there is no reason.
 * A guest that was restored, which believes in its former device, looks the same.
 */
static uint64_t booting_us(const struct xensplit_keeper *k, const struct kept *kept)
{
	uint64_t end = kept->guest->since_us + BOOT_TIMES * k->connect_us;
	uint64_t now = now_us();

	return !has_begun(kept) && now < end ? end - now : 0;
}

/* It came to an end before it was connected: that is a failure, too. */
static bool was_refused(const struct kept *kept)
{
	return kept->state == KEPT_LOST && kept->written_us &&
	       !(kept->want->wanted.flags & XENSPLIT_WANTED_NO_WAIT);
}

/* Without any driver it would be of no use. */
bool kept_is_overdue(struct xensplit_keeper *k, struct kept *kept)
{
	bool hopeless;
	uint64_t boot;

	kept_look(k, kept);
	if (!is_due(kept))
		return false;
	/* Whichever process wrote what is there now. */
	*kept->unique_id = '\0';
	kept_look(k, kept);
	if (!is_due(kept))
		return false;
	hopeless = is_hopeless(k, kept);
	boot = hopeless ? 0 : booting_us(k, kept);
	if (!hopeless && !boot && !was_refused(kept) &&
	    (kept->state == KEPT_LOST || kept->state == KEPT_FAILED))
		return true;
	if (kept->want->wanted.flags & XENSPLIT_WANTED_NO_WAIT) {
		kept_wait(k, kept, NULL);
		return false;
	}
	say_not_connected(k, kept);
	kept->seen.failures++;
	pause_and_tell(k, kept, boot ? boot : pause_of(kept->seen.failures));
	return false;
}
