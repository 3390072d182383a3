/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tool's verbs on mydevice/0 of domain 5, and what must be true after each. */
#ifndef TESTS_FAULTS_VERBS_H
#define TESTS_FAULTS_VERBS_H

#include "../store/store.h"

enum effect {
	READS,
	ATTACHES,
	KEEPS, /* attaches what its file says */
	DETACHES,
	FIXES,
	RENEWS, /* the device, without its keys */
	REAPS,
	ADOPTS
};

enum {
	WAITS = 1 << 0, /* for the drivers, so that it may end at its deadline */
	DRIVERS = 1 << 1,
	STAYS = 1 << 2 /* until a signal ends it: see service.c */
};

struct verb {
	const char *name;
	const char *arguments;
	void (*prepare)(void);
	enum effect effect;
	int status; /* without a fault */
	unsigned int flags;
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

/* A shell, which runs @command. */
pid_t shell(const char *command);
/* Runs "$SANDBOX proxy @options -- xensplit @arguments" and returns its status. */
int tool(const char *options, const char *arguments);
/* Where its stderr goes, for who runs it without tool(); then listen() reads that. */
const char *tool_said_path(void);
void tool_listen(void);
/* What it wrote to stderr; valid until the next run. */
const char *tool_said(void);

/* The same for a verb that stays: it gets SIGTERM once it has done its work. */
int service(const char *options, const char *arguments);
/* Ends it like that, or waits until it ends by itself. Returns: its status; -1: it does not end. */
int service_finish(pid_t pid);
int service_await_end(pid_t pid);

/*
 * After a run that ended with @status: NULL, or what is wrong with the store, with what the tool
 * said, or with the next run, which must do what this one may not have done. @undone: also if its
 * status says that it has. @lied_to: the store has said what is not so.
 */
const char *verb_violation(const struct verb *verb, int status, bool undone,
			   bool lied_to);

#endif
