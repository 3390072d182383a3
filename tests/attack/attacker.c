// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * attacker DOMID [--while]: a client that is this domain, on the store's raw protocol. It does what
 * the lines on stdin say, prints "ready", and ends; with --while it does them again and again, many
 * requests at a time, until SIGTERM, and says after each hundred times how many there were. See README.md for the lines.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#define WORDS_MAX   16
#define LINES_MAX   256
#define IN_FLIGHT   16 /* xenstored stops to read from a guest with more than 20 */
#define TEXT_MAX    8192
#define ROUNDS_TOLD 100 /* how often to say how many there were, in hundreds */

static volatile sig_atomic_t stopped;
static int sock;
static unsigned int in_flight;
static uint32_t transaction;
static char reply[XENSTORE_PAYLOAD_MAX + 1];
static char fired[XENSTORE_PAYLOAD_MAX + 1]; /* the token of the last watch */

struct line {
	char *words[WORDS_MAX];
	size_t len[WORDS_MAX]; /* since a value may have NUL bytes */
	int count;
	bool watched; /* "on": its watch is set */
};

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* --- the protocol --- */

/* Ends this process if the connection has ended: the domain is dead, or it has been cut off. */
static void transfer(void *buf, size_t len, bool out)
{
	char *at = buf;

	while (len) {
		ssize_t done = out ? send(sock, at, len, MSG_NOSIGNAL)
				   : read(sock, at, len);

		if (done < 0 && errno == EINTR && !stopped)
			continue;
		if (done <= 0)
			exit(stopped ? 0 : 3);
		at += done;
		len -= (size_t)done;
	}
}

static void send_request(uint32_t type, uint32_t tx, const char *payload, size_t len)
{
	struct xsd_sockmsg hdr = { .type = type, .tx_id = tx, .len = (uint32_t)len };

	transfer(&hdr, sizeof(hdr), true);
	transfer((char *)payload, len, true);
	in_flight++;
}

/* Reads one message; true if it answers a request. */
static bool receive(struct xsd_sockmsg *hdr)
{
	transfer(hdr, sizeof(*hdr), false);
	if (hdr->len > XENSTORE_PAYLOAD_MAX)
		errx(1, "a message of %u bytes", hdr->len);
	transfer(reply, hdr->len, false);
	reply[hdr->len] = '\0';
	if (hdr->type == XS_WATCH_EVENT) {
		strcpy(fired, reply + strlen(reply) + 1);
		return false;
	}
	in_flight--;
	return true;
}

/* Waits for the answers to all requests; true if the last one was accepted. */
static bool settle(void)
{
	struct xsd_sockmsg hdr = { .type = XS_ERROR };

	while (in_flight)
		receive(&hdr);
	return hdr.type != XS_ERROR;
}

/* --- the lines --- */

static size_t expand(char *to, size_t room, const char *from, unsigned long counter);

/* "{TEXT*N}" is N times that text. Returns its length in @from, 0 if it is not that. */
static int expand_many(char *to, size_t room, const char *from, unsigned long counter,
		       size_t *ret_len)
{
	unsigned int times;
	char text[64], one[64];
	int used = 0;
	size_t len;

	*ret_len = 0;
	if (sscanf(from, "{%63[^*]*%u}%n", text, &times, &used) != 2 || !used)
		return 0;
	len = expand(one, sizeof(one), text, counter);
	for (; times && *ret_len + len < room; times--) {
		memcpy(to + *ret_len, one, len);
		*ret_len += len;
	}
	return used;
}

/* Resolves "\xHH", "{TEXT*N}", and "%", which is the number of the round. */
static size_t expand(char *to, size_t room, const char *from, unsigned long counter)
{
	char *end = to;

	while (*from && (size_t)(end - to) < room - 1) {
		size_t left = room - (size_t)(end - to), len;
		unsigned int byte;
		int used = expand_many(end, left, from, counter, &len);

		if (used) {
			end += len;
			from += used;
		} else if (sscanf(from, "\\x%2x%n", &byte, &used) == 1 && used == 4) {
			*end++ = (char)byte;
			from += used;
		} else if (*from == '%') {
			end += snprintf(end, left, "%lu", counter);
			from++;
		} else {
			*end++ = *from++;
		}
	}
	*end = '\0';
	return (size_t)(end - to);
}

static const struct {
	const char *name;
	uint32_t type;
	int words;   /* of its payload, at least */
	bool binary; /* the last one has no NUL at its end */
} requests[] = {
	{ "write", XS_WRITE, 2, true },	     { "mkdir", XS_MKDIR, 1, false },
	{ "rm", XS_RM, 1, false },	     { "read", XS_READ, 1, false },
	{ "list", XS_DIRECTORY, 1, false },  { "chmod", XS_SET_PERMS, 2, false },
	{ "watch", XS_WATCH, 2, false },     { "unwatch", XS_UNWATCH, 2, false },
	{ "perms", XS_GET_PERMS, 1, false },
};

#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

static void do_request(const struct line *line, int at, unsigned long counter)
{
	static char payload[TEXT_MAX];
	size_t i, used = 0;

	for (i = 0; i < REQUESTS; i++)
		if (!strcmp(requests[i].name, line->words[at]))
			break;
	if (i == REQUESTS) {
		warnx("there is no request '%s'", line->words[at]);
		exit(2);
	}
	if (line->count - at - 1 < requests[i].words)
		errx(2, "%s needs %d words", requests[i].name, requests[i].words);
	for (int j = at + 1; j < line->count; j++) {
		bool last = j + 1 == line->count;

		used += expand(payload + used, sizeof(payload) - used - 1, line->words[j],
			       counter);
		if (!last || !requests[i].binary)
			payload[used++] = '\0';
	}
	while (in_flight >= IN_FLIGHT)
		receive(&(struct xsd_sockmsg){ 0 });
	send_request(requests[i].type, transaction, payload, used);
}

static void do_begin(void)
{
	settle();
	send_request(XS_TRANSACTION_START, 0, "", 1);
	if (settle())
		transaction = (uint32_t)strtoul(reply, NULL, 10);
}

static void do_end(const char *commit)
{
	settle();
	if (transaction)
		send_request(XS_TRANSACTION_END, transaction, commit, 2);
	transaction = 0;
	settle();
}

/* Waits until something at that path, or below it, changes. */
static void do_on(struct line *line)
{
	char payload[TEXT_MAX], token[24];
	size_t used;

	snprintf(token, sizeof(token), "on%p", (void *)line);
	settle();
	if (!line->watched) {
		used = expand(payload, sizeof(payload) - 32, line->words[1], 0) + 1;
		used += (size_t)sprintf(payload + used, "%s", token) + 1;
		send_request(XS_WATCH, 0, payload, used);
		settle();
		while (strcmp(fired, token) != 0) /* it fires once when it is set */
			receive(&(struct xsd_sockmsg){ 0 });
		line->watched = true;
		puts("ready");
		fflush(stdout);
	}
	do
		*fired = '\0', receive(&(struct xsd_sockmsg){ 0 });
	while (strcmp(fired, token) != 0);
}

static void do_expected(const struct line *line, bool accepted)
{
	settle();
	do_request(line, 1, 0);
	if (settle() == accepted)
		return;
	printf("%s: %s %s\n", accepted ? "refused" : "accepted", line->words[1],
	       line->words[2]);
	exit(1);
}

static void do_repeat(const struct line *line)
{
	unsigned long i, times = strtoul(line->words[1], NULL, 10);

	for (i = 0; i < times; i++)
		do_request(line, 2, i);
}

static void do_line(struct line *line, unsigned long round)
{
	const char *what = line->words[0];

	if (!strcmp(what, "begin"))
		do_begin();
	else if (!strcmp(what, "commit"))
		do_end("T");
	else if (!strcmp(what, "abort"))
		do_end("F");
	else if (!strcmp(what, "forget"))
		transaction = 0; /* and leave it open */
	else if (!strcmp(what, "on") && line->count == 2)
		do_on(line);
	else if (!strcmp(what, "refused") && line->count > 2)
		do_expected(line, false);
	else if (!strcmp(what, "allowed") && line->count > 2)
		do_expected(line, true);
	else if (!strcmp(what, "repeat") && line->count > 3)
		do_repeat(line);
	else if (!strcmp(what, "junk") && line->count == 2)
		send_request((uint32_t)strtoul(line->words[1], NULL, 10), 12345, "\1\2",
			     2);
	else
		do_request(line, 0, round);
}

static int read_lines(struct line lines[LINES_MAX])
{
	char *text = NULL;
	size_t room = 0;
	int count = 0;

	while (getline(&text, &room, stdin) > 0) {
		struct line *line = &lines[count];
		char *word = strtok(text, " \t\n");

		for (; word && line->count < WORDS_MAX; word = strtok(NULL, " \t\n"))
			line->words[line->count++] = strdup(word);
		if (line->count && ++count == LINES_MAX)
			errx(2, "more than %d lines", LINES_MAX);
	}
	free(text);
	return count;
}

static void open_socket(const char *domid)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *dir = getenv("XENSPLIT_SANDBOX");

	if (!dir)
		errx(2, "only within the sandbox");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/dom%s.sock", dir, domid);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		err(3, "%s", addr.sun_path);
}

int main(int argc, char **argv)
{
	static struct line lines[LINES_MAX];
	bool forever = argc == 3 && !strcmp(argv[2], "--while");
	struct sigaction action = { .sa_handler = stop };
	unsigned long rounds = 0;
	int count, i;

	if (argc != 2 + forever)
		errx(2, "attacker DOMID [--while]");
	count = read_lines(lines);
	open_socket(argv[1]);
	sigaction(SIGTERM, &action, NULL);
	do {
		for (i = 0; i < count && !stopped; i++)
			do_line(&lines[i], rounds);
		settle();
		if (!rounds++)
			puts("ready");
		else if (rounds % ROUNDS_TOLD == 0)
			printf("round %lu\n", rounds / ROUNDS_TOLD);
		fflush(stdout);
	} while (forever && !stopped);
	return 0;
}
