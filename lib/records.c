// SPDX-License-Identifier: LGPL-2.1-or-later
/* Walks all records below their root. */
#include "schema.h"

struct walk {
	const struct xensplit_filter *filter;
	record_fn *fn;
	void *data;
	struct device_id id;
};

static int list_or_none(struct txn *txn, const char *path, char ***ret_names,
			unsigned int *count)
{
	int r = store_list(txn, path, ret_names, count);

	if (r != -ENOENT)
		return r;
	*ret_names = NULL;
	*count = 0;
	return 0;
}

static int walk_devids(struct txn *txn, struct walk *walk)
{
	unsigned int count, i;
	char path[PATH_SIZE], **names = NULL;
	int r;

	if (walk->filter->type && strcmp(walk->filter->type, walk->id.type) != 0)
		return 0;
	snprintf(path, sizeof(path), "%s/%" PRIu32 "/%s", RECORD_ROOT, walk->id.domid,
		 walk->id.type);
	r = list_or_none(txn, path, &names, &count);
	for (i = 0; !r && i < count; i++) {
		uint64_t devid;

		/* next-devid is here, too. */
		if (!parse_name(names[i], INT32_MAX, &devid))
			continue;
		walk->id.devid = (uint32_t)devid;
		if (id_matches(&walk->id, walk->filter))
			r = walk->fn(txn, &walk->id, walk->data);
	}
	free(names);
	return r;
}

static int walk_types(struct txn *txn, struct walk *walk)
{
	unsigned int count, i;
	char path[PATH_SIZE], **names = NULL;
	int r;

	snprintf(path, sizeof(path), "%s/%" PRIu32, RECORD_ROOT, walk->id.domid);
	r = list_or_none(txn, path, &names, &count);
	for (i = 0; !r && i < count; i++) {
		if (!type_is_valid(names[i]))
			continue;
		memset(walk->id.type, 0, sizeof(walk->id.type));
		memcpy(walk->id.type, names[i], strlen(names[i]));
		r = walk_devids(txn, walk);
	}
	free(names);
	return r;
}

int record_domains(struct txn *txn, domain_fn *fn, void *data)
{
	return domids_foreach(txn, RECORD_ROOT, fn, data);
}

static int walk_domain(struct txn *txn, uint32_t domid, void *data)
{
	struct walk *walk = data;

	walk->id.domid = domid;
	return walk_types(txn, walk);
}

int record_foreach(struct txn *txn, const struct xensplit_filter *filter, record_fn *fn,
		   void *data)
{
	struct walk walk = { .filter = filter, .fn = fn, .data = data };
	int r;

	/* No search for a single one: the caller's read finds out if it exists. */
	if (filter_is_single(filter)) {
		r = id_set(txn->ctx, &walk.id, filter->domid, filter->type,
			   filter->devid);
		return r ? r : fn(txn, &walk.id, data);
	}
	if (filter->domid != XENSPLIT_ANY)
		return walk_domain(txn, filter->domid, &walk);
	return record_domains(txn, walk_domain, &walk);
}
