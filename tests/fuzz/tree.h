/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store made from a fuzz target's input, and what may change in it: see README.md. */
#ifndef TESTS_FUZZ_TREE_H
#define TESTS_FUZZ_TREE_H

#include "../unit/unit.h"
#include "fuzz.h"

/* Writes a node for each line of the input into the store in memory. */
void tree_make(struct input *input);

/* A device of domain 7 that is well, and that nothing may change; all else is about domain 5. */
#define BYSTANDER 7

/* All nodes, in order. */
struct snapshot {
	char *text;
	char **lines; /* "PATH = \"VALUE\" PERMISSIONS" */
	size_t count;
};

struct snapshot snapshot_take(void);
void snapshot_clear(struct snapshot *snapshot);
bool snapshot_has(const struct snapshot *snapshot, const char *path);

/* What an operation may change. */
struct area {
	uint32_t domid; /* devices of this domain; XENSPLIT_ANY: of each with a record */
	const char *type; /* NULL: any */
	uint32_t devid;	  /* XENSPLIT_ANY: any */
	bool unrecorded;  /* also devices without a record, except the bystander */
};

/* Compares the store with an earlier one, and aborts for a change elsewhere. */
void must_change_only(const struct snapshot *before, const struct area *area,
		      const char *operation);
void must_be_same(const struct snapshot *before, const char *operation);

#endif
