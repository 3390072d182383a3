/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the fuzz targets: see README.md. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xentoollog.h>

/* Defined by each target. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a target checks: unlike assert(), also in a build with NDEBUG. */
#define must_hold(what)                                \
	do {                                           \
		if (!(what))                           \
			must_hold_failed(#what, NULL); \
	} while (0)
#define must_hold_for(what, text)                        \
	do {                                             \
		if (!(what))                             \
			must_hold_failed(#what, (text)); \
	} while (0)
void must_hold_failed(const char *what, const char *text) __attribute__((noreturn));

/* The messages of the tool, and of getopt(), go to nowhere; those of libFuzzer do not. */
void fuzz_quiet(void);

/* Only what escaping leaves: printable ASCII. */
bool is_printable(const char *text);
/* Fails at a message of the library that is not printable. */
extern struct xentoollog_logger printable_logger;

/* The parts of an input, one line each. */
struct input {
	const char *at, *end;
};

/* The next line as a string to free, without its newline; NULL at the end. */
char *input_line(struct input *input, size_t *ret_len);
/* All that is left; also to be freed. */
char *input_rest(struct input *input, size_t *ret_len);

/* One quoted word as a shell reads it, to be freed; NULL if it is not one word. */
char *shell_unquote(const char *word);

#endif
