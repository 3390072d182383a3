// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "json.h"
#include "logger.h"
#include "serve-metrics.h"
#include "serve-notify.h"
#include "serve-report.h"
#include "serve-status.h"
#include "serve-write.h"
#include "serve.h"
#include "text.h"

/* While a thousand domains appear, do not write with each. */
#define BUSY_MS 1000
/* Also if nothing changes, so that a reader can tell that serve is alive. */
#define IDLE_MS 15000

static uint64_t last_ms;

/* Says once that a file cannot be written. */
static void put(const char *path, const char *text, int *failed)
{
	int err = write_whole(path, text);
	char *shown;

	if (err && err != *failed) {
		shown = escape(path, strlen(path));
		logger_error("can't write %s: %s", shown, strerror(-err));
		free(shown);
	}
	*failed = err;
}

void report_metrics(const struct serve *serve)
{
	static int failed;
	char *text;

	if (!serve->metrics_path)
		return;
	text = metrics_text(serve);
	put(serve->metrics_path, text, &failed);
	free(text);
}

void report_now(struct serve *serve)
{
	static int failed;
	char *text;

	last_ms = now_ms();
	serve->changed = 0;
	report_metrics(serve);
	text = json_take(status_report(serve));
	put(serve->status_path, text, &failed);
	free(text);
	text = status_words(serve);
	notify_status(text);
	free(text);
}

uint64_t report_due_ms(const struct serve *serve)
{
	return last_ms + (serve->changed ? BUSY_MS : IDLE_MS);
}

void report_step(struct serve *serve)
{
	if (!last_ms || now_ms() >= report_due_ms(serve))
		report_now(serve);
}

void report_remove(const struct serve *serve)
{
	if (serve->metrics_path)
		unlink(serve->metrics_path);
	unlink(serve->status_path);
}
