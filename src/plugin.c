// SPDX-License-Identifier: GPL-2.0-or-later
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "logger.h"
#include "plugin.h"

/*
 * Defined in plugin-dir.c, which the Makefile writes: the folder of the plugins, absolute or
 * relative to the tool's folder, so that both can be moved together.
 */
extern const char plugin_dir[];

static void __attribute__((noreturn)) give_up(const char *name, const char *why)
{
	logger_error("can't load the plugin %s: %s", name, why);
	exit(EXIT_FAILURE);
}

static void plugin_path(const char *name, char *path, size_t size)
{
	char self[PATH_MAX];
	ssize_t len = 0;

	if (*plugin_dir != '/') {
		len = readlink("/proc/self/exe", self, sizeof(self) - 1);
		if (len < 0)
			give_up(name, "/proc/self/exe can't be read");
		while (len && self[len - 1] != '/')
			len--;
	}
	if (snprintf(path, size, "%.*s%s/%s.so", (int)len, self, plugin_dir, name) >=
	    (int)size)
		give_up(name, "its path is too long");
}

const void *plugin_load(const char *name)
{
	char path[2 * PATH_MAX];
	const void *symbol = NULL;
	void *plugin;

	plugin_path(name, path, sizeof(path));
	plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (plugin)
		symbol = dlsym(plugin, PLUGIN_SYMBOL);
	if (!symbol)
		give_up(name, dlerror());
	if (strcmp(*(const char *const *)symbol, XENSPLIT_VERSION) != 0)
		give_up(name, "it is of another version");
	return symbol;
}
