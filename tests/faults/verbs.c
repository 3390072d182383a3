// SPDX-License-Identifier: GPL-2.0-or-later
/* See verbs.h. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verbs.h"

#define REC_OF_6 "/xensplit/6/mydevice/0"
#define SERVE                             \
	"serve $XENSPLIT_SANDBOX/domains" \
	" --status-file $XENSPLIT_SANDBOX/serve.json"

static struct driver *front, *back;
static char said[8192], problem[sizeof(said) + 1024];
static const char *before;

/* --- the tool --- */

const char *tool_said_path(void)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/said", getenv("XENSPLIT_SANDBOX"));
	return path;
}

void tool_listen(void)
{
	FILE *file = fopen(tool_said_path(), "r");

	if (!file) { /* ended before it was opened */
		said[0] = '\0';
		return;
	}
	said[fread(said, 1, sizeof(said) - 1, file)] = '\0';
	fclose(file);
}

pid_t shell(const char *command)
{
	pid_t pid = fork();

	if (!pid) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	return pid;
}

int tool(const char *options, const char *arguments)
{
	char command[1024];
	int status;

	snprintf(command, sizeof(command),
		 "exec \"$SANDBOX\" proxy %s -- \"$XENSPLIT\" %s >/dev/null 2>%s",
		 options, arguments, tool_said_path());
	status = system(command);
	assert_true(WIFEXITED(status));
	tool_listen();
	return WEXITSTATUS(status);
}

const char *tool_said(void)
{
	return said;
}

/* --- what a verb begins with --- */

static void nothing(void)
{
}

static void device(void)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	static const struct xensplit_pair pair = { "key", "value" };

	opts.domid = 5;
	opts.type = "mydevice";
	opts.front = opts.back = &pair;
	opts.front_count = opts.back_count = 1;
	assert_result(xensplit_attach(ctx, &opts, front ? 20000 : 0, NULL), 0);
}

static void two(void)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 1);

	device();
	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

/* The permissions are wrong, and the ends have not started. */
static void broken(void)
{
	device();
	put(BE, "", "n0");
	put(BE "/state", "1", "n0");
}

/* Made by a script, with the owners of an attach. */
static void foreign(void)
{
	device();
	assert_true(xs_rm(dom0, XBT_NULL, "/xensplit"));
}

/* Domain 6 had a device, and died; then there is a new one. */
static void stale(void)
{
	struct xensplit_attach_opts opts = device_opts(6, "mydevice", 0);

	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
	run("\"$SANDBOX\" kill 6 && \"$SANDBOX\" create 6 --name g6");
}

static void write_list(const char *device)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/domains", getenv("XENSPLIT_SANDBOX"));
	mkdir(path, 0700);
	strcat(path, "/g5.cfg");
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "name = \"g5\"\nxensplit = [ %s ]\n", device);
	fclose(file);
}

static void listed(void)
{
	write_list("\"mydevice/0,wait=no\"");
}

static void listed_with_drivers(void)
{
	write_list("\"mydevice/0\"");
}

/* Another one than the list has. */
static void differing(void)
{
	device();
	listed();
}

/* It was attached for the list, which does not have it any more. */
static void unlisted(void)
{
	listed();
	assert_int_equal(tool("", SERVE " --once"), 0);
	write_list("");
}

const struct verb verbs[] = {
	{ "attach", "attach 5 -F key=value -B key=value --no-wait", nothing, ATTACHES, 0,
	  0 },
	{ "attach-auto", "attach 5 mydevice/auto --no-wait", nothing, ATTACHES, 0, 0 },
	{ "attach-wait", "attach 5 -t 3", nothing, ATTACHES, 0, WAITS | DRIVERS },
	{ "attach-rollback", "attach 5 --rollback -t 3", nothing, ATTACHES, 0,
	  WAITS | DRIVERS },
	{ "attach-replace", "attach 5 --replace --no-wait", device, ATTACHES, 0, 0 },
	{ "detach", "detach 5 -t 3", device, DETACHES, 0, WAITS | DRIVERS },
	{ "detach-force", "detach 5 --force -t 1", device, DETACHES, 0, WAITS },
	{ "detach-all", "detach 5 --all -t 1", two, DETACHES, 0, WAITS },
	{ "list", "list", device, READS, 0, 0 },
	{ "list-all", "list --all --json", foreign, READS, 0, 0 },
	{ "show", "show 5", device, READS, 0, 0 },
	{ "wait", "wait 5 -t 3", device, READS, 0, WAITS | DRIVERS },
	{ "watch", "watch --num-events 1 --idle-timeout 3", device, READS, 0, WAITS },
	{ "doctor", "doctor", device, READS, 1, 0 },
	{ "doctor-fix", "doctor 5 --fix -t 1", broken, FIXES, 1, WAITS },
	{ "adopt", "adopt 5", foreign, ADOPTS, 0, 0 },
	{ "reap", "reap", stale, REAPS, 0, 0 },
	{ "apply", "apply $XENSPLIT_SANDBOX/domains/g5.cfg --no-wait", listed, ATTACHES,
	  0, 0 },
	{ "serve", SERVE, listed, KEEPS, 0, STAYS },
	{ "serve-once", SERVE " --once", listed, KEEPS, 0, 0 },
	{ "serve-wait", SERVE " --once -t 3", listed_with_drivers, KEEPS, 0,
	  WAITS | DRIVERS },
	{ "serve-replace", SERVE " --once --replace", differing, RENEWS, 0, WAITS },
	{ "serve-prune", SERVE " --once --prune", unlisted, DETACHES, 0, WAITS },
};
const size_t verb_count = ARRAY_SIZE(verbs);

bool verb_is_selected(const struct verb *verb)
{
	const char *name = getenv("FAULTS_VERB");

	return !name || !*name || !strcmp(name, verb->name);
}

void verb_begin(const struct verb *verb)
{
	if (!(verb->flags & DRIVERS))
		return;
	back = drive("back 0 mydevice");
	front = drive("front 5 mydevice");
}

void verb_end(void)
{
	if (front)
		driver_kill(front);
	if (back)
		driver_kill(back);
	front = back = NULL;
}

static void clear(void)
{
	static const char *const tops[] = { "/xensplit",
					    "/local/domain/5/xensplit",
					    "/local/domain/5/device/mydevice/0",
					    "/local/domain/5/device/mydevice",
					    "/local/domain/0/backend/mydevice/5/0",
					    "/local/domain/0/backend/mydevice",
					    "/local/domain/0/error",
					    "/local/domain/5/error/device" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tops); i++)
		xs_rm(dom0, XBT_NULL, tops[i]);
	/* A driver that has not seen it go mistakes the next one for it. */
	if (front)
		driver_catch_up(front);
	if (back)
		driver_catch_up(back);
}

void verb_prepare(const struct verb *verb)
{
	clear();
	unlink(tool_said_path());
	free((char *)before);
	verb->prepare();
	before = verb->effect == READS ? strdup(dump()) : NULL;
	forget_dumps();
}

/* --- what is left --- */

static const char *const parts[] = {
	REC,	      FE "/backend",  FE "/backend-id",
	FE "/state",  BE "/frontend", BE "/frontend-id",
	BE "/online", BE "/state",
};

static bool is_interrupted(void)
{
	return exists(REC) && record_field(REC, "phase");
}

/* 1 if all of the device is there, 0 if nothing, -1 if half. */
static int wholeness(void)
{
	size_t i, there = 0;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		there += exists(parts[i]);
	if (there == ARRAY_SIZE(parts))
		return 1;
	return there || exists(FE) || exists(BE) ? -1 : 0;
}

static const char *wrong_is(const char *what)
{
	snprintf(problem, sizeof(problem), "%s; it said: %s", what, said);
	return problem;
}

/* Of the run itself. */
static const char *state_violation(const struct verb *verb, int status, bool undone)
{
	bool done = status == verb->status && !undone;
	int whole = wholeness();

	switch (verb->effect) {
	case READS:
		return strcmp(before, dump()) != 0 && !(verb->flags & DRIVERS)
			       ? "the store changed"
			       : NULL;
	case REAPS:
		return done && exists(REC_OF_6) ? "it is not reaped" : NULL;
	case ADOPTS:
		if (!exists(FE "/state") || !exists(BE "/state"))
			return "the device is gone";
		return done && !exists(REC) ? "it is not adopted" : NULL;
	default:
		break;
	}
	if (is_interrupted())
		return done && verb->effect != DETACHES ? "a phase is left" : NULL;
	if (done && verb->effect == RENEWS && exists(FE "/key"))
		return "it is not renewed";
	if (whole < 0)
		return "half a device";
	if (done && whole != (verb->effect != DETACHES))
		return whole ? "it is still there" : "it is not there";
	return NULL;
}

/* After a store that lied, what the message says: false if there is no such message. */
static bool set_right(const struct verb *verb, int status)
{
	/* It asked a backend to close that has no driver. */
	if (status == 6 && verb->effect == DETACHES)
		return !tool("", "detach 5 --force --all -t 1");
	/* Likewise; the backend has ten seconds to close. */
	if (status == 6 && verb->effect == RENEWS)
		return !tool("", SERVE " --once --replace -t 30");
	/* The record has the wrong mark of the domain, or had it, and is reaped. */
	if (status == 5 && strstr(said, "a domain that is gone"))
		return !tool("", "reap");
	if (verb->effect == KEEPS && strstr(said, "xensplit did not make it"))
		return !tool("", "attach 5 --replace --no-wait");
	return false;
}

/* The verb again, or what finishes what it began. */
static const char *next_violation(const struct verb *verb, bool lied_to)
{
	const char *next = verb->effect == ATTACHES ? "attach 5 --replace --no-wait"
			   : verb->effect == KEEPS  ? SERVE " --once"
			   : verb->effect == FIXES  ? "doctor 5 --fix -t 5"
						    : verb->arguments;
	int status = tool("", next);

	if (status != verb->status && lied_to && set_right(verb, status))
		status = tool("", next);
	if (verb->effect == DETACHES && status == 3)
		status = 0;
	if (verb->effect == ADOPTS && status == 5)
		status = 0;
	if (status != verb->status)
		return "the next run fails";
	return state_violation(verb, status, false);
}

static const char *said_violation(int status)
{
	if (strstr(said, "Sanitizer") || strstr(said, "runtime error"))
		return "a sanitizer";
	if (status > 0 && status < 128 && strncmp(said, "xensplit: ", 10) != 0)
		return "no message";
	return NULL;
}

const char *verb_violation(const struct verb *verb, int status, bool undone, bool lied_to)
{
	const char *what = status == 1 && verb->status == 1 ? NULL
							    : said_violation(status);
	char *text;

	if (!what)
		what = state_violation(verb, status, undone);
	if (what)
		return wrong_is(what);
	text = strdup(said);
	what = next_violation(verb, lied_to);
	if (what)
		snprintf(problem, sizeof(problem), "%s; it said: %s, and before: %s",
			 what, said, text);
	free(text);
	forget_dumps();
	return what ? problem : NULL;
}
