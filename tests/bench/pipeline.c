// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pipeline FIRST-DOMID DEVICES PER-COMMIT ROUNDS: attaches a device to each of DEVICES domains,
 * alternating between the library's batches and the same requests, recorded from a batch and sent
 * on the socket without waiting for each answer. That is the minimum for any client: no round
 * trips except to start each transaction. Prints three medians: milliseconds of the library, of
 * the requests, and the ratio of each round.
 */
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <xen/io/xs_wire.h>
#include <xensplit.h>
#include <xenstore.h>

#include "bench.h"

struct message {
	struct xsd_sockmsg hdr;
	char payload[XENSTORE_PAYLOAD_MAX];
};

/* Sits between the library and the store to record requests. */
struct recorder {
	int listen_fd, client_fd, store_fd;
	char *bytes; /* of all requests */
	size_t len, size;
};

static char store_path[108];
static unsigned int first, devices, per_commit;

static int open_socket(const char *path, bool listening)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd < 0 ||
	    (listening ? bind : connect)(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    (listening && listen(fd, 1)))
		err(1, "%s", path);
	return fd;
}

static bool read_all(int fd, void *data, size_t len)
{
	char *to = data;

	while (len) {
		ssize_t n = recv(fd, to, len, 0);

		if (n <= 0)
			return false;
		to += n;
		len -= (size_t)n;
	}
	return true;
}

static bool write_all(int fd, const void *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static size_t size_of(const struct message *msg)
{
	return sizeof(msg->hdr) + msg->hdr.len;
}

static bool read_message(int fd, struct message *msg)
{
	return read_all(fd, &msg->hdr, sizeof(msg->hdr)) &&
	       msg->hdr.len <= sizeof(msg->payload) &&
	       read_all(fd, msg->payload, msg->hdr.len);
}

/* --- recording --- */

static void record(struct recorder *r, const struct message *msg)
{
	if (r->len + sizeof(*msg) > r->size) {
		r->size = r->size * 2 + sizeof(*msg);
		r->bytes = realloc(r->bytes, r->size);
		if (!r->bytes)
			err(1, "realloc");
	}
	memcpy(r->bytes + r->len, msg, size_of(msg));
	r->len += size_of(msg);
}

/* libxenstore sends one request at a time, and there are no watches. */
static void *relay(void *data)
{
	struct recorder *r = data;
	struct message msg;

	r->client_fd = accept(r->listen_fd, NULL, NULL);
	while (read_message(r->client_fd, &msg)) {
		record(r, &msg);
		if (!write_all(r->store_fd, &msg, size_of(&msg)) ||
		    !read_message(r->store_fd, &msg) ||
		    !write_all(r->client_fd, &msg, size_of(&msg)))
			errx(1, "the store went away while it was recorded");
	}
	close(r->client_fd);
	return NULL;
}

static struct xensplit_ctx *context(const char *path)
{
	struct xensplit_ctx *ctx;

	setenv("XENSTORED_PATH", path, 1);
	if (xensplit_new(NULL, &ctx))
		errx(1, "%s: no store there", path);
	return ctx;
}

/* --- both variants --- */

static double by_library(struct xensplit_ctx *ctx)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	uint64_t begun = now_ns();
	struct xensplit_batch *batch;
	unsigned int i = 0;

	opts.type = "pipeline";
	while (i < devices) {
		if (xensplit_batch_new(ctx, &batch))
			errx(1, "%s", xensplit_errmsg(ctx));
		do {
			opts.domid = first + i;
			xensplit_batch_attach(batch, &opts);
		} while (++i < devices && i % per_commit);
		if (xensplit_batch_commit(batch))
			errx(1, "%s", xensplit_errmsg(ctx));
		xensplit_batch_free(batch);
	}
	return (double)(now_ns() - begun) / 1e6;
}

/* An error that a node does not exist is a valid answer. */
static void take_reply(int fd, struct message *reply)
{
	if (!read_message(fd, reply))
		errx(1, "the store went away");
	if (reply->hdr.type == XS_ERROR && strcmp(reply->payload, "ENOENT") != 0)
		errx(1, "a request was answered by %s", reply->payload);
}

/* Sends as much as fits, and reads answers meanwhile. */
static unsigned int send_some(int fd, const char *data, size_t len)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT };
	static struct message reply;
	unsigned int taken = 0;

	while (len) {
		ssize_t n;

		if (poll(&poll_fd, 1, -1) < 0)
			err(1, "poll");
		if (poll_fd.revents & POLLIN) {
			take_reply(fd, &reply);
			taken++;
		}
		if (!(poll_fd.revents & POLLOUT))
			continue;
		n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			err(1, "send");
		data += n;
		len -= (size_t)n;
	}
	return taken;
}

/* Sends all requests up to the next start of a transaction at once. */
static double by_requests(const struct recorder *r, int fd)
{
	uint64_t begun = now_ns();
	unsigned int waiting = 0;
	struct message reply;
	uint32_t tx = 0;
	size_t at, from = 0;

	for (at = 0; at < r->len;) {
		struct xsd_sockmsg hdr;
		bool starts;

		memcpy(&hdr, r->bytes + at, sizeof(hdr));
		starts = hdr.type == XS_TRANSACTION_START;
		if (hdr.tx_id)
			hdr.tx_id = tx;
		memcpy(r->bytes + at, &hdr, sizeof(hdr));
		waiting++;
		at += sizeof(hdr) + hdr.len;
		if (!starts && at < r->len)
			continue;
		waiting -= send_some(fd, r->bytes + from, at - from);
		from = at;
		for (; waiting; waiting--)
			take_reply(fd, &reply);
		if (starts)
			tx = (uint32_t)atol(reply.payload);
	}
	return (double)(now_ns() - begun) / 1e6;
}

static void clean_up(struct xs_handle *xs)
{
	char path[64];
	unsigned int i;

	for (i = first; i < first + devices; i++) {
		snprintf(path, sizeof(path), "/xensplit/%u/pipeline", i);
		if (!xs_rm(xs, XBT_NULL, path))
			err(1, "%s", path);
		snprintf(path, sizeof(path), "/local/domain/%u/device/pipeline", i);
		xs_rm(xs, XBT_NULL, path);
	}
	xs_rm(xs, XBT_NULL, "/local/domain/0/backend/pipeline");
}

int main(int argc, char **argv)
{
	struct recorder r = { 0 };
	double *library, *raw, *ratios;
	struct xensplit_ctx *ctx;
	struct xs_handle *xs;
	char socket_path[108];
	size_t rounds, i;
	pthread_t thread;
	int fd;

	if (argc != 5 || !getenv("XENSTORED_PATH") || !getenv("XENSPLIT_SANDBOX"))
		return warnx("usage: %s FIRST-DOMID DEVICES PER-COMMIT ROUNDS", argv[0]),
		       2;
	first = (unsigned int)atoi(argv[1]);
	devices = (unsigned int)atoi(argv[2]);
	per_commit = (unsigned int)atoi(argv[3]);
	rounds = (size_t)atoi(argv[4]);
	library = calloc(rounds, sizeof(*library));
	raw = calloc(rounds, sizeof(*raw));
	ratios = calloc(rounds, sizeof(*ratios));
	if (!library || !raw || !ratios)
		err(1, "calloc");
	snprintf(store_path, sizeof(store_path), "%s", getenv("XENSTORED_PATH"));
	snprintf(socket_path, sizeof(socket_path), "%s/pipeline.sock",
		 getenv("XENSPLIT_SANDBOX"));

	ctx = context(store_path);
	xs = xs_open(0);
	fd = open_socket(store_path, false);
	if (!xs)
		err(1, "%s", store_path);
	by_library(ctx); /* a domain's first device may need more requests */
	clean_up(xs);

	r.listen_fd = open_socket(socket_path, true);
	r.store_fd = open_socket(store_path, false);
	if (pthread_create(&thread, NULL, relay, &r))
		errx(1, "pthread_create");
	{
		struct xensplit_ctx *recorded = context(socket_path);

		by_library(recorded);
		xensplit_free(recorded);
	}
	pthread_join(thread, NULL);
	unlink(socket_path);
	clean_up(xs);

	for (i = 0; i < rounds; i++) {
		if (i % 2) {
			raw[i] = by_requests(&r, fd);
			clean_up(xs);
			library[i] = by_library(ctx);
		} else {
			library[i] = by_library(ctx);
			clean_up(xs);
			raw[i] = by_requests(&r, fd);
		}
		clean_up(xs);
		ratios[i] = library[i] / raw[i];
	}
	printf("%.3f %.3f %.3f\n", median(library, rounds), median(raw, rounds),
	       median(ratios, rounds));
	xensplit_free(ctx);
	xs_close(xs);
	return 0;
}
