/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file that serve reads. */
#ifndef XENSPLIT_SERVE_FILE_H
#define XENSPLIT_SERVE_FILE_H

#include <sys/stat.h>

struct config;

struct served_file {
	char *path;
	struct config *config; /* in force; NULL: none */
	char *error; /* why it is not that of the file as it is now; NULL: it is */
	/* private */
	struct config *next; /* as just read */
	struct stat seen;
	int again; /* to be read again, even if it seems the same */
};

/* Takes the path. */
struct served_file *file_new(char *path);
void file_free(struct served_file *file);

/*
 * file_read - read it into next, if it has changed
 * @all: read it, and log what is wrong, even if not
 */
void file_read(struct served_file *file, int all);

/* Takes the text, and logs it unless it was logged already. */
void file_refuse(struct served_file *file, char *error);

/* Puts next in force. */
void file_accept(struct served_file *file);

/* The list that the file has or wants; NULL for one that is only for xl. */
const struct config *file_claim(const struct served_file *file);

#endif
