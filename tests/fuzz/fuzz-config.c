// SPDX-License-Identifier: GPL-2.0-or-later
/* A file of xensplit.cfg(5), as apply and serve read it, with libxlutil. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/config.h"
#include "fuzz.h"

/* libxlutil leaks what it has read of a file that is wrong. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libxlutil.so\n";
}

static void must_be_sound_pairs(const struct xensplit_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		must_hold(!strchr(pairs[i].key, '=') && pairs[i].value);
}

static void must_be_sound_entry(const struct config_entry *entry)
{
	const struct xensplit_wanted *wanted = &entry->wanted;

	must_hold(wanted->sz == sizeof(*wanted));
	must_hold(*wanted->type && !strchr(wanted->type, '/'));
	must_hold(!strncmp(entry->text, wanted->type, strlen(wanted->type)));
	must_hold(
		!(wanted->flags & ~(XENSPLIT_WANTED_RESERVED | XENSPLIT_WANTED_NO_WAIT)));
	must_hold(!wanted->backend || *wanted->backend);
	must_hold(!wanted->backend_type || *wanted->backend_type);
	must_be_sound_pairs(wanted->front, wanted->front_count);
	must_be_sound_pairs(wanted->back, wanted->back_count);
}

/* No device twice. */
static void must_be_unique(const struct config *config)
{
	for (size_t i = 0; i < config->count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct xensplit_wanted *a = &config->entries[i].wanted,
						     *b = &config->entries[j].wanted;

			must_hold(a->devid != b->devid ||
				  a->devid == XENSPLIT_DEVID_AUTO ||
				  strcmp(a->type, b->type) != 0);
		}
}

static void try_file(const char *path)
{
	struct config *config = NULL;
	char *error = NULL;
	int status = config_read(path, &config, &error);

	if (status) {
		must_hold(status == 2 && !config && error);
		must_hold_for(is_printable(error), error);
		must_hold_for(!strncmp(error, path, strlen(path)), error);
		free(error);
		return;
	}
	must_hold(config && !error);
	must_hold(!config->name || *config->name);
	must_hold(config->has_list || !config->count);
	for (size_t i = 0; i < config->count; i++)
		must_be_sound_entry(&config->entries[i]);
	must_be_unique(config);
	config_free(config);
}

static void try_entry(const char *text)
{
	struct config_entry entry;
	char *error = NULL;
	int err = entry_parse(text, &entry, &error);

	must_hold(err == (error ? -1 : 0));
	if (err)
		must_hold_for(is_printable(error), error);
	else
		must_be_sound_entry(&entry);
	free(error);
	entry_clear(&entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { (const char *)data, (const char *)data + size };
	static char path[40];
	static int fd = -1;
	char *line;

	if (fd < 0) {
		fd = memfd_create("config", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	try_file(path);
	line = input_line(&input, NULL);
	if (line)
		try_entry(line);
	free(line);
	return 0;
}
