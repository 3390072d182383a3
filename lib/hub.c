// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The watches of a context's operations. They share one connection, so that there
 * is a single descriptor to poll for many operations. It is not the context's
 * connection, which may be the caller's and have the caller's watches.
 */
#include <poll.h>

#include "operation.h"

/* A dead xenstored does not wake up the descriptor: check this often. */
#define PROBE_US 1000000
/* How many events to read at a time. */
#define DRAIN_MAX 4096

struct hub {
	struct txn txn;
	struct hub_watch **watches; /* in the order of their serials */
	size_t count;
	size_t room;
	uint64_t serials;
	uint64_t probe_us;
	bool more; /* not everything was read */
	bool dead;
};

int hub_open(struct xensplit_ctx *ctx)
{
	struct hub *hub;

	if (ctx->hub)
		return 0;
	hub = calloc(1, sizeof(*hub));
	if (!hub)
		return fail(ctx, -ENOMEM, "out of memory");
	hub->txn.ctx = ctx;
	hub->txn.xs = store_open();
	if (!hub->txn.xs) {
		free(hub);
		return fail(ctx, -ENOTCONN, "no connection to xenstored for watches");
	}
	hub->probe_us = now_us() + PROBE_US;
	ctx->hub = hub;
	return 0;
}

void hub_close(struct xensplit_ctx *ctx)
{
	if (!ctx->hub)
		return;
	store_close(ctx, ctx->hub->txn.xs);
	free(ctx->hub->watches);
	free(ctx->hub);
	ctx->hub = NULL;
}

static void format_token(char *token, size_t size, const struct hub_watch *watch)
{
	snprintf(token, size, "%" PRIu64, watch->serial);
}

int hub_watch(struct xensplit_ctx *ctx, struct hub_watch *watch, const char *path)
{
	struct hub *hub = ctx->hub;
	char token[24];
	int r;

	if (hub->count == hub->room) {
		size_t room = hub->room ? 2 * hub->room : 16;
		void *more = realloc(hub->watches, room * sizeof(struct hub_watch *));

		if (!more)
			return fail(ctx, -ENOMEM, "out of memory");
		hub->watches = more;
		hub->room = room;
	}
	watch->serial = ++hub->serials;
	watch->fired = false;
	snprintf(watch->path, sizeof(watch->path), "%s", path);
	format_token(token, sizeof(token), watch);
	r = store_watch(&hub->txn, path, token);
	if (r) {
		watch->serial = 0;
		return r;
	}
	hub->watches[hub->count++] = watch;
	return 0;
}

static int compare_serial(const void *key, const void *element)
{
	const struct hub_watch *const *watch = element;
	uint64_t serial = *(const uint64_t *)key;

	return serial < (*watch)->serial ? -1 : serial > (*watch)->serial;
}

static struct hub_watch **find(struct hub *hub, uint64_t serial)
{
	return hub->count ? bsearch(&serial, hub->watches, hub->count,
				    sizeof(struct hub_watch *), compare_serial)
			  : NULL;
}

void hub_unwatch(struct xensplit_ctx *ctx, struct hub_watch *watch)
{
	struct hub *hub = ctx->hub;
	struct hub_watch **found;
	char token[24];
	size_t index;

	if (!watch->serial)
		return;
	found = find(hub, watch->serial);
	index = (size_t)(found - hub->watches);
	memmove(found, found + 1, (--hub->count - index) * sizeof(struct hub_watch *));
	format_token(token, sizeof(token), watch);
	if (!hub->dead)
		store_unwatch(&hub->txn, watch->path, token);
	watch->serial = 0;
	watch->fired = false;
}

static void take(struct hub *hub, const char *token)
{
	struct hub_watch **found;
	uint64_t serial;

	if (!parse_number(token, strlen(token), UINT64_MAX, &serial))
		return;
	found = find(hub, serial);
	if (found)
		(*found)->fired = true;
}

static int probe(struct hub *hub)
{
	int r;

	if (now_us() < hub->probe_us)
		return 0;
	r = store_exists(&hub->txn, RECORD_ROOT);
	hub->probe_us = now_us() + PROBE_US;
	/* A refusal is an answer, too. */
	return r < 0 && r != -EACCES ? r : 0;
}

int hub_drain(struct xensplit_ctx *ctx)
{
	struct hub *hub = ctx->hub;
	unsigned int taken;
	char **watch;
	int r = ctx_check_owner(ctx);

	if (r)
		return r;
	if (hub->dead)
		return fail(ctx, -ENOTCONN, "xenstored does not answer");
	for (taken = 0; taken < DRAIN_MAX; taken++) {
		watch = store_next_watch(hub->txn.xs);
		if (!watch)
			break;
		take(hub, watch[XS_WATCH_TOKEN]);
		free(watch);
	}
	hub->more = taken == DRAIN_MAX;
	r = probe(hub);
	hub->dead = r == -ENOTCONN;
	return r;
}

int hub_fd(const struct xensplit_ctx *ctx)
{
	return store_watch_fd(ctx->hub->txn.xs);
}

uint64_t hub_timeout(const struct xensplit_ctx *ctx)
{
	return ctx->hub->more ? 0 : ctx->hub->probe_us;
}
