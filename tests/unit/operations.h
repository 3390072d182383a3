/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of faults do with mydevice/0 of domain 5: calls of the library, on the fake. */
#ifndef TESTS_UNIT_OPERATIONS_H
#define TESTS_UNIT_OPERATIONS_H

#include "unit.h"

#define REC "/xensplit/5/mydevice/0"
#define FE  "/local/domain/5/device/mydevice/0"
#define BE  "/local/domain/0/backend/mydevice/5/0"

struct operation {
	const char *name;
	void (*prepare)(struct xensplit_ctx *ctx);
	int (*run)(struct xensplit_ctx *ctx);
	unsigned int at_least; /* about as many requests, so that none is left out */
	int result;
	bool retries; /* by itself, so that one failure is not told */
};

extern const struct operation operations[];
extern const size_t operation_count;
extern const struct xensplit_id device;

int attach(struct xensplit_ctx *ctx);
int detach(struct xensplit_ctx *ctx);
int plan(struct xensplit_ctx *ctx);
int watch(struct xensplit_ctx *ctx);
int find_by_name(struct xensplit_ctx *ctx);
int keep(struct xensplit_ctx *ctx);

void nothing(struct xensplit_ctx *ctx);
void connected(struct xensplit_ctx *ctx);
void of_a_former_domain(struct xensplit_ctx *ctx);

bool there(const char *path);
/* The device's nodes, one per line, without what differs each time; the caller frees it. */
char *device_now(void);
/* @cause: what failed before */
void assert_whole_or_none(const struct operation *op, const char *cause);

#endif
