/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxensplit - create, watch, repair and remove Xen split devices
 *
 * A split device is a frontend in one domain and a backend in another. Their
 * drivers probe only when both halves stand in XenStore, with the right owners.
 * This library writes them, follows their states and takes them away again.
 *
 * Results
 *   Functions return 0 (or a positive result, where said) or a negative errno.
 *   Results come through ret_ arguments, which are untouched on failure (the one
 *   exception, xensplit_attach(), says so). xensplit_errmsg() returns the text of
 *   the failure of the last call on a context, with the node and the states it
 *   is about; it is empty after a success. Errors that many functions share:
 *     -EINVAL     an argument is wrong; nothing was asked of XenStore
 *     -ESRCH      no such domain
 *     -ENOENT     no such device
 *     -EEXIST     the device is there already
 *     -ESTALE     the record belongs to a former domain of that number
 *     -EBUSY      other clients kept changing the same nodes
 *     -EAGAIN     staging collided with another client: abort, and stage again
 *     -EACCES     this client may not do that
 *     -ETIMEDOUT  the deadline passed
 *     -EPROTO     a driver gave up (Closing or Closed after it had started)
 *     -ECANCELED  the caller cancelled the operation
 *     -ENOTCONN   xenstored does not answer
 *     -EBADMSG    a record in XenStore can't be understood
 *     -ENOMEM
 *   A call fails with these and with what else XenStore answers (-ENOSPC, a
 *   quota).
 *
 * Ownership
 *   Objects with a _new function end with their _free function, which takes
 *   NULL and returns NULL. A context outlives what was made from it. Structs
 *   that the library hands out (struct xensplit_device and its like) are
 *   allocated by the library alone and may grow at their end: never copy them
 *   by value, never ask for their size. They and their strings live as long as
 *   the object they came from, or as the function says. Structs that the caller
 *   fills begin with their size: set them up with XENSPLIT_OPTS(). A size this
 *   library does not know is accepted as long as the excess is zero.
 *
 * Threads, fork and signals
 *   A context and all that was made from it belong to one thread at a time;
 *   different contexts are independent. After fork() the child must not touch a
 *   context it inherited, not even to free it. A monitor, and the first call on
 *   a context that waits, let libxenstore start one reader thread each with all
 *   signals blocked. Up to Xen 4.19 libxenstore sets the process's SIGPIPE
 *   action aside during a write. Waits go on after a signal handler returns: who
 *   needs to stop one early drives an operation (xensplit_op_*) and cancels it.
 *   Descriptors are close-on-exec.
 *
 * A xenstored that does not answer
 *   libxenstore waits for an answer without a time limit, and so does every call
 *   here that asks XenStore something. Each request is logged at XTL_DEBUG
 *   before it is made: a caller whose logger sees none for a while, though a
 *   call has not returned, knows where it hangs. A process that ends in the
 *   middle of a call leaves a whole device or none, or a record from which
 *   xensplit_repair() or an attach with XENSPLIT_ATTACH_REPLACE completes it.
 *
 * Trust
 *   Nothing is derived from what a guest or a driver domain can write, but the
 *   states they show, the text of their error nodes, and the configuration of
 *   foreign devices, which no other call acts upon. Such bytes are handed out
 *   as they are: escape them before you print them.
 *
 * XenStore schema and states: xensplit(7). Tool: xensplit(8).
 */
#ifndef XENSPLIT_H
#define XENSPLIT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xs_handle;	  /* xenstore.h */
struct xentoollog_logger; /* xentoollog.h */

#if defined(__GNUC__) && __GNUC__ >= 4
#define XENSPLIT_API __attribute__((visibility("default")))
#else
#define XENSPLIT_API
#endif

/* The version of this header; xensplit_version() tells that of the library. */
#define XENSPLIT_VERSION_MAJOR 0
#define XENSPLIT_VERSION_MINOR 1
#define XENSPLIT_VERSION_PATCH 0
#define XENSPLIT_VERSION_AT_LEAST(major, minor) \
	(XENSPLIT_VERSION_MAJOR > (major) ||    \
	 (XENSPLIT_VERSION_MAJOR == (major) && XENSPLIT_VERSION_MINOR >= (minor)))

/* Any domain or device id, in a struct xensplit_filter; no domain, elsewhere. */
#define XENSPLIT_ANY 0xffffffffu

/* In struct xensplit_attach_opts: the library picks the device id. */
#define XENSPLIT_DEVID_AUTO 0xffffffffu

/* A struct that the caller fills, zeroed but for its size. */
#if defined(__cplusplus)
#define XENSPLIT_OPTS(type, name) \
	struct type name = {};    \
	name.sz = sizeof(name)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 199901L
#define XENSPLIT_OPTS(type, name) struct type name = { .sz = sizeof(struct type) }
#else
#define XENSPLIT_OPTS(type, name) struct type name = { sizeof(struct type) }
#endif

/*
 * enum xensplit_state - the XenBus states (xen/include/public/io/xenbus.h)
 *
 * XENSPLIT_STATE_ABSENT: there is no state node. XENSPLIT_STATE_INVALID: there
 * is one, and it holds no number from 0 to 8.
 *
 * Since: 0.1
 */
enum xensplit_state {
	XENSPLIT_STATE_INVALID = -2,
	XENSPLIT_STATE_ABSENT = -1,
	XENSPLIT_STATE_UNKNOWN = 0,
	XENSPLIT_STATE_INITIALISING = 1,
	XENSPLIT_STATE_INIT_WAIT = 2,
	XENSPLIT_STATE_INITIALISED = 3,
	XENSPLIT_STATE_CONNECTED = 4,
	XENSPLIT_STATE_CLOSING = 5,
	XENSPLIT_STATE_CLOSED = 6,
	XENSPLIT_STATE_RECONFIGURING = 7,
	XENSPLIT_STATE_RECONFIGURED = 8
};

/*
 * xensplit_state_name - the name of a state, as in xenbus.h
 * @state: any number
 *
 * Returns: a static string, such as "InitWait"; "absent" and "invalid" for the
 * two that are no XenBus states; never NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API const char *xensplit_state_name(int state);

/* ------------------------------------------------------------- context --- */

/*
 * struct xensplit_domain - what a hypervisor knows about a domain
 * @sz: the size that the library knows; members beyond it must not be written
 * @flags: XENSPLIT_DOMAIN_*
 * @uuid: its UUID; all zero means that it has none
 *
 * Since: 0.1
 */
struct xensplit_domain {
	size_t sz;
	uint32_t flags;
	uint8_t uuid[16];
};

#define XENSPLIT_DOMAIN_PAUSED	 (1u << 0)
#define XENSPLIT_DOMAIN_DYING	 (1u << 1)
#define XENSPLIT_DOMAIN_SHUTDOWN (1u << 2)
#define XENSPLIT_DOMAIN_CRASHED	 (1u << 3)

/*
 * struct xensplit_hypervisor - how the library asks about domains
 * @sz: sizeof(struct xensplit_hypervisor); an older, smaller one will do as long
 *   as it has @query
 * @query: fills @domain, which comes zeroed but for its size. Returns 0; -ESRCH where the domain
 *   does not exist; any other negative errno where it can't tell, and then
 *   XenStore is asked. Called from within the library's calls, on their thread.
 *
 * Since: 0.1
 */
struct xensplit_hypervisor {
	size_t sz;
	int (*query)(void *data, uint32_t domid, struct xensplit_domain *domain);
};

/*
 * struct xensplit_opts - what a context is made of; each member may be zero
 * @sz: sizeof(struct xensplit_opts)
 * @logger: the caller's, who keeps it; NULL: warnings and errors go to stderr.
 *   Waiting calls report through its progress function as well.
 * @xs: the caller's connection to XenStore, who keeps it and must not use it
 *   from another thread during a call; NULL: the context opens its own.
 *   Requests go through it; watches never do (a monitor has a connection of its
 *   own), so that the caller's watches and the library's can't be mixed up.
 * @hypervisor: NULL: XenStore alone says which domains there are. The table is
 *   copied; @hypervisor_data must outlive the context.
 *
 * Since: 0.1
 */
struct xensplit_opts {
	size_t sz;
	struct xentoollog_logger *logger;
	struct xs_handle *xs;
	const struct xensplit_hypervisor *hypervisor;
	void *hypervisor_data;
};

struct xensplit_ctx;

/*
 * xensplit_new - make a context
 * @opts: NULL for the defaults
 * @ret_ctx: to be ended with xensplit_free()
 *
 * Connects to xenstored the way xs_open() does (XENSTORED_PATH is honoured).
 *
 * Returns: 0, -EINVAL, -ENOTCONN, -EACCES or -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_new(const struct xensplit_opts *opts,
			      struct xensplit_ctx **ret_ctx);

/*
 * xensplit_free - end a context
 * @ctx: may be NULL
 *
 * What was made from it must have been freed before. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_ctx *xensplit_free(struct xensplit_ctx *ctx);

/*
 * xensplit_errmsg - why the last call on this context failed
 *
 * Returns: one line without a newline, valid until the next call on @ctx or on
 * what was made from it; empty if that call did not fail. Bytes that a guest
 * wrote are escaped in it. Calls that return no error code leave it alone.
 *
 * Since: 0.1
 */
XENSPLIT_API const char *xensplit_errmsg(struct xensplit_ctx *ctx);

/*
 * xensplit_version - the version of the library in use, such as "0.1.0"
 *
 * Since: 0.1
 */
XENSPLIT_API const char *xensplit_version(void);

/* ------------------------------------------------------------- domains --- */

/*
 * xensplit_domain_find - the domid that a text means
 * @text: decimal digits alone are a domid, anything else is a name, as
 *   /local/domain/D/name has it
 *
 * A domid is not looked up: what uses it finds out whether it lives.
 *
 * Returns: 0; -EINVAL for an empty text, a name that two domains bear, or one
 * that begins with a digit and that none bears; -ESRCH for any other name that
 * none bears, or a number that no domain can have (they are below 32752,
 * DOMID_FIRST_RESERVED of xen.h).
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_domain_find(struct xensplit_ctx *ctx, const char *text,
				      uint32_t *ret_domid);

/*
 * xensplit_domain_check - is there such a domain, and can it get a device?
 *
 * Returns: 0 or -ESRCH (a dying domain counts as none).
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_domain_check(struct xensplit_ctx *ctx, uint32_t domid);

/* ------------------------------------------------------------- devices --- */

/*
 * struct xensplit_id - names one device
 * @domid: the frontend's domain
 * @type: [A-Za-z0-9_-]+; borrowed for the length of a call
 * @devid: no XENSPLIT_DEVID_AUTO here
 *
 * Since: 0.1
 */
struct xensplit_id {
	uint32_t domid;
	const char *type;
	uint32_t devid;
};

/*
 * struct xensplit_filter - names one device, or many
 * @sz: sizeof(struct xensplit_filter)
 * @domid: of the frontend, or XENSPLIT_ANY
 * @type: NULL for any
 * @devid: or XENSPLIT_ANY
 * @backend_domid: of the backend, or XENSPLIT_ANY
 *
 * XENSPLIT_FILTER() sets one up that matches every device.
 *
 * Since: 0.1
 */
struct xensplit_filter {
	size_t sz;
	uint32_t domid;
	const char *type;
	uint32_t devid;
	uint32_t backend_domid;
};

#define XENSPLIT_FILTER(name)                                                         \
	struct xensplit_filter name = { sizeof(struct xensplit_filter), XENSPLIT_ANY, \
					NULL, XENSPLIT_ANY, XENSPLIT_ANY }

/*
 * struct xensplit_pair - an extra key of a device and its value
 *
 * @key is one path element that the schema does not write itself; @value has at
 * most 2048 bytes (XenStore's quota for a guest's node).
 *
 * Since: 0.1
 */
struct xensplit_pair {
	const char *key;
	const char *value;
};

/*
 * struct xensplit_device - a device as it was when the list was made
 * @id: domain of the frontend, type and device id
 * @domain: name of that domain, NULL where it has none or is gone
 * @backend_domid: XENSPLIT_ANY where a foreign device has no backend
 * @backend_type: the type in the backend's path, @id.type as a rule
 * @frontend, @backend: paths of the two halves, without a trailing slash;
 *   computed, never read from a node (@backend NULL as above)
 * @frontend_state, @backend_state: enum xensplit_state
 * @online: BE/online, which tells a backend to stay when its frontend closes
 * @origin: enum xensplit_origin
 * @stale: the record belongs to a former domain of that number, or to none
 * @damaged: the record can't be understood; then only the id, @frontend and, if
 *   any domain has a backend of that name, @backend are known
 * @phase: what an operation of several commits that was interrupted, or is still
 *   going on, has reached, such as "replace"; NULL for a device that is whole
 * @unique_id: of this attach, NULL for a foreign device
 * @created: seconds since the epoch, 0 for a foreign device
 * @front, @front_count, @back, @back_count: the extra keys in the record; of a
 *   foreign device none are known
 *
 * Since: 0.1
 */
struct xensplit_device {
	struct xensplit_id id;
	const char *domain;
	uint32_t backend_domid;
	const char *frontend;
	const char *backend;
	int frontend_state;
	int backend_state;
	int online;
	int origin;
	int stale;
	const char *unique_id;
	uint64_t created;
	const char *backend_type;
	int damaged;
	const char *phase;
	const struct xensplit_pair *front;
	size_t front_count;
	const struct xensplit_pair *back;
	size_t back_count;
};

enum xensplit_origin {
	XENSPLIT_ORIGIN_XENSPLIT = 0, /* there is a record of ours */
	XENSPLIT_ORIGIN_FOREIGN = 1   /* another tool, or a script, made it */
};

struct xensplit_list;

/* xensplit_list_new: devices without a record too; costs a look at each domain. */
#define XENSPLIT_LIST_FOREIGN (1u << 0)

/*
 * xensplit_list_new - a snapshot of devices, in order of domid, type and devid
 * @filter: NULL for all
 * @flags: XENSPLIT_LIST_FOREIGN
 * @ret_list: to be ended with xensplit_list_free(); may hold no device
 *
 * Costs 1 request; per domain with devices 4 (one of them for the hypervisor
 * table to spare) and one per type; per device 4, and some more for keys that its
 * record has no room for. Where a record is damaged, each domain is asked for its
 * backend. With XENSPLIT_LIST_FOREIGN a look at each domain comes on top. A device
 * that goes while it is read is left out or shown with absent ends.
 *
 * Returns: 0, -EINVAL, -EACCES, -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_list_new(struct xensplit_ctx *ctx,
				   const struct xensplit_filter *filter, uint32_t flags,
				   struct xensplit_list **ret_list);

/*
 * xensplit_list_get - one device of a list
 * @index: from 0
 *
 * Returns: the device, valid as long as the list; NULL past the end.
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_device *
xensplit_list_get(const struct xensplit_list *list, size_t index);

#define xensplit_list_foreach(list, index, device)                                 \
	for ((index) = 0; ((device) = xensplit_list_get((list), (index))) != NULL; \
	     (index)++)

/*
 * xensplit_list_free - end a list and its devices. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_list *xensplit_list_free(struct xensplit_list *list);

/* --------------------------------------------------------------- nodes --- */

/*
 * struct xensplit_node - a node of XenStore, or a change to one
 * @op: enum xensplit_node_op
 * @path: absolute
 * @value: its bytes, with a NUL behind them that does not count; NULL where the
 *   node is removed or keeps its value
 * @value_len: they may hold NULs
 * @perms: such as "n5,r0": the owner with what everyone else may do, then what
 *   single domains may (docs/misc/xenstore.txt of Xen); NULL where removed
 *
 * Since: 0.1
 */
struct xensplit_node {
	int op;
	const char *path;
	const char *value;
	size_t value_len;
	const char *perms;
};

enum xensplit_node_op {
	XENSPLIT_NODE_IS = 0,	  /* it is there */
	XENSPLIT_NODE_WRITE = 1,  /* it is, or would be, written */
	XENSPLIT_NODE_REMOVE = 2, /* it is, or would be, removed with all below */
	XENSPLIT_NODE_PERMS = 3	  /* its permissions are, or would be, set */
};

struct xensplit_nodes;

/*
 * xensplit_nodes_new - every node of a device: record, both halves, errors
 * @id: a device with a record, or a foreign one
 * @ret_nodes: to be ended with xensplit_nodes_free()
 *
 * A guest can put a thousand nodes below its frontend: at most 4096 are read,
 * and a warning is logged where some were left out.
 *
 * Returns: 0, -EINVAL, -ENOENT, -EACCES, -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_nodes_new(struct xensplit_ctx *ctx,
				    const struct xensplit_id *id,
				    struct xensplit_nodes **ret_nodes);

/*
 * xensplit_nodes_get - one node, parents first; NULL past the end
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_node *
xensplit_nodes_get(const struct xensplit_nodes *nodes, size_t index);

/*
 * xensplit_nodes_free - end the nodes. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_nodes *xensplit_nodes_free(struct xensplit_nodes *nodes);

/* -------------------------------------------------------------- attach --- */

/*
 * struct xensplit_attach_opts - the device to attach
 * @sz: sizeof(struct xensplit_attach_opts)
 * @domid: the frontend's domain
 * @backend_domid: 0 for dom0
 * @type: [A-Za-z0-9_-]+
 * @devid: or XENSPLIT_DEVID_AUTO: the first one free from a cursor that only
 *   moves on, so that an id is not soon used again
 * @flags: XENSPLIT_ATTACH_*
 * @front, @front_count: extra keys for the frontend's directory
 * @back, @back_count: extra keys for the backend's directory
 * @backend_type: the type in the backend's path where it is another one, as
 *   xen_9pfs is that of 9pfs; NULL: @type
 *
 * Linux ignores a device whose bus id, "T/I" in the guest and "T-D-I" in the
 * backend's domain, has 20 characters or more (XEN_BUS_ID_SIZE,
 * drivers/xen/xenbus/xenbus.h), so such a device is refused; so are the types
 * that libxl manages, and keys that the schema writes itself.
 *
 * Since: 0.1
 */
struct xensplit_attach_opts {
	size_t sz;
	uint32_t domid;
	uint32_t backend_domid;
	const char *type;
	uint32_t devid;
	uint32_t flags;
	const struct xensplit_pair *front;
	size_t front_count;
	const struct xensplit_pair *back;
	size_t back_count;
	const char *backend_type;
};

/* Remove what stands at this device's places first, whoever made it. */
#define XENSPLIT_ATTACH_REPLACE (1u << 0)
/* Allow a type that libxl manages, such as vbd. */
#define XENSPLIT_ATTACH_RESERVED (1u << 1)
/* xensplit_attach: remove the device again if it does not connect. */
#define XENSPLIT_ATTACH_ROLLBACK (1u << 2)
/* With XENSPLIT_ATTACH_REPLACE: forget the recorded keys that are not given anew. */
#define XENSPLIT_ATTACH_DROP_KEYS (1u << 3)

/*
 * xensplit_attach - write a device and wait until both ends are Connected
 * @timeout_ms: for all of it; 0 returns after the commit
 * @ret_devid: its device id; may be NULL. It is set when the device has been
 *   written, also where the call fails after that, and only then: who sets it to
 *   XENSPLIT_DEVID_AUTO before the call can tell
 *
 * With XENSPLIT_ATTACH_REPLACE everything is checked first; then a device that
 * is in use is closed, for which it has half of the time (10 s where @timeout_ms
 * is 0), and its halves are removed in a commit of their own; then a quarter of
 * a second passes, for a guest to notice. The record stays meanwhile, with a
 * phase, so that after a crash the next replace or xensplit_repair() completes
 * it. Recorded keys that are not given anew are kept. A device that another
 * client makes meanwhile is replaced as well, three times at most. A backend of
 * that name which is gone from the store, but not from this domain's kernel, is
 * waited for, up to a second.
 *
 * An error node alone is no failure: xenbus_dev_error() (Linux,
 * drivers/xen/xenbus/xenbus_client.c) writes one and goes on. Its text is in the
 * message where the device does not connect.
 *
 * Returns: 0.
 * With nothing written: -EINVAL, -ESRCH, -EEXIST, -ESTALE, -EBUSY, -EBADMSG,
 * -EACCES, -ENOTCONN, -ENOMEM; with XENSPLIT_ATTACH_REPLACE the old device may
 * be closed by then, and its record tells (phase "replace").
 * With the device written, and still there (unless XENSPLIT_ATTACH_ROLLBACK
 * removed it): -ETIMEDOUT; -EPROTO where a driver gave up; -ENOENT where one
 * of the domains died, or another client removed the device; -ENOTCONN where the
 * connection broke after the commit.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_attach(struct xensplit_ctx *ctx,
				 const struct xensplit_attach_opts *opts,
				 unsigned int timeout_ms, uint32_t *ret_devid);

/* -------------------------------------------------------------- detach --- */

/* Remove the device when the deadline has passed, whatever its driver does. */
#define XENSPLIT_DETACH_FORCE (1u << 0)

/*
 * xensplit_detach - ask both drivers to close, wait for it, remove the nodes
 * @id: a device with a record
 * @flags: XENSPLIT_DETACH_FORCE
 * @timeout_ms: for the drivers to close
 *
 * Phase one, one transaction: BE/online = 0 and BE/state = Closing; a frontend
 * that no driver has claimed is set to Closed instead, as nobody else will.
 * Then BE is awaited in Closed or gone. Phase two, one transaction: all
 * nodes of the device and the parents they leave empty. A backend that no
 * driver has claimed (still Initialising) is not waited for.
 *
 * XENSPLIT_DETACH_FORCE also removes a device whose record can't be understood,
 * with every backend of its name.
 *
 * Returns: 0; -EINVAL, -ENOENT, -ESTALE, -EBADMSG, -EACCES, -EBUSY, -ENOTCONN,
 * -ENOMEM; -ETIMEDOUT with the device still in place.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_detach(struct xensplit_ctx *ctx, const struct xensplit_id *id,
				 uint32_t flags, unsigned int timeout_ms);

/* ---------------------------------------------------------------- wait --- */

enum xensplit_until {
	XENSPLIT_UNTIL_CONNECTED = 0, /* both ends Connected, or Reconfiguring/-ed */
	XENSPLIT_UNTIL_CLOSED = 1,    /* the backend Closed, or gone */
	XENSPLIT_UNTIL_GONE = 2,      /* neither half there any more */
	XENSPLIT_UNTIL_INIT_WAIT = 3  /* the backend InitWait, or further: all that
				       * there is to wait for while the frontend's
				       * domain is still paused */
};

/*
 * xensplit_wait - wait until a device reaches a state
 * @id: a device with a record, or a foreign one
 * @until: enum xensplit_until
 * @timeout_ms: 0 only looks
 *
 * Returns: 0; -ETIMEDOUT; -EPROTO where a driver gave up on connecting; -ENOENT
 * where it is awaited in Connected or InitWait and is not there, or goes
 * meanwhile; -EINVAL, -ESRCH, -EACCES, -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_wait(struct xensplit_ctx *ctx, const struct xensplit_id *id,
			       int until, unsigned int timeout_ms);

/* ---------------------------------------------------------- operations --- */

/*
 * What the blocking calls do, driven by a poll loop of the caller's: they are
 * these operations with a poll(2) around. Wait until the descriptor is readable
 * or the timeout has passed, then call xensplit_op_process(), until it no longer
 * returns 1. Any number of operations may go on side by side; those of one
 * context share one descriptor, and a wake-up for one may be meant for another,
 * so call it for each. A single request to XenStore still blocks until it is
 * answered.
 */
struct xensplit_op;

/*
 * xensplit_op_attach - begin what xensplit_attach() does
 * @opts: copied
 * @timeout_ms: counts from now
 * @ret_op: to be ended with xensplit_op_free()
 *
 * Nothing is written before the first xensplit_op_process().
 *
 * Returns: 0, -EINVAL, -ESRCH, -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_attach(struct xensplit_ctx *ctx,
				    const struct xensplit_attach_opts *opts,
				    unsigned int timeout_ms, struct xensplit_op **ret_op);

/*
 * xensplit_op_detach - begin what xensplit_detach() does
 *
 * Arguments and result as for xensplit_op_attach().
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_detach(struct xensplit_ctx *ctx,
				    const struct xensplit_id *id, uint32_t flags,
				    unsigned int timeout_ms, struct xensplit_op **ret_op);

/*
 * xensplit_op_repair - begin what xensplit_repair() does
 *
 * Arguments and result as for xensplit_op_attach().
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_repair(struct xensplit_ctx *ctx,
				    const struct xensplit_id *id, unsigned int timeout_ms,
				    struct xensplit_op **ret_op);

/*
 * xensplit_op_wait - begin what xensplit_wait() does
 *
 * Arguments and result as for xensplit_op_attach().
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_wait(struct xensplit_ctx *ctx, const struct xensplit_id *id,
				  int until, unsigned int timeout_ms,
				  struct xensplit_op **ret_op);

/*
 * xensplit_op_free - end an operation, finished or not
 * @op: may be NULL
 *
 * What it has committed so far stays. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_op *xensplit_op_free(struct xensplit_op *op);

/*
 * xensplit_op_get_fd - the descriptor to poll; the library keeps it
 *
 * Returns: the same for all operations of a context; -1, which poll(2) takes
 * for nothing to wait for, where the operation only commits and returns.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_get_fd(const struct xensplit_op *op);

/*
 * xensplit_op_get_events - the poll(2) events to wait for on it
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_get_events(const struct xensplit_op *op);

/*
 * xensplit_op_get_timeout - when to call process even if nothing happened
 *
 * Returns: an absolute CLOCK_MONOTONIC time in microseconds, at most a second
 * ahead (the descriptor does not wake when xenstored dies); 0 for at once.
 *
 * Since: 0.1
 */
XENSPLIT_API uint64_t xensplit_op_get_timeout(const struct xensplit_op *op);

/*
 * xensplit_op_process - do what can be done by now
 *
 * Returns: 1 while there is more to come; otherwise the result of the operation,
 * as the blocking call returns it, then and each time after.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_process(struct xensplit_op *op);

/*
 * xensplit_op_run - drive an operation to its end with poll(2)
 *
 * Reports progress to the context's logger, as the blocking calls do.
 *
 * Returns: the result of the operation.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_run(struct xensplit_op *op);

/*
 * xensplit_op_cancel - give the wait up
 *
 * A signal handler may call it; xensplit_op_run() then heeds it within a second.
 * The operation ends with -ECANCELED at the next xensplit_op_process(), and what
 * it has committed stays: a device that is attached stays attached, one that was
 * asked to close is. An attach with XENSPLIT_ATTACH_ROLLBACK removes its device
 * first, which may take a second more. Without effect on one that has ended.
 *
 * Since: 0.1
 */
XENSPLIT_API void xensplit_op_cancel(struct xensplit_op *op);

/*
 * xensplit_op_get_device - the device that an attach has written, or a detach removes
 * @ret_device: as the operation last saw it, or before a detach; valid until the
 *   next call on @op. Of a detach the extra keys are not known.
 *
 * May ask XenStore for the name of its domain.
 *
 * Returns: 0; -ENODATA as long as nothing is written, after a rollback, before
 * the record has been found, and for operations of another kind.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_get_device(struct xensplit_op *op,
					const struct xensplit_device **ret_device);

/* --------------------------------------------------------------- batch --- */

/*
 * A batch collects steps on any number of devices and does them in one
 * transaction: all or none. It is also the way to do them inside a transaction
 * of the caller's, and to see what would be written without writing it. It does
 * not wait: for that there are monitors and xensplit_wait().
 */
struct xensplit_batch;

/*
 * xensplit_batch_new - an empty batch
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_new(struct xensplit_ctx *ctx,
				    struct xensplit_batch **ret_batch);

/*
 * xensplit_batch_free - end a batch. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_batch *xensplit_batch_free(struct xensplit_batch *batch);

/*
 * xensplit_batch_attach - add a device to write
 * @opts: copied. XENSPLIT_ATTACH_REPLACE removes what is there at once, in the
 *   same transaction; XENSPLIT_ATTACH_ROLLBACK is refused
 *
 * Returns: the step's index from 0, or -EINVAL, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_attach(struct xensplit_batch *batch,
				       const struct xensplit_attach_opts *opts);

/*
 * xensplit_batch_close - add phase one of a detach
 *
 * Returns: the step's index, or -EINVAL, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_close(struct xensplit_batch *batch,
				      const struct xensplit_id *id);

/* xensplit_batch_remove: what a former domain of that number left behind. */
#define XENSPLIT_REMOVE_STALE (1u << 0)

/*
 * xensplit_batch_remove - add phase two of a detach
 * @flags: without XENSPLIT_REMOVE_STALE a stale record is refused (-ESTALE at
 *   commit). With it only a stale record is removed, with those of its nodes
 *   that have not been taken over by another device since.
 *
 * Whether the drivers have closed is not looked at.
 *
 * Returns: the step's index, or -EINVAL, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_remove(struct xensplit_batch *batch,
				       const struct xensplit_id *id, uint32_t flags);

/*
 * xensplit_batch_commit - do all steps, in order, in one transaction
 *
 * A transaction that collides with another client's is tried again, a bounded
 * number of times and with growing pauses. A guest can cause collisions by
 * writing to its own half; phase two then takes that half away first, by
 * itself, and only that step is outside the transaction.
 *
 * xenstored's cost for a request grows with what the transaction has touched:
 * many devices are better done in commits of a few dozen.
 *
 * Returns: 0, or the error of the step that failed (those of xensplit_attach()
 * with nothing written, and of xensplit_detach()), and nothing is written.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_commit(struct xensplit_batch *batch);

/*
 * xensplit_batch_stage - do all steps inside a transaction of the caller's
 * @transaction: an open one, of the connection that the context was given
 *
 * Nothing is written or removed outside of that transaction. The caller commits
 * it and, where the commit collides (EAGAIN), starts a new one and stages the
 * same batch again. After a failure the caller must abort.
 *
 * Returns: 0; -EAGAIN where the transaction has collided already: abort it and
 * stage in a new one; otherwise as xensplit_batch_commit().
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_stage(struct xensplit_batch *batch, uint32_t transaction);

/*
 * xensplit_batch_preview - do all steps, then abort instead of committing
 *
 * Every check is made and every automatic devid chosen as a commit would have
 * at this moment; nothing is written. The changes have the parents too that
 * xenstored would make by itself. See xensplit_batch_change().
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_preview(struct xensplit_batch *batch);

/*
 * xensplit_batch_change - what the last commit, stage or preview changed
 *
 * Returns: one node, in the order of writing, valid until the batch is used
 * again; NULL past the end.
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_node *
xensplit_batch_change(const struct xensplit_batch *batch, size_t index);

/*
 * xensplit_batch_devid - the device id of a step, with automatic ones resolved
 * @step: what xensplit_batch_attach() and its like returned
 *
 * Returns: 0; -EINVAL for a step there is not; -ENODATA for an automatic id
 * before the batch has run.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_devid(const struct xensplit_batch *batch, int step,
				      uint32_t *ret_devid);

/* ---------------------------------------------------------------- reap --- */

/*
 * struct xensplit_reaped - a device of a domain that is gone
 * @id: the device; type NULL: what was kept to pick device ids for that domain
 * @domain: the name of the domain that has this number now; NULL if there is none
 * @backend_domid: XENSPLIT_ANY where not known
 * @result: 0, or the error that kept it from being removed
 * @message: of an error, as xensplit_errmsg() would have it; NULL else
 *
 * Since: 0.1
 */
struct xensplit_reaped {
	struct xensplit_id id;
	const char *domain;
	uint32_t backend_domid;
	int result;
	const char *message;
};

struct xensplit_reap;

/* xensplit_reap_new: only find out what would be removed. */
#define XENSPLIT_REAP_DRY_RUN (1u << 0)

/*
 * xensplit_reap_new - remove what dead and replaced domains left behind
 * @filter: NULL for all. One that names a domain takes in what is recorded for
 *   frontends there
 * @flags: XENSPLIT_REAP_DRY_RUN
 * @ret_reap: what was done, to be ended with xensplit_reap_free()
 *
 * Every stale device goes as xensplit_batch_remove() does it with
 * XENSPLIT_REMOVE_STALE, each in a commit of its own: one that can't be removed
 * does not stop the others. So do devices whose record can't be understood, if
 * the frontend's domain is gone, and what was kept to pick device ids for such a
 * domain.
 *
 * Returns: 0, whatever became of each device; -EINVAL, -ESRCH, -EACCES,
 * -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_reap_new(struct xensplit_ctx *ctx,
				   const struct xensplit_filter *filter, uint32_t flags,
				   struct xensplit_reap **ret_reap);

/*
 * xensplit_reap_get - one device, valid as long as all; NULL past the end
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_reaped *
xensplit_reap_get(const struct xensplit_reap *reap, size_t index);

/*
 * xensplit_reap_change - what was, or with a dry run would be, changed
 *
 * Returns: one node, in the order of writing; NULL past the end.
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_node *
xensplit_reap_change(const struct xensplit_reap *reap, size_t index);

/*
 * xensplit_reap_free - end the result. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_reap *xensplit_reap_free(struct xensplit_reap *reap);

/* ------------------------------------------------------------ diagnose --- */

enum xensplit_severity {
	XENSPLIT_SEVERITY_WARNING = 1, /* it works, but not as it should */
	XENSPLIT_SEVERITY_ERROR = 2    /* it stops the device */
};

/*
 * struct xensplit_finding - one thing that is wrong
 * @severity: enum xensplit_severity
 * @code: a word that stays the same from release to release, such as
 *   "frontend-permissions"; xensplit-doctor(8) lists them
 * @id: the device; type NULL where it is about the host
 * @backend_domid: XENSPLIT_ANY where not known
 * @what: what is so, with node and value
 * @why: why that stops the device, or may
 * @fix: the command that fixes it, or in words what does; NULL where nothing
 * can
 * @repairable: xensplit_repair() fixes it
 *
 * The texts are one line of printable ASCII each: what a guest wrote is escaped
 * in them.
 *
 * Since: 0.1
 */
struct xensplit_finding {
	int severity;
	const char *code;
	struct xensplit_id id;
	uint32_t backend_domid;
	const char *what;
	const char *why;
	const char *fix;
	int repairable;
};

struct xensplit_findings;

/*
 * xensplit_diagnose - why are these devices not connected?
 * @filter: NULL for the host. A filter that names a single device, or a type,
 *   takes in foreign devices whatever their type; otherwise those of the types
 *   that libxl manages only count where their domain is gone.
 * @ret_findings: to be ended with xensplit_findings_free(); empty where all is
 *   well
 *
 * The findings about a device stand together, the cause before what follows
 * from it. Costs what xensplit_list_new() costs with XENSPLIT_LIST_FOREIGN, and at
 * most 8 requests more for a device with a record, 4 where it is connected. Reads XenStore, asks the hypervisor table and, where the backend's
 * domain is the one it runs in, /sys/bus/xen-backend and modules.alias.
 *
 * Returns: 0, -EINVAL, -ENOENT (a single device that is not there), -EACCES,
 * -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_diagnose(struct xensplit_ctx *ctx,
				   const struct xensplit_filter *filter,
				   struct xensplit_findings **ret_findings);

/*
 * xensplit_findings_get - one finding, valid as long as all; NULL past the end
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_finding *
xensplit_findings_get(const struct xensplit_findings *findings, size_t index);

/*
 * xensplit_findings_free - end the findings. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_findings *
xensplit_findings_free(struct xensplit_findings *findings);

/*
 * xensplit_batch_repair - add a step that repairs what can safely be repaired
 * @id: a device with a record, or a foreign one
 *
 * Sets owners and permissions as an attach would have, and BE/online where it
 * is missing. If that changed anything, both states are written again as they
 * are, which makes each driver look at the other end once more. A foreign device
 * is only repaired where its two halves name each other, where the nodes that
 * say so are no guest's, and where one domain alone has a backend for it: -EPERM
 * otherwise.
 *
 * Returns: the step's index, or -EINVAL, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_repair(struct xensplit_batch *batch,
				       const struct xensplit_id *id);

/*
 * xensplit_repair - repair a device, and wait until both ends are Connected
 * @id: a device with a record, or a foreign one
 * @timeout_ms: for all of it
 *
 * As xensplit_batch_repair(), in a commit of its own. Where a driver has written
 * an error before and does not connect then, nothing brings it back (Linux's
 * __xenbus_switch_state() remembers a state that it could not write as written):
 * a device with a record is closed and made again, with its extra keys, as by
 * XENSPLIT_ATTACH_REPLACE. So is one whose replacing was interrupted. A foreign
 * device is never made again.
 *
 * Returns: 0; -EINVAL, -ENOENT, -ESRCH, -ESTALE, -EBADMSG, -EPERM, -EBUSY,
 * -EACCES, -ENOTCONN, -ENOMEM; -ETIMEDOUT or -EPROTO where it is repaired and
 * does not connect.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_repair(struct xensplit_ctx *ctx, const struct xensplit_id *id,
				 unsigned int timeout_ms);

/* ------------------------------------------------------------- monitor --- */

/*
 * A monitor turns what happens to devices into events, for any poll loop. It
 * has a connection of its own. Wait until its descriptor is readable or its
 * timeout has passed, call xensplit_monitor_process(), then take events until
 * there are none.
 */
struct xensplit_monitor;

enum xensplit_event_type {
	XENSPLIT_EVENT_APPEARED = 1,	/* a device is there (also at the start) */
	XENSPLIT_EVENT_STATE = 2,	/* an end went from one state to another */
	XENSPLIT_EVENT_ERROR = 3,	/* a driver wrote an error node */
	XENSPLIT_EVENT_VANISHED = 4,	/* a device is gone */
	XENSPLIT_EVENT_DOMAIN_GONE = 5, /* an end's domain is gone */
	XENSPLIT_EVENT_RESYNC = 6	/* changes came too fast to see each */
};

enum xensplit_end {
	XENSPLIT_END_NONE = 0,
	XENSPLIT_END_FRONTEND = 1,
	XENSPLIT_END_BACKEND = 2
};

/*
 * struct xensplit_event - one thing that happened to one device
 * @type: enum xensplit_event_type
 * @id: the device
 * @backend_domid: XENSPLIT_ANY where not known
 * @end: enum xensplit_end, of STATE, ERROR and DOMAIN_GONE
 * @from, @to: of STATE. APPEARED and RESYNC: state of the frontend and of the
 *   backend, as they are now
 * @time_us: when the library saw it, CLOCK_MONOTONIC in microseconds
 * @text: of ERROR, what the driver wrote, at most 2048 bytes, not escaped
 * @missed: of RESYNC, how many writes, at least, were not reported one by one
 * @unique_id: of the attach that made the device, NULL for a foreign one
 *
 * A RESYNC says that a state may have been passed through without an event of
 * its own; the STATE events before it already tell where the device ended up.
 *
 * Since: 0.1
 */
struct xensplit_event {
	int type;
	struct xensplit_id id;
	uint32_t backend_domid;
	int end;
	int from;
	int to;
	uint64_t time_us;
	const char *text;
	uint32_t missed;
	const char *unique_id;
};

/*
 * xensplit_monitor_new - watch devices
 * @filter: NULL for all. A filter that names a single device also follows a
 *   foreign one; otherwise devices with a record are followed.
 *
 * Devices that are there already are the first events. A device that was attached
 * again is another one: it is told as VANISHED, then as APPEARED, each with its own
 * unique id, even where both happened between two looks.
 *
 * Many devices are watched by the directories that they stand in, four for each
 * type of a domain: xenstored's cost for a write grows with the watches there are.
 *
 * Returns: 0, -EINVAL, -ESRCH, -EACCES, -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_monitor_new(struct xensplit_ctx *ctx,
				      const struct xensplit_filter *filter,
				      struct xensplit_monitor **ret_monitor);

/*
 * xensplit_monitor_free - stop watching. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_monitor *
xensplit_monitor_free(struct xensplit_monitor *monitor);

/*
 * xensplit_monitor_get_fd - the descriptor to poll; the library keeps it
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_monitor_get_fd(struct xensplit_monitor *monitor);

/*
 * xensplit_monitor_get_events - the poll(2) events to wait for on it
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_monitor_get_events(struct xensplit_monitor *monitor);

/*
 * xensplit_monitor_get_timeout - when to call process even if nothing happened
 *
 * The descriptor does not wake when xenstored dies; process() finds out. So
 * there is always a time, at most one second ahead.
 *
 * Returns: an absolute CLOCK_MONOTONIC time in microseconds; 0 for at once.
 *
 * Since: 0.1
 */
XENSPLIT_API uint64_t xensplit_monitor_get_timeout(struct xensplit_monitor *monitor);

/*
 * xensplit_monitor_process - take in what happened; does not block on events
 *
 * Returns: 0; -ENOTCONN when xenstored is gone, for good; -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_monitor_process(struct xensplit_monitor *monitor);

/*
 * xensplit_monitor_next - the next event
 * @ret_event: valid until the next call on the monitor
 *
 * Returns: 1 with an event, 0 without.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_monitor_next(struct xensplit_monitor *monitor,
				       const struct xensplit_event **ret_event);

#ifdef __cplusplus
}
#endif

#endif /* XENSPLIT_H */
