/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs xl, for what it does best: creating domains. */
#ifndef XENSPLIT_XL_H
#define XENSPLIT_XL_H

/*
 * xl_catch_signals - from now on, SIGINT, SIGTERM and SIGHUP are passed on to xl
 *
 * Without xl, they do nothing, so that the caller reaches the next xl_caught().
 */
void xl_catch_signals(void);

/* The signal that came, or 0. */
int xl_caught(void);

/* Ends the process by that signal, so that its sender can see it. */
void xl_die(void);

/* Signals end the process again. */
void xl_release_signals(void);

/*
 * xl_run - run xl, found in PATH, with its output on stderr
 * @argv: begins with "xl", ends with NULL
 *
 * Returns: NULL if it succeeded; else how it ended, "exited with status 1", valid until the next
 * call.
 */
const char *xl_run(char *const *argv);

#endif
