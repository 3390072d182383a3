// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "config.h"
#include "serve.h"

static int is_connected(int state)
{
	return state == XENSPLIT_STATE_CONNECTED ||
	       state == XENSPLIT_STATE_RECONFIGURING ||
	       state == XENSPLIT_STATE_RECONFIGURED;
}

enum kept_state kept_state(const struct xensplit_kept *kept)
{
	if (kept->error)
		return kept->failures ? KEPT_FAILED : KEPT_REFUSED;
	if (is_connected(kept->frontend_state) && is_connected(kept->backend_state))
		return KEPT_CONNECTED;
	return KEPT_WAITING;
}

const char *kept_state_name(enum kept_state state)
{
	static const char *const names[] = { "connected", "waiting", "failed",
					     "refused" };

	return names[state];
}

const struct config_entry *kept_entry(const struct serve *serve,
				      const struct xensplit_kept *kept)
{
	const struct served_file *file = files_find(serve->files, kept->domain);

	if (!file || kept->entry < 0 || (size_t)kept->entry >= file->config->count)
		return NULL;
	return &file->config->entries[kept->entry];
}

int kept_is_fine(const struct serve *serve, const struct xensplit_kept *kept)
{
	const struct config_entry *entry = kept_entry(serve, kept);
	enum kept_state state = kept_state(kept);

	return state == KEPT_CONNECTED || (state == KEPT_WAITING && entry &&
					   entry->wanted.flags & XENSPLIT_WANTED_NO_WAIT);
}

static void count_files(const struct serve *serve, struct totals *totals)
{
	const struct served_file *file;

	for (size_t i = 0; (file = files_get(serve->files, i)); i++) {
		totals->bad_files += file->error != NULL;
		if (!file->config)
			continue;
		totals->lists++;
		totals->listed += file->config->count;
	}
}

void totals_get(const struct serve *serve, struct totals *ret_totals)
{
	const struct xensplit_kept *kept;
	uint32_t last = XENSPLIT_ANY;

	*ret_totals = (struct totals){ 0 };
	count_files(serve, ret_totals);
	if (!serve->keeper)
		return;
	for (size_t i = 0; (kept = xensplit_keeper_get(serve->keeper, i)); i++) {
		ret_totals->wanted++;
		ret_totals->states[kept_state(kept)]++;
		ret_totals->fine += (size_t)kept_is_fine(serve, kept);
		ret_totals->domains += kept->id.domid != last;
		last = kept->id.domid;
	}
}
