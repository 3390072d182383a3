// SPDX-License-Identifier: GPL-2.0-or-later
/* See fault.h. */
#include <errno.h>
#include <string.h>

#include "fault.h"
#include "sandbox.h"

enum kind {
	ERROR,
	CUT,
	SILENT,
	WRONG_TYPE,
	GARBAGE,
	EMPTY,
	SHORT,
	LONG
};

struct fault {
	const char *name;
	enum kind kind;
};

static const struct fault faults[] = {
	{ "cut", CUT }, /* the connection ends, and the store does not get the request */
	{ "silent", SILENT },	      /* likewise, and no answer comes */
	{ "wrong-type", WRONG_TYPE }, /* the answer to another kind of request */
	{ "garbage", GARBAGE },	      /* bytes that no request is answered with */
	{ "empty", EMPTY },	      /* an answer of no bytes */
	{ "short", SHORT },	      /* the connection ends within the answer */
	{ "long", LONG },	      /* the header announces more than is allowed */
};

static const struct fault *error_find(const char *name)
{
	static struct fault errors[ARRAY_SIZE(xsd_errors)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(xsd_errors); i++)
		if (!strcmp(xsd_errors[i].errstring, name)) {
			errors[i] = (struct fault){ xsd_errors[i].errstring, ERROR };
			return &errors[i];
		}
	return NULL;
}

const struct fault *fault_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		if (!strcmp(faults[i].name, name))
			return &faults[i];
	return error_find(name);
}

/* A transaction whose commit fails is over: it is aborted. */
bool fault_takes(const struct fault *fault, struct message *request)
{
	if (fault->kind == CUT || fault->kind == SILENT)
		return true;
	if (fault->kind != ERROR)
		return false;
	if (request->hdr.type != XS_TRANSACTION_END)
		return true;
	request->payload[0] = 'F';
	return false;
}

static void fill(struct message *reply, const char *bytes, size_t len)
{
	reply->hdr.len = (uint32_t)len;
	memcpy(reply->payload, bytes, len);
	reply->done = (unsigned int)(sizeof(reply->hdr) + len);
}

bool fault_answer(const struct fault *fault, const struct xsd_sockmsg *hdr,
		  struct message *reply)
{
	static const char garbage[] = "\xff\x01/\x1b[2J%s\0\0=\n4";

	reply->hdr = *hdr;
	switch (fault->kind) {
	case ERROR:
		reply->hdr.type = XS_ERROR;
		fill(reply, fault->name, strlen(fault->name) + 1);
		return true;
	case WRONG_TYPE:
		reply->hdr.type = hdr->type == XS_READ ? XS_DIRECTORY : XS_READ;
		fill(reply, "4", 1);
		return true;
	case GARBAGE:
		fill(reply, garbage, sizeof(garbage) - 1);
		return true;
	case EMPTY:
		fill(reply, "", 0);
		return true;
	case SHORT:
		fill(reply, "OK", 2);
		reply->hdr.len = 100;
		return false;
	case LONG:
		fill(reply, "OK", 2);
		reply->hdr.len = 1u << 30;
		return false;
	default:
		reply->done = 0;
		return fault->kind == SILENT;
	}
}
