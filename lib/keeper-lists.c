// SPDX-License-Identifier: LGPL-2.1-or-later
/* The lists of wanted devices, by the name of their domain. */
#include "keeper.h"

/* A list pins its name. Takes over both pins; @wants may be NULL. */
static void replace_wants(struct xensplit_keeper *k, struct name *name,
			  struct wants *wants)
{
	struct wants *old = name->wants;
	struct guest *guest;

	name->wants = wants;
	for (guest = name->guests; guest; guest = guest->next_same)
		guest_schedule(k, guest, now_us());
	if (!old)
		return;
	wants_unlink(name, old);
	wants_put(k, old);
	name_put(k, name);
}

static int set_wants(struct xensplit_keeper *k, const char *domain, struct wants *wants)
{
	struct name *name = name_get(k, domain);
	int r = name ? 0 : -ENOMEM;

	if (!r && name->wants && wants_equal(name->wants, wants)) {
		wants_put(k, wants);
		name_put(k, name);
		return 0;
	}
	if (!r)
		r = wants_link(k, name, wants);
	if (r) {
		wants_put(k, wants);
		name_put(k, name);
		return r;
	}
	replace_wants(k, name, wants);
	return 0;
}

static int check_name(struct xensplit_keeper *k, const char *domain)
{
	if (*domain)
		return 0;
	return fail_as(k->ctx, -EINVAL, "no-such-domain",
		       "the name of the domain is empty");
}

XENSPLIT_API int xensplit_keeper_set(struct xensplit_keeper *keeper, const char *domain,
				     const struct xensplit_wanted *const *wanted,
				     size_t count)
{
	struct wants *wants;
	int r;

	if (!keeper || !domain || (count && !wanted))
		return -EINVAL;
	ctx_begin(keeper->ctx);
	r = check_name(keeper, domain);
	if (!r)
		r = wants_copy(keeper, wanted, count, &wants);
	return r ? r : set_wants(keeper, domain, wants);
}

XENSPLIT_API int xensplit_keeper_unset(struct xensplit_keeper *keeper, const char *domain)
{
	struct name *name;

	if (!keeper || !domain)
		return -EINVAL;
	ctx_begin(keeper->ctx);
	name = name_find(keeper, domain);
	if (!name || !name->wants)
		return fail(keeper->ctx, -ENOENT, "the domain has no list");
	replace_wants(keeper, name, NULL);
	return 0;
}

static struct name *find_list(struct name *name)
{
	while (name && !name->wants)
		name = name->next;
	return name;
}

void lists_clear(struct xensplit_keeper *k)
{
	struct name *name;
	size_t i;

	for (i = 0; i < NAME_BUCKETS; i++)
		while ((name = find_list(k->names[i])))
			replace_wants(k, name, NULL);
}
