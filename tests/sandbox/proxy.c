// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The verb proxy: sits between a command and the store and counts requests. On request, kills the
 * command at one of them, runs another command before it, or answers it with a fault.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "sandbox.h"

static const char *const type_names[XS_TYPE_COUNT] = {
	[XS_CONTROL] = "CONTROL",
	[XS_DIRECTORY] = "DIRECTORY",
	[XS_READ] = "READ",
	[XS_GET_PERMS] = "GET_PERMS",
	[XS_WATCH] = "WATCH",
	[XS_UNWATCH] = "UNWATCH",
	[XS_TRANSACTION_START] = "TRANSACTION_START",
	[XS_TRANSACTION_END] = "TRANSACTION_END",
	[XS_INTRODUCE] = "INTRODUCE",
	[XS_RELEASE] = "RELEASE",
	[XS_GET_DOMAIN_PATH] = "GET_DOMAIN_PATH",
	[XS_WRITE] = "WRITE",
	[XS_MKDIR] = "MKDIR",
	[XS_RM] = "RM",
	[XS_SET_PERMS] = "SET_PERMS",
	[XS_IS_DOMAIN_INTRODUCED] = "IS_DOMAIN_INTRODUCED",
	[XS_RESUME] = "RESUME",
	[XS_SET_TARGET] = "SET_TARGET",
	[XS_RESET_WATCHES] = "RESET_WATCHES",
	[XS_DIRECTORY_PART] = "DIRECTORY_PART",
};

/* A connection of the command, and the matching one to the store. */
struct link {
	struct link *next;
	int client_fd, store_fd;
	struct message request, reply;
	bool fatal; /* it sent the request whose reply must not arrive */
	uint32_t fatal_id;
	bool faulty; /* likewise, whose reply a fault replaces */
	struct xsd_sockmsg faulty_hdr;
};

struct proxy {
	unsigned long kill_at, run_at, fail_at;
	const struct fault *fault;
	const char *run;
	bool after, trace;
	char *store_path;
	struct sockaddr_un addr;
	int listen_fd, signal_fd;
	struct link *links;
	FILE *list; /* of the requests, in memory until the end */
	char *list_text;
	size_t list_size;
	unsigned long count, per_type[XS_TYPE_COUNT];
	pid_t command;
	bool ended;
	int status;
};

static const char *type_name(uint32_t type)
{
	return type < XS_TYPE_COUNT && type_names[type] ? type_names[type] : "UNKNOWN";
}

/* The first string of the payload is the path. */
static void print_request(FILE *f, unsigned long number, const struct message *msg)
{
	size_t i;

	fprintf(f, "%lu %s", number, type_name(msg->hdr.type));
	for (i = 0; i < msg->hdr.len && msg->payload[i]; i++) {
		unsigned char c = msg->payload[i];

		if (i == 0)
			fputc(' ', f);
		fprintf(f, isprint(c) && c != '\\' ? "%c" : "\\x%02x", c);
	}
	fputc('\n', f);
}

static void count_request(struct proxy *p, const struct message *msg)
{
	p->count++;
	if (msg->hdr.type < XS_TYPE_COUNT)
		p->per_type[msg->hdr.type]++;
	print_request(p->list, p->count, msg);
	if (p->trace)
		print_request(stderr, p->count, msg);
}

static void kill_command(struct proxy *p)
{
	kill_descendants(); /* before any socket closes, so that the command can't notice */
	p->ended = true;
	p->status = 128 + SIGKILL;
}

/* The command waits for its answer meanwhile. What this runs uses the store directly. */
static void run_between(const struct proxy *p)
{
	setenv("XENSTORED_PATH", p->store_path, 1);
	if (system(p->run))
		warnx("failed: %s", p->run);
	setenv("XENSTORED_PATH", p->addr.sun_path, 1);
}

/* Reads available bytes of a message; false at the end of the connection. */
static bool receive(int fd, struct message *msg)
{
	ssize_t n;

	while (!message_complete(msg)) {
		n = recv(fd, message_rest(msg), message_size(msg) - msg->done,
			 MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			return false;
		msg->done += n;
		if (message_too_long(msg))
			return false;
	}
	return true;
}

/* May block: the other side has its own thread, or only one open request. */
static bool forward(int fd, struct message *msg)
{
	const char *from = (const char *)msg;
	size_t left = msg->done;

	while (left) {
		ssize_t n = send(fd, from, left, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		from += n;
		left -= n;
	}
	msg->done = 0;
	return true;
}

/* False if the connection ends. */
static bool answer_with_fault(const struct proxy *p, struct link *l)
{
	struct message reply;
	bool goes_on = fault_answer(p->fault, &l->faulty_hdr, &reply);

	l->faulty = false;
	return (!reply.done || forward(l->client_fd, &reply)) && goes_on;
}

/* Instead of passing the request on, unless the store gets it as well. */
static bool begin_fault(const struct proxy *p, struct link *l)
{
	l->faulty = true;
	l->faulty_hdr = l->request.hdr;
	if (!fault_takes(p->fault, &l->request))
		return forward(l->store_fd, &l->request);
	l->request.done = 0;
	return answer_with_fault(p, l);
}

static bool pass_request(struct proxy *p, struct link *l)
{
	if (!receive(l->client_fd, &l->request))
		return false;
	if (!message_complete(&l->request))
		return true;
	count_request(p, &l->request);
	if (p->count == p->run_at)
		run_between(p);
	if (p->count == p->fail_at)
		return begin_fault(p, l);
	if (p->count == p->kill_at && !p->after) {
		kill_command(p);
		return false;
	}
	if (p->count == p->kill_at) {
		l->fatal = true;
		l->fatal_id = l->request.hdr.req_id;
	}
	return forward(l->store_fd, &l->request);
}

static bool pass_reply(struct proxy *p, struct link *l)
{
	const struct xsd_sockmsg *hdr = &l->reply.hdr;

	if (!receive(l->store_fd, &l->reply))
		return false;
	if (!message_complete(&l->reply))
		return true;
	if (l->fatal && hdr->type != XS_WATCH_EVENT && hdr->req_id == l->fatal_id) {
		kill_command(p);
		return false;
	}
	if (l->faulty && hdr->type != XS_WATCH_EVENT &&
	    hdr->req_id == l->faulty_hdr.req_id) {
		l->reply.done = 0;
		return answer_with_fault(p, l);
	}
	return forward(l->client_fd, &l->reply);
}

static void add_link(struct proxy *p)
{
	struct link *l = calloc(1, sizeof(*l));

	if (!l)
		err(EXIT_SANDBOX, "calloc");
	l->client_fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	l->store_fd = connect_unix(p->store_path, SOCK_STREAM);
	if (l->client_fd >= 0 && l->store_fd >= 0) {
		l->next = p->links;
		p->links = l;
		return;
	}
	if (l->client_fd >= 0)
		close(l->client_fd);
	if (l->store_fd >= 0)
		close(l->store_fd);
	free(l);
}

static void drop_link(struct link **where)
{
	struct link *l = *where;

	*where = l->next;
	close(l->client_fd);
	close(l->store_fd);
	free(l);
}

/* The two ends of a link were polled at @fds[0] and @fds[1]. */
static bool serve_link(struct proxy *p, struct link *l, const struct pollfd *fds)
{
	return (!fds[0].revents || pass_request(p, l)) &&
	       (!fds[1].revents || pass_reply(p, l));
}

static void command_signal(struct proxy *p)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	if (read(p->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGCHLD) {
		kill_command(p);
		p->status = 128 + info.ssi_signo;
		return;
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == p->command) {
			p->ended = true;
			p->status = exit_status(status);
		}
}

static struct pollfd *poll_all(struct proxy *p)
{
	struct pollfd *fds;
	struct link *l;
	size_t n = 2;

	for (l = p->links; l; l = l->next)
		n += 2;
	fds = calloc(n, sizeof(*fds));
	if (!fds)
		err(EXIT_SANDBOX, "calloc");
	fds[0] = (struct pollfd){ .fd = p->signal_fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = p->listen_fd, .events = POLLIN };
	for (l = p->links, n = 2; l; l = l->next) {
		fds[n++] = (struct pollfd){ .fd = l->client_fd, .events = POLLIN };
		fds[n++] = (struct pollfd){ .fd = l->store_fd, .events = POLLIN };
	}
	while (poll(fds, n, -1) < 0)
		if (errno != EINTR)
			err(EXIT_SANDBOX, "poll");
	return fds;
}

static void serve(struct proxy *p)
{
	while (!p->ended) {
		struct pollfd *fds = poll_all(p), *fd = fds + 2;
		struct link **where = &p->links;

		for (; *where && !p->ended; fd += 2) {
			if (serve_link(p, *where, fd))
				where = &(*where)->next;
			else
				drop_link(where);
		}
		/* Last: requests that the command sent before it ended count, too. */
		if (!p->ended && fds[1].revents)
			add_link(p);
		else if (!p->ended && fds[0].revents)
			command_signal(p);
		free(fds);
	}
}

static int write_count(struct proxy *p, const char *file)
{
	FILE *f = fopen(file, "we");
	int type;

	if (!f) {
		warn("%s", file);
		return -errno;
	}
	fflush(p->list);
	fputs(p->list_text, f);
	for (type = 0; type < XS_TYPE_COUNT; type++)
		if (p->per_type[type])
			fprintf(f, "total %lu %s\n", p->per_type[type], type_name(type));
	fprintf(f, "total %lu\n", p->count);
	if (fclose(f) == 0)
		return 0;
	warn("%s", file);
	return -errno;
}

static int start_listening(struct proxy *p)
{
	const char *dir = getenv("XENSPLIT_SANDBOX") ?: "/tmp";
	size_t size = sizeof(p->addr.sun_path);
	mode_t old;
	int ret;

	p->addr.sun_family = AF_UNIX;
	ret = snprintf(p->addr.sun_path, size, "%s/proxy.%d.sock", dir, (int)getpid());
	if (ret >= (int)size)
		return -ENAMETOOLONG;
	p->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->listen_fd < 0)
		return -errno;
	old = umask(077);
	ret = bind(p->listen_fd, (struct sockaddr *)&p->addr, sizeof(p->addr));
	umask(old);
	return ret < 0 || listen(p->listen_fd, 64) < 0 ? -errno : 0;
}

static int start(struct proxy *p, char **argv)
{
	const char *store = getenv("XENSTORED_PATH");
	sigset_t set;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	p->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	p->store_path = store ? strdup(store) : NULL;
	p->list = open_memstream(&p->list_text, &p->list_size);
	if (!p->store_path || p->signal_fd < 0 || !p->list)
		return -EINVAL;
	ret = start_listening(p);
	if (ret < 0)
		return ret;
	setenv("XENSTORED_PATH", p->addr.sun_path, 1);
	p->command = start_process(argv, NULL, -1, -1);
	return p->command < 0 ? -errno : 0;
}

static void finish(struct proxy *p)
{
	while (p->links)
		drop_link(&p->links);
	if (p->addr.sun_path[0])
		unlink(p->addr.sun_path);
	if (p->list)
		fclose(p->list);
	free(p->list_text);
	free(p->store_path);
}

static int run_proxy(struct proxy *p, char **argv, const char *count_file)
{
	int ret = start(p, argv);

	if (ret < 0)
		warnx("cannot listen for the command: %s", strerror(-ret));
	else
		serve(p);
	if (ret == 0 && count_file)
		ret = write_count(p, count_file);
	finish(p);
	return ret < 0 ? EXIT_SANDBOX : p->status;
}

int verb_proxy(int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'c' },
		{ "kill-at", required_argument, NULL, 'k' },
		{ "after", no_argument, NULL, 'a' },
		{ "trace", no_argument, NULL, 't' },
		{ "run-at", required_argument, NULL, 'r' },
		{ "run", required_argument, NULL, 'R' },
		{ "fail-at", required_argument, NULL, 'f' },
		{ "with", required_argument, NULL, 'w' },
		{ 0 },
	};
	struct proxy p = { .listen_fd = -1 };
	const char *count_file = NULL;
	int opt;

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		unsigned long *at = opt == 'k'	 ? &p.kill_at
				    : opt == 'r' ? &p.run_at
						 : &p.fail_at;

		switch (opt) {
		case 'c':
			count_file = optarg;
			break;
		case 'a':
			p.after = true;
			break;
		case 't':
			p.trace = true;
			break;
		case 'R':
			p.run = optarg;
			break;
		case 'w':
			p.fault = fault_find(optarg);
			if (!p.fault)
				return usage_error("'%s' is not a fault", optarg);
			break;
		case 'k':
		case 'r':
		case 'f':
			if (parse_number(optarg, 1000000000, at) < 0 || !*at)
				return usage_error(
					"--kill-at, --run-at and --fail-at take "
					"the number of a request, from 1");
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return usage_error("no COMMAND to run");
	if (p.after && !p.kill_at)
		return usage_error("--after goes with --kill-at");
	if (!p.run_at != !p.run)
		return usage_error("--run-at and --run go together");
	if (!p.fail_at != !p.fault)
		return usage_error("--fail-at and --with go together");
	return run_proxy(&p, argv + optind, count_file);
}
