// SPDX-License-Identifier: GPL-2.0-or-later
/* What the tool prints of bytes that others wrote: escaped, as a word of a shell, and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "../../src/json-items.h"
#include "../../src/json.h"
#include "../../src/text.h"
#include "fuzz.h"
#include "xensplit.h"

static void try_shell_word(const char *text)
{
	char *word = shell_word(text), *back;

	must_hold_for(is_printable(word), word);
	back = shell_unquote(word);
	must_hold_for(back && !strcmp(back, text), word);
	free(back);
	free(word);
}

static void try_names(const char *text, uint32_t number)
{
	struct xensplit_id id = { number, text, number };
	char *words = domain_words(number, text), *name = id_name(&id);

	must_hold_for(is_printable(words), words);
	must_hold_for(is_printable(name), name);
	free(words);
	free(name);
}

/* A report is one line, and says what it was given. */
static void try_json(const char *bytes, size_t len, const char *text, const char *shown)
{
	struct json_object *report = json_report(), *back;
	struct xensplit_node node = { XENSPLIT_NODE_WRITE, text, bytes, len, text };
	char *line;

	json_add_bytes(report, "bytes", bytes, len);
	json_add_text(report, "text", text);
	json_add_node(json_array(report, "nodes"), &node);
	line = json_take(report);
	must_hold_for(is_printable(line), line);
	back = json_parse(line);
	must_hold_for(back, line);
	must_hold(!strcmp(json_text(back, "bytes", ""), shown));
	json_free(back);
	free(line);
}

/* status_show() parses what another process wrote. */
static void try_parse(const char *text)
{
	struct json_object *object = json_parse(text);

	if (!object)
		return;
	json_number(object, "schema", 0);
	json_text(object, "code", "");
	json_count(json_get(object, "devices"));
	json_free(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { (const char *)data, (const char *)data + size };
	size_t len;
	char *bytes = input_rest(&input, &len);
	char *text = strdup(bytes), *shown = escape(bytes, len);

	must_hold_for(is_printable(shown), shown);
	must_hold(strlen(shown) >= len && strlen(shown) <= 4 * len);
	try_shell_word(text);
	try_names(text, (uint32_t)len * 2654435761u);
	try_json(bytes, len, text, shown);
	try_parse(text);
	free(shown);
	free(text);
	free(bytes);
	return 0;
}
