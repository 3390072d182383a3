/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of serve share. */
#ifndef XENSPLIT_SERVE_H
#define XENSPLIT_SERVE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "serve-files.h"
#include "serve-stats.h"
#include "xensplit.h"

struct tool;

struct serve {
	/* given */
	struct tool *tool;
	const char *dir;
	const char *metrics_path; /* NULL: none */
	const char *status_path;
	uint32_t flags; /* XENSPLIT_PLAN_* */
	int once;
	/* as it is */
	struct files *files;
	struct xensplit_keeper *keeper; /* NULL: not connected to xenstored */
	struct stats stats;
	uint64_t xenstored_losses;
	time_t started, reloaded;
	int reload_ok;
	int changed; /* since the last report */
};

/* How a wanted device is. */
enum kept_state {
	KEPT_CONNECTED,
	KEPT_WAITING,
	KEPT_FAILED,
	KEPT_REFUSED,
	KEPT_STATES
};
enum kept_state kept_state(const struct xensplit_kept *kept);
const char *kept_state_name(enum kept_state state);

/* The entry of the device's list, or NULL. */
const struct config_entry *kept_entry(const struct serve *serve,
				      const struct xensplit_kept *kept);
/* Whether the device is as it should be: connected, or nobody waits for it. */
int kept_is_fine(const struct serve *serve, const struct xensplit_kept *kept);

/* The sums for the status line and for the metrics. */
struct totals {
	size_t wanted; /* devices of the domains that are there */
	size_t states[KEPT_STATES];
	size_t fine;
	size_t domains; /* with a list, and there */
	size_t lists;
	size_t listed; /* devices of all lists */
	size_t bad_files;
};
void totals_get(const struct serve *serve, struct totals *ret_totals);

#endif
