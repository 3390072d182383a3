// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of domains, each kept once: what belongs to a domain that has just appeared
 * is found without a search. Texts of digits are the domids of backends.
 */
#include "array.h"
#include "keeper.h"

static struct name **bucket(struct xensplit_keeper *k, const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return &k->names[hash % NAME_BUCKETS];
}

struct name *name_find(struct xensplit_keeper *k, const char *text)
{
	struct name *name = *bucket(k, text);

	while (name && strcmp(name->text, text) != 0)
		name = name->next;
	return name;
}

struct name *name_get(struct xensplit_keeper *k, const char *text)
{
	struct name *name = name_find(k, text), **first;

	if (!name) {
		name = calloc(1, sizeof(*name) + strlen(text) + 1);
		if (!name) {
			failure_set(k->ctx, -ENOMEM, NULL, "out of memory");
			return NULL;
		}
		memcpy(name->text, text, strlen(text) + 1);
		first = bucket(k, text);
		name->next = *first;
		*first = name;
	}
	name->pins++;
	return name;
}

void name_put(struct xensplit_keeper *k, struct name *name)
{
	struct name **at;

	if (!name || --name->pins)
		return;
	at = bucket(k, name->text);
	while (*at != name)
		at = &(*at)->next;
	*at = name->next;
	free(name->users);
	free(name);
}

bool name_number(const struct name *name, uint32_t *ret_domid)
{
	uint64_t domid;

	if (!parse_number(name->text, strlen(name->text), DOMID_END - 1, &domid))
		return false;
	*ret_domid = (uint32_t)domid;
	return true;
}

/* A domid without leading zeros, or a name. */
static struct name *get_backend(struct xensplit_keeper *k, const char *text)
{
	char number[16];
	uint64_t domid;

	if (parse_number(text, strlen(text), DOMID_END - 1, &domid)) {
		snprintf(number, sizeof(number), "%" PRIu64, domid);
		text = number;
	}
	return name_get(k, text);
}

/* --- lists --- */

static void want_clear(struct xensplit_keeper *k, struct want *want)
{
	name_put(k, want->backend);
	free(want->type);
	free(want->backend_type);
	pairs_clear(&want->front);
	pairs_clear(&want->back);
}

static int copy_text(struct xensplit_keeper *k, char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? fail(k->ctx, -ENOMEM, "out of memory") : 0;
}

static int copy_pairs(struct xensplit_keeper *k, struct pairs *to,
		      const struct xensplit_pair *from, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!from[i].key || !from[i].value)
			return fail(k->ctx, -EINVAL, "a key or its value is missing");
		if (pairs_add(to, from[i].key, from[i].value))
			return fail(k->ctx, -ENOMEM, "out of memory");
	}
	return 0;
}

static int want_copy(struct xensplit_keeper *k, struct want *want,
		     const struct xensplit_wanted *from)
{
	struct xensplit_wanted *w = &want->wanted;
	int r;

	if (!from || opts_copy(w, sizeof(*w), from))
		return fail(k->ctx, -EINVAL, "the wanted device is of a newer version");
	if (!w->type)
		return fail(k->ctx, -EINVAL, "the type of a wanted device is missing");
	r = copy_text(k, &want->type, w->type);
	if (!r)
		r = copy_text(k, &want->backend_type, w->backend_type);
	if (!r)
		r = copy_pairs(k, &want->front, w->front, w->front_count);
	if (!r)
		r = copy_pairs(k, &want->back, w->back, w->back_count);
	if (!r && w->backend) {
		want->backend = get_backend(k, w->backend);
		r = want->backend ? 0 : -ENOMEM;
	}
	w->sz = sizeof(*w);
	w->type = want->type;
	w->backend_type = want->backend_type;
	w->backend = want->backend ? want->backend->text : NULL;
	w->front = want->front.list;
	w->back = want->back.list;
	return r;
}

void wants_put(struct xensplit_keeper *k, struct wants *wants)
{
	if (!wants || --wants->pins)
		return;
	while (wants->count)
		want_clear(k, &wants->list[--wants->count]);
	free(wants->list);
	free(wants);
}

int wants_copy(struct xensplit_keeper *k, const struct xensplit_wanted *const *wanted,
	       size_t count, struct wants **ret_wants)
{
	struct wants *wants = calloc(1, sizeof(*wants));
	int r = 0;

	if (wants)
		wants->list = calloc(count ? count : 1, sizeof(*wants->list));
	if (!wants || !wants->list) {
		free(wants);
		return fail(k->ctx, -ENOMEM, "out of memory");
	}
	wants->pins = 1;
	while (!r && wants->count < count) {
		size_t i = wants->count++;

		r = want_copy(k, &wants->list[i], wanted[i]);
	}
	if (r) {
		wants_put(k, wants);
		return r;
	}
	*ret_wants = wants;
	return 0;
}

static bool texts_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* In the same order: a list that was only put in another order is planned again. */
static bool pairs_equal(const struct pairs *a, const struct pairs *b)
{
	size_t i;

	for (i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->list[i].key, b->list[i].key) != 0 ||
		    strcmp(a->list[i].value, b->list[i].value) != 0)
			return false;
	return a->count == b->count;
}

bool want_equal(const struct want *a, const struct want *b)
{
	return a->wanted.devid == b->wanted.devid && a->wanted.flags == b->wanted.flags &&
	       a->backend == b->backend && texts_equal(a->type, b->type) &&
	       texts_equal(a->backend_type, b->backend_type) &&
	       pairs_equal(&a->front, &b->front) && pairs_equal(&a->back, &b->back);
}

bool wants_equal(const struct wants *a, const struct wants *b)
{
	size_t i;

	for (i = 0; i < a->count && i < b->count; i++)
		if (!want_equal(&a->list[i], &b->list[i]))
			return false;
	return a->count == b->count;
}

/* --- who has which backend --- */

static int add_user(struct xensplit_keeper *k, struct name *name, struct name *user)
{
	struct name **more = array_grow(name->users, name->users_count, &name->users_room,
					sizeof(*more));

	if (!more)
		return fail(k->ctx, -ENOMEM, "out of memory");
	name->users = more;
	name->users[name->users_count++] = user;
	return 0;
}

static void drop_user(struct name *name, const struct name *user)
{
	size_t i;

	for (i = 0; i < name->users_count; i++)
		if (name->users[i] == user) {
			name->users[i] = name->users[--name->users_count];
			return;
		}
}

int wants_link(struct xensplit_keeper *k, struct name *user, const struct wants *wants)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < wants->count; i++)
		if (wants->list[i].backend)
			r = add_user(k, wants->list[i].backend, user);
	if (r)
		wants_unlink(user, wants);
	return r;
}

void wants_unlink(struct name *user, const struct wants *wants)
{
	size_t i;

	for (i = 0; i < wants->count; i++)
		if (wants->list[i].backend)
			drop_user(wants->list[i].backend, user);
}
