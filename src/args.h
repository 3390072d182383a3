/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option tables, and strict parsers for arguments. */
#ifndef XENSPLIT_ARGS_H
#define XENSPLIT_ARGS_H

#include <stddef.h>
#include <stdint.h>

enum opt_type {
	OPT_END = 0,
	OPT_FLAG,    /* int, set to 1 */
	OPT_COUNT,   /* int, incremented each time */
	OPT_TEXT,    /* const char * */
	OPT_NUMBER,  /* uint32_t */
	OPT_SECONDS, /* unsigned int, in milliseconds */
	OPT_PAIRS,   /* struct pairs, appended each time */
};

/*
 * One option. The arrays for getopt_long and the help are made from these rows, and lint checks
 * manual and completions against the help. A table ends with an empty row.
 */
struct opt {
	enum opt_type type;
	char letter; /* 0: has only a long name */
	const char *name;
	const char *arg; /* name of its argument in the help, NULL if it takes none */
	void *value;
	const char *help;
};

#define OPT_DRY_RUN(value)                                         \
	{                                                          \
		OPT_FLAG, 'n', "dry-run", NULL, (value),           \
			"print the changes to XenStore, make none" \
	}

struct xensplit_id;

struct pairs {
	struct xensplit_pair *list;
	size_t count;
};

/*
 * opts_parse - store options in the variables that their rows point to
 * @tables: lists of rows, terminated by NULL
 * @permute: options may follow other arguments; otherwise they end at the first of these
 *
 * Returns: the index of the first other argument in argv, or -1 after a message.
 */
int opts_parse(const struct opt *const *tables, int argc, char **argv, int permute);

/* Prints the lines of --help for the options of a table. */
void opts_help(const struct opt *table);

/* Accepts only digits, at most max. Returns: 0 or -1. */
int parse_number(const char *text, uint32_t max, uint32_t *ret_number);

/*
 * Splits TYPE[/DEVID] in place, and sets both in @id; DEVID 0 if there is none.
 * @allow_auto: accept "auto" as DEVID
 *
 * Returns: 0, or -1 without a change.
 */
int parse_device(char *text, int allow_auto, struct xensplit_id *id);

/* Seconds, whole or decimal, up to a day; rounds up to milliseconds. */
int parse_seconds(const char *text, unsigned int *ret_ms);

#endif
