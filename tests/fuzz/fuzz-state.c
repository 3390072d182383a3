// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a guest writes as the state of its end (the first line), and as an error (the rest): the
 * parser, both ways of escape(), and each text of the library that has them in it.
 */
#include <string.h>

#include "../unit/operations.h"
#include "fuzz.h"

/* The values that there are, written down once more. */
static int expected_state(const char *value, size_t len)
{
	size_t i;

	for (i = 0; len > 1 && i < len - 1; i++)
		if (value[i] != '0')
			return XENSPLIT_STATE_INVALID;
	if (!len || value[len - 1] < '0' || value[len - 1] > '8')
		return XENSPLIT_STATE_INVALID;
	return value[len - 1] - '0';
}

static void try_escape(const char *bytes, size_t len, size_t size)
{
	char *buf = malloc(size), *back;
	const char *text = escape(buf, size, bytes, len);

	must_hold(text == buf);
	must_hold(strlen(text) < size);
	must_hold_for(is_printable(text), text);
	back = unescape(text, strlen(text));
	must_hold(!memcmp(back, bytes, strnlen(back, len)));
	if (size > 4 * len + 4)
		must_hold(!back[len] && !memcmp(back, bytes, len));
	free(back);
	free(buf);
}

static void try_texts(const char *bytes, size_t len)
{
	uint64_t number = 77, name = 77;
	char *back = unescape(bytes, len);
	char *text = strndup(bytes, len);

	must_hold(strlen(back) <= len);
	try_escape(bytes, len, 1 + len % 61);
	try_escape(bytes, len, 4 * len + 5);
	if (parse_number(bytes, len, INT32_MAX, &number))
		must_hold(number <= INT32_MAX && len &&
			  strspn(bytes, "0123456789") >= len);
	else
		must_hold(number == 77);
	if (parse_name(text, INT32_MAX, &name))
		must_hold(*text != '0' || !text[1]);
	free(back);
	free(text);
}

static struct xensplit_ctx *begin(void)
{
	XENSPLIT_OPTS(xensplit_opts, opts);
	struct xensplit_ctx *ctx;

	fake_reset();
	opts.logger = &printable_logger;
	must_hold(!xensplit_new(&opts, &ctx));
	must_hold(!attach(ctx));
	return ctx;
}

static void try_list(struct xensplit_ctx *ctx, int state)
{
	const struct xensplit_device *found;
	struct xensplit_list *list;

	must_hold(!xensplit_list_new(ctx, NULL, XENSPLIT_LIST_FOREIGN, &list));
	found = xensplit_list_get(list, 0);
	must_hold(found && found->frontend_state == state);
	must_hold_for(is_printable(xensplit_state_name(state)),
		      xensplit_state_name(state));
	xensplit_list_free(list);
}

static void try_findings(struct xensplit_ctx *ctx)
{
	const struct xensplit_finding *finding;
	struct xensplit_findings *findings;
	size_t i;

	must_hold(!xensplit_diagnose(ctx, NULL, &findings));
	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++) {
		must_hold_for(is_printable(finding->what), finding->what);
		must_hold_for(is_printable(finding->why), finding->why);
	}
	xensplit_findings_free(findings);
}

static void try_wait(struct xensplit_ctx *ctx)
{
	const struct xensplit_error *error;
	int r = xensplit_wait(ctx, &device, XENSPLIT_UNTIL_CONNECTED, 1000);

	/* The backend is not Connected, whatever the guest says. */
	must_hold(r == -ETIMEDOUT || r == -EPROTO);
	error = xensplit_last_error(ctx);
	must_hold_for(is_printable(error->message), error->message);
	must_hold(!error->cause || is_printable(error->cause->what));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { (const char *)data, (const char *)data + size };
	static struct xensplit_ctx *ctx;
	size_t state_len = 0, error_len = 0;
	char *state, *error;
	int parsed;

	if (size > 3000)
		return -1;
	if (!ctx)
		ctx = begin();
	state = input_line(&input, &state_len);
	error = input_rest(&input, &error_len);
	parsed = state ? state_parse(state, state_len) : XENSPLIT_STATE_INVALID;
	must_hold(parsed == expected_state(state, state_len));
	try_texts(error, error_len);
	fake_set(FE "/state", state ? state : "", state_len);
	fake_set("/local/domain/5/error/device/mydevice/0/error", error, error_len);
	/* Slower than the rest. */
	if (!(error_len % 8)) {
		try_list(ctx, parsed);
		try_findings(ctx);
		try_wait(ctx);
	}
	free(state);
	free(error);
	return 0;
}
