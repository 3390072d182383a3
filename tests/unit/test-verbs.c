// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the verbs say when a request is refused, or when the library has no memory: the whole tool on
 * a store in memory, a process for each run.
 */
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/exit-status.h"
#include "../../src/serve-write.h"
#include "unit.h"

#define FE	    "/local/domain/5/device/mydevice/0"
#define BE	    "/local/domain/0/backend/mydevice/5/0"

#define WORDS_MOST  12
#define POINTS_MOST 2000

int tool_main(int argc, char **argv);

/* No real Xen: it would be asked about the domains. */
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
	if (!strstr(path, "/privcmd"))
		return __real_access(path, mode);
	errno = ENOENT;
	return -1;
}

/* --- a run --- */

static char folder[] = "/tmp/xensplit-XXXXXX";

struct run {
	int status;
	bool failed; /* the request, or the allocation */
	unsigned int open_transactions;
	char out[16384], err[4096];
	char store[131072];
};

static int split(char *line, char **words)
{
	int count = 0;

	for (char *word; (word = strsep(&line, " "));) {
		assert_true(count < WORDS_MOST);
		words[count++] = word;
	}
	words[count] = NULL;
	return count;
}

/* What the tool prints, and what is in the store then. */
static FILE *files[3];

static void tell_store(void)
{
	char *store = fake_dump();

	fprintf(files[2], "%d %u\n%s", fake.failed || memory.failed,
		fake.open_transactions, store);
	fflush(files[2]);
	free(store);
}

static void __attribute__((noreturn)) be_tool(const char *command)
{
	char line[200], *words[WORDS_MOST + 1];

	snprintf(line, sizeof(line), "xensplit %s", command);
	for (size_t i = 0; i < 3; i++)
		fcntl(fileno(files[i]), F_SETFL, O_APPEND);
	dup2(fileno(files[0]), STDOUT_FILENO);
	dup2(fileno(files[1]), STDERR_FILENO);
	if (chdir(folder))
		abort();
	atexit(tell_store);
	exit(tool_main(split(line, words), words));
}

static void read_all(FILE *file, char *text, size_t size)
{
	ssize_t len = pread(fileno(file), text, size - 1, 0);

	assert_true(len >= 0);
	text[len] = '\0';
}

static void run_tool(const char *command, struct run *run)
{
	int status, failed = 0, len = 0;
	pid_t pid;

	fflush(stdout);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ftruncate(fileno(files[i]), 0), 0);
	pid = fork();
	if (!pid)
		be_tool(command);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	read_all(files[0], run->out, sizeof(run->out));
	read_all(files[1], run->err, sizeof(run->err));
	read_all(files[2], run->store, sizeof(run->store));
	if (!WIFEXITED(status))
		wrong("%s: killed by signal %d\n%s\n", command, WTERMSIG(status),
		      run->err);
	run->status = WEXITSTATUS(status);
	if (sscanf(run->store, "%d %u\n%n", &failed, &run->open_transactions, &len) != 2)
		wrong("%s: it ended too early\n%s\n", command, run->err);
	memmove(run->store, run->store + len, strlen(run->store + len) + 1);
	run->failed = failed;
}

/* --- what they begin with --- */

static void nothing(struct xensplit_ctx *ctx)
{
	(void)ctx;
}

static void attach(struct xensplit_ctx *ctx, uint32_t devid)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	opts.domid = 5;
	opts.type = "mydevice";
	opts.devid = devid;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

static void connected(struct xensplit_ctx *ctx)
{
	attach(ctx, 0);
	fake_set(FE "/state", "4", 1);
	fake_set(BE "/state", "4", 1);
}

static void two(struct xensplit_ctx *ctx)
{
	connected(ctx);
	attach(ctx, 1);
}

static void damaged(struct xensplit_ctx *ctx)
{
	two(ctx);
	assert_true(xs_rm(ctx->xs, XBT_NULL, BE "/online"));
	assert_true(
		xs_rm(ctx->xs, XBT_NULL, "/local/domain/0/backend/mydevice/5/1/online"));
}

static void dead(struct xensplit_ctx *ctx)
{
	two(ctx);
	assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/5"));
}

/* --- each verb --- */

static const struct row {
	const char *command;
	void (*prepare)(struct xensplit_ctx *ctx);
	int status;   /* without a failure */
	bool reads;   /* and never writes */
	bool by_name; /* a domain whose name it may not read is none that a file names */
} rows[] = {
	{ "attach 5 --no-wait", nothing, 0, false, false },
	{ "attach 5 -q --json --no-wait", nothing, 0, false, false },
	{ "attach 5 mydevice/auto --dry-run", connected, 0, true, false },
	{ "attach 5 --replace --no-keep-keys --no-wait", connected, 0, false, false },
	{ "detach 5 --force -t 0", two, 0, false, false },
	{ "detach 5 --dry-run", connected, 0, true, false },
	{ "detach 5 --all --force -t 0", two, 0, false, false },
	{ "detach 5 --all --dry-run", two, 0, true, false },
	{ "detach 6 --all", two, 0, true, false },
	{ "list", two, 0, true, false },
	{ "show 5 --json", connected, 0, true, false },
	{ "wait 5 -t 0", connected, 0, true, false },
	{ "wait 5 --wait-domain -t 1", nothing, EXIT_DEADLINE, true, false },
	{ "wait 5 --wait-domain --until closed -t 0", connected, EXIT_DEADLINE, true,
	  false },
	{ "wait 5 mydevice/1 -t 0 -q --json", two, EXIT_DEADLINE, true, false },
	{ "watch --num-events 1", connected, 0, true, false },
	{ "doctor", two, 1, true, false },
	{ "doctor 5 --fix -t 0 -q", damaged, 1, false, false },
	{ "doctor 5 mydevice/1 --fix -t 0 --json", damaged, 1, false, false },
	{ "doctor --fix --dry-run", damaged, 0, true, false },
	{ "adopt 5", connected, EXIT_BUSY, true, false },
	{ "reap --json", dead, 0, false, false },
	{ "reap 5 --dry-run", dead, 0, true, false },
	{ "apply two.cfg --dry-run", connected, 0, true, false },
	{ "apply two.cfg --no-wait --json", connected, 0, false, false },
	{ "apply two.cfg -t 1", connected, EXIT_DEADLINE, false, false },
	{ "apply none.cfg --prune -t 1", two, 0, false, false },
	{ "apply other.cfg --replace --no-wait", connected, 0, false, false },
	{ "serve files --once -t 1 --status-file status", connected, EXIT_DEADLINE, false,
	  true },
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static unsigned int violations;

#define violation(...)                    \
	do {                              \
		print_error(__VA_ARGS__); \
		violations++;             \
	} while (0)

/* --- what they print --- */

/* A guest that writes what it likes, and a device with keys. */
static void strange(struct xensplit_ctx *ctx)
{
	static const struct xensplit_pair front = { "a", "b\nc" }, back = { "k", "v" };
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	set("/local/domain/5/name", "g\n5");
	opts.domid = 5;
	opts.type = "mydevice";
	opts.front = &front;
	opts.front_count = 1;
	opts.back = &back;
	opts.back_count = 1;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	set(FE "/state", "4294967300");
	fake_set(BE "/state", "4\0", 2);
	fake_set(FE "/e\tvil", "\"\\\x1b\0", 4);
}

/* Of another tool, with drivers that have connected. */
static void foreign(struct xensplit_ctx *ctx)
{
	connected(ctx);
	assert_true(xs_rm(ctx->xs, XBT_NULL, "/xensplit"));
}

static void overtaken(struct xensplit_ctx *ctx)
{
	two(ctx);
}

/* Another client detaches the first device once all have been listed. */
static void detach_it(const char *call, const char *path)
{
	struct xs_handle *any = (struct xs_handle *)&fake;

	(void)path;
	if (strcmp(call, "transaction-start") != 0)
		return;
	fake.before = NULL;
	assert_true(xs_rm(any, XBT_NULL, FE));
	assert_true(xs_rm(any, XBT_NULL, BE));
	assert_true(xs_rm(any, XBT_NULL, "/xensplit/5/mydevice/0"));
}

#define NO_DRIVER                                                                       \
	"  why: no backend driver has taken the device, and the frontend driver waits " \
	"for it\n"                                                                      \
	"  try: in dom0: modprobe xen-backend:mydevice\n"
#define NOT_CLOSED                                                                      \
	"not closed after * s (frontend Connected, backend Closing)\n"                  \
	"  why: the frontend driver does not follow the backend's Closing; the device " \
	"may "                                                                          \
	"be in use in the guest\n"                                                      \
	"  try: xensplit detach 5 mydevice/0 --force\n"

static const struct {
	const char *command;
	void (*prepare)(struct xensplit_ctx *ctx);
	int status;
	const char *out, *err; /* patterns, with ? for a bracket */
} said[] = {
	{ "show 5", strange, 0,
	  "PERMISSIONS NODE\n"
	  "n0          /xensplit/5/mydevice/0\n"
	  "              schema=1\n*"
	  "              created=* (20*)\n"
	  "              front.a=b\\\\x0ac\n"
	  "              back.k=v\n"
	  "n5,r0       /local/domain/5/device/mydevice/0\n*"
	  "n5,r0         a = \"b\\x0ac\"\n"
	  "n5,r0         state = \"4294967300\" (invalid)\n"
	  "n5,r0         e\\x09vil = \"\"\\\\\\x1b\\x00\"\n"
	  "n0,r5       /local/domain/0/backend/mydevice/5/0\n*"
	  "n0,r5         state = \"4\\x00\" (invalid)\n",
	  "" },
	{ "show 5 --json", strange, 0,
	  "{\"schema\":1,\"devices\":?{\"domid\":5,*\"keys\":{\"front\":{\"a\":"
	  "\"b\\\\x0ac\"},"
	  "\"back\":{\"k\":\"v\"}}}?,\"nodes\":?{\"path\":\"/xensplit/5/mydevice/0\",*"
	  "/state\",\"value\":\"4\\\\x00\",\"permissions\":\"n0,r5\"}?}\n",
	  "" },
	{ "show 5 --json", foreign, 0, "*\"origin\":\"foreign\"*\"keys\":null*", "" },
	{ "show 5", nothing, EXIT_NOT_FOUND, "",
	  "xensplit: show 5 mydevice/0: *\n  try: xensplit list 5 --all\n" },
	{ "list", strange, 0,
	  "DOMID DOMAIN DEVICE     BACKEND FRONTEND-STATE BACKEND-STATE STATUS\n"
	  "    5 g\\x0a5 mydevice/0       0 invalid        invalid       -\n",
	  "" },
	{ "list --raw -n -o domid,domain,status,listed,keys,backend", strange, 0,
	  "5 g\\x0a5 - - front:a=b\\x0ac\\x20back:k=v 0\n", "" },
	{ "list -o no\tcolumn", strange, EXIT_USAGE, "",
	  "xensplit: list: --output: unknown column 'no\\x09column': *" },
	{ "list --json", damaged, 0,
	  "*\"frontend_state\":\"Connected\",*\"online\":false,*\"damaged\":false,"
	  "\"phase\":null,*",
	  "" },
	{ "list -o status,device", dead, 0, "STATUS DEVICE\nstale  mydevice/0\n*", "" },
	{ "doctor", foreign, 0,
	  "mydevice/0 of domain 5: note: there is no /xensplit/5/mydevice/0 ?foreign?\n"
	  "    why: xensplit did not make the device, so it can't detach it\n"
	  "    fix: xensplit adopt 5 mydevice/0\n"
	  "nothing is wrong\n",
	  "" },
	{ "doctor --json", damaged, 1,
	  "{\"schema\":1,\"findings\":?{\"severity\":\"warning\",\"code\":\"online-"
	  "missing\","
	  "\"domid\":5,\"type\":\"mydevice\",\"devid\":0,*\"repairable\":true},"
	  "{\"severity\":\"error\",*\"repairable\":false},*\"repairable\":true}?}\n",
	  "" },
	{ "doctor 5 --fix -t 0", damaged, 1,
	  "write *5/0/online = \"1\" (n0,r5)\n*write *5/1/online = \"1\" (n0,r5)\n*"
	  "mydevice/1 of domain 5: error: frontend Initialising, backend Initialising "
	  "?no-backend-driver?\n    why: *\n    fix: in dom0: modprobe "
	  "xen-backend:mydevice\n",
	  "" },
	{ "doctor 6", two, 0, "nothing is wrong\n", "" },
	{ "doctor 9", two, EXIT_NOT_FOUND, "",
	  "xensplit: doctor 9: no such domain: 9\n  try: xl list\n" },
	{ "doctor 9 mydevice", two, EXIT_NOT_FOUND, "",
	  "xensplit: doctor 9 mydevice/0: no such device\n"
	  "  try: xensplit list 9 --all\n" },
	{ "doctor --dry-run", two, EXIT_USAGE, "",
	  "xensplit: doctor: --dry-run needs --fix\n" },
	{ "detach 5 --all --force -t 0 --json", two, 0, "*\"devid\":0,*\"devid\":1,*",
	  "xensplit: warning: *; removed anyway\n" },
	{ "detach 5 --all -t 0", two, EXIT_DEADLINE,
	  "mydevice/1 detached from g5 (domain 5) after *s\n",
	  "xensplit: detach 5 mydevice/0: " NOT_CLOSED },
	{ "detach 5 --all -t 1", overtaken, 0,
	  "mydevice/1 detached from g5 (domain 5) after *s\n", "" },
	{ "detach 5 -t 0 --json", connected, EXIT_DEADLINE,
	  "{\"schema\":1,\"devices\":??,\"error\":{\"code\":\"not-closed\",*\"states\":{"
	  "\"frontend\":\"Connected\",\"backend\":\"Closing\"},\"try\":*}}\n",
	  "xensplit: detach 5 mydevice/0: " NOT_CLOSED },
	{ "detach 5 --dry-run", connected, 0,
	  "write *5/0/state = \"5\" (n0,r5)\nwrite *5/0/online = \"0\" (n0,r5)\n"
	  "remove " FE "\n*remove /xensplit/5/mydevice/0\n*",
	  "" },
	{ "detach 9 --all", two, EXIT_NOT_FOUND, "",
	  "xensplit: detach 9: no such domain: 9\n  try: xl list\n" },
	{ "detach 5 mydevice --all", two, EXIT_USAGE, "",
	  "xensplit: detach: --all and TYPE exclude each other\n" },
	{ "attach 5 mydevice/auto --no-wait", connected, 0,
	  "mydevice/1 attached to g5 (domain 5), not waiting for the drivers\n", "" },
	{ "attach 5 --no-wait", connected, EXIT_BUSY, "",
	  "xensplit: attach 5 mydevice/0: already attached (frontend Connected, backend "
	  "Connected)\n  try: TYPE/auto for a further device, or --replace for this "
	  "one\n" },
	{ "attach 5 --no-wait", foreign, EXIT_BUSY, "",
	  "xensplit: attach 5 mydevice/0: *\n  try: add --replace, which removes it "
	  "first\n" },
	{ "attach 5 --ensure", connected, 0,
	  "mydevice/0 of g5 (domain 5) is attached already, connected\n", "" },
	{ "attach 5 --ensure -F a=b -n", connected, EXIT_BUSY, "",
	  "xensplit: *: already attached, but differs: front.a is missing\n"
	  "  try: xensplit attach --replace 5 --ensure -F a=b -n\n" },
	{ "attach 5 mydevice/auto --ensure", connected, EXIT_USAGE, "",
	  "xensplit: attach: --ensure needs a DEVID: auto is a new device each time\n" },
	{ "attach 5 g6 -n", nothing, EXIT_USAGE, "",
	  "xensplit: attach 5: 'g6' is a domain, not a device type\n"
	  "  try: --backend=g6, if its backend is there\n" },
	{ "attach 5 g6/1 --no-wait", nothing, 0, "g6/1 attached to g5 (domain 5), *",
	  "" },
	{ "attach 5 a,b -n", nothing, EXIT_USAGE, "", "xensplit: attach 5 a,b/0: *" },
	{ "attach 5 -t 0.1", nothing, EXIT_DEADLINE, "",
	  "xensplit: attach 5 mydevice/0: not connected after * s (frontend "
	  "Initialising, "
	  "backend Initialising)\n" NO_DRIVER "  note: no TYPE was given, so it is the "
	  "default; XENSPLIT_TYPE sets another\n" },
	{ "attach 5 mydevice -t 0.1 --rollback --json", nothing, EXIT_DEADLINE,
	  "{\"schema\":1,\"devices\":??,\"changed\":false,\"error\":*}\n",
	  "xensplit: attach 5 mydevice/0: *; it was removed again\n" NO_DRIVER },
	{ "attach 5 -n --backend-type=other", nothing, 0,
	  "*write /local/domain/0/backend/other/5/0/state = \"1\" (n0,r5)\n*", "" },
	{ "apply two.cfg --dry-run", connected, 0,
	  "keep mydevice/0 of g5 (domain 5)\nattach mydevice/2 to g5 (domain 5)\n", "" },
	{ "apply two.cfg --no-wait --json", connected, 0,
	  "{\"schema\":1,\"changed\":true,\"devices\":?*\"frontend_state\":\"Connected\","
	  "\"backend_state\":\"Connected\",\"action\":\"keep\",\"changed\":false,"
	  "\"reason\":null,\"file\":\"two.cfg\",\"line\":2,\"error\":null},*\"devid\":2,"
	  "\"backend_domid\":0,\"frontend_state\":\"Initialising\",\"backend_state\":"
	  "\"Initialising\",\"action\":\"attach\",\"changed\":true,*}\n",
	  "" },
	{ "apply two.cfg -t 0.1", connected, EXIT_DEADLINE, "",
	  "xensplit: apply g5 mydevice/2: two.cfg:2: not connected after * s (frontend "
	  "Initialising, backend Initialising)\n" NO_DRIVER },
	{ "apply other.cfg --json", connected, EXIT_BUSY,
	  "*\"action\":\"refuse\",\"changed\":false,\"reason\":null,\"file\":\"other."
	  "cfg\","
	  "\"line\":2,\"error\":{\"code\":\"differs\",\"message\":\"already attached, "
	  "but "
	  "differs: front.a is missing\"}}?,\"error\":{*}}\n",
	  "xensplit: apply g5 mydevice/0: other.cfg:2: already attached, but differs: "
	  "front.a is missing\n  try: add --replace, which makes it again as the file "
	  "says\n" },
	{ "apply none.cfg", connected, 0, "nothing to do: 0 devices as wanted\n", "" },
	{ "apply two.cfg none.cfg", two, EXIT_USAGE, "",
	  "xensplit: apply: none.cfg:1: the same domain as in: two.cfg\n" },
	{ "reap --json", dead, 0,
	  "{\"schema\":1,\"devices\":?{\"domid\":5,\"domain\":null,\"type\":\"mydevice\","
	  "\"devid\":0,\"backend_domid\":0,\"removed\":true,\"error\":null},{*\"devid\":"
	  "1,*}?}\n",
	  "" },
	{ "watch --num-events 1", strange, 0,
	  "??:??:??.??? mydevice/0 of domain 5: appeared invalid/invalid\n", "" },
	{ "watch --num-events 1 --json", strange, 0,
	  "{\"schema\":1,\"event\":\"appeared\",\"time\":*,\"from\":null,\"to\":null,"
	  "\"frontend_state\":\"invalid\",\"backend_state\":\"invalid\",*}\n",
	  "" },
	{ "watch --banner --idle-timeout 0.1", nothing, EXIT_DEADLINE, "watching\n",
	  "xensplit: watch: nothing happened for 0.1 s\n" },
	{ "watch --wait-domain", nothing, EXIT_USAGE, "",
	  "xensplit: watch: --wait-domain needs a DOMAIN\n" },
	{ "watch 7 --idle-timeout 0.1", nothing, EXIT_DEADLINE, "",
	  "xensplit: watch 7: nothing happened for 0.1 s\n" },
	{ "list --no\tsuch", nothing, EXIT_USAGE, "",
	  "xensplit: list: unrecognized option '--no\\x09such'\n*" },
	{ "list -\t", nothing, EXIT_USAGE, "",
	  "xensplit: list: invalid option -- '\\x09'\n*" },
	{ "attach 5 --re", nothing, EXIT_USAGE, "",
	  "xensplit: attach: option '--re' is ambiguous\n*" },
	{ "attach 5 -F a\tb", nothing, EXIT_USAGE, "",
	  "xensplit: attach: --front 'a\\x09b': use KEY=VALUE\n*" },
	{ "-q 5 list", nothing, EXIT_USAGE, "", "xensplit: *5*" },
	{ "attach -t 0.0001 5 -n", nothing, 0, "write *", "" },
	{ "serve --status --status-file none", nothing, EXIT_NOT_FOUND, "",
	  "xensplit: serve: serve is not running\n" },
	{ "serve --status --status-file status-good", nothing, 0,
	  "serve runs since * as process 7, connected to xenstored\n"
	  "1 file in /d, last read *\n",
	  "" },
	{ "serve --status --status-file status-failed", nothing, 1,
	  "serve runs since * as process 7, without a connection to xenstored\n"
	  "2 files in /d, last read *\nb.cfg: it has no name\n"
	  "DOMAIN DOMID DEVICE *\ng5         5 mydevice/auto * failed no memory\n",
	  "" },
	{ "serve --status --json --status-file status-failed", nothing, 1,
	  "{\"schema\":1,*}\n", "" },
	{ "serve --status --status-file status-bad", nothing, EXIT_FAILURE, "",
	  "xensplit: serve: the status file is damaged\n" },
	{ "serve --status --status-file status-old", nothing, EXIT_FAILURE, "*process 7*",
	  "xensplit: serve: serve has not written its status for * s\n" },
	{ "serve --status --status-file status-\tgone", nothing, EXIT_FAILURE, "",
	  "xensplit: serve: serve is running, but there is no status-\\x09gone\n" },
};

static bool is_like(const char *pattern, const char *text)
{
	return !fnmatch(pattern, text, FNM_NOESCAPE);
}

static void what_they_print(void **state)
{
	static struct run run;

	(void)state;
	violations = 0;
	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		struct xensplit_ctx *ctx;

		fake_reset();
		ctx = unit_ctx();
		said[i].prepare(ctx);
		unit_ctx_free(ctx);
		fake_calm();
		fake.before = said[i].prepare == overtaken ? detach_it : NULL;
		memory = (struct memory){ 0 };
		run_tool(said[i].command, &run);
		if (run.status != said[i].status || !is_like(said[i].out, run.out) ||
		    !is_like(said[i].err, run.err))
			violation("%s: exit %d\n%s%s\n", said[i].command, run.status,
				  run.out, run.err);
	}
	assert_int_equal(violations, 0);
}

/* --- failures --- */

/* What goes wrong at the point @at: a request or an allocation. */
struct fault {
	const char *what;
	int request_errno; /* 0: an allocation */
	bool from_there_on;
	unsigned int step; /* from one point to the next: they are many */
};

static void run_row(const struct row *row, const struct fault *fault, unsigned int at,
		    struct run *run)
{
	struct xensplit_ctx *ctx;
	char *before;

	fake.fail_at = memory.fail_at = 0;
	fake_reset();
	ctx = unit_ctx();
	row->prepare(ctx);
	unit_ctx_free(ctx);
	fake_calm();
	before = fake_dump();
	memory = (struct memory){ 0 };
	if (fault && fault->request_errno) {
		fake.fail_at = at;
		fake.fail_errno = fault->request_errno;
		fake.fail_from_there_on = fault->from_there_on;
	} else if (fault) {
		memory.fail_at = at;
		memory.from_there_on = fault->from_there_on;
	}
	run_tool(row->command, run);
	if (run->open_transactions)
		violation("%s, %s at %u: a transaction is open\n", row->command,
			  fault->what, at);
	if (row->reads && strcmp(before, run->store) != 0)
		violation("%s, %s at %u: the store has changed\n", row->command,
			  fault->what, at);
	free(before);
}

/* "xensplit: VERB...: TEXT", and with --json one object that has an error, too. */
static bool says_so(const struct row *row, const struct run *run)
{
	char begin[40];
	size_t len = (size_t)snprintf(begin, sizeof(begin), "xensplit: %.*s",
				      (int)strcspn(row->command, " "), row->command);

	if (strncmp(run->err, begin, len) != 0 && !strstr(run->err, "\nxensplit: "))
		return false;
	return !strstr(row->command, "--json") ||
	       (*run->out == '{' && strchr(run->out, '\n') == strrchr(run->out, '\n') &&
		strstr(run->out, "\"error\":{\"code\":"));
}

static unsigned int fail_at_each(const struct row *row, const struct fault *fault)
{
	static struct run run;
	unsigned int at, points = 0;

	for (at = 1;; at += fault->step) {
		assert_true(at < POINTS_MOST);
		run_row(row, fault, at, &run);
		if (run.status != row->status &&
		    !(row->by_name && fault->request_errno == EACCES) &&
		    (!run.status || !says_so(row, &run)))
			violation("%s, %s at %u: exit %d\n%s\n%s\n", row->command,
				  fault->what, at, run.status, run.out, run.err);
		if (!run.failed)
			break;
		points++;
	}
	return points;
}

static void fail_all(const struct fault *fault)
{
	unsigned int all = 0, points;

	violations = 0;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		points = fail_at_each(&rows[i], fault);
		print_message("# %-46s %4u\n", rows[i].command, points);
		all += points;
	}
	print_message("# %-46s %4u, %u violations\n", fault->what, all, violations);
	assert_true(all > 2 * ROW_COUNT);
	assert_int_equal(violations, 0);
}

static void without_a_failure(void **state)
{
	static struct run run;

	(void)state;
	violations = 0;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		run_row(&rows[i], NULL, 0, &run);
		if (run.status != rows[i].status)
			violation("%s: exit %d\n%s%s\n", rows[i].command, run.status,
				  run.out, run.err);
	}
	assert_int_equal(violations, 0);
}

static void a_request_is_refused(void **state)
{
	const struct fault fault = { "a refusal", EACCES, false, 2 };

	(void)state;
	fail_all(&fault);
}

static void xenstored_dies(void **state)
{
	const struct fault fault = { "a dead xenstored", EPIPE, true, 7 };

	(void)state;
	fail_all(&fault);
}

static void an_allocation_fails(void **state)
{
	const struct fault fault = { "no memory", 0, false, 1 };

	(void)state;
	fail_all(&fault);
}

/* --- */

static void write_file(const char *name, const char *text)
{
	char path[80];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* As a running serve leaves it. */
static void write_status(const char *name, const char *text)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(lock_take(path), 0);
	if (text)
		write_file(name, text);
}

static void write_all_status(void)
{
	static const struct timespec old[2] = { { 0 } };
	char path[80];

	write_status(
		"status-good",
		"{\"schema\":1,\"pid\":7,\"xenstored\":true,\"ok\":true,\"directory\":"
		"\"/d\",\"files\":[{\"path\":\"a.cfg\",\"error\":null}]}\n");
	write_status(
		"status-failed",
		"{\"schema\":1,\"pid\":7,\"xenstored\":false,\"ok\":false,\"directory\":"
		"\"/d\",\"files\":[{\"error\":null},{\"error\":\"b.cfg: it has no name\"}"
		"],\"devices\":[{\"domain\":\"g5\",\"domid\":5,\"type\":\"mydevice\","
		"\"devid\":null,\"backend_domid\":0,\"state\":\"failed\",\"error\":{"
		"\"message\":\"no memory\"}}]}\n");
	write_status("status-bad", "[]\n");
	write_status("status-\tgone", NULL);
	write_status("status-old", "{\"schema\":1,\"pid\":7,\"ok\":true}\n");
	snprintf(path, sizeof(path), "%s/status-old", folder);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
}

static int start(void **state)
{
	char path[80];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		files[i] = fdopen(memfd_create("output", MFD_CLOEXEC), "r+");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/files", folder);
	if (mkdir(path, 0700))
		return -1;
	write_file("two.cfg",
		   "name = \"g5\"\nxensplit = [ \"mydevice/0\", \"mydevice/2\" ]\n");
	write_file("none.cfg", "name = \"g5\"\nxensplit = []\n");
	write_file("other.cfg",
		   "name = \"g5\"\nxensplit = [ \"mydevice/0,front.a=b\" ]\n");
	write_file("files/g5.cfg",
		   "name = \"g5\"\nxensplit = [ \"mydevice/0\", \"mydevice/2\" ]\n");
	write_all_status();
	return 0;
}

static int stop(void **state)
{
	static const char *const names[] = { "two.cfg",
					     "none.cfg",
					     "other.cfg",
					     "files/g5.cfg",
					     "status.lock",
					     "files",
					     "status-good",
					     "status-good.lock",
					     "status-failed",
					     "status-failed.lock",
					     "status-bad",
					     "status-bad.lock",
					     "status-old",
					     "status-old.lock",
					     "status-\tgone.lock",
					     "" };
	char path[80];
	int err = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		err |= remove(path);
	}
	return err;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_they_print),
		cmocka_unit_test(without_a_failure),
		cmocka_unit_test(a_request_is_refused),
		cmocka_unit_test(xenstored_dies),
		cmocka_unit_test(an_allocation_fails),
	};

	return cmocka_run_group_tests_name("unit/verbs", tests, start, stop);
}
