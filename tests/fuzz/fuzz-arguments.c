// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of the tool: a device (the first line), a number (the second), seconds (the third),
 * and words that follow a verb (the rest), compared with parsers that are written otherwise.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/args.h"
#include "../../src/text.h"
#include "fuzz.h"
#include "xensplit.h"

#define WORDS_MOST 32

/* As a number of up to @max, or -1. */
static int64_t expected_number(const char *text, uint64_t max)
{
	uint64_t number;

	if (!*text || strspn(text, "0123456789") < strlen(text))
		return -1;
	text += strspn(text, "0");
	if (strlen(text) > 10)
		return -1;
	number = strtoull(text, NULL, 10);
	return number > max ? -1 : (int64_t)number;
}

static void try_number(const char *text)
{
	static const uint32_t limits[] = { 0, 9, 10, 32751, INT32_MAX, UINT32_MAX };
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int64_t expected = expected_number(text, limits[i]);
		uint32_t number = 77;
		int err = parse_number(text, limits[i], &number);

		must_hold_for(err == (expected < 0 ? -1 : 0), text);
		must_hold_for(number == (err ? 77 : (uint32_t)expected), text);
	}
}

static void try_device(char *text, int allow_auto)
{
	struct xensplit_id id = { 7, "none", 7 };
	char *was = strdup(text), *slash = strchr(was, '/');
	int64_t devid = slash ? expected_number(slash + 1, XENSPLIT_DEVID_AUTO - 1) : 0;
	int err = parse_device(text, allow_auto, &id);

	if (slash && allow_auto && !strcmp(slash, "/auto"))
		devid = XENSPLIT_DEVID_AUTO;
	if (err) {
		must_hold_for(!strcmp(text, was), was);
		must_hold_for(id.devid == 7 && !strcmp(id.type, "none"), was);
		must_hold_for(!*was || *was == '/' || devid < 0, was);
	} else {
		char *name = device_name(&id);

		must_hold_for(id.devid == (uint32_t)devid && id.type == text, was);
		must_hold_for(*text && !strchr(text, '/'), was);
		must_hold_for(is_printable(name), name);
		free(name);
	}
	free(was);
}

/* Milliseconds, rounded up, of digits with or without a point in between; or -1. */
static int64_t expected_ms(const char *text)
{
	size_t whole = strspn(text, "0123456789"), part = 0, i;
	int64_t ms = 0;

	if (text[whole] == '.')
		part = strspn(text + whole + 1, "0123456789");
	if (!whole || whole > 7 || (text[whole] && (!part || text[whole + 1 + part])))
		return -1;
	ms = 1000 * (int64_t)strtoull(text, NULL, 10);
	for (i = 0; i < 3; i++)
		ms += i < part ? (text[whole + 1 + i] - '0') * (i ? i == 1 ? 10 : 1 : 100)
			       : 0;
	for (; i < part; i++)
		if (text[whole + 1 + i] != '0') {
			ms++;
			break;
		}
	return ms > 86400000 ? -1 : ms;
}

static void try_seconds(const char *text)
{
	int64_t expected = expected_ms(text);
	unsigned int ms = 77;
	int err = parse_seconds(text, &ms);

	must_hold_for(err == (expected < 0 ? -1 : 0), text);
	must_hold_for(ms == (err ? 77 : (unsigned int)expected), text);
}

/* --- words that follow a verb --- */

static struct {
	int flag, count;
	const char *text;
	uint32_t number;
	unsigned int ms;
	struct pairs pairs;
} got;

static const struct opt options[] = {
	{ OPT_FLAG, 'f', "flag", NULL, &got.flag, "" },
	{ OPT_COUNT, 'v', "verbose", NULL, &got.count, "" },
	{ OPT_TEXT, 'b', "backend", "DOMAIN", &got.text, "" },
	{ OPT_NUMBER, 'n', "number", "N", &got.number, "" },
	{ OPT_SECONDS, 't', "timeout", "SECONDS", &got.ms, "" },
	{ OPT_PAIRS, 0, "front", "KEY=VALUE", &got.pairs, "" },
	{ 0 },
};

static int is_one_of(const char *text, char *const *words, int count)
{
	for (int i = 0; i < count; i++)
		if (text >= words[i] && text <= words[i] + strlen(words[i]))
			return 1;
	return 0;
}

static void must_be_sound(char *const *words, int count)
{
	must_hold(got.count <= 64 * 1024 && (got.flag == 0 || got.flag == 1));
	must_hold(got.ms <= 86400000);
	must_hold(!got.text || is_one_of(got.text, words, count));
	for (size_t i = 0; i < got.pairs.count; i++) {
		must_hold(*got.pairs.list[i].key && !strchr(got.pairs.list[i].key, '='));
		must_hold(is_one_of(got.pairs.list[i].key, words, count));
		must_hold(got.pairs.list[i].value ==
			  got.pairs.list[i].key + strlen(got.pairs.list[i].key) + 1);
	}
}

static void try_options(struct input *input, int permute)
{
	const struct opt *const tables[] = { options, NULL };
	char *words[WORDS_MOST + 2] = { strdup("xensplit") }, *given[WORDS_MOST + 2],
				 *word;
	int count = 1, first;

	while (count < WORDS_MOST && (word = input_line(input, NULL)))
		words[count++] = word;
	memcpy(given, words, sizeof(words)); /* getopt sorts */
	free(got.pairs.list);
	memset(&got, 0, sizeof(got));
	first = opts_parse(tables, count, given, permute);
	must_hold(first >= -1 && first <= count && first != 0);
	if (first > 0)
		must_be_sound(words, count);
	for (int i = 0; i < count; i++)
		free(words[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { (const char *)data, (const char *)data + size }, again;
	char *device = input_line(&input, NULL), *number = input_line(&input, NULL);
	char *seconds = input_line(&input, NULL);

	fuzz_quiet();
	if (device) {
		char *other = strdup(device);

		try_device(device, 0);
		try_device(other, 1);
		free(other);
	}
	if (number)
		try_number(number);
	if (seconds)
		try_seconds(seconds);
	again = input;
	try_options(&again, 0);
	try_options(&input, 1);
	free(device);
	free(number);
	free(seconds);
	return 0;
}
