/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watches turned into events. */
#ifndef XENSPLIT_MONITOR_H
#define XENSPLIT_MONITOR_H

#include "domid-set.h"
#include "schema.h"

/* events.c */

struct queued;

/* A queue of events. */
struct events {
	struct queued *queue;
	size_t head, count, room;
	struct queued *told; /* the one that the caller is using */
};

/* The caller fills in the rest. NULL: out of memory. */
struct xensplit_event *events_push(struct events *events, const struct device_id *id,
				   const char *unique_id, int type);
/* 1 and an event that is valid until the next call, or 0. */
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
	bool old, seen; /* known before the current scan, and seen by it */
	bool elsewhere; /* its backend is in a domain that is not followed */
	bool relocate;	/* its record changed */
	bool orphaned;	/* a directory above its backend changed */
	bool buried;	/* its domain is gone: only whether its record is left matters */
	bool told_gone[2];
	struct tree *trees[PARTS]; /* shared watches that cover it */
	bool watched[PARTS];	   /* or has its own watch */
	bool first_fire[PARTS];	   /* each watch fires once when it is set */
	bool unread[PARTS];
	unsigned int fired[PARTS];
	bool ahead[2];	     /* a change was read before its watch fired */
	unsigned int missed; /* changes that were not read, to be reported */
	int state[2];
	bool pending; /* to be read */
	struct followed *next;
};

/* The followed devices, sorted; and those that have changed. */
struct table {
	struct followed **devices;
	size_t count, room;
	struct followed *pending, **pending_end;
	size_t pending_count;
	bool vanished; /* some are to be removed */
};

void table_init(struct table *table);
/* The first device not before this one; @type NULL: not before the domain. */
size_t table_begin(const struct table *table, uint32_t domid, const char *type,
		   uint32_t devid);
struct followed *table_find(const struct table *table, const struct device_id *id);
/* NULL: out of memory. */
struct followed *table_add(struct table *table, const struct device_id *id);
void table_pend(struct table *table, struct followed *f);
/* The device that has been pending longest; NULL: none. */
struct followed *table_next_pending(struct table *table);
typedef void forget_fn(struct followed *f, void *data);
/* Calls @fn for devices that are gone, and frees them. */
void table_forget(struct table *table, forget_fn *fn, void *data);
void table_clear(struct table *table);

/* watches.c */

#define TREE_BUCKETS 1024

/* The watches of a monitor of many devices, a few for each domain. */
struct watches {
	struct tree *buckets[TREE_BUCKETS];
	bool touched;  /* one of them has fired */
	bool starting; /* devices found now are older than their watches */
	bool states_only;
};

static inline bool part_is_error(enum part part)
{
	return part == PART_FRONTEND_ERROR || part == PART_BACKEND_ERROR;
}

/* The path of one part of a device. */
void part_path(char *path, const struct followed *f, enum part part);
/* Sets a watch for each part of the only device. */
int watch_device(struct txn *txn, struct followed *f) __must_check;
void unwatch_device(struct txn *txn, struct followed *f, enum part part);
/* Sets one watch for all devices with a part in the same directory. */
int watch_trees(struct txn *txn, struct watches *watches,
		struct followed *f) __must_check;
void unwatch_tree(struct txn *txn, struct watches *watches, struct followed *f,
		  enum part part);
/* Handle a watch that fired, by the token of a device or of a tree. */
void take_device(struct table *table, const char *token);
void take_tree(struct watches *watches, struct table *table, const char *path,
	       const char *token);
/* If a whole directory may be gone, marks the devices in it as pending. */
int look_at_trees(struct txn *txn, struct watches *watches,
		  struct table *table) __must_check;
int look_at_siblings(struct txn *txn, struct table *table,
		     struct followed *f) __must_check;
void watches_clear(struct watches *watches);

/* Splits an absolute path; returns the number of elements, at most PATH_PARTS. */
#define PATH_PARTS 10

struct path_part {
	const char *text;
	size_t len;
};

size_t path_split(const char *path, struct path_part parts[PATH_PARTS]);
bool path_part_is(const struct path_part *part, const char *text);
/* A number as the schema writes it: no leading zeros. */
bool path_part_number(const struct path_part *part, uint32_t max, uint32_t *ret_number);

/* named.c */

/* Which domain has a name. */
struct named {
	char *name;	  /* NULL: not asked for */
	uint32_t domid;	  /* XENSPLIT_ANY: none at the moment */
	uint32_t watched; /* the domain whose name is watched, or XENSPLIT_ANY */
	bool announced;	  /* new domains are watched */
	bool fired;	  /* since it was looked at */
	bool changed;	  /* not reported yet */
	uint64_t look_us; /* while there is none: when to look, whatever fires */
};

/* -EINVAL: it can't be a name. */
int named_set(struct xensplit_ctx *ctx, struct named *named,
	      const char *name) __must_check;
void named_clear(struct named *named);
bool named_is_missing(const struct named *named);
/* Looks, and sets the watches, whose token is "name". -EINVAL: several have it. */
int named_begin(struct txn *txn, struct named *named) __must_check;
/* Looks again, if necessary: @changed if another domain has the name now, or none. */
int named_look(struct txn *txn, struct named *named) __must_check;

/* The monitor itself, for its source files. */

struct xensplit_monitor {
	struct xensplit_ctx *ctx;
	struct txn txn; /* the monitor's connection */
	struct xensplit_filter filter;
	char type[TYPE_MAX + 1]; /* the filter's */
	bool single;		 /* the filter names one device */
	struct named named;	 /* the filter's domain, if it has to have a name */
	bool begun;		 /* the records are watched */
	struct events events;
	struct table table;
	struct watches watches;
	bool records_fired;
	bool rescan;		  /* all domains */
	struct domid_set rescans; /* these */
	bool released;
	uint64_t probe_us;
	unsigned int drained; /* by the last call */
	bool more;	      /* some of what was read is still pending */
	bool dead;
};

/* monitor.c */

/* Of all devices; reports neither errors of drivers nor dead domains. */
int monitor_of_states(struct xensplit_ctx *ctx,
		      struct xensplit_monitor **ret_monitor) __must_check;

/* drain.c */

/* How many events to read at a time. */
#define DRAIN_MAX 65536

/* Adds a device to follow, as pending. */
int monitor_follow(struct xensplit_monitor *m, const struct device_id *id) __must_check;
/* Requests a scan for new and removed records, in that domain or in all. */
void monitor_want_scan(struct xensplit_monitor *m, uint32_t domid);
/* Reads the watches that fired. */
int drain(struct xensplit_monitor *m) __must_check;

/* scan.c */

/* Does the scans that were requested. */
int monitor_scan(struct xensplit_monitor *m) __must_check;
/* Its nodes are not read any more, only its records, as they change. */
void monitor_bury(struct xensplit_monitor *m, uint32_t domid);
/* There is another one with that domid; or it was alive. */
void monitor_unbury(struct xensplit_monitor *m, uint32_t domid);

/* refresh.c */

/* Reads a pending device, and queues events. */
int refresh(struct xensplit_monitor *m, struct followed *f) __must_check;
int push_plain(struct xensplit_monitor *m, const struct followed *f, int type,
	       int end) __must_check;
void unwatch_part(struct xensplit_monitor *m, struct followed *f, enum part part);

#endif
