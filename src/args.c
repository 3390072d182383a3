// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "common.h"
#include "text.h"
#include "xensplit.h"

#define MAX_OPTS    32
#define MAX_SECONDS 86400

/* getopt's value for an option without a letter: greater than any letter. */
#define LONG_ONLY 256

int parse_number(const char *text, uint32_t max, uint32_t *ret_number)
{
	uint64_t number = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (uint64_t)(*text - '0');
		if (number > max)
			return -1;
	}

	*ret_number = (uint32_t)number;
	return 0;
}

int parse_device(char *text, int allow_auto, struct xensplit_id *id)
{
	char *slash = strchr(text, '/');
	uint32_t devid = 0;

	if (slash == text || !*text)
		return -1;
	if (slash && allow_auto && !strcmp(slash + 1, "auto"))
		devid = XENSPLIT_DEVID_AUTO;
	else if (slash && parse_number(slash + 1, XENSPLIT_DEVID_AUTO - 1, &devid))
		return -1;
	if (slash)
		*slash = '\0';
	id->type = text;
	id->devid = devid;
	return 0;
}

int parse_seconds(const char *text, unsigned int *ret_ms)
{
	size_t whole_len = strcspn(text, ".");
	unsigned int scale = 100, ms = 0, more = 0;
	const char *digit;
	char whole[8];
	uint32_t seconds;

	if (whole_len >= sizeof(whole))
		return -1;
	memcpy(whole, text, whole_len);
	whole[whole_len] = '\0';
	if (parse_number(whole, MAX_SECONDS, &seconds))
		return -1;

	if (text[whole_len]) {
		digit = text + whole_len + 1;
		if (!*digit)
			return -1;
		for (; *digit; digit++) {
			if (*digit < '0' || *digit > '9')
				return -1;
			ms += (unsigned int)(*digit - '0') * scale;
			more |= !scale && *digit != '0';
			scale /= 10;
		}
	}

	ms += seconds * 1000 + more;
	if (ms > MAX_SECONDS * 1000)
		return -1;
	*ret_ms = ms;
	return 0;
}

static int parse_pair(const struct opt *row, char *text)
{
	struct pairs *pairs = row->value;
	char *equals = strchr(text, '=');

	if (!equals || equals == text) {
		char *shown = escape(text, strlen(text));

		usage_error("--%s '%s': use KEY=VALUE", row->name, shown);
		free(shown);
		return -1;
	}

	*equals = '\0';
	pairs->list =
		must(reallocarray(pairs->list, pairs->count + 1, sizeof(*pairs->list)));
	pairs->list[pairs->count++] = (struct xensplit_pair){ text, equals + 1 };
	return 0;
}

static int opt_store(const struct opt *row, char *arg)
{
	char *shown;

	switch (row->type) {
	case OPT_FLAG:
		*(int *)row->value = 1;
		return 0;
	case OPT_COUNT:
		*(int *)row->value += 1;
		return 0;
	case OPT_TEXT:
		*(const char **)row->value = arg;
		return 0;
	case OPT_PAIRS:
		return parse_pair(row, arg);
	case OPT_NUMBER:
		if (!parse_number(arg, UINT32_MAX, row->value))
			return 0;
		shown = escape(arg, strlen(arg));
		usage_error("--%s '%s': use a number", row->name, shown);
		free(shown);
		return -1;
	case OPT_SECONDS:
		if (!parse_seconds(arg, row->value))
			return 0;
		shown = escape(arg, strlen(arg));
		usage_error("--%s '%s': use seconds from 0 to %d", row->name, shown,
			    MAX_SECONDS);
		free(shown);
		return -1;
	case OPT_END:
		break;
	}
	abort();
}

/* How many options an abbreviation may mean. */
static size_t count_longs(const struct option *longs, const char *name)
{
	size_t count = 0, len = strcspn(name, "=");

	for (; longs->name; longs++)
		count += !strncmp(longs->name, name, len);
	return count;
}

/* Like getopt's own messages; but these reach --json, too, and are printable. */
static void report_bad(const struct option *longs, int got, const char *arg)
{
	char letter = (char)optopt, *shown;
	const struct option *known = longs;

	while (known->name && known->val != optopt)
		known++;
	if (known->name) {
		usage_error(got == ':' ? "option '--%s' requires an argument"
				       : "option '--%s' doesn't allow an argument",
			    known->name);
		return;
	}
	shown = optopt ? escape(&letter, 1) : escape(arg, strlen(arg));
	if (optopt)
		usage_error("invalid option -- '%s'", shown);
	else
		usage_error(count_longs(longs, arg + 2) > 1 ? "option '%s' is ambiguous"
							    : "unrecognized option '%s'",
			    shown);
	free(shown);
}

int opts_parse(const struct opt *const *tables, int argc, char **argv, int permute)
{
	struct option longs[MAX_OPTS + 1] = { { 0 } };
	const struct opt *rows[MAX_OPTS];
	char shorts[2 * MAX_OPTS + 3] = "";
	char *next = shorts;
	int count = 0;
	int got, i;

	if (!permute)
		*next++ = '+';
	*next++ = ':'; /* getopt prints nothing */
	for (; *tables; tables++) {
		for (const struct opt *row = *tables; row->type != OPT_END; row++) {
			if (count == MAX_OPTS)
				abort();
			if (row->letter) {
				*next++ = row->letter;
				if (row->arg)
					*next++ = ':';
			}
			longs[count] = (struct option){
				row->name, row->arg ? required_argument : no_argument,
				NULL, row->letter ? row->letter : LONG_ONLY + count
			};
			rows[count++] = row;
		}
	}

	optind = 0; /* restart: the verb has its own options */
	while ((got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		for (i = 0; i < count && longs[i].val != got; i++)
			;
		if (i == count) {
			report_bad(longs, got, argv[optind - 1]);
			return -1;
		}
		if (opt_store(rows[i], optarg))
			return -1;
	}
	return optind;
}

void opts_help(const struct opt *table)
{
	char text[64];

	for (; table->type != OPT_END; table++) {
		snprintf(text, sizeof(text), "%s%s%s", table->name, table->arg ? " " : "",
			 table->arg ? table->arg : "");
		if (table->letter)
			printf("  -%c, --%-15s  %s\n", table->letter, text, table->help);
		else
			printf("      --%-15s  %s\n", text, table->help);
	}
}
