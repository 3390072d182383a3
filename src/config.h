/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's xl.cfg file that lists its devices: xensplit.cfg(5). */
#ifndef XENSPLIT_CONFIG_H
#define XENSPLIT_CONFIG_H

#include <stddef.h>

#include "config-entry.h"

struct config {
	char *path;
	char *name; /* of the domain; NULL: the file has none */
	unsigned int name_line;
	int has_list; /* without one, the file says nothing about devices */
	struct config_entry *entries;
	size_t count;
};

/*
 * config_read - read and check a file
 * @ret_config: untouched after an error; free it with config_free()
 * @ret_error: one line, "FILE:LINE: TEXT" or "FILE: TEXT", printable, to be freed
 *
 * Reads regular files only, and never waits. What the library checks, such as the characters of a
 * type, is not checked here.
 *
 * Returns: EXIT_SUCCESS or EXIT_USAGE.
 */
int config_read(const char *path, struct config **ret_config, char **ret_error);
struct config *config_free(struct config *config);

/* Its entries as the library takes them, valid as long as they; the caller frees the array. */
const struct xensplit_wanted **config_wanted(const struct config *config);

/* "FILE:LINE: TEXT", printable, for what is wrong elsewhere; the caller frees it. @text: printable */
char *config_words(const char *path, unsigned int line, const char *text);

#endif
