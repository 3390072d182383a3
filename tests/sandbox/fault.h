/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the proxy answers instead of the store. */
#ifndef SANDBOX_FAULT_H
#define SANDBOX_FAULT_H

#include "wire.h"

/* "ENOSPC", or the name of another fault: see the README. NULL if there is no such fault. */
const struct fault *fault_find(const char *name);

/* Is the request lost? Otherwise, the store gets it, maybe changed. */
bool fault_takes(const struct fault *fault, struct message *request);
/*
 * The answer to a request with the header @hdr, into @reply, as many bytes as its done says; none
 * if there is no answer. Returns: false if the connection ends after it.
 */
bool fault_answer(const struct fault *fault, const struct xsd_sockmsg *hdr,
		  struct message *reply);

#endif
