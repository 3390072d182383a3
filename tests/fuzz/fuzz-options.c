// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tool as a whole: the words of the first line are its arguments, the other lines are nodes of
 * the store (README.md). It exits with a status that it has, prints printable text only, and one
 * whole JSON object with --json; wrong usage and --dry-run write nothing.
 */
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tree.h"

#define WORDS_MOST    24
#define REQUESTS_MOST 20000

int tool_main(int argc, char **argv);
void outside_exit(int status) __attribute__((noreturn));
/* ASan's: what a run leaves is not of interest, as it is a process of its own otherwise. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}

/* --- the tool's variables, as they are at the start of a process --- */

extern char __start_tool_data[], __stop_tool_data[];
extern char __start_tool_bss[], __stop_tool_bss[];

/* Not memcpy(), which ASan checks. */
static void __attribute__((no_builtin))
copy_bytes(char *to, const char *from, size_t size)
{
	while (size--)
		*to++ = *from++;
}

static void reset_variables(void)
{
	size_t data = (uintptr_t)__stop_tool_data - (uintptr_t)__start_tool_data;
	size_t bss = (uintptr_t)__stop_tool_bss - (uintptr_t)__start_tool_bss;
	static char *start;

	if (!start) {
		start = malloc(data + bss);
		copy_bytes(start, __start_tool_data, data);
		copy_bytes(start + data, __start_tool_bss, bss);
	}
	copy_bytes(__start_tool_data, start, data);
	copy_bytes(__start_tool_bss, start + data, bss);
}

/* --- a run --- */

enum {
	ENDLESS = -1 /* a watch, for example */
};

static jmp_buf leave;
static int left_with;

void outside_exit(int status)
{
	left_with = status;
	longjmp(leave, 1);
}

static void for_ever(void)
{
	outside_exit(ENDLESS);
}

struct output {
	char *text;
	size_t size;
	FILE *file, *was;
};

static struct output out, err;

static FILE *output_begin(struct output *output, FILE *was)
{
	output->was = was;
	return output->file = open_memstream(&output->text, &output->size);
}

static int run_tool(int argc, char **argv)
{
	volatile int status;

	reset_variables();
	stdout = output_begin(&out, stdout);
	stderr = output_begin(&err, stderr);
	if (!setjmp(leave))
		status = tool_main(argc, argv);
	else
		status = left_with;
	fclose(out.file);
	fclose(err.file);
	stdout = out.was;
	stderr = err.was;
	return status;
}

/* --- its arguments --- */

/* A file that apply can read: the word CFG. */
static const char *config_path(void)
{
	static const char text[] = "name = \"g5\"\nxensplit = [ \"mydevice/0\", "
				   "\"accel/auto,backend=g6,front.a=b\" ]\n";
	static char path[40];

	if (!*path) {
		int fd = memfd_create("config", 0);

		must_hold(write(fd, text, sizeof(text) - 1) == sizeof(text) - 1);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	return path;
}

static int split_words(char *line, char **words)
{
	char *word;
	int count = 1;

	words[0] = strdup("xensplit");
	while (count < WORDS_MOST && (word = strsep(&line, " ")))
		words[count++] = strdup(strcmp(word, "CFG") ? word : config_path());
	words[count] = NULL;
	return count;
}

/* The last word, and not the argument of the one before. */
static bool is_dry_run(char *const *words, int count)
{
	return count > 2 && !strcmp(words[count - 1], "--dry-run") &&
	       *words[count - 2] != '-';
}

static bool is_json(char *const *words, int count)
{
	return count > 2 && !strcmp(words[1], "--json") && *words[2] != '-';
}

/* --- what it must have done --- */

/* Text of several lines. */
static bool is_printable_text(const char *text)
{
	for (; *text; text++)
		if (*text != '\n' && (*text < ' ' || *text > '~'))
			return false;
	return true;
}

/* At most one object. */
static void must_be_json(char *text)
{
	char *line, *rest = text;

	if (strncmp(text, "{", 1) != 0)
		return; /* help, or a version */
	while ((line = strsep(&rest, "\n"))) {
		struct json_object *object = *line ? json_tokener_parse(line) : NULL;

		must_hold_for(!*line || json_object_is_type(object, json_type_object),
			      line);
		json_object_put(object);
	}
}

static void must_be_good(int status, char *const *words, int count,
			 const struct snapshot *before)
{
	must_hold(status >= ENDLESS && status <= 6);
	must_hold_for(is_printable_text(out.text), out.text);
	must_hold_for(is_printable_text(err.text), err.text);
	must_hold(status != 2 || *err.text);
	if (is_json(words, count))
		must_be_json(out.text);
	if (status == 2)
		must_be_same(before, "wrong usage");
	else if (is_dry_run(words, count))
		must_be_same(before, "--dry-run");
	must_hold(status == ENDLESS || !fake.open_transactions);
	must_hold(!fake.committed_failure);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { (const char *)data, (const char *)data + size };
	char *words[WORDS_MOST + 1], *given[WORDS_MOST + 1];
	char *line = input_line(&input, NULL);
	struct snapshot before;
	int count;

	if (!line)
		return -1;
	count = split_words(line, words);
	memcpy(given, words, sizeof(given)); /* the tool changes it */
	fake_reset();
	fake.requests_most = REQUESTS_MOST;
	fake.idle = for_ever;
	fake.backend_closes = true;
	fake_set("/local/domain/0/domid", "0", 1);
	tree_make(&input);
	before = snapshot_take();
	must_be_good(run_tool(count, given), words, count, &before);
	snapshot_clear(&before);
	free(out.text);
	free(err.text);
	while (count)
		free(words[--count]);
	free(line);
	return 0;
}
