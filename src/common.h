/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Used by all files of the tool. */
#ifndef XENSPLIT_COMMON_H
#define XENSPLIT_COMMON_H

#include <stdarg.h>
#include <stdint.h>

#include "exit-status.h"

/* Prints "xensplit: " and one line to stderr. Returns: EXIT_USAGE. */
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The exit status for an error of the library. */
int exit_status(int err);

/* Exits if an allocation failed. */
void *must(void *allocated);

/* A text that the caller frees. */
char *words(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *vwords(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

uint64_t now_ms(void);

#endif
