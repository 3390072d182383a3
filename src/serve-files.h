/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directory that serve reads: a file of xensplit.cfg(5) for each domain. */
#ifndef XENSPLIT_SERVE_FILES_H
#define XENSPLIT_SERVE_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "serve-file.h"

/* What happens to lists when the files are read again. */
struct files_user {
	void (*set)(void *data, const struct config *config);
	void (*unset)(void *data, const char *domain);
	void *data;
};

struct files;

struct files *files_new(const char *dir, const struct files_user *user);
struct files *files_free(struct files *files);

/*
 * files_scan - read what has changed
 * @all: read everything, also what has not changed
 *
 * A file that cannot be used is logged, and its last good list stays in force. So do all lists
 * while the directory cannot be read.
 *
 * Returns: 0; a negative errno of the directory.
 */
int files_scan(struct files *files, int all);

/* The descriptor of inotify; it changes with each scan. -1: none. */
int files_get_fd(const struct files *files);
/* Call when it is readable. */
void files_changed(struct files *files);
/* When to scan, by now_ms(); UINT64_MAX: when something changes. */
uint64_t files_due_ms(const struct files *files);

/* In the order of their paths; NULL if @index is too large. */
const struct served_file *files_get(const struct files *files, size_t index);
/* The file whose list is in force for the domain, or NULL. */
const struct served_file *files_find(const struct files *files, const char *domain);

/* Whether each of them, and the directory, could be used. */
int files_are_good(const struct files *files);

#endif
