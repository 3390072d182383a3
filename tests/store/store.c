// SPDX-License-Identifier: GPL-2.0-or-later
/* See store.h. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store.h"

extern char **environ;

struct driver {
	pid_t pid;
	int out;
	char text[16384]; /* all its output */
	size_t len;
};

struct xensplit_ctx *ctx;
struct xs_handle *dom0;
const struct xensplit_id mydevice = { 5, "mydevice", 0 };

static struct xs_handle *guests[8];
static struct driver *drivers[8];
static void *garbage[512]; /* freed at the end of the test */

static void *keep(void *block)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(garbage); i++)
		if (!garbage[i])
			return garbage[i] = block;
	wrong("too much to keep\n");
	return NULL;
}

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* --- processes --- */

static pid_t spawn(const char *command, int out)
{
	char *argv[] = { "/bin/bash", "-c", (char *)command, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	assert_int_equal(posix_spawn(&pid, argv[0], &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void run(const char *format, ...)
{
	char command[1024];
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	status = status_of(spawn(command, -1));
	if (status)
		wrong("%s: exit status %d\n", command, status);
}

/* --- drivers --- */

/* Reads output until @part appears. */
static bool read_until(struct driver *driver, const char *part)
{
	uint64_t deadline = now_ms() + 10000;

	while (!strstr(driver->text, part)) {
		struct pollfd fd = { driver->out, POLLIN, 0 };
		uint64_t now = now_ms();
		ssize_t got;

		if (now >= deadline)
			return false;
		if (poll(&fd, 1, (int)(deadline - now)) < 0 && errno == EINTR)
			continue;
		if (!fd.revents)
			return false;
		got = read(driver->out, driver->text + driver->len,
			   sizeof(driver->text) - driver->len - 1);
		if (got <= 0)
			return false;
		driver->len += (size_t)got;
		driver->text[driver->len] = '\0';
	}
	return true;
}

bool driver_says(struct driver *driver, const char *part)
{
	return read_until(driver, part);
}

void driver_forget(struct driver *driver)
{
	driver->len = 0;
	driver->text[0] = '\0';
}

void driver_catch_up(struct driver *driver)
{
	driver_forget(driver);
	kill(driver->pid, SIGUSR1);
	if (!read_until(driver, "caught up"))
		wrong("a driver does not answer\n");
}

struct driver *drive(const char *format, ...)
{
	struct driver *driver = keep(calloc(1, sizeof(*driver)));
	char args[512], command[640];
	int out[2];
	va_list list;
	size_t i;

	va_start(list, format);
	vsnprintf(args, sizeof(args), format, list);
	va_end(list);
	snprintf(command, sizeof(command), "exec \"$SANDBOX\" drive %s", args);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	driver->pid = spawn(command, out[1]);
	driver->out = out[0];
	close(out[1]);
	for (i = 0; drivers[i]; i++)
		assert_true(i + 1 < ARRAY_SIZE(drivers));
	drivers[i] = driver;
	if (!read_until(driver, "ready\n"))
		wrong("the driver does not start: %s\n", args);
	return driver;
}

static void driver_end(struct driver *driver, int sig)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(drivers); i++)
		if (drivers[i] == driver)
			drivers[i] = NULL;
	kill(driver->pid, sig);
	status_of(driver->pid);
	close(driver->out);
}

void driver_unload(struct driver *driver)
{
	driver_end(driver, SIGTERM);
}

void driver_kill(struct driver *driver)
{
	driver_end(driver, SIGKILL);
}

void drive_both(void)
{
	drive("back 0 mydevice");
	drive("front 5 mydevice");
}

/* --- logging --- */

char logged[65536];

static void take_message(struct xentoollog_logger *l, xentoollog_level level,
			 int errnoval, const char *context, const char *format,
			 va_list args)
{
	size_t used = strlen(logged);

	(void)l;
	(void)errnoval;
	used += (size_t)snprintf(logged + used, sizeof(logged) - used,
				 "%s: %s: ", context, xtl_level_to_string(level));
	if (used < sizeof(logged))
		used += (size_t)vsnprintf(logged + used, sizeof(logged) - used, format,
					  args);
	if (used < sizeof(logged))
		snprintf(logged + used, sizeof(logged) - used, "\n");
	errno = ERANGE; /* a logger may do that; the library must cope */
}

static void end_logger(struct xentoollog_logger *l)
{
	(void)l;
}

static struct xentoollog_logger collector = { .vmessage = take_message,
					      .destroy = end_logger };
struct xentoollog_logger *logger = &collector;

/* --- signals --- */

static void interrupt(int signo)
{
	(void)signo;
}

/*
 * With STORE_TIMER_US, a signal interrupts the test so often, as the runtimes of Go and OCaml do.
 * A child does not inherit the timer.
 */
static void set_timer(bool on)
{
	const char *text = getenv("STORE_TIMER_US");
	struct sigaction action = { .sa_handler = interrupt };
	struct itimerval timer = { 0 };

	if (!text)
		return;
	timer.it_interval.tv_usec = timer.it_value.tv_usec = on ? atoi(text) : 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* --- the world --- */

struct xensplit_ctx *new_ctx(struct xensplit_opts *opts)
{
	XENSPLIT_OPTS(xensplit_opts, defaults);
	struct xensplit_ctx *new;

	if (!opts)
		opts = &defaults;
	opts->logger = logger;
	assert_int_equal(xensplit_new(opts, &new), 0);
	return new;
}

int world_begin(void **state)
{
	static const char *const leftovers[] = { "/xensplit", "/local/domain/0/backend",
						 "/local/domain/0/error" };
	size_t i;

	(void)state;
	logged[0] = '\0';
	run("for d in 5 6; do "
	    "if [ -e \"$XENSPLIT_SANDBOX/dom$d.sock\" ]; then \"$SANDBOX\" kill $d; fi; "
	    "\"$SANDBOX\" create $d --name g$d --uuid "
	    "00000000-0000-4000-8000-00000000000$d "
	    "|| exit; done");
	dom0 = xs_open(0);
	assert_non_null(dom0);
	for (i = 0; i < ARRAY_SIZE(leftovers); i++)
		xs_rm(dom0, XBT_NULL, leftovers[i]);
	ctx = new_ctx(NULL);
	set_timer(true);
	return 0;
}

int world_end(void **state)
{
	size_t i;

	(void)state;
	set_timer(false);
	for (i = 0; i < ARRAY_SIZE(drivers); i++)
		if (drivers[i])
			driver_kill(drivers[i]);
	ctx = xensplit_free(ctx);
	for (i = 0; i < ARRAY_SIZE(guests); i++) {
		xs_close(guests[i]);
		guests[i] = NULL;
	}
	xs_close(dom0);
	for (i = 0; i < ARRAY_SIZE(garbage); i++) {
		free(garbage[i]);
		garbage[i] = NULL;
	}
	return 0;
}

struct xs_handle *as_domain(unsigned int domid)
{
	char *usual = strdup(getenv("XENSTORED_PATH")), path[256];
	struct xs_handle *xs;
	size_t i;

	snprintf(path, sizeof(path), "%s/dom%u.sock", getenv("XENSPLIT_SANDBOX"), domid);
	setenv("XENSTORED_PATH", path, 1);
	xs = xs_open(0);
	setenv("XENSTORED_PATH", usual, 1);
	free(usual);
	assert_non_null(xs);
	for (i = 0; guests[i]; i++)
		assert_true(i + 1 < ARRAY_SIZE(guests));
	return guests[i] = xs;
}

/* --- nodes --- */

static unsigned int parse_perms(const char *text, struct xs_permissions *perms)
{
	unsigned int count = 0, id;
	char letter;
	int used;

	while (sscanf(text, "%c%u%n", &letter, &id, &used) == 2) {
		perms[count].id = id;
		perms[count].perms = letter == 'r'   ? XS_PERM_READ
				     : letter == 'w' ? XS_PERM_WRITE
				     : letter == 'b' ? XS_PERM_READ | XS_PERM_WRITE
						     : XS_PERM_NONE;
		count++;
		text += used;
		text += *text == ',';
	}
	assert_true(count && !*text);
	return count;
}

void put_bytes(const char *path, const char *value, size_t len, const char *perms)
{
	struct xs_permissions list[8];

	if (!xs_write(dom0, XBT_NULL, path, value, (unsigned int)len))
		wrong("%s: %s\n", path, strerror(errno));
	if (perms &&
	    !xs_set_permissions(dom0, XBT_NULL, path, list, parse_perms(perms, list)))
		wrong("%s: %s: %s\n", path, perms, strerror(errno));
}

void put(const char *path, const char *value, const char *perms)
{
	put_bytes(path, value, strlen(value), perms);
}

bool exists(const char *path)
{
	char *value = xs_read(dom0, XBT_NULL, path, NULL);

	free(value);
	return value != NULL;
}

void assert_gone(const char *path)
{
	if (exists(path))
		wrong("%s is there\n", path);
}

void assert_no_device(void)
{
	assert_gone("/xensplit");
	assert_gone("/local/domain/5/device/mydevice");
	assert_gone("/local/domain/0/backend");
	assert_gone("/local/domain/0/error");
	assert_gone("/local/domain/5/error/device");
}

static void print_node(FILE *out, const char *path)
{
	struct xs_permissions *perms;
	unsigned int len, count, i;
	char *value = xs_read(dom0, XBT_NULL, path, &len);

	perms = xs_get_permissions(dom0, XBT_NULL, path, &count);
	if (!value || !perms)
		wrong("%s: %s\n", path, strerror(errno));
	fprintf(out, "%s = \"%.*s\" ", path, (int)len, value);
	for (i = 0; i < count; i++)
		fprintf(out, "%s%c%u", i ? "," : "", "nrwb"[perms[i].perms & 3],
			perms[i].id);
	fputc('\n', out);
	free(value);
	free(perms);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_tree(FILE *out, const char *path)
{
	int mark = 0;
	unsigned int count, i;
	char **names, child[1024];

	/* A domain's mark is written with its first device, and stays. */
	sscanf(path, "/local/domain/%*u/xensplit%n", &mark);
	if (mark && !path[mark])
		return;
	print_node(out, path);
	names = xs_directory(dom0, XBT_NULL, path, &count);
	assert_non_null(names);
	qsort(names, count, sizeof(*names), by_name);
	for (i = 0; i < count; i++) {
		snprintf(child, sizeof(child), "%s/%s", path[1] ? path : "", names[i]);
		print_tree(out, child);
	}
	free(names);
}

const char *dump(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print_tree(out, "/");
	fclose(out);
	return keep(text);
}

static bool is_driver(const void *block)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(drivers); i++)
		if (block && drivers[i] == block)
			return true;
	return false;
}

void forget_dumps(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(garbage); i++)
		if (!is_driver(garbage[i])) {
			free(garbage[i]);
			garbage[i] = NULL;
		}
}

void assert_untouched(const char *before)
{
	const char *after = dump();
	size_t i = 0;

	while (before[i] && before[i] == after[i])
		i++;
	if (before[i] == after[i])
		return;
	while (i > 0 && before[i - 1] != '\n')
		i--;
	wrong("the store was, from here on\n%.800s and is\n%.800s", before + i,
	      after + i);
}

void assert_node(const char *path, const char *value, const char *perms)
{
	char *text = NULL, wanted[4096];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print_node(out, path);
	fclose(out);
	keep(text);
	snprintf(wanted, sizeof(wanted), "%s = \"%s\" %s\n", path, value, perms);
	assert_string_equal(text, wanted);
}

const char *record_field(const char *path, const char *key)
{
	char *value = xs_read(dom0, XBT_NULL, path, NULL), *line, *rest;
	size_t len = strlen(key);
	const char *found = NULL;

	if (!value)
		wrong("%s: %s\n", path, strerror(errno));
	keep(value);
	for (line = strtok_r(value, "\n", &rest); line && !found;
	     line = strtok_r(NULL, "\n", &rest))
		if (!strncmp(line, key, len) && line[len] == '=')
			found = line + len + 1;
	return found;
}

static bool has(const char *path, const char *value)
{
	char *is = xs_read(dom0, XBT_NULL, path, NULL);
	bool same = value ? is && !strcmp(is, value) : !is;

	free(is);
	return same;
}

static void await_or_not(const char *path, const char *value)
{
	uint64_t deadline = now_ms() + 30000;

	while (!has(path, value)) {
		if (now_ms() > deadline)
			wrong("%s does not become %s\n", path, value ? value : "absent");
		sleep_ms(2);
	}
}

void await(const char *path, const char *value)
{
	await_or_not(path, value);
}

void await_gone(const char *path)
{
	await_or_not(path, NULL);
}

/* --- devices --- */

struct xensplit_attach_opts device_opts(uint32_t domid, const char *type, uint32_t devid)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	opts.domid = domid;
	opts.type = type;
	opts.devid = devid;
	return opts;
}

void attach_mydevice(void)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	assert_result(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

void connect_mydevice(void)
{
	struct xensplit_attach_opts opts = device_opts(5, "mydevice", 0);

	drive_both();
	assert_result(xensplit_attach(ctx, &opts, 10000, NULL), 0);
	assert_node(FE "/state", "4", "n5,r0");
	assert_node(BE "/state", "4", "n0,r5");
}

const struct xensplit_device *list_one(struct xensplit_list **list, uint32_t flags)
{
	const struct xensplit_device *device;

	assert_result(xensplit_list_new(ctx, NULL, flags, list), 0);
	device = xensplit_list_get(*list, 0);
	assert_non_null(device);
	assert_null(xensplit_list_get(*list, 1));
	return device;
}
