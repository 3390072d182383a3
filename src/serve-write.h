/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that serve writes. */
#ifndef XENSPLIT_SERVE_WRITE_H
#define XENSPLIT_SERVE_WRITE_H

/*
 * write_whole - write a file so that a reader sees the old lines or the new ones
 * @text: gets a newline at its end if it has none
 *
 * The text is written to PATH.new first. Returns: 0 or a negative errno.
 */
int write_whole(const char *path, const char *text);

/* The name of the file that says, by its lock, whether PATH has a writer; to be freed. */
char *lock_path(const char *path);

/* Takes the lock, until this process ends. Returns: 0; -EAGAIN: another has it; other errno. */
int lock_take(const char *path);

/* Returns: 1 if a process has it; 0 if none has; a negative errno. */
int lock_is_taken(const char *path);

#endif
