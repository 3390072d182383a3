/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the tests of the library against a real xenstored. They run inside
 * `xensplit-sandbox --guests 5,6`, use only the public header, and each starts with fresh
 * domains 5 and 6 and no device.
 */
#ifndef TESTS_STORE_H
#define TESTS_STORE_H

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <xenstore.h>
#include <xentoollog.h>
#include <xensplit.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define UUID5	      "00000000-0000-4000-8000-000000000005"
#define UUID6	      "00000000-0000-4000-8000-000000000006"
/* mydevice/0 of domain 5, its backend in dom0 */
#define REC "/xensplit/5/mydevice/0"
#define FE  "/local/domain/5/device/mydevice/0"
#define BE  "/local/domain/0/backend/mydevice/5/0"

extern struct xensplit_ctx *ctx;
extern struct xs_handle *dom0; /* the test's own connection */
extern const struct xensplit_id mydevice;

/* Setup and teardown of each test. */
int world_begin(void **state);
int world_end(void **state);
#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

/* Another context, with the same logger, or with @opts; freed at the end of the test. */
struct xensplit_ctx *new_ctx(struct xensplit_opts *opts);
/* All log messages since the test began, one per line: "warn: text". */
extern char logged[65536];
extern struct xentoollog_logger *logger;

/* Runs a shell command, which must succeed; "$SANDBOX" is the sandbox's tool. */
void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A connection as that domain, closed at the end of the test. */
struct xs_handle *as_domain(unsigned int domid);
uint64_t now_ms(void);
void sleep_ms(unsigned int ms);

/* --- nodes, as dom0 --- */

/* @perms as in struct xensplit_node; NULL keeps them */
void put_bytes(const char *path, const char *value, size_t len, const char *perms);
void put(const char *path, const char *value, const char *perms);
bool exists(const char *path);
/* A field of the record at @path; NULL if it has none. */
const char *record_field(const char *path, const char *key);
void assert_node(const char *path, const char *value, const char *perms);
void assert_gone(const char *path);
void assert_no_device(void);
/* Every node, with value and permissions, one per line; freed at the end of the test. */
const char *dump(void);
/* Frees them at once, in a test that needs many. */
void forget_dumps(void);
void assert_untouched(const char *before);
/* Polls for a value, for at most half a minute. */
void await(const char *path, const char *value);
void await_gone(const char *path);

/* --- drivers --- */

/* Arguments of `xensplit-sandbox drive`; returns when it is ready. */
struct driver *drive(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends the driver by SIGTERM, as if its module were unloaded, or by SIGKILL. */
void driver_unload(struct driver *driver);
void driver_kill(struct driver *driver);
/* Waits for a line with this text; false if the driver ends, or after ten seconds. */
bool driver_says(struct driver *driver, const char *part);
/* Discards the output so far. */
void driver_forget(struct driver *driver);
/* It has handled all that happened before. */
void driver_catch_up(struct driver *driver);
/* Starts normal drivers for both ends of mydevice. */
void drive_both(void);

/* --- devices --- */

struct xensplit_attach_opts device_opts(uint32_t domid, const char *type, uint32_t devid);
/* Attaches mydevice/0 of domain 5 without a wait; must succeed. */
void attach_mydevice(void);
/* The same, with both drivers, until it is connected. */
void connect_mydevice(void);
const struct xensplit_device *list_one(struct xensplit_list **list, uint32_t flags);

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

/* Checks the result of a call on ctx; shows its error text if it differs. */
#define assert_result(call, expected)                                                 \
	do {                                                                          \
		int result_ = (call);                                                 \
		if (result_ != (expected))                                            \
			wrong("%s: %d (%s)\n", #call, result_, xensplit_errmsg(ctx)); \
	} while (0)

#endif
