// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why the last call on a context failed. */
#include "internal.h"

static const struct {
	int err;
	const char *code;
} codes[] = {
	{ -EINVAL, "invalid-argument" },
	{ -ESRCH, "no-such-domain" },
	{ -ENOENT, "no-such-device" },
	{ -EEXIST, "already-attached" },
	{ -ESTALE, "stale" },
	{ -EBUSY, "busy" },
	{ -EAGAIN, "collided" },
	{ -EACCES, "no-permission" },
	{ -EPERM, "not-repairable" },
	{ -ETIMEDOUT, "timed-out" },
	{ -EPROTO, "driver-gave-up" },
	{ -ECANCELED, "cancelled" },
	{ -ECHILD, "forked" },
	{ -ENOTCONN, "no-connection" },
	{ -EBADMSG, "record-damaged" },
	{ -ENOMEM, "out-of-memory" },
	{ -ENOSPC, "quota" },
};

static const char *code_of(int err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].err == err)
			return codes[i].code;
	return "xenstore-error";
}

static void link_texts(struct failure *failure)
{
	struct xensplit_finding *cause = &failure->cause;

	failure->error.message = failure->text;
	failure->error.cause = cause->code ? cause : NULL;
	cause->what = failure->cause_what;
	cause->node = NULL;
	cause->id.type = failure->cause_type;
	cause->backend_type = failure->cause_backend_type;
}

void failure_copy(struct failure *to, const struct failure *from)
{
	*to = *from;
	link_texts(to);
}

/* A copy of an error, and its texts. */
struct packed {
	struct xensplit_error error;
	struct xensplit_finding cause;
	char texts[];
};

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static const char *pack(char **end, const char *text)
{
	char *copy = *end;

	if (!text)
		return NULL;
	*end = stpcpy(copy, text) + 1;
	return copy;
}

struct xensplit_error *error_copy(const struct xensplit_error *from)
{
	static const struct xensplit_finding none;
	const struct xensplit_finding *cause = from->cause ? from->cause : &none;
	struct packed *copy;
	char *end;

	copy = malloc(sizeof(*copy) + text_size(from->message) + text_size(cause->what) +
		      text_size(cause->id.type) + text_size(cause->backend_type));
	if (!copy)
		return NULL;
	end = copy->texts;
	copy->error = *from;
	copy->error.message = pack(&end, from->message);
	copy->error.cause = from->cause ? &copy->cause : NULL;
	copy->cause = *cause;
	copy->cause.what = pack(&end, cause->what);
	copy->cause.id.type = pack(&end, cause->id.type);
	copy->cause.backend_type = pack(&end, cause->backend_type);
	return &copy->error;
}

void failure_set_states(struct xensplit_ctx *ctx, int frontend, int backend)
{
	ctx->failure.error.has_states = 1;
	ctx->failure.error.frontend_state = frontend;
	ctx->failure.error.backend_state = backend;
}

void failure_set_cause(struct xensplit_ctx *ctx, const struct xensplit_finding *cause)
{
	struct failure *failure = &ctx->failure;

	failure->cause = *cause;
	snprintf(failure->cause_what, sizeof(failure->cause_what), "%s", cause->what);
	snprintf(failure->cause_type, sizeof(failure->cause_type), "%s",
		 cause->id.type ? cause->id.type : "");
	snprintf(failure->cause_backend_type, sizeof(failure->cause_backend_type), "%s",
		 cause->backend_type ? cause->backend_type : "");
	link_texts(failure);
}

void ctx_begin(struct xensplit_ctx *ctx)
{
	ctx->failure.error.err = 0;
	ctx->failure.text[0] = '\0';
}

int ctx_end(struct xensplit_ctx *ctx, int r)
{
	if (r >= 0)
		ctx_begin(ctx);
	return r;
}

/* Keeps errno, which may be what the caller returns next. */
void failure_set(struct xensplit_ctx *ctx, int err, const char *code, const char *fmt,
		 ...)
{
	struct failure *failure = &ctx->failure;
	char text[sizeof(failure->text)];
	int saved = errno;
	va_list args;

	/* The old text may be among the arguments. */
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	memset(&failure->error, 0, sizeof(failure->error));
	memset(&failure->cause, 0, sizeof(failure->cause));
	memcpy(failure->text, text, sizeof(text));
	failure->error.err = err;
	failure->error.code = code ? code : code_of(err);
	link_texts(failure);
	errno = saved;
}

XENSPLIT_API const char *xensplit_errmsg(struct xensplit_ctx *ctx)
{
	return ctx ? ctx->failure.text : "";
}

XENSPLIT_API const struct xensplit_error *xensplit_last_error(struct xensplit_ctx *ctx)
{
	return ctx && ctx->failure.error.err ? &ctx->failure.error : NULL;
}
