// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What can be wrong with a device. The order is that of causes: what is found
 * first explains what is found later.
 */
#include "findings.h"

#define ERROR	XENSPLIT_SEVERITY_ERROR
#define WARNING XENSPLIT_SEVERITY_WARNING

static const char fix_force[] = "xensplit detach {D} {T}/{I} --force";
static const char fix_repair[] = "xensplit doctor --fix {D} {T}/{I}";

/* --- domains --- */

struct domain_trouble {
	uint32_t flag;
	const char *code;
	const char *is;
	const char *why;
	const char *fix_front;
	const char *fix_back;
};

static const struct domain_trouble domain_troubles[] = {
	{ XENSPLIT_DOMAIN_DYING, "domain-dying", "is dying", "its drivers run no more",
	  NULL, NULL },
	{ XENSPLIT_DOMAIN_CRASHED, "domain-crashed", "has crashed",
	  "its drivers run no more", "xl destroy {D}", "xl destroy {B}" },
	{ XENSPLIT_DOMAIN_SHUTDOWN, "domain-shutdown", "has shut down",
	  "its drivers run no more", "xl destroy {D}", "xl destroy {B}" },
	{ XENSPLIT_DOMAIN_PAUSED, "domain-paused", "is paused",
	  "its driver can't answer until it runs again", "xl unpause {D}",
	  "xl unpause {B}" },
};

static int check_running(struct patient *p, uint32_t domid, bool front)
{
	uint32_t flags = domid == XENSPLIT_ANY ? 0 : domain_flags(p->txn->ctx, domid);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(domain_troubles); i++) {
		const struct domain_trouble *trouble = &domain_troubles[i];

		if (flags & trouble->flag)
			return finding_add(p, ERROR, trouble->code, trouble->why,
					   front ? trouble->fix_front : trouble->fix_back,
					   "domain %" PRIu32 " %s", domid, trouble->is);
	}
	return 0;
}

/* 1 when the domain is not there, and nothing else is worth looking at. */
static int check_domain(struct patient *p, uint32_t domid, bool front)
{
	bool has_backend = front && p->place.backend_domid != XENSPLIT_ANY;
	const char *fix = has_backend ? "xenstore-rm {BE}" : "xenstore-rm {FE}";
	int r;

	if (domid == XENSPLIT_ANY)
		return 0;
	r = domain_identity(p->txn, domid, NULL, NULL);
	if (r != -ESRCH)
		return r;
	r = finding_add(
		p, ERROR, "leftover",
		"a domain that is gone left it behind, and nothing else will remove it",
		p->place.recorded ? "xensplit reap" : fix,
		"domain %" PRIu32 " does not exist", domid);
	return r ? r : 1;
}

static int check_stale(struct patient *p)
{
	struct record record;
	int r;

	if (!p->place.recorded)
		return 0;
	r = record_read(p->txn, &p->place.id, &record);
	if (!r)
		r = record_is_stale(p->txn, &record);
	if (r <= 0)
		return r == -ENOENT ? 0 : r;
	r = finding_add(p, ERROR, "stale",
			"the device belongs to an earlier domain of that number; its "
			"permissions are "
			"not this one's",
			"xensplit reap",
			"/xensplit/%" PRIu32 "/%s/%" PRIu32 " records an earlier domain",
			p->place.id.domid, p->place.id.type, p->place.id.devid);
	return r ? r : 1;
}

static int check_phase(struct patient *p)
{
	struct record record;
	int r = p->place.recorded ? record_read(p->txn, &p->place.id, &record) : -ENOENT;

	if (r || !*record.phase)
		return r == -ENOENT ? 0 : r;
	return finding_add(
		p, ERROR, "interrupted",
		"what replaced the device did not come to its end, or is still "
		"at it",
		fix_repair, "its record says: phase %s", record.phase);
}

/* --- what stands in the store --- */

static int check_bus_id(struct patient *p)
{
	const struct device_id *id = &p->place.id;
	char bus_id[TYPE_MAX + 32];
	int len = snprintf(bus_id, sizeof(bus_id), "%s-%" PRIu32 "-%" PRIu32, id->type,
			   id->domid, id->devid);

	if ((int64_t)id->devid <= devid_limit(id->type, id->domid))
		return 0;
	return finding_add(
		p, ERROR, "bus-id-too-long",
		"Linux's xenbus takes at most 19 (XEN_BUS_ID_SIZE is 20) and ignores "
		"the device without a word",
		"xenstore-rm {FE}; xenstore-rm {BE}; then attach one with a shorter type",
		"bus id '%s' has %d characters", bus_id, len);
}

static int check_half(struct patient *p, int state, const char *path, const char *half,
		      const char *code)
{
	int r;

	if (state != XENSPLIT_STATE_ABSENT)
		return 0;
	r = store_exists(p->txn, path);
	if (r < 0)
		return r;
	r = finding_add(p, ERROR, code,
			"XenBus makes a device only where both ends have a state",
			FIX_REPLACE,
			r ? "%s has no state: the %s is only half there"
			  : "%s is not there: the %s is missing",
			path, half);
	return r;
}

static int check_halves(struct patient *p)
{
	char path[PATH_SIZE];
	int r;

	path_frontend(path, &p->place.id, NULL);
	r = check_half(p, p->frontend_state, path, "frontend", "frontend-missing");
	path_backend(path, &p->place.id, p->place.backend_domid, NULL);
	if (!r && p->place.backend_domid != XENSPLIT_ANY)
		r = check_half(p, p->backend_state, path, "backend", "backend-missing");
	else if (!r)
		r = finding_add(p, ERROR, "backend-missing",
				"no domain has a backend for it", FIX_REPLACE,
				"domain %" PRIu32 " has a frontend without a backend",
				p->place.id.domid);
	return r;
}

/* A node that has to hold what follows from the device's name. */
static int check_value(struct patient *p, const char *path, const char *wanted,
		       const char *code)
{
	char *value, shown[256];
	size_t len;
	int r = store_read(p->txn, path, &value, &len);

	if (r == -ENOENT)
		return finding_add(p, ERROR, code, "a driver finds its other end by it",
				   FIX_REPLACE, "%s is not there", path);
	if (r)
		return r;
	escape(shown, sizeof(shown), value, len);
	r = len == strlen(wanted) && !memcmp(value, wanted, len);
	free(value);
	if (r)
		return 0;
	return finding_add(p, ERROR, code, "a driver finds its other end by it",
			   FIX_REPLACE, "%s is \"%s\", not \"%s\"", path, shown, wanted);
}

static int check_pointers(struct patient *p)
{
	const struct device_id *id = &p->place.id;
	char path[PATH_SIZE], wanted[PATH_SIZE];
	int r = 0;

	if (p->place.backend_domid == XENSPLIT_ANY)
		return 0;
	if (p->frontend_state != XENSPLIT_STATE_ABSENT) {
		path_frontend(path, id, "backend");
		path_backend(wanted, id, p->place.backend_domid, NULL);
		r = check_value(p, path, wanted, "frontend-pointer");
		path_frontend(path, id, "backend-id");
		snprintf(wanted, sizeof(wanted), "%" PRIu32, p->place.backend_domid);
		if (!r)
			r = check_value(p, path, wanted, "frontend-pointer");
	}
	if (r || p->backend_state == XENSPLIT_STATE_ABSENT)
		return r;
	path_backend(path, id, p->place.backend_domid, "frontend");
	path_frontend(wanted, id, NULL);
	r = check_value(p, path, wanted, "backend-pointer");
	path_backend(path, id, p->place.backend_domid, "frontend-id");
	snprintf(wanted, sizeof(wanted), "%" PRIu32, id->domid);
	return r ? r : check_value(p, path, wanted, "backend-pointer");
}

/* --- permissions --- */

/* A node, and which domains have to write and to read it. */
struct guarded {
	char path[PATH_SIZE];
	struct node_perms perms;
	bool there;
	uint32_t writer;
	uint32_t reader;
	const char *code;
};

static int check_refused(struct patient *p, const struct guarded *node)
{
	bool may_write = perms_may_write(&node->perms, node->writer);

	if (may_write && perms_may_read(&node->perms, node->reader))
		return 0;
	return finding_add(
		p, ERROR, node->code,
		may_write ? "the other end's probe fails: \"missing or inaccessible\""
			  : "its driver fails with \"13 writing new state\" and goes no "
			    "further",
		fix_repair, "%s is (%s): domain %" PRIu32 " may not %s it", node->path,
		node->perms.text, may_write ? node->reader : node->writer,
		may_write ? "read" : "write");
}

static int check_other_end(struct patient *p, const struct guarded *node)
{
	if (!node->reader || node->reader == node->writer ||
	    !perms_may_write(&node->perms, node->reader))
		return 0;
	return finding_add(p, WARNING, "other-end-may-write",
			   "one end can speak for the other", fix_repair,
			   "%s is (%s): domain %" PRIu32 " may write it", node->path,
			   node->perms.text, node->reader);
}

static int check_everyone(struct patient *p, const struct guarded *node)
{
	if (!perms_open_to_all(&node->perms))
		return 0;
	return finding_add(p, WARNING, "open-to-all",
			   "the first entry is what every other domain may do",
			   fix_repair, "%s is (%s)", node->path, node->perms.text);
}

static int look_at_node(struct patient *p, struct guarded *node, bool front,
			const char *key)
{
	uint32_t backend_domid = p->place.backend_domid;
	int r;

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

/* What stops the device comes before what endangers it, whichever node it is about. */
static int check_permissions(struct patient *p)
{
	static int (*const checks[])(struct patient *, const struct guarded *) = {
		check_refused, check_other_end, check_everyone
	};
	struct guarded nodes[4];
	size_t i, j;
	int r = 0;

	if (p->place.backend_domid == XENSPLIT_ANY)
		return 0;
	for (i = 0; !r && i < ARRAY_SIZE(nodes); i++)
		r = look_at_node(p, &nodes[i], i % 2 == 0, i < 2 ? "state" : NULL);
	for (j = 0; !r && j < ARRAY_SIZE(checks); j++)
		for (i = 0; !r && i < ARRAY_SIZE(nodes); i++)
			if (nodes[i].there)
				r = checks[j](p, &nodes[i]);
	return r;
}

static int check_online(struct patient *p)
{
	char path[PATH_SIZE];
	int r;

	if (p->backend_state == XENSPLIT_STATE_ABSENT ||
	    p->place.backend_domid == XENSPLIT_ANY)
		return 0;
	path_backend(path, &p->place.id, p->place.backend_domid, "online");
	r = store_exists(p->txn, path);
	if (r)
		return r < 0 ? r : 0;
	return finding_add(
		p, WARNING, "online-missing",
		"the backend leaves for good when the frontend's module is reloaded",
		fix_repair, "%s is not there", path);
}

/* --- what the drivers say --- */

static bool is_connected(const struct patient *p)
{
	return state_is_connected(p->frontend_state) &&
	       state_is_connected(p->backend_state);
}

static int check_error(struct patient *p, const char *path, const char *half,
		       const char *code)
{
	char *value, shown[256];
	size_t len;
	int r = store_read(p->txn, path, &value, &len);

	if (r)
		return r == -ENOENT || r == -EACCES ? 0 : r;
	escape(shown, sizeof(shown), value, len);
	free(value);
	if (!len)
		return 0;
	return finding_add(
		p, ERROR, code, "that is what the driver failed with",
		"mend what it says, then: xensplit attach {D} {T}/{I} --backend={B} "
		"--replace",
		"the %s driver wrote \"%s\" to %s", half, shown, path);
}

/* What it wrote before it got through does not hold it up. */
static int check_errors(struct patient *p)
{
	char path[PATH_SIZE];
	int r;

	if (is_connected(p))
		return 0;
	path_frontend_error(path, &p->place.id, "error");
	r = check_error(p, path, "frontend", "frontend-error");
	if (r || p->place.backend_domid == XENSPLIT_ANY)
		return r;
	path_backend_error(path, &p->place.id, p->place.backend_domid, "error");
	return check_error(p, path, "backend", "backend-error");
}

#define ANY (-100)

struct state_pair {
	int frontend;
	int backend;
	const char *code;
	const char *why;
	const char *fix;
};

#define FRONT_MODULE "in domain {D}: modprobe xen:{T}"
#define BACK_MODULE  "in domain {B}: modprobe xen-backend:{T}"

/* The first row that fits is the meaning of a pair of states. */
static const struct state_pair state_pairs[] = {
	{ -2, ANY, "frontend-state-invalid",
	  "the guest wrote something there that is no state", FIX_REPLACE },
	{ ANY, -2, "backend-state-invalid",
	  "the backend's domain wrote something there that is no state", FIX_REPLACE },
	{ 0, ANY, "frontend-unknown", "XenBus takes up a device in Initialising alone",
	  FIX_REPLACE },
	{ ANY, 0, "backend-unknown", "XenBus takes up a device in Initialising alone",
	  FIX_REPLACE },
	{ 1, 1, "no-backend-driver",
	  "the backend driver has not taken the device up, and before that no frontend "
	  "driver goes on",
	  BACK_MODULE "; " FRONT_MODULE },
	{ 5, 5, "closing",
	  "both ends are closing and neither has finished: is the device in use in the "
	  "guest?",
	  fix_force },
	{ 6, 5, "backend-closing", "the backend driver does not finish its closing",
	  fix_force },
	{ 5, ANY, "frontend-closing",
	  "the frontend driver has not finished its closing: is the device in use in the "
	  "guest?",
	  fix_force },
	{ ANY, 5, "frontend-does-not-close",
	  "the frontend driver does not answer the backend's Closing: is the device in "
	  "use in the guest?",
	  fix_force },
	{ 6, 6, "closed",
	  "the frontend's driver was unloaded, or gave up, and the backend followed",
	  FRONT_MODULE },
	{ 6, ANY, "frontend-closed", "the frontend's driver was unloaded, or gave up",
	  FRONT_MODULE },
	{ ANY, 6, "backend-closed", "the backend's driver was unloaded, or gave up",
	  FIX_REPLACE },
	{ ANY, 1, "no-backend-driver", "the backend driver has not taken the device up",
	  BACK_MODULE },
	/* A guest that took no note of the last device's going holds on to that one. */
	{ 1, ANY, "no-frontend-driver", "the frontend driver has not taken the device up",
	  FRONT_MODULE ", or if it is loaded: " FIX_REPLACE },
	{ 2, 2, "both-wait", "each driver waits for the other to go on",
	  "one of the two drivers has to leave InitWait first" },
	{ ANY, 2, "backend-does-not-answer",
	  "the backend driver does not answer what the frontend has reached",
	  "in domain {B}: dmesg" },
	{ ANY, 3, "backend-does-not-answer",
	  "the backend driver does not answer what the frontend has reached",
	  "in domain {B}: dmesg" },
	{ 2, ANY, "frontend-does-not-answer",
	  "the frontend driver does not answer what the backend has reached",
	  "in domain {D}: dmesg" },
	{ 3, ANY, "frontend-does-not-answer",
	  "the frontend driver does not answer what the backend has reached",
	  "in domain {D}: dmesg" },
};

/* What has no record can't be detached, only replaced. */
static const char *state_fix(const struct patient *p, const struct state_pair *pair)
{
	return pair->fix == fix_force && !p->place.recorded ? FIX_REPLACE : pair->fix;
}

static int check_states(struct patient *p)
{
	char states[STATES_TEXT_SIZE];
	size_t i;

	if (is_connected(p) || p->frontend_state == XENSPLIT_STATE_ABSENT ||
	    p->backend_state == XENSPLIT_STATE_ABSENT)
		return 0;
	for (i = 0; i < ARRAY_SIZE(state_pairs); i++) {
		const struct state_pair *pair = &state_pairs[i];

		if ((pair->frontend == ANY || pair->frontend == p->frontend_state) &&
		    (pair->backend == ANY || pair->backend == p->backend_state))
			return finding_add(
				p, ERROR, pair->code, pair->why, state_fix(p, pair), "%s",
				states_text(p->frontend_state, p->backend_state, states,
					    sizeof(states)));
	}
	return 0;
}

typedef int check_fn(struct patient *p);

int check_device(struct patient *p)
{
	static check_fn *const checks[] = {
		check_phase,	check_bus_id,	   check_halves,
		check_pointers, check_permissions, check_errors,
		check_kernel,	check_states,	   check_online,
	};
	size_t i;
	int r = check_domain(p, p->place.id.domid, true);

	if (!r)
		r = check_domain(p, p->place.backend_domid, false);
	if (!r)
		r = check_stale(p);
	if (r)
		return r < 0 ? r : 0;
	/* Only now: of a stale device the domain that runs is another one. */
	r = check_running(p, p->place.id.domid, true);
	if (!r)
		r = check_running(p, p->place.backend_domid, false);
	for (i = 0; !r && i < ARRAY_SIZE(checks); i++)
		r = checks[i](p);
	return r;
}

/* --- the host --- */

#define SPEED_TRIES  16
#define SLOW_READ_US 20000

int check_store_speed(struct patient *p)
{
	uint64_t begun = now_us(), each;
	int i;

	for (i = 0; i < SPEED_TRIES; i++) {
		int r = store_exists(p->txn, RECORD_ROOT);

		if (r < 0)
			return r;
	}
	each = (now_us() - begun) / SPEED_TRIES;
	if (each < SLOW_READ_US)
		return 0;
	return finding_add(p, WARNING, "xenstored-slow",
			   "every step of every device's life waits for it",
			   "look for a domain that floods it: xentop, xenstore-watch /",
			   "xenstored takes %" PRIu64 " ms for a read", each / 1000);
}
