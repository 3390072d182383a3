/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Libraries that only some verbs need, each behind a shared object of our own that is loaded
 * when it is first needed: a tool that starts a thousand times a day shall not load them all
 * each time.
 */
#ifndef XENSPLIT_PLUGIN_H
#define XENSPLIT_PLUGIN_H

/* A plugin exports this one name, a struct whose first member is XENSPLIT_VERSION. */
#define PLUGIN_SYMBOL "xensplit_plugin"
#define PLUGIN_EXPORT __attribute__((visibility("default")))

/* Returns: what the plugin of that name exports. Ends the run where it can't be had. */
const void *plugin_load(const char *name);

#endif
