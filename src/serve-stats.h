/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What serve has counted since it was started. */
#ifndef XENSPLIT_SERVE_STATS_H
#define XENSPLIT_SERVE_STATS_H

#include <stddef.h>
#include <stdint.h>

struct xensplit_keeper_event;

/* Upper ends of the ranges of times to connect, in microseconds. */
#define STATS_RANGES 8
extern const uint64_t stats_ends[STATS_RANGES];

struct stats {
	uint64_t attached, connected, reconnected, lost, detached, reaped;
	/* of the devices that this process attached and saw connect */
	uint64_t times, time_us, ranges[STATS_RANGES];
	/* failures and refusals, by code */
	struct stats_code {
		char *code;
		uint64_t count;
	} * codes;
	size_t code_count;
	/* lost, and not connected again */
	struct stats_lost {
		char *domain;
		int entry;
	} * open;
	size_t open_count;
};

void stats_note(struct stats *stats, const struct xensplit_keeper_event *event);
void stats_clear(struct stats *stats);

#endif
