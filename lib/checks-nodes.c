// SPDX-License-Identifier: LGPL-2.1-or-later
/* Check the nodes of both halves: how they refer to each other, and permissions. */
#include "findings.h"

static bool has_backend(const struct patient *p)
{
	return p->place.backend_domid != XENSPLIT_ANY;
}

int check_bus_id(struct patient *p)
{
	const struct device_id *id = &p->place.id;
	const char *type = *id->backend_type ? id->backend_type : id->type;
	char bus_id[TYPE_MAX + 32];
	int len;

	if (strlen(type) < strlen(id->type))
		type = id->type;
	len = snprintf(bus_id, sizeof(bus_id), "%s-%" PRIu32 "-%" PRIu32, type, id->domid,
		       id->devid);
	if ((int64_t)id->devid <= devid_limit(type, id->domid))
		return 0;
	return finding_add(
		p, ERROR, "bus-id-too-long",
		"Linux's xenbus takes at most 19 (XEN_BUS_ID_SIZE is 20) and silently "
		"ignores the device",
		XENSPLIT_REMEDY_RENAME, "bus id '%s' has %d characters", bus_id, len);
}

/* A driver domain can make a backend for any frontend, so trust none of several. */
int check_claims(struct patient *p)
{
	char domids[128] = "";
	size_t i, used = 0;

	if (p->place.recorded || p->claims->count < 2)
		return 0;
	for (i = 0; i < p->claims->count && used < sizeof(domids) - 16; i++)
		used += (size_t)snprintf(domids + used, sizeof(domids) - used,
					 "%s%" PRIu32, i ? ", " : "",
					 p->claims->domids[i]);
	return finding_add(p, ERROR, "several-backends",
			   "none of them can be trusted: a domain can make a backend for "
			   "any other",
			   XENSPLIT_REMEDY_CHOOSE, "domains %s%s have a backend for it",
			   domids, i < p->claims->count ? " and more" : "");
}

static int check_half(struct patient *p, int state, const char *path, const char *half,
		      const char *code)
{
	int r;

	if (state != XENSPLIT_STATE_ABSENT)
		return 0;
	p->incomplete = true;
	r = store_exists(p->txn, path);
	if (r < 0)
		return r;
	return finding_add(p, ERROR, code,
			   "XenBus makes a device only where both ends have a state",
			   XENSPLIT_REMEDY_REPLACE,
			   r ? "%s has no state: half of the %s is missing"
			     : "%s does not exist: the %s is missing",
			   path, half);
}

int check_halves(struct patient *p)
{
	char path[PATH_SIZE];
	int r;

	path_frontend(path, &p->place.id, NULL);
	r = check_half(p, p->frontend_state, path, "frontend", "frontend-missing");
	path_backend(path, &p->place.id, p->place.backend_domid, NULL);
	if (!r && has_backend(p))
		r = check_half(p, p->backend_state, path, "backend", "backend-missing");
	else if (!r)
		r = finding_add(p, ERROR, "backend-missing",
				"no domain has a backend for it", XENSPLIT_REMEDY_REPLACE,
				"domain %" PRIu32 " has a frontend without a backend",
				p->place.id.domid);
	return r;
}

static int look_at_node(struct patient *p, struct guarded *node, bool front,
			const char *key)
{
	uint32_t backend_domid = p->place.backend_domid;
	int state = front ? p->frontend_state : p->backend_state;
	int r;

	node->there = false;
	if (key && state == XENSPLIT_STATE_ABSENT)
		return 0;
	if (front)
		path_frontend(node->path, &p->place.id, key);
	else
		path_backend(node->path, &p->place.id, backend_domid, key);
	node->writer = front ? p->place.id.domid : backend_domid;
	node->reader = front ? backend_domid : p->place.id.domid;
	node->code = front ? "frontend-permissions" : "backend-permissions";
	r = store_get_perms(p->txn, node->path, &node->perms);
	node->there = !r;
	return r == -ENOENT ? 0 : r;
}

static bool is_as_written(const struct node_perms *perms, uint32_t owner, uint32_t reader)
{
	return perms->count == 2 && perms->entry[0].id == owner &&
	       perms->entry[0].perms == XS_PERM_NONE && perms->entry[1].id == reader &&
	       perms->entry[1].perms == XS_PERM_READ;
}

int check_nodes(struct patient *p)
{
	size_t i;
	int r = 0;

	p->node_count = has_backend(p) ? (p->settled ? 2 : GUARDED_MAX) : 0;
	p->as_written = true;
	for (i = 0; !r && i < p->node_count; i++) {
		struct guarded *node = &p->nodes[i];

		r = look_at_node(p, node, i % 2 == 0, i < 2 ? "state" : NULL);
		p->as_written &= !r && node->there &&
				 is_as_written(&node->perms, node->writer, node->reader);
	}
	return r;
}

/*
 * Domain ids in the nodes matter to drivers that have taken the device up but do
 * not connect. They explain nothing if no driver has, or both are connected,
 * unless the permissions show that somebody made a half again.
 */
static bool numbers_matter(const struct patient *p)
{
	return !p->place.recorded || !p->as_written ||
	       !(p->settled || p->backend_state == XENSPLIT_STATE_INITIALISING);
}

/* A node whose value follows from the device's name. */
static int check_value(struct patient *p, const char *path, const char *wanted,
		       const char *code)
{
	char *value, shown[256];
	size_t len;
	int r = store_read(p->txn, path, &value, &len);

	if (r == -ENOENT) {
		p->incomplete = true;
		return finding_add(p, ERROR, code, "a driver finds its other end by it",
				   XENSPLIT_REMEDY_REPLACE, "%s does not exist", path);
	}
	if (r)
		return r;
	escape(shown, sizeof(shown), value, len);
	r = len == strlen(wanted) && !memcmp(value, wanted, len);
	free(value);
	if (r)
		return 0;
	return finding_add(p, ERROR, code, "a driver finds its other end by it",
			   XENSPLIT_REMEDY_REPLACE, "%s is \"%s\", not \"%s\"", path,
			   shown, wanted);
}

static int check_frontend_pointer(struct patient *p)
{
	const struct device_id *id = &p->place.id;
	char path[PATH_SIZE], wanted[PATH_SIZE];
	int r;

	if (p->frontend_state == XENSPLIT_STATE_ABSENT)
		return 0;
	path_frontend(path, id, "backend");
	path_backend(wanted, id, p->place.backend_domid, NULL);
	r = check_value(p, path, wanted, "frontend-pointer");
	if (r || !numbers_matter(p))
		return r;
	path_frontend(path, id, "backend-id");
	snprintf(wanted, sizeof(wanted), "%" PRIu32, p->place.backend_domid);
	return check_value(p, path, wanted, "frontend-pointer");
}

static int check_backend_pointer(struct patient *p)
{
	const struct device_id *id = &p->place.id;
	char path[PATH_SIZE], wanted[PATH_SIZE];
	int r;

	if (p->backend_state == XENSPLIT_STATE_ABSENT)
		return 0;
	path_backend(path, id, p->place.backend_domid, "frontend");
	path_frontend(wanted, id, NULL);
	r = check_value(p, path, wanted, "backend-pointer");
	if (r || !numbers_matter(p))
		return r;
	path_backend(path, id, p->place.backend_domid, "frontend-id");
	snprintf(wanted, sizeof(wanted), "%" PRIu32, id->domid);
	return check_value(p, path, wanted, "backend-pointer");
}

int check_pointers(struct patient *p)
{
	int r = has_backend(p) ? check_frontend_pointer(p) : 0;

	return !r && has_backend(p) ? check_backend_pointer(p) : r;
}

/* --- permissions --- */

static int check_refused(struct patient *p, const struct guarded *node)
{
	bool may_write = perms_may_write(&node->perms, node->writer);

	if (may_write && perms_may_read(&node->perms, node->reader))
		return 0;
	return finding_add(
		p, ERROR, node->code,
		may_write
			? "the probe of the other end fails: \"missing or inaccessible\""
			: "its driver fails with \"13 writing new state\" and stops",
		XENSPLIT_REMEDY_REPAIR, "%s is (%s): domain %" PRIu32 " may not %s it",
		node->path, node->perms.text, may_write ? node->reader : node->writer,
		may_write ? "read" : "write");
}

static int check_other_end(struct patient *p, const struct guarded *node)
{
	if (!node->reader || node->reader == node->writer ||
	    !perms_may_write(&node->perms, node->reader))
		return 0;
	return finding_add(p, WARNING, "other-end-may-write",
			   "one end can write the state of the other",
			   XENSPLIT_REMEDY_REPAIR,
			   "%s is (%s): domain %" PRIu32 " may write it", node->path,
			   node->perms.text, node->reader);
}

static int check_everyone(struct patient *p, const struct guarded *node)
{
	if (!perms_open_to_all(&node->perms))
		return 0;
	return finding_add(p, WARNING, "open-to-all",
			   "the first entry is for every domain that is not listed",
			   XENSPLIT_REMEDY_REPAIR, "%s is (%s)", node->path,
			   node->perms.text);
}

/* Report what stops the device before what endangers it, for all nodes. */
int check_permissions(struct patient *p)
{
	static int (*const checks[])(struct patient *, const struct guarded *) = {
		check_refused, check_other_end, check_everyone
	};
	size_t i, j;
	int r = 0;

	for (j = 0; !r && j < ARRAY_SIZE(checks); j++)
		for (i = 0; !r && i < p->node_count; i++)
			if (p->nodes[i].there)
				r = checks[j](p, &p->nodes[i]);
	return r;
}

int check_online(struct patient *p)
{
	char path[PATH_SIZE];

	if (p->backend_state == XENSPLIT_STATE_ABSENT || !has_backend(p) || p->has_online)
		return 0;
	p->incomplete = true;
	path_backend(path, &p->place.id, p->place.backend_domid, "online");
	return finding_add(p, WARNING, "online-missing",
			   "without it the backend removes the device for good when the "
			   "frontend's module is reloaded",
			   XENSPLIT_REMEDY_REPAIR, "%s does not exist", path);
}

/* Only without a record: with one, these nodes are not used. */
int check_pointer_permissions(struct patient *p)
{
	struct node_perms perms;
	char path[PATH_SIZE];
	int r;

	if (p->place.recorded || p->frontend_state == XENSPLIT_STATE_ABSENT)
		return 0;
	r = place_pointer_writable(p->txn, &p->place, path, &perms);
	if (r <= 0)
		return r;
	return finding_add(p, WARNING, "pointer-writable",
			   "the guest can point it elsewhere and mislead whoever follows "
			   "it (XSA-175, XSA-178)",
			   XENSPLIT_REMEDY_REPLACE, "%s is (%s)", path, perms.text);
}
