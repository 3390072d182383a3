/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XENSPLIT_TEXT_H
#define XENSPLIT_TEXT_H

#include <stddef.h>

struct xensplit_id;

/*
 * escape - make bytes from XenStore or the command line printable
 *
 * Bytes that are not printable ASCII become \xNN, and a backslash becomes two. Guests can write
 * these bytes: a terminal must not interpret them, and JSON must be UTF-8. The caller frees the
 * result.
 */
char *escape(const char *bytes, size_t len);

/* "mydevice/0 of domain 5"; the caller frees it. */
char *id_name(const struct xensplit_id *id);

#endif
