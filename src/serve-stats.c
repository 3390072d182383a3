// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "serve-stats.h"
#include "xensplit.h"

const uint64_t stats_ends[STATS_RANGES] = { 10000,   30000,   100000,	300000,
					    1000000, 3000000, 10000000, UINT64_MAX };

static void note_code(struct stats *stats, const char *code)
{
	size_t i;

	for (i = 0; i < stats->code_count; i++)
		if (!strcmp(stats->codes[i].code, code))
			break;
	if (i == stats->code_count) {
		stats->codes =
			must(reallocarray(stats->codes, i + 1, sizeof(*stats->codes)));
		stats->codes[i] = (struct stats_code){ must(strdup(code)), 0 };
		stats->code_count++;
	}
	stats->codes[i].count++;
}

static void note_lost(struct stats *stats, const struct xensplit_keeper_event *event)
{
	stats->open = must(
		reallocarray(stats->open, stats->open_count + 1, sizeof(*stats->open)));
	stats->open[stats->open_count++] =
		(struct stats_lost){ must(strdup(event->domain)), event->entry };
}

/* @entry: -1 for all of the domain. Returns: how many there were. */
static size_t forget_lost(struct stats *stats, const char *domain, int entry)
{
	size_t left = 0, before = stats->open_count;

	for (size_t i = 0; i < before; i++) {
		struct stats_lost *lost = &stats->open[i];

		if ((entry < 0 || entry == lost->entry) && !strcmp(lost->domain, domain))
			free(lost->domain);
		else
			stats->open[left++] = *lost;
	}
	stats->open_count = left;
	return before - left;
}

static void note_connected(struct stats *stats, const struct xensplit_keeper_event *event)
{
	int i = 0;

	stats->connected++;
	if (event->domain && forget_lost(stats, event->domain, event->entry))
		stats->reconnected++;
	if (!event->took_us)
		return;
	stats->times++;
	stats->time_us += event->took_us;
	while (event->took_us > stats_ends[i])
		i++;
	stats->ranges[i]++;
}

void stats_note(struct stats *stats, const struct xensplit_keeper_event *event)
{
	switch (event->type) {
	case XENSPLIT_KEEPER_DOMAIN_GONE:
		if (event->domain)
			forget_lost(stats, event->domain, -1);
		break;
	case XENSPLIT_KEEPER_ATTACHED:
		stats->attached++;
		break;
	case XENSPLIT_KEEPER_CONNECTED:
		note_connected(stats, event);
		break;
	case XENSPLIT_KEEPER_LOST:
		stats->lost++;
		if (event->domain)
			note_lost(stats, event);
		break;
	case XENSPLIT_KEEPER_DETACHED:
		stats->detached++;
		break;
	case XENSPLIT_KEEPER_REAPED:
		stats->reaped++;
		break;
	case XENSPLIT_KEEPER_FAILED:
	case XENSPLIT_KEEPER_REFUSED:
		note_code(stats, event->error->code);
		break;
	}
}

void stats_clear(struct stats *stats)
{
	for (size_t i = 0; i < stats->open_count; i++)
		free(stats->open[i].domain);
	for (size_t i = 0; i < stats->code_count; i++)
		free(stats->codes[i].code);
	free(stats->open);
	free(stats->codes);
}
