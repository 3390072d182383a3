// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The watches of a monitor. xenstored walks all watches of a connection for each
 * new one, and all watches there are for each write. So a monitor of many devices
 * watches the directories that contain them, a few for each domain, and finds the
 * device from the path that fired. Guests can write anything below them: ignore
 * paths that are not nodes of a device.
 */
#include "monitor.h"

/* A directory that holds one part of any number of devices of a type. */
struct tree {
	struct tree *next;
	enum part part;
	size_t users;
	bool first_fire;
	bool touched;
	bool bare; /* was empty when its watch was set */
	char token[TYPE_MAX + 8];
	char path[];
};

void part_path(char *path, const struct followed *f, enum part part)
{
	switch (part) {
	case PART_FRONTEND:
		path_frontend(path, &f->id, "state");
		return;
	case PART_BACKEND:
		path_backend(path, &f->id, f->backend_domid, "state");
		return;
	case PART_FRONTEND_ERROR:
		path_frontend_error(path, &f->id, "error");
		return;
	default:
		path_backend_error(path, &f->id, f->backend_domid, "error");
		return;
	}
}

static bool is_backend(enum part part)
{
	return part == PART_BACKEND || part == PART_BACKEND_ERROR;
}

static bool has_part(const struct followed *f, enum part part, bool states_only)
{
	return (!is_backend(part) || f->backend_domid != XENSPLIT_ANY) &&
	       !(states_only && part_is_error(part));
}

/* --- a single device --- */

int watch_device(struct txn *txn, struct followed *f)
{
	int i, r = 0;

	for (i = 0; !r && i < PARTS; i++) {
		enum part part = (enum part)i;
		char path[PATH_SIZE], token[8];

		if (f->watched[part] || !has_part(f, part, false))
			continue;
		part_path(path, f, part);
		snprintf(token, sizeof(token), "%d", i);
		r = store_watch(txn, path, token);
		f->watched[part] = f->first_fire[part] = f->unread[part] = !r;
	}
	return r;
}

void unwatch_device(struct txn *txn, struct followed *f, enum part part)
{
	char path[PATH_SIZE], token[8];

	if (!f->watched[part])
		return;
	part_path(path, f, part);
	snprintf(token, sizeof(token), "%d", (int)part);
	store_unwatch(txn, path, token);
	f->watched[part] = false;
}

void take_device(struct table *table, const char *token)
{
	struct followed *f = table->count ? table->devices[0] : NULL;
	uint64_t part;

	if (!f || !parse_number(token, strlen(token), PARTS - 1, &part))
		return;
	if (f->first_fire[part])
		f->first_fire[part] = false;
	else
		f->fired[part]++;
	table_pend(table, f);
}

/* --- many of them --- */

static struct tree **bucket(struct watches *watches, const char *path, const char *token)
{
	uint32_t hash = 2166136261u;

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 16777619u;
	for (; *token; token++)
		hash = (hash ^ (unsigned char)*token) * 16777619u;
	return &watches->buckets[hash % TREE_BUCKETS];
}

static struct tree *find_tree(struct watches *watches, const char *path,
			      const char *token)
{
	struct tree *tree = *bucket(watches, path, token);

	while (tree && (strcmp(tree->path, path) != 0 || strcmp(tree->token, token) != 0))
		tree = tree->next;
	return tree;
}

/* The part's path without key, device id and, for a backend, domain. */
static void tree_path(char *path, const struct followed *f, enum part part)
{
	int up;

	part_path(path, f, part);
	for (up = is_backend(part) ? 3 : 2; up; up--)
		*strrchr(path, '/') = '\0';
}

/* Frontends of two types can have backends of one: the token tells them apart. */
static void tree_token(char *token, size_t size, const struct followed *f, enum part part)
{
	snprintf(token, size, "t%d:%s", (int)part, f->id.type);
}

static int make_tree(struct txn *txn, struct watches *watches, enum part part,
		     const char *path, const char *token, struct tree **ret_tree)
{
	struct tree *tree = calloc(1, sizeof(*tree) + strlen(path) + 1), **first;
	unsigned int count;
	char **names = NULL;
	int r;

	if (!tree)
		return fail(txn->ctx, -ENOMEM, "out of memory");
	tree->part = part;
	memcpy(tree->path, path, strlen(path) + 1);
	snprintf(tree->token, sizeof(tree->token), "%s", token);
	r = store_watch(txn, path, token);
	if (!r && part_is_error(part)) {
		r = store_list(txn, path, &names, &count);
		tree->bare = r == -ENOENT;
		free(names);
		r = r == -ENOENT || r == -EACCES ? 0 : r;
		if (r)
			store_unwatch(txn, path, token);
	}
	if (r) {
		free(tree);
		return r;
	}
	tree->first_fire = true;
	first = bucket(watches, path, token);
	tree->next = *first;
	*first = tree;
	*ret_tree = tree;
	return 0;
}

int watch_trees(struct txn *txn, struct watches *watches, struct followed *f)
{
	int i, r = 0;

	for (i = 0; !r && i < PARTS; i++) {
		enum part part = (enum part)i;
		char path[PATH_SIZE], token[TYPE_MAX + 8];
		struct tree *tree;

		if (f->trees[part] || !has_part(f, part, watches->states_only))
			continue;
		tree_path(path, f, part);
		tree_token(token, sizeof(token), f, part);
		tree = find_tree(watches, path, token);
		if (!tree)
			r = make_tree(txn, watches, part, path, token, &tree);
		if (r)
			break;
		tree->users++;
		f->trees[part] = tree;
		f->unread[part] =
			!(part_is_error(part) && watches->starting && tree->bare);
	}
	return r;
}

void unwatch_tree(struct txn *txn, struct watches *watches, struct followed *f,
		  enum part part)
{
	struct tree *tree = f->trees[part], **at;

	f->trees[part] = NULL;
	if (!tree || --tree->users)
		return;
	store_unwatch(txn, tree->path, tree->token);
	at = bucket(watches, tree->path, tree->token);
	while (*at != tree)
		at = &(*at)->next;
	*at = tree->next;
	free(tree);
}

void watches_clear(struct watches *watches)
{
	size_t i;

	for (i = 0; i < TREE_BUCKETS; i++)
		while (watches->buckets[i]) {
			struct tree *tree = watches->buckets[i];

			watches->buckets[i] = tree->next;
			free(tree);
		}
}

/* --- watches that fired --- */

size_t path_split(const char *path, struct path_part parts[PATH_PARTS])
{
	size_t count = 0;

	while (*path == '/' && count < PATH_PARTS) {
		parts[count].text = path + 1;
		parts[count].len = strcspn(path + 1, "/");
		path = parts[count].text + parts[count].len;
		count++;
	}
	return count;
}

bool path_part_is(const struct path_part *part, const char *text)
{
	return strlen(text) == part->len && !memcmp(part->text, text, part->len);
}

bool path_part_number(const struct path_part *part, uint32_t max, uint32_t *ret_number)
{
	uint64_t number;

	if (part->len > 1 && *part->text == '0')
		return false;
	if (!parse_number(part->text, part->len, max, &number))
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

/* A directory above one domain's backends: marking one of them is enough. */
static void touch_siblings(struct table *table, uint32_t domid, const char *type,
			   uint32_t backend_domid)
{
	size_t i = table_begin(table, domid, type, 0);

	for (; i < table->count; i++) {
		struct followed *f = table->devices[i];

		if (f->id.domid != domid || strcmp(f->id.type, type) != 0)
			return;
		if (f->backend_domid != backend_domid)
			continue;
		f->orphaned = true;
		table_pend(table, f);
		return;
	}
}

static void touch_tree(struct watches *watches, const char *path, const char *token)
{
	struct tree *tree = find_tree(watches, path, token);

	if (!tree)
		return;
	if (tree->first_fire) {
		tree->first_fire = false;
		return;
	}
	tree->touched = watches->touched = true;
}

/* Only the node itself is counted; its directory may have come or gone. */
static void touch_device(struct table *table, struct followed *f, enum part part,
			 bool is_node)
{
	if (is_node)
		f->fired[part]++;
	else if (!part_is_error(part))
		f->unread[part] = true;
	else
		return;
	table_pend(table, f);
}

void take_tree(struct watches *watches, struct table *table, const char *path,
	       const char *token)
{
	enum part part = (enum part)(token[1] - '0');
	struct path_part parts[PATH_PARTS];
	size_t count = path_split(path, parts), type_at = part_is_error(part) ? 5 : 4;
	size_t devid_at = type_at + (is_backend(part) ? 2 : 1);
	struct device_id id = { 0 };
	uint32_t where;
	struct followed *f;

	if (count == type_at + 1) {
		touch_tree(watches, path, token);
		return;
	}
	if (count < type_at + 2 || count > devid_at + 2 ||
	    !path_part_number(&parts[2], DOMID_END - 1, &where))
		return;
	snprintf(id.type, sizeof(id.type), "%s", token + 3);
	if (!is_backend(part))
		id.domid = where;
	else if (!path_part_number(&parts[type_at + 1], DOMID_END - 1, &id.domid))
		return;
	if (count == devid_at) {
		if (!part_is_error(part))
			touch_siblings(table, id.domid, id.type, where);
		return;
	}
	if (!path_part_number(&parts[devid_at], INT32_MAX, &id.devid))
		return;
	if (count == devid_at + 2 &&
	    !path_part_is(&parts[devid_at + 1], part_is_error(part) ? "error" : "state"))
		return;
	f = table_find(table, &id);
	if (f && (!is_backend(part) || f->backend_domid == where))
		touch_device(table, f, part, count == devid_at + 2);
}

/* --- removed directories --- */

int look_at_siblings(struct txn *txn, struct table *table, struct followed *f)
{
	char path[PATH_SIZE];
	size_t i;
	int r;

	f->orphaned = false;
	if (f->backend_domid == XENSPLIT_ANY)
		return 0;
	path_backend(path, &f->id, f->backend_domid, NULL);
	*strrchr(path, '/') = '\0';
	r = store_exists(txn, path);
	f->orphaned = r < 0;
	if (r)
		return r < 0 ? r : 0;
	for (i = table_begin(table, f->id.domid, f->id.type, 0); i < table->count; i++) {
		struct followed *other = table->devices[i];

		if (other->id.domid != f->id.domid ||
		    strcmp(other->id.type, f->id.type) != 0)
			break;
		other->unread[PART_BACKEND] = true;
		table_pend(table, other);
	}
	return 0;
}

static void pend_tree(struct table *table, const struct tree *tree)
{
	size_t i;

	for (i = 0; i < table->count; i++)
		if (table->devices[i]->trees[tree->part] == tree) {
			table->devices[i]->unread[tree->part] = true;
			table_pend(table, table->devices[i]);
		}
}

int look_at_trees(struct txn *txn, struct watches *watches, struct table *table)
{
	struct tree *tree;
	size_t i;
	int r = 0;

	if (!watches->touched)
		return 0;
	for (i = 0; r >= 0 && i < TREE_BUCKETS; i++)
		for (tree = watches->buckets[i]; r >= 0 && tree; tree = tree->next) {
			if (!tree->touched || part_is_error(tree->part))
				continue;
			r = store_exists(txn, tree->path);
			tree->touched = r < 0;
			if (!r)
				pend_tree(table, tree);
		}
	watches->touched = r < 0;
	return r < 0 ? r : 0;
}
