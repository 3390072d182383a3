// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The keeper: what it waits for, and in which order it works.
 *
 * It keeps no state that can't be read again from XenStore, and never waits for a
 * device: events of the monitor, and times, say when to look at it again.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "keeper.h"

#define CONNECT_MS 10000
/* How long to work before the caller gets its turn. */
#define WORK_US 50000
/* The caller is slow to take the events. */
#define EVENTS_MAX 4096
/* A dead xenstored does not wake up the descriptor: look this often. */
#define PROBE_US 1000000

static int add_fd(struct xensplit_keeper *k, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (!epoll_ctl(k->fd, EPOLL_CTL_ADD, fd, &event))
		return 0;
	return fail(k->ctx, -errno, "epoll: %s", strerror(errno));
}

static int start(struct xensplit_keeper *k)
{
	int r = hub_open(k->ctx);

	k->txn.xs = store_open();
	if (!r && !k->txn.xs)
		return fail(k->ctx, -ENOTCONN, "no connection to xenstored for watches");
	if (!r)
		r = domains_watch(k);
	if (!r)
		r = monitor_of_states(k->ctx, &k->monitor);
	if (r == -EACCES)
		return fail(k->ctx, r, "only a privileged domain can keep devices: %s",
			    k->ctx->failure.text);
	if (r)
		return r;
	k->fd = epoll_create1(EPOLL_CLOEXEC);
	if (k->fd < 0)
		return fail(k->ctx, -errno, "epoll: %s", strerror(errno));
	r = add_fd(k, hub_fd(k->ctx));
	if (!r)
		r = add_fd(k, store_watch_fd(k->txn.xs));
	return r ? r : add_fd(k, xensplit_monitor_get_fd(k->monitor));
}

static int check_opts(struct xensplit_ctx *ctx, const struct xensplit_keeper_opts *from,
		      struct xensplit_keeper_opts *to)
{
	static const uint32_t known = XENSPLIT_PLAN_REPLACE | XENSPLIT_PLAN_PRUNE;

	memset(to, 0, sizeof(*to));
	if (from && opts_copy(to, sizeof(*to), from))
		return fail(ctx, -EINVAL, "the keeper options are of a newer version");
	if (to->flags & ~known)
		return fail(ctx, -EINVAL, "unknown plan flags 0x%x", to->flags & ~known);
	return 0;
}

static struct xensplit_keeper *make(struct xensplit_ctx *ctx,
				    const struct xensplit_keeper_opts *opts)
{
	struct xensplit_keeper *k = calloc(1, sizeof(*k));

	if (k)
		k->guests = calloc(DOMID_END, sizeof(struct guest *));
	if (!k || !k->guests) {
		failure_set(ctx, -ENOMEM, NULL, "out of memory");
		free(k);
		return NULL;
	}
	k->ctx = ctx;
	k->txn.ctx = ctx;
	k->fd = -1;
	k->flags = opts->flags;
	k->connect_us = 1000ull * (opts->connect_ms ? opts->connect_ms : CONNECT_MS);
	k->staged_most = STAGED_MOST;
	k->hungry_end = &k->hungry;
	k->list = true;
	keeper_events_init(&k->events);
	return k;
}

XENSPLIT_API int xensplit_keeper_new(struct xensplit_ctx *ctx,
				     const struct xensplit_keeper_opts *opts,
				     struct xensplit_keeper **ret_keeper)
{
	struct xensplit_keeper_opts o;
	struct xensplit_keeper *k;
	int r;

	if (!ctx || !ret_keeper)
		return -EINVAL;
	ctx_begin(ctx);
	r = check_opts(ctx, opts, &o);
	if (r)
		return r;
	k = make(ctx, &o);
	if (!k)
		return -ENOMEM;
	r = start(k);
	if (r) {
		xensplit_keeper_free(k);
		return r;
	}
	*ret_keeper = k;
	return ctx_end(ctx, 0);
}

XENSPLIT_API struct xensplit_keeper *xensplit_keeper_free(struct xensplit_keeper *keeper)
{
	if (!keeper)
		return NULL;
	guests_clear(keeper);
	lists_clear(keeper);
	graves_clear(keeper);
	keeper_events_clear(&keeper->events);
	xensplit_monitor_free(keeper->monitor);
	if (keeper->txn.xs)
		store_close(keeper->ctx, keeper->txn.xs);
	if (keeper->fd >= 0)
		close(keeper->fd);
	free(keeper->staged);
	free(keeper->schedule);
	free(keeper->guests);
	free(keeper->flat);
	free(keeper);
	return NULL;
}

/* --- the loop --- */

static struct guest *find_due(const struct xensplit_keeper *k)
{
	struct guest *guest = guest_next(k);

	return guest && guest->due_us <= now_us() ? guest : NULL;
}

/* Or do new devices have to be written first? */
static bool may_plan(const struct xensplit_keeper *k)
{
	return k->staged_count < k->staged_most;
}

static bool may_commit(const struct xensplit_keeper *k)
{
	return k->staged_count && now_us() >= k->staged_us;
}

/* One piece of work: 1, or 0 if there is none. Full commits are cheaper. */
static int work_once(struct xensplit_keeper *k)
{
	struct guest *guest = find_due(k);
	int r;

	if (guest && may_plan(k)) {
		r = guest_work(k, guest);
		return r ? r : 1;
	}
	if (may_commit(k)) {
		r = staged_commit(k);
		return r ? r : 1;
	}
	r = graves_work(k);
	return r ? r : domains_sweep(k);
}

static int work(struct xensplit_keeper *k)
{
	uint64_t until = now_us() + WORK_US;
	int r = 1;

	/* A plan may need the name of a domain that was not read yet. */
	while (r > 0 && !k->fresh && now_us() < until)
		r = work_once(k);
	k->busy = r > 0;
	return r < 0 ? r : 0;
}

static int process(struct xensplit_keeper *k)
{
	int r = hub_drain(k->ctx);

	if (r || k->events.count >= EVENTS_MAX)
		return r;
	/* First the domains: what happens to the devices of a dead one is no news. */
	r = domains_process(k);
	if (!r)
		r = devices_process(k);
	if (!r)
		r = ops_process(k);
	return r ? r : work(k);
}

XENSPLIT_API int xensplit_keeper_process(struct xensplit_keeper *keeper)
{
	int r;

	if (!keeper)
		return -EINVAL;
	ctx_begin(keeper->ctx);
	if (keeper->dead)
		return fail(keeper->ctx, -ENOTCONN, "xenstored does not answer");
	r = process(keeper);
	keeper->dead = r == -ENOTCONN;
	return ctx_end(keeper->ctx, r);
}

XENSPLIT_API int xensplit_keeper_get_fd(const struct xensplit_keeper *keeper)
{
	return keeper ? keeper->fd : -EINVAL;
}

XENSPLIT_API int xensplit_keeper_get_events(const struct xensplit_keeper *keeper)
{
	return keeper ? POLLIN : -EINVAL;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

XENSPLIT_API uint64_t xensplit_keeper_get_timeout(const struct xensplit_keeper *keeper)
{
	const struct guest *guest;
	uint64_t until;

	if (!keeper || keeper->events.count || keeper->busy || keeper->dead)
		return 0;
	until = earlier(now_us() + PROBE_US, hub_timeout(keeper->ctx));
	until = earlier(until, xensplit_monitor_get_timeout(keeper->monitor));
	until = domains_timeout(keeper, until);
	until = graves_timeout(keeper, until);
	until = ops_timeout(keeper, until);
	if (keeper->staged_count)
		until = earlier(until, keeper->staged_us);
	guest = guest_next(keeper);
	return guest && may_plan(keeper) ? earlier(until, guest->due_us) : until;
}

XENSPLIT_API int xensplit_keeper_next(struct xensplit_keeper *keeper,
				      const struct xensplit_keeper_event **ret_event)
{
	if (!keeper || !ret_event)
		return -EINVAL;
	return keeper_events_next(&keeper->events, ret_event);
}
