/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The monitor itself, for the files that it is made of. */
#ifndef XENSPLIT_MONITOR_INTERNAL_H
#define XENSPLIT_MONITOR_INTERNAL_H

#include "monitor.h"

struct xensplit_monitor {
	struct xensplit_ctx *ctx;
	struct txn txn; /* a connection of its own */
	struct xensplit_filter filter;
	char type[TYPE_MAX + 1]; /* the filter's */
	bool single;		 /* the filter names one device */
	struct events events;
	struct table table;
	struct watches watches;
	bool records_fired;
	bool rescan;
	uint32_t rescan_domid; /* or XENSPLIT_ANY */
	bool released;
	uint64_t probe_us;
	unsigned int drained; /* at the last time */
	bool more;	      /* something was taken in that is yet to be looked at */
	bool dead;
};

/* drain.c */

/* How much is taken in at a time. */
#define DRAIN_MAX 65536

/* Add a device to those that are followed, to be looked at. */
int monitor_follow(struct xensplit_monitor *m, const struct device_id *id) __must_check;
/* Look for new records there, or anywhere, and for those that have gone. */
void monitor_want_scan(struct xensplit_monitor *m, uint32_t domid);
/* Take in what has fired. */
int drain(struct xensplit_monitor *m) __must_check;

/* refresh.c */

/* What has become of a device that something happened to. */
int refresh(struct xensplit_monitor *m, struct followed *f) __must_check;
int push_plain(struct xensplit_monitor *m, const struct followed *f, int type,
	       int end) __must_check;
void unwatch_part(struct xensplit_monitor *m, struct followed *f, enum part part);

#endif
