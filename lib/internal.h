/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every file of libxensplit needs: context, texts, states, and the store. */
#ifndef XENSPLIT_INTERNAL_H
#define XENSPLIT_INTERNAL_H

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>
#include <xentoollog.h>

#include <xensplit.h>

#define __must_check	    __attribute__((warn_unused_result))
#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_SIZE(a)	    (sizeof(a) / sizeof((a)[0]))

/* DOMID_FIRST_RESERVED of xen/include/public/xen.h */
#define DOMID_END 0x7ff0u

/* Longest device type that is looked at; one that probes is far shorter. */
#define TYPE_MAX 127
/* A path of the schema, its type no longer than TYPE_MAX. */
#define PATH_SIZE 384
/* XenStore's limit for a node of an unprivileged domain. */
#define VALUE_MAX_LEN  2048
#define UUID_SIZE      37
#define MARK_SIZE      17
#define PHASE_SIZE     16
#define UNIQUE_ID_SIZE 33

/* base.c, but for the context itself, ctx.c */

struct hub;

struct xensplit_ctx {
	struct xs_handle *xs;
	struct hub *hub; /* watches of operations, once one waits; hub.c */
	bool own_xs;
	struct xentoollog_logger *logger;
	struct xentoollog_logger *own_logger;
	struct xensplit_hypervisor hypervisor; /* without a query: XenStore is asked */
	void *hypervisor_data;
	char errmsg[1024];
};

/* hub.c: the watches of a context's operations */
void hub_close(struct xensplit_ctx *ctx);

/* At the begin of each call that can fail, and where what failed in it is no failure of it. */
void ctx_begin(struct xensplit_ctx *ctx);
/* At its end: what was overcome on the way to a success leaves no text. Returns: @r. */
int ctx_end(struct xensplit_ctx *ctx, int r);
void set_errmsg(struct xensplit_ctx *ctx, const char *fmt, ...) __printf(2, 3);
/* Keep a text for xensplit_errmsg(); the result is @err, for the caller to return. */
#define fail(ctx, err, ...) (set_errmsg((ctx), __VA_ARGS__), (err))
void log_debug(struct xensplit_ctx *ctx, const char *fmt, ...) __printf(2, 3);
void log_warn(struct xensplit_ctx *ctx, const char *fmt, ...) __printf(2, 3);
void log_progress(struct xensplit_ctx *ctx, const char *doing, unsigned long done,
		  unsigned long total);
/* Copy a caller's sized struct into ours: 0, or -EINVAL. */
int opts_copy(void *to, size_t to_size, const void *from) __must_check;
uint64_t now_us(void);
/* An absolute time of now_us(). */
void sleep_until(uint64_t time_us);
/* Random hexadecimal digits that fill @text of an odd @size up to UNIQUE_ID_SIZE. */
int random_text(struct xensplit_ctx *ctx, char *text, size_t size) __must_check;

/* text.c */

/* Write @len bytes as printable ASCII, cut to fit. Returns @buf. */
const char *escape(char *buf, size_t size, const char *bytes, size_t len);
/* What escape() made, as bytes again; a text to be freed, NULL where there is no memory. */
char *unescape(const char *text, size_t len) __must_check;
/* A number in decimal digits and nothing else; false if it is more than @max. */
bool parse_number(const char *text, size_t len, uint64_t max, uint64_t *ret_number);

/* state.c */

int state_parse(const char *value, size_t len);
bool state_is_started(int state);
bool state_is_connected(int state);
bool state_is_closing(int state);

/* store.c */

struct xensplit_nodes {
	struct xensplit_node **nodes;
	size_t count;
	size_t room;
};

#define PERMS_MAX 3

struct perms {
	unsigned int count;
	struct xs_permissions entry[PERMS_MAX];
};

#define NODE_PERMS_MAX 16

/* What a node's permissions are, whoever set them. */
struct node_perms {
	unsigned int count;
	struct xs_permissions entry[NODE_PERMS_MAX];
	char text[256];
};

/*
 * A place to work in: a connection, a transaction or none, and where changes
 * are noted down.
 */
struct txn {
	struct xensplit_ctx *ctx;
	struct xs_handle *xs;
	xs_transaction_t t;
	struct xensplit_nodes *journal; /* NULL: changes are not noted */
	bool preview;			/* never to be committed */
	bool borrowed;			/* the caller's: nothing is done outside of it */
	bool wrote;			/* since the transaction was started */
	bool collided;			/* given up, as every commit collided */
};

#define TXN_NONE(context)                             \
	{                                             \
		.ctx = (context), .xs = (context)->xs \
	}

struct xs_handle *store_open(void);
void store_close(struct xs_handle *xs);
int store_read(struct txn *txn, const char *path, char **ret_value,
	       size_t *ret_len) __must_check;
int store_exists(struct txn *txn, const char *path) __must_check;
int store_list(struct txn *txn, const char *path, char ***ret_names,
	       unsigned int *ret_count) __must_check;
int store_get_perms(struct txn *txn, const char *path,
		    struct node_perms *ret_perms) __must_check;
int store_set_perms(struct txn *txn, const char *path,
		    const struct perms *perms) __must_check;
int store_write(struct txn *txn, const char *path, const char *value,
		const struct perms *inherited) __must_check;
int store_write_perms(struct txn *txn, const char *path, const char *value,
		      const struct perms *perms) __must_check;
int store_mkdir(struct txn *txn, const char *path,
		const struct perms *perms) __must_check;
int store_remove(struct txn *txn, const char *path) __must_check;
/* Remove @path, then up to @parents directories above it that are empty. */
int store_remove_prune(struct txn *txn, const char *path,
		       unsigned int parents) __must_check;
typedef int store_fn(struct txn *txn, void *data);
/* About a second of pauses; a store that is merely busy needs two or three. */
#define STORE_TRIES 24
/* One transaction around @fn. -EAGAIN: it collided with another client's. */
int store_try(struct txn *txn, store_fn *fn, void *data) __must_check;
/* How long to wait before the next try, counted from 1. */
uint64_t store_pause_us(unsigned int try);
/* -EBUSY, with words. */
int store_gave_up(struct xensplit_ctx *ctx);
/* Tries until it goes through, with pauses. -EBUSY. */
int store_transaction(struct txn *txn, store_fn *fn, void *data) __must_check;
/* Is there such a domain, as far as xenstored has heard? */
int store_knows_domain(struct txn *txn, uint32_t domid) __must_check;
int store_watch(struct txn *txn, const char *path, const char *token) __must_check;
void store_unwatch(struct txn *txn, const char *path, const char *token);
int store_watch_fd(struct xs_handle *xs);
/* A fired watch, [XS_WATCH_PATH] and [XS_WATCH_TOKEN], in one block to free; or NULL. */
char **store_next_watch(struct xs_handle *xs) __must_check;

/* nodes.c */

int nodes_add(struct xensplit_nodes *nodes, int op, const char *path, const char *value,
	      size_t len, const char *perms) __must_check;
void nodes_clear(struct xensplit_nodes *nodes);

/* perms.c */

bool perms_may_read(const struct node_perms *perms, uint32_t domid);
bool perms_may_write(const struct node_perms *perms, uint32_t domid);
/* "n5,r0": the owner and what everyone else may do, then what single domains may. */
void perms_format(const struct xs_permissions *perms, unsigned int count, char *buf,
		  size_t size);
bool perms_open_to_all(const struct node_perms *perms);

/* pairs.c */

struct pairs {
	struct xensplit_pair *list; /* key and value are the list's own */
	size_t count;
};

/* Copies both. -ENOMEM. */
int pairs_add(struct pairs *pairs, const char *key, const char *value) __must_check;
const char *pairs_find(const struct pairs *pairs, const char *key);
/* Those of @from whose keys are not there yet. */
int pairs_add_missing(struct pairs *pairs, const struct pairs *from) __must_check;
void pairs_clear(struct pairs *pairs);

#endif
