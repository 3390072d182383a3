// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common.h"
#include "config.h"
#include "json-items.h"
#include "json.h"
#include "serve-status.h"
#include "serve.h"

static void add_files(struct json_object *report, const struct serve *serve)
{
	struct json_object *array = json_array(report, "files");
	const struct served_file *file;

	for (size_t i = 0; (file = files_get(serve->files, i)); i++) {
		struct json_object *object = json_item(array);

		json_add_text(object, "path", file->path);
		json_add_text(object, "domain", file->config ? file->config->name : NULL);
		json_add_number(object, "devices",
				file->config ? (uint32_t)file->config->count : 0);
		json_add_escaped(object, "error", file->error);
	}
}

static void add_device(struct json_object *array, const struct serve *serve,
		       const struct xensplit_kept *kept)
{
	const struct config_entry *entry = kept_entry(serve, kept);
	struct json_object *object = json_item(array), *error;

	json_add_text(object, "domain", kept->domain);
	json_add_number(object, "domid", kept->id.domid);
	json_add_text(object, "type", kept->id.type);
	json_add_number(object, "devid", kept->id.devid);
	json_add_number(object, "backend_domid", kept->backend_domid);
	json_add_text(object, "frontend_state", state_or_null(kept->frontend_state));
	json_add_text(object, "backend_state", state_or_null(kept->backend_state));
	json_add_text(object, "state", kept_state_name(kept_state(kept)));
	json_add_flag(object, "ok", kept_is_fine(serve, kept));
	json_add_number(object, "failures", kept->failures);
	json_add_number(object, "connects", kept->connects);
	json_add_number(object, "line", entry ? entry->line : XENSPLIT_ANY);
	if (!kept->error) {
		json_add_text(object, "error", NULL);
		return;
	}
	error = json_member(object, "error");
	json_add_text(error, "code", kept->error->code);
	json_add_escaped(error, "message", kept->error->message);
}

struct json_object *status_report(const struct serve *serve)
{
	struct json_object *report = json_report(), *array;
	const struct xensplit_kept *kept;
	struct totals totals;

	totals_get(serve, &totals);
	json_add_number(report, "pid", (uint32_t)getpid());
	json_add_time(report, "started", (uint64_t)serve->started);
	json_add_time(report, "reloaded", (uint64_t)serve->reloaded);
	json_add_text(report, "directory", serve->dir);
	json_add_flag(report, "xenstored", serve->keeper != NULL);
	json_add_flag(report, "ok",
		      serve->keeper && serve->reload_ok && totals.fine == totals.wanted);
	add_files(report, serve);
	array = json_array(report, "devices");
	for (size_t i = 0;
	     serve->keeper && (kept = xensplit_keeper_get(serve->keeper, i)); i++)
		add_device(array, serve, kept);
	return report;
}

char *status_words(const struct serve *serve)
{
	struct totals totals;
	char files[80] = "";

	totals_get(serve, &totals);
	if (totals.bad_files)
		snprintf(files, sizeof(files), "; %zu file%s cannot be used",
			 totals.bad_files, totals.bad_files == 1 ? "" : "s");
	else if (!serve->reload_ok)
		snprintf(files, sizeof(files), "; the directory cannot be read");
	if (!serve->keeper)
		return words("waiting for xenstored%s", files);
	return words("%zu of %zu devices connected, in %zu of %zu domains%s",
		     totals.states[KEPT_CONNECTED], totals.wanted, totals.domains,
		     totals.lists, files);
}
