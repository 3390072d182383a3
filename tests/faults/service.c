// SPDX-License-Identifier: GPL-2.0-or-later
/* A verb that stays until a signal ends it, and says in a file what it has done: see verbs.h. */
#include <signal.h>
#include <sys/wait.h>

#include "verbs.h"

/* It reads all of the store again each 80 seconds: by then, no answer can mislead it. */
#define DONE_MS 120000
#define END_MS	30000

static const char *status_text(void)
{
	static char text[4096];
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/serve.json", getenv("XENSPLIT_SANDBOX"));
	file = fopen(path, "r");
	text[0] = '\0';
	if (!file)
		return text;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

/* With a store that does not answer, nothing can be done. */
static bool is_done(void)
{
	const char *text = status_text();

	if (strstr(text, "\"xenstored\":true,\"ok\":true") &&
	    strstr(text, "\"devices\":[{"))
		return true;
	tool_listen();
	return strstr(tool_said(), "xenstored does not answer\n") != NULL;
}

static bool has_ended(pid_t pid, int *ret_status)
{
	int status;
	pid_t ended = waitpid(pid, &status, WNOHANG);

	assert_true(ended >= 0);
	if (!ended)
		return false;
	tool_listen();
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

int service_await_end(pid_t pid)
{
	uint64_t end = now_ms() + END_MS;
	int status;

	while (!has_ended(pid, &status)) {
		if (now_ms() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return -1;
		}
		sleep_ms(2);
	}
	return status;
}

/* The process itself, not the proxy. */
static void terminate(void)
{
	const char *text = strstr(status_text(), "\"pid\":");
	int pid;

	assert_non_null(text);
	assert_int_equal(sscanf(text, "\"pid\":%d", &pid), 1);
	kill(pid, SIGTERM);
}

int service_finish(pid_t pid)
{
	uint64_t end = now_ms() + DONE_MS;
	int status;

	while (!is_done()) {
		if (has_ended(pid, &status))
			return status;
		if (now_ms() > end) {
			kill(pid, SIGTERM);
			service_await_end(pid);
			return -1;
		}
		sleep_ms(2);
	}
	terminate();
	return service_await_end(pid);
}

int service(const char *options, const char *arguments)
{
	char command[1024];

	snprintf(command, sizeof(command),
		 "exec \"$SANDBOX\" proxy %s -- \"$XENSPLIT\" %s >/dev/null 2>\"%s\"",
		 options, arguments, tool_said_path());
	return service_finish(shell(command));
}
