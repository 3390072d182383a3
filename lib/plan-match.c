// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which device of a domain belongs to which entry of its list. */
#include "array.h"
#include "plan.h"

/* --- the devices --- */

static void found_free(struct found *found)
{
	pairs_clear(&found->front);
	pairs_clear(&found->back);
	free(found);
}

static int read_found(struct planning *p, const struct device_id *id, struct found *found)
{
	int r = record_read_whole(p->txn, id, &found->record, &found->front,
				  &found->back);

	if (r == -EBADMSG) {
		found->damaged = true;
		found->record.id = *id;
		return 0;
	}
	if (!r)
		r = domains_stale(p->txn, &p->domains, &found->record);
	found->stale = r > 0;
	return r < 0 ? r : 0;
}

static int add_found(struct txn *txn, const struct device_id *id, void *data)
{
	struct planning *p = data;
	struct found **more =
		array_grow(p->found, p->found_count, &p->found_room, sizeof(*more));
	struct found *found = calloc(1, sizeof(*found));
	int r = 0;

	if (more)
		p->found = more;
	if (!more || !found)
		r = fail(txn->ctx, -ENOMEM, "out of memory");
	if (!r)
		r = read_found(p, id, found);
	if (!r) {
		p->found[p->found_count++] = found;
		return 0;
	}
	if (found)
		found_free(found);
	/* Another client was faster. */
	return r == -ENOENT ? 0 : r;
}

static int compare_found(const void *a, const void *b)
{
	const struct found *const *first = a, *const *second = b;

	return id_compare(&(*first)->record.id, &(*second)->record.id);
}

int plan_look(struct planning *p)
{
	XENSPLIT_FILTER(filter);
	int r;

	filter.domid = p->plan->domid;
	r = record_foreach(p->txn, &filter, add_found, p);
	if (!r && p->found_count)
		qsort(p->found, p->found_count, sizeof(*p->found), compare_found);
	return r;
}

void plan_forget_found(struct planning *p)
{
	while (p->found_count)
		found_free(p->found[--p->found_count]);
	free(p->found);
	domains_clear(&p->domains);
}

/* --- matching --- */

static void take(struct planned *planned, struct found *found)
{
	found->taken = true;
	planned->found = found;
	planned->action.id.devid = found->record.id.devid;
	memcpy(planned->unique_id, found->record.unique_id, sizeof(planned->unique_id));
}

/* Also with an entry whose device does not exist yet. */
static bool is_named_before(const struct planning *p, size_t index)
{
	const struct planned *planned = p->plan->actions[index];
	size_t i;

	for (i = 0; i < index; i++) {
		const struct planned *other = p->plan->actions[i];

		if (!other->is_auto &&
		    other->action.id.devid == planned->action.id.devid &&
		    !strcmp(other->type, planned->type))
			return true;
	}
	return false;
}

static struct found *find_by_id(const struct planning *p, const struct planned *planned)
{
	size_t i;

	for (i = 0; i < p->found_count; i++) {
		const struct device_id *id = &p->found[i]->record.id;

		if (id->devid == planned->action.id.devid &&
		    !strcmp(id->type, planned->type))
			return p->found[i];
	}
	return NULL;
}

static int match_fixed(struct planning *p, size_t index)
{
	struct planned *planned = p->plan->actions[index];
	struct found *found;

	if (planned->is_auto || !planned->valid)
		return 0;
	if (is_named_before(p, index)) {
		if (planned->action.result == -EINVAL)
			return 0;
		failure_set(p->txn->ctx, -EINVAL, "listed-twice",
			    "the list has %s/%" PRIu32 " twice", planned->type,
			    planned->action.id.devid);
		return plan_refuse(p, planned, -EINVAL);
	}
	found = find_by_id(p, planned);
	if (found)
		take(planned, found);
	return 0;
}

/* The ids of other entries, which may be attached later. */
static int avoid_fixed(struct planning *p, struct planned *planned)
{
	size_t i, room = 0;

	if (!planned->is_auto || planned->found)
		return 0;
	for (i = 0; i < p->plan->count; i++) {
		const struct planned *other = p->plan->actions[i];
		struct step *step = &planned->step;
		uint32_t *more;

		if (other->is_auto || strcmp(other->type, planned->type) != 0)
			continue;
		more = array_grow(step->avoid, step->avoid_count, &room, sizeof(*more));
		if (!more)
			return fail(p->txn->ctx, -ENOMEM, "out of memory");
		step->avoid = more;
		step->avoid[step->avoid_count++] = other->action.id.devid;
	}
	return 0;
}

/* How much a device has to be like the entry. */
enum likeness {
	LIKE_EQUAL,
	LIKE_KEYS, /* its backend may have moved, as when its domain was restarted */
	LIKE_TYPE,
	LIKE_END
};

static bool is_like(const struct planned *planned, const struct found *found,
		    enum likeness likeness)
{
	struct step step = planned->step;
	char text[DIFFERENCES_SIZE];

	if (found->taken || found->damaged || strcmp(found->record.listed, "auto") != 0 ||
	    strcmp(found->record.id.type, planned->type) != 0)
		return false;
	if (likeness == LIKE_TYPE)
		return true;
	if (likeness == LIKE_KEYS)
		step.backend_domid = found->record.backend_domid;
	else if (planned->action.result)
		return false;
	return compare_device(&step, &found->record, &found->front, &found->back, text,
			      sizeof(text));
}

/* Those with the lowest ids first, as @found is sorted. */
static void match_auto(struct planning *p, struct planned *planned,
		       enum likeness likeness)
{
	size_t i;

	if (!planned->is_auto || !planned->valid || planned->found)
		return;
	for (i = 0; i < p->found_count; i++)
		if (is_like(planned, p->found[i], likeness)) {
			take(planned, p->found[i]);
			return;
		}
}

int plan_match(struct planning *p)
{
	size_t count = p->plan->count, i;
	int likeness, r = 0;

	for (i = 0; !r && i < count; i++)
		r = match_fixed(p, i);
	for (likeness = LIKE_EQUAL; !r && likeness < LIKE_END; likeness++)
		for (i = 0; i < count; i++)
			match_auto(p, p->plan->actions[i], (enum likeness)likeness);
	for (i = 0; !r && i < count; i++)
		r = avoid_fixed(p, p->plan->actions[i]);
	return r;
}
