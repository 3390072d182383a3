// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of what may happen. A line has verbs and exit statuses, separated by commas, and a regular
 * expression for the whole message. Everything else is a fault.
 */
#include <err.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "load.h"

struct outcome {
	char verbs[256];
	char statuses[32];
	regex_t message;
};

static struct outcome outcomes[256];
static size_t outcome_count;

static bool take(const char *path, const char *line)
{
	struct outcome *outcome = &outcomes[outcome_count];
	char pattern[1024];
	int at = 0;

	if (outcome_count == ARRAY_SIZE(outcomes) ||
	    sscanf(line, "%255s %31s %n", outcome->verbs, outcome->statuses, &at) != 2 ||
	    !at) {
		warnx("%s: %s", path, line);
		return false;
	}
	snprintf(pattern, sizeof(pattern), "^(%s)$", line + at);
	if (regcomp(&outcome->message, pattern, REG_EXTENDED | REG_NOSUB)) {
		warnx("%s: %s", path, pattern);
		return false;
	}
	outcome_count++;
	return true;
}

bool outcomes_read(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[1024];
	bool good = true;

	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line && *line != '#')
			good &= take(path, line);
	}
	fclose(file);
	return good;
}

static bool names(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (!strncmp(list, name, len) && (list[len] == ',' || !list[len]))
			return true;
	return false;
}

static bool is_named(const struct op *op, const char *line)
{
	char status[16];
	size_t i;

	snprintf(status, sizeof(status), "%d", op->status);
	for (i = 0; i < outcome_count; i++)
		if (names(outcomes[i].statuses, status) &&
		    names(outcomes[i].verbs, op->verb->name) &&
		    !regexec(&outcomes[i].message, line, 0, NULL, 0))
			return true;
	return false;
}

const char *outcome_unknown(const struct op *op)
{
	static char line[1024];
	const char *said = op->said;

	if (!*said)
		return !op->status || is_named(op, "") ? NULL : "no message";
	for (; *said; said += strcspn(said, "\n"), said += *said == '\n') {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(said, "\n"), said);
		if (!is_named(op, line))
			return line;
	}
	return NULL;
}
