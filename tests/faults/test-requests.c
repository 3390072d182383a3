// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers each request of each verb with each fault. Afterwards there is a whole device, none, or
 * a record that says what is missing, the exit status is one that fits the fault, and the next run
 * does what is left to do. FAULT_STEP=N tries each Nth request, another one for each fault.
 */
#include "verbs.h"

#define POINTS_MAX 400

static const struct fault {
	const char *name;
	const char *statuses; /* besides 0 and 1, "12" */
	bool lies;	      /* says that a node is not there, or what is in it */
	bool slow;
} faults[] = {
	{ "EAGAIN", "5", false, false },    { "ENOENT", "345", true, false },
	{ "EACCES", "34", false, false },   { "ENOSPC", "", false, false },
	{ "E2BIG", "", false, false },	    { "EIO", "", false, false },
	{ "EINVAL", "", false, false },	    { "cut", "", false, false },
	{ "wrong-type", "", false, false }, { "short", "", false, false },
	{ "long", "", false, false },	    { "garbage", "345", true, false },
	{ "empty", "345", true, false },    { "silent", "6", false, true },
};

static unsigned int step(void)
{
	const char *text = getenv("FAULT_STEP");

	return text ? (unsigned int)atoi(text) : 1;
}

static bool is_selected(const struct fault *fault)
{
	const char *names = getenv("FAULTS");

	return names && *names ? strstr(names, fault->name) != NULL : !fault->slow;
}

static bool status_fits(const struct verb *verb, const struct fault *fault, int status)
{
	if (status == 0 || status == 1)
		return true;
	/* What an answer says is not there may be waited for. */
	if (status == 6 && (verb->flags & WAITS))
		return true;
	return status < 10 && strchr(fault->statuses, '0' + status);
}

struct counts {
	unsigned int runs, violations;
};

/* False if there is no such request. */
static bool fail_once(const struct verb *verb, const struct fault *fault, unsigned int at,
		      struct counts *counts)
{
	char options[300], count[256];
	const char *what;
	unsigned long total;
	int status;
	FILE *file;

	verb_prepare(verb);
	snprintf(count, sizeof(count), "%s/count", getenv("XENSPLIT_SANDBOX"));
	snprintf(options, sizeof(options), "--fail-at %u --with %s --count %s", at,
		 fault->name, count);
	status = verb->flags & STAYS ? service(options, verb->arguments)
				     : tool(options, verb->arguments);
	snprintf(options, sizeof(options), "tail -n 1 %s", count);
	file = popen(options, "r");
	assert_int_equal(fscanf(file, "total %lu", &total), 1);
	pclose(file);
	if (total < at)
		return false;
	what = status_fits(verb, fault, status)
		       ? verb_violation(verb, status,
					(verb->flags & STAYS) ? fault->slow : fault->lies,
					fault->lies)
		       : "the exit status";
	counts->runs++;
	if (what) {
		counts->violations++;
		print_error("# %s: %s at request %u, status %d: %s\n%s\n", verb->name,
			    fault->name, at, status, what, tool_said());
	}
	return true;
}

static void save_row(const struct verb *verb, const struct fault *fault,
		     const struct counts *counts)
{
	const char *path = getenv("FAULTS_TABLE");
	FILE *file = path ? fopen(path, "a") : NULL;

	if (!file)
		return;
	fprintf(file, "%s %s %u %u\n", verb->name, fault->name, counts->runs,
		counts->violations);
	fclose(file);
}

static unsigned int fail_at_each(const struct verb *verb, unsigned int *violations)
{
	unsigned int runs = 0, at;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		struct counts counts = { 0 };

		if (!is_selected(&faults[i]))
			continue;
		for (at = 1 + (unsigned int)i % step(); at < POINTS_MAX; at += step())
			if (!fail_once(verb, &faults[i], at, &counts))
				break;
		assert_true(at < POINTS_MAX);
		save_row(verb, &faults[i], &counts);
		runs += counts.runs;
		*violations += counts.violations;
	}
	return runs;
}

static void every_request_fails_in_every_way(void **state)
{
	unsigned int violations = 0, all = 0, runs;
	size_t i;

	(void)state;
	for (i = 0; i < verb_count; i++) {
		if (!verb_is_selected(&verbs[i]))
			continue;
		verb_begin(&verbs[i]);
		runs = fail_at_each(&verbs[i], &violations);
		verb_end();
		print_message("# %-16s %5u runs\n", verbs[i].name, runs);
		all += runs;
	}
	print_message("# all %u runs, %u violations\n", all, violations);
	assert_true(all > 0);
	assert_int_equal(violations, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(every_request_fails_in_every_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
