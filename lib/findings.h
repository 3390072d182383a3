/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with devices. */
#ifndef XENSPLIT_FINDINGS_H
#define XENSPLIT_FINDINGS_H

#include "list.h"

#define ERROR	XENSPLIT_SEVERITY_ERROR
#define WARNING XENSPLIT_SEVERITY_WARNING

/* What gets a device going that nothing else does; words.c fills it in. */
#define FIX_REPLACE "xensplit attach {D} {T}/{I} {R} --replace"
#define FIX_REPAIR  "xensplit doctor --fix {D} {T}/{I}"
#define FIX_FORCE   "xensplit detach {D} {T}/{I} --force"

/* words.c */

/*
 * A command: {T} {D} {I} {B} {U} stand for the device, its backend's domain and
 * type, {R} for the options that attach it again as it was, {FE} {BE} for its
 * paths. Where that may be a lie, @trusted is false, and the backend's domain is
 * left for the reader to fill in. To be freed.
 */
char *fix_expand(const struct place *place, const char *template,
		 bool trusted) __must_check;

/* findings.c */

/* The device ids that have something below a directory of error nodes. */
struct error_dir {
	char path[PATH_SIZE];
	uint32_t *devids; /* in order */
	size_t count;
};

/* One run over any number of devices: what was asked once is not asked again. */
struct diagnosis {
	struct txn *txn;
	struct xensplit_findings *findings;
	struct domains domains;
	struct error_dir errors[2]; /* of frontends, of backends */
	bool looked_for_bus;
	bool has_own_domid;
	uint32_t own_domid;
	char alias[TYPE_MAX + 16]; /* the last one that a module was looked for */
	char module[128];
};

/* A node, and which domains have to write and to read it. */
struct guarded {
	char path[PATH_SIZE];
	struct node_perms perms;
	bool there;
	uint32_t writer;
	uint32_t reader;
	const char *code;
};

#define GUARDED_MAX 4

/* What a device is being looked at for. */
struct patient {
	struct diagnosis *of;
	struct txn *txn;
	struct place place;
	const char *phase; /* or NULL */
	const struct claims *claims;
	bool stale;
	bool damaged;
	bool has_online;
	/*
	 * Recorded and connected: what each driver has read once, when it took the
	 * device up, is not looked at, unless something else is wrong.
	 */
	bool settled;
	bool incomplete; /* a node was not there: is it being removed? */
	int mutual;	 /* as place_is_mutual(), or -1: not asked yet */
	int frontend_state;
	int backend_state;
	bool asked_kernel;		   /* what it has of the backend */
	struct guarded nodes[GUARDED_MAX]; /* state nodes, then directories */
	size_t node_count;
	bool as_written; /* the permissions are those that an attach sets */
	size_t first;	 /* its findings begin here */
};

/* Note a finding down; @what is formatted. One of each code for a device: 0. */
int finding_add(struct patient *patient, int severity, const char *code, const char *why,
		const char *fix, const char *what, ...) __printf(6, 7) __must_check;
/* Is there an error among those that the device has so far? */
bool finding_has_error(const struct patient *patient);
bool patient_is_connected(const struct patient *patient);
struct xensplit_findings *findings_new(void) __must_check;
size_t findings_count(const struct xensplit_findings *findings);
void findings_truncate(struct xensplit_findings *findings, size_t count);

/* diagnose.c */

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

/* checks-domains.c */

/* 1 when nothing else is worth looking at. */
int check_domains(struct patient *patient) __must_check;

/* checks-nodes.c */

int check_bus_id(struct patient *patient) __must_check;
int check_halves(struct patient *patient) __must_check;
/* Finds nothing: it reads the permissions that the next two go by. */
int check_nodes(struct patient *patient) __must_check;
int check_pointers(struct patient *patient) __must_check;
int check_permissions(struct patient *patient) __must_check;
int check_online(struct patient *patient) __must_check;
int check_claims(struct patient *patient) __must_check;
int check_pointer_permissions(struct patient *patient) __must_check;

/* checks-drivers.c */

/* What the drivers wrote, and what their states mean. */
int check_drivers(struct patient *patient) __must_check;

/* kernel.c */

/*
 * What the kernel of this domain makes of a backend that stands in it. @failed: its
 * driver has written an error node.
 */
int check_kernel(struct patient *patient, bool failed) __must_check;
/* Where sysfs is mounted. */
extern const char *sysfs;

#endif
