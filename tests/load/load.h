/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hammer: processes that make operations on the same devices, with the library and with the tool. See
 * README.md.
 */
#ifndef TESTS_LOAD_H
#define TESTS_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xenstore.h>
#include <xensplit.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Domains that `run` made; it also loads their drivers. */
#define DRIVER_DOMAIN 8
#define MORTAL	      7 /* dies, and comes back with the same domid */

/* A device that all processes use. */
struct target {
	uint32_t domid;
	const char *type;
	uint32_t devid;
};

extern const struct target targets[];
extern const size_t target_count;

/* --- look.c: the store --- */

enum whole {
	NONE,	/* nothing of it */
	WHOLE,	/* a record, and all nodes of both ends */
	PHASE,	/* a record that says what is missing */
	STALE,	/* its domain is gone */
	FOREIGN /* no record, but both ends */
};

struct view {
	enum whole is;
	char unique_id[40];
	char mode[64]; /* of the record; empty if it has none */
	uint32_t backend;
	int states[2]; /* of frontend and backend; -1: there is none */
};

/*
 * Reads all of @count devices at one moment, in a transaction. Returns what is wrong, or NULL. The text
 * is valid until the next call.
 */
const char *look(struct xs_handle *xs, const struct target *target, size_t count,
		 struct view *ret_views);
bool is_connected(const struct view *view);
/* Removes its record, as if a script had made the device. */
bool drop_record(struct xs_handle *xs, const struct target *target);
/* How many records of the domain are of its former life. */
unsigned int count_stale(struct xs_handle *xs, uint32_t domid);

/* --- verbs.c --- */

struct verb;

struct op {
	const struct verb *verb;
	const struct target *target; /* NULL: many devices */
	struct xensplit_ctx *ctx;
	struct xs_handle *xs;
	bool alone;   /* no other process uses the target */
	bool by_tool; /* with xensplit, not with the library */
	unsigned int timeout_ms;
	uint32_t domid;
	uint32_t backend;
	char mode[32]; /* value of the extra keys */
	struct view before, after;
	int status; /* as the tool exits */
	char said[4096];
	uint64_t took_us;
};

enum scope {
	ONE,	/* a target */
	DOMAIN, /* changes any device of a domain */
	OTHER	/* none, or those that only it uses */
};

struct verb {
	const char *name;
	unsigned int weight; /* how often */
	enum scope scope;
	/* Returns 0 or a negative errno; NULL: only the tool does it. */
	int (*call)(struct op *op);
	/* For the tool, see tool_arguments(); NULL: only the library does it. */
	const char *arguments;
	/* What is wrong with the store after it was alone; NULL: nothing. */
	const char *(*verdict)(const struct op *op);
};

extern const struct verb verbs[];
extern const size_t verb_count;

/* Its connections; what the library warns of is what it says. */
void op_open(struct op *op);
/* Fills status, said and took_us. */
void op_run(struct op *op);
/* Adds a line to what it said. */
void op_say(struct op *op, const char *text);

/* --- verdicts.c --- */

const char *attached(const struct op *op);
const char *ensured(const struct op *op);
const char *replaced(const struct op *op);
const char *detached(const struct op *op);
const char *waited(const struct op *op);
const char *gone(const struct op *op);
const char *shown(const struct op *op);
const char *repaired(const struct op *op);
const char *adopted(const struct op *op);
const char *reaped(const struct op *op);

/* --- outcomes.c --- */

/* Reads the list of what may happen; false: it is wrong. */
bool outcomes_read(const char *path);
/* The first line that is not on the list, or NULL. */
const char *outcome_unknown(const struct op *op);

#endif
