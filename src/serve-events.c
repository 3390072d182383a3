// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common.h"
#include "config.h"
#include "serve-events.h"
#include "serve-log.h"
#include "serve.h"
#include "text.h"

/* "guest5 mydevice/0", "guest5 mydevice/auto", "guest5"; the caller frees it. */
static char *subject_of(const struct xensplit_keeper_event *event)
{
	char domid[20], *name = NULL, *device = NULL, *text;
	const char *domain = domid;

	snprintf(domid, sizeof(domid), "domain %" PRIu32, event->id.domid);
	if (event->domain)
		domain = name = escape(event->domain, strlen(event->domain));
	if (event->id.type)
		device = device_name(&event->id);
	text = words("%s%s%s", domain, device ? " " : "", device ? device : "");
	free(device);
	free(name);
	return text;
}

static const char *time_words(uint64_t us, char *text, size_t size)
{
	if (us < 1000000)
		snprintf(text, size, "%" PRIu64 " ms", (us + 500) / 1000);
	else
		snprintf(text, size, "%.1f s", (double)us / 1e6);
	return text;
}

static void log_connected(const struct xensplit_keeper_event *event, const char *subject)
{
	char time[40];

	if (event->took_us)
		serve_log(LOG_NOTICE, "%s: connected after %s", subject,
			  time_words(event->took_us, time, sizeof(time)));
	else
		serve_log(LOG_INFO, "%s: connected", subject);
}

/* Where the entry is that cannot be followed. */
static void log_refused(const struct serve *serve,
			const struct xensplit_keeper_event *event, const char *subject)
{
	const struct served_file *file =
		event->domain ? files_find(serve->files, event->domain) : NULL;
	const struct xensplit_kept kept = { .domain = event->domain,
					    .entry = event->entry };
	const struct config_entry *entry = file ? kept_entry(serve, &kept) : NULL;
	char *words;

	if (!entry) {
		serve_log(LOG_ERR, "%s: %s", subject, event->error->message);
		return;
	}
	words = config_words(file->path, entry->line, event->error->message);
	serve_log(LOG_ERR, "%s: %s", subject, words);
	free(words);
}

static void log_failed(const struct xensplit_keeper_event *event, const char *subject)
{
	char time[40];

	if (event->retry_us)
		serve_log(LOG_WARNING, "%s: %s; next try in %s", subject,
			  event->error->message,
			  time_words(event->retry_us, time, sizeof(time)));
	else
		serve_log(LOG_WARNING, "%s: %s", subject, event->error->message);
}

void event_note(struct serve *serve, const struct xensplit_keeper_event *event)
{
	char *subject = subject_of(event);

	stats_note(&serve->stats, event);
	serve->changed = 1;
	switch (event->type) {
	case XENSPLIT_KEEPER_DOMAIN:
		serve_log(LOG_INFO, "%s: domain %" PRIu32 " is there", subject,
			  event->id.domid);
		break;
	case XENSPLIT_KEEPER_DOMAIN_GONE:
		serve_log(LOG_INFO, "%s: domain %" PRIu32 " is gone", subject,
			  event->id.domid);
		break;
	case XENSPLIT_KEEPER_ATTACHED:
		serve_log(LOG_INFO, "%s: attached", subject);
		break;
	case XENSPLIT_KEEPER_CONNECTED:
		log_connected(event, subject);
		break;
	case XENSPLIT_KEEPER_LOST:
		serve_log(LOG_WARNING, "%s: no longer connected", subject);
		break;
	case XENSPLIT_KEEPER_DETACHED:
		serve_log(LOG_NOTICE, "%s: detached, it is not on the list", subject);
		break;
	case XENSPLIT_KEEPER_REAPED:
		serve_log(LOG_NOTICE, "%s: removed, its domain is gone", subject);
		break;
	case XENSPLIT_KEEPER_FAILED:
		log_failed(event, subject);
		break;
	case XENSPLIT_KEEPER_REFUSED:
		log_refused(serve, event, subject);
		break;
	}
	free(subject);
}
