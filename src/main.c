// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor.h"
#include "json-items.h"
#include "json.h"
#include "logger.h"
#include "text.h"
#include "tool.h"
#include "watchdog.h"

static const struct verb *const verbs[] = {
	&verb_attach, &verb_detach, &verb_list, &verb_show,  &verb_wait,  &verb_watch,
	&verb_doctor, &verb_adopt,  &verb_reap, &verb_apply, &verb_serve,
};
#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static struct tool tool;
static int want_help, want_version, want_verbs;

static const struct opt common_options[] = {
	{ OPT_COUNT, 'v', "verbose", NULL, &tool.verbose, "say more; twice: say all" },
	{ OPT_FLAG, 'q', "quiet", NULL, &tool.quiet, "print errors only" },
	{ OPT_FLAG, 'J', "json", NULL, &tool.json,
	  "print the results as one JSON object" },
	{ OPT_FLAG, 'h', "help", NULL, &want_help, "print this help" },
	{ OPT_FLAG, 'V', "version", NULL, &want_version, "print the version" },
	{ 0 },
};

/* Only before the verb. */
static const struct opt global_options[] = {
	{ OPT_FLAG, 0, "list-verbs", NULL, &want_verbs, "print the verbs, one per line" },
	{ 0 },
};

static const char exit_help[] =
	"Exit status:\n"
	"  0 success, 1 failure, 2 wrong usage, 3 no such domain or device,\n"
	"  4 permission denied, 5 device exists or is busy, 6 timeout\n";

static int help(void)
{
	size_t i;

	puts("Usage: xensplit VERB [ARGUMENT...] [OPTION...]\n"
	     "       xensplit help VERB\n"
	     "\n"
	     "Attach, watch and detach Xen split devices.\n"
	     "\n"
	     "Verbs:");
	for (i = 0; i < VERB_COUNT; i++)
		printf("  %-6s %-24s %s\n", verbs[i]->name, verbs[i]->args,
		       verbs[i]->summary);
	puts("\n"
	     "DOMAIN is a domid or a name. TYPE defaults to mydevice, DEVID to 0.\n"
	     "\n"
	     "Options:");
	opts_help(common_options);
	opts_help(global_options);
	printf("\n%s", exit_help);
	return EXIT_SUCCESS;
}

static int verb_help(const struct verb *verb)
{
	printf("Usage: xensplit %s %s [OPTION...]\n\n%c%s.\n", verb->name, verb->args,
	       toupper(*verb->summary), verb->summary + 1);
	if (verb->notes)
		printf("\n%s", verb->notes);
	if (verb->options->type != OPT_END) {
		puts("\nOptions:");
		opts_help(verb->options);
	}
	puts("\nCommon options:");
	opts_help(common_options);
	printf("\n%s", exit_help);
	return EXIT_SUCCESS;
}

static int version(void)
{
	printf("xensplit %s\n", xensplit_version());
	return EXIT_SUCCESS;
}

static int list_verbs(void)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		puts(verbs[i]->name);
	return EXIT_SUCCESS;
}

static const struct verb *verb_find(const char *name)
{
	char *shown;

	for (size_t i = 0; i < VERB_COUNT; i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	shown = escape(name, strlen(name));
	usage_error("unknown verb '%s': see xensplit --help", shown);
	free(shown);
	return NULL;
}

static int run_help(int argc, char **argv)
{
	const struct verb *verb;

	if (argc == 0)
		return help();
	if (argc > 1)
		return usage_error("help takes one verb: see xensplit --help");
	verb = verb_find(argv[0]);
	return verb ? verb_help(verb) : EXIT_USAGE;
}

/* " guest5 mydevice/0"; before the options are taken out, and a device is taken apart. */
static char *join_arguments(int count, char **arguments)
{
	char *text = must(strdup("")), *longer, *word;

	for (int i = 0; i < count; i++) {
		word = shell_word(arguments[i]);
		longer = words("%s %s", text, word);
		free(text);
		free(word);
		text = longer;
	}
	return text;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
	const struct opt *const tables[] = { verb->options, common_options, NULL };
	int first, count;

	logger_subject(verb->name);
	tool.attempt.verb = verb->name;
	tool.attempt.arguments = join_arguments(argc - 1, argv + 1);
	first = opts_parse(tables, argc, argv, 1);
	count = argc - first;
	if (first < 0)
		return EXIT_USAGE;
	if (want_help)
		return verb_help(verb);
	if (want_version)
		return version();
	if (count < verb->min_args || count > verb->max_args)
		return usage_error("the arguments are %s: see xensplit %s --help",
				   verb->args, verb->name);
	if (tool.json)
		json_load();
	watchdog_start(verb->name);
	return verb->run(&tool, count, argv + first);
}

static int run(int argc, char **argv)
{
	const struct opt *const tables[] = { common_options, global_options, NULL };
	int first = opts_parse(tables, argc, argv, 0);
	const struct verb *verb;

	if (first < 0)
		return EXIT_USAGE;
	if (want_version)
		return version();
	if (want_verbs)
		return list_verbs();
	if (first < argc && !strcmp(argv[first], "help"))
		return run_help(argc - first - 1, argv + first + 1);
	if (first == argc)
		return want_help ? help()
				 : usage_error("a verb is missing: see xensplit --help");

	verb = verb_find(argv[first]);
	if (!verb)
		return EXIT_USAGE;
	return run_verb(verb, argc - first, argv + first);
}

/* Reports wrong usage, and an error that no report contains yet. */
static void report_failure(int status)
{
	struct xensplit_error error = { .code = "usage", .message = logger_last_error() };

	if (status == EXIT_USAGE && *error.message && !json_has_error())
		json_note_error(&error, NULL, NULL);
	json_flush_error();
}

/* A list cut short by a full disk must not look complete. */
static int stdout_check(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (errno != EPIPE) /* the reader has closed the pipe on purpose */
		logger_error("can't write to stdout");
	return status ? status : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 1)
		return EXIT_USAGE;
	status = run(argc, argv);
	watchdog_stop();
	logger_make_way();
	if (tool.json)
		report_failure(status);
	tool_close(&tool);
	hypervisor_close();
	return stdout_check(status);
}
