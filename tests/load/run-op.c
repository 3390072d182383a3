// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs an operation, with the library or with the tool. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xentoollog.h>

#include "load.h"

extern char **environ;

void op_say(struct op *op, const char *text)
{
	size_t used = strlen(op->said);

	snprintf(op->said + used, sizeof(op->said) - used, "%s\n", text);
}

/* --- the library --- */

static struct op *talking;

static void take_warning(struct xentoollog_logger *logger, xentoollog_level level,
			 int errnoval, const char *context, const char *format,
			 va_list args)
{
	char text[1024];

	(void)logger;
	(void)errnoval;
	(void)context;
	if (level < XTL_WARN)
		return;
	vsnprintf(text, sizeof(text), format, args);
	op_say(talking, text);
}

static void end_logger(struct xentoollog_logger *logger)
{
	(void)logger;
}

void op_open(struct op *op)
{
	static struct xentoollog_logger logger = { .vmessage = take_warning,
						   .destroy = end_logger };
	XENSPLIT_OPTS(xensplit_opts, opts);

	talking = op;
	opts.logger = &logger;
	op->xs = xs_open(0);
	if (!op->xs || xensplit_new(&opts, &op->ctx))
		errx(1, "no XenStore");
}

/* The table of xensplit(8). */
static int status_of(int r)
{
	switch (-r) {
	case 0:
		return 0;
	case EINVAL:
		return 2;
	case ESRCH:
	case ENOENT:
		return 3;
	case EACCES:
	case EPERM:
		return 4;
	case EEXIST:
	case EBUSY:
	case ESTALE:
		return 5;
	case ETIMEDOUT:
		return 6;
	default:
		return 1;
	}
}

static void call(struct op *op)
{
	int r = op->verb->call(op);

	op->status = status_of(r);
	if (r < 0 && r != -EIO) /* that is the hammer's own */
		op_say(op, xensplit_errmsg(op->ctx));
}

/* --- the tool --- */

#define WORDS 32

/* What a letter after a % in the arguments means. */
static void expand(const struct op *op, char letter, char *buf, size_t size)
{
	const struct target *target = op->target;

	switch (letter) {
	case 'D':
		snprintf(buf, size, "%" PRIu32, op->domid);
		break;
	case 'T':
		snprintf(buf, size, "%s/%" PRIu32, target->type, target->devid);
		break;
	case 'B':
		snprintf(buf, size, "%" PRIu32, op->backend);
		break;
	case 'M':
		snprintf(buf, size, "%s", op->mode);
		break;
	case 'S':
		snprintf(buf, size, "%u.%03u", op->timeout_ms / 1000,
			 op->timeout_ms % 1000);
		break;
	case 'W':
		if (op->timeout_ms)
			snprintf(buf, size, "-t %u.%03u", op->timeout_ms / 1000,
				 op->timeout_ms % 1000);
		else
			snprintf(buf, size, "--no-wait");
		break;
	case 'C':
		snprintf(buf, size, "%s/g%" PRIu32 ".cfg", getenv("XENSPLIT_SANDBOX"),
			 op->domid);
		break;
	}
}

static void tool_arguments(const struct op *op, char *buf, size_t size)
{
	const char *from = op->verb->arguments;
	size_t used = 0;

	for (; *from && used + 1 < size; from++) {
		if (*from == '%')
			expand(op, *++from, buf + used, size - used);
		else
			snprintf(buf + used, size - used, "%c", *from);
		used += strlen(buf + used);
	}
}

static int spawn(char **argv, const char *printed, const char *said)
{
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, printed,
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, said,
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environ))
		err(1, "%s", argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(1, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Without "xensplit: attach 5 mydevice/0: ", and without the hints, which are indented. */
static void take_line(struct op *op, char *line)
{
	char *message = strncmp(line, "xensplit: ", 10) ? NULL : strstr(line + 10, ": ");

	if (strncmp(line, "  ", 2) != 0)
		op_say(op, message ? message + 2 : line);
}

/* What doctor finds: only its code. */
static void take_finding(struct op *op, char *line)
{
	char *code = strrchr(line, '['), *end = strrchr(line, ']');

	if (!code || !end || end[1] ||
	    (!strstr(line, ": error: ") && !strstr(line, ": warning: ")))
		return;
	*end = '\0';
	op_say(op, code + 1);
}

static void listen(struct op *op, const char *path,
		   void (*take)(struct op *op, char *line))
{
	FILE *file = fopen(path, "r");
	char line[1024];

	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		take(op, line);
	}
	fclose(file);
}

static const char *path_of(const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s.%d", getenv("XENSPLIT_SANDBOX"), name, getpid());
	return buf;
}

static void run_tool(struct op *op)
{
	char text[512], printed[256], said[256], *argv[WORDS] = { getenv("XENSPLIT") },
						 *word, *rest;
	size_t count = 1;

	tool_arguments(op, text, sizeof(text));
	for (word = strtok_r(text, " ", &rest); word && count < WORDS - 1;
	     word = strtok_r(NULL, " ", &rest))
		argv[count++] = word;
	op->status = spawn(argv, path_of("printed", printed, sizeof(printed)),
			   path_of("said", said, sizeof(said)));
	listen(op, said, take_line);
	if (op->status == 1)
		listen(op, printed, take_finding);
}

/* --- both --- */

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void op_run(struct op *op)
{
	uint64_t begun = now_us();

	*op->said = '\0';
	if (op->by_tool)
		run_tool(op);
	else
		call(op);
	op->took_us = now_us() - begun;
}
