// SPDX-License-Identifier: LGPL-2.1-or-later
/* Checks of arguments, before any request to XenStore. */
#include "schema.h"

/*
 * XEN_BUS_ID_SIZE of Linux's drivers/xen/xenbus/xenbus.h; the bus silently drops longer ids.
 * modules/new-driver reads it and the list below from this file.
 */
#define BUS_ID_SIZE 20

/*
 * libxl__device_kind of Xen's tools/libs/light/libxl_types_internal.idl;
 * tests/harness/kinds.bats compares the two.
 */
static const char *const reserved_types[] = {
	"vif",	   "vbd",  "qdisk",  "tap",    "pci",	      "vfb",	"vkbd",
	"console", "vtpm", "vusb",   "qusb",   "9pfs",	      "vdispl", "vuart",
	"pvcalls", "vsnd", "vinput", "virtio", "virtio_disk", "vbd3",	"xen_9pfs",
};

static const char *const front_keys[] = { "backend", "backend-id", "state" };
static const char *const back_keys[] = { "frontend", "frontend-id", "online", "state" };

static unsigned int digits(uint32_t number)
{
	unsigned int count = 1;

	while (number >= 10) {
		number /= 10;
		count++;
	}
	return count;
}

int64_t devid_limit(const char *type, uint32_t domid)
{
	/* "T-D-I" is the longer one. */
	size_t taken = strlen(type) + 1 + digits(domid) + 1;
	int64_t limit = 1;

	if (taken >= BUS_ID_SIZE - 1)
		return -1;
	for (taken = BUS_ID_SIZE - 1 - taken; taken && limit < INT32_MAX; taken--)
		limit *= 10;
	return limit - 1 > INT32_MAX ? INT32_MAX : limit - 1;
}

/* The backend's name is longer, unless its type is shorter. */
static const char *longer_type(const struct xensplit_attach_opts *opts)
{
	if (!opts->backend_type || strlen(opts->backend_type) < strlen(opts->type))
		return opts->type;
	return opts->backend_type;
}

static int validate_bus_id(struct xensplit_ctx *ctx,
			   const struct xensplit_attach_opts *opts)
{
	bool automatic = opts->devid == XENSPLIT_DEVID_AUTO;
	uint32_t devid = automatic ? 0 : opts->devid;
	const char *longest = longer_type(opts);
	size_t type = strlen(longest), domid = digits(opts->domid), id = digits(devid);

	if ((int64_t)devid <= devid_limit(longest, opts->domid))
		return 0;
	return fail_as(ctx, -EINVAL, "bus-id-too-long",
		       "bus id '%s-%" PRIu32 "-%" PRIu32
		       "' has %zu + 1 + %zu + 1 + %zu = %zu "
		       "characters: Linux's xenbus ignores a device with more than %d",
		       longest, opts->domid, devid, type, domid, id,
		       type + domid + id + 2, BUS_ID_SIZE - 1);
}

bool type_is_reserved(const char *type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reserved_types); i++)
		if (!strcmp(type, reserved_types[i]))
			return true;
	return false;
}

static int validate_type(struct xensplit_ctx *ctx,
			 const struct xensplit_attach_opts *opts)
{
	const char *type = opts->type;

	if (opts->backend_type && !type_is_valid(opts->backend_type))
		return id_set(ctx, &(struct device_id){ 0 }, 0, opts->backend_type, 0);
	if (opts->backend_type && type_is_reserved(opts->backend_type))
		type = opts->backend_type;
	if ((opts->flags & XENSPLIT_ATTACH_RESERVED) || !type_is_reserved(type))
		return 0;
	return fail_as(ctx, -EINVAL, "reserved-type",
		       "libxl manages devices of type '%s'", type);
}

static int validate_key(struct xensplit_ctx *ctx, const struct xensplit_pair *pair,
			const char *side, const char *const *taken, size_t taken_count)
{
	char shown[64];
	size_t i;

	if (!pair->key || !pair->value)
		return fail(ctx, -EINVAL, "a %s key lacks its name or value", side);
	escape(shown, sizeof(shown), pair->key, strlen(pair->key));
	/* A key has the same characters as a type, and the same limit. */
	if (!type_is_valid(pair->key))
		return fail(ctx, -EINVAL,
			    "%s key '%s' is not a node name: use A-Z a-z 0-9 _ and -",
			    side, shown);
	for (i = 0; i < taken_count; i++)
		if (!strcmp(pair->key, taken[i]))
			return fail(ctx, -EINVAL,
				    "%s key '%s' is written by xensplit itself", side,
				    shown);
	if (strlen(pair->value) > VALUE_MAX_LEN)
		return fail(ctx, -EINVAL,
			    "the value of %s key '%s' has %zu bytes: XenStore takes at "
			    "most %d",
			    side, shown, strlen(pair->value), VALUE_MAX_LEN);
	return 0;
}

static int validate_keys(struct xensplit_ctx *ctx, const char *side,
			 const struct xensplit_pair *pairs, size_t count,
			 const char *const *taken, size_t taken_count)
{
	size_t i, j;
	int r;

	if (count && !pairs)
		return fail(ctx, -EINVAL, "the array of %zu %s keys is NULL", count,
			    side);
	for (i = 0; i < count; i++) {
		r = validate_key(ctx, &pairs[i], side, taken, taken_count);
		if (r)
			return r;
		for (j = 0; j < i; j++)
			if (!strcmp(pairs[i].key, pairs[j].key))
				return fail(ctx, -EINVAL, "%s key '%s' is given twice",
					    side, pairs[i].key);
	}
	return 0;
}

int validate_attach(struct xensplit_ctx *ctx, const struct xensplit_attach_opts *opts)
{
	static const uint32_t known = XENSPLIT_ATTACH_REPLACE | XENSPLIT_ATTACH_RESERVED |
				      XENSPLIT_ATTACH_ROLLBACK |
				      XENSPLIT_ATTACH_DROP_KEYS | XENSPLIT_ATTACH_ENSURE;
	struct device_id id;
	int r;

	if (opts->flags & ~known)
		return fail(ctx, -EINVAL, "unknown attach flags 0x%x",
			    opts->flags & ~known);
	if (opts->devid == XENSPLIT_DEVID_AUTO && (opts->flags & XENSPLIT_ATTACH_REPLACE))
		return fail(ctx, -EINVAL,
			    "a device with an automatic id can't replace one");
	if (opts->devid == XENSPLIT_DEVID_AUTO && (opts->flags & XENSPLIT_ATTACH_ENSURE))
		return fail(ctx, -EINVAL,
			    "an automatic id does not say which device to compare");
	if (opts->backend_domid >= DOMID_END)
		return fail(ctx, -ESRCH,
			    "no such domain: %" PRIu32 " (domids are below %u)",
			    opts->backend_domid, DOMID_END);
	r = id_set(ctx, &id, opts->domid, opts->type,
		   opts->devid == XENSPLIT_DEVID_AUTO ? 0 : opts->devid);
	if (!r)
		r = validate_type(ctx, opts);
	if (!r)
		r = validate_bus_id(ctx, opts);
	if (!r)
		r = validate_keys(ctx, "frontend", opts->front, opts->front_count,
				  front_keys, ARRAY_SIZE(front_keys));
	return r ? r
		 : validate_keys(ctx, "backend", opts->back, opts->back_count, back_keys,
				 ARRAY_SIZE(back_keys));
}
