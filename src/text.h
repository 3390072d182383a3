/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XENSPLIT_TEXT_H
#define XENSPLIT_TEXT_H

#include <stddef.h>

struct xensplit_id;

/*
 * escape - bytes from XenStore, or from the command line, fit to be shown
 *
 * What is not printable ASCII becomes \xNN, and a backslash two. Guests write these bytes: a
 * terminal must not obey them, and JSON must stay UTF-8. Returns: a text to be freed.
 */
char *escape(const char *bytes, size_t len);

/* "mydevice/0 of domain 5", to be freed. */
char *id_name(const struct xensplit_id *id);

#endif
