/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The syntax of xl.cfg(5), by libxlutil: values with their lines. */
#ifndef XENSPLIT_XLCFG_H
#define XENSPLIT_XLCFG_H

#include <stddef.h>

struct xlcfg;
struct XLU_ConfigList;

struct xlcfg_value {
	unsigned int line; /* where it begins; 0: not known */
	const char *text;  /* NULL: a list */
	struct XLU_ConfigList *list;
	size_t count; /* of the list */
};

/*
 * xlcfg_parse - parse the text of a file
 * @text: without NULs, which libxlutil does not survive
 * @ret_line, @ret_error: of the first error; the error is not escaped, to be freed
 *
 * Returns: NULL if there is an error.
 */
struct xlcfg *xlcfg_parse(const char *text, size_t len, unsigned int *ret_line,
			  char **ret_error);
struct xlcfg *xlcfg_free(struct xlcfg *cfg);

/* The value of a key, valid until xlcfg_free(). Returns: 0 if there is none, otherwise 1. */
int xlcfg_get(struct xlcfg *cfg, const char *key, struct xlcfg_value *ret_value);

/* An item of a list; @index is below its count. */
struct xlcfg_value xlcfg_item(struct xlcfg *cfg, const struct xlcfg_value *list,
			      size_t index);

#endif
