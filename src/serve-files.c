// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common.h"
#include "config.h"
#include "logger.h"
#include "serve-dir.h"
#include "serve-files.h"
#include "serve-log.h"
#include "serve-watch.h"
#include "text.h"

/* After a change wait for more, but not for ever. */
#define QUIET_MS 200
#define BUSY_MS	 2000
/* A directory that can't be read is tried again. */
#define RETRY_MS 5000

struct files {
	char *dir;
	struct files_user user;
	struct served_file **list; /* by path */
	size_t count;
	struct served_file **by_domain; /* those with a list in force */
	size_t domain_count;
	int fd;
	int dir_error;
	uint64_t first_ms, due_ms;
};

struct files *files_new(const char *dir, const struct files_user *user)
{
	struct files *files = must(calloc(1, sizeof(*files)));

	files->list = must(calloc(1, sizeof(*files->list)));
	files->dir = must(strdup(dir));
	files->user = *user;
	files->fd = -1;
	files->due_ms = UINT64_MAX;
	return files;
}

struct files *files_free(struct files *files)
{
	if (!files)
		return NULL;
	for (size_t i = 0; i < files->count; i++)
		file_free(files->list[i]);
	if (files->fd >= 0)
		close(files->fd);
	free(files->list);
	free(files->by_domain);
	free(files->dir);
	free(files);
	return NULL;
}

/* --- by domain --- */

static int compare_domains(const void *a, const void *b)
{
	struct served_file *const *x = a, *const *y = b;
	int order = strcmp(file_claim(*x)->name, file_claim(*y)->name);

	return order ? order : strcmp((*x)->path, (*y)->path);
}

/* An array, to be freed, of the files with a list, by domain. */
static struct served_file **sort_by_domain(const struct files *files, size_t *ret_count)
{
	struct served_file **sorted = must(calloc(files->count + 1, sizeof(*sorted)));
	size_t count = 0;

	for (size_t i = 0; i < files->count; i++)
		if (file_claim(files->list[i]))
			sorted[count++] = files->list[i];
	qsort(sorted, count, sizeof(*sorted), compare_domains);
	*ret_count = count;
	return sorted;
}

static void refuse_twin(struct served_file *file, const struct served_file *twin)
{
	const struct config *claim = file_claim(file);
	char *shown = escape(claim->name, strlen(claim->name));
	char *path = escape(twin->path, strlen(twin->path));
	char *text = words("the name '%s' is also that of %s", shown, path);

	file_refuse(file, config_words(file->path, claim->name_line, text));
	free(text);
	free(path);
	free(shown);
}

/* Of files with one name, none is better than the other. */
static void refuse_twins(struct files *files)
{
	size_t count, last, i;
	struct served_file **sorted = sort_by_domain(files, &count);

	for (i = 0; i < count; i = last) {
		for (last = i + 1; last < count; last++)
			if (strcmp(file_claim(sorted[i])->name,
				   file_claim(sorted[last])->name) != 0)
				break;
		if (last == i + 1)
			continue;
		for (size_t j = i; j < last; j++)
			refuse_twin(sorted[j], sorted[j == i ? i + 1 : i]);
		for (size_t j = i; j < last; j++) {
			sorted[j]->next = config_free(sorted[j]->next);
			sorted[j]->again = 1;
		}
	}
	free(sorted);
}

const struct served_file *files_find(const struct files *files, const char *domain)
{
	size_t from = 0, to = files->domain_count;

	while (from < to) {
		size_t middle = (from + to) / 2;
		const struct served_file *file = files->by_domain[middle];
		int order = strcmp(domain, file->config->name);

		if (!order)
			return file;
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

/* --- what is in force --- */

/* Domains whose list may go. */
struct names {
	char **list;
	size_t count;
};

static void note_name(struct names *names, const struct config *config)
{
	if (!config)
		return;
	names->list =
		must(reallocarray(names->list, names->count + 1, sizeof(*names->list)));
	names->list[names->count++] = must(strdup(config->name));
}

static void log_list(const struct config *config)
{
	char *shown = escape(config->name, strlen(config->name));
	char text[60], *words;

	snprintf(text, sizeof(text), "%zu device%s for ", config->count,
		 config->count == 1 ? "" : "s");
	words = config_words(config->path, 0, text);
	serve_log(LOG_INFO, "%s%s", words, shown);
	free(words);
	free(shown);
}

static void accept_files(struct files *files, struct names *names)
{
	for (size_t i = 0; i < files->count; i++) {
		struct served_file *file = files->list[i];

		if (!file->next)
			continue;
		note_name(names, file->config);
		file_accept(file);
		if (!file->config)
			continue;
		log_list(file->config);
		files->user.set(files->user.data, file->config);
	}
}

static void apply(struct files *files, struct names *names)
{
	refuse_twins(files);
	accept_files(files, names);
	free(files->by_domain);
	files->by_domain = sort_by_domain(files, &files->domain_count);
	for (size_t i = 0; i < names->count; i++) {
		if (!files_find(files, names->list[i]))
			files->user.unset(files->user.data, names->list[i]);
		free(names->list[i]);
	}
	free(names->list);
}

/* --- the directory --- */

static int compare_paths(const void *a, const void *b)
{
	struct served_file *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* Takes the paths. Keeps the files that are still there, and notes the names of the others. */
static void take_paths(struct files *files, char **paths, size_t count,
		       struct names *names)
{
	struct served_file **list = must(calloc(count + 1, sizeof(*list))), **old, *new;

	for (size_t i = 0; i < count; i++) {
		new = file_new(paths[i]);
		old = bsearch(&new, files->list, files->count, sizeof(*list),
			      compare_paths);
		list[i] = old ? *old : new;
		if (old)
			*old = new; /* to be freed */
	}
	for (size_t i = 0; i < files->count; i++) {
		note_name(names, files->list[i]->config);
		file_free(files->list[i]);
	}
	free(files->list);
	files->list = list;
	files->count = count;
	free(paths);
}

static int fail_dir(struct files *files, int fd, int err)
{
	if (err != files->dir_error)
		logger_error("can't read %s: %s", files->dir, strerror(-err));
	files->dir_error = err;
	files->due_ms = now_ms() + RETRY_MS;
	if (fd >= 0)
		close(fd);
	return err;
}

/* Watches before it reads, so that no change is missed. */
int files_scan(struct files *files, int all)
{
	int fd = watch_new(files->dir), err;
	struct names names = { 0 };
	size_t count;
	char **paths;

	files->due_ms = UINT64_MAX;
	files->first_ms = 0;
	if (fd < 0)
		return fail_dir(files, -1, fd);
	err = dir_list(files->dir, all, &paths, &count);
	if (err)
		return fail_dir(files, fd, err);
	if (files->fd >= 0)
		close(files->fd);
	files->fd = fd;
	files->dir_error = 0;
	take_paths(files, paths, count, &names);
	for (size_t i = 0; i < files->count; i++) {
		watch_link(fd, files->list[i]->path);
		file_read(files->list[i], all);
	}
	apply(files, &names);
	return 0;
}

/* --- for the loop --- */

int files_get_fd(const struct files *files)
{
	return files->fd;
}

void files_changed(struct files *files)
{
	uint64_t now = now_ms();

	if (!watch_drain(files->fd))
		return;
	if (!files->first_ms)
		files->first_ms = now;
	files->due_ms = now + QUIET_MS;
	if (files->due_ms > files->first_ms + BUSY_MS)
		files->due_ms = files->first_ms + BUSY_MS;
}

uint64_t files_due_ms(const struct files *files)
{
	return files->due_ms;
}

const struct served_file *files_get(const struct files *files, size_t index)
{
	return index < files->count ? files->list[index] : NULL;
}

int files_are_good(const struct files *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (files->list[i]->error)
			return 0;
	return !files->dir_error;
}
