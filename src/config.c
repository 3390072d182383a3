// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"
#include "config.h"
#include "text.h"
#include "xlcfg.h"

/* A thousand devices with their keys fit; libxlutil's time grows faster than a file. */
#define SIZE_MOST ((size_t)256 * 1024)
/* Of libxlutil's message, which may cite a whole line: its begin, and its end. */
#define HEAD_MOST 200
#define TAIL_MOST 80

struct reading {
	const char *path;
	char **ret_error;
};

char *config_words(const char *path, unsigned int line, const char *text)
{
	char *shown = escape(path, strlen(path)), *all;
	char number[16] = "";

	if (line)
		snprintf(number, sizeof(number), "%u:", line);
	all = words("%s:%s %s", shown, number, text);
	free(shown);
	return all;
}

/* Returns: -1. */
static int __attribute__((format(printf, 3, 4)))
wrong(const struct reading *reading, unsigned int line, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = vwords(format, args);
	va_end(args);
	*reading->ret_error = config_words(reading->path, line, text);
	free(text);
	return -1;
}

/* --- the text of a file --- */

static int check_kind(const struct reading *reading, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return wrong(reading, 0, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return wrong(reading, 0, "it is a directory");
	if (!S_ISREG(st.st_mode))
		return wrong(reading, 0, "it is not a regular file");
	return 0;
}

/* Returns: its length, or -1. */
static ssize_t read_fd(const struct reading *reading, int fd, char *text)
{
	size_t len = 0;
	ssize_t got;

	if (check_kind(reading, fd))
		return -1;
	do {
		got = read(fd, text + len, SIZE_MOST + 1 - len);
		len += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	if (got < 0)
		return wrong(reading, 0, "%s", strerror(errno));
	if (len > SIZE_MOST)
		return wrong(reading, 0, "it has more than %zu KiB", SIZE_MOST / 1024);
	return (ssize_t)len;
}

static ssize_t read_text(const struct reading *reading, char *text)
{
	/* Opening a FIFO must not wait, opening a terminal must not take it. */
	int fd = open(reading->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t len;

	if (fd < 0)
		return wrong(reading, 0, "%s", strerror(errno));
	len = read_fd(reading, fd, text);
	close(fd);
	return len;
}

static unsigned int line_of(const char *text, const char *at)
{
	unsigned int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

static int has_crlf(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);

	return end && end > text && end[-1] == '\r';
}

/* Cuts a long text in the middle, and escapes it. */
static char *shorten(const char *text)
{
	size_t len = strlen(text);
	char *head, *tail, *both;

	if (len <= HEAD_MOST + TAIL_MOST)
		return escape(text, len);
	head = escape(text, HEAD_MOST);
	tail = escape(text + len - TAIL_MOST, TAIL_MOST);
	both = words("%s...%s", head, tail);
	free(head);
	free(tail);
	return both;
}

static int parse_text(const struct reading *reading, const char *text, size_t len,
		      struct xlcfg **ret_cfg)
{
	const char *nul = memchr(text, '\0', len);
	char *error, *shown;
	unsigned int line;

	if (nul)
		return wrong(reading, line_of(text, nul), "a NUL byte");
	*ret_cfg = xlcfg_parse(text, len, &line, &error);
	if (*ret_cfg)
		return 0;
	shown = shorten(error);
	wrong(reading, line, "%s%s", shown,
	      has_crlf(text, len) ? " (lines must end in LF, not CR LF)" : "");
	free(shown);
	free(error);
	return -1;
}

/* --- what it says --- */

static int read_name(const struct reading *reading, struct xlcfg *cfg,
		     struct config *config)
{
	struct xlcfg_value name;

	if (!xlcfg_get(cfg, "name", &name))
		return 0;
	config->name_line = name.line;
	if (!name.text)
		return wrong(reading, name.line, "name is not a string");
	if (!*name.text)
		return wrong(reading, name.line, "name is empty");
	if (is_number(name.text)) /* which commands take for a domid */
		return wrong(reading, name.line, "name is a number");
	config->name = must(strdup(name.text));
	return 0;
}

/* Returns: 0, -1 if the item is wrong, with *ret_error NULL if it is not of strings. */
static int parse_item(struct xlcfg *cfg, const struct xlcfg_value *item,
		      struct config_entry *entry, char **ret_error)
{
	const char **parts;
	int err = 0;

	if (item->text)
		return entry_parse(item->text, entry, ret_error);
	parts = must(calloc(item->count + 1, sizeof(*parts)));
	for (size_t i = 0; i < item->count && !err; i++) {
		parts[i] = xlcfg_item(cfg, item, i).text;
		err = parts[i] ? 0 : -1;
	}
	if (!err)
		err = entry_parse_parts(parts, item->count, entry, ret_error);
	free(parts);
	return err;
}

static const struct config_entry *find_twin(const struct config *config,
					    const struct config_entry *entry)
{
	const struct xensplit_wanted *wanted = &entry->wanted;

	for (const struct config_entry *e = config->entries; e < entry; e++)
		if (wanted->devid != XENSPLIT_DEVID_AUTO &&
		    e->wanted.devid == wanted->devid &&
		    !strcmp(e->wanted.type, wanted->type))
			return e;
	return NULL;
}

/* The id of a fixed device; its type may still be any text. */
static int check_unique(const struct reading *reading, const struct config *config,
			const struct config_entry *entry)
{
	struct xensplit_id id = { 0, entry->wanted.type, entry->wanted.devid };
	const struct config_entry *twin = find_twin(config, entry);
	char *name;

	if (!twin)
		return 0;
	name = device_name(&id);
	wrong(reading, entry->line, "%s is there already, in line %u", name, twin->line);
	free(name);
	return -1;
}

static int read_item(const struct reading *reading, struct xlcfg *cfg,
		     const struct xlcfg_value *item, struct config *config)
{
	struct config_entry *entry = &config->entries[config->count++];
	char *error = NULL;
	int err = parse_item(cfg, item, entry, &error);

	entry->line = item->line;
	if (err) {
		wrong(reading, item->line, "%s",
		      error ? error : "a device is a string or a list of strings");
		free(error);
		return -1;
	}
	return check_unique(reading, config, entry);
}

static int read_list(const struct reading *reading, struct xlcfg *cfg,
		     struct config *config)
{
	struct xlcfg_value list, item;

	config->has_list = xlcfg_get(cfg, "xensplit", &list);
	if (!config->has_list)
		return 0;
	if (list.text)
		return wrong(reading, list.line, "xensplit is not a list: use [ ]");
	config->entries = must(calloc(list.count + 1, sizeof(*config->entries)));
	for (size_t i = 0; i < list.count; i++) {
		item = xlcfg_item(cfg, &list, i);
		if (read_item(reading, cfg, &item, config))
			return -1;
	}
	return 0;
}

int config_read(const char *path, struct config **ret_config, char **ret_error)
{
	const struct reading reading = { path, ret_error };
	struct config *config = must(calloc(1, sizeof(*config)));
	char *text = must(malloc(SIZE_MOST + 1));
	ssize_t len = read_text(&reading, text);
	struct xlcfg *cfg = NULL;
	int err = len < 0 ? -1 : parse_text(&reading, text, (size_t)len, &cfg);

	config->path = must(strdup(path));
	if (!err)
		err = read_name(&reading, cfg, config);
	if (!err)
		err = read_list(&reading, cfg, config);
	free(text);
	xlcfg_free(cfg);
	if (err) {
		config_free(config);
		return EXIT_USAGE;
	}
	*ret_config = config;
	return EXIT_SUCCESS;
}

struct config *config_free(struct config *config)
{
	if (!config)
		return NULL;
	for (size_t i = 0; i < config->count; i++)
		entry_clear(&config->entries[i]);
	free(config->entries);
	free(config->path);
	free(config->name);
	free(config);
	return NULL;
}

const struct xensplit_wanted **config_wanted(const struct config *config)
{
	const struct xensplit_wanted **wanted =
		must(calloc(config->count + 1, sizeof(*wanted)));

	for (size_t i = 0; i < config->count; i++)
		wanted[i] = &config->entries[i].wanted;
	return wanted;
}
