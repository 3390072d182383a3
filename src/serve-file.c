// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common.h"
#include "config.h"
#include "logger.h"
#include "serve-file.h"

/* A file that changed so shortly before it was read may change again within one time stamp. */
#define RECENT_NS 50000000

struct served_file *file_new(char *path)
{
	struct served_file *file = must(calloc(1, sizeof(*file)));

	file->path = path;
	file->again = 1;
	return file;
}

void file_free(struct served_file *file)
{
	config_free(file->config);
	config_free(file->next);
	free(file->path);
	free(file->error);
	free(file);
}

static void forget_error(struct served_file *file)
{
	free(file->error);
	file->error = NULL;
}

void file_refuse(struct served_file *file, char *error)
{
	if (!file->error || strcmp(file->error, error) != 0)
		logger_error("%s", error);
	forget_error(file);
	file->error = error;
}

static int is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int is_recent(const struct stat *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec - st->st_ctim.tv_sec) * 1000000000LL + now.tv_nsec -
		       st->st_ctim.tv_nsec <
	       RECENT_NS;
}

void file_read(struct served_file *file, int all)
{
	struct stat now = { 0 };
	char *error = NULL;

	if (all)
		forget_error(file);
	if (!stat(file->path, &now) && !all && !file->again && is_same(&now, &file->seen))
		return;
	file->seen = now;
	file->again = is_recent(&now);
	if (config_read(file->path, &file->next, &error)) {
		file_refuse(file, error);
	} else if (!file->next->name) {
		file->next = config_free(file->next);
		file_refuse(file, config_words(file->path, 0, "it has no name"));
	}
}

void file_accept(struct served_file *file)
{
	forget_error(file);
	config_free(file->config);
	file->config = file->next;
	file->next = NULL;
	if (!file->config->has_list)
		file->config = config_free(file->config);
}

const struct config *file_claim(const struct served_file *file)
{
	if (!file->next)
		return file->config;
	return file->next->has_list ? file->next : NULL;
}
