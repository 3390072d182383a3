/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tool's verbs on mydevice/0 of domain 5, and what must be true after each. */
#ifndef TESTS_FAULTS_VERBS_H
#define TESTS_FAULTS_VERBS_H

#include "../store/store.h"

enum effect {
	READS,
	ATTACHES,
	DETACHES,
	FIXES,
	REAPS,
	ADOPTS
};

struct verb {
	const char *name;
	const char *arguments;
	void (*prepare)(void);
	enum effect effect;
	int status; /* without a fault */
	bool waits; /* for the drivers, so that it may end at its deadline */
	bool drivers;
};

extern const struct verb verbs[];
extern const size_t verb_count;

/* Those that $FAULTS_VERB names, or all. */
bool verb_is_selected(const struct verb *verb);

/* Starts the drivers that the verb needs, and ends those of the last one. */
void verb_begin(const struct verb *verb);
void verb_end(void);
/* Makes what it begins with. */
void verb_prepare(const struct verb *verb);

/* Runs "$SANDBOX proxy @options -- xensplit @arguments" and returns its status. */
int tool(const char *options, const char *arguments);
/* Where its stderr goes, for who runs it without tool(); then listen() reads that. */
const char *tool_said_path(void);
void tool_listen(void);
/* What it wrote to stderr; valid until the next run. */
const char *tool_said(void);

/*
 * After a run that ended with @status: NULL, or what is wrong with the store, with what the tool
 * said, or with the next run, which must do what this one may not have done. @misled: it may
 * believe that there is nothing to do.
 */
const char *verb_violation(const struct verb *verb, int status, bool misled);

#endif
