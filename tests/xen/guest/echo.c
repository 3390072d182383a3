// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * echo check DEVICE BYTES PROCESSES [upper]: each process writes so many random bytes and compares
 * what it reads with them, at the same time. Prints the bytes that came back, and what ended it.
 * echo until FILE DEVICE PROCESSES: the same, but each stops writing when there is such a file
 * echo poll DEVICE: what poll, and a read and a write that may not wait, do at each step
 * echo hold DEVICE BYTES: writes so many, and ends when its stdin does, without reading any
 *
 * Exit status: 0 all came back, 1 something came back wrong, 2 an error ended it.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	ALL_BACK,
	WRONG,
	FAILED
};

enum {
	MAX_PROCESSES = 16
};

/* A sequence of random bytes that can be made twice. */
struct stream {
	uint64_t state;
	size_t done;
	unsigned char data[16384];
	size_t pos; /* in data */
};

static void refill(struct stream *stream)
{
	for (size_t i = 0; i < sizeof(stream->data); i += sizeof(stream->state)) {
		stream->state ^= stream->state << 13;
		stream->state ^= stream->state >> 7;
		stream->state ^= stream->state << 17;
		memcpy(stream->data + i, &stream->state, sizeof(stream->state));
	}
	stream->pos = 0;
}

static void stream_begin(struct stream *stream, uint64_t seed)
{
	stream->state = seed | 1;
	stream->done = 0;
	refill(stream);
}

static void stream_skip(struct stream *stream, size_t count)
{
	stream->done += count;
	stream->pos += count;
	if (stream->pos == sizeof(stream->data))
		refill(stream);
}

/* From 1 byte to all that is left in the buffer: pages, parts of pages, and several. */
static ssize_t write_some(int fd, struct stream *out, size_t total)
{
	size_t size = sizeof(out->data) - out->pos;

	if (size > total - out->done)
		size = total - out->done;
	if (size > 4 && out->data[out->pos] & 1)
		size = 1 + out->data[out->pos + 1] * size / 256;
	return write(fd, out->data + out->pos, size);
}

/* Returns whether all is as it was written. */
static int compare(struct stream *in, const unsigned char *data, size_t count, int upper)
{
	while (count) {
		size_t size = sizeof(in->data) - in->pos;

		if (size > count)
			size = count;
		for (size_t i = 0; upper && i < size; i++) {
			if (isascii(in->data[in->pos + i]))
				in->data[in->pos + i] =
					(unsigned char)toupper(in->data[in->pos + i]);
		}
		if (memcmp(in->data + in->pos, data, size))
			return 0;
		stream_skip(in, size);
		data += size;
		count -= size;
	}
	return 1;
}

static int failed(const char *what, size_t done)
{
	printf("%zu bytes came back, none wrong; then %s: %s\n", done, what,
	       strerror(errno));
	return FAILED;
}

/* May also say that there was nothing to do. */
static int write_and_read(int fd, struct stream *out, struct stream *in, size_t total,
			  int upper)
{
	unsigned char buffer[8192];
	ssize_t size;

	if (out->done < total) {
		size = write_some(fd, out, total);
		if (size > 0)
			stream_skip(out, (size_t)size);
		else if (errno != EAGAIN)
			return failed("write", in->done);
	}
	size = read(fd, buffer, sizeof(buffer));
	if (size < 0)
		return errno == EAGAIN ? ALL_BACK : failed("read", in->done);
	if (compare(in, buffer, (size_t)size, upper))
		return ALL_BACK;
	printf("wrong data after %zu bytes\n", in->done);
	return WRONG;
}

/* How much to write, and how. */
struct job {
	const char *device;
	size_t total;
	const char *until; /* no more than now, when there is such a file; or NULL */
	int upper;
};

static int check(int fd, const struct job *job)
{
	static struct stream out, in;
	size_t total = job->total;
	int result = ALL_BACK;
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (uint64_t)getpid() * 0x9e3779b97f4a7c15u;
	stream_begin(&out, seed);
	stream_begin(&in, seed);
	while (result == ALL_BACK && in.done < total) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

		if (out.done < total)
			poll_fd.events |= POLLOUT;
		poll(&poll_fd, 1, -1);
		if (job->until && !access(job->until, F_OK))
			total = out.done;
		result = write_and_read(fd, &out, &in, total, job->upper);
	}
	if (result == ALL_BACK)
		printf("%zu bytes came back, none wrong\n", in.done);
	return result;
}

static int open_device(const char *device)
{
	int fd = open(device, O_RDWR | O_NONBLOCK);

	if (fd < 0) {
		printf("open: %s\n", strerror(errno));
		exit(FAILED);
	}
	return fd;
}

static int check_all(const struct job *job, int processes)
{
	int worst = ALL_BACK, status, fds[MAX_PROCESSES];

	if (processes > MAX_PROCESSES)
		return FAILED;
	/* A device that goes may find one process ahead of another, but none without a file. */
	for (int i = 0; i < processes; i++)
		fds[i] = open_device(job->device);
	for (int i = 0; i < processes; i++) {
		if (!fork())
			exit(check(fds[i], job));
		close(fds[i]);
	}
	while (wait(&status) > 0) {
		if (!WIFEXITED(status))
			worst = WRONG;
		else if (worst != WRONG && WEXITSTATUS(status) != ALL_BACK)
			worst = WEXITSTATUS(status);
	}
	return worst;
}

static void say_poll(int fd, const char *when)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT };

	poll(&poll_fd, 1, 0);
	printf("%s:%s%s%s%s\n", when, poll_fd.revents & POLLIN ? " in" : "",
	       poll_fd.revents & POLLOUT ? " out" : "",
	       poll_fd.revents & POLLERR ? " err" : "",
	       poll_fd.revents & POLLHUP ? " hup" : "");
}

static int poll_steps(const char *device)
{
	static char buffer[65536], back[sizeof(buffer)];
	int fd = open_device(device), other = open_device(device);
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	size_t written = 0, done = 0;
	ssize_t size;

	say_poll(fd, "open");
	if (read(fd, back, 1) < 0)
		printf("read: %s\n", strerror(errno));
	while ((size = write(fd, buffer, sizeof(buffer))) > 0)
		written += (size_t)size;
	printf("full after %zu bytes: %s\n", written, strerror(errno));
	poll(&readable, 1, -1);
	say_poll(fd, "full and answered");
	say_poll(other, "another file");
	if (read(other, back, 1) < 0)
		printf("another file's read: %s\n", strerror(errno));
	while (done < written && poll(&readable, 1, -1) > 0) {
		size = read(fd, back, sizeof(back));
		if (size < 0 && errno != EAGAIN)
			return failed("read", done);
		done += size > 0 ? (size_t)size : 0;
	}
	say_poll(fd, "all read");

	/* Now one that waits. */
	fcntl(fd, F_SETFL, 0);
	if (!fork()) {
		sleep(1);
		exit(write(fd, "late", 4) != 4);
	}
	size = read(fd, back, sizeof(back));
	printf("a read that waited: %.*s\n", size > 0 ? (int)size : 0, back);
	return ALL_BACK;
}

static int hold(const char *device, size_t total)
{
	static char buffer[4096];
	int fd = open_device(device);
	char c;

	while (total >= sizeof(buffer) && write(fd, buffer, sizeof(buffer)) > 0)
		total -= sizeof(buffer);
	puts("held");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return ALL_BACK;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc >= 5 && !strcmp(argv[1], "check")) {
		struct job job = { argv[2], strtoul(argv[3], NULL, 0), NULL, argc > 5 };

		return check_all(&job, atoi(argv[4]));
	}
	if (argc == 5 && !strcmp(argv[1], "until")) {
		struct job job = { argv[3], SIZE_MAX, argv[2], 0 };

		return check_all(&job, atoi(argv[4]));
	}
	if (argc == 3 && !strcmp(argv[1], "poll"))
		return poll_steps(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "hold"))
		return hold(argv[2], strtoul(argv[3], NULL, 0));
	return FAILED;
}
