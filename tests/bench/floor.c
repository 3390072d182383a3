// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * floor attach FIRST GUESTS EACH, floor reap: what `xensplit serve` does for a crowd of guests that
 * appear or die at once, without serve: the library's batches, and its reap. Prints the
 * milliseconds, those of processor time, and the peak of its memory in kB.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <xensplit.h>

#define PER_COMMIT 32 /* devices */

static double ms_of(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void commit(struct xensplit_ctx *ctx, struct xensplit_batch **batch)
{
	if (*batch && xensplit_batch_commit(*batch))
		errx(1, "attach: %s", xensplit_errmsg(ctx));
	*batch = xensplit_batch_free(*batch);
}

static void attach(struct xensplit_ctx *ctx, unsigned int first, unsigned int guests,
		   unsigned int each)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_batch *batch = NULL;
	unsigned int i;

	opts.type = "bench";
	for (i = 0; i < guests * each; i++) {
		if (i % PER_COMMIT == 0)
			commit(ctx, &batch);
		if (!batch && xensplit_batch_new(ctx, &batch))
			errx(1, "%s", xensplit_errmsg(ctx));
		opts.domid = first + i / each;
		opts.devid = i % each;
		xensplit_batch_attach(batch, &opts);
	}
	commit(ctx, &batch);
}

static void reap(struct xensplit_ctx *ctx)
{
	struct xensplit_reap *reap;

	if (xensplit_reap_new(ctx, NULL, 0, &reap))
		errx(1, "reap: %s", xensplit_errmsg(ctx));
	xensplit_reap_free(reap);
}

int main(int argc, char **argv)
{
	double begun = ms_of(CLOCK_MONOTONIC);
	struct xensplit_ctx *ctx;
	struct rusage usage;

	if (xensplit_new(NULL, &ctx))
		errx(1, "no XenStore");
	if (argc == 5 && !strcmp(argv[1], "attach"))
		attach(ctx, atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
	else if (argc == 2 && !strcmp(argv[1], "reap"))
		reap(ctx);
	else
		errx(2, "usage: floor attach FIRST GUESTS EACH, or floor reap");
	xensplit_free(ctx);
	getrusage(RUSAGE_SELF, &usage);
	printf("%.0f %.0f %ld\n", ms_of(CLOCK_MONOTONIC) - begun,
	       ms_of(CLOCK_PROCESS_CPUTIME_ID), usage.ru_maxrss);
	return 0;
}
