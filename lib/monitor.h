/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watches turned into events. */
#ifndef XENSPLIT_MONITOR_H
#define XENSPLIT_MONITOR_H

#include "schema.h"

/* events.c */

struct queued;

/* What is to be told, in order. */
struct events {
	struct queued *queue;
	size_t head, count, room;
	struct queued *told; /* what the caller has in hand */
};

/* The rest is the caller's to fill in. NULL: out of memory. */
struct xensplit_event *events_push(struct events *events, const struct device_id *id,
				   const char *unique_id, int type);
/* 1 with an event that lasts until the next call, else 0. */
int events_next(struct events *events, const struct xensplit_event **ret_event);
void events_clear(struct events *events);

/* follow.c */

enum part {
	PART_FRONTEND,
	PART_BACKEND,
	PART_FRONTEND_ERROR,
	PART_BACKEND_ERROR,
	PARTS
};

struct followed {
	struct device_id id;
	uint32_t backend_domid;
	char unique_id[UNIQUE_ID_SIZE]; /* empty for a foreign device */
	bool recorded;
	bool present;
	bool old, seen; /* known before, and seen by, the scan that is under way */
	bool elsewhere; /* its backend is in a domain that is not followed */
	bool relocate;	/* its record was touched */
	bool orphaned;	/* a directory above its backend was touched */
	bool told_gone[2];
	struct tree *trees[PARTS]; /* whose watches tell of it */
	bool watched[PARTS];	   /* or its own do */
	bool first_fire[PARTS];	   /* each watch fires once when it is set */
	bool unread[PARTS];
	unsigned int fired[PARTS];
	bool ahead[2]; /* a change was read before its watch fired */
	int state[2];
	bool pending; /* to be looked at */
	struct followed *next;
};

/* The devices that are followed, sorted; and those that something happened to. */
struct table {
	struct followed **devices;
	size_t count, room;
	struct followed *pending, **pending_end;
	size_t pending_count;
	bool vanished; /* some are to be forgotten */
};

void table_init(struct table *table);
/* The first device that is not before this one; @type NULL: not before the domain. */
size_t table_begin(const struct table *table, uint32_t domid, const char *type,
		   uint32_t devid);
struct followed *table_find(const struct table *table, const struct device_id *id);
/* NULL: out of memory. */
struct followed *table_add(struct table *table, const struct device_id *id);
void table_pend(struct table *table, struct followed *f);
/* In the order that something happened to them; NULL: to none. */
struct followed *table_next_pending(struct table *table);
typedef void forget_fn(struct followed *f, void *data);
/* Call @fn for those that are no more, and free them. */
void table_forget(struct table *table, forget_fn *fn, void *data);
void table_clear(struct table *table);

/* watches.c */

#define TREE_BUCKETS 1024

/* The watches by which a monitor of many devices learns of them, a few for each domain. */
struct watches {
	struct tree *buckets[TREE_BUCKETS];
	bool touched;  /* one of them */
	bool starting; /* what is followed now was there before its watches */
};

/* Where one part of a device stands. */
void part_path(char *path, const struct followed *f, enum part part);
/* A watch of its own for each part of the only device. */
int watch_device(struct txn *txn, struct followed *f) __must_check;
void unwatch_device(struct txn *txn, struct followed *f, enum part part);
/* One watch for all devices whose part stands in the same directory. */
int watch_trees(struct txn *txn, struct watches *watches,
		struct followed *f) __must_check;
void unwatch_tree(struct txn *txn, struct watches *watches, struct followed *f,
		  enum part part);
/* What fired by the token of a device, or of a tree. */
void take_device(struct table *table, const char *token);
void take_tree(struct watches *watches, struct table *table, const char *path,
	       const char *token);
/* Directories that may have gone as a whole: what was in them is to be looked at. */
int look_at_trees(struct txn *txn, struct watches *watches,
		  struct table *table) __must_check;
int look_at_siblings(struct txn *txn, struct table *table,
		     struct followed *f) __must_check;
void watches_clear(struct watches *watches);

/* The elements of an absolute path; the number of those that it has, or PATH_PARTS. */
#define PATH_PARTS 10

struct path_part {
	const char *text;
	size_t len;
};

size_t path_split(const char *path, struct path_part parts[PATH_PARTS]);
bool path_part_is(const struct path_part *part, const char *text);
/* As a path of the schema has it: no zeros before it. */
bool path_part_number(const struct path_part *part, uint32_t max, uint32_t *ret_number);

/* The monitor itself, for the files that it is made of. */

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
