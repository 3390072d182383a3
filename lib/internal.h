/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Used by every file of libxensplit: context, texts, states, and the store. */
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
#include <sys/types.h>

#include <xenstore.h>
#include <xentoollog.h>

#include <xensplit.h>

#define __must_check	    __attribute__((warn_unused_result))
#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_SIZE(a)	    (sizeof(a) / sizeof((a)[0]))

/* DOMID_FIRST_RESERVED of xen/include/public/xen.h */
#define DOMID_END 0x7ff0u

/* Longest device type that is read; one that Linux accepts is far shorter. */
#define TYPE_MAX 127
/* A path of the schema with a type of up to TYPE_MAX. */
#define PATH_SIZE 384
/* XenStore's limit for a node of an unprivileged domain. */
#define VALUE_MAX_LEN  2048
#define UUID_SIZE      37
#define MARK_SIZE      17
#define PHASE_SIZE     16
#define LISTED_SIZE    8
#define UNIQUE_ID_SIZE 33

/* ctx.c */

struct hub;

/* Why a call failed, in one block: an operation keeps a copy. */
struct failure {
	struct xensplit_error error;
	struct xensplit_finding cause; /* without a code: not known */
	char text[1024];
	char cause_what[512];
	char cause_type[TYPE_MAX + 1];
	char cause_backend_type[TYPE_MAX + 1];
};

struct xensplit_ctx {
	struct xs_handle *xs;
	struct hub *hub; /* watches of operations, once one waits; hub.c */
	bool own_xs;
	struct xentoollog_logger *logger;
	struct xentoollog_logger *own_logger;
	struct xensplit_hypervisor hypervisor; /* without a query: ask XenStore */
	void *hypervisor_data;
	pid_t owner; /* the process that made it */
	struct failure failure;
};

/* Was it made before fork(), by another process? Then it must not touch XenStore. */
bool ctx_is_inherited(const struct xensplit_ctx *ctx);
/* -ECHILD if so, and sets the error text. */
int ctx_check_owner(struct xensplit_ctx *ctx) __must_check;

/* hub.c: the watches of a context's operations */
void hub_close(struct xensplit_ctx *ctx);

/* failure.c */

/* Clears the error: at the start of each call, and after a failure that is ignored. */
void ctx_begin(struct xensplit_ctx *ctx);
/* At the end of each call: clears the error if the call succeeded. Returns: @r. */
int ctx_end(struct xensplit_ctx *ctx, int r);
/* Sets text and code of the error. @code: NULL for the default of @err. Returns: @err. */
#define fail_as(ctx, err, code, ...) \
	(failure_set((ctx), (err), (code), __VA_ARGS__), (err))
#define fail(ctx, err, ...) fail_as(ctx, err, NULL, __VA_ARGS__)
void failure_set(struct xensplit_ctx *ctx, int err, const char *code, const char *fmt,
		 ...) __printf(4, 5);
/* More about the failure, after fail(). */
void failure_set_states(struct xensplit_ctx *ctx, int frontend, int backend);
void failure_set_cause(struct xensplit_ctx *ctx, const struct xensplit_finding *cause);
void failure_copy(struct failure *to, const struct failure *from);
/* For those that keep many: one block, as large as its texts. NULL: out of memory. */
struct xensplit_error *error_copy(const struct xensplit_error *from);

/* kernel.c: where sysfs is mounted, and where the modules of each kernel are. */
extern const char *sysfs, *modules;

/* base.c */

void log_debug(struct xensplit_ctx *ctx, const char *fmt, ...) __printf(2, 3);
void log_verbose(struct xensplit_ctx *ctx, const char *fmt, ...) __printf(2, 3);
void log_warn(struct xensplit_ctx *ctx, const char *fmt, ...) __printf(2, 3);
void log_progress(struct xensplit_ctx *ctx, const char *doing, unsigned long done,
		  unsigned long total);
/* Copies a caller's sized struct into the library's: 0, or -EINVAL. */
int opts_copy(void *to, size_t to_size, const void *from) __must_check;
uint64_t now_us(void);
/* @time_us: a time as from now_us(). */
void sleep_until(uint64_t time_us);
/* Fills @text with random hexadecimal digits; @size is odd, up to UNIQUE_ID_SIZE. */
int random_text(struct xensplit_ctx *ctx, char *text, size_t size) __must_check;

/* text.c */

/* Writes @len bytes as printable ASCII, truncated to fit. Returns @buf. */
const char *escape(char *buf, size_t size, const char *bytes, size_t len);
/* Reverses escape(). The caller frees the result; NULL without memory. */
char *unescape(const char *text, size_t len) __must_check;
/* Parses decimal digits and nothing else; false if not that, or more than @max. */
bool parse_number(const char *text, size_t len, uint64_t max, uint64_t *ret_number);
/* The same, of the name of a node: a guest may have made "7" and "07". */
bool parse_name(const char *name, uint64_t max, uint64_t *ret_number);

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

/* The permissions of a node. */
struct node_perms {
	unsigned int count;
	struct xs_permissions entry[NODE_PERMS_MAX];
	char text[256];
};

/*
 * How to access the store: a connection, a transaction or none, and where to
 * record changes.
 */
/* What a removal removes: see op_remove(). */
enum txn_part {
	TXN_WHOLE,
	TXN_HALVES,
	TXN_RECORD
};

struct txn {
	struct xensplit_ctx *ctx;
	struct xs_handle *xs;
	xs_transaction_t t;
	struct xensplit_nodes *journal; /* NULL: changes are not recorded */
	enum txn_part part;
	bool preview;  /* never commit */
	bool borrowed; /* the caller's: do nothing outside it */
	bool wrote;    /* since the transaction was started */
	bool collided; /* given up, since every commit collided */
};

#define TXN_NONE(context)                             \
	{                                             \
		.ctx = (context), .xs = (context)->xs \
	}

struct xs_handle *store_open(void);
void store_close(struct xensplit_ctx *ctx, struct xs_handle *xs);
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
/* Removes @path, then up to @parents directories above it that are empty. */
int store_remove_prune(struct txn *txn, const char *path,
		       unsigned int parents) __must_check;
typedef int store_fn(struct txn *txn, void *data);
/* Pauses add up to about a second; a busy store needs two or three tries. */
#define STORE_TRIES 24
/* Runs @fn in one transaction. -EAGAIN: it collided with another client's. */
int store_try(struct txn *txn, store_fn *fn, void *data) __must_check;
/* A random time that doubles with each @try; between half of it and all, at most @longest. */
uint64_t pause_us(uint64_t first, uint64_t longest, unsigned int try);
/* How long to wait before try number @try, counted from 1. */
uint64_t store_pause_us(unsigned int try);
/* -EBUSY, and sets the error text. */
int store_gave_up(struct xensplit_ctx *ctx);
/* Retries, with pauses, until the transaction succeeds. -EBUSY. */
int store_transaction(struct txn *txn, store_fn *fn, void *data) __must_check;
/* Does xenstored know this domain? */
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
/* "n5,r0": the owner and what everyone else may do, then single domains. */
void perms_format(const struct xs_permissions *perms, unsigned int count, char *buf,
		  size_t size);
bool perms_guest_may_write(const struct node_perms *perms);
bool perms_open_to_all(const struct node_perms *perms);

/* pairs.c */

struct pairs {
	struct xensplit_pair *list; /* keys and values belong to the list */
	size_t count;
};

/* Copies both strings. -ENOMEM. */
int pairs_add(struct pairs *pairs, const char *key, const char *value) __must_check;
const char *pairs_find(const struct pairs *pairs, const char *key);
/* Adds the pairs of @from whose keys are missing. */
int pairs_add_missing(struct pairs *pairs, const struct pairs *from) __must_check;
void pairs_clear(struct pairs *pairs);

#endif
