// SPDX-License-Identifier: LGPL-2.1-or-later
/* Domains: which exist, and how to tell one from its successor. */
#include "schema.h"

/* Ask the caller's hypervisor table. -EOPNOTSUPP: it can't tell. */
static int ask_hypervisor(struct xensplit_ctx *ctx, uint32_t domid,
			  struct xensplit_domain *domain)
{
	int r;

	memset(domain, 0, sizeof(*domain));
	domain->sz = sizeof(*domain);
	if (!ctx->hypervisor.query)
		return -EOPNOTSUPP;
	r = ctx->hypervisor.query(ctx->hypervisor_data, domid, domain);
	return r == 0 || r == -ESRCH ? r : -EOPNOTSUPP;
}

uint32_t domain_flags(struct xensplit_ctx *ctx, uint32_t domid)
{
	struct xensplit_domain domain;

	return ask_hypervisor(ctx, domid, &domain) ? 0 : domain.flags;
}

static void format_uuid(char uuid[UUID_SIZE], const uint8_t bytes[16])
{
	static const uint8_t none[16];
	size_t used = 0;
	int i;

	uuid[0] = '\0';
	if (!memcmp(bytes, none, sizeof(none)))
		return;
	for (i = 0; i < 16; i++)
		used += (size_t)snprintf(uuid + used, UUID_SIZE - used, "%s%02x",
					 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
					 bytes[i]);
}

static void uuid_from_path(const char *path, size_t len, char uuid[UUID_SIZE])
{
	static const char prefix[] = "/vm/";

	if (len == strlen(prefix) + UUID_SIZE - 1 && strlen(path) == len &&
	    !strncmp(path, prefix, strlen(prefix)))
		memcpy(uuid, path + strlen(prefix), UUID_SIZE);
}

static int no_such_domain(struct txn *txn, uint32_t domid)
{
	return fail(txn->ctx, -ESRCH, "no such domain: %" PRIu32, domid);
}

/* Reads a node of the domain's own directory whose text fits @buf. -ENOENT. */
static int read_own(struct txn *txn, uint32_t domid, const char *key, char **ret_value,
		    size_t *ret_len)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/%s", domid, key);
	return store_read(txn, path, ret_value, ret_len);
}

/* libxl and xenopsd both point /local/domain/D/vm at /vm/UUID; no guest may write it. */
static int read_uuid(struct txn *txn, uint32_t domid, char uuid[UUID_SIZE])
{
	char *value;
	size_t len;
	int r = read_own(txn, domid, "vm", &value, &len);

	if (r)
		return r == -ENOENT ? 0 : r;
	uuid_from_path(value, len, uuid);
	free(value);
	return 0;
}

/*
 * A value that domain_mark() would not write counts as another domain's mark: in a
 * record, a line in it would be a field.
 */
static int read_mark(struct txn *txn, uint32_t domid, char mark[MARK_SIZE])
{
	char *value;
	size_t len;
	bool ours;
	int r = read_own(txn, domid, "xensplit", &value, &len);

	if (r)
		return r;
	ours = len == MARK_SIZE - 1 && strspn(value, "0123456789abcdef") == len;
	snprintf(mark, MARK_SIZE, "%s", ours ? value : "other");
	free(value);
	return 0;
}

/*
 * Nodes can outlive their domain, so ask xenstored itself. Dom0 exists as long as
 * Xen does.
 */
static int require_known(struct txn *txn, uint32_t domid)
{
	int r = domid ? store_knows_domain(txn, domid) : 1;

	if (r)
		return r < 0 ? r : 0;
	return no_such_domain(txn, domid);
}

/* The hypervisor knows the domain, but its toolstack may not have created this yet. */
static int require_directory(struct txn *txn, uint32_t domid)
{
	char path[PATH_SIZE];
	int r;

	snprintf(path, sizeof(path), "/local/domain/%" PRIu32, domid);
	r = store_exists(txn, path);
	if (r)
		return r < 0 ? r : 0;
	r = require_known(txn, domid);
	if (r)
		return r;
	return fail_as(txn->ctx, -ESRCH, "domain-incomplete",
		       "%s does not exist: domain %" PRIu32 " may still be in creation",
		       path, domid);
}

int domain_identity(struct txn *txn, uint32_t domid, const struct identity *recorded,
		    struct identity *ret_identity)
{
	struct identity identity = { .uuid = "" };
	struct xensplit_domain domain;
	int r = ask_hypervisor(txn->ctx, domid, &domain);
	bool asked = !r;

	if (r == -ESRCH)
		return no_such_domain(txn, domid);
	if (asked)
		format_uuid(identity.uuid, domain.uuid);
	else
		r = require_known(txn, domid);
	if (!r && domid && recorded && *recorded->mark) {
		r = read_mark(txn, domid, identity.mark);
		if (r == -ENOENT)
			r = asked ? 0 : require_directory(txn, domid);
	} else if (!r && domid && !asked) {
		r = recorded && *recorded->uuid ? read_uuid(txn, domid, identity.uuid)
						: require_directory(txn, domid);
	}
	if (!r && ret_identity)
		*ret_identity = identity;
	return r;
}

/* 16 hexadecimal digits that no guest may read or write. */
int domain_mark(struct txn *txn, uint32_t domid, char mark[MARK_SIZE])
{
	static const struct perms perms = { 1, { { 0, XS_PERM_NONE } } };
	char path[PATH_SIZE];
	int r;

	if (!domid || *mark)
		return 0;
	r = random_text(txn->ctx, mark, MARK_SIZE);
	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/xensplit", domid);
	return r ? r : store_write_perms(txn, path, mark, &perms);
}

/* A domain without a mark has not had a device yet, so check that it exists. */
static int require_named(struct txn *txn, uint32_t domid, char **ret_name)
{
	char *name;
	size_t len;
	int r = read_own(txn, domid, "name", &name, &len);

	if (r)
		return r == -ENOENT ? require_directory(txn, domid) : r;
	if (ret_name && len && strlen(name) == len) {
		free(*ret_name);
		*ret_name = name;
	} else {
		free(name);
	}
	return 0;
}

int domain_claim(struct txn *txn, uint32_t domid, struct identity *ret_identity,
		 char **ret_name)
{
	struct identity identity = { .uuid = "" };
	struct xensplit_domain domain;
	int r;

	if (domid >= DOMID_END)
		return no_such_domain(txn, domid);
	r = ask_hypervisor(txn->ctx, domid, &domain);
	if (r == -ESRCH)
		return no_such_domain(txn, domid);
	if (!r && (domain.flags & XENSPLIT_DOMAIN_DYING))
		return fail_as(txn->ctx, -ESRCH, "domain-dying",
			       "domain %" PRIu32 " is dying", domid);
	if (!r)
		format_uuid(identity.uuid, domain.uuid);
	r = domid ? read_mark(txn, domid, identity.mark) : 0;
	if (r == -ENOENT)
		r = require_named(txn, domid, ret_name);
	if (!r)
		*ret_identity = identity;
	return r;
}

int domids_foreach(struct txn *txn, const char *dir, domain_fn *fn, void *data)
{
	unsigned int count, i;
	char **names = NULL;
	int r = store_list(txn, dir, &names, &count);

	if (r)
		return r == -ENOENT ? 0 : r;
	for (i = 0; !r && i < count; i++) {
		uint64_t domid;

		if (parse_name(names[i], DOMID_END - 1, &domid))
			r = fn(txn, (uint32_t)domid, data);
	}
	free(names);
	return r;
}

int domain_foreach(struct txn *txn, domain_fn *fn, void *data)
{
	return domids_foreach(txn, "/local/domain", fn, data);
}

/* A relative path belongs to the reader's domain; through a socket, to dom0. */
int domain_own(struct txn *txn, uint32_t *ret_domid)
{
	uint64_t domid;
	char *value;
	size_t len;
	bool ok;
	int r = store_read(txn, "domid", &value, &len);

	if (r)
		return r;
	ok = parse_number(value, len, DOMID_END - 1, &domid);
	free(value);
	if (!ok)
		return -EBADMSG;
	*ret_domid = (uint32_t)domid;
	return 0;
}

int domain_parse(struct xensplit_ctx *ctx, const char *text, uint32_t *ret_domid)
{
	uint64_t domid;

	if (!*text)
		return fail_as(ctx, -EINVAL, "no-such-domain",
			       "the name of the domain is empty");
	if (strspn(text, "0123456789") < strlen(text))
		return 1;
	if (!parse_number(text, strlen(text), DOMID_END - 1, &domid))
		return fail(ctx, -ESRCH, "no such domain: %.20s (domids are below %u)",
			    text, DOMID_END);
	*ret_domid = (uint32_t)domid;
	return 0;
}

int domain_check(struct txn *txn, uint32_t domid)
{
	struct xensplit_domain domain;
	int r;

	if (domid >= DOMID_END)
		return no_such_domain(txn, domid);
	r = ask_hypervisor(txn->ctx, domid, &domain);
	if (!r && (domain.flags & XENSPLIT_DOMAIN_DYING))
		return fail_as(txn->ctx, -ESRCH, "domain-dying",
			       "domain %" PRIu32 " is dying", domid);
	if (r == -ESRCH)
		return no_such_domain(txn, domid);
	if (r)
		r = require_known(txn, domid);
	return r ? r : require_directory(txn, domid);
}

XENSPLIT_API int xensplit_domain_check(struct xensplit_ctx *ctx, uint32_t domid)
{
	if (!ctx)
		return -EINVAL;
	ctx_begin(ctx);
	struct txn txn = TXN_NONE(ctx);

	return ctx_end(ctx, domain_check(&txn, domid));
}
