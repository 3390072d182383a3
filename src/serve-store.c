// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>

#include "common.h"
#include "config.h"
#include "serve-events.h"
#include "serve-log.h"
#include "serve-store.h"
#include "serve.h"
#include "tool.h"

#define FIRST_PAUSE_MS 100
#define LAST_PAUSE_MS  5000

static uint64_t next_try_ms;
static unsigned int pause_ms;

/* A quarter more or less, so that the services of many hosts do not move in step. */
static unsigned int with_jitter(unsigned int ms)
{
	unsigned int value = 0;

	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) < 0)
		return ms;
	return ms - ms / 4 + value % (ms / 2);
}

static void wait_for_next_try(void)
{
	next_try_ms = now_ms() + with_jitter(pause_ms ? pause_ms : FIRST_PAUSE_MS);
	pause_ms = pause_ms ? pause_ms * 2 : 2 * FIRST_PAUSE_MS;
	if (pause_ms > LAST_PAUSE_MS)
		pause_ms = LAST_PAUSE_MS;
}

void store_close(struct serve *serve)
{
	serve->keeper = xensplit_keeper_free(serve->keeper);
	serve->tool->ctx = xensplit_free(serve->tool->ctx);
}

void store_set(void *data, const struct config *config)
{
	struct serve *serve = data;
	const struct xensplit_wanted **wanted;

	serve->changed = 1;
	if (!serve->keeper)
		return; /* once it is there, it gets all lists */
	wanted = config_wanted(config);
	if (xensplit_keeper_set(serve->keeper, config->name, wanted, config->count))
		must(NULL); /* all else was checked; without its list, nothing would be wanted */
	free(wanted);
}

void store_unset(void *data, const char *domain)
{
	struct serve *serve = data;

	serve->changed = 1;
	if (serve->keeper)
		xensplit_keeper_unset(serve->keeper, domain);
}

static void set_all(struct serve *serve)
{
	const struct served_file *file;

	for (size_t i = 0; (file = files_get(serve->files, i)); i++)
		if (file->config)
			store_set(serve, file->config);
}

/* Says once that it has to wait. Returns: an exit status. */
static int fail_to_connect(struct serve *serve, int err)
{
	if (serve->once || err == -EACCES)
		return tool_fail_to_open(serve->tool, err);
	if (!pause_ms) {
		tool_fail_to_open(serve->tool, err);
		serve_log(LOG_INFO, "waiting for xenstored");
	}
	wait_for_next_try();
	return EXIT_SUCCESS;
}

/* A domain without privileges can't do what a keeper does. */
static int fail_to_keep(struct serve *serve, int err)
{
	int status = EXIT_SUCCESS;

	if (serve->once || err == -EACCES)
		status = tool_fail(serve->tool, err, NULL);
	else if (!pause_ms)
		serve_log(LOG_ERR, "%s", xensplit_errmsg(serve->tool->ctx));
	store_close(serve);
	wait_for_next_try();
	return status;
}

static int connect_store(struct serve *serve)
{
	struct xensplit_keeper_opts opts = { .sz = sizeof(opts), .flags = serve->flags };
	int err = tool_try_open(serve->tool);

	if (err)
		return fail_to_connect(serve, err);
	err = xensplit_keeper_new(serve->tool->ctx, &opts, &serve->keeper);
	if (err)
		return fail_to_keep(serve, err);
	pause_ms = 0;
	serve->changed = 1;
	serve_log(LOG_INFO, "connected to xenstored");
	set_all(serve);
	return EXIT_SUCCESS;
}

static int lose(struct serve *serve, int err)
{
	int status = EXIT_SUCCESS;

	if (serve->once)
		status = tool_fail(serve->tool, err, NULL);
	else
		serve_log(LOG_ERR, "the connection to xenstored is lost: %s",
			  xensplit_errmsg(serve->tool->ctx));
	store_close(serve);
	serve->xenstored_losses++;
	serve->changed = 1;
	wait_for_next_try();
	return status;
}

int store_step(struct serve *serve)
{
	const struct xensplit_keeper_event *event;
	int err;

	if (!serve->keeper)
		return now_ms() < next_try_ms ? EXIT_SUCCESS : connect_store(serve);
	err = xensplit_keeper_process(serve->keeper);
	if (err == -ENOTCONN)
		return lose(serve, err);
	while (xensplit_keeper_next(serve->keeper, &event) > 0)
		event_note(serve, event);
	return EXIT_SUCCESS;
}

uint64_t store_due_ms(const struct serve *serve)
{
	if (!serve->keeper)
		return next_try_ms;
	return (xensplit_keeper_get_timeout(serve->keeper) + 999) / 1000;
}
