// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hammer OPERATIONS PROCESSES SEED OUTCOMES: see README.md. Prints three lines of TAP and a table; runs
 * inside the sandbox of `run`.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

#define STATUSES   8 /* the last: any other */
#define TELL_MOST  30
#define LATE_US	   15000000 /* on a busy machine, after the time given */
#define LIFE	   "life"   /* of the mortal guest */
#define VERBS_MOST 32
#define TOOL_PART  6 /* one in so many operations is made with the tool */
#define ALONE_PART 4 /* and one alone */

const struct target targets[] = {
	{ 5, "mydevice", 0 }, { 5, "mydevice", 1 }, { 5, "mydevice", 2 },
	{ 6, "mydevice", 0 }, { 6, "mydevice", 1 }, { 6, "mydevice", 2 },
	{ 7, "mydevice", 0 }, { 7, "mydevice", 1 }, { 5, "stubborn", 0 },
	{ 6, "stubborn", 0 },
};
const size_t target_count = ARRAY_SIZE(targets);

struct row {
	uint32_t runs, alone, statuses[STATUSES];
	uint64_t worst_us, total_us;
};

enum {
	NOT_WHOLE,
	NOT_NAMED,
	NOT_IN_TIME,
	FAULTS
};

/* Of all processes. */
static struct tally {
	struct row rows[VERBS_MOST][2]; /* with the library, with the tool */
	uint32_t faults[FAULTS];
	uint32_t told;
	uint64_t looks;
} * tally;

static unsigned int seed;
static int locks[ARRAY_SIZE(targets)], life;

/* --- what is found --- */

static void fault(int kind, const struct op *op, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void fault(int kind, const struct op *op, const char *format, ...)
{
	char text[1024];
	va_list args;

	__atomic_add_fetch(&tally->faults[kind], 1, __ATOMIC_RELAXED);
	if (__atomic_add_fetch(&tally->told, 1, __ATOMIC_RELAXED) > TELL_MOST)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# %s%s %" PRIu32 " %s/%" PRIu32 "%s, status %d: %s\n", op->verb->name,
	       op->by_tool ? " (tool)" : "", op->domid,
	       op->target ? op->target->type : "", op->target ? op->target->devid : 0,
	       op->alone ? ", alone" : "", op->status, text);
	fflush(stdout);
}

static void count(const struct op *op)
{
	struct row *row = &tally->rows[op->verb - verbs][op->by_tool];
	unsigned int status = op->status >= 0 && op->status < STATUSES
				      ? (unsigned int)op->status
				      : STATUSES - 1;
	uint64_t worst = __atomic_load_n(&row->worst_us, __ATOMIC_RELAXED);

	__atomic_add_fetch(&row->runs, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&row->alone, op->alone, __ATOMIC_RELAXED);
	__atomic_add_fetch(&row->statuses[status], 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&row->total_us, op->took_us, __ATOMIC_RELAXED);
	while (op->took_us > worst &&
	       !__atomic_compare_exchange_n(&row->worst_us, &worst, op->took_us, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* --- who may use a device --- */

static int open_lock(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/lock-%s", getenv("XENSPLIT_SANDBOX"), name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void open_locks(void)
{
	char name[16];
	size_t i;

	for (i = 0; i < target_count; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		locks[i] = open_lock(name);
	}
	life = open_lock(LIFE);
}

static void lock(int fd, int how)
{
	while (flock(fd, how))
		if (errno != EINTR)
			err(1, "flock");
}

static bool uses(const struct op *op, const struct target *target)
{
	return op->target == target ||
	       (op->verb->scope == DOMAIN && op->domid == target->domid);
}

/* Devices before the life of their domain, so that nobody waits for each other. */
static void lock_all(const struct op *op)
{
	size_t i;

	for (i = 0; i < target_count; i++)
		if (uses(op, &targets[i]))
			lock(locks[i], op->alone ? LOCK_EX : LOCK_SH);
	if (!strcmp(op->verb->name, "rebirth"))
		lock(life, LOCK_EX);
	else if ((op->alone && op->domid == MORTAL) || op->verb->verdict == reaped)
		lock(life, LOCK_SH);
}

static void unlock_all(const struct op *op)
{
	size_t i;

	for (i = 0; i < target_count; i++)
		if (uses(op, &targets[i]))
			lock(locks[i], LOCK_UN);
	lock(life, LOCK_UN);
}

/* --- one operation --- */

static unsigned int rnd(unsigned int below)
{
	return below ? (unsigned int)rand_r(&seed) % below : 0;
}

static const struct verb *choose_verb(void)
{
	unsigned int sum = 0, at;
	size_t i;

	for (i = 0; i < verb_count; i++)
		sum += verbs[i].weight;
	at = rnd(sum);
	for (i = 0; at >= verbs[i].weight; i++)
		at -= verbs[i].weight;
	return &verbs[i];
}

static void choose(struct op *op, unsigned int number)
{
	static const uint32_t domids[] = { 5, 6 };

	op->verb = choose_verb();
	op->target = op->verb->scope == ONE ? &targets[rnd(target_count)] : NULL;
	op->by_tool = !op->verb->call || (op->verb->arguments && !rnd(TOOL_PART));
	op->alone = op->target && (!rnd(ALONE_PART) || op->verb->verdict == adopted);
	op->domid = op->target				    ? op->target->domid
		    : !strcmp(op->verb->name, "detach-all") ? MORTAL
							    : domids[rnd(2)];
	op->backend = rnd(3) ? 0 : DRIVER_DOMAIN;
	op->timeout_ms = 3000;
	if (op->target && !strcmp(op->target->type, "stubborn")) {
		op->backend = 0;
		op->timeout_ms = 200;
	} else if (op->verb->arguments && strstr(op->verb->arguments, "%W") && !rnd(5)) {
		op->timeout_ms = 0;
	} else if (op->verb->verdict == gone) {
		op->timeout_ms = 100;
	}
	/* Some have the same keys, so that --ensure finds what it wants. */
	if (rnd(2))
		snprintf(op->mode, sizeof(op->mode), "%u", rnd(2));
	else
		snprintf(op->mode, sizeof(op->mode), "p%d.%u", getpid(), number);
}

/* What is wrong with its device now, whoever else uses it. */
static void check_whole(const struct op *op, const char *wrong, const struct view *view)
{
	__atomic_add_fetch(&tally->looks, 1, __ATOMIC_RELAXED);
	if (!wrong && view->is == FOREIGN)
		wrong = "its record is gone";
	if (wrong)
		fault(NOT_WHOLE, op, "%s", wrong);
}

static void prepare(struct op *op)
{
	if (!op->alone)
		return;
	check_whole(op, look(op->xs, op->target, 1, &op->before), &op->before);
	if (op->verb->verdict == adopted && op->before.is == WHOLE &&
	    drop_record(op->xs, op->target))
		look(op->xs, op->target, 1, &op->before);
}

/* Not while its guest is neither dead nor alive. */
static void look_after(struct op *op)
{
	bool mortal = !op->alone && op->domid == MORTAL;

	if (mortal)
		lock(life, LOCK_SH);
	check_whole(op, look(op->xs, op->target, 1, &op->after), &op->after);
	if (mortal)
		lock(life, LOCK_UN);
}

static void judge(struct op *op)
{
	const char *wrong;

	if (op->target)
		look_after(op);
	if (op->verb->verdict && (op->alone ? op->before.is != STALE : !op->target)) {
		wrong = op->verb->verdict(op);
		if (wrong)
			fault(NOT_WHOLE, op, "%s; before %d %s, after %d %s: %s", wrong,
			      op->before.is, op->before.unique_id, op->after.is,
			      op->after.unique_id, op->said);
	}
	wrong = outcome_unknown(op);
	if (wrong)
		fault(NOT_NAMED, op, "%s", wrong);
	if (op->took_us > op->timeout_ms * 1000 + LATE_US)
		fault(NOT_IN_TIME, op, "%" PRIu64 " us", op->took_us);
}

/* --- a process --- */

static unsigned int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int number = 0;

	while (readdir(dir))
		number++;
	closedir(dir);
	return number;
}

static void work(unsigned int count_of_ops, unsigned int number)
{
	struct op op = { 0 };
	unsigned int i, before = 0;

	seed += number * 7919;
	open_locks();
	op_open(&op);
	for (i = 0; i < count_of_ops; i++) {
		choose(&op, i);
		lock_all(&op);
		prepare(&op);
		op_run(&op);
		judge(&op);
		unlock_all(&op);
		count(&op);
		if (i == count_of_ops / 10) /* the first wait opens one */
			before = descriptors();
	}
	if (descriptors() > before + 1)
		fault(NOT_WHOLE, &op, "%u descriptors are open, and %u were before",
		      descriptors(), before);
	xensplit_free(op.ctx);
	xs_close(op.xs);
}

static bool run_all(unsigned int operations, unsigned int processes)
{
	bool good = true;
	unsigned int i;
	int status;

	for (i = 0; i < processes; i++) {
		if (fork() == 0) {
			work(operations / processes + (i < operations % processes), i);
			exit(0);
		}
	}
	while (wait(&status) > 0)
		good &= !status;
	return good;
}

/* --- the table --- */

static void print_row(const char *name, bool tool, const struct row *row)
{
	unsigned int i;

	if (!row->runs)
		return;
	printf("# %-10s %-7s %7u %7u", name, tool ? "tool" : "library", row->runs,
	       row->alone);
	for (i = 0; i < STATUSES; i++)
		printf(" %6u", row->statuses[i]);
	printf(" %8.1f %8.1f\n", (double)row->total_us / row->runs / 1000,
	       (double)row->worst_us / 1000);
}

static void print_table(void)
{
	size_t i;

	printf("# %-18s %7s %7s %6s %6s %6s %6s %6s %6s %6s %6s %8s %8s\n", "verb",
	       "runs", "alone", "0", "1", "2", "3", "4", "5", "6", "other", "mean ms",
	       "worst ms");
	for (i = 0; i < verb_count; i++) {
		print_row(verbs[i].name, false, &tally->rows[i][0]);
		print_row(verbs[i].name, true, &tally->rows[i][1]);
	}
}

static bool print_result(unsigned int number, bool good, const char *text)
{
	printf("%sok %u - %s\n", good ? "" : "not ", number, text);
	return good;
}

int main(int argc, char **argv)
{
	const uint32_t *faults;
	bool good;

	if (argc != 5 || !outcomes_read(argv[4]))
		errx(2, "hammer OPERATIONS PROCESSES SEED OUTCOMES");
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		err(1, "mmap");
	faults = tally->faults;
	seed = (unsigned int)strtoul(argv[3], NULL, 10);
	signal(SIGPIPE, SIG_IGN);
	good = run_all((unsigned int)atoi(argv[1]), (unsigned int)atoi(argv[2]));
	print_table();
	printf("# %" PRIu64 " times a device was compared with what it should be\n",
	       tally->looks);
	good &= print_result(1, good && !faults[NOT_WHOLE],
			     "each device is whole or gone, each success is one");
	good &= print_result(2, !faults[NOT_NAMED],
			     "no exit status and no message that is not on the list");
	good &= print_result(3, !faults[NOT_IN_TIME], "none is late");
	return good ? 0 : 1;
}
