// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Measures how fast requests go to dom0 and come back, for tests/xen/bench.sh:
 *
 * speed file DEVICE SIZE DEPTH MS          what is written to the device can be read from it
 * speed read|write DEVICE SIZE DEPTH MS    a disk, at random places, without the page cache
 * speed vchan PATH SIZE DEPTH MS           a program in dom0 sends it back:
 * speed vchan-echo DOMID PATH
 *
 * DEPTH requests of SIZE bytes are under way at any time, for MS milliseconds. Prints how many were
 * answered in a second.
 */
/* needs: xenvchan */

#include <fcntl.h>
#include <libxenvchan.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/fs.h>

#define MAX_DEPTH 64
#define MAX_SIZE  4096

static unsigned char data[MAX_DEPTH][MAX_SIZE] __attribute__((aligned(4096)));

static double begun, limit;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void start(const char *ms)
{
	limit = atof(ms) / 1000;
	begun = now();
}

static int finished(void)
{
	return now() - begun >= limit;
}

static int print(unsigned long done)
{
	printf("%.0f\n", (double)done / (now() - begun));
	return 0;
}

static int failed(const char *what)
{
	perror(what);
	return 1;
}

static int measure_file(const char *device, size_t size, size_t depth, const char *ms)
{
	int fd = open(device, O_RDWR);
	unsigned long done = 0;
	size_t back = 0;
	ssize_t got;

	if (fd < 0)
		return failed(device);
	start(ms);
	for (size_t i = 0; i < depth; i++) {
		if (write(fd, data[0], size) != (ssize_t)size)
			return failed("write");
	}
	while (!finished()) {
		got = read(fd, data[1], size);
		if (got <= 0)
			return failed("read");
		back += (size_t)got;
		if (back < size)
			continue;
		back -= size;
		done++;
		if (write(fd, data[0], size) != (ssize_t)size)
			return failed("write");
	}
	return print(done);
}

/* Random, so that no two of them are merged into one. */
static long long some_place(size_t size, uint64_t end)
{
	static uint32_t state = 1;

	state = state * 1664525 + 1013904223;
	return (long long)((uint64_t)(state >> 4) % (end / size) * size);
}

static int submit(aio_context_t ctx, struct iocb *cb, size_t size, uint64_t end)
{
	cb->aio_offset = some_place(size, end);
	return (int)syscall(SYS_io_submit, ctx, 1, &cb);
}

static int measure_disk(const char *device, size_t size, size_t depth, const char *ms,
			uint16_t what)
{
	int fd = open(device, O_RDWR | O_DIRECT);
	static struct io_event events[MAX_DEPTH];
	static struct iocb cbs[MAX_DEPTH];
	unsigned long done = 0;
	aio_context_t ctx = 0;
	uint64_t end;
	long got;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &end))
		return failed(device);
	if (syscall(SYS_io_setup, MAX_DEPTH, &ctx))
		return failed("io_setup");
	start(ms);
	for (size_t i = 0; i < depth; i++) {
		cbs[i].aio_lio_opcode = what;
		cbs[i].aio_fildes = (uint32_t)fd;
		cbs[i].aio_buf = (uintptr_t)data[i];
		cbs[i].aio_nbytes = size;
		if (submit(ctx, &cbs[i], size, end) != 1)
			return failed("io_submit");
	}
	while (!finished()) {
		got = syscall(SYS_io_getevents, ctx, 1L, (long)depth, events, NULL);
		if (got < 1)
			return failed("io_getevents");
		for (long i = 0; i < got; i++, done++) {
			struct iocb *cb = (struct iocb *)(uintptr_t)events[i].obj;

			if (events[i].res != (long long)size ||
			    submit(ctx, cb, size, end) != 1)
				return failed("a request");
		}
	}
	return print(done);
}

/* The guest shares the memory, as a frontend does. */
static int measure_vchan(const char *path, size_t size, size_t depth, const char *ms)
{
	size_t ring = MAX_DEPTH * MAX_SIZE;
	struct libxenvchan *chan = libxenvchan_server_init(NULL, 0, path, ring, ring);
	unsigned long done = 0;

	if (!chan)
		return failed("vchan");
	chan->blocking = 1;
	while (libxenvchan_is_open(chan) == 2)
		libxenvchan_wait(chan);
	start(ms);
	for (size_t i = 0; i < depth; i++)
		libxenvchan_send(chan, data[0], size);
	for (; !finished(); done++) {
		if (libxenvchan_recv(chan, data[1], size) != (int)size ||
		    libxenvchan_send(chan, data[0], size) != (int)size)
			return failed("vchan");
	}
	print(done);
	libxenvchan_close(chan);
	return 0;
}

static int vchan_echo(int domid, const char *path)
{
	struct libxenvchan *chan;
	int got, sent, all;

	/* The guest may not have set it up yet. */
	while (!(chan = libxenvchan_client_init(NULL, domid, path)))
		usleep(10000);
	chan->blocking = 1;
	while ((got = libxenvchan_read(chan, data, sizeof(data))) > 0) {
		for (all = 0; all < got; all += sent) {
			sent = libxenvchan_write(chan, (char *)data + all,
						 (size_t)(got - all));
			if (sent <= 0)
				return 0;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	size_t size, depth;

	if (argc == 4 && !strcmp(argv[1], "vchan-echo"))
		return vchan_echo(atoi(argv[2]), argv[3]);
	if (argc != 6)
		return 2;
	size = strtoul(argv[3], NULL, 0);
	depth = strtoul(argv[4], NULL, 0);
	if (!size || size > MAX_SIZE || !depth || depth > MAX_DEPTH)
		return 2;
	if (!strcmp(argv[1], "file"))
		return measure_file(argv[2], size, depth, argv[5]);
	if (!strcmp(argv[1], "vchan"))
		return measure_vchan(argv[2], size, depth, argv[5]);
	return measure_disk(argv[2], size, depth, argv[5],
			    strcmp(argv[1], "read") ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD);
}
