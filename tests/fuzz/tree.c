// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <string.h>

#include "tree.h"

#define LINES_MOST 64
#define PATH_MOST  250
#define DEPTH_MOST 12

/* Short for the paths that most lines are about. */
static const struct {
	char letter;
	const char *path;
} shorts[] = {
	{ 'F', "/local/domain/5/device/mydevice/0" },
	{ 'B', "/local/domain/0/backend/mydevice/5/0" },
	{ 'D', "/local/domain/6/backend/mydevice/5/0" },
	{ 'R', "/xensplit/5/mydevice/0" },
	{ 'E', "/local/domain/5/error/device/mydevice/0" },
	{ 'X', "/local/domain/0/error/backend/mydevice/5/0" },
};

static const char *long_path(char letter)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shorts); i++)
		if (shorts[i].letter == letter)
			return shorts[i].path;
	return NULL;
}

/* --- from text --- */

/* As xenstored has it, and nothing of the bystander. */
static bool path_is_valid(const char *path)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-/_@";
	size_t len = strlen(path), i, depth = 0;

	if (*path != '/' || !path[1] || len > PATH_MOST || path[len - 1] == '/' ||
	    strstr(path, "//") || strspn(path, allowed) != len)
		return false;
	for (i = 0; i < len; i++)
		if (path[i] == '/' && (++depth > DEPTH_MOST ||
				       (path[i + 1] == '7' && !isdigit(path[i + 2]))))
			return false;
	return true;
}

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* "@F/x" is that path, "\n" and "\xHH" are bytes. In place; returns: its length. */
static size_t expand_value(char *value, size_t room)
{
	const char *path = *value == '@' ? long_path(value[1]) : NULL;
	char *from = value, *to = value;

	if (path) {
		char rest[PATH_MOST];

		snprintf(rest, sizeof(rest), "%.*s", PATH_MOST - 1, value + 2);
		return (size_t)snprintf(value, room, "%s%s", path, rest);
	}
	while (*from) {
		if (from[0] == '\\' && from[1] == 'n') {
			*to++ = '\n';
			from += 2;
		} else if (from[0] == '\\' && from[1] == 'x' && hex(from[2]) >= 0 &&
			   hex(from[3]) >= 0) {
			*to++ = (char)(16 * hex(from[2]) + hex(from[3]));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	return (size_t)(to - value);
}

/* "n5,r0,w6" */
static unsigned int parse_perms(const char *text, struct xs_permissions perms[4])
{
	static const char letters[] = "nrwb";
	unsigned int count = 0;
	char *end;

	while (count < 4 && *text && strchr(letters, *text) && isdigit(text[1])) {
		perms[count].perms = (unsigned int)(strchr(letters, *text) - letters);
		perms[count++].id = (unsigned int)strtoul(text + 1, &end, 10) % 32752;
		text = *end == ',' ? end + 1 : end;
	}
	return count;
}

/* PATH[ PERMISSIONS][=VALUE] */
static void make_node(char *line)
{
	struct xs_permissions perms[4];
	char path[PATH_MOST + 64], value[4096] = "", *at;
	unsigned int count = 0;

	at = strchr(line, '=');
	if (at) {
		*at = '\0';
		snprintf(value, sizeof(value), "%s", at + 1);
	}
	at = strchr(line, ' ');
	if (at) {
		*at = '\0';
		count = parse_perms(at + 1, perms);
	}
	if (long_path(*line))
		snprintf(path, sizeof(path), "%s%s", long_path(*line), line + 1);
	else
		snprintf(path, sizeof(path), "%s", line);
	if (!path_is_valid(path))
		return;
	fake_set(path, value, expand_value(value, sizeof(value)));
	if (count)
		fake_set_perms(path, perms, count);
}

void tree_make(struct input *input)
{
	unsigned int dead = 0;
	size_t lines = 0;
	char *line;

	while (lines++ < LINES_MOST && (line = input_line(input, NULL))) {
		if (!strncmp(line, "dead ", 5) && atoi(line + 5) > 0 &&
		    atoi(line + 5) != BYSTANDER)
			dead = (unsigned int)atoi(line + 5);
		else
			make_node(line);
		free(line);
	}
	if (dead)
		fake_bury(dead);
}

/* --- before and after --- */

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct snapshot snapshot_take(void)
{
	struct snapshot snapshot = { .text = fake_dump() };
	char *line, *rest = snapshot.text;
	size_t room = 1;

	for (line = snapshot.text; *line; line++)
		room += *line == '\n';
	snapshot.lines = calloc(room, sizeof(*snapshot.lines));
	while ((line = strsep(&rest, "\n")) && *line)
		snapshot.lines[snapshot.count++] = line;
	qsort(snapshot.lines, snapshot.count, sizeof(*snapshot.lines), compare_lines);
	return snapshot;
}

void snapshot_clear(struct snapshot *snapshot)
{
	free(snapshot->lines);
	free(snapshot->text);
	memset(snapshot, 0, sizeof(*snapshot));
}

static size_t path_length(const char *line)
{
	return strcspn(line, " ");
}

static const char *line_of(const struct snapshot *snapshot, const char *path, size_t len)
{
	size_t i;

	for (i = 0; i < snapshot->count; i++)
		if (path_length(snapshot->lines[i]) == len &&
		    !memcmp(snapshot->lines[i], path, len))
			return snapshot->lines[i];
	return NULL;
}

bool snapshot_has(const struct snapshot *snapshot, const char *path)
{
	return line_of(snapshot, path, strlen(path));
}

/* --- what belongs to a device --- */

/* The parts of a path. */
struct parts {
	char text[512];
	char *part[DEPTH_MOST * 2];
	size_t count;
};

static void split(const char *path, size_t len, struct parts *parts)
{
	char *rest = parts->text + 1, *part;

	snprintf(parts->text, sizeof(parts->text), "%.*s", (int)len, path);
	parts->count = 0;
	while (parts->count < ARRAY_SIZE(parts->part) && (part = strsep(&rest, "/")))
		parts->part[parts->count++] = part;
}

static bool part_is(const struct parts *parts, size_t index, const char *text)
{
	return index < parts->count && !strcmp(parts->part[index], text);
}

/* Was there a record, or its directory if @devid is not known? */
static bool had_record(const struct snapshot *before, const char *domid, const char *type,
		       const char *devid)
{
	char path[512];
	size_t len, i;

	/* The type of a backend may be another one: any record of that number then. */
	snprintf(path, sizeof(path), "/xensplit/%s%s%s%s%s", domid, type ? "/" : "",
		 type ? type : "", type && devid ? "/" : "", type && devid ? devid : "");
	if (type || !devid)
		return snapshot_has(before, path);
	len = strlen(path);
	for (i = 0; i < before->count; i++) {
		struct parts parts = { .count = 0 };

		if (strncmp(before->lines[i], path, len) != 0)
			continue;
		split(before->lines[i], path_length(before->lines[i]), &parts);
		if (part_is(&parts, 1, domid) && part_is(&parts, 3, devid))
			return true;
	}
	return false;
}

/*
 * Is part number @index the domid of the area, and what follows it a device of it? The path of
 * an area, or a directory above: that one may come and go, but not change.
 */
static bool names_device(const struct snapshot *before, const struct area *area,
			 const struct parts *parts, size_t domid, size_t type,
			 size_t devid, bool any_type)
{
	const char *own_domid = domid < parts->count ? parts->part[domid] : NULL;
	const char *own_type = type < parts->count ? parts->part[type] : NULL;
	const char *own_devid = devid < parts->count ? parts->part[devid] : NULL;
	char text[16];

	snprintf(text, sizeof(text), "%u", area->domid);
	if (own_domid && area->domid != XENSPLIT_ANY && strcmp(own_domid, text) != 0)
		return false;
	if (own_type && !any_type && area->type && strcmp(own_type, area->type) != 0)
		return false;
	snprintf(text, sizeof(text), "%u", area->devid);
	if (own_devid && area->devid != XENSPLIT_ANY && strcmp(own_devid, text) != 0)
		return false;
	if (!own_domid || area->domid != XENSPLIT_ANY)
		return true;
	if (area->unrecorded)
		return atoi(own_domid) != BYSTANDER;
	return had_record(before, own_domid, any_type ? NULL : own_type, own_devid);
}

/* 2: the node itself may change; 1: it may come or go; 0: neither. */
static int allowed(const struct snapshot *before, const struct area *area,
		   const struct parts *p)
{
	bool is_error = part_is(p, 3, "error");
	size_t at = is_error ? 4 : 3; /* device or backend */

	if (part_is(p, 0, "xensplit"))
		return !names_device(before, area, p, 1, 2, 3, false) ? 0
		       : p->count > 3				      ? 2
								      : 1;
	if (!part_is(p, 0, "local") || !part_is(p, 1, "domain") || p->count < 4)
		return 0;
	/* The mark of a domain is written once. */
	if (part_is(p, 3, "xensplit") && p->count == 4)
		return 1;
	if (is_error && p->count == 4)
		return 1;
	if (part_is(p, at, "device"))
		return !names_device(before, area, p, 2, at + 1, at + 2, false) ? 0
		       : p->count > at + 2					? 2
										: 1;
	if (part_is(p, at, "backend"))
		return !names_device(before, area, p, at + 2, at + 1, at + 3, true) ? 0
		       : p->count > at + 3					    ? 2
										    : 1;
	return 0;
}

/* Empty, with the permissions of the directory above: it has gone, and come again. */
static bool is_as_new(const struct snapshot *after, const char *line)
{
	size_t len = path_length(line);
	const char *slash = memrchr(line, '/', len);
	const char *above = slash ? line_of(after, line, (size_t)(slash - line)) : NULL;
	const char *perms = above ? strrchr(above, '"') : NULL;

	return perms && !strncmp(line + len, " = \"", 4) &&
	       !strcmp(line + len + 4, perms);
}

/* @line: one of the two others, which may be NULL. */
static void changed(const struct snapshot *before, const struct snapshot *after,
		    const struct area *area, const char *operation, const char *line,
		    const char *was, const char *is)
{
	struct parts parts = { .count = 0 };
	char text[1024];

	split(line, path_length(line), &parts);
	if (area &&
	    allowed(before, area, &parts) >= (was && is && !is_as_new(after, is) ? 2 : 1))
		return;
	snprintf(text, sizeof(text), "%s: %.400s -> %.400s", operation,
		 was ? was : "nothing", is ? is : "nothing");
	must_hold_for(!"a node changes that the operation is not about", text);
}

void must_change_only(const struct snapshot *before, const struct area *area,
		      const char *operation)
{
	struct snapshot after = snapshot_take();
	size_t i = 0, j = 0;

	while (i < before->count || j < after.count) {
		const char *was = i < before->count ? before->lines[i] : NULL;
		const char *is = j < after.count ? after.lines[j] : NULL;
		int order = !was ? 1 : !is ? -1 : strcmp(was, is);

		i += order <= 0;
		j += order >= 0;
		if (order < 0)
			changed(before, &after, area, operation, was, was,
				line_of(&after, was, path_length(was)));
		else if (order > 0 && !line_of(before, is, path_length(is)))
			changed(before, &after, area, operation, is, NULL, is);
	}
	snapshot_clear(&after);
}

void must_be_same(const struct snapshot *before, const char *operation)
{
	must_change_only(before, NULL, operation);
}
