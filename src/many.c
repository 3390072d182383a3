// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <xentoollog.h>

#include "common.h"
#include "logger.h"
#include "many.h"

/* More at the same time would only make xenstored slower, as it walks all watches. */
#define SLOTS 64
/* How long one operation may delay the others; doubles each time it is retried. */
#define TURN_FIRST_MS 50
#define TURN_MOST_MS  5000

struct slot {
	struct xensplit_op *op; /* NULL: free */
	size_t index;
	uint64_t since_ms;
};

struct run {
	const struct many *many;
	uint64_t begun_ms;
	uint64_t deadline_ms;
	struct slot slots[SLOTS];
	size_t *queue; /* not started yet: a ring of many->count */
	size_t head;
	size_t queued;
	unsigned char *turns; /* how often each was put back in the queue */
	size_t ended;
};

static void enqueue(struct run *run, size_t index)
{
	run->queue[(run->head + run->queued++) % run->many->count] = index;
}

static size_t dequeue(struct run *run)
{
	size_t index = run->queue[run->head];

	run->head = (run->head + 1) % run->many->count;
	run->queued--;
	return index;
}

static void end(struct run *run, const struct slot *slot, int err)
{
	run->many->ended(run->many, slot->index, slot->op, err);
	run->ended++;
}

static void pause_slot(struct run *run, const struct slot *slot)
{
	if (run->many->paused)
		run->many->paused(run->many, slot->index, slot->op);
	if (run->turns[slot->index] < 7)
		run->turns[slot->index]++;
	enqueue(run, slot->index);
}

static void fill(struct run *run, struct slot *slot)
{
	uint64_t now = now_ms();
	int err;

	while (!slot->op && run->queued) {
		slot->index = dequeue(run);
		slot->since_ms = now;
		err = run->many->begin(run->many, slot->index,
				       now < run->deadline_ms
					       ? (unsigned int)(run->deadline_ms - now)
					       : 0,
				       &slot->op);
		if (err)
			end(run, slot, err);
	}
}

static unsigned int turn_ms(const struct run *run, size_t index)
{
	unsigned int ms = TURN_FIRST_MS << run->turns[index];

	return ms < TURN_MOST_MS ? ms : TURN_MOST_MS;
}

/* Returns: -ENOTCONN if all must end. */
static int advance(struct run *run, struct slot *slot)
{
	uint64_t now = now_ms();
	int err = xensplit_op_process(slot->op);

	if (err != 1) {
		end(run, slot, err);
	} else if (run->queued && now < run->deadline_ms &&
		   now - slot->since_ms >= turn_ms(run, slot->index)) {
		pause_slot(run, slot);
	} else {
		return 0;
	}
	slot->op = xensplit_op_free(slot->op);
	return err == -ENOTCONN ? err : 0;
}

static void show_progress(const struct run *run)
{
	struct xentoollog_logger *logger = run->many->tool->logger;
	uint64_t now = now_ms();
	char doing[80];

	snprintf(doing, sizeof(doing), "%s: %zu of %zu devices", run->many->doing,
		 run->ended, run->many->count);
	xtl_progress(logger, "xensplit", doing, (unsigned long)(now - run->begun_ms),
		     run->many->timeout_ms);
}

/* Waits until an operation has work to do, or its turn is over. */
static int wait_once(const struct run *run)
{
	struct pollfd fd = { .fd = -1, .events = POLLIN };
	uint64_t until = UINT64_MAX, now;

	for (size_t i = 0; i < SLOTS; i++) {
		const struct slot *slot = &run->slots[i];
		uint64_t wake;

		if (!slot->op)
			continue;
		if (fd.fd < 0)
			fd.fd = xensplit_op_get_fd(slot->op);
		wake = xensplit_op_get_timeout(slot->op) / 1000;
		if (run->queued && wake > slot->since_ms + turn_ms(run, slot->index))
			wake = slot->since_ms + turn_ms(run, slot->index);
		until = wake < until ? wake : until;
	}
	now = now_ms();
	if (poll(&fd, 1, until >= now ? (int)(until - now) + 1 : 0) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

static int run_all(struct run *run)
{
	int err;

	while (run->ended < run->many->count) {
		size_t before = run->ended;

		for (size_t i = 0; i < SLOTS; i++) {
			fill(run, &run->slots[i]);
			err = run->slots[i].op ? advance(run, &run->slots[i]) : 0;
			if (err)
				return err;
		}
		if (run->ended == run->many->count)
			break;
		if (run->ended != before)
			continue;
		show_progress(run);
		err = wait_once(run);
		if (err)
			return err;
	}
	return 0;
}

int many_run(const struct many *many)
{
	struct run run = { .many = many, .begun_ms = now_ms() };
	int err;

	if (!many->count)
		return 0;
	run.deadline_ms = run.begun_ms + many->timeout_ms;
	run.queue = must(calloc(many->count, sizeof(*run.queue)));
	run.turns = must(calloc(many->count, 1));
	for (size_t i = 0; i < many->count; i++)
		enqueue(&run, i);
	err = run_all(&run);
	for (size_t i = 0; i < SLOTS; i++)
		xensplit_op_free(run.slots[i].op);
	free(run.queue);
	free(run.turns);
	logger_make_way();
	return err;
}
