/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option tables, and strict parsers for what follows an option or a verb. */
#ifndef XENSPLIT_ARGS_H
#define XENSPLIT_ARGS_H

#include <stddef.h>
#include <stdint.h>

enum opt_type {
	OPT_END = 0,
	OPT_FLAG,    /* int, set to 1 */
	OPT_COUNT,   /* int, one more each time */
	OPT_TEXT,    /* const char * */
	OPT_NUMBER,  /* uint32_t */
	OPT_SECONDS, /* unsigned int, in milliseconds */
	OPT_PAIRS,   /* struct pairs, one more each time */
};

/*
 * One option. The arrays of getopt_long, the help and, through the help, the checks of manual
 * and completions all come from these rows; a table ends with an empty one.
 */
struct opt {
	enum opt_type type;
	char letter; /* 0: it has a long name only */
	const char *name;
	const char *arg; /* what the help calls its argument, NULL where it takes none */
	void *value;
	const char *help;
};

#define OPT_DRY_RUN(value)                                         \
	{                                                          \
		OPT_FLAG, 'n', "dry-run", NULL, (value),           \
			"print the changes to XenStore, make none" \
	}

struct pairs {
	struct xensplit_pair *list;
	size_t count;
};

/*
 * opts_parse - move options to where their rows point
 * @tables: lists of rows, NULL behind the last
 * @permute: options may follow other arguments; otherwise the first of those ends them
 *
 * Returns: the index of the first other argument in argv, or -1 after a message.
 */
int opts_parse(const struct opt *const *tables, int argc, char **argv, int permute);

/* The lines of --help for the options of a table. */
void opts_help(const struct opt *table);

/* Digits alone, at most max. Returns: 0 or -1. */
int parse_number(const char *text, uint32_t max, uint32_t *ret_number);

/* Seconds, whole or decimal, up to a day; a part of a millisecond counts as one. */
int parse_seconds(const char *text, unsigned int *ret_ms);

#endif
