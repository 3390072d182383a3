/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All output to stdout: tables, JSON, and lines. */
#ifndef XENSPLIT_OUTPUT_H
#define XENSPLIT_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "xensplit.h"

struct attempt;
struct columns;

/*
 * print_done - print "mydevice/0 attached to guest5 (domain 5), connected"
 * @what: "attached to"
 * @domain: its name, or NULL
 * @then: ", connected"
 */
void print_done(const struct xensplit_id *id, const char *what, const char *domain,
		const char *then);

/* Prints any other line. */
void print_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* @flags: of table_new() */
void print_devices_table(const struct xensplit_device *const *devices, size_t count,
			 const struct columns *columns, int flags);

/* @nodes: of the only device, NULL for no array of nodes */
void print_devices_json(const struct xensplit_device *const *devices, size_t count,
			const struct xensplit_nodes *nodes);

/* @device: NULL if there is none; @changed: it was written */
void print_attached_json(const struct xensplit_device *device, int changed);

void print_nodes(const struct xensplit_nodes *nodes);

/* Prints what a batch, or a dry run of reap, would change. */
void print_changes(const struct xensplit_batch *batch, int json);
void print_reap_changes(const struct xensplit_reap *reap, int json);

/* Prints the result for each device. */
void print_reap_json(const struct xensplit_reap *reap);

void print_findings(const struct xensplit_findings *findings,
		    const struct attempt *attempt, int json);

/* Prints one line, or one JSON object. */
void print_event(const struct xensplit_event *event, int json);
/* Prints that no event will be missed from now on. */
void print_armed(int json);

/* What apply did about a device, or would do. */
struct applied {
	struct xensplit_id id; /* XENSPLIT_DEVID_AUTO: yet to be picked */
	char *domain;	       /* NULL: not known */
	uint32_t backend_domid;
	int kind; /* enum xensplit_action_kind */
	const char *reason;
	int changed;
	int frontend_state; /* now */
	int backend_state;
	const char *file;
	unsigned int line; /* 0: it is not in the file */
	char *code;	   /* of a failure, or NULL */
	char *message;
};

/* Prints a line for each, or JSON. */
void print_planned(const struct applied *const *planned, size_t count);
void print_applied_json(const struct applied *const *applied, size_t count);

/* An array of the devices in a list, valid as long as the list; the caller frees it. */
const struct xensplit_device **list_devices(const struct xensplit_list *list,
					    size_t *ret_count);

#endif
