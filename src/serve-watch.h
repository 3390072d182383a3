/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices changes of a directory, and of what the links in it refer to. */
#ifndef XENSPLIT_SERVE_WATCH_H
#define XENSPLIT_SERVE_WATCH_H

/* Returns: a descriptor of inotify, or a negative errno. */
int watch_new(const char *dir);
/* If @path is a link: watches the directories of all files that it leads to. */
void watch_link(int fd, const char *path);
/* Reads all events, since it does not matter which. Returns: whether there was one. */
int watch_drain(int fd);

#endif
