/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of the library's internals. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#undef fail /* cmocka's; the library has its own */
#include "findings.h"
#include "monitor.h"
#include "operation.h"

/*
 * A store in memory instead of libxenstore: enough of xenstored to run the library, with requests
 * that fail on demand. Linked before libxenstore, so that its functions are called.
 */
struct fake {
	/* input, set by a test */
	unsigned int fail_at; /* this request fails, counted from 1; 0: none */
	int fail_errno;
	bool fail_from_there_on;  /* like a daemon that died */
	const char *fail_call;	  /* requests that begin so fail: "rm /local/..." */
	unsigned int conflicts;	  /* number of commits that collide */
	unsigned int conflict_at; /* this try collides, counted from 1; 0: none */
	bool flood; /* commits that remove a half collide: its end keeps writing to it */
	bool backend_closes; /* a backend asked to close is Closed at once */
	/* comes before the answer to each request; what it sets is in that answer */
	void (*before)(const char *call, const char *path);
	uint32_t dead_domid;	    /* gone, though it has a directory; 0: none */
	unsigned int requests_most; /* idle() at the next one; 0: any number */
	void (*idle)(void);	    /* when nothing will ever happen; it may not return */
	/* output */
	unsigned int requests;
	bool failed;	       /* the failure has happened */
	char failed_call[128]; /* which one: "write /local/domain/..." */
	bool failed_inside;    /* a transaction */
	bool failed_beside;    /* though not as a part of it: it can't collide */
	bool committed_failure; /* a transaction was committed after a request in it failed */
	unsigned int open_transactions;
	unsigned int commits, tries;
	unsigned int pauses;
	uint64_t pause_us[32];
};

extern struct fake fake;

/*
 * The library's own allocations, of which one, or all from there on, fails on demand. The
 * Makefile renames the functions in the objects of the library, so that nobody else is affected.
 */
struct memory {
	unsigned int fail_at; /* counted from 1; 0: none */
	bool from_there_on;
	unsigned int count;
	bool failed;
};

extern struct memory memory;

/* Domains 0, 5 and 6 and nothing else; no failures. */
void fake_reset(void);
/* Resets only the counters and failures. */
void fake_calm(void);
/* NULL if the node does not exist; the length includes NULs in the value. */
const char *fake_value(const char *path, size_t *ret_len);
void fake_set(const char *path, const char *value, size_t len);
void set(const char *path, const char *text);
/* Fires "@releaseDomain" or "@introduceDomain". */
void fake_announce(const char *what);
/* Of all connections. */
unsigned int fake_watches(void);
/* Of a node that there is, without a look at who its owner is. */
void fake_set_perms(const char *path, const struct xs_permissions *perms,
		    unsigned int count);
/* That domain dies without its toolstack: xenstored removes the nodes that it owns. */
void fake_bury(unsigned int domid);
/* Every node with its value and permissions, one per line; the caller frees it. */
char *fake_dump(void);

/* A context on the fake, without output of warnings. */
struct xensplit_ctx *unit_ctx(void);
void unit_ctx_free(struct xensplit_ctx *ctx);

/* Replaces fail_msg(), which uses the macro above. */
#define wrong(...)                         \
	do {                               \
		print_error(__VA_ARGS__);  \
		_fail(__FILE__, __LINE__); \
	} while (0)

#define assert_contains(text, part)                                            \
	do {                                                                   \
		if (!strstr((text), (part)))                                   \
			wrong("\"%s\" does not say \"%s\"\n", (text), (part)); \
	} while (0)

#endif
