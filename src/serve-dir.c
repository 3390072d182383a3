// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common.h"
#include "serve-dir.h"
#include "serve-log.h"
#include "text.h"

static int ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && !strcmp(name + len - end_len, end);
}

/* Without those that editors and package tools leave. */
static int is_visible(const struct dirent *entry)
{
	return *entry->d_name != '.' && !ends_with(entry->d_name, "~");
}

static char *join(const char *dir, const char *name)
{
	return words("%s%s%s", dir, ends_with(dir, "/") ? "" : "/", name);
}

static void log_ignored(const char *path)
{
	char *shown = escape(path, strlen(path));

	serve_log(LOG_WARNING, "%s is ignored: its name does not end in .cfg", shown);
	free(shown);
}

static int compare(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

int dir_list(const char *dir, int say, char ***ret_paths, size_t *ret_count)
{
	struct dirent **entries;
	int found = scandir(dir, &entries, is_visible, NULL);
	size_t count = 0;
	char **paths;

	if (found < 0)
		return -errno;
	paths = must(calloc((size_t)found + 1, sizeof(*paths)));
	for (int i = 0; i < found; i++) {
		char *path = join(dir, entries[i]->d_name);

		free(entries[i]);
		if (ends_with(path, ".cfg")) {
			paths[count++] = path;
			continue;
		}
		if (say)
			log_ignored(path);
		free(path);
	}
	free(entries);
	qsort(paths, count, sizeof(*paths), compare);
	*ret_paths = paths;
	*ret_count = count;
	return 0;
}
