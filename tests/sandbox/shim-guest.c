// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sockets for clients in a guest. A guest has a single ring page for all programs that use the
 * store. Like the guest's kernel, this file multiplexes them: it renumbers requests, prefixes the
 * tokens of watches with the client's id, and removes the watches and transactions of a client
 * that has disconnected.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim.h"
#include "wire.h"

#define MAX_BACKLOG (16 << 20) /* bytes that a client may leave unread */

struct queued {
	struct queued *next;
	struct message msg;
};

struct watch {
	struct watch *next;
	char strings[]; /* path and token as xenstored knows them, each with its NUL */
};

struct transaction {
	struct transaction *next;
	uint32_t id;
};

struct client {
	struct source src; /* first, since the loop passes it back */
	struct client *next;
	struct guest *guest;
	unsigned int id;
	struct message in;
	char *out; /* answers that did not fit the socket */
	size_t out_len;
	struct watch *watches;
	struct transaction *transactions;
};

struct request {
	struct request *next;
	uint32_t ring_id, client_req_id;
	struct client *client; /* NULL: it has disconnected, drop the answer */
};

struct guest {
	struct source src; /* the listening socket */
	struct guest *next;
	unsigned int domid;
	char name[32]; /* of the socket */
	struct xenstore_domain_interface *page;
	struct client *clients;
	struct request *requests;
	struct queued *cleanup; /* requests for clients that have disconnected */
	bool sending;
	struct message to_ring, from_ring;
	uint32_t last_ring_id;
	unsigned int last_client_id;
};

static struct guest *guests;

/* The client's request, or the clean-up's, becomes the guest's next request. */

static void want_input(struct client *c)
{
	uint32_t events = message_complete(&c->in) ? 0 : EPOLLIN;

	loop_want(&c->src, events | (c->out_len ? EPOLLOUT : 0));
}

static void send_to_client(struct client *c, const struct xsd_sockmsg *hdr,
			   const void *payload)
{
	size_t len = sizeof(*hdr) + hdr->len;
	char *out;

	if (c->out_len + len > MAX_BACKLOG) {
		shutdown(c->src.fd, SHUT_RDWR); /* the loop then sees an end of file */
		return;
	}
	out = realloc(c->out, c->out_len + len);
	if (!out)
		abort();
	memcpy(out + c->out_len, hdr, sizeof(*hdr));
	memcpy(out + c->out_len + sizeof(*hdr), payload, hdr->len);
	c->out = out;
	c->out_len += len;
}

static void flush_client(struct client *c)
{
	ssize_t n;

	if (!c->out_len)
		return;
	n = send(c->src.fd, c->out, c->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0) {
		c->out_len -= n;
		memmove(c->out, c->out + n, c->out_len);
	}
	if (!c->out_len) {
		free(c->out);
		c->out = NULL;
	}
	want_input(c);
}

static void refuse(struct client *c, const char *error)
{
	struct xsd_sockmsg hdr = {
		.type = XS_ERROR,
		.req_id = c->in.hdr.req_id,
		.tx_id = c->in.hdr.tx_id,
		.len = strlen(error) + 1,
	};

	send_to_client(c, &hdr, error);
	flush_client(c);
}

/* The second of two strings in a payload, NULL if there are not two. */
static char *second_string(char *payload, size_t len)
{
	char *end = memchr(payload, '\0', len);

	if (!end || !memchr(end + 1, '\0', payload + len - end - 1))
		return NULL;
	return end + 1;
}

static void remember_watch(struct client *c, const char *strings, size_t len)
{
	struct watch *w = malloc(sizeof(*w) + len);

	if (!w)
		abort();
	memcpy(w->strings, strings, len);
	w->next = c->watches;
	c->watches = w;
}

static void forget_watch(struct client *c, const char *path, const char *token)
{
	struct watch **w = &c->watches, *gone;

	while (*w) {
		gone = *w;
		if (strcmp(gone->strings, path) ||
		    strcmp(gone->strings + strlen(path) + 1, token)) {
			w = &gone->next;
			continue;
		}
		*w = gone->next;
		free(gone);
	}
}

/* Prefixes the token with the client's id. False: it does not fit. */
static bool mark_token(struct client *c, struct message *msg)
{
	char prefix[16], *token = second_string(msg->payload, msg->hdr.len);
	size_t n = snprintf(prefix, sizeof(prefix), "%x:", c->id);

	if (!token)
		return true; /* xenstored reports the error */
	if (msg->hdr.len + n > XENSTORE_PAYLOAD_MAX)
		return false;
	memmove(token + n, token, msg->payload + msg->hdr.len - token);
	memcpy(token, prefix, n);
	msg->hdr.len += n;
	if (msg->hdr.type == XS_WATCH)
		remember_watch(c, msg->payload, token + strlen(token) + 1 - msg->payload);
	else
		forget_watch(c, msg->payload, token);
	return true;
}

static void forget_transaction(struct client *c, uint32_t id)
{
	struct transaction **t = &c->transactions, *gone;

	while (*t && (*t)->id != id)
		t = &(*t)->next;
	if (!*t)
		return;
	gone = *t;
	*t = gone->next;
	free(gone);
}

static void new_request(struct guest *g, struct client *c)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->ring_id = ++g->last_ring_id;
	r->client_req_id = g->to_ring.hdr.req_id;
	r->client = c;
	r->next = g->requests;
	g->requests = r;
	g->to_ring.hdr.req_id = r->ring_id;
	g->to_ring.done = 0;
	g->sending = true;
}

static void next_from_client(struct guest *g, struct client *c)
{
	bool watch = c->in.hdr.type == XS_WATCH || c->in.hdr.type == XS_UNWATCH;

	if (watch && !mark_token(c, &c->in)) {
		refuse(c, "E2BIG");
	} else {
		if (c->in.hdr.type == XS_TRANSACTION_END)
			forget_transaction(c, c->in.hdr.tx_id);
		memcpy(&g->to_ring, &c->in, message_size(&c->in));
		new_request(g, c);
	}
	c->in.done = 0;
	want_input(c);
}

static void next_from_cleanup(struct guest *g)
{
	struct queued *q = g->cleanup;

	g->cleanup = q->next;
	g->to_ring = q->msg;
	free(q);
	new_request(g, NULL);
}

/* Round robin: a client that was served goes to the end of the list. */
static void next_message(struct guest *g)
{
	struct client **where = &g->clients, *c;

	if (g->cleanup) {
		next_from_cleanup(g);
		return;
	}
	while (*where && !message_complete(&(*where)->in))
		where = &(*where)->next;
	c = *where;
	if (!c)
		return;
	*where = c->next;
	while (*where)
		where = &(*where)->next;
	*where = c;
	c->next = NULL;
	next_from_client(g, c);
}

static void queue_cleanup(struct guest *g, uint32_t type, uint32_t tx_id,
			  const char *payload, size_t len)
{
	struct queued **end = &g->cleanup, *q = calloc(1, sizeof(*q));

	if (!q)
		abort();
	q->msg.hdr = (struct xsd_sockmsg){ .type = type, .tx_id = tx_id, .len = len };
	memcpy(q->msg.payload, payload, len);
	while (*end)
		end = &(*end)->next;
	*end = q;
}

/* Sends a message from xenstored to the right client. */

static void dispatch_event(struct guest *g)
{
	struct message *msg = &g->from_ring;
	char *token = second_string(msg->payload, msg->hdr.len);
	char *colon = token ? strchr(token, ':') : NULL;
	struct client *c;

	if (!colon)
		return;
	for (c = g->clients; c; c = c->next)
		if (c->id == strtoul(token, NULL, 16))
			break;
	if (!c)
		return;
	memmove(token, colon + 1, msg->payload + msg->hdr.len - colon - 1);
	msg->hdr.len -= colon + 1 - token;
	send_to_client(c, &msg->hdr, msg->payload);
	flush_client(c);
}

static void note_transaction(struct guest *g, struct client *c, uint32_t id)
{
	struct transaction *t;

	if (!c) {
		queue_cleanup(g, XS_TRANSACTION_END, id, "F", 2);
		return;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		abort();
	t->id = id;
	t->next = c->transactions;
	c->transactions = t;
}

static void dispatch_reply(struct guest *g)
{
	struct message *msg = &g->from_ring;
	struct request **where = &g->requests, *r;

	while (*where && (*where)->ring_id != msg->hdr.req_id)
		where = &(*where)->next;
	r = *where;
	if (!r)
		return;
	*where = r->next;
	if (msg->hdr.type == XS_TRANSACTION_START)
		note_transaction(g, r->client, strtoul(msg->payload, NULL, 10));
	if (r->client) {
		msg->hdr.req_id = r->client_req_id;
		send_to_client(r->client, &msg->hdr, msg->payload);
		flush_client(r->client);
	}
	free(r);
}

/* The rings: each side changes only its own index, after the bytes. */

static bool ring_put(struct guest *g)
{
	struct xenstore_domain_interface *page = g->page;
	uint32_t cons = __atomic_load_n(&page->req_cons, __ATOMIC_ACQUIRE);
	uint32_t prod = page->req_prod;
	size_t left = message_size(&g->to_ring) - g->to_ring.done;
	const char *from = message_rest(&g->to_ring);
	size_t n = XENSTORE_RING_SIZE - (prod - cons);
	size_t i;

	if (n > left)
		n = left;
	for (i = 0; i < n; i++)
		page->req[MASK_XENSTORE_IDX(prod + i)] = from[i];
	__atomic_store_n(&page->req_prod, prod + n, __ATOMIC_RELEASE);
	g->to_ring.done += n;
	if (message_complete(&g->to_ring))
		g->sending = false;
	return n;
}

static bool ring_get(struct guest *g)
{
	struct xenstore_domain_interface *page = g->page;
	uint32_t prod = __atomic_load_n(&page->rsp_prod, __ATOMIC_ACQUIRE);
	uint32_t cons = page->rsp_cons;
	size_t left = message_size(&g->from_ring) - g->from_ring.done;
	char *to = message_rest(&g->from_ring);
	size_t n = prod - cons;
	size_t i;

	if (n > left)
		n = left;
	for (i = 0; i < n; i++)
		to[i] = page->rsp[MASK_XENSTORE_IDX(cons + i)];
	__atomic_store_n(&page->rsp_cons, cons + n, __ATOMIC_RELEASE);
	g->from_ring.done += n;
	return n;
}

static void pump(struct guest *g)
{
	bool moved, notify = false;

	do {
		moved = ring_get(g);
		if (message_complete(&g->from_ring)) {
			if (g->from_ring.hdr.type == XS_WATCH_EVENT)
				dispatch_event(g);
			else
				dispatch_reply(g);
			g->from_ring.done = 0;
			moved = true;
		}
		if (!g->sending)
			next_message(g);
		if (g->sending && ring_put(g))
			moved = true;
		notify |= moved;
	} while (moved);
	if (notify)
		xen_domain_notify(g->domid);
}

void guests_pump(void)
{
	struct guest *g;

	for (g = guests; g; g = g->next)
		pump(g);
}

/* The sockets */

static void free_client(struct client *c)
{
	struct watch *w;
	struct transaction *t;

	while ((w = c->watches)) {
		c->watches = w->next;
		free(w);
	}
	while ((t = c->transactions)) {
		c->transactions = t->next;
		free(t);
	}
	loop_remove(&c->src);
	free(c->out);
	free(c);
}

static void client_left(struct client *c)
{
	struct guest *g = c->guest;
	struct client **where = &g->clients;
	struct transaction *t;
	struct request *r;
	struct watch *w;

	while (*where != c)
		where = &(*where)->next;
	*where = c->next;
	for (r = g->requests; r; r = r->next)
		if (r->client == c)
			r->client = NULL;
	for (w = c->watches; w; w = w->next) {
		size_t path = strlen(w->strings) + 1;

		queue_cleanup(g, XS_UNWATCH, 0, w->strings,
			      path + strlen(w->strings + path) + 1);
	}
	for (t = c->transactions; t; t = t->next)
		queue_cleanup(g, XS_TRANSACTION_END, t->id, "F", 2);
	free_client(c);
}

static void client_ready(struct source *src, uint32_t events)
{
	struct client *c = (struct client *)src;
	ssize_t n;

	if (events & EPOLLOUT)
		flush_client(c);
	while (!message_complete(&c->in)) {
		n = recv(src->fd, message_rest(&c->in), message_size(&c->in) - c->in.done,
			 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n > 0)
			c->in.done += n;
		if (n <= 0 || message_too_long(&c->in)) {
			client_left(c);
			return;
		}
	}
	if (events & (EPOLLHUP | EPOLLERR)) {
		client_left(c);
		return;
	}
	want_input(c);
}

static void accept_client(struct source *src, uint32_t events)
{
	struct guest *g = (struct guest *)src;
	int fd = accept4(src->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c = calloc(1, sizeof(*c));

	(void)events;
	if (fd < 0 || !c || loop_add(&c->src, fd, client_ready) < 0) {
		free(c);
		if (fd >= 0)
			close(fd);
		return;
	}
	c->guest = g;
	c->id = ++g->last_client_id;
	c->next = g->clients;
	g->clients = c;
}

/* Opens the socket of a guest that was introduced to xenstored. */
int guest_serve(unsigned int domid)
{
	struct guest *g = calloc(1, sizeof(*g));
	int fd;

	if (!g)
		return -ENOMEM;
	g->domid = domid;
	g->page = xen_domain_page(domid);
	if (!g->page) {
		free(g);
		return -ESRCH;
	}
	snprintf(g->name, sizeof(g->name), "dom%u.sock", domid);
	fd = loop_listen(g->name, SOCK_STREAM);
	if (fd < 0) {
		free(g);
		return fd;
	}
	loop_add(&g->src, fd, accept_client);
	g->next = guests;
	guests = g;
	return 0;
}

/* The domain is gone: closes the sockets of its programs. */
void guest_gone(unsigned int domid)
{
	struct guest **where = &guests, *g;
	struct request *r;
	struct queued *q;
	struct client *c;

	while (*where && (*where)->domid != domid)
		where = &(*where)->next;
	g = *where;
	if (!g)
		return;
	*where = g->next;
	while ((c = g->clients)) {
		g->clients = c->next;
		free_client(c);
	}
	while ((r = g->requests)) {
		g->requests = r->next;
		free(r);
	}
	while ((q = g->cleanup)) {
		g->cleanup = q->next;
		free(q);
	}
	loop_unlisten(&g->src, g->name);
	free(g);
}
