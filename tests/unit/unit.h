/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the library's internals share. */
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
 * A store in memory in libxenstore's place: enough of xenstored to run the library, with
 * requests that fail on demand. Linked before libxenstore, its functions are the ones called.
 */
struct fake {
	/* what a test sets */
	unsigned int fail_at; /* this request fails, counted from 1; 0: none */
	int fail_errno;
	bool fail_from_there_on; /* as with a daemon that died */
	unsigned int conflicts;	 /* so many commits collide */
	bool backend_closes;	 /* a backend asked to close is Closed at once */
	/* what it tells */
	unsigned int requests;
	bool failed;	       /* the failure was delivered */
	char failed_call[128]; /* which one: "write /local/domain/..." */
	bool failed_inside;    /* a transaction */
	bool committed_failure; /* a transaction was committed after a request in it failed */
	unsigned int open_transactions;
	unsigned int commits, tries;
	unsigned int pauses;
	uint64_t pause_us[32];
};

extern struct fake fake;

/* Domains 0, 5 and 6 and nothing else; no failures. */
void fake_reset(void);
/* The counters and failures alone. */
void fake_calm(void);
/* NULL if there is no such node; the length is that of the value, NULs included. */
const char *fake_value(const char *path, size_t *ret_len);
void fake_set(const char *path, const char *value, size_t len);
/* Every node with its value and permissions, one a line; to be freed. */
char *fake_dump(void);

/* A context on the fake whose warnings go nowhere. */
struct xensplit_ctx *unit_ctx(void);
void unit_ctx_free(struct xensplit_ctx *ctx);

/* In place of fail_msg(), which is made from the macro above. */
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
