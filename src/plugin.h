/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plugins: shared objects that wrap libraries which only some verbs need. They are loaded on
 * demand, to start faster.
 */
#ifndef XENSPLIT_PLUGIN_H
#define XENSPLIT_PLUGIN_H

/* The only symbol that a plugin exports: a struct whose first member is XENSPLIT_VERSION. */
#define PLUGIN_SYMBOL "xensplit_plugin"
#define PLUGIN_EXPORT __attribute__((visibility("default")))

/* Returns: the symbol of the plugin of that name. Exits if it can't be loaded. */
const void *plugin_load(const char *name);

#endif
