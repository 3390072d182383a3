// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Device ids that the library picks. The cursor only moves forward, because a
 * guest may still be busy with the last device of an id.
 */
#include "array.h"
#include "stage.h"

static void cursor_path(char *path, const struct step *step)
{
	snprintf(path, PATH_SIZE, "%s/%" PRIu32 "/%s/next-devid", RECORD_ROOT,
		 step->id.domid, step->id.type);
}

static uint32_t highest(const struct step *step)
{
	int64_t front = devid_limit(step->id.type, step->id.domid), back = front;

	if (*step->id.backend_type)
		back = devid_limit(step->id.backend_type, step->id.domid);
	return (uint32_t)(back < front ? back : front);
}

int devids_begin(struct txn *txn, struct devids *devids, struct step *step)
{
	char path[PATH_SIZE], *value;
	uint64_t next = 0;
	size_t len;
	int r;

	devids->highest = highest(step);
	cursor_path(path, step);
	r = store_read(txn, path, &value, &len);
	if (r && r != -ENOENT)
		return r;
	if (!r) {
		if (!parse_number(value, len, devids->highest, &next))
			next = 0;
		free(value);
	}
	step->id.devid = (uint32_t)next;
	return 0;
}

bool devids_avoids(const struct step *step)
{
	size_t i;

	for (i = 0; i < step->avoid_count; i++)
		if (step->avoid[i] == step->id.devid)
			return true;
	return false;
}

static int add_taken(struct txn *txn, struct devids *devids, uint32_t devid)
{
	uint32_t *more =
		array_grow(devids->taken, devids->count, &devids->room, sizeof(*more));

	if (!more)
		return fail(txn->ctx, -ENOMEM, "out of memory");
	devids->taken = more;
	devids->taken[devids->count++] = devid;
	return 0;
}

/* The numbers below a directory; none if it does not exist. */
static int list_numbers(struct txn *txn, struct devids *devids, const char *path)
{
	unsigned int count, i;
	char **names = NULL;
	int r = store_list(txn, path, &names, &count);

	if (r)
		return r == -ENOENT ? 0 : r;
	for (i = 0; !r && i < count; i++) {
		uint64_t devid;

		if (parse_name(names[i], devids->highest, &devid))
			r = add_taken(txn, devids, (uint32_t)devid);
	}
	free(names);
	return r;
}

static int compare_devids(const void *a, const void *b)
{
	const uint32_t *first = a, *second = b;

	return *first < *second ? -1 : *first > *second;
}

/* The first free id from @from on, or one past the highest. */
static uint64_t first_free(const struct devids *devids, uint64_t from)
{
	size_t i;

	for (i = 0; i < devids->count && devids->taken[i] <= from; i++)
		if (devids->taken[i] == from)
			from++;
	return from;
}

int devids_list(struct txn *txn, struct devids *devids, struct step *step)
{
	char path[3][PATH_SIZE];
	uint64_t found;
	size_t i;
	int r = 0;

	path_record(path[0], &step->id, NULL);
	path_frontend(path[1], &step->id, NULL);
	path_backend(path[2], &step->id, step->backend_domid, NULL);
	for (i = 0; !r && i < ARRAY_SIZE(path); i++) {
		*strrchr(path[i], '/') = '\0';
		r = list_numbers(txn, devids, path[i]);
	}
	for (i = 0; !r && i < step->avoid_count; i++)
		r = add_taken(txn, devids, step->avoid[i]);
	if (r)
		return r;
	if (devids->count)
		qsort(devids->taken, devids->count, sizeof(uint32_t), compare_devids);
	found = first_free(devids, step->id.devid);
	if (found > devids->highest)
		found = first_free(devids, 0);
	if (found > devids->highest)
		return fail_as(txn->ctx, -EEXIST, "no-free-id",
			       "every device id up to %" PRIu32 " is taken",
			       devids->highest);
	step->id.devid = (uint32_t)found;
	return 0;
}

int devids_end(struct txn *txn, const struct devids *devids, const struct step *step)
{
	static const struct perms perms = { 1, { { 0, XS_PERM_NONE } } };
	uint32_t next = step->id.devid == devids->highest ? 0 : step->id.devid + 1;
	char path[PATH_SIZE], number[16];

	cursor_path(path, step);
	snprintf(number, sizeof(number), "%" PRIu32, next);
	return store_write(txn, path, number, &perms);
}
