// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libxlutil tells where a value is only in its warnings, "FILE:LINE:", which it prints when asked
 * for a value of the other type. So that is how its line is asked for here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "plugin-xlcfg.h"
#include "plugin.h"
#include "xlcfg.h"

static const struct xlcfg_plugin *xlu;

struct xlcfg {
	XLU_Config *parsed;
	FILE *report;
	char *said; /* all that libxlutil has printed */
	size_t len;
};

/* Forgets what was said until now. */
static void forget(struct xlcfg *cfg)
{
	rewind(cfg->report);
}

/* The first line said since then: ":LINE: TEXT". Returns: its TEXT. */
static const char *first_said(struct xlcfg *cfg, unsigned int *ret_line)
{
	const char *text;
	char *end;

	*ret_line = 0;
	fputc('\0', cfg->report); /* ends it before what was said earlier */
	fflush(cfg->report);
	text = cfg->said;
	if (*text == ':') {
		*ret_line = (unsigned int)strtoul(text + 1, &end, 10);
		text = *end == ':' ? end + 1 : end;
	}
	return text + strspn(text, " ");
}

static char *copy_line(const char *text)
{
	return must(strndup(text, strcspn(text, "\n")));
}

struct xlcfg *xlcfg_parse(const char *text, size_t len, unsigned int *ret_line,
			  char **ret_error)
{
	struct xlcfg *cfg = must(calloc(1, sizeof(*cfg)));

	if (!xlu)
		xlu = plugin_load("xlcfg");
	cfg->report = must(open_memstream(&cfg->said, &cfg->len));
	cfg->parsed = must(xlu->init(cfg->report, ""));
	forget(cfg);
	if (!xlu->readdata(cfg->parsed, text, (int)len))
		return cfg;
	*ret_error = copy_line(first_said(cfg, ret_line));
	return xlcfg_free(cfg);
}

struct xlcfg *xlcfg_free(struct xlcfg *cfg)
{
	if (!cfg)
		return NULL;
	xlu->destroy(cfg->parsed);
	fclose(cfg->report);
	free(cfg->said);
	free(cfg);
	return NULL;
}

int xlcfg_get(struct xlcfg *cfg, const char *key, struct xlcfg_value *ret_value)
{
	int count = 0, err;

	*ret_value = (struct xlcfg_value){ 0 };
	forget(cfg);
	err = xlu->get_list(cfg->parsed, key, &ret_value->list, &count, 0);
	if (err == ESRCH)
		return 0;
	ret_value->count = (size_t)count;
	if (err) {
		xlu->get_string(cfg->parsed, key, &ret_value->text, 1);
	} else {
		forget(cfg);
		xlu->get_string(cfg->parsed, key, &ret_value->text, 0);
	}
	first_said(cfg, &ret_value->line);
	return 1;
}

/* There is no public function for the length of a list within a list. */
static size_t list_length(const XLU_ConfigList *list)
{
	int count = 0;

	while (xlu->get_listitem(list, count))
		count++;
	return (size_t)count;
}

struct xlcfg_value xlcfg_item(struct xlcfg *cfg, const struct xlcfg_value *list,
			      size_t index)
{
	XLU_ConfigValue *item = xlu->get_listitem(list->list, (int)index);
	struct xlcfg_value value = { 0 };
	char *text;

	forget(cfg);
	if (xlu->value_type(item) == XLU_STRING) {
		xlu->value_get_list(cfg->parsed, item, &value.list, 0);
		xlu->value_get_string(cfg->parsed, item, &text, 1);
		value.text = text;
	} else {
		xlu->value_get_string(cfg->parsed, item, &text, 0);
		xlu->value_get_list(cfg->parsed, item, &value.list, 1);
		value.count = list_length(value.list);
	}
	first_said(cfg, &value.line);
	return value;
}
