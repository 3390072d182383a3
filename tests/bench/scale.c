// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scale DEVICES DATA EMPTY BASE MANY: measures the cost per device when there are many. The last
 * three arguments are directories of sandboxes with the same forty domains: EMPTY never has a
 * device, BASE ten, MANY 10, 100, ... DEVICES. Each step alternates between them, so that other
 * load on the machine affects all alike. The cost without devices is subtracted, so that neither
 * process start nor the read of each domain counts. Processor time is that of the client and of
 * xenstored, which other load affects least.
 *
 * Prints the cost per device as rows of the table; writes all totals to the file DATA.
 */
#include <poll.h>
#include <stdbool.h>

#include "world.h"

#define EXPECT_SECS  90	 /* skip what is likely to take longer */
#define SAMPLE_MS    400 /* minimum total of samples, if a single one is short */
#define SAMPLE_MAX   2000
#define SAMPLES_MIN  8
#define SAMPLES	     4096
#define SLOW_MS	     5000 /* measure only once */
#define ROUNDS	     3	  /* compared with xenstore-ls */
#define PEER_DEVICES 1000 /* with a process for each device, more would take too long */

struct step {
	const char *name; /* in the table; NULL: another tool, only drawn */
	const char *key;  /* in DATA */
	bool needs;	  /* needs the devices; otherwise they must not exist */
	bool leaves;	  /* leaves the devices in place */
	struct took (*run)(struct world *w, unsigned int devices);
	bool by_domain;		 /* runs a process for each domain with devices */
	unsigned int last;	 /* maximum number of devices; 0: any */
	double before, previous; /* for the last numbers of devices, ms */
};

/* --- the steps --- */

static struct took list(struct world *w, unsigned int devices)
{
	char *argv[] = { tool, "list", NULL };

	(void)devices;
	return run_tool(w, argv, 0);
}

static struct took list_all(struct world *w, unsigned int devices)
{
	char *argv[] = { tool, "list", "--all", NULL };

	(void)devices;
	return run_tool(w, argv, 0);
}

static struct took doctor(struct world *w, unsigned int devices)
{
	char *argv[] = { tool, "doctor", NULL };

	(void)devices;
	return run_tool(w, argv, 1); /* no driver has claimed the devices */
}

static struct took xenstore_ls(struct world *w, unsigned int devices)
{
	char *argv[] = { "xenstore-ls", "-f", NULL };

	(void)devices;
	return run_tool(w, argv, 0);
}

static struct took read_states(struct world *w, unsigned int devices)
{
	struct took begun = begin(w);
	char path[96];
	unsigned int i;

	for (i = 0; i < devices; i++) {
		struct xensplit_id id = device(i, devices);

		snprintf(path, sizeof(path), "/local/domain/%u/device/%s/%u/state",
			 id.domid, id.type, id.devid);
		free(xs_read(w->xs, XBT_NULL, path, NULL));
	}
	return end(w, begun);
}

static struct took start_monitor(struct world *w, unsigned int devices)
{
	struct took begun = begin(w), took;
	const struct xensplit_event *event;
	struct xensplit_monitor *monitor;
	unsigned int appeared = 0;

	if (xensplit_monitor_new(w->ctx, NULL, &monitor))
		errx(1, "%s", xensplit_errmsg(w->ctx));
	for (;;) {
		struct pollfd fd = { .fd = xensplit_monitor_get_fd(monitor) };

		fd.events = (short)xensplit_monitor_get_events(monitor);
		if (xensplit_monitor_process(monitor))
			errx(1, "%s", xensplit_errmsg(w->ctx));
		while (xensplit_monitor_next(monitor, &event) == 1)
			appeared += event->type == XENSPLIT_EVENT_APPEARED;
		took = end(w, begun);
		if (took.wall > LIMIT_SECS * 1e3)
			took = too_long;
		if (appeared >= devices || took.wall < 0)
			break;
		poll(&fd, 1, 10);
	}
	xensplit_monitor_free(monitor);
	return took;
}

static struct took detach_all(struct world *w, unsigned int devices)
{
	struct took all = { 0 };
	unsigned int i;
	char domid[16];
	char *argv[] = { tool, "detach", domid, "--all", NULL };

	for (i = 0; all.wall >= 0 && i < domains_of(devices); i++) {
		snprintf(domid, sizeof(domid), "%u", FIRST_DOMID + i);
		all = sum(all, run_tool(w, argv, devices ? 0 : 3)); /* 3: no devices */
		if (all.wall > LIMIT_SECS * 1e3)
			all = too_long;
	}
	if (all.wall >= 0)
		none_left(w, "detach --all");
	return all;
}

/* Killing the domains and creating new ones is not measured. */
static struct took reap(struct world *w, unsigned int devices)
{
	unsigned int i, domains = devices ? domains_of(devices) : 0;
	char *argv[] = { tool, "reap", NULL };
	struct took took;

	for (i = 0; i < domains; i++)
		control_domain(w, "kill", FIRST_DOMID + i);
	took = run_tool(w, argv, 0);
	for (i = 0; i < domains; i++)
		control_domain(w, "create", FIRST_DOMID + i);
	w->fresh = domains;
	if (took.wall >= 0)
		none_left(w, "reap");
	return took;
}

/* Runs a process, or a script with seven, for each device. */
static struct took each_device(const struct world *w, char *argv[], const char *format,
			       char *last, char *domid_text, unsigned int devices)
{
	struct took all = { 0 };
	unsigned int i;

	for (i = 0; i < devices; i++) {
		struct xensplit_id id = device(i, devices);

		sprintf(domid_text, "%u", id.domid);
		sprintf(last, format, id.devid);
		all = sum(all, run_tool(w, argv, 0));
	}
	return all;
}

static struct took attach_tool(struct world *w, unsigned int devices)
{
	char domid[16], name[32];
	char *argv[] = { tool, "attach", domid, name, "--no-wait", NULL };

	return each_device(w, argv, "bench/%u", name, domid, devices);
}

static struct took attach_script(struct world *w, unsigned int devices)
{
	char domid[16], devid[16];
	char *argv[] = { script, domid, "bench", devid, NULL };

	return each_device(w, argv, "%u", devid, domid, devices);
}

/* In an order in which the store rarely has to be filled separately. */
static struct step steps[] = {
	{ NULL, "script", .run = attach_script, .leaves = true, .last = PEER_DEVICES },
	{ NULL, "attach", .run = attach_tool, .leaves = true, .last = PEER_DEVICES },
	{ "attach, by the library, 10 a commit", "small", .run = attach_in_small,
	  .leaves = true },
	{ "detach --all", "detach", .run = detach_all, .needs = true, .by_domain = true },
	{ "attach, by the library, 32 a commit", "library", .run = attach_library,
	  .leaves = true },
	{ "list", "list", .run = list, .needs = true, .leaves = true },
	{ "list --all", "list-all", .run = list_all, .needs = true, .leaves = true },
	{ "doctor", "doctor", .run = doctor, .needs = true, .leaves = true },
	{ "monitor, to its last first event", "monitor", .run = start_monitor,
	  .needs = true, .leaves = true },
	{ "an xs_read, for comparison", "read", .run = read_states, .needs = true,
	  .leaves = true },
	{ NULL, "xenstore-ls", .run = xenstore_ls, .needs = true, .leaves = true },
	{ "reap", "reap", .run = reap, .needs = true },
};

#define STEPS (sizeof(steps) / sizeof(*steps))

/* --- samples --- */

static void prepare(struct world *w, const struct step *step, unsigned int devices)
{
	unsigned int wanted = step->needs ? devices : 0;

	enter(w);
	if (w->fresh)
		age(w);
	if (w->devices != wanted)
		remove_devices(w);
	if (wanted && !w->devices)
		attach_library(w, wanted);
	w->devices = wanted;
}

struct samples {
	struct took all;
	double wall[SAMPLES], cpu[SAMPLES];
	size_t count;
};

static bool take(struct took *ret_took, struct world *w, struct step *step,
		 unsigned int devices)
{
	prepare(w, step, devices);
	*ret_took = step->run(w, devices);
	w->devices = devices;
	if (!step->leaves && ret_took->wall >= 0)
		w->devices = 0;
	return ret_took->wall >= 0;
}

static void add(struct samples *s, struct took took)
{
	s->all = sum(s->all, took);
	s->wall[s->count % SAMPLES] = took.wall;
	s->cpu[s->count % SAMPLES] = took.cpu;
	s->count++;
}

/* The mean of the middle half: drops samples that were interrupted. */
static double middle(double *values, size_t count)
{
	double all = 0;
	size_t i;

	count = count < SAMPLES ? count : SAMPLES;
	qsort(values, count, sizeof(*values), compare_doubles);
	for (i = count / 4; i < count - count / 4; i++)
		all += values[i];
	return all / (double)(count - count / 4 * 2);
}

static struct took typical(struct samples *s)
{
	return (struct took){ middle(s->wall, s->count), middle(s->cpu, s->count) };
}

/* The cost without devices, and the additional cost of BASE devices. */
static void take_base(struct samples *empty, struct samples *base, struct world *worlds,
		      struct step *step, double length)
{
	uint64_t begun = now_ns();
	struct took none, some;

	do {
		if (!take(&none, &worlds[0], step, 0) ||
		    !take(&some, &worlds[1], step, BASE))
			errx(1, "%s: %u devices took too long", step->key, BASE);
		add(empty, none);
		add(base, (struct took){ some.wall - none.wall, some.cpu - none.cpu });
	} while (ms_since(begun) < length || base->count < SAMPLES_MIN);
}

static bool take_many(struct samples *many, struct world *w, struct step *step,
		      unsigned int devices)
{
	uint64_t begun = now_ns();
	struct took took;

	do {
		if (!take(&took, w, step, devices))
			return false;
		add(many, took);
	} while (step->name && ms_since(begun) < SAMPLE_MS);
	return true;
}

struct result {
	unsigned int devices;
	double ms;		 /* total */
	double each;		 /* ms per device; negative: not measured */
	double ratio, cpu_ratio; /* to a device of BASE */
	double expect;		 /* ms, if it was not measured */
};

static struct result measure(struct world *worlds, struct step *step,
			     unsigned int devices)
{
	static struct samples empty, base, many;
	struct result r = { .devices = devices, .each = -1 };
	unsigned int processes = step->by_domain ? domains_of(devices) : 1;
	double length, growth = 10;
	struct took none, some;

	if (step->before > 0 && step->previous / step->before > growth)
		growth = step->previous / step->before;
	r.expect = step->previous * growth;
	if ((step->last && devices > step->last) || r.expect > EXPECT_SECS * 1e3)
		return r;
	empty = base = many = (struct samples){ 0 };
	if (step->name)
		take_base(&empty, &base, worlds, step, SAMPLE_MS);
	if (!take_many(&many, &worlds[2], step, devices))
		return r;
	step->before = step->previous;
	step->previous = r.ms = typical(&many).wall;
	r.each = r.ms / devices;
	if (!step->name)
		return r;
	length = many.all.wall > SAMPLE_MS ? many.all.wall : SAMPLE_MS;
	take_base(&empty, &base, worlds, step, length < SAMPLE_MAX ? length : SAMPLE_MAX);
	none = typical(&empty);
	some = typical(&base);
	r.each = (r.ms - processes * none.wall) / devices;
	r.ratio = r.each / (some.wall / BASE);
	r.cpu_ratio =
		(typical(&many).cpu - processes * none.cpu) / devices / (some.cpu / BASE);
	return r;
}

/* The largest ratio is the result; all are shown, for processor time in brackets. */
static void print_row(const struct step *step, const struct result *results, size_t count)
{
	const struct result *worst = results;
	size_t i;

	for (i = 1; i < count && worst->each >= 0; i++)
		if (results[i].each < 0 || worst == results ||
		    results[i].ratio > worst->ratio)
			worst = &results[i];
	printf("many\t%s\t", step->name);
	if (worst->each < 0)
		printf("over %.0f s in all at %u\t-\t\t",
		       worst->expect > EXPECT_SECS * 1e3 ? worst->expect / 1e3
							 : LIMIT_SECS,
		       worst->devices);
	else
		printf("%.0f us at %u\t%.0f us at %d\t%.2f\t", worst->each * 1e3,
		       worst->devices, worst->each * 1e3 / worst->ratio, BASE,
		       worst->ratio);
	printf("%s\t", step->run == read_states ? "" : "<= 1.25");
	for (i = 0; i < count; i++)
		if (results[i].each >= 0)
			printf("%s%.2f (%.2f) at %u", i ? ", " : "", results[i].ratio,
			       results[i].cpu_ratio, results[i].devices);
	printf("\n");
	fflush(stdout);
}

/* --- compared with xenstore-ls --- */

static void compare(struct world *w, unsigned int devices, bool with_doctor)
{
	double ls_ms[ROUNDS], list_ms[ROUNDS], doctor_ms[ROUNDS] = { 0 };
	double ls_ratio[ROUNDS], doctor_ratio[ROUNDS];
	char *list_argv[] = { tool, "list", NULL };
	struct cost cost = { 0 };
	int i, doctors = 0;

	prepare(w, &(struct step){ .needs = true }, devices);
	for (i = 0; i < ROUNDS; i++) {
		ls_ms[i] = xenstore_ls(w, devices).wall;
		cost = run_process(list_argv, LIMIT_SECS);
		list_ms[i] = (double)cost.ns / 1e6;
		ls_ratio[i] = ls_ms[i] / list_ms[i];
		if (!with_doctor || (i && doctor_ms[0] > SLOW_MS))
			continue;
		doctor_ms[i] = doctor(w, devices).wall;
		doctor_ratio[i] = doctor_ms[i] / list_ms[i];
		doctors++;
	}
	printf("large\txenstore-ls -f of %u devices to list\t%.2f s\t%.2f s\t%.2f\t>= "
	       "6\t\n",
	       devices, median(ls_ms, ROUNDS) / 1e3, median(list_ms, ROUNDS) / 1e3,
	       median(ls_ratio, ROUNDS));
	printf("large\tlist of %u devices, memory at its peak\t%.1f MiB\t-\t%.1f\t< "
	       "20\t\n",
	       devices, (double)cost.rss_kb / 1024, (double)cost.rss_kb / 1024);
	printf("large\tdoctor of %u devices to list\t", devices);
	if (doctors)
		printf("%.2f s\t%.2f s\t%.2f\t< 3\t\n", median(doctor_ms, doctors) / 1e3,
		       median(list_ms, ROUNDS) / 1e3, median(doctor_ratio, doctors));
	else
		printf("too long\t%.2f s\t\t< 3\t\n", median(list_ms, ROUNDS) / 1e3);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct result results[STEPS][8];
	struct world worlds[3] = { 0 };
	unsigned int devices, most;
	size_t i, count = 0;
	bool doctored = false;
	FILE *data;

	tool = getenv("XENSPLIT");
	sandbox = getenv("SANDBOX");
	script = getenv("ACTIVATE");
	if (argc != 6 || !tool || !sandbox || !script)
		return warnx("usage: %s DEVICES DATA EMPTY BASE MANY", argv[0]), 2;
	most = (unsigned int)atoi(argv[1]);
	data = fopen(argv[2], "we");
	if (!data)
		err(1, "%s", argv[2]);
	unsetenv("LD_LIBRARY_PATH"); /* only this program needs it */
	for (i = 0; i < 3; i++)
		world_begin(&worlds[i], argv[3 + i]);

	for (devices = BASE; devices <= most && count < 8; devices *= 10, count++)
		for (i = 0; i < STEPS; i++) {
			struct result *r = &results[i][count];

			*r = measure(worlds, &steps[i], devices);
			if (r->each >= 0)
				fprintf(data, "%s %u %.3f %.4f %.3f %.3f\n", steps[i].key,
					devices, r->ms, r->each, r->ratio, r->cpu_ratio);
			fflush(data);
			if (steps[i].run == doctor)
				doctored = r->each >= 0;
			if (steps[i].run == xenstore_ls && devices * 10 > most)
				compare(&worlds[2], devices, doctored);
		}
	if (fclose(data))
		err(1, "%s", argv[2]);
	for (i = 0; i < STEPS; i++)
		if (steps[i].name)
			print_row(&steps[i], results[i], count);
	for (i = 0; i < 3; i++)
		world_end(&worlds[i]);
	return 0;
}
