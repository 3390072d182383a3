// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sandbox itself: a directory, xenstored with the shim, and a command.
 *
 * Two processes guard it, both subreapers, and each notices if the other dies: the keeper, which
 * is the parent of xenstored and of the command, and the process that the user started, which
 * waits for the keeper. If one of them is killed, even by SIGKILL, the other one kills all other
 * processes of the sandbox.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox.h"

#define START_SECS 10	/* for xenstored and the domains to start */
#define GRACE_MS   2000 /* from a signal until the command is killed */
#define MAX_GUESTS 64

struct sandbox {
	char *dir;
	bool keep;
	unsigned int guests[MAX_GUESTS];
	size_t nr_guests;
	char **command;
	pid_t daemon, command_pid;
};

static int remove_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

static void clean_up(const struct sandbox *sb)
{
	kill_descendants();
	if (!sb->keep)
		nftw(sb->dir, remove_file, 16, FTW_DEPTH | FTW_PHYS);
}

static int make_dir(struct sandbox *sb)
{
	const char *tmp = getenv("TMPDIR");

	if (asprintf(&sb->dir, "%s/xensplit-sandbox.XXXXXX", tmp && *tmp ? tmp : "/tmp") <
	    0)
		return -ENOMEM;
	if (!mkdtemp(sb->dir)) {
		warn("%s", sb->dir);
		return -errno;
	}
	setenv("XENSPLIT_SANDBOX", sb->dir, 1);
	return 0;
}

/* A file in the same directory as this program. */
static char *find_beside(const char *prefix, const char *name)
{
	char *self = realpath("/proc/self/exe", NULL), *path = NULL;
	char *slash = self ? strrchr(self, '/') : NULL;

	if (slash &&
	    asprintf(&path, "%s%.*s/%s", prefix, (int)(slash - self), self, name) < 0)
		path = NULL;
	free(self);
	return path;
}

/* The build makes a link to the distribution's xenstored. */
static char *find_xenstored(void)
{
	const char *named = getenv("XENSPLIT_XENSTORED");

	return named && *named ? strdup(named) : find_beside("", "xenstored");
}

static char *find_shim(void)
{
	return find_beside("LD_PRELOAD=", "shim.so");
}

static char *env_with_dir(const char *name, const struct sandbox *sb, const char *file)
{
	char *entry;

	if (asprintf(&entry, "%s=%s%s", name, sb->dir, file) < 0)
		err(EXIT_SANDBOX, "asprintf");
	return entry;
}

static int open_log(const struct sandbox *sb)
{
	char *path;
	int fd;

	if (asprintf(&path, "%s/xenstored.log", sb->dir) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
	free(path);
	return fd;
}

/* The shim reports when xenstored is ready; if it fails, the log says why. */
static int wait_for_daemon(int out_fd, int log_fd)
{
	char text[256];
	ssize_t len;

	if (read(out_fd, text, sizeof(text)) > 0)
		return 0;
	len = pread(log_fd, text, sizeof(text) - 1, 0);
	text[len > 0 ? len : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	warnx("xenstored does not start: %s", *text ? text : "no reason given");
	return -ECHILD;
}

static int launch(struct sandbox *sb, char *xenstored, char *shim)
{
	char *argv[] = { xenstored, "-N", NULL };
	char *env[] = {
		shim,
		env_with_dir("XENSTORED_RUNDIR", sb, ""),
		env_with_dir("XENSTORED_ROOTDIR", sb, ""),
		env_with_dir("XENSTORED_PATH", sb, "/dom0.sock"),
		NULL,
	};
	int log_fd = open_log(sb), out[2], ret, i;

	if (log_fd < 0 || pipe2(out, O_CLOEXEC) < 0) {
		warn("%s", sb->dir);
		ret = -errno;
	} else {
		sb->daemon = start_process(argv, env, out[1], log_fd);
		close(out[1]);
		ret = sb->daemon < 0 ? -errno : wait_for_daemon(out[0], log_fd);
		close(out[0]);
	}
	if (log_fd >= 0)
		close(log_fd);
	for (i = 1; env[i]; i++)
		free(env[i]);
	return ret;
}

static int start_daemon(struct sandbox *sb)
{
	char *xenstored = find_xenstored(), *shim = find_shim();
	int ret = -ENOENT;

	if (!xenstored)
		warnx("no xenstored beside this program");
	else if (!shim || access(strchr(shim, '/') ?: "", R_OK) < 0)
		warnx("no shim.so beside this program");
	else
		ret = launch(sb, xenstored, shim);
	free(xenstored);
	free(shim);
	return ret;
}

static int start_domains(struct sandbox *sb)
{
	size_t i;
	int ret;

	ret = use_domain_socket(0);
	if (ret == 0)
		ret = make_dom0();
	for (i = 0; ret == 0 && i < sb->nr_guests; i++)
		ret = make_domain(sb->guests[i], NULL, NULL);
	if (ret < 0)
		warnx("cannot set up the domains: %s", strerror(-ret));
	return ret;
}

/* Signals to wait for: those that end the sandbox, and SIGCHLD. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGQUIT);
	sigaddset(set, SIGTERM);
	sigprocmask(SIG_BLOCK, set, NULL);
	signal(SIGCHLD, SIG_DFL); /* if it is ignored, children can't be waited for */
}

/* The terminal sends its signals to the command directly. */
static void pass_on(const siginfo_t *info, pid_t pid)
{
	if (info->si_code <= 0)
		kill(pid, info->si_signo);
}

static bool reap(struct sandbox *sb, int *ret_status)
{
	bool done = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == sb->command_pid) {
			*ret_status = exit_status(status);
			done = true;
		} else if (pid == sb->daemon &&
			   !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) {
			warnx("xenstored died, status %d", exit_status(status));
		}
	}
	return done;
}

static long ms_left(const struct timespec *deadline)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (deadline->tv_sec - now.tv_sec) * 1000 +
	       (deadline->tv_nsec - now.tv_nsec) / 1000000;
}

/* Returns the command's exit status, or that of the signal if it does not end in time. */
static int wait_for_command(struct sandbox *sb, const sigset_t *set, pid_t watcher)
{
	struct timespec deadline, timeout = { .tv_sec = 3600 };
	int status, ended_by = 0;
	siginfo_t info;

	for (;;) {
		int sig = sigtimedwait(set, &info, &timeout);

		if (getppid() != watcher)
			return EXIT_SANDBOX;
		if (sig == SIGCHLD && reap(sb, &status))
			return status;
		if (sig > 0 && sig != SIGCHLD) {
			pass_on(&info, sb->command_pid);
			if (!ended_by) {
				clock_gettime(CLOCK_MONOTONIC, &deadline);
				deadline.tv_sec += GRACE_MS / 1000;
			}
			ended_by = sig;
		}
		if (ended_by) {
			long left = ms_left(&deadline);

			if (left <= 0)
				return 128 + ended_by;
			timeout.tv_sec = left / 1000;
			timeout.tv_nsec = left % 1000 * 1000000 + 999999;
		}
	}
}

static int keeper(struct sandbox *sb, const sigset_t *set, pid_t watcher)
{
	int status = EXIT_SANDBOX;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	alarm(START_SECS); /* if it kills the keeper, the watcher reports that and cleans up */
	if (getppid() == watcher && start_daemon(sb) == 0 && start_domains(sb) == 0) {
		alarm(0);
		sb->command_pid = start_process(sb->command, NULL, -1, -1);
		if (sb->command_pid > 0)
			status = wait_for_command(sb, set, watcher);
		else
			warn("fork");
	}
	clean_up(sb);
	return status;
}

/* Forwards signals to the keeper until it ends. */
static int watch_keeper(pid_t pid, const sigset_t *set)
{
	siginfo_t info;
	int status;

	for (;;) {
		int sig = sigwaitinfo(set, &info);

		if (sig > 0 && sig != SIGCHLD)
			pass_on(&info, pid);
		if (sig == SIGCHLD && waitpid(pid, &status, WNOHANG) == pid)
			break;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) == SIGALRM)
		warnx("xenstored does not answer");
	return EXIT_SANDBOX;
}

static int run(struct sandbox *sb)
{
	pid_t watcher = getpid(), pid;
	sigset_t set;
	int status;

	block_signals(&set);
	if (make_dir(sb) < 0)
		return EXIT_SANDBOX;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = fork();
	if (pid == 0)
		exit(keeper(sb, &set, watcher));
	status = pid > 0 ? watch_keeper(pid, &set) : EXIT_SANDBOX;
	clean_up(sb);
	if (sb->keep)
		fprintf(stderr, "xensplit-sandbox: kept %s\n", sb->dir);
	return status;
}

static int parse_guests(struct sandbox *sb, char *list)
{
	char *item;

	for (item = strtok(list, ","); item; item = strtok(NULL, ",")) {
		unsigned int *domid = &sb->guests[sb->nr_guests];

		if (sb->nr_guests == MAX_GUESTS || parse_domid(item, domid) < 0 ||
		    !*domid)
			return -EINVAL;
		sb->nr_guests++;
	}
	return 0;
}

int verb_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "guests", required_argument, NULL, 'g' },
		{ "keep", no_argument, NULL, 'k' },
		{ 0 },
	};
	struct sandbox sb = { 0 };
	int opt, status;

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == 'k')
			sb.keep = true;
		else if (opt != 'g')
			return EXIT_USAGE;
		else if (parse_guests(&sb, optarg) < 0)
			return usage_error("--guests takes up to %d domids from 1 to %d",
					   MAX_GUESTS, MAX_DOMID);
	}
	if (optind == argc)
		return usage_error("no COMMAND to run");
	sb.command = argv + optind;
	status = run(&sb);
	free(sb.dir);
	return status;
}
