// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of domains, and which domain has one. */
#include "schema.h"

/* *ret_name is NULL if it has none, or this client may not read it. */
static int read_name(struct txn *txn, uint32_t domid, char **ret_name)
{
	char path[PATH_SIZE];
	size_t len;
	int r;

	*ret_name = NULL;
	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/name", domid);
	r = store_read(txn, path, ret_name, &len);
	if (r)
		return r == -ENOENT || r == -EACCES ? 0 : r;
	if (!len || strlen(*ret_name) != len) {
		free(*ret_name);
		*ret_name = NULL;
	}
	return 0;
}

char *domain_name(struct txn *txn, uint32_t domid)
{
	char *name;

	return read_name(txn, domid, &name) ? NULL : name;
}

/* init-dom0less gives a domain its own name: it can call itself as another one. */
int domain_chose_name(struct txn *txn, uint32_t domid)
{
	struct node_perms perms;
	char path[PATH_SIZE];
	int r;

	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/name", domid);
	r = store_get_perms(txn, path, &perms);
	if (r)
		return r == -ENOENT ? 0 : r;
	return perms_guest_may_write(&perms);
}

struct search {
	const char *wanted;
	bool living; /* leave out those that can't get a device */
	unsigned int found;
	uint32_t domid;
	uint32_t liar; /* has the name, but may have chosen it; or XENSPLIT_ANY */
};

static int compare_name(struct txn *txn, uint32_t domid, void *data)
{
	struct search *search = data;
	char *name;
	int r = read_name(txn, domid, &name);
	bool same = !r && name && !strcmp(name, search->wanted);

	free(name);
	if (same)
		r = domain_chose_name(txn, domid);
	if (r > 0) {
		search->liar = domid;
		return 0;
	}
	if (same && !r && search->living)
		r = domain_check(txn, domid);
	if (same && !r) {
		search->domid = domid;
		search->found++;
	}
	return search->living && r == -ESRCH ? 0 : r;
}

/* -ESRCH: there is none, -EINVAL: there are several. */
static int search_name(struct txn *txn, struct search *search)
{
	int r = domain_foreach(txn, compare_name, search);
	char shown[128];

	if (r)
		return r;
	escape(shown, sizeof(shown), search->wanted, strlen(search->wanted));
	if (!search->found && search->liar != XENSPLIT_ANY)
		return fail_as(txn->ctx, -ESRCH, "untrusted-name",
			       "domain %" PRIu32
			       " is called '%s', but may have chosen that itself: use "
			       "its domid",
			       search->liar, shown);
	if (!search->found)
		return fail(txn->ctx, -ESRCH, "no such domain: '%s'", shown);
	if (search->found > 1)
		return fail_as(txn->ctx, -EINVAL, "ambiguous-domain",
			       "%u domains have the name '%s'", search->found, shown);
	return 0;
}

static int find_by_name(struct txn *txn, const char *wanted, uint32_t *ret_domid)
{
	struct search search = { .wanted = wanted, .liar = XENSPLIT_ANY };
	int r = search_name(txn, &search);
	char shown[128];

	*ret_domid = search.domid;
	/* More likely a mistyped domid than a domain that is gone. */
	if (r == -ESRCH && search.liar == XENSPLIT_ANY && *wanted >= '0' &&
	    *wanted <= '9')
		return fail_as(txn->ctx, -EINVAL, "no-such-domain",
			       "'%s' is neither a domid nor a domain name",
			       escape(shown, sizeof(shown), wanted, strlen(wanted)));
	return r;
}

int domain_named(struct txn *txn, const char *name, uint32_t *ret_domid)
{
	struct search search = { .wanted = name, .living = true, .liar = XENSPLIT_ANY };
	int r = search_name(txn, &search);

	if (!r)
		*ret_domid = search.domid;
	return r;
}

XENSPLIT_API int xensplit_domain_find(struct xensplit_ctx *ctx, const char *text,
				      uint32_t *ret_domid)
{
	uint32_t found = 0;
	int r;

	if (!ctx || !text || !ret_domid)
		return -EINVAL;
	ctx_begin(ctx);
	struct txn txn = TXN_NONE(ctx);

	r = domain_parse(ctx, text, &found);
	if (r > 0)
		r = find_by_name(&txn, text, &found);
	if (!r)
		*ret_domid = found;
	return ctx_end(ctx, r);
}
