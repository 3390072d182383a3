// SPDX-License-Identifier: LGPL-2.1-or-later
/* Device ids, and the paths of a device. */
#include "schema.h"

const char RECORD_ROOT[] = "/xensplit";

bool type_is_valid(const char *type)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789_-";
	size_t len = type ? strlen(type) : 0;

	return len && len <= TYPE_MAX && strspn(type, allowed) == len;
}

static int check_type(struct xensplit_ctx *ctx, const char *type)
{
	char shown[64];

	if (type_is_valid(type))
		return 0;
	return fail(ctx, -EINVAL, "'%s' is not a device type: use A-Z a-z 0-9 _ and -",
		    type ? escape(shown, sizeof(shown), type, strlen(type)) : "");
}

static int no_such_domid(struct xensplit_ctx *ctx, uint32_t domid)
{
	return fail(ctx, -ESRCH, "no such domain: %" PRIu32 " (domids are below %u)",
		    domid, DOMID_END);
}

int id_set(struct xensplit_ctx *ctx, struct device_id *id, uint32_t domid,
	   const char *type, uint32_t devid)
{
	int r = check_type(ctx, type);

	if (r)
		return r;
	if (domid >= DOMID_END)
		return no_such_domid(ctx, domid);
	if (devid > INT32_MAX)
		return fail(ctx, -EINVAL, "%" PRIu32 " is not a device id: use 0 to %d",
			    devid, INT32_MAX);
	memset(id, 0, sizeof(*id));
	id->domid = domid;
	id->devid = devid;
	memcpy(id->type, type, strlen(type));
	return 0;
}

const char *id_backend_type(const struct device_id *id)
{
	return *id->backend_type ? id->backend_type : id->type;
}

void id_set_backend_type(struct device_id *id, const char *backend_type)
{
	memset(id->backend_type, 0, sizeof(id->backend_type));
	if (backend_type && strcmp(backend_type, id->type) != 0)
		memcpy(id->backend_type, backend_type, strlen(backend_type));
}

int id_check_filter(struct xensplit_ctx *ctx, const struct xensplit_filter *from,
		    struct xensplit_filter *to)
{
	XENSPLIT_FILTER(any);

	*to = any;
	if (!from)
		return 0;
	if (opts_copy(to, sizeof(*to), from))
		return fail(ctx, -EINVAL, "the filter is of a newer version");
	/* The caller was built without this member. */
	if (from->sz < sizeof(*to))
		to->backend_domid = XENSPLIT_ANY;
	if (to->type && !type_is_valid(to->type))
		return check_type(ctx, to->type);
	if (to->domid != XENSPLIT_ANY && to->domid >= DOMID_END)
		return no_such_domid(ctx, to->domid);
	if (to->backend_domid != XENSPLIT_ANY && to->backend_domid >= DOMID_END)
		return no_such_domid(ctx, to->backend_domid);
	return 0;
}

bool id_matches(const struct device_id *id, const struct xensplit_filter *filter)
{
	return (filter->domid == XENSPLIT_ANY || filter->domid == id->domid) &&
	       (filter->devid == XENSPLIT_ANY || filter->devid == id->devid) &&
	       (!filter->type || !strcmp(filter->type, id->type));
}

bool backend_matches(uint32_t backend_domid, const struct xensplit_filter *filter)
{
	return filter->backend_domid == XENSPLIT_ANY ||
	       filter->backend_domid == backend_domid;
}

bool filter_is_single(const struct xensplit_filter *filter)
{
	return filter->domid != XENSPLIT_ANY && filter->type &&
	       filter->devid != XENSPLIT_ANY;
}

int id_compare(const struct device_id *a, const struct device_id *b)
{
	int order;

	if (a->domid != b->domid)
		return a->domid < b->domid ? -1 : 1;
	order = strcmp(a->type, b->type);
	if (order)
		return order;
	return a->devid < b->devid ? -1 : a->devid > b->devid;
}

const char *id_text(const struct device_id *id, char *buf, size_t size)
{
	snprintf(buf, size, "domain %" PRIu32 " %s/%" PRIu32, id->domid, id->type,
		 id->devid);
	return buf;
}

void id_log(struct xensplit_ctx *ctx, const struct device_id *id, const char *what)
{
	char text[ID_TEXT_SIZE];

	log_verbose(ctx, "%s: %s", id_text(id, text, sizeof(text)), what);
}

static const char *slash(const char *key)
{
	return key ? "/" : "";
}

static const char *or_none(const char *key)
{
	return key ? key : "";
}

void path_record(char *path, const struct device_id *id, const char *key)
{
	snprintf(path, PATH_SIZE, "%s/%" PRIu32 "/%s/%" PRIu32 "%s%s", RECORD_ROOT,
		 id->domid, id->type, id->devid, slash(key), or_none(key));
}

void path_frontend(char *path, const struct device_id *id, const char *key)
{
	snprintf(path, PATH_SIZE, "/local/domain/%" PRIu32 "/device/%s/%" PRIu32 "%s%s",
		 id->domid, id->type, id->devid, slash(key), or_none(key));
}

void path_backend(char *path, const struct device_id *id, uint32_t backend_domid,
		  const char *key)
{
	snprintf(path, PATH_SIZE,
		 "/local/domain/%" PRIu32 "/backend/%s/%" PRIu32 "/%" PRIu32 "%s%s",
		 backend_domid, id_backend_type(id), id->domid, id->devid, slash(key),
		 or_none(key));
}

/* Where Linux writes errors: error_path() of xenbus_client.c */
void path_frontend_error(char *path, const struct device_id *id, const char *key)
{
	snprintf(path, PATH_SIZE,
		 "/local/domain/%" PRIu32 "/error/device/%s/%" PRIu32 "%s%s", id->domid,
		 id->type, id->devid, slash(key), or_none(key));
}

void path_backend_error(char *path, const struct device_id *id, uint32_t backend_domid,
			const char *key)
{
	snprintf(path, PATH_SIZE,
		 "/local/domain/%" PRIu32 "/error/backend/%s/%" PRIu32 "/%" PRIu32 "%s%s",
		 backend_domid, id_backend_type(id), id->domid, id->devid, slash(key),
		 or_none(key));
}
