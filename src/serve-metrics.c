// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "serve-metrics.h"
#include "serve.h"
#include "text.h"

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP xensplit_%s %s\n# TYPE xensplit_%s %s\n", name, help, name,
		type);
}

static void number(FILE *out, const char *name, const char *type, uint64_t value,
		   const char *help)
{
	head(out, name, type, help);
	fprintf(out, "xensplit_%s %" PRIu64 "\n", name, value);
}

/* A file may have any bytes as a type; a value of a label is UTF-8, and must not end early. */
static void label(FILE *out, const char *name, const char *value)
{
	char *shown = escape(value, strlen(value));

	fprintf(out, "%s=\"", name);
	for (const char *at = shown; *at; at++)
		fprintf(out, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
	fputc('"', out);
	free(shown);
}

/* How many devices of a type are in each state. */
struct type_row {
	const char *type;
	uint64_t states[KEPT_STATES];
};

struct type_rows {
	struct type_row *list;
	size_t count;
};

static struct type_row *find_row(struct type_rows *rows, const char *type)
{
	for (size_t i = 0; i < rows->count; i++)
		if (!strcmp(rows->list[i].type, type))
			return &rows->list[i];
	rows->list = must(reallocarray(rows->list, rows->count + 1, sizeof(*rows->list)));
	rows->list[rows->count] = (struct type_row){ .type = type };
	return &rows->list[rows->count++];
}

static void put_devices(FILE *out, const struct serve *serve)
{
	const struct xensplit_kept *kept;
	struct type_rows rows = { 0 };

	head(out, "devices", "gauge",
	     "Wanted devices of domains that are there, by type and state.");
	for (size_t i = 0; (kept = xensplit_keeper_get(serve->keeper, i)); i++)
		find_row(&rows, kept->id.type)->states[kept_state(kept)]++;
	for (size_t i = 0; i < rows.count; i++) {
		for (int state = 0; state < KEPT_STATES; state++) {
			fputs("xensplit_devices{", out);
			label(out, "type", rows.list[i].type);
			fputc(',', out);
			label(out, "state", kept_state_name((enum kept_state)state));
			fprintf(out, "} %" PRIu64 "\n", rows.list[i].states[state]);
		}
	}
	free(rows.list);
}

static void put_totals(FILE *out, const struct serve *serve)
{
	struct totals totals;

	totals_get(serve, &totals);
	number(out, "listed_devices", "gauge", totals.listed,
	       "Devices in all lists, also of domains that are not there.");
	number(out, "listed_domains", "gauge", totals.lists, "Domains with a list.");
	number(out, "bad_files", "gauge", totals.bad_files, "Files that cannot be used.");
	number(out, "xenstored_connected", "gauge", serve->keeper != NULL,
	       "Whether serve is connected to xenstored.");
	if (!serve->keeper)
		return; /* what is there is not known */
	number(out, "wanted_devices", "gauge", totals.wanted,
	       "Wanted devices of domains that are there.");
	number(out, "connected_devices", "gauge", totals.states[KEPT_CONNECTED],
	       "Those of them that are connected.");
	number(out, "ok_devices", "gauge", totals.fine,
	       "Those of them that are connected, or waiting with wait=no.");
	number(out, "domains", "gauge", totals.domains,
	       "Domains that have wanted devices and are there.");
	put_devices(out, serve);
}

static void put_times(FILE *out, const struct stats *stats)
{
	uint64_t sum = 0;

	head(out, "connect_seconds", "histogram",
	     "Time from writing a device until both ends were connected.");
	for (int i = 0; i < STATS_RANGES; i++) {
		sum += stats->ranges[i];
		fputs("xensplit_connect_seconds_bucket{le=\"", out);
		if (stats_ends[i] == UINT64_MAX)
			fputs("+Inf", out);
		else
			fprintf(out, "%g", (double)stats_ends[i] / 1e6);
		fprintf(out, "\"} %" PRIu64 "\n", sum);
	}
	fprintf(out,
		"xensplit_connect_seconds_sum %.6f\n"
		"xensplit_connect_seconds_count %" PRIu64 "\n",
		(double)stats->time_us / 1e6, stats->times);
}

static void put_counters(FILE *out, const struct serve *serve)
{
	const struct stats *stats = &serve->stats;

	number(out, "attached_total", "counter", stats->attached, "Devices written.");
	number(out, "connected_total", "counter", stats->connected,
	       "Devices that were seen to connect.");
	number(out, "reconnected_total", "counter", stats->reconnected,
	       "Devices that connected again after they were lost.");
	number(out, "lost_total", "counter", stats->lost,
	       "Devices that were no longer connected.");
	number(out, "detached_total", "counter", stats->detached,
	       "Devices removed because no list has them.");
	number(out, "reaped_total", "counter", stats->reaped,
	       "Devices of dead domains removed.");
	number(out, "xenstored_lost_total", "counter", serve->xenstored_losses,
	       "How often the connection to xenstored was lost.");
	head(out, "failures_total", "counter",
	     "Failures and refusals of devices, by error code.");
	for (size_t i = 0; i < stats->code_count; i++) {
		fputs("xensplit_failures_total{", out);
		label(out, "code", stats->codes[i].code);
		fprintf(out, "} %" PRIu64 "\n", stats->codes[i].count);
	}
}

char *metrics_text(const struct serve *serve)
{
	char *text = NULL;
	size_t size;
	FILE *out = must(open_memstream(&text, &size));

	head(out, "build_info", "gauge", "The release of xensplit.");
	fputs("xensplit_build_info{", out);
	label(out, "version", xensplit_version());
	fputs("} 1\n", out);
	number(out, "start_time_seconds", "gauge", (uint64_t)serve->started,
	       "When serve was started, in seconds since 1970.");
	number(out, "last_reload_success", "gauge", (uint64_t)serve->reload_ok,
	       "Whether all files could be used when they were last read.");
	number(out, "last_reload_time_seconds", "gauge", (uint64_t)serve->reloaded,
	       "When the files were last read, in seconds since 1970.");
	put_totals(out, serve);
	put_times(out, &serve->stats);
	put_counters(out, serve);
	fclose(out);
	return must(text);
}
