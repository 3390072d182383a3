// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preloaded into xl: a tenth of the real time passes. libxl gives others a fixed time to answer,
 * such as xenconsoled 10 s for a guest's terminal, and no option changes that. All its limits are
 * by gettimeofday(). The time before a domid may be used again is by another clock.
 */
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#define SLOWER 10

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	static int64_t first_us;
	struct timespec now;
	int64_t us;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	if (!first_us)
		first_us = us;
	us = first_us + (us - first_us) / SLOWER;
	tv->tv_sec = us / 1000000;
	tv->tv_usec = us % 1000000;
	return 0;
}
