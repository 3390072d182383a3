/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of xensplit-sandbox. */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

/* Exit statuses, after env(1) and timeout(1) */
#define EXIT_USAGE	2
#define EXIT_SANDBOX	125 /* the sandbox itself failed */
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND	127

#define MAX_DOMID	32751 /* one below DOMID_FIRST_RESERVED */

/* main.c */
int parse_domid(const char *text, unsigned int *ret_domid);
int parse_number(const char *text, unsigned long max, unsigned long *ret_number);
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One function per verb; each returns the exit status. argv[0] is the verb. */
int verb_run(int argc, char **argv);
int verb_create(int argc, char **argv);
int verb_kill(int argc, char **argv);
int verb_as(int argc, char **argv);
int verb_drive(int argc, char **argv);
int verb_proxy(int argc, char **argv);
int verb_stop_daemon(int argc, char **argv);
int verb_mute(int argc, char **argv);

/* process.c */
pid_t start_process(char **argv, char **env, int out_fd, int err_fd);
void kill_descendants(void);
int exit_status(int status);
int run_in_place(char **argv);

/* control.c: the shim's control socket and the store's sockets */
int control_open(void);
int control(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *sandbox_dir(void);
int use_domain_socket(unsigned int domid);
int connect_unix(const char *path, int type);

/* domain.c */
int make_dom0(void);
int make_domain(unsigned int domid, const char *name, const char *uuid);

#endif
