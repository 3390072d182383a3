// SPDX-License-Identifier: GPL-2.0-or-later
/* xensplit-sandbox: a real xenstored with simulated guests. The verbs and their arguments. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{ "create", verb_create }, { "kill", verb_kill },
	{ "as", verb_as },	   { "drive", verb_drive },
	{ "proxy", verb_proxy },   { "stop-daemon", verb_stop_daemon },
	{ "mute", verb_mute },
};

static const char usage[] =
	"usage: xensplit-sandbox [--guests D,D...] [--keep] -- COMMAND...\n"
	"and within COMMAND:\n"
	"       xensplit-sandbox create DOMID [--name NAME] [--uuid UUID]\n"
	"       xensplit-sandbox kill DOMID [--crash]\n"
	"       xensplit-sandbox as DOMID COMMAND...\n"
	"       xensplit-sandbox drive front|back DOMID TYPE [--stop-at STATE] "
	"[--never-close]\n"
	"                        [--delay MS] [--error TEXT] [--garbage VALUE] [--flood "
	"N] [--restored] [--once]\n"
	"       xensplit-sandbox proxy [--count FILE] [--kill-at N [--after]]\n"
	"                        [--run-at N --run LINE] [--trace] -- COMMAND...\n"
	"       xensplit-sandbox stop-daemon [--freeze|--thaw]\n"
	"       xensplit-sandbox mute PATH\n";

int usage_error(const char *format, ...)
{
	va_list ap;

	fputs("xensplit-sandbox: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

int parse_number(const char *text, unsigned long max, unsigned long *ret_number)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || number > max)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

int parse_domid(const char *text, unsigned int *ret_domid)
{
	unsigned long domid;

	if (parse_number(text, MAX_DOMID, &domid) < 0)
		return -EINVAL;
	*ret_domid = domid;
	return 0;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		fputs(usage, stdout);
		return 0;
	}
	for (i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	if (argc > 1 && argv[1][0] == '-')
		return verb_run(argc, argv);
	fputs(usage, stderr);
	return EXIT_USAGE;
}
