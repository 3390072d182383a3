/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One device of a configuration, as xensplit.cfg(5) describes it. */
#ifndef XENSPLIT_CONFIG_ENTRY_H
#define XENSPLIT_CONFIG_ENTRY_H

#include <stddef.h>

#include "xensplit.h"

struct config_entry {
	struct xensplit_wanted wanted; /* refers to the entry's own memory */
	char *text;		       /* the device as written, such as "accel/auto" */
	unsigned int line;	       /* in its file; 0: not known */
	/* private */
	char **parts;
	size_t part_count;
	struct xensplit_pair *front, *back;
};

/*
 * entry_parse - parse "TYPE[/DEVID][,KEY=VALUE...]"
 * @ret_error: what is wrong, printable, to be freed
 *
 * Blanks around a part, a key and a value do not count.
 *
 * Returns: 0, or -1 after an error. Free the entry with entry_clear() in any case.
 */
int entry_parse(const char *text, struct config_entry *ret_entry, char **ret_error);

/* Likewise for its parts, "TYPE[/DEVID]" and each "KEY=VALUE", taken as they are. */
int entry_parse_parts(const char *const *parts, size_t count,
		      struct config_entry *ret_entry, char **ret_error);

void entry_clear(struct config_entry *entry);

#endif
