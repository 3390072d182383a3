// SPDX-License-Identifier: GPL-2.0-or-later
/* See verbs.h. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verbs.h"

#define REC_OF_6 "/xensplit/6/mydevice/0"

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

static void configured(void)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/g5.cfg", getenv("XENSPLIT_SANDBOX"));
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("name = \"g5\"\nxensplit = [ \"mydevice/0\" ]\n", file);
	fclose(file);
}

const struct verb verbs[] = {
	{ "attach", "attach 5 -F key=value -B key=value --no-wait", nothing, ATTACHES, 0,
	  false, false },
	{ "attach-auto", "attach 5 mydevice/auto --no-wait", nothing, ATTACHES, 0, false,
	  false },
	{ "attach-wait", "attach 5 -t 3", nothing, ATTACHES, 0, true, true },
	{ "attach-rollback", "attach 5 --rollback -t 3", nothing, ATTACHES, 0, true,
	  true },
	{ "attach-replace", "attach 5 --replace --no-wait", device, ATTACHES, 0, false,
	  false },
	{ "detach", "detach 5 -t 3", device, DETACHES, 0, true, true },
	{ "detach-force", "detach 5 --force -t 1", device, DETACHES, 0, true, false },
	{ "detach-all", "detach 5 --all -t 1", two, DETACHES, 0, true, false },
	{ "list", "list", device, READS, 0, false, false },
	{ "list-all", "list --all --json", foreign, READS, 0, false, false },
	{ "show", "show 5", device, READS, 0, false, false },
	{ "wait", "wait 5 -t 3", device, READS, 0, true, true },
	{ "watch", "watch --num-events 1 --idle-timeout 3", device, READS, 0, true,
	  false },
	{ "doctor", "doctor", device, READS, 1, false, false },
	{ "doctor-fix", "doctor 5 --fix -t 1", broken, FIXES, 1, true, false },
	{ "adopt", "adopt 5", foreign, ADOPTS, 0, false, false },
	{ "reap", "reap", stale, REAPS, 0, false, false },
	{ "apply", "apply $XENSPLIT_SANDBOX/g5.cfg --no-wait", configured, ATTACHES, 0,
	  false, false },
};
const size_t verb_count = ARRAY_SIZE(verbs);

bool verb_is_selected(const struct verb *verb)
{
	const char *name = getenv("FAULTS_VERB");

	return !name || !*name || !strcmp(name, verb->name);
}

void verb_begin(const struct verb *verb)
{
	if (!verb->drivers)
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
static const char *state_violation(const struct verb *verb, int status, bool misled)
{
	bool done = status == verb->status && !misled;
	int whole = wholeness();

	switch (verb->effect) {
	case READS:
		return strcmp(before, dump()) != 0 && !verb->drivers ? "the store changed"
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
	if (whole < 0)
		return "half a device";
	if (done && whole != (verb->effect != DETACHES))
		return whole ? "it is still there" : "it is not there";
	return NULL;
}

/* The verb again, or what finishes what it began. */
static const char *next_violation(const struct verb *verb, bool misled)
{
	const char *next = verb->effect == ATTACHES ? "attach 5 --replace --no-wait"
			   : verb->effect == FIXES  ? "doctor 5 --fix -t 5"
						    : verb->arguments;
	int status = tool("", next);

	/* The record has the wrong mark of the domain. */
	if (misled && status == 5 && strstr(said, "a domain that is gone")) {
		tool("", "reap");
		status = tool("", next);
	}
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

const char *verb_violation(const struct verb *verb, int status, bool misled)
{
	const char *what = status == 1 && verb->status == 1 ? NULL
							    : said_violation(status);
	char *text;

	if (!what)
		what = state_violation(verb, status, misled);
	if (what)
		return wrong_is(what);
	text = strdup(said);
	what = next_violation(verb, misled);
	if (what)
		snprintf(problem, sizeof(problem), "%s; it said: %s, and before: %s",
			 what, said, text);
	free(text);
	forget_dumps();
	return what ? problem : NULL;
}
