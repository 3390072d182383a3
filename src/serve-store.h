/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to xenstored, which may not be there yet, and may be lost. */
#ifndef XENSPLIT_SERVE_STORE_H
#define XENSPLIT_SERVE_STORE_H

#include <stdint.h>

struct config;
struct serve;

/*
 * store_step - connect if it is time to, and let the keeper work
 *
 * Returns: an exit status; other than EXIT_SUCCESS if it makes no sense to try again.
 */
int store_step(struct serve *serve);

/* When to call it next, by now_ms(). */
uint64_t store_due_ms(const struct serve *serve);

/* Frees keeper and context. */
void store_close(struct serve *serve);

/* For files_scan(); @data is the struct serve. */
void store_set(void *data, const struct config *config);
void store_unset(void *data, const char *domain);

#endif
