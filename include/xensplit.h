/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxensplit - create, watch, repair and remove Xen split devices
 *
 * A split device is a frontend in one domain and a backend in another. Their
 * drivers probe only when both halves are in XenStore, and connect only if
 * owners and permissions are right. This library writes both halves, follows
 * their states and removes them.
 *
 * Results
 *   Functions return 0 (or a positive result, where documented) or a negative
 *   errno. Results are returned through ret_ arguments, which are untouched on
 *   failure (the only exception is xensplit_attach()). xensplit_errmsg()
 *   returns the text of the failure of the last call on a context,
 *   xensplit_last_error() the same as data. Neither says what to do about it:
 *   that depends on the program. Common errors:
 *     -EINVAL     an argument is wrong; no request was sent to XenStore
 *     -ESRCH      no such domain
 *     -ENOENT     no such device
 *     -EEXIST     the device exists already
 *     -ESTALE     the record belongs to a former domain with that domid
 *     -EBUSY      other clients kept changing the same nodes
 *     -EAGAIN     staging collided with another client: abort and stage again
 *     -EACCES     this client has no permission
 *     -ETIMEDOUT  the deadline passed
 *     -EPROTO     a driver gave up (Closing or Closed after it had started)
 *     -ECANCELED  the caller cancelled the operation
 *     -ECHILD     the context was made before fork(), by the parent
 *     -ENOTCONN   xenstored does not answer
 *     -EBADMSG    a record in XenStore can't be parsed
 *     -ENOMEM
 *   Calls also pass on other errors from XenStore, such as -ENOSPC for a quota.
 *
 * Ownership
 *   Free an object from a _new function with its _free function, which accepts
 *   NULL and returns NULL. Free a context after everything made from it.
 *   Structs that the library returns (such as struct xensplit_device) are
 *   allocated only by the library and may grow at their end: do not copy them
 *   by value or take their size. They and their strings are valid as long as
 *   the object they came from, unless the function says otherwise. Structs that
 *   the caller fills begin with their size: declare them with XENSPLIT_OPTS().
 *   A size that this library does not know is accepted if the excess bytes are
 *   zero.
 *
 * Threads, fork and signals
 *   Use a context, and everything made from it, from one thread at a time;
 *   different contexts are independent. After fork() a call with an inherited
 *   context that needs XenStore returns -ECHILD; the child may free the context
 *   and make one of its own. libxenstore starts a reader thread, with all
 *   signals blocked, for each monitor and for the first call on a context that
 *   waits. Up to Xen 4.19 libxenstore replaces the process's SIGPIPE action
 *   during a write; a program that calls it from several threads at once should
 *   ignore SIGPIPE, since its own action may get lost. The library changes no
 *   other signal or timer. A signal handler that returns does not end a
 *   wait: to stop one early, use an operation (xensplit_op_*) and cancel it.
 *   Descriptors are close-on-exec.
 *
 * A xenstored that does not answer
 *   libxenstore waits for an answer without a time limit, and so does every
 *   call here that sends a request to XenStore. Each request is logged at
 *   XTL_DEBUG before it is sent, so that the caller's logger can tell where a
 *   call hangs. A process that dies in the middle of a call leaves a whole
 *   device, none, or a record from which xensplit_repair() or an attach with
 *   XENSPLIT_ATTACH_REPLACE completes it.
 *
 * Trust
 *   From nodes that a guest or a driver domain can write, the library takes
 *   only states, error texts, and the configuration of foreign devices, which
 *   it uses only in calls on those devices. It returns such bytes as they are:
 *   escape them before you print them.
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

/* The version of this header; xensplit_version() returns the library's. */
#define XENSPLIT_VERSION_MAJOR 0
#define XENSPLIT_VERSION_MINOR 1
#define XENSPLIT_VERSION_PATCH 0
#define XENSPLIT_VERSION_AT_LEAST(major, minor) \
	(XENSPLIT_VERSION_MAJOR > (major) ||    \
	 (XENSPLIT_VERSION_MAJOR == (major) && XENSPLIT_VERSION_MINOR >= (minor)))

/* In a struct xensplit_filter: any domain or device id; elsewhere: no domain. */
#define XENSPLIT_ANY 0xffffffffu

/* In struct xensplit_attach_opts: the library picks the device id. */
#define XENSPLIT_DEVID_AUTO 0xffffffffu

/* Declares a struct that the caller fills: all zero except for its size. */
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
 * XENSPLIT_STATE_ABSENT: there is no state node. XENSPLIT_STATE_INVALID: the
 * state node does not hold a number from 0 to 8.
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
 * Returns: a static string, such as "InitWait", or "absent" or "invalid" for
 * the two values that are not XenBus states; never NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API const char *xensplit_state_name(int state);

/* ------------------------------------------------------------- context --- */

/*
 * struct xensplit_domain - what a hypervisor knows about a domain
 * @sz: the size that the library knows; do not write members beyond it
 * @flags: XENSPLIT_DOMAIN_*
 * @uuid: its UUID; all zero if it has none
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
 * @sz: sizeof(struct xensplit_hypervisor); an older, smaller size is accepted
 *   if it includes @query
 * @query: fills @domain, which is zero except for its size. Returns 0; -ESRCH
 *   if the domain does not exist; any other negative errno if it can't tell,
 *   and the library then asks XenStore. Called from within library calls, on
 *   their thread.
 *
 * Since: 0.1
 */
struct xensplit_hypervisor {
	size_t sz;
	int (*query)(void *data, uint32_t domid, struct xensplit_domain *domain);
};

/*
 * struct xensplit_opts - options of a context; each member may be zero
 * @sz: sizeof(struct xensplit_opts)
 * @logger: owned by the caller; NULL logs warnings and errors to stderr.
 *   Requests are logged at XTL_DEBUG, commits and waits at XTL_VERBOSE.
 *   Waiting calls also report progress through its progress function.
 * @xs: a connection to XenStore, owned by the caller, who must not use it from
 *   another thread during a call; NULL: the context opens its own. It is used
 *   for requests, never for watches (a monitor has its own connection), so that
 *   the caller's watches and the library's do not mix.
 * @hypervisor: NULL: the library asks only XenStore which domains exist. The
 *   table is copied; @hypervisor_data must outlive the context.
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
 * xensplit_new - create a context
 * @opts: NULL for the defaults
 * @ret_ctx: free it with xensplit_free()
 *
 * Connects to xenstored like xs_open(), which honours XENSTORED_PATH.
 *
 * Returns: 0, -EINVAL, -ENOTCONN, -EACCES or -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_new(const struct xensplit_opts *opts,
			      struct xensplit_ctx **ret_ctx);

/*
 * xensplit_free - free a context
 * @ctx: may be NULL
 *
 * Free everything that was made from it first. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_ctx *xensplit_free(struct xensplit_ctx *ctx);

/*
 * xensplit_errmsg - why the last call on this context failed
 *
 * Returns: one line without a newline, valid until the next call on @ctx or on
 * an object made from it; empty if that call succeeded. It does not repeat the
 * device that the caller named. Bytes written by a guest are escaped. Calls
 * that return no error code do not change it.
 *
 * Since: 0.1
 */
XENSPLIT_API const char *xensplit_errmsg(struct xensplit_ctx *ctx);

struct xensplit_finding;

/*
 * struct xensplit_error - a failure as data
 * @err: the negative errno of the call
 * @code: a word that stays the same from release to release; libxensplit(3)
 *   lists them
 * @message: as xensplit_errmsg()
 * @has_states: the two states are known
 * @frontend_state: enum xensplit_state, as the call last saw it
 * @backend_state: likewise
 * @cause: what most likely keeps the device from its aim, as
 *   xensplit_diagnose() finds it; NULL where nothing was found
 *
 * Since: 0.1
 */
struct xensplit_error {
	int err;
	const char *code;
	const char *message;
	int has_states;
	int frontend_state;
	int backend_state;
	const struct xensplit_finding *cause;
};

/*
 * xensplit_last_error - the failure of the last call on this context
 *
 * Returns: valid as long as xensplit_errmsg(); NULL if that call did not fail.
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_error *xensplit_last_error(struct xensplit_ctx *ctx);

/*
 * xensplit_version - the version of the library in use, such as "0.1.0"
 *
 * Since: 0.1
 */
XENSPLIT_API const char *xensplit_version(void);

/* ------------------------------------------------------------- domains --- */

/*
 * xensplit_domain_find - translate a domid or domain name to a domid
 * @text: a domid if all decimal digits, otherwise a name as in
 *   /local/domain/D/name
 *
 * A domid is not looked up: the call that uses it checks that the domain
 * exists.
 *
 * Returns: 0; -EINVAL for an empty text, a name that two domains share, or an
 * unknown name that begins with a digit; -ESRCH for any other unknown name, or
 * a number that is not a valid domid (they are below 32752,
 * DOMID_FIRST_RESERVED of xen.h).
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_domain_find(struct xensplit_ctx *ctx, const char *text,
				      uint32_t *ret_domid);

/*
 * xensplit_domain_check - check that a domain exists and can get a device
 *
 * Returns: 0 or -ESRCH (a dying domain counts as none).
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_domain_check(struct xensplit_ctx *ctx, uint32_t domid);

/*
 * xensplit_domain_wait - wait until a domain exists and can get a device
 * @text: domid or name, as for xensplit_domain_find()
 * @timeout_ms: 0 only checks
 *
 * A name is found as soon as one domain has it, also if that domain existed
 * before under another name, as after a migration.
 *
 * Returns: 0; -ETIMEDOUT; -EINVAL for an empty text or a name that two domains
 * share; -ESRCH for a number that is not a valid domid; -EACCES, -ENOTCONN,
 * -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_domain_wait(struct xensplit_ctx *ctx, const char *text,
				      unsigned int timeout_ms, uint32_t *ret_domid);

/* ------------------------------------------------------------- devices --- */

/*
 * struct xensplit_id - names one device
 * @domid: the frontend's domain
 * @type: [A-Za-z0-9_-]+; the caller keeps it, only used during the call
 * @devid: not XENSPLIT_DEVID_AUTO
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
 * XENSPLIT_FILTER() declares one that matches every device.
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
 * @key is a single path element that the schema does not use itself; @value has
 * at most 2048 bytes (XenStore's quota for a guest's node).
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
 * @domain: name of that domain, NULL if it has none or is gone
 * @backend_domid: XENSPLIT_ANY if a foreign device has no backend
 * @backend_type: the type in the backend's path, usually the same as @id.type
 * @frontend, @backend: paths of the two halves, without a trailing slash;
 *   computed, never read from a node (@backend may be NULL, see @backend_domid)
 * @frontend_state, @backend_state: enum xensplit_state
 * @online: BE/online, which tells a backend to stay when its frontend closes
 * @origin: enum xensplit_origin
 * @stale: the record belongs to a former domain with that domid, or to no
 *   domain
 * @damaged: the record can't be parsed; then only the id, @frontend and, if any
 *   domain has a backend of that name, @backend are known
 * @phase: the phase of an operation that takes several commits and was
 *   interrupted or is still running, such as "replace"; NULL if there is none
 * @unique_id: of this attach, NULL for a foreign device
 * @created: seconds since the epoch, 0 for a foreign device
 * @front, @front_count, @back, @back_count: the extra keys in the record; not
 *   known for a foreign device
 * @reserved: 1 if libxl manages @id.type or @backend_type
 * @listed: how a list of wanted devices named it when a plan or a keeper
 *   attached it: "fixed", "auto" if its id was picked, NULL for a device that
 *   was attached otherwise
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
	int reserved;
	const char *listed;
};

enum xensplit_origin {
	XENSPLIT_ORIGIN_XENSPLIT = 0, /* xensplit has a record of it */
	XENSPLIT_ORIGIN_FOREIGN = 1   /* made by another tool or a script */
};

struct xensplit_list;

/* xensplit_list_new: include devices without a record; reads each domain. */
#define XENSPLIT_LIST_FOREIGN (1u << 0)

/*
 * xensplit_list_new - a snapshot of devices, in order of domid, type and devid
 * @filter: NULL for all
 * @flags: XENSPLIT_LIST_FOREIGN
 * @ret_list: may be empty; free it with xensplit_list_free()
 *
 * Number of requests: 1; for each domain with devices 4 (3 with a hypervisor
 * table) and one per type; for each device 4, and a few more for keys that do
 * not fit its record. For a damaged record, each domain is searched for the
 * backend. XENSPLIT_LIST_FOREIGN reads each domain in addition. A device that
 * disappears while it is read is left out or shown with absent ends.
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
 * Returns: the device, valid as long as the list; NULL if @index is too large.
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_device *
xensplit_list_get(const struct xensplit_list *list, size_t index);

#define xensplit_list_foreach(list, index, device)                                 \
	for ((index) = 0; ((device) = xensplit_list_get((list), (index))) != NULL; \
	     (index)++)

/*
 * xensplit_list_free - free a list and its devices. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_list *xensplit_list_free(struct xensplit_list *list);

/* --------------------------------------------------------------- nodes --- */

/*
 * struct xensplit_node - a node of XenStore, or a change to one
 * @op: enum xensplit_node_op
 * @path: absolute
 * @value: its bytes, followed by a NUL that is not counted; NULL if the node is
 *   removed or keeps its value
 * @value_len: number of bytes, which may include NULs
 * @perms: such as "n5,r0": the owner and what everyone else may do, then what
 *   single domains may do (docs/misc/xenstore.txt of Xen); NULL if removed
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
	XENSPLIT_NODE_IS = 0,	  /* the node exists */
	XENSPLIT_NODE_WRITE = 1,  /* it is, or would be, written */
	XENSPLIT_NODE_REMOVE = 2, /* it is, or would be, removed with its children */
	XENSPLIT_NODE_PERMS = 3	  /* its permissions are, or would be, set */
};

struct xensplit_nodes;

/*
 * xensplit_nodes_new - read every node of a device: record, halves, errors
 * @id: a device with a record, or a foreign one
 * @ret_nodes: free them with xensplit_nodes_free()
 *
 * Reads at most 4096 nodes, since a guest can put a thousand below its
 * frontend; logs a warning if it leaves some out.
 *
 * Returns: 0, -EINVAL, -ENOENT, -EACCES, -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_nodes_new(struct xensplit_ctx *ctx,
				    const struct xensplit_id *id,
				    struct xensplit_nodes **ret_nodes);

/*
 * xensplit_nodes_get - one node, parents first; NULL if @index is too large
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_node *
xensplit_nodes_get(const struct xensplit_nodes *nodes, size_t index);

/*
 * xensplit_nodes_free - free the nodes. Returns: NULL.
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
 * @devid: XENSPLIT_DEVID_AUTO picks the first free id from a cursor that only
 *   moves forward, so that an id is not reused soon
 * @flags: XENSPLIT_ATTACH_*
 * @front, @front_count: extra keys for the frontend's directory
 * @back, @back_count: extra keys for the backend's directory
 * @backend_type: the type in the backend's path if it differs, such as xen_9pfs
 *   for 9pfs; NULL: @type
 *
 * Linux ignores a device whose bus id, "T/I" in the guest and "T-D-I" in the
 * backend's domain, has 20 characters or more (XEN_BUS_ID_SIZE,
 * drivers/xen/xenbus/xenbus.h), so such a device is refused. So are types that
 * libxl manages, and keys that the schema uses itself.
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

/* First remove an existing device with this id, even if made by another tool. */
#define XENSPLIT_ATTACH_REPLACE (1u << 0)
/* Allow a type that libxl manages, such as vbd. */
#define XENSPLIT_ATTACH_RESERVED (1u << 1)
/* xensplit_attach: remove the new device if it does not connect. */
#define XENSPLIT_ATTACH_ROLLBACK (1u << 2)
/* With XENSPLIT_ATTACH_REPLACE: drop recorded keys that are not given again. */
#define XENSPLIT_ATTACH_DROP_KEYS (1u << 3)
/*
 * Leave a device alone that is exactly as the options say: same backend, same
 * type of backend, and these extra keys with these values, as its record has
 * them. One that differs is refused (-EEXIST, code "differs", and the message
 * names what differs) or, with XENSPLIT_ATTACH_REPLACE, replaced; keys that are
 * not given again are then dropped. Needs a @devid.
 *
 * The call waits for a device that it leaves alone as for a new one, but never
 * rolls it back.
 */
#define XENSPLIT_ATTACH_ENSURE (1u << 4)

/*
 * xensplit_attach - write a device and wait until both ends are Connected
 * @timeout_ms: for the whole call; 0 returns after the commit
 * @ret_devid: its device id; may be NULL. Set once the device has been written,
 *   or found as wanted, even if the call fails after that. To tell the two
 *   kinds of failure apart, set it to XENSPLIT_DEVID_AUTO before the call
 *
 * XENSPLIT_ATTACH_REPLACE first checks everything. It then closes a device that
 * is in use, for which it allows half of the time (10 s if @timeout_ms is 0),
 * removes both halves in a separate commit, and waits a quarter of a second so
 * that a guest notices. Meanwhile the record stays, with a phase, so that the
 * next replace or xensplit_repair() can finish after a crash. Recorded keys
 * that are not given again are kept. A device that another client makes
 * meanwhile is replaced as well, up to three times. If a backend of that name
 * is gone from XenStore but still known to this domain's kernel, the call waits
 * for it for up to a second.
 *
 * An error node alone is not a failure: xenbus_dev_error() (Linux,
 * drivers/xen/xenbus/xenbus_client.c) writes one and continues. The message
 * includes its text if the device does not connect.
 *
 * Returns: 0. With nothing written: -EINVAL, -ESRCH, -EEXIST, -ESTALE, -EBUSY,
 * -EBADMSG, -EACCES, -ENOTCONN, -ENOMEM. With XENSPLIT_ATTACH_REPLACE the old
 * device may already be closed; its record then has the phase "replace". With
 * the device written, and not removed (except by XENSPLIT_ATTACH_ROLLBACK):
 * -ETIMEDOUT; -EPROTO if a driver gave up; -ENOENT if one of the domains died,
 * or another client removed the device; -ENOTCONN if the connection broke after
 * the commit.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_attach(struct xensplit_ctx *ctx,
				 const struct xensplit_attach_opts *opts,
				 unsigned int timeout_ms, uint32_t *ret_devid);

/* -------------------------------------------------------------- detach --- */

/* Remove the device after the deadline even if its driver has not closed. */
#define XENSPLIT_DETACH_FORCE (1u << 0)

/*
 * xensplit_detach - ask both drivers to close, wait for that, remove the nodes
 * @id: a device with a record
 * @flags: XENSPLIT_DETACH_FORCE
 * @timeout_ms: for the drivers to close
 *
 * Phase one, one transaction: sets BE/online = 0 and BE/state = Closing; sets a
 * frontend that no driver has claimed to Closed, since no driver will. Then
 * waits until BE is Closed or gone, unless no driver has claimed the backend
 * (it is still Initialising). Phase two, one transaction: removes all nodes of
 * the device and the parents that become empty.
 *
 * XENSPLIT_DETACH_FORCE also removes a device whose record can't be parsed,
 * with every backend of its name; and one that can't be asked to close, since
 * its backend's domain keeps writing to it: otherwise that is -EBUSY.
 *
 * Returns: 0; -EINVAL, -ENOENT, -ESTALE, -EBADMSG, -EACCES, -EBUSY, -ENOTCONN,
 * -ENOMEM; -ETIMEDOUT if the device is still there.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_detach(struct xensplit_ctx *ctx, const struct xensplit_id *id,
				 uint32_t flags, unsigned int timeout_ms);

/* ---------------------------------------------------------------- wait --- */

enum xensplit_until {
	XENSPLIT_UNTIL_CONNECTED = 0, /* both ends Connected, or Reconfiguring/-ed */
	XENSPLIT_UNTIL_CLOSED = 1,    /* the backend Closed, or gone */
	XENSPLIT_UNTIL_GONE = 2,      /* both halves gone */
	XENSPLIT_UNTIL_INIT_WAIT = 3  /* the backend InitWait, or further; as far as
				       * a device gets while the frontend's
				       * domain is still paused */
};

/*
 * xensplit_wait - wait until a device reaches a state
 * @id: a device with a record, or a foreign one
 * @until: enum xensplit_until
 * @timeout_ms: 0 only checks
 *
 * Returns: 0; -ETIMEDOUT; -EPROTO if a driver gave up on connecting; -ENOENT if
 * the device does not exist, or disappears, while waiting for Connected or
 * InitWait; -EINVAL, -ESRCH, -EACCES, -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_wait(struct xensplit_ctx *ctx, const struct xensplit_id *id,
			       int until, unsigned int timeout_ms);

/* ---------------------------------------------------------- operations --- */

/*
 * An operation does what a blocking call does, but is driven by the caller's
 * poll loop; the blocking calls are operations with a poll(2) loop around. Wait
 * until the descriptor is readable or the timeout has passed, then call
 * xensplit_op_process(), and repeat while that returns 1. Any number of
 * operations can run side by side. Operations of one context share a
 * descriptor, so call xensplit_op_process() for each of them after a wake-up. A
 * single request to XenStore still blocks until it is answered.
 */
struct xensplit_op;

/*
 * xensplit_op_attach - start an attach, see xensplit_attach()
 * @opts: copied
 * @timeout_ms: counts from now
 * @ret_op: free it with xensplit_op_free()
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
 * xensplit_op_detach - start a detach, see xensplit_detach()
 *
 * Arguments and result as for xensplit_op_attach().
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_detach(struct xensplit_ctx *ctx,
				    const struct xensplit_id *id, uint32_t flags,
				    unsigned int timeout_ms, struct xensplit_op **ret_op);

/*
 * xensplit_op_repair - start a repair, see xensplit_repair()
 *
 * Arguments and result as for xensplit_op_attach().
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_repair(struct xensplit_ctx *ctx,
				    const struct xensplit_id *id, unsigned int timeout_ms,
				    struct xensplit_op **ret_op);

/*
 * xensplit_op_wait - start a wait, see xensplit_wait()
 *
 * Arguments and result as for xensplit_op_attach().
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_wait(struct xensplit_ctx *ctx, const struct xensplit_id *id,
				  int until, unsigned int timeout_ms,
				  struct xensplit_op **ret_op);

/*
 * xensplit_op_domain - start to wait for a domain, see xensplit_domain_wait()
 * @text: copied
 *
 * Other arguments and result as for xensplit_op_attach(); -EINVAL also for an
 * empty @text.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_domain(struct xensplit_ctx *ctx, const char *text,
				    unsigned int timeout_ms, struct xensplit_op **ret_op);

/*
 * xensplit_op_get_domid - the domain that xensplit_op_domain() waited for
 *
 * Returns: 0; -ENODATA while there is none, and for other kinds of operations.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_get_domid(const struct xensplit_op *op, uint32_t *ret_domid);

/*
 * xensplit_op_get_changed - whether the operation has changed a device so far
 *
 * Returns: 1, or 0: it only waited, as with XENSPLIT_ATTACH_ENSURE.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_get_changed(const struct xensplit_op *op);

/*
 * xensplit_op_free - free an operation, finished or not
 * @op: may be NULL
 *
 * Does not undo what it has committed. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_op *xensplit_op_free(struct xensplit_op *op);

/*
 * xensplit_op_get_fd - the descriptor to poll; the library keeps it
 *
 * Returns: the same for all operations of a context; -1, which poll(2) ignores,
 * if the operation does not have to wait.
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
 * xensplit_op_get_timeout - when to call process even without a wake-up
 *
 * Returns: an absolute CLOCK_MONOTONIC time in microseconds, at most one second
 * ahead (the descriptor does not wake up if xenstored dies); 0 for immediately.
 *
 * Since: 0.1
 */
XENSPLIT_API uint64_t xensplit_op_get_timeout(const struct xensplit_op *op);

/*
 * xensplit_op_process - do what can be done now
 *
 * Returns: 1 while the operation is running; then the result of the operation,
 * like the blocking call, now and on each further call.
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
 * xensplit_op_cancel - cancel the operation
 *
 * May be called from a signal handler; xensplit_op_run() notices it within a
 * second. The operation fails with -ECANCELED at the next
 * xensplit_op_process(). What it has committed stays: an attached device stays
 * attached, a device that was asked to close closes. An attach with
 * XENSPLIT_ATTACH_ROLLBACK removes its device first, which can take another
 * second. No effect on a finished operation.
 *
 * Since: 0.1
 */
XENSPLIT_API void xensplit_op_cancel(struct xensplit_op *op);

/*
 * xensplit_op_get_device - the device that the operation attaches or detaches
 * @ret_device: as the operation last saw it, or before a detach; valid until
 *   the next call on @op. The extra keys are not known for a detach.
 *
 * May ask XenStore for the name of its domain.
 *
 * Returns: 0; -ENODATA before anything is written, after a rollback, before the
 * record has been found, and for other kinds of operations.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_op_get_device(struct xensplit_op *op,
					const struct xensplit_device **ret_device);

/* --------------------------------------------------------------- batch --- */

/*
 * A batch collects steps on any number of devices and does them all, or none,
 * in one transaction. It can also run them inside a transaction of the caller,
 * or show what they would write. A batch does not wait: use a monitor or
 * xensplit_wait().
 */
struct xensplit_batch;

/*
 * xensplit_batch_new - create an empty batch
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_new(struct xensplit_ctx *ctx,
				    struct xensplit_batch **ret_batch);

/*
 * xensplit_batch_free - free a batch. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_batch *xensplit_batch_free(struct xensplit_batch *batch);

/*
 * xensplit_batch_attach - add an attach
 * @opts: copied. XENSPLIT_ATTACH_REPLACE removes the existing device in the
 *   same transaction, without waiting; XENSPLIT_ATTACH_ROLLBACK is refused
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

/* xensplit_batch_remove: remove what a former domain with that domid left. */
#define XENSPLIT_REMOVE_STALE (1u << 0)

/*
 * xensplit_batch_remove - add phase two of a detach
 * @flags: without XENSPLIT_REMOVE_STALE, refuse a stale record (-ESTALE at
 *   commit). With it, remove only a stale record, and those of its nodes that
 *   no other device has taken over since.
 *
 * Does not check that the drivers have closed.
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
 * A transaction that collides with another client's is retried, a limited
 * number of times and with growing pauses. A guest can cause collisions by
 * writing to its own half; phase two then removes that half first, outside the
 * transaction. Everything else stays inside it.
 *
 * The cost of a request in xenstored grows with what the transaction has
 * touched: for many devices use commits of a few dozen each.
 *
 * Returns: 0, or the error of the step that failed, with nothing written (see
 * xensplit_attach(), with nothing written, and xensplit_detach()).
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_commit(struct xensplit_batch *batch);

/*
 * xensplit_batch_stage - do all steps inside a transaction of the caller
 * @transaction: an open one, on the connection that the context was given
 *
 * Writes and removes nothing outside that transaction. The caller commits it.
 * If the commit collides (EAGAIN), start a new transaction and stage the same
 * batch again. After a failure, abort the transaction.
 *
 * Returns: 0; -EAGAIN if the transaction has already collided: abort it and
 * stage in a new one; otherwise as xensplit_batch_commit().
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_stage(struct xensplit_batch *batch, uint32_t transaction);

/*
 * xensplit_batch_preview - do all steps, then abort instead of committing
 *
 * Makes every check and picks every automatic devid as a commit would now, but
 * writes nothing. The changes include the parents that xenstored would create.
 * See xensplit_batch_change().
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_preview(struct xensplit_batch *batch);

/*
 * xensplit_batch_change - what the last commit, stage or preview changed
 *
 * Returns: one node, in the order of writing, valid until the batch is used
 * again; NULL if @index is too large.
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_node *
xensplit_batch_change(const struct xensplit_batch *batch, size_t index);

/*
 * xensplit_batch_devid - the device id of a step, also if picked automatically
 * @step: as returned by xensplit_batch_attach() and the other steps
 *
 * Returns: 0; -EINVAL if there is no such step; -ENODATA for an automatic id
 * before the batch has run.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_devid(const struct xensplit_batch *batch, int step,
				      uint32_t *ret_devid);

/* ---------------------------------------------------------------- reap --- */

/*
 * struct xensplit_reaped - a device of a domain that is gone
 * @id: the device; type NULL: the cursors for picking device ids for that
 *   domain
 * @domain: the name of the domain that has this domid now; NULL if there is
 *   none
 * @backend_domid: XENSPLIT_ANY if not known
 * @result: 0, or the error that prevented its removal
 * @message: the text of that error, as from xensplit_errmsg(); otherwise NULL
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

/* xensplit_reap_new: only report what would be removed. */
#define XENSPLIT_REAP_DRY_RUN (1u << 0)

/*
 * xensplit_reap_new - remove what dead and replaced domains left behind
 * @filter: NULL for all. A filter with a domain includes everything recorded
 *   for frontends in that domain
 * @flags: XENSPLIT_REAP_DRY_RUN
 * @ret_reap: the results; free them with xensplit_reap_free()
 *
 * Removes every stale device as xensplit_batch_remove() does with
 * XENSPLIT_REMOVE_STALE, up to 32 in one commit; if one of them fails, each in a
 * separate commit, so that it does not stop the others. If the frontend's domain is gone, also removes devices
 * whose record can't be parsed, and the cursors for picking device ids.
 *
 * Returns: 0, whatever the result for each device; -EINVAL, -ESRCH, -EACCES,
 * -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_reap_new(struct xensplit_ctx *ctx,
				   const struct xensplit_filter *filter, uint32_t flags,
				   struct xensplit_reap **ret_reap);

/*
 * xensplit_reap_get - the result for one device; NULL if @index is too large
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_reaped *
xensplit_reap_get(const struct xensplit_reap *reap, size_t index);

/*
 * xensplit_reap_change - what was, or in a dry run would be, changed
 *
 * Returns: one node, in the order of writing; NULL if @index is too large.
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_node *
xensplit_reap_change(const struct xensplit_reap *reap, size_t index);

/*
 * xensplit_reap_free - free the results. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_reap *xensplit_reap_free(struct xensplit_reap *reap);

/* ------------------------------------------------------------ diagnose --- */

enum xensplit_severity {
	XENSPLIT_SEVERITY_NOTE = 0,    /* nothing is wrong */
	XENSPLIT_SEVERITY_WARNING = 1, /* the device works, but something is wrong */
	XENSPLIT_SEVERITY_ERROR = 2    /* the device does not work */
};

/*
 * enum xensplit_remedy - what fixes a problem
 *
 * @remedy_domid of the finding is the domain to act in.
 *
 * Since: 0.1
 */
enum xensplit_remedy {
	XENSPLIT_REMEDY_NONE = 0,
	XENSPLIT_REMEDY_REPAIR = 1,   /* xensplit_repair() */
	XENSPLIT_REMEDY_REPLACE = 2,  /* attach with XENSPLIT_ATTACH_REPLACE */
	XENSPLIT_REMEDY_FORCE = 3,    /* detach with XENSPLIT_DETACH_FORCE */
	XENSPLIT_REMEDY_REAP = 4,     /* xensplit_reap_new() */
	XENSPLIT_REMEDY_REMOVE = 5,   /* remove @node; nothing else will */
	XENSPLIT_REMEDY_RENAME = 6,   /* remove it, attach a shorter type */
	XENSPLIT_REMEDY_CHOOSE = 7,   /* remove the backends that are wrong */
	XENSPLIT_REMEDY_FRONTEND = 8, /* load the frontend driver */
	XENSPLIT_REMEDY_BACKEND = 9,  /* load the backend driver */
	XENSPLIT_REMEDY_INSTALL = 10, /* install the backend driver, load it */
	XENSPLIT_REMEDY_DRIVER = 11,  /* change the driver's code */
	XENSPLIT_REMEDY_LOG = 12,     /* read the domain's kernel log */
	XENSPLIT_REMEDY_UNPAUSE = 13, /* let the domain run */
	XENSPLIT_REMEDY_DESTROY = 14, /* end the domain */
	XENSPLIT_REMEDY_LOAD = 15,    /* find who floods xenstored */
	XENSPLIT_REMEDY_ADOPT = 16    /* xensplit_batch_adopt() */
};

/*
 * struct xensplit_finding - one problem, or a note
 * @severity: enum xensplit_severity
 * @code: a fixed identifier, the same in every release, such as
 *   "frontend-permissions"; xensplit-doctor(8) lists them
 * @id: the device; type NULL if the finding is about the host
 * @backend_domid: XENSPLIT_ANY if not known
 * @backend_type: the type in the backend's path
 * @backend_trusted: no guest can have forged @backend_domid, so a remedy may
 *   use it
 * @reserved: libxl manages one of the types, so an attach needs
 *   XENSPLIT_ATTACH_RESERVED
 * @what: the fact, with node and value
 * @why: how that stops the device, or can stop it
 * @remedy: enum xensplit_remedy, or a number of a newer library
 * @remedy_domid: the domain that @remedy is about
 * @node: the node to remove with XENSPLIT_REMEDY_REMOVE and _RENAME, or NULL
 *
 * Each text is one line of printable ASCII; bytes written by a guest are
 * escaped.
 *
 * Since: 0.1
 */
struct xensplit_finding {
	int severity;
	const char *code;
	struct xensplit_id id;
	uint32_t backend_domid;
	const char *backend_type;
	int backend_trusted;
	int reserved;
	const char *what;
	const char *why;
	int remedy;
	uint32_t remedy_domid;
	const char *node;
};

struct xensplit_findings;

/*
 * xensplit_diagnose - find out why devices are not connected
 * @filter: NULL for the host. A filter that names a single device, or a type,
 *   includes foreign devices of any type; otherwise foreign devices of the
 *   types that libxl manages are included only if their domain is gone.
 * @ret_findings: empty if there are no problems; free them with
 *   xensplit_findings_free()
 *
 * Findings about a device follow each other, causes before consequences. Costs
 * as many requests as xensplit_list_new() with XENSPLIT_LIST_FOREIGN, plus at
 * most 8 for a device with a record, 4 if it is connected. Reads XenStore, asks
 * the hypervisor table and, if the backend's domain is the local one, reads
 * /sys/bus/xen-backend and modules.alias.
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
 * xensplit_findings_get - one finding; NULL if @index is too large
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_finding *
xensplit_findings_get(const struct xensplit_findings *findings, size_t index);

/*
 * xensplit_findings_free - free the findings. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_findings *
xensplit_findings_free(struct xensplit_findings *findings);

/*
 * xensplit_batch_repair - add a repair, limited to what is safe
 * @id: a device with a record, or a foreign one
 *
 * Sets owners and permissions as an attach does, and BE/online if it is
 * missing. If that changed anything, writes both states again with the same
 * value, so that each driver checks the other end again. A foreign device is
 * only repaired if its halves point to each other through nodes that no guest
 * owns, and only one domain has a backend for it; otherwise -EPERM.
 *
 * Returns: the step's index, or -EINVAL, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_repair(struct xensplit_batch *batch,
				       const struct xensplit_id *id);

/*
 * struct xensplit_adopt_opts - the device to adopt
 * @sz: sizeof(struct xensplit_adopt_opts)
 * @domid: the frontend's domain
 * @backend_domid: the backend's, 0 for dom0; XENSPLIT_ANY: the only domain that
 *   has a backend for the device
 * @type: [A-Za-z0-9_-]+
 * @devid: not XENSPLIT_DEVID_AUTO
 * @flags: XENSPLIT_ADOPT_RESERVED
 * @backend_type: the type in the backend's path if it differs; NULL: @type
 *
 * Since: 0.1
 */
struct xensplit_adopt_opts {
	size_t sz;
	uint32_t domid;
	uint32_t backend_domid;
	const char *type;
	uint32_t devid;
	uint32_t flags;
	const char *backend_type;
};

/* Allow a type that libxl manages, such as vbd. */
#define XENSPLIT_ADOPT_RESERVED (1u << 0)

/*
 * xensplit_batch_adopt - add a step that makes a record for a foreign device
 * @opts: copied
 *
 * Then the device is one of xensplit's: lists show it so, and it can be
 * detached. Sets owners and permissions like xensplit_batch_repair(), and writes
 * the states again if that changed anything. The states stay as they are.
 *
 * Both halves are looked for where the name of the device puts them, and must
 * have a state. They must point to each other, through nodes of the frontend
 * that no guest can write, and no other domain may have a backend for the
 * device, unless @backend_domid of @opts names the right one.
 *
 * The record gets no extra keys, since nobody can tell those that the other tool
 * wrote from those of a driver. They stay in XenStore, but an attach with
 * XENSPLIT_ATTACH_REPLACE, or a repair that makes the device again, loses them.
 *
 * Fails at commit with: -ESRCH; -ENOENT, also for a device that lacks its
 * backend or a state; -EEXIST or -ESTALE if the device has a record; -EBADMSG;
 * -EPERM if the halves can't be trusted.
 *
 * Returns: the step's index, or -EINVAL, -ESRCH, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_batch_adopt(struct xensplit_batch *batch,
				      const struct xensplit_adopt_opts *opts);

/*
 * xensplit_repair - repair a device, and wait until both ends are Connected
 * @id: a device with a record, or a foreign one
 * @timeout_ms: for the whole call
 *
 * Like xensplit_batch_repair(), in its own commit. A driver that has written an
 * error before, and does not connect after the repair, never will: Linux's
 * __xenbus_switch_state() treats a failed state write as done. A device with a
 * record is then closed and made again, with its extra keys, as with
 * XENSPLIT_ATTACH_REPLACE. So is a device whose replacement was interrupted. A
 * foreign device is never made again.
 *
 * Returns: 0; -EINVAL, -ENOENT, -ESRCH, -ESTALE, -EBADMSG, -EPERM, -EBUSY,
 * -EACCES, -ENOTCONN, -ENOMEM; -EEXIST if other clients attached it each time that
 * it was to be made again; -ETIMEDOUT or -EPROTO if the device is repaired but does
 * not connect.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_repair(struct xensplit_ctx *ctx, const struct xensplit_id *id,
				 unsigned int timeout_ms);

/* ------------------------------------------------------------- monitor --- */

/*
 * A monitor reports changes of devices as events, for any poll loop. It has its
 * own connection. Wait until its descriptor is readable or its timeout has
 * passed, call xensplit_monitor_process(), then take events until there are
 * none.
 */
struct xensplit_monitor;

enum xensplit_event_type {
	XENSPLIT_EVENT_APPEARED = 1,	/* a device exists (also at the start) */
	XENSPLIT_EVENT_STATE = 2,	/* the state of one end changed */
	XENSPLIT_EVENT_ERROR = 3,	/* a driver wrote an error node */
	XENSPLIT_EVENT_VANISHED = 4,	/* a device is gone */
	XENSPLIT_EVENT_DOMAIN_GONE = 5, /* the domain of one end is gone */
	XENSPLIT_EVENT_RESYNC = 6,	/* changes were too fast to see each */
	XENSPLIT_EVENT_DOMAIN = 7	/* another domain has the name, or none */
};

enum xensplit_end {
	XENSPLIT_END_NONE = 0,
	XENSPLIT_END_FRONTEND = 1,
	XENSPLIT_END_BACKEND = 2
};

/*
 * struct xensplit_event - a change of one device
 * @type: enum xensplit_event_type
 * @id: the device. For DOMAIN: the domid, XENSPLIT_ANY if there is none, and no
 *   type
 * @backend_domid: XENSPLIT_ANY if not known
 * @end: enum xensplit_end, for STATE, ERROR and DOMAIN_GONE
 * @from, @to: for STATE. For APPEARED and RESYNC: the current state of the
 *   frontend and of the backend
 * @time_us: when the library saw it, CLOCK_MONOTONIC in microseconds
 * @text: for ERROR, what the driver wrote, at most 2048 bytes, not escaped; for
 *   DOMAIN, the name
 * @missed: for RESYNC, the minimum number of writes that had no event
 * @unique_id: of the attach that made the device, NULL for a foreign one
 *
 * After a RESYNC the device may have passed through states without an event;
 * the STATE events before it already report the current states.
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
 *   foreign one; otherwise only devices with a record are followed.
 *
 * Existing devices are reported first. A device that was attached again is
 * reported as VANISHED, then as APPEARED, each with its own unique id, even if
 * both happened between two reads.
 *
 * Multiple devices are watched through the directories that contain them, four
 * for each type of a domain, because the cost of a write in xenstored grows
 * with the number of watches.
 *
 * Returns: 0, -EINVAL, -ESRCH, -EACCES, -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_monitor_new(struct xensplit_ctx *ctx,
				      const struct xensplit_filter *filter,
				      struct xensplit_monitor **ret_monitor);

/*
 * xensplit_monitor_new_named - watch devices of whichever domain has a name
 * @name: not a domid
 * @filter: NULL for all; its @domid must be XENSPLIT_ANY
 *
 * Follows the name: when another domain gets it, after a reboot or a migration,
 * there is an event DOMAIN, and then the existing devices of that domain are
 * reported as at the start. There does not have to be such a domain: if there is
 * none, at the start or later, there is an event DOMAIN, too. The devices of a
 * domain that has lost the name are followed until another domain has it.
 *
 * The descriptor stays the same. While there is no such domain, the names of all
 * domains are read each second, since a new name fires no watch that covers all.
 *
 * Returns: as for xensplit_monitor_new(); -EINVAL also if two domains have the
 * name. If that happens later, the monitor waits until it is that of one.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_monitor_new_named(struct xensplit_ctx *ctx, const char *name,
					    const struct xensplit_filter *filter,
					    struct xensplit_monitor **ret_monitor);

/*
 * xensplit_monitor_free - free a monitor. Returns: NULL.
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
 * xensplit_monitor_get_timeout - when to call process even without a wake-up
 *
 * The descriptor does not wake up if xenstored dies, but process() finds out,
 * so the timeout is at most one second ahead.
 *
 * Returns: an absolute CLOCK_MONOTONIC time in microseconds; 0 for immediately.
 *
 * Since: 0.1
 */
XENSPLIT_API uint64_t xensplit_monitor_get_timeout(struct xensplit_monitor *monitor);

/*
 * xensplit_monitor_process - read what has changed; does not wait for events
 *
 * Returns: 0; -ENOTCONN if xenstored is gone, which is final; after another
 * error, as -ENOMEM, or -ENOSPC if a quota forbids a watch, call it again: no
 * event is lost.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_monitor_process(struct xensplit_monitor *monitor);

/*
 * xensplit_monitor_next - the next event
 * @ret_event: valid until the next call on the monitor
 *
 * Returns: 1 if there is one, otherwise 0.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_monitor_next(struct xensplit_monitor *monitor,
				       const struct xensplit_event **ret_event);

/* ---------------------------------------------------------------- plan --- */

/*
 * A plan compares the devices that a domain is to have with those that it has,
 * and says what to do about each.
 */

/*
 * struct xensplit_wanted - a device that a domain is to have
 * @sz: sizeof(struct xensplit_wanted)
 * @type: as in struct xensplit_attach_opts
 * @devid: likewise. With XENSPLIT_DEVID_AUTO the device keeps the id that it
 *   was given, as long as its domain lives
 * @flags: XENSPLIT_WANTED_*
 * @backend: domid or name of the backend's domain; NULL for dom0
 * @backend_type, @front, @front_count, @back, @back_count: as in struct
 *   xensplit_attach_opts
 *
 * Since: 0.1
 */
struct xensplit_wanted {
	size_t sz;
	const char *type;
	uint32_t devid;
	uint32_t flags;
	const char *backend;
	const char *backend_type;
	const struct xensplit_pair *front;
	size_t front_count;
	const struct xensplit_pair *back;
	size_t back_count;
};

/* Allow a type that libxl manages, such as vbd. */
#define XENSPLIT_WANTED_RESERVED (1u << 0)
/* Nobody expects it to connect soon: only a keeper looks at this. */
#define XENSPLIT_WANTED_NO_WAIT (1u << 1)

enum xensplit_action_kind {
	XENSPLIT_ACTION_KEEP = 0,   /* the device is as wanted */
	XENSPLIT_ACTION_ATTACH = 1, /* it is missing */
	XENSPLIT_ACTION_RENEW = 2,  /* it differs, or is half done or stale */
	XENSPLIT_ACTION_DETACH = 3, /* no longer wanted */
	XENSPLIT_ACTION_REFUSE = 4  /* nothing can be done: @result says why */
};

/*
 * struct xensplit_action - what to do about one device
 * @kind: enum xensplit_action_kind
 * @entry: index of the wanted device; -1 if it is not on the list
 * @id: the device; XENSPLIT_DEVID_AUTO if its id is yet to be picked
 * @backend_domid: of the wanted device; XENSPLIT_ANY if its domain is not there
 * @result: of a refusal: -EINVAL if the entry is wrong, whatever the store
 *   holds, also for a second entry with the same id; -ESRCH if the backend's
 *   domain is not there, or several have its name; -EEXIST if the device differs
 *   (code "differs") or another tool made it (code "foreign"); -EBADMSG if its
 *   record is damaged; otherwise 0
 * @code: as in struct xensplit_error; NULL without a @result
 * @message: as from xensplit_errmsg(). Of XENSPLIT_ACTION_RENEW: what differs.
 *   NULL if there is nothing to say
 *
 * Since: 0.1
 */
struct xensplit_action {
	int kind;
	int entry;
	struct xensplit_id id;
	uint32_t backend_domid;
	int result;
	const char *code;
	const char *message;
};

struct xensplit_plan;

/* Renew a device that differs, instead of refusing it. */
#define XENSPLIT_PLAN_REPLACE (1u << 0)
/* Detach listed devices that are no longer on the list. */
#define XENSPLIT_PLAN_PRUNE (1u << 1)

/*
 * xensplit_plan_new - compare wanted devices with a domain's devices
 * @domid: the frontends' domain
 * @wanted: an array of @count pointers; copied
 * @flags: XENSPLIT_PLAN_*
 * @ret_plan: free it with xensplit_plan_free()
 *
 * A device is compared by its record, never by nodes that a guest can write. It
 * differs as with XENSPLIT_ATTACH_ENSURE. A wanted device with an automatic id
 * is matched with a device that a plan has attached for such an entry: one that
 * is equal, otherwise one that differs only in its backend's domain, otherwise
 * the one with the lowest id. It never gets an id that another entry names. A
 * stale device, or one whose replacement was interrupted, is renewed without any
 * flag. XENSPLIT_PLAN_PRUNE leaves devices alone that were attached without a
 * list, and those of entries that are refused.
 *
 * Writes nothing. Number of requests: a few for the domain and for each of its
 * backends' domains, one per type, one per device that it has, and two for each
 * that is missing. A backend that is named by its domain's name costs one more
 * for each domain of the host.
 *
 * Returns: 0, also if entries are refused; -EINVAL for wrong arguments, -ESRCH
 * if there is no such domain, -EACCES, -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_plan_new(struct xensplit_ctx *ctx, uint32_t domid,
				   const struct xensplit_wanted *const *wanted,
				   size_t count, uint32_t flags,
				   struct xensplit_plan **ret_plan);

/*
 * xensplit_plan_get - one action; NULL if @index is too large
 *
 * First those of the list, in its order, then those to detach.
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_action *
xensplit_plan_get(const struct xensplit_plan *plan, size_t index);

/*
 * xensplit_plan_op - start an operation that does one action
 * @timeout_ms: as for xensplit_attach(); for XENSPLIT_ACTION_DETACH as for
 *   xensplit_detach(), without force
 * @ret_op: free it with xensplit_op_free(); it may outlive the plan
 *
 * The operation waits until the device is Connected, also for
 * XENSPLIT_ACTION_KEEP. What has changed since the plan was made is noticed: the
 * operation fails as an attach with XENSPLIT_ATTACH_ENSURE does, or with -ENOENT
 * if the device to detach is another one now.
 *
 * Returns: 0; -EINVAL if there is no such action; the result of
 * XENSPLIT_ACTION_REFUSE; -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_plan_op(struct xensplit_plan *plan, size_t index,
				  unsigned int timeout_ms, struct xensplit_op **ret_op);

/*
 * xensplit_plan_free - free a plan. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_plan *xensplit_plan_free(struct xensplit_plan *plan);

/* -------------------------------------------------------------- keeper --- */

/*
 * A keeper makes domains have their wanted devices as they come and go: it
 * attaches what is missing when a domain appears, when its backend's domain
 * appears, and when a device is lost; attaches again what does not connect, as a
 * restored guest needs; finishes what a crash left half done; and removes what
 * dead domains leave behind. What fails is tried again, with growing pauses.
 *
 * It has its own connections, and is driven by any poll loop: wait until its
 * descriptor is readable or its timeout has passed, call
 * xensplit_keeper_process(), then take events until there are none. Everything
 * that it knows is in XenStore: a process that dies at any moment can start
 * again.
 */
struct xensplit_keeper;

/*
 * struct xensplit_keeper_opts - options of a keeper; each member may be zero
 * @sz: sizeof(struct xensplit_keeper_opts)
 * @flags: XENSPLIT_PLAN_*
 * @connect_ms: a device that takes longer to connect, or that a driver closes before,
 *   has failed, and is attached again; 0: 10 s. The next tries take longer. If its
 *   frontend has not begun, its domain may still boot: then only once, six times
 *   @connect_ms after the domain appeared
 *
 * Since: 0.1
 */
struct xensplit_keeper_opts {
	size_t sz;
	uint32_t flags;
	unsigned int connect_ms;
};

/*
 * xensplit_keeper_new - create a keeper without lists
 * @opts: NULL for the defaults
 * @ret_keeper: free it with xensplit_keeper_free()
 *
 * Returns: 0, -EINVAL, -EACCES (not a privileged domain), -ENOTCONN, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_keeper_new(struct xensplit_ctx *ctx,
				     const struct xensplit_keeper_opts *opts,
				     struct xensplit_keeper **ret_keeper);

/*
 * xensplit_keeper_free - free a keeper; the devices stay. Returns: NULL.
 *
 * Since: 0.1
 */
XENSPLIT_API struct xensplit_keeper *xensplit_keeper_free(struct xensplit_keeper *keeper);

/*
 * xensplit_keeper_set - set the wanted devices of a domain
 * @domain: its name
 * @wanted: an array of @count pointers; copied
 *
 * Replaces the list that the domain had. An entry that is wrong is refused by an
 * event, once the domain is there.
 *
 * Returns: 0, -EINVAL, -ENOMEM.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_keeper_set(struct xensplit_keeper *keeper, const char *domain,
				     const struct xensplit_wanted *const *wanted,
				     size_t count);

/*
 * xensplit_keeper_unset - forget the list of a domain; its devices stay
 *
 * Returns: 0, -EINVAL, -ENOENT.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_keeper_unset(struct xensplit_keeper *keeper,
				       const char *domain);

/*
 * xensplit_keeper_get_fd - the descriptor to poll; the library keeps it
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_keeper_get_fd(const struct xensplit_keeper *keeper);

/*
 * xensplit_keeper_get_events - the poll(2) events to wait for on it
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_keeper_get_events(const struct xensplit_keeper *keeper);

/*
 * xensplit_keeper_get_timeout - when to call process even without a wake-up
 *
 * Returns: an absolute CLOCK_MONOTONIC time in microseconds, at most one second
 * ahead; 0 for immediately.
 *
 * Since: 0.1
 */
XENSPLIT_API uint64_t xensplit_keeper_get_timeout(const struct xensplit_keeper *keeper);

/*
 * xensplit_keeper_process - do what can be done now
 *
 * Does a limited amount of work, so that the caller gets its turn while a
 * thousand domains appear.
 *
 * Returns: 0; -ENOTCONN if xenstored is gone, which is final; -ENOMEM, after
 * which the call can be repeated.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_keeper_process(struct xensplit_keeper *keeper);

enum xensplit_keeper_event_type {
	XENSPLIT_KEEPER_DOMAIN = 1,	 /* a domain with a list is there */
	XENSPLIT_KEEPER_DOMAIN_GONE = 2, /* it is gone, or has another name */
	XENSPLIT_KEEPER_ATTACHED = 3,	 /* a device was written */
	XENSPLIT_KEEPER_CONNECTED = 4,	 /* both ends are Connected */
	XENSPLIT_KEEPER_LOST = 5,	 /* no longer; see below */
	XENSPLIT_KEEPER_DETACHED = 6,	 /* a device was removed from the list */
	XENSPLIT_KEEPER_REAPED = 7,	 /* what a dead domain left was removed */
	XENSPLIT_KEEPER_FAILED = 8,	 /* @error; to be tried again */
	XENSPLIT_KEEPER_REFUSED = 9	 /* @error; waits for a change */
};

/*
 * struct xensplit_keeper_event - what a keeper did, or found
 *
 * A guest can make its device connect and close all the time. After five losses with
 * less than a minute between them, at most one in ten seconds makes an event; one that
 * lasts makes it when the keeper attaches the device again.
 *
 * @type: enum xensplit_keeper_event_type
 * @domain: name of the frontend's domain; NULL if not known
 * @id: the device; type NULL: the event is about the domain
 * @entry: index of the wanted device; -1 if it is not on the list
 * @backend_domid: XENSPLIT_ANY if not known
 * @took_us: of CONNECTED: the time since the device was written; 0 if another
 *   process wrote it
 * @retry_us: of FAILED: the time until the next try
 * @error: of FAILED and REFUSED, otherwise NULL
 *
 * Since: 0.1
 */
struct xensplit_keeper_event {
	int type;
	const char *domain;
	struct xensplit_id id;
	int entry;
	uint32_t backend_domid;
	uint64_t took_us;
	uint64_t retry_us;
	const struct xensplit_error *error;
};

/*
 * xensplit_keeper_next - the next event
 * @ret_event: valid until the next call on the keeper
 *
 * Returns: 1 if there is one, otherwise 0.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_keeper_next(struct xensplit_keeper *keeper,
				      const struct xensplit_keeper_event **ret_event);

/*
 * xensplit_keeper_is_settled - whether nothing is left to do at the moment
 *
 * Returns: 1 if all domains could be read, each wanted device of each domain that
 * is there is connected, refused, or has failed and waits for its next try, no
 * other device is to be detached or repaired, and nothing is left of dead domains;
 * otherwise 0.
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_keeper_is_settled(const struct xensplit_keeper *keeper);

/*
 * struct xensplit_kept - a wanted device of a domain that is there
 * @domain: its name
 * @id: the device; XENSPLIT_DEVID_AUTO if it was never attached
 * @entry: index of the wanted device
 * @backend_domid: XENSPLIT_ANY if not known
 * @frontend_state, @backend_state: enum xensplit_state
 * @failures: how often it failed since it was last connected
 * @connects: how often it was seen to connect
 * @error: why it is refused, or failed last; NULL if it is not
 *
 * Since: 0.1
 */
struct xensplit_kept {
	const char *domain;
	struct xensplit_id id;
	int entry;
	uint32_t backend_domid;
	int frontend_state;
	int backend_state;
	uint32_t failures;
	uint32_t connects;
	const struct xensplit_error *error;
};

/*
 * xensplit_keeper_get - one wanted device; NULL if @index is too large
 *
 * Needs no request. Valid until the next call on the keeper.
 *
 * Since: 0.1
 */
XENSPLIT_API const struct xensplit_kept *
xensplit_keeper_get(struct xensplit_keeper *keeper, size_t index);

#ifdef __cplusplus
}
#endif

#endif /* XENSPLIT_H */
