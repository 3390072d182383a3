// SPDX-License-Identifier: LGPL-2.1-or-later
/* How often, and when, to retry a transaction that collided. */
#include <sys/random.h>

#include "internal.h"

#define PAUSE_FIRST_US 500
#define PAUSE_MOST_US  64000

uint64_t pause_us(uint64_t first, uint64_t longest, unsigned int try)
{
	uint64_t most = first << (try < 16 ? try : 16);
	uint32_t random;

	if (most > longest)
		most = longest;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = (uint32_t)now_us();
	return most / 2 + random % (most / 2);
}

uint64_t store_pause_us(unsigned int try)
{
	return pause_us(PAUSE_FIRST_US, PAUSE_MOST_US, try);
}

int store_gave_up(struct xensplit_ctx *ctx)
{
	return fail(ctx, -EBUSY,
		    "other clients kept changing the same nodes: gave up after %u tries",
		    STORE_TRIES);
}

int store_transaction(struct txn *txn, store_fn *fn, void *data)
{
	unsigned int try;
	int r = -EAGAIN;

	for (try = 0; try < STORE_TRIES && r == -EAGAIN; try++) {
		if (try)
			sleep_until(now_us() + store_pause_us(try));
		r = store_try(txn, fn, data);
	}
	txn->collided = r == -EAGAIN;
	return txn->collided ? store_gave_up(txn->ctx) : r;
}
