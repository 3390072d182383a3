// SPDX-License-Identifier: GPL-2.0-or-later
/* The tool's plugins, linked instead of loaded: what they name xensplit_plugin is renamed. */
#include <stdlib.h>
#include <string.h>

#include "../../src/plugin.h"

extern const char plugin_json, plugin_table, plugin_xlcfg;

const void *plugin_load(const char *name)
{
	if (!strcmp(name, "json"))
		return &plugin_json;
	if (!strcmp(name, "table"))
		return &plugin_table;
	if (!strcmp(name, "xlcfg"))
		return &plugin_xlcfg;
	abort();
}
