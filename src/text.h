/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XENSPLIT_TEXT_H
#define XENSPLIT_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct xensplit_id;

/*
 * escape - make bytes from XenStore or the command line printable
 *
 * Bytes that are not printable ASCII become \xNN, and a backslash becomes two. Guests can write
 * these bytes: a terminal must not interpret them, and JSON must be UTF-8. The caller frees the
 * result.
 */
char *escape(const char *bytes, size_t len);

/* A word for the command line of a shell; the caller frees it. */
char *shell_word(const char *text);

/* "guest5 (domain 5)", or without a name "domain 5"; the caller frees it. */
char *domain_words(uint32_t domid, const char *name);

/* Digits only, at least one. */
int is_number(const char *text);

/* "mydevice/0", and "mydevice/0 of domain 5"; the caller frees it. */
char *device_name(const struct xensplit_id *id);
char *id_name(const struct xensplit_id *id);

/* "after 12 ms" since a now_ms(); valid until the next call. */
const char *took_text(uint64_t start_ms);

#endif
