// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the states of the drivers mean, and the error nodes that they wrote. */
#include "findings.h"

#define ANY (-100)

/* Which end a pair of states points to. */
enum blame {
	BLAME_FRONT = 1,
	BLAME_BACK = 2,
	BLAME_BOTH = 3
};

struct state_pair {
	int frontend;
	int backend;
	const char *code;
	enum blame blame;
	const char *why;
	int remedy;
};

#define NO_STATE "is not a XenBus state"
#define IN_USE	 "; the device may be in use in the guest"

/* The first matching row is the meaning of a pair of states. */
static const struct state_pair state_pairs[] = {
	{ -2, ANY, "frontend-state-invalid", BLAME_FRONT,
	  "what the guest wrote there " NO_STATE, XENSPLIT_REMEDY_REPLACE },
	{ ANY, -2, "backend-state-invalid", BLAME_BACK,
	  "what the backend's domain wrote there " NO_STATE, XENSPLIT_REMEDY_REPLACE },
	{ 0, ANY, "frontend-unknown", BLAME_FRONT,
	  "XenBus only probes a device in state Initialising", XENSPLIT_REMEDY_REPLACE },
	{ ANY, 0, "backend-unknown", BLAME_BACK,
	  "XenBus only probes a device in state Initialising", XENSPLIT_REMEDY_REPLACE },
	{ 1, 1, "no-backend-driver", BLAME_BACK,
	  "no backend driver has taken the device, and the frontend driver waits for it",
	  XENSPLIT_REMEDY_BACKEND | IN_BACK },
	{ 5, 5, "closing", BLAME_BOTH,
	  "both ends are closing and neither has finished" IN_USE,
	  XENSPLIT_REMEDY_FORCE },
	{ 6, 5, "backend-closing", BLAME_BACK,
	  "the backend driver does not finish closing", XENSPLIT_REMEDY_FORCE },
	{ 5, ANY, "frontend-closing", BLAME_FRONT,
	  "the frontend driver has not finished closing" IN_USE, XENSPLIT_REMEDY_FORCE },
	{ ANY, 5, "frontend-does-not-close", BLAME_FRONT,
	  "the frontend driver does not follow the backend's Closing" IN_USE,
	  XENSPLIT_REMEDY_FORCE },
	{ 6, 6, "closed", BLAME_BOTH,
	  "the frontend driver was unloaded or gave up, and the backend followed",
	  XENSPLIT_REMEDY_FRONTEND },
	{ 6, ANY, "frontend-closed", BLAME_FRONT,
	  "the frontend driver was unloaded or gave up", XENSPLIT_REMEDY_FRONTEND },
	{ ANY, 6, "backend-closed", BLAME_BACK,
	  "the backend driver was unloaded or gave up", XENSPLIT_REMEDY_REPLACE },
	{ ANY, 1, "no-backend-driver", BLAME_BACK,
	  "no backend driver has taken the device", XENSPLIT_REMEDY_BACKEND | IN_BACK },
	{ 1, ANY, "no-frontend-driver", BLAME_FRONT,
	  "no frontend driver has taken the device, or its probe has not called "
	  "xenbus_switch_state",
	  XENSPLIT_REMEDY_FRONTEND },
	{ 2, 2, "both-wait", BLAME_BOTH, "each driver waits for the other to go on",
	  XENSPLIT_REMEDY_DRIVER },
	{ ANY, 2, "backend-does-not-answer", BLAME_BACK,
	  "the backend driver does not answer what the frontend has reached",
	  XENSPLIT_REMEDY_LOG | IN_BACK },
	{ ANY, 3, "backend-does-not-answer", BLAME_BACK,
	  "the backend driver does not answer what the frontend has reached",
	  XENSPLIT_REMEDY_LOG | IN_BACK },
	{ 2, ANY, "frontend-does-not-answer", BLAME_FRONT,
	  "the frontend driver does not answer what the backend has reached",
	  XENSPLIT_REMEDY_LOG },
	{ 3, ANY, "frontend-does-not-answer", BLAME_FRONT,
	  "the frontend driver does not answer what the backend has reached",
	  XENSPLIT_REMEDY_LOG },
};

/* NULL if the states say nothing, or nothing that is not reported already. */
static const struct state_pair *find_pair(const struct patient *p)
{
	size_t i;

	if (patient_is_connected(p) || p->frontend_state == XENSPLIT_STATE_ABSENT ||
	    p->backend_state == XENSPLIT_STATE_ABSENT)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(state_pairs); i++) {
		const struct state_pair *pair = &state_pairs[i];

		if ((pair->frontend == ANY || pair->frontend == p->frontend_state) &&
		    (pair->backend == ANY || pair->backend == p->backend_state))
			return pair;
	}
	return NULL;
}

static int check_pair(struct patient *p, const struct state_pair *pair)
{
	char states[STATES_TEXT_SIZE];
	int remedy;

	if (!pair)
		return 0;
	/* The state looks like no driver, but the kernel was asked and knows better. */
	if (p->asked_kernel && pair->backend == XENSPLIT_STATE_INITIALISING)
		return 0;
	/* A device without a record can't be detached, only replaced. */
	remedy = pair->remedy == XENSPLIT_REMEDY_FORCE && !p->place.recorded
			 ? XENSPLIT_REMEDY_REPLACE
			 : pair->remedy;
	return finding_add(p, ERROR, pair->code, pair->why, remedy, "%s",
			   states_text(p->frontend_state, p->backend_state, states,
				       sizeof(states)));
}

/* --- error nodes --- */

static int compare_devids(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

	return one < other ? -1 : one > other;
}

/* Most domains have no such directory: one read covers all devices of a type. */
static int error_dir_read(struct txn *txn, struct error_dir *dir, const char *path)
{
	unsigned int count, i;
	char **names = NULL;
	int r = store_list(txn, path, &names, &count);

	free(dir->devids);
	dir->devids = NULL;
	dir->count = 0;
	*dir->path = '\0';
	if (r == -ENOENT || r == -EACCES)
		r = 0, count = 0;
	if (!r && count)
		dir->devids = calloc(count, sizeof(*dir->devids));
	if (!r && count && !dir->devids)
		r = fail(txn->ctx, -ENOMEM, "out of memory");
	for (i = 0; !r && i < count; i++) {
		uint64_t devid;

		if (parse_name(names[i], INT32_MAX, &devid))
			dir->devids[dir->count++] = (uint32_t)devid;
	}
	free(names);
	if (r)
		return r;
	if (dir->count)
		qsort(dir->devids, dir->count, sizeof(*dir->devids), compare_devids);
	snprintf(dir->path, sizeof(dir->path), "%s", path);
	return 0;
}

/* *ret_text is NULL if there is none, or an empty one. The caller frees it. */
static int read_error(struct patient *p, bool front, char **ret_text, char *path)
{
	struct error_dir *dir = &p->of->errors[!front];
	char parent[PATH_SIZE], *value, shown[256];
	size_t len;
	int r = 0;

	*ret_text = NULL;
	if (!front && p->place.backend_domid == XENSPLIT_ANY)
		return 0;
	if (front)
		path_frontend_error(parent, &p->place.id, NULL);
	else
		path_backend_error(parent, &p->place.id, p->place.backend_domid, NULL);
	snprintf(path, PATH_SIZE, "%.*s/error", PATH_SIZE - 8, parent);
	*strrchr(parent, '/') = '\0';
	if (strcmp(parent, dir->path) != 0)
		r = error_dir_read(p->txn, dir, parent);
	if (r || !dir->count ||
	    !bsearch(&p->place.id.devid, dir->devids, dir->count, sizeof(*dir->devids),
		     compare_devids))
		return r;
	r = store_read(p->txn, path, &value, &len);
	if (r)
		return r == -ENOENT || r == -EACCES ? 0 : r;
	escape(shown, sizeof(shown), value, len);
	free(value);
	if (!len)
		return 0;
	*ret_text = strdup(shown);
	return *ret_text ? 0 : fail(p->txn->ctx, -ENOMEM, "out of memory");
}

struct error {
	bool front;
	char path[PATH_SIZE];
	char *text; /* NULL: none, or reported already */
};

static int tell_error(struct patient *p, struct error *error, int severity)
{
	char *text = error->text;
	int r;

	if (!text)
		return 0;
	error->text = NULL;
	r = finding_add(p, severity, error->front ? "frontend-error" : "backend-error",
			severity == ERROR ? "the driver failed with it"
					  : "the driver wrote it and went on",
			severity == ERROR ? XENSPLIT_REMEDY_REPLACE
					  : XENSPLIT_REMEDY_NONE,
			"the %s driver wrote \"%s\" to %s",
			error->front ? "frontend" : "backend", text, error->path);
	free(text);
	return r;
}

/*
 * xenbus_dev_fatal() writes an error node and closes; xenbus_dev_error() writes
 * one and continues. So if the driver is not closing, report its error only if
 * there is no better finding and the states point to that end.
 */
static int tell_errors(struct patient *p, struct error errors[2])
{
	const struct state_pair *pair;
	bool explained;
	int i, r = 0;

	for (i = 0; !r && i < 2; i++)
		if (state_is_closing(i ? p->backend_state : p->frontend_state))
			r = tell_error(p, &errors[i], ERROR);
	if (!r)
		r = check_kernel(p, errors[1].text != NULL);
	pair = find_pair(p);
	explained = finding_has_error(p) || !pair;
	for (i = 0; !r && i < 2; i++)
		if (!explained && (pair->blame & (i ? BLAME_BACK : BLAME_FRONT)))
			r = tell_error(p, &errors[i], ERROR);
	if (!r)
		r = check_pair(p, pair);
	for (i = 0; !r && i < 2; i++)
		r = tell_error(p, &errors[i], WARNING);
	return r;
}

int check_drivers(struct patient *p)
{
	struct error errors[2] = { { .front = true }, { .front = false } };
	int r = read_error(p, true, &errors[0].text, errors[0].path);

	if (!r)
		r = read_error(p, false, &errors[1].text, errors[1].path);
	if (!r)
		r = tell_errors(p, errors);
	free(errors[0].text);
	free(errors[1].text);
	return r;
}
