/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The private interface of libxensplit, in the order of its files. */
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

/* ctx.c */

struct xensplit_ctx {
	struct xs_handle *xs;
	bool own_xs;
	struct xentoollog_logger *logger;
	struct xentoollog_logger *own_logger;
	const struct xensplit_hypervisor *hypervisor;
	void *hypervisor_data;
	char errmsg[1024];
};

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
int store_transaction(struct txn *txn, int (*fn)(struct txn *txn, void *data),
		      void *data) __must_check;
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

/* domain.c */

/*
 * What tells a domain from a later one of the same number. The UUID stays the
 * same where a VM is started again; the mark is ours, random, and goes with the
 * domain's directory. Each is an empty string where it is not known.
 */
struct identity {
	char uuid[UUID_SIZE];
	char mark[MARK_SIZE];
};

/*
 * What is needed to compare a domain with the one that was @recorded. -ESRCH:
 * no such domain. With NULL only that is found out.
 */
int domain_identity(struct txn *txn, uint32_t domid, const struct identity *recorded,
		    struct identity *ret_identity) __must_check;
/* For a domain that shall get a device: 0 or -ESRCH. */
int domain_claim(struct txn *txn, uint32_t domid,
		 struct identity *ret_identity) __must_check;
/* Makes the mark where a domain has none yet; dom0 needs none. */
int domain_mark(struct txn *txn, uint32_t domid, char mark[MARK_SIZE]) __must_check;
/* What the hypervisor says (XENSPLIT_DOMAIN_*), 0 where nobody can tell. */
uint32_t domain_flags(struct xensplit_ctx *ctx, uint32_t domid);
/* Its name; NULL where it has none. To be freed. */
char *domain_name(struct txn *txn, uint32_t domid);

/* id.c */

/* An id that owns its type. */
struct device_id {
	uint32_t domid;
	uint32_t devid;
	char type[TYPE_MAX + 1];
	/* Where the backend's directory has another type; it names no other device. */
	char backend_type[TYPE_MAX + 1];
};

int id_set(struct xensplit_ctx *ctx, struct device_id *id, uint32_t domid,
	   const char *type, uint32_t devid) __must_check;
int id_check_filter(struct xensplit_ctx *ctx, const struct xensplit_filter *from,
		    struct xensplit_filter *to) __must_check;
/* NULL, or the type itself: that of the frontend. */
void id_set_backend_type(struct device_id *id, const char *backend_type);
bool id_matches(const struct device_id *id, const struct xensplit_filter *filter);
int id_compare(const struct device_id *a, const struct device_id *b);
bool type_is_valid(const char *type);
/* "mydevice/0 of domain 5", for messages. */
const char *id_text(const struct device_id *id, char *buf, size_t size);
#define ID_TEXT_SIZE (TYPE_MAX + 48)

void path_record(char *path, const struct device_id *id, const char *key);
void path_frontend(char *path, const struct device_id *id, const char *key);
void path_backend(char *path, const struct device_id *id, uint32_t backend_domid,
		  const char *key);
void path_frontend_error(char *path, const struct device_id *id, const char *key);
void path_backend_error(char *path, const struct device_id *id, uint32_t backend_domid,
			const char *key);

/* validate.c */

int validate_attach(struct xensplit_ctx *ctx,
		    const struct xensplit_attach_opts *opts) __must_check;
bool type_is_reserved(const char *type);
/* The highest device id whose bus ids are short enough; -1 where none is. */
int64_t devid_limit(const char *type, uint32_t domid);

/* pairs.c */

struct pairs {
	char **keys;
	char **values;
	size_t count;
};

/* Copies both. -ENOMEM. */
int pairs_add(struct pairs *pairs, const char *key, const char *value) __must_check;
const char *pairs_find(const struct pairs *pairs, const char *key);
/* Those of @from whose keys are not there yet. */
int pairs_add_missing(struct pairs *pairs, const struct pairs *from) __must_check;
void pairs_clear(struct pairs *pairs);

/* record.c */

struct record {
	struct device_id id;
	uint32_t backend_domid;
	struct identity frontend;
	struct identity backend;
	char unique_id[UNIQUE_ID_SIZE];
	char phase[PHASE_SIZE]; /* what an operation of several commits has reached */
	uint64_t created;
	bool more_keys; /* some did not fit and are nodes below it */
};

extern const char RECORD_ROOT[];

/* All but the extra keys. -ENOENT: there is no record. */
int record_read(struct txn *txn, const struct device_id *id,
		struct record *ret_record) __must_check;
/* Adds the extra keys to @front and @back. */
int record_read_keys(struct txn *txn, const struct device_id *id, struct pairs *front,
		     struct pairs *back) __must_check;
int record_write(struct txn *txn, struct record *record, const struct pairs *front,
		 const struct pairs *back) __must_check;
/* Rewrites that field alone: what another version wrote is kept. */
int record_set_phase(struct txn *txn, const struct device_id *id,
		     const char *phase) __must_check;
int record_remove(struct txn *txn, const struct device_id *id) __must_check;
enum domain_now {
	DOMAIN_SAME,
	DOMAIN_GONE,
	DOMAIN_OTHER
};

/* What has become of the domain that had this UUID. */
int record_domain_now(struct txn *txn, uint32_t domid,
		      const struct identity *recorded) __must_check;
/* 1 if one of its domains is gone or another one by now, else 0. */
int record_is_stale(struct txn *txn, const struct record *record) __must_check;
/* As record_read(), and -ESTALE for a stale one, with words for the user. */
int record_require(struct txn *txn, const struct device_id *id,
		   struct record *ret_record) __must_check;
typedef int record_fn(struct txn *txn, const struct device_id *id, void *data);
/* Call @fn for each record that matches, in any order, until it returns not 0. */
int record_foreach(struct txn *txn, const struct xensplit_filter *filter, record_fn *fn,
		   void *data) __must_check;

/* device.c */

/* Where the halves of a device stand. */
struct place {
	struct device_id id;
	uint32_t backend_domid; /* XENSPLIT_ANY: a frontend without a backend */
	bool recorded;
};

struct perms perms_frontend(const struct device_id *id, uint32_t backend_domid);
struct perms perms_backend(const struct device_id *id, uint32_t backend_domid);
struct perms perms_identity(const struct device_id *id, uint32_t backend_domid);
/* By its record, else by a look at every domain's backends. -ENOENT. */
int place_find(struct txn *txn, const struct device_id *id,
	       struct place *ret_place) __must_check;
int place_states(struct txn *txn, const struct place *place, int *ret_frontend,
		 int *ret_backend) __must_check;
/* "frontend Connected, backend Closing" */
const char *states_text(int frontend_state, int backend_state, char *buf, size_t size);
#define STATES_TEXT_SIZE 64
int state_read(struct txn *txn, const char *path, int *ret_state) __must_check;
int place_remove_backend(struct txn *txn, const struct device_id *id,
			 uint32_t backend_domid) __must_check;
int place_remove_halves(struct txn *txn, const struct place *place) __must_check;
int place_remove_errors(struct txn *txn, const struct place *place) __must_check;

/* batch.c, attach.c, detach.c, repair.c, reap.c */

enum step_kind {
	STEP_ATTACH,
	STEP_CLOSE,
	STEP_REMOVE,
	STEP_REPAIR,
	STEP_REAP
};

struct step {
	enum step_kind kind;
	uint32_t flags;
	struct device_id id;
	bool auto_devid;
	bool cleared; /* the record of what it replaces is there, and no more */
	uint32_t backend_domid;
	struct pairs front;
	struct pairs back;
};

int attach_stage(struct txn *txn, struct step *step) __must_check;
int close_stage(struct txn *txn, const struct device_id *id) __must_check;
int remove_stage(struct txn *txn, const struct step *step) __must_check;
int repair_stage(struct txn *txn, const struct device_id *id) __must_check;
int remove_stale(struct txn *txn, const struct device_id *id) __must_check;
int reap_stage(struct txn *txn) __must_check;
/* Have both drivers asked to close; phase one of a detach. */
int place_close(struct txn *txn, const struct place *place) __must_check;
/* Add the recorded extra keys that are not among these; a record that is gone has none. */
int keys_keep(struct txn *txn, const struct device_id *id, struct pairs *front,
	      struct pairs *back) __must_check;
/* As xensplit_batch_attach(), where replace_clear() has made room. */
int batch_attach_cleared(struct xensplit_batch *batch,
			 const struct xensplit_attach_opts *opts) __must_check;

/* wait.c */

struct wait {
	struct device_id id;
	int until;
	unsigned int timeout_ms;
	uint64_t deadline_us;
	bool fresh; /* just attached: error nodes and Closing are news */
	bool force; /* goes on after the deadline, whatever the cause */
};

int wait_run(struct xensplit_ctx *ctx, const struct wait *wait) __must_check;

/* replace.c */

/* Close and remove what is where @wait's device shall be; only its record stays. */
int replace_clear(struct xensplit_ctx *ctx, uint32_t backend_domid,
		  const struct wait *wait) __must_check;

/* monitor.c */

struct view {
	bool present;
	uint32_t backend_domid;
	int frontend_state;
	int backend_state;
};

/* What a monitor of one device knows about it. */
void monitor_view(const struct xensplit_monitor *monitor, struct view *ret_view);

/* diagnose.c */

/* What a device is being looked at for. */
struct patient {
	struct txn *txn;
	struct place place;
	int frontend_state;
	int backend_state;
	struct xensplit_findings *findings;
};

/*
 * Note a finding down. @what is formatted; in @fix, {T} {D} {I} {B} stand for
 * the device and {FE} {BE} for its paths. One of each code for a device: 0.
 */
int finding_add(struct patient *patient, int severity, const char *code, const char *why,
		const char *fix, const char *what, ...) __printf(6, 7) __must_check;
/*
 * The cause of what holds a device up, for a message that tells its states
 * already. NULL: nothing was found.
 */
const char *diagnose_cause(struct xensplit_ctx *ctx, const struct device_id *id,
			   const char *states, char *buf, size_t size);

/* checks.c */

/* All that can be wrong with one device, causes first. */
int check_device(struct patient *patient) __must_check;
int check_store_speed(struct patient *patient) __must_check;

/* kernel.c */

/* What gets a device going that nothing else does; diagnose.c fills it in. */
#define FIX_REPLACE "xensplit attach {D} {T}/{I} --backend={B} --replace"

/* What the kernel of this domain makes of a backend that stands in it. */
int check_kernel(struct patient *patient) __must_check;

/* Wait a moment for this domain's kernel to give up a backend that is no more. */
int kernel_settle(struct xensplit_ctx *ctx, const struct device_id *id,
		  uint32_t backend_domid) __must_check;

/* perms.c */

bool perms_may_read(const struct node_perms *perms, uint32_t domid);
bool perms_may_write(const struct node_perms *perms, uint32_t domid);
bool perms_open_to_all(const struct node_perms *perms);

#endif
