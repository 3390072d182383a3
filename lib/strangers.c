// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Devices without a record: collects frontends and backends of each domain, and
 * sorts them to find which belong together.
 */
#include "array.h"
#include "strangers.h"

static int compare_halves(const void *a, const void *b)
{
	const struct half *one = a, *other = b;
	int order = id_compare(&one->id, &other->id);

	if (order)
		return order;
	return one->backend_domid < other->backend_domid
		       ? -1
		       : one->backend_domid > other->backend_domid;
}

static int add_half(struct txn *txn, struct half **halves, size_t *count, size_t *room,
		    const struct half *half)
{
	struct half *more = array_grow(*halves, *count, room, sizeof(*more));

	if (!more)
		return fail(txn->ctx, -ENOMEM, "out of memory");
	*halves = more;
	more[(*count)++] = *half;
	return 0;
}

int strangers_exclude(struct txn *txn, struct strangers *strangers,
		      const struct place *place)
{
	struct half half = { .id = place->id, .backend_domid = place->backend_domid };

	memcpy(half.id.type, place->id.backend_type, sizeof(half.id.type));
	return add_half(txn, &strangers->excluded, &strangers->excluded_count,
			&strangers->excluded_room, &half);
}

void strangers_clear(struct strangers *strangers)
{
	free(strangers->halves);
	free(strangers->excluded);
	strangers->halves = strangers->excluded = NULL;
	strangers->count = strangers->excluded_count = 0;
	strangers->room = strangers->excluded_room = 0;
}

/* --- the walk --- */

/* The children of a directory; none if it does not exist or is not readable. */
static int children(struct txn *txn, const char *path, char ***ret_names,
		    unsigned int *ret_count)
{
	int r = store_list(txn, path, ret_names, ret_count);

	if (r != -ENOENT)
		return r;
	*ret_names = NULL;
	*ret_count = 0;
	return 0;
}

static int take_half(struct txn *txn, struct strangers *strangers,
		     const struct half *half)
{
	const struct strangers_ops *ops = strangers->ops;

	if (!id_matches(&half->id, strangers->filter) ||
	    ops->known(&half->id, half->backend_domid, ops->data))
		return 0;
	if (strangers->excluded_count &&
	    bsearch(half, strangers->excluded, strangers->excluded_count, sizeof(*half),
		    compare_halves))
		return 0;
	return add_half(txn, &strangers->halves, &strangers->count, &strangers->room,
			half);
}

/* Reads the device ids below @dir. @half has what is known so far. */
static int walk_devids(struct txn *txn, struct strangers *strangers, const char *dir,
		       struct half *half)
{
	unsigned int count, i;
	char **names = NULL;
	int r = children(txn, dir, &names, &count);

	for (i = 0; !r && i < count; i++) {
		uint64_t devid;

		if (!parse_name(names[i], INT32_MAX, &devid))
			continue;
		half->id.devid = (uint32_t)devid;
		r = take_half(txn, strangers, half);
	}
	free(names);
	return r;
}

static int walk_frontend_domain(struct txn *txn, struct strangers *strangers,
				const char *dir, struct half *half, uint32_t domid)
{
	char path[PATH_SIZE];

	half->id.domid = domid;
	snprintf(path, sizeof(path), "%.*s/%" PRIu32, TYPE_MAX + 128, dir, domid);
	return walk_devids(txn, strangers, path, half);
}

static int walk_frontend_domains(struct txn *txn, struct strangers *strangers,
				 const char *dir, struct half *half)
{
	unsigned int count, i;
	char **names = NULL;
	int r;

	if (strangers->filter->domid != XENSPLIT_ANY)
		return walk_frontend_domain(txn, strangers, dir, half,
					    strangers->filter->domid);
	r = children(txn, dir, &names, &count);
	for (i = 0; !r && i < count; i++) {
		uint64_t domid;

		if (parse_name(names[i], DOMID_END - 1, &domid))
			r = walk_frontend_domain(txn, strangers, dir, half,
						 (uint32_t)domid);
	}
	free(names);
	return r;
}

/* TYPE/DEVID of a domain's frontends, or TYPE/DOMID/DEVID of its backends. */
static int walk_types(struct txn *txn, struct strangers *strangers, uint32_t domid,
		      bool backends)
{
	struct half half = { .id.domid = domid,
			     .backend_domid = backends ? domid : XENSPLIT_ANY };
	const char *wanted = strangers->filter->type;
	char dir[64], path[PATH_SIZE], **names = NULL;
	unsigned int count, i;
	int r;

	snprintf(dir, sizeof(dir), "/local/domain/%" PRIu32 "/%s", domid,
		 backends ? "backend" : "device");
	r = children(txn, dir, &names, &count);
	for (i = 0; !r && i < count; i++) {
		if (!type_is_valid(names[i]) || (wanted && strcmp(names[i], wanted) != 0))
			continue;
		/* All bytes, because ids are compared as bytes. */
		memset(half.id.type, 0, sizeof(half.id.type));
		memcpy(half.id.type, names[i], strlen(names[i]));
		snprintf(path, sizeof(path), "%s/%s", dir, half.id.type);
		r = backends ? walk_frontend_domains(txn, strangers, path, &half)
			     : walk_devids(txn, strangers, path, &half);
	}
	free(names);
	return r;
}

static int walk_domain(struct txn *txn, uint32_t domid, void *data)
{
	struct strangers *strangers = data;
	uint32_t wanted = strangers->filter->domid;
	int r = walk_types(txn, strangers, domid, true);

	if (r || (wanted != XENSPLIT_ANY && wanted != domid))
		return r;
	return walk_types(txn, strangers, domid, false);
}

/* --- matching halves --- */

/* Halves of a device are adjacent, the frontend last. */
static int tell(struct txn *txn, struct strangers *strangers, size_t *index)
{
	const struct half *first = &strangers->halves[*index], *half = first;
	const struct half *end = strangers->halves + strangers->count;
	struct claims claims = { 0 };
	int r = 0;

	for (; half < end && !id_compare(&half->id, &first->id); half++)
		if (!r && half->backend_domid != XENSPLIT_ANY &&
		    (half == first || half[-1].backend_domid != half->backend_domid))
			r = claims_add(txn, &claims, half->backend_domid);
	*index = (size_t)(half - strangers->halves);
	if (!r)
		r = strangers->ops->found(txn, &first->id, &claims, strangers->ops->data);
	claims_clear(&claims);
	return r;
}

int strangers_foreach(struct txn *txn, struct strangers *strangers)
{
	size_t i = 0;
	int r;

	if (strangers->excluded_count)
		qsort(strangers->excluded, strangers->excluded_count, sizeof(struct half),
		      compare_halves);
	r = domain_foreach(txn, walk_domain, strangers);
	if (strangers->count)
		qsort(strangers->halves, strangers->count, sizeof(struct half),
		      compare_halves);
	while (!r && i < strangers->count)
		r = tell(txn, strangers, &i);
	return r;
}

int strangers_single(struct txn *txn, struct strangers *strangers)
{
	const struct xensplit_filter *filter = strangers->filter;
	struct claims claims = { 0 };
	struct device_id id;
	char path[PATH_SIZE];
	int r = id_set(txn->ctx, &id, filter->domid, filter->type, filter->devid);

	if (!r)
		r = claims_find(txn, &id, &claims);
	if (!r && claims.count)
		r = 1;
	else if (!r) {
		path_frontend(path, &id, NULL);
		r = store_exists(txn, path);
	}
	if (r > 0)
		r = strangers->ops->found(txn, &id, &claims, strangers->ops->data);
	claims_clear(&claims);
	return r;
}
