/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in the directory that serve reads. */
#ifndef XENSPLIT_SERVE_DIR_H
#define XENSPLIT_SERVE_DIR_H

#include <stddef.h>

/*
 * dir_list - the paths of all *.cfg in a directory, sorted
 * @say: log which other files are ignored
 * @ret_paths: to be freed, as each of them
 *
 * Returns: 0 or a negative errno.
 */
int dir_list(const char *dir, int say, char ***ret_paths, size_t *ret_count);

#endif
