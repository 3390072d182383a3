// SPDX-License-Identifier: LGPL-2.1-or-later
/* For a monitor: which domain has a name, while domains come and go. */
#include "monitor.h"

/* Xenstored announces a new domain, but not that one gets the name. */
#define LOOK_AGAIN_US 1000000

static const char introduce[] = "@introduceDomain";

int named_set(struct xensplit_ctx *ctx, struct named *named, const char *name)
{
	uint32_t domid;
	int r = domain_parse(ctx, name, &domid);

	if (!r)
		return fail(ctx, -EINVAL, "%s is a domid, not a name", name);
	if (r < 0)
		return r == -ESRCH ? -EINVAL : r;
	named->domid = XENSPLIT_ANY;
	named->name = strdup(name);
	return named->name ? 0 : fail(ctx, -ENOMEM, "out of memory");
}

void named_clear(struct named *named)
{
	free(named->name);
	named->name = NULL;
}

bool named_is_missing(const struct named *named)
{
	return named->name && named->domid == XENSPLIT_ANY;
}

/* It fires when the domain is renamed, or its directory is removed. */
static int watch_name(struct txn *txn, struct named *named)
{
	char path[PATH_SIZE];
	int r;

	if (named->watched == named->domid)
		return 0;
	if (named->watched != XENSPLIT_ANY) {
		snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/name",
			 named->watched);
		store_unwatch(txn, path, "name");
		named->watched = XENSPLIT_ANY;
	}
	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/name", named->domid);
	r = store_watch(txn, path, "name");
	if (!r)
		named->watched = named->domid;
	return r;
}

static int set_watches(struct txn *txn, struct named *named)
{
	bool missing = named_is_missing(named);
	int r = missing ? 0 : watch_name(txn, named);

	if (r || missing == named->announced)
		return r;
	if (missing)
		r = store_watch(txn, introduce, "name");
	else
		store_unwatch(txn, introduce, "name");
	if (!r)
		named->announced = missing;
	return r;
}

/* 1 if the domain is there and still has the name, else 0. */
static int has_name(struct txn *txn, const struct named *named)
{
	int r = domain_check(txn, named->domid);
	bool same;
	char *name;

	if (r)
		return r == -ESRCH ? 0 : r;
	name = domain_name(txn, named->domid);
	same = name && !strcmp(name, named->name);
	free(name);
	/* Or a new domain with that domid calls itself so. */
	r = same ? domain_chose_name(txn, named->domid) : 0;
	return r < 0 ? r : same && !r;
}

static int search(struct txn *txn, struct named *named, uint32_t *ret_domid)
{
	int r = domain_named(txn, named->name, ret_domid);

	/* Of two that have the name, one is about to lose it. */
	if (r != -ESRCH && r != -EINVAL)
		return r;
	named->look_us = now_us() + LOOK_AGAIN_US;
	*ret_domid = XENSPLIT_ANY;
	return 0;
}

int named_begin(struct txn *txn, struct named *named)
{
	int r = domain_named(txn, named->name, &named->domid);

	named->watched = XENSPLIT_ANY;
	if (r == -ESRCH)
		named->look_us = now_us() + LOOK_AGAIN_US;
	else if (r)
		return r;
	return set_watches(txn, named);
}

static int look_again(struct txn *txn, struct named *named)
{
	uint32_t domid;
	int r = named_is_missing(named) ? 0 : has_name(txn, named);

	if (!r)
		r = search(txn, named, &domid);
	else if (r > 0)
		domid = named->domid;
	if (r < 0)
		return r;
	named->changed |= domid != named->domid;
	named->domid = domid;
	/* Also if nothing has changed: one may have failed. */
	return set_watches(txn, named);
}

int named_look(struct txn *txn, struct named *named)
{
	int r;

	if (!named->fired && !(named_is_missing(named) && now_us() >= named->look_us))
		return 0;
	r = look_again(txn, named);
	named->fired = r != 0;
	return r;
}
