// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pair ROUNDS A... -- B...: runs two commands in turn and prints three medians: milliseconds of A,
 * milliseconds of B, and the ratio A/B of each round. {} at the end of one argument becomes a
 * number that no other run of the same command has.
 */
#include "bench.h"

struct command {
	char **argv;
	unsigned int runs;
	double *ms;
};

static double run_ms(struct command *command)
{
	char *argv[64], numbered[256];
	struct cost cost;
	size_t i, len;

	for (i = 0; i < 63 && command->argv[i]; i++) {
		argv[i] = command->argv[i];
		len = strlen(argv[i]);
		if (len < 2 || strcmp(argv[i] + len - 2, "{}") != 0)
			continue;
		snprintf(numbered, sizeof(numbered), "%.*s%u", (int)len - 2, argv[i],
			 command->runs);
		argv[i] = numbered;
	}
	argv[i] = NULL;
	command->runs++;
	cost = run_process(argv, 0);
	if (cost.status)
		errx(1, "%s ended with %d", argv[0], cost.status);
	return (double)cost.ns / 1e6;
}

/* The command that is first in one round is second in the next. */
static void run_round(struct command *a, struct command *b, size_t round)
{
	struct command *first = round % 2 ? b : a, *second = round % 2 ? a : b;

	first->ms[round] = run_ms(first);
	second->ms[round] = run_ms(second);
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 2 ? (size_t)atoi(argv[1]) : 0, i;
	struct command a = { .argv = argv + 2 }, b = { 0 };
	double *ratios;
	int arg;

	for (arg = 2; arg < argc && !b.argv; arg++)
		if (!strcmp(argv[arg], "--")) {
			argv[arg] = NULL;
			b.argv = argv + arg + 1;
		}
	if (!rounds || !b.argv || !*a.argv || !*b.argv)
		return warnx("usage: %s ROUNDS A... -- B...", argv[0]), 2;
	a.ms = calloc(rounds, sizeof(*a.ms));
	b.ms = calloc(rounds, sizeof(*b.ms));
	ratios = calloc(rounds, sizeof(*ratios));
	if (!a.ms || !b.ms || !ratios)
		err(1, "calloc");

	run_ms(&a); /* load the files into memory */
	run_ms(&b);
	for (i = 0; i < rounds; i++) {
		run_round(&a, &b, i);
		ratios[i] = a.ms[i] / b.ms[i];
	}
	printf("%.3f %.3f %.3f\n", median(a.ms, rounds), median(b.ms, rounds),
	       median(ratios, rounds));
	free(a.ms);
	free(b.ms);
	free(ratios);
	return 0;
}
