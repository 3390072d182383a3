/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message of the store's wire protocol, possibly incomplete. */
#ifndef SANDBOX_WIRE_H
#define SANDBOX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/io/xs_wire.h>

struct message {
	struct xsd_sockmsg hdr;
	char payload[XENSTORE_PAYLOAD_MAX];
	unsigned int done; /* bytes, header included */
};

/* The size as far as it is known: only the header's until that has arrived. */
static inline size_t message_size(const struct message *msg)
{
	if (msg->done < sizeof(msg->hdr))
		return sizeof(msg->hdr);
	return sizeof(msg->hdr) + msg->hdr.len;
}

static inline bool message_complete(const struct message *msg)
{
	return msg->done >= sizeof(msg->hdr) && msg->done == message_size(msg);
}

static inline bool message_too_long(const struct message *msg)
{
	return message_size(msg) > sizeof(msg->hdr) + sizeof(msg->payload);
}

static inline char *message_rest(struct message *msg)
{
	return (char *)msg + msg->done;
}

#endif
