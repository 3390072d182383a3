// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "json.h"
#include "output.h"
#include "serve-show.h"
#include "serve-write.h"
#include "table.h"
#include "text.h"
#include "tool.h"

/* A running serve writes it every 15 s. */
#define OLD_S 60

static int fail(struct tool *tool, int err, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(struct tool *tool, int err, const char *code, const char *format, ...)
{
	struct xensplit_error error = { .err = err, .code = code };
	char message[600];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	error.message = message;
	tool_report_error(tool, &error, NULL);
	return exit_status(err);
}

static int fail_file(struct tool *tool, const char *path, int err)
{
	char *shown = escape(path, strlen(path));
	int status = fail(tool, err, err == -EACCES ? "no-permission" : "failed",
			  "can't read %.300s: %s", shown, strerror(-err));

	free(shown);
	return status;
}

/* It runs: so not the status of -ENOENT, which says that it does not. */
static int fail_status_file(struct tool *tool, const char *path, int err)
{
	char *shown;
	int status;

	if (err != -ENOENT)
		return fail_file(tool, path, err);
	shown = escape(path, strlen(path));
	status = fail(tool, -EIO, "failed", "serve is running, but there is no %.300s",
		      shown);
	free(shown);
	return status;
}

static int check_running(struct tool *tool, const char *path)
{
	int taken = lock_is_taken(path);
	char *name;

	if (taken > 0)
		return EXIT_SUCCESS;
	if (!taken)
		return fail(tool, -ENOENT, "not-running", "serve is not running");
	name = lock_path(path);
	taken = fail_file(tool, name, taken);
	free(name);
	return taken;
}

/* Returns: the file's text, to be freed, or NULL, with errno. */
static char *read_text(const char *path, struct stat *ret_st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	ssize_t len = -1;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, ret_st)) {
		text = must(calloc(1, (size_t)ret_st->st_size + 1));
		len = read(fd, text, (size_t)ret_st->st_size);
	}
	close(fd);
	if (len == ret_st->st_size)
		return text;
	free(text);
	errno = EIO;
	return NULL;
}

static const char *clock_text(struct json_object *report, const char *key, char *text,
			      size_t size)
{
	time_t when = (time_t)json_number(report, key, 0);
	struct tm tm;

	if (!localtime_r(&when, &tm) || !strftime(text, size, "%F %T", &tm))
		*text = '\0';
	return text;
}

static void print_head(struct json_object *report)
{
	struct json_object *files = json_get(report, "files"), *file;
	char started[40], reloaded[40];

	print_note("serve runs since %s as process %" PRId64 ", %s xenstored",
		   clock_text(report, "started", started, sizeof(started)),
		   json_number(report, "pid", 0),
		   json_number(report, "xenstored", 0) ? "connected to"
						       : "without a connection to");
	print_note("%zu file%s in %s, last read %s", json_count(files),
		   json_count(files) == 1 ? "" : "s", json_text(report, "directory", ""),
		   clock_text(report, "reloaded", reloaded, sizeof(reloaded)));
	for (size_t i = 0; i < json_count(files); i++) {
		file = json_at(files, i);
		if (json_text(file, "error", NULL))
			print_note("%s", json_text(file, "error", ""));
	}
}

static char *number_text(struct json_object *object, const char *key, const char *none)
{
	return must(strdup(json_text(object, key, none)));
}

static void add_line(struct libscols_table *table, struct json_object *device)
{
	struct libscols_line *line = table_line(table);
	struct json_object *error = json_get(device, "error");
	char *name = words("%s/%s", json_text(device, "type", ""),
			   json_text(device, "devid", "auto"));

	table_cell(line, 0, number_text(device, "domain", "-"), "");
	table_cell(line, 1, number_text(device, "domid", "-"), "");
	table_cell(line, 2, name, "");
	table_cell(line, 3, number_text(device, "backend_domid", "-"), "");
	table_cell(line, 4, number_text(device, "state", "-"), "");
	table_cell(line, 5, number_text(error, "message", "-"), "");
}

static void print_devices(struct json_object *devices)
{
	struct libscols_table *table;

	if (!json_count(devices))
		return;
	table = table_new(0);
	table_column(table, "DOMAIN", TABLE_WRAP);
	table_column(table, "DOMID", TABLE_RIGHT);
	table_column(table, "DEVICE", 0);
	table_column(table, "BACKEND", TABLE_RIGHT);
	table_column(table, "STATE", 0);
	table_column(table, "ERROR", TABLE_WRAP);
	for (size_t i = 0; i < json_count(devices); i++)
		add_line(table, json_at(devices, i));
	table_print(table);
}

/* Returns: an exit status. */
static int judge(struct tool *tool, struct json_object *report, const struct stat *st)
{
	double age = difftime(time(NULL), st->st_mtime);

	if (age > OLD_S)
		return fail(tool, -EIO, "frozen",
			    "serve has not written its status for %.0f s", age);
	return json_number(report, "ok", 0) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int status_show(struct tool *tool, const char *path)
{
	struct json_object *report;
	struct stat st = { 0 };
	/* Before the lock: a serve that ends removes it. */
	char *text = read_text(path, &st);
	int err = text ? 0 : -errno, status = check_running(tool, path);

	if (!status && err)
		status = fail_status_file(tool, path, err);
	if (status) {
		free(text);
		return status;
	}
	report = json_parse(text);
	free(text);
	if (!report)
		return fail(tool, -EIO, "failed", "the status file is damaged");
	status = judge(tool, report, &st);
	if (tool->json) {
		json_print(report);
		return status;
	}
	if (!tool->quiet) {
		print_head(report);
		print_devices(json_get(report, "devices"));
	}
	json_free(report);
	return status;
}
