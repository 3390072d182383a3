/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The schema in the store: domains, device ids, records, and paths. */
#ifndef XENSPLIT_SCHEMA_H
#define XENSPLIT_SCHEMA_H

#include "internal.h"

/* domain.c */

/*
 * Tells a domain from a later one with the same domid. A restarted VM keeps its
 * UUID; the mark is random, written by this library, and removed with the domain's
 * directory. Empty strings if not known.
 */
struct identity {
	char uuid[UUID_SIZE];
	char mark[MARK_SIZE];
};

/*
 * Reads what is needed to compare a domain with the @recorded one; NULL only
 * checks that it exists. -ESRCH: no such domain.
 */
int domain_identity(struct txn *txn, uint32_t domid, const struct identity *recorded,
		    struct identity *ret_identity) __must_check;
/*
 * For a domain that is to get a device: 0 or -ESRCH. If nobody can tell whether it
 * is alive, making it the owner of a node will: see set_perms() in store.c.
 * @ret_name: NULL, or gets its name if that was read; the caller frees it.
 */
int domain_claim(struct txn *txn, uint32_t domid, struct identity *ret_identity,
		 char **ret_name) __must_check;
/* The domain of this process. */
int domain_own(struct txn *txn, uint32_t *ret_domid) __must_check;
/* Is there such a domain, and can it get a device? 0 or -ESRCH. */
int domain_check(struct txn *txn, uint32_t domid) __must_check;
/* A domid if @text has digits only: 0; 1: a name; -EINVAL or -ESRCH. */
int domain_parse(struct xensplit_ctx *ctx, const char *text,
		 uint32_t *ret_domid) __must_check;
/* Writes the mark of a domain that has none yet; dom0 needs none. */
int domain_mark(struct txn *txn, uint32_t domid, char mark[MARK_SIZE]) __must_check;
/* What the hypervisor says (XENSPLIT_DOMAIN_*), 0 if unknown. */
uint32_t domain_flags(struct xensplit_ctx *ctx, uint32_t domid);
typedef int domain_fn(struct txn *txn, uint32_t domid, void *data);
/* Calls @fn for each domid below @dir, in no order, until it returns nonzero. */
int domids_foreach(struct txn *txn, const char *dir, domain_fn *fn,
		   void *data) __must_check;
/* The same for each domain with a directory: it may be gone from Xen, or not exist yet. */
int domain_foreach(struct txn *txn, domain_fn *fn, void *data) __must_check;

/* names.c */

/* Its name; NULL if it has none. The caller frees it. */
char *domain_name(struct txn *txn, uint32_t domid);
/* 1 if the domain, or another guest, may write its name. */
int domain_chose_name(struct txn *txn, uint32_t domid) __must_check;
/*
 * The domain of that name that can get a device: 0; -EINVAL: there are several, -ESRCH: none,
 * or only one that may have chosen its name.
 */
int domain_named(struct txn *txn, const char *name, uint32_t *ret_domid) __must_check;

/* domains.c */

enum domain_now {
	DOMAIN_SAME,
	DOMAIN_GONE,
	DOMAIN_OTHER
};

/* Cached answers about domains: ask once, however many devices a domain has. */
struct domains {
	struct known_domain **known; /* by domid */
	uint32_t begin, end;	     /* domids outside this range are not known */
};

/* record_domain_now(), domain_flags() and domain_name(), cached. */
int domains_now(struct txn *txn, struct domains *domains, uint32_t domid,
		const struct identity *recorded) __must_check;
/* 1, 0 or a negative errno. */
int domains_exists(struct txn *txn, struct domains *domains, uint32_t domid) __must_check;
int domains_flags(struct txn *txn, struct domains *domains, uint32_t domid,
		  uint32_t *ret_flags) __must_check;
/* *ret_name is NULL for a domain without one; valid as long as @domains. */
int domains_name(struct txn *txn, struct domains *domains, uint32_t domid,
		 const char **ret_name) __must_check;
void domains_clear(struct domains *domains);

/* id.c */

/* An id that owns its type. */
struct device_id {
	uint32_t domid;
	uint32_t devid;
	char type[TYPE_MAX + 1];
	/* If the backend's directory has another type; not part of the identity. */
	char backend_type[TYPE_MAX + 1];
};

int id_set(struct xensplit_ctx *ctx, struct device_id *id, uint32_t domid,
	   const char *type, uint32_t devid) __must_check;
int id_check_filter(struct xensplit_ctx *ctx, const struct xensplit_filter *from,
		    struct xensplit_filter *to) __must_check;
/* NULL, or the frontend's type: no other type. */
void id_set_backend_type(struct device_id *id, const char *backend_type);
/* The type in the backend's path. */
const char *id_backend_type(const struct device_id *id);
/* Everything except the backend's domain, which an id does not have. */
bool id_matches(const struct device_id *id, const struct xensplit_filter *filter);
bool backend_matches(uint32_t backend_domid, const struct xensplit_filter *filter);
/* Does the filter name a single device? */
bool filter_is_single(const struct xensplit_filter *filter);
int id_compare(const struct device_id *a, const struct device_id *b);
bool type_is_valid(const char *type);
/* "mydevice/0 of domain 5", for messages. */
const char *id_text(const struct device_id *id, char *buf, size_t size);
/* Logs what was committed on that device. */
void id_log(struct xensplit_ctx *ctx, const struct device_id *id, const char *what);
#define ID_TEXT_SIZE (TYPE_MAX + 48)

extern const char RECORD_ROOT[];

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
/* The highest device id whose bus ids are short enough; -1 if there is none. */
int64_t devid_limit(const char *type, uint32_t domid);

/* record.c */

struct record {
	struct device_id id;
	uint32_t backend_domid;
	struct identity frontend;
	struct identity backend;
	char unique_id[UNIQUE_ID_SIZE];
	char phase[PHASE_SIZE];	  /* of an operation that takes several commits */
	char listed[LISTED_SIZE]; /* "fixed" or "auto" if a plan attached it */
	uint64_t created;
	bool more_keys; /* some did not fit and are nodes below it */
};

/* Reads all but the extra keys. -ENOENT: there is no record. */
int record_read(struct txn *txn, const struct device_id *id,
		struct record *ret_record) __must_check;
/* Also adds the extra keys to @front and @back. */
int record_read_whole(struct txn *txn, const struct device_id *id,
		      struct record *ret_record, struct pairs *front,
		      struct pairs *back) __must_check;
int record_write(struct txn *txn, struct record *record, const struct pairs *front,
		 const struct pairs *back) __must_check;
/* Rewrites only that field, so that fields of other versions are kept. */
int record_set_phase(struct txn *txn, const struct device_id *id,
		     const char *phase) __must_check;
int record_remove(struct txn *txn, const struct device_id *id) __must_check;
/* The current status of a recorded domain. */
int record_domain_now(struct txn *txn, uint32_t domid,
		      const struct identity *recorded) __must_check;
/* 1 if one of its domains is gone or has been replaced, else 0. */
int record_is_stale(struct txn *txn, const struct record *record) __must_check;
/* The same, with cached answers. */
int domains_stale(struct txn *txn, struct domains *domains,
		  const struct record *record) __must_check;
/* -ESTALE, with an error text, if it is. */
int record_refuse_stale(struct txn *txn, const struct record *record) __must_check;
/* Like record_read(), but -ESTALE, with an error text, for a stale one. */
int record_require(struct txn *txn, const struct device_id *id,
		   struct record *ret_record) __must_check;
typedef int record_fn(struct txn *txn, const struct device_id *id, void *data);
/* Calls @fn for each matching record, in any order, until it returns nonzero. */
int record_foreach(struct txn *txn, const struct xensplit_filter *filter, record_fn *fn,
		   void *data) __must_check;
/* Calls @fn for each domain that has a record, or had one, until it returns nonzero. */
int record_domains(struct txn *txn, domain_fn *fn, void *data) __must_check;

/* device.c */

/* Where the halves of a device are. */
struct place {
	struct device_id id;
	uint32_t backend_domid; /* XENSPLIT_ANY: a frontend without a backend */
	bool recorded;
};

struct perms perms_frontend(const struct device_id *id, uint32_t backend_domid);
struct perms perms_backend(const struct device_id *id, uint32_t backend_domid);
struct perms perms_identity(const struct device_id *id, uint32_t backend_domid);
/* By its record, else by searching every domain's backends. -ENOENT. */
int place_find(struct txn *txn, const struct device_id *id,
	       struct place *ret_place) __must_check;
int place_states(struct txn *txn, const struct place *place, int *ret_frontend,
		 int *ret_backend) __must_check;
/* "frontend Connected, backend Closing" */
const char *states_text(int frontend_state, int backend_state, char *buf, size_t size);
#define STATES_TEXT_SIZE 64
int state_read(struct txn *txn, const char *path, int *ret_state) __must_check;
int place_remove_frontend(struct txn *txn, const struct device_id *id) __must_check;
int place_remove_backend(struct txn *txn, const struct device_id *id,
			 uint32_t backend_domid) __must_check;
int place_remove_halves(struct txn *txn, const struct place *place) __must_check;
int place_remove_errors(struct xensplit_ctx *ctx, const struct place *place) __must_check;
/* The same, but keeps those of a device that is there. */
int place_remove_old_errors(struct xensplit_ctx *ctx,
			    const struct place *place) __must_check;

/* foreign.c */

/* The domains that have a backend for a device, in order. */
struct claims {
	uint32_t *domids;
	size_t count;
	size_t room;
};

int claims_add(struct txn *txn, struct claims *claims, uint32_t domid) __must_check;
void claims_clear(struct claims *claims);
/* Reads each domain. */
int claims_find(struct txn *txn, const struct device_id *id,
		struct claims *claims) __must_check;
/*
 * The backend to assume for a device without a record: the one that its frontend
 * names, if no guest could have written that, else dom0's, else the first one.
 * XENSPLIT_ANY if there is none.
 */
int claims_choose(struct txn *txn, const struct device_id *id,
		  const struct claims *claims, uint32_t *ret_domid) __must_check;
/*
 * Can the nodes be trusted? 1 if both halves name each other, no guest owns the
 * frontend's pointers, and no other domain has a backend for it; 0 with the reason
 * in xensplit_errmsg(), or a negative errno.
 */
int place_is_mutual(struct txn *txn, const struct place *place) __must_check;
/* The same, if the domains that have a backend for it are already known. */
int place_halves_agree(struct txn *txn, const struct place *place) __must_check;
/* 1 if a guest owns, or may write, a node by which a frontend finds its backend. */
int place_pointer_writable(struct txn *txn, const struct place *place,
			   char path[PATH_SIZE],
			   struct node_perms *ret_perms) __must_check;

#endif
