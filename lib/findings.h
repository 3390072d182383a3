/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Problems of devices, the checks, and their results. */
#ifndef XENSPLIT_FINDINGS_H
#define XENSPLIT_FINDINGS_H

#include "list.h"

#define ERROR	XENSPLIT_SEVERITY_ERROR
#define NOTE	XENSPLIT_SEVERITY_NOTE
#define WARNING XENSPLIT_SEVERITY_WARNING

/* With a remedy: it is about the backend's domain. */
#define IN_BACK 0x100

/* findings.c */

/* The device ids that have nodes below a directory of error nodes. */
struct error_dir {
	char path[PATH_SIZE];
	uint32_t *devids; /* in order */
	size_t count;
};

/* One run over any number of devices; caches answers. */
struct diagnosis {
	struct txn *txn;
	struct xensplit_findings *findings;
	struct domains domains;
	struct error_dir errors[2]; /* of frontends, of backends */
	bool looked_for_bus;
	bool has_own_domid;
	uint32_t own_domid;
	char alias[TYPE_MAX + 16]; /* of the last search for a module */
	char module[128];
};

/* A node, and the domains that must write and read it. */
struct guarded {
	char path[PATH_SIZE];
	struct node_perms perms;
	bool there;
	uint32_t writer;
	uint32_t reader;
	const char *code;
};

#define GUARDED_MAX 4

/* The device being checked. */
struct patient {
	struct diagnosis *of;
	struct txn *txn;
	struct place place;
	const char *phase; /* or NULL */
	char phase_now[PHASE_SIZE];
	const struct claims *claims;
	bool stale;
	bool damaged;
	bool has_online;
	/*
	 * Recorded and connected: skip what each driver reads only once, when it
	 * takes the device up, unless there is another finding.
	 */
	bool settled;
	bool incomplete; /* a node is missing: is the device being removed? */
	int mutual;	 /* as place_is_mutual(), or -1: not checked yet */
	int frontend_state;
	int backend_state;
	bool asked_kernel;		   /* what it has of the backend */
	struct guarded nodes[GUARDED_MAX]; /* state nodes, then directories */
	size_t node_count;
	bool as_written; /* the permissions are as an attach sets them */
	size_t first;	 /* index of its first finding */
};

/*
 * Adds a finding; formats @what. @remedy: XENSPLIT_REMEDY_*, with IN_BACK or
 * without. Ignores (0) a second one of a code for a device.
 */
int finding_add(struct patient *patient, int severity, const char *code, const char *why,
		int remedy, const char *what, ...) __printf(6, 7) __must_check;
/* Does the device have a finding that is an error so far? */
bool finding_has_error(const struct patient *patient);
bool patient_is_connected(const struct patient *patient);
struct xensplit_findings *findings_new(void) __must_check;
size_t findings_count(const struct xensplit_findings *findings);
void findings_truncate(struct xensplit_findings *findings, size_t count);

/* diagnose.c */

/* Adds what stops the device, if that is known, to the failure of the call. */
void diagnose_failure(struct xensplit_ctx *ctx, const struct device_id *id);
/* The same for the code "foreign": adds how to take the device over. */
void diagnose_foreign(struct xensplit_ctx *ctx, const struct device_id *id);

/* checks.c */

/* All checks of one device, causes first. */
int check_device(struct patient *patient) __must_check;
int check_store_speed(struct patient *patient) __must_check;

/* checks-domains.c */

/* 1 if the other checks are pointless. */
int check_domains(struct patient *patient) __must_check;

/* checks-nodes.c */

int check_bus_id(struct patient *patient) __must_check;
int check_halves(struct patient *patient) __must_check;
/* Adds no findings: reads the permissions for the next two. */
int check_nodes(struct patient *patient) __must_check;
int check_pointers(struct patient *patient) __must_check;
int check_permissions(struct patient *patient) __must_check;
int check_online(struct patient *patient) __must_check;
int check_claims(struct patient *patient) __must_check;
int check_pointer_permissions(struct patient *patient) __must_check;

/* checks-drivers.c */

/* Error nodes, and what the states mean. */
int check_drivers(struct patient *patient) __must_check;

/* kernel.c */

/*
 * What this domain's kernel did with a backend in this domain. @failed: its driver
 * has written an error node.
 */
int check_kernel(struct patient *patient, bool failed) __must_check;

#endif
