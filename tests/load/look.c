// SPDX-License-Identifier: GPL-2.0-or-later
/* What the store holds of a device. Uses nothing of the library. */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

struct reader {
	struct xs_handle *xs;
	xs_transaction_t tx;
	const struct target *target;
	struct view *view;
	char record[4096];
	char front[256], back[256];
	char wrong[512];
};

/* --- nodes --- */

static char *read_node(struct reader *in, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static char *read_node(struct reader *in, const char *format, ...)
{
	char path[512];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	return xs_read(in->xs, in->tx, path, NULL);
}

static bool there(struct reader *in, const char *path)
{
	char *value = read_node(in, "%s", path);

	free(value);
	return value != NULL;
}

static void complain(struct reader *in, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void complain(struct reader *in, const char *format, ...)
{
	va_list args;

	if (*in->wrong) /* the first thing that is wrong */
		return;
	va_start(args, format);
	vsnprintf(in->wrong, sizeof(in->wrong), format, args);
	va_end(args);
}

static void expect(struct reader *in, const char *end, const char *key,
		   const char *wanted)
{
	char *value = read_node(in, "%s/%s", end, key);

	if (!value)
		complain(in, "%s/%s is missing", end, key);
	else if (wanted && strcmp(value, wanted) != 0)
		complain(in, "%s/%s is \"%s\", not \"%s\"", end, key, value, wanted);
	free(value);
}

static void expect_perms(struct reader *in, const char *end, uint32_t owner,
			 uint32_t other)
{
	unsigned int count;
	struct xs_permissions *perms = xs_get_permissions(in->xs, in->tx, end, &count);

	if (!perms || count != 2 || perms[0].id != owner ||
	    perms[0].perms != XS_PERM_NONE || perms[1].id != other ||
	    perms[1].perms != XS_PERM_READ)
		complain(in, "%s has wrong permissions", end);
	free(perms);
}

static int read_state(struct reader *in, const char *end)
{
	char *value = read_node(in, "%s/state", end);
	int state = value ? atoi(value) : -1;

	free(value);
	return state;
}

/* --- the record --- */

static bool field(const char *record, const char *key, char *buf, size_t size)
{
	size_t len = strlen(key);

	*buf = '\0';
	for (; record && *record; record = strchr(record, '\n'), record += !!record)
		if (!strncmp(record, key, len) && record[len] == '=') {
			snprintf(buf, size, "%.*s", (int)strcspn(record + len + 1, "\n"),
				 record + len + 1);
			return true;
		}
	return false;
}

/* Of a domain's former life, or of one that is gone. Dom0 has no mark. */
static bool is_stale(struct reader *in, uint32_t domid, const char *key)
{
	char wanted[64];
	char *mark;
	bool stale;

	if (!field(in->record, key, wanted, sizeof(wanted)))
		return false;
	mark = read_node(in, "/local/domain/%" PRIu32 "/xensplit", domid);
	stale = !mark || strcmp(mark, wanted) != 0;
	free(mark);
	return stale;
}

static void check_ends(struct reader *in)
{
	const struct view *view = in->view;
	char domid[16], backend[16], mode[64];

	snprintf(domid, sizeof(domid), "%" PRIu32, in->target->domid);
	snprintf(backend, sizeof(backend), "%" PRIu32, view->backend);
	expect_perms(in, in->front, in->target->domid, view->backend);
	expect_perms(in, in->back, view->backend, in->target->domid);
	expect(in, in->front, "backend", in->back);
	expect(in, in->front, "backend-id", backend);
	expect(in, in->front, "state", NULL);
	expect(in, in->back, "frontend", in->front);
	expect(in, in->back, "frontend-id", domid);
	expect(in, in->back, "online", NULL);
	expect(in, in->back, "state", NULL);
	if (field(in->record, "front.mode", mode, sizeof(mode)))
		expect(in, in->front, "mode", mode);
	if (field(in->record, "back.mode", mode, sizeof(mode)))
		expect(in, in->back, "mode", mode);
	if (strcmp(mode, view->mode) != 0)
		complain(
			in,
			"the record has the mode %s for the backend, %s for the frontend",
			mode, view->mode);
}

static void set_paths(struct reader *in, uint32_t backend)
{
	const struct target *target = in->target;

	snprintf(in->front, sizeof(in->front),
		 "/local/domain/%" PRIu32 "/device/%s/%" PRIu32, target->domid,
		 target->type, target->devid);
	snprintf(in->back, sizeof(in->back),
		 "/local/domain/%" PRIu32 "/backend/%s/%" PRIu32 "/%" PRIu32, backend,
		 target->type, target->domid, target->devid);
}

/* Without a record there must be nothing, unless it was dropped on purpose. */
static void look_for_ends(struct reader *in)
{
	static const uint32_t backends[] = { 0, DRIVER_DOMAIN };
	bool back = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(backends) && !back; i++) {
		set_paths(in, backends[i]);
		in->view->backend = backends[i];
		back = there(in, in->back);
	}
	if (there(in, in->front) && back)
		in->view->is = FOREIGN;
	else if (there(in, in->front))
		complain(in, "%s has no record", in->front);
	else if (back)
		complain(in, "%s has no record", in->back);
}

static void look_at_record(struct reader *in)
{
	struct view *view = in->view;
	char text[64];
	size_t end;

	field(in->record, "backend-id", text, sizeof(text));
	view->backend = (uint32_t)atoi(text);
	set_paths(in, view->backend);
	field(in->record, "unique-id", view->unique_id, sizeof(view->unique_id));
	field(in->record, "front.mode", view->mode, sizeof(view->mode));
	for (end = 0; end < 2; end++)
		view->states[end] = read_state(in, end ? in->back : in->front);
	if (is_stale(in, in->target->domid, "frontend-mark") ||
	    is_stale(in, view->backend, "backend-mark"))
		view->is = STALE;
	else if (field(in->record, "phase", text, sizeof(text)))
		view->is = PHASE;
	else
		view->is = WHOLE;
	if (view->is == WHOLE)
		check_ends(in);
}

static void look_once(struct reader *in)
{
	const struct target *target = in->target;
	char *record;

	*in->view = (struct view){ .states = { -1, -1 } };
	record = read_node(in, "/xensplit/%" PRIu32 "/%s/%" PRIu32, target->domid,
			   target->type, target->devid);
	snprintf(in->record, sizeof(in->record), "%s", record ? record : "");
	free(record);
	if (*in->record)
		look_at_record(in);
	else
		look_for_ends(in);
}

const char *look(struct xs_handle *xs, const struct target *target, size_t count,
		 struct view *ret_views)
{
	static struct reader in;
	size_t i;

	in.xs = xs;
	/* A commit of what was only read fails if it was not the truth at one moment. */
	do {
		*in.wrong = '\0';
		in.tx = xs_transaction_start(xs);
		if (!in.tx)
			err(1, "a transaction");
		for (i = 0; i < count; i++) {
			in.target = &target[i];
			in.view = &ret_views[i];
			look_once(&in);
		}
		if (xs_transaction_end(xs, in.tx, false))
			return *in.wrong ? in.wrong : NULL;
	} while (errno == EAGAIN);
	err(1, "the end of a transaction");
}

bool is_connected(const struct view *view)
{
	return view->is == WHOLE && view->states[0] == 4 && view->states[1] == 4;
}

bool drop_record(struct xs_handle *xs, const struct target *target)
{
	char path[128];

	snprintf(path, sizeof(path), "/xensplit/%" PRIu32 "/%s/%" PRIu32, target->domid,
		 target->type, target->devid);
	return xs_rm(xs, XBT_NULL, path);
}

unsigned int count_stale(struct xs_handle *xs, uint32_t domid)
{
	unsigned int stale = 0;
	struct view view;
	size_t i;

	for (i = 0; i < target_count; i++) {
		if (targets[i].domid != domid)
			continue;
		look(xs, &targets[i], 1, &view);
		stale += view.is == STALE;
	}
	return stale;
}
