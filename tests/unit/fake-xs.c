// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An xenstored in memory that replaces libxenstore: see unit.h. It does not enforce permissions
 * and has one client; as in xenstored, a failed request does not poison its transaction.
 */
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#define NODES_MAX  5120
#define PATH_ROOM  512
#define PERMS_ROOM (NODE_PERMS_MAX + 4)

struct node {
	char path[PATH_ROOM];
	size_t path_len;
	struct xs_permissions perms[PERMS_ROOM];
	unsigned int perms_count;
	size_t len;
	char value[4096]; /* last: only what is used is copied */
};

struct tree {
	struct node nodes[NODES_MAX];
	size_t count;
};

struct watch {
	char path[PATH_ROOM];
	char token[64];
};

struct watch_list {
	struct watch *list;
	size_t count, room;
};

/* Only the monitor's connection has watches; all requests go to a single tree. */
struct xs_handle {
	int fd;
	struct watch_list watches, fired;
};

struct fake fake;
static struct tree live, staged;
static bool in_transaction, transaction_failed;
static struct watch_list changed; /* by the open transaction: "+PATH" or "-PATH" */
static struct xs_handle *handles[6];

static struct watch *more(struct watch_list *watches)
{
	if (watches->count == watches->room) {
		watches->room = watches->room ? 2 * watches->room : 16;
		watches->list =
			realloc(watches->list, watches->room * sizeof(*watches->list));
		assert_non_null(watches->list);
	}
	return &watches->list[watches->count++];
}

/* --- the tree --- */

static struct tree *tree_of(xs_transaction_t t)
{
	assert_true(t == XBT_NULL || (in_transaction && t == 1));
	return t ? &staged : &live;
}

static void copy_node(struct node *to, const struct node *from)
{
	memmove(to, from, offsetof(struct node, value) + from->len);
}

static void copy_tree(struct tree *to, const struct tree *from)
{
	for (to->count = 0; to->count < from->count; to->count++)
		copy_node(&to->nodes[to->count], &from->nodes[to->count]);
}

static struct node *find(struct tree *tree, const char *path)
{
	size_t i, len = strlen(path);

	for (i = 0; i < tree->count; i++)
		if (tree->nodes[i].path_len == len &&
		    !memcmp(tree->nodes[i].path, path, len))
			return &tree->nodes[i];
	return NULL;
}

static void parent_of(char *parent, const char *path)
{
	char *slash;

	strcpy(parent, path);
	slash = strrchr(parent, '/');
	slash[slash == parent] = '\0';
}

/* Also creates missing parents, with the permissions of the parent. */
static struct node *make(struct tree *tree, const char *path)
{
	struct node *node = find(tree, path), *above;
	char parent[PATH_ROOM];

	if (node)
		return node;
	assert_true(strlen(path) < PATH_ROOM);
	parent_of(parent, path);
	above = make(tree, parent);
	assert_true(tree->count < NODES_MAX);
	node = &tree->nodes[tree->count++];
	memcpy(node->perms, above->perms, sizeof(node->perms));
	node->perms_count = above->perms_count;
	node->path_len = strlen(strcpy(node->path, path));
	node->len = 0;
	return node;
}

static bool is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return !strncmp(path, top, len) && (path[len] == '/' || !path[len]);
}

static void remove_below(struct tree *tree, const char *top)
{
	size_t i, kept = 0;

	for (i = 0; i < tree->count; i++)
		if (!is_below(tree->nodes[i].path, top))
			copy_node(&tree->nodes[kept++], &tree->nodes[i]);
	tree->count = kept;
}

/* In the fake, a domain lives as long as its directory, unless a test says otherwise. */
static bool is_alive(unsigned int domid)
{
	char home[64];

	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	return find(&live, home) && (!domid || domid != fake.dead_domid);
}

/* --- watches --- */

static void fire(struct xs_handle *h, const struct watch *watch, const char *path)
{
	struct watch *fired = more(&h->fired);
	uint64_t one = 1;

	snprintf(fired->path, sizeof(fired->path), "%s", path);
	strcpy(fired->token, watch->token);
	assert_int_equal(write(h->fd, &one, sizeof(one)), sizeof(one));
}

static void tell(const char *path, bool removed)
{
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(handles); i++)
		for (j = 0; handles[i] && j < handles[i]->watches.count; j++) {
			const struct watch *watch = &handles[i]->watches.list[j];

			if (is_below(path, watch->path))
				fire(handles[i], watch, path);
			else if (removed && is_below(watch->path, path))
				fire(handles[i], watch, watch->path);
		}
}

static void changes(xs_transaction_t t, const char *path, bool removed)
{
	if (!t) {
		tell(path, removed);
		return;
	}
	snprintf(more(&changed)->path, PATH_ROOM, "%c%s", removed ? '-' : '+', path);
}

/* --- failures --- */

static bool is_to_fail(const char *call, const char *path)
{
	char begins[PATH_ROOM + 32];

	if (fake.fail_call) {
		snprintf(begins, sizeof(begins), "%s %s", call, path);
		return !strncmp(begins, fake.fail_call, strlen(fake.fail_call));
	}
	return fake.fail_at && fake.requests >= fake.fail_at &&
	       (fake.requests == fake.fail_at || fake.fail_from_there_on);
}

static bool fails(xs_transaction_t t, const char *call, const char *path)
{
	fake.requests++;
	if (fake.requests_most && fake.requests > fake.requests_most)
		fake.idle();
	if (fake.before)
		fake.before(call, path);
	if (!is_to_fail(call, path))
		return false;
	if (!fake.failed) {
		fake.failed_inside = in_transaction || !strcmp(call, "commit");
		fake.failed_beside = !t;
		snprintf(fake.failed_call, sizeof(fake.failed_call), "%s %s", call, path);
	}
	fake.failed = true;
	if (t)
		transaction_failed = true;
	errno = fake.fail_errno;
	return true;
}

/* --- libxenstore --- */

struct xs_handle *xs_open(unsigned long flags)
{
	struct xs_handle *h;
	size_t i;

	assert_int_equal(flags, 0);
	if (fails(XBT_NULL, "open", ""))
		return NULL;
	h = calloc(1, sizeof(*h));
	h->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	for (i = 0; handles[i]; i++)
		assert_true(i + 1 < ARRAY_SIZE(handles));
	return handles[i] = h;
}

void xs_close(struct xs_handle *h)
{
	size_t i;

	for (i = 0; h && i < ARRAY_SIZE(handles); i++)
		if (handles[i] == h)
			handles[i] = NULL;
	if (!h)
		return;
	close(h->fd);
	free(h->watches.list);
	free(h->fired.list);
	free(h);
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
	      unsigned int *len)
{
	char full[PATH_ROOM];
	struct node *node;
	char *value;

	assert_non_null(h);
	if (fails(t, "read", path))
		return NULL;
	/* The client is in dom0. */
	snprintf(full, sizeof(full), "%s%s", *path == '/' ? "" : "/local/domain/0/",
		 path);
	node = find(tree_of(t), full);
	if (!node) {
		errno = ENOENT;
		return NULL;
	}
	value = calloc(1, node->len + 1);
	memcpy(value, node->value, node->len);
	if (len)
		*len = (unsigned int)node->len;
	return value;
}

static bool is_child(const struct node *node, const char *path, size_t len)
{
	return node->path_len > len + 1 && is_below(node->path, path) &&
	       !strchr(node->path + len + 1, '/');
}

/* One block for the caller to free: the pointers, then the names. */
char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
		    unsigned int *num)
{
	struct tree *tree = tree_of(t);
	size_t i, len = strlen(path), count = 0, size = 0;
	char **names, *text;

	assert_non_null(h);
	if (fails(t, "list", path))
		return NULL;
	if (!find(tree, path)) {
		errno = ENOENT;
		return NULL;
	}
	for (i = 0; i < tree->count; i++)
		if (is_child(&tree->nodes[i], path, len)) {
			count++;
			size += tree->nodes[i].path_len - len;
		}
	/* Never of size 0, which may be NULL. */
	names = malloc(count * sizeof(*names) + size + 1);
	text = (char *)(names + count);
	*num = 0;
	for (i = 0; i < tree->count; i++)
		if (is_child(&tree->nodes[i], path, len)) {
			names[(*num)++] = strcpy(text, tree->nodes[i].path + len + 1);
			text += strlen(text) + 1;
		}
	return names;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
	      unsigned int len)
{
	struct node *node;

	assert_non_null(h);
	if (fails(t, "write", path))
		return false;
	node = make(tree_of(t), path);
	assert_true(len <= sizeof(node->value));
	memcpy(node->value, data, len);
	node->len = len;
	changes(t, path, false);
	return true;
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	assert_non_null(h);
	if (fails(t, "mkdir", path))
		return false;
	make(tree_of(t), path);
	changes(t, path, false);
	return true;
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	char parent[PATH_ROOM];

	assert_non_null(h);
	if (fails(t, "rm", path))
		return false;
	parent_of(parent, path);
	if (!find(tree_of(t), parent)) {
		errno = ENOENT;
		return false;
	}
	remove_below(tree_of(t), path);
	changes(t, path, true);
	return true;
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
			struct xs_permissions *perms, unsigned int num_perms)
{
	struct node *node;

	assert_non_null(h);
	if (fails(t, "set-permissions", path))
		return false;
	node = find(tree_of(t), path);
	if (!node || !is_alive(perms[0].id)) {
		errno = ENOENT;
		return false;
	}
	assert_true(num_perms <= PERMS_ROOM);
	memcpy(node->perms, perms, num_perms * sizeof(*perms));
	node->perms_count = num_perms;
	return true;
}

struct xs_permissions *xs_get_permissions(struct xs_handle *h, xs_transaction_t t,
					  const char *path, unsigned int *num)
{
	struct xs_permissions *perms;
	struct node *node;

	assert_non_null(h);
	if (fails(t, "get-permissions", path))
		return NULL;
	node = find(tree_of(t), path);
	if (!node) {
		errno = ENOENT;
		return NULL;
	}
	perms = calloc(PERMS_ROOM, sizeof(*perms));
	memcpy(perms, node->perms, sizeof(node->perms));
	*num = node->perms_count;
	return perms;
}

bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domid)
{
	char home[64];

	assert_non_null(h);
	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	if (fails(XBT_NULL, "is-introduced", home))
		return false;
	errno = 0;
	return is_alive(domid);
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	assert_non_null(h);
	if (fails(XBT_NULL, "transaction-start", ""))
		return XBT_NULL;
	assert_false(in_transaction);
	in_transaction = true;
	transaction_failed = false;
	changed.count = 0;
	copy_tree(&staged, &live);
	fake.open_transactions++;
	fake.tries++;
	return 1;
}

/* A driver that answers a request to close, which is a write to its half, at once. */
static void answer_close(const char *path)
{
	char state[PATH_ROOM + 8];
	struct node *node;

	parent_of(state, path);
	strcat(state, "/state");
	node = find(&live, state);
	if (node && node->len == 1 && *node->value == '5' && strstr(state, "/backend/")) {
		*node->value = '6';
		tell(node->path, false);
	}
}

static bool removes_half(void)
{
	size_t i;

	for (i = 0; i < changed.count; i++)
		if (!strncmp(changed.list[i].path, "-/local/", 8))
			return true;
	return false;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
	size_t i;

	assert_non_null(h);
	assert_true(in_transaction && t == 1);
	in_transaction = false;
	fake.open_transactions--;
	if (fails(XBT_NULL, abort ? "abort" : "commit", ""))
		return false;
	if (abort)
		return true;
	if (transaction_failed)
		fake.committed_failure = true;
	if (fake.conflicts || (fake.flood && removes_half()) ||
	    (fake.conflict_at && fake.tries == fake.conflict_at)) {
		fake.conflicts -= !!fake.conflicts;
		errno = EAGAIN;
		return false;
	}
	fake.commits++;
	copy_tree(&live, &staged);
	for (i = 0; i < changed.count; i++)
		tell(changed.list[i].path + 1, changed.list[i].path[0] == '-');
	for (i = 0; fake.backend_closes && i < changed.count; i++)
		answer_close(changed.list[i].path + 1);
	return true;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	struct watch *watch;
	size_t i;

	if (fails(XBT_NULL, "watch", path))
		return false;
	for (i = 0; i < h->watches.count; i++)
		if (!strcmp(h->watches.list[i].path, path) &&
		    !strcmp(h->watches.list[i].token, token)) {
			errno = EEXIST;
			return false;
		}
	watch = more(&h->watches);
	snprintf(watch->path, sizeof(watch->path), "%s", path);
	snprintf(watch->token, sizeof(watch->token), "%s", token);
	fire(h, watch, path);
	return true;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	size_t i;

	if (fails(XBT_NULL, "unwatch", path))
		return false;
	for (i = 0; i < h->watches.count; i++) {
		struct watch *watch = &h->watches.list[i];

		if (strcmp(watch->path, path) != 0 || strcmp(watch->token, token) != 0)
			continue;
		*watch = h->watches.list[--h->watches.count];
		return true;
	}
	errno = ENOENT;
	return false;
}

int xs_fileno(struct xs_handle *h)
{
	return h->fd;
}

/* Not a request: reads what has arrived already. */
char **xs_check_watch(struct xs_handle *h)
{
	struct watch *first = h->fired.list;
	uint64_t count;
	char **watch, *text;

	if (!h->fired.count) {
		if (read(h->fd, &count, sizeof(count)) < 0)
			errno = EAGAIN;
		errno = EAGAIN;
		return NULL;
	}
	watch = calloc(1, 2 * sizeof(*watch) + sizeof(*first));
	text = (char *)(watch + 2);
	watch[XS_WATCH_PATH] = strcpy(text, first->path);
	watch[XS_WATCH_TOKEN] = strcpy(text + sizeof(first->path), first->token);
	memmove(first, first + 1, --h->fired.count * sizeof(*first));
	return watch;
}

/* --- time --- */

static int64_t skipped_us;
static int64_t clock_us; /* at the last look at it */

/* The clock of the library, plus the time of skipped pauses. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	int64_t us;

	if (syscall(SYS_clock_gettime, clock, now))
		return -1;
	if (clock != CLOCK_MONOTONIC)
		return 0;
	us = (int64_t)now->tv_sec * 1000000 + now->tv_nsec / 1000 + skipped_us;
	clock_us = us;
	now->tv_sec = us / 1000000;
	now->tv_nsec = us % 1000000 * 1000;
	return 0;
}

/*
 * The library's pauses, to an absolute time, are recorded and skipped.  Counted
 * from what it last knew, so that a slow machine does not make them shorter.
 */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
		    struct timespec *left)
{
	int64_t us = (int64_t)until->tv_sec * 1000000 + until->tv_nsec / 1000 - clock_us;

	(void)left;
	assert_int_equal(clock, CLOCK_MONOTONIC);
	assert_int_equal(flags, TIMER_ABSTIME);
	us = us > 0 ? us : 0;
	skipped_us += us;
	if (fake.pauses < ARRAY_SIZE(fake.pause_us))
		fake.pause_us[fake.pauses] = (uint64_t)us;
	fake.pauses++;
	return 0;
}

/* Only the caller makes changes, so if there is no event now there will be none. */
int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	static const struct timespec at_once;
	long ready = syscall(SYS_ppoll, fds, count, &at_once, NULL, 0);

	if (!ready && timeout_ms > 0)
		skipped_us += (int64_t)timeout_ms * 1000;
	if (!ready && timeout_ms < 0 && fake.idle)
		fake.idle();
	if (fake.requests_most && ++fake.requests > fake.requests_most)
		fake.idle();
	return (int)ready;
}

/* --- for the tests --- */

void fake_calm(void)
{
	memset(&fake, 0, sizeof(fake));
}

void fake_set(const char *path, const char *value, size_t len)
{
	struct node *node = make(&live, path);

	memcpy(node->value, value, len);
	node->len = len;
	tell(path, false);
}

void set(const char *path, const char *text)
{
	fake_set(path, text, strlen(text));
}

void fake_bury(unsigned int domid)
{
	char path[PATH_ROOM];
	size_t i = 0;

	fake.dead_domid = domid;
	while (i < live.count) {
		if (live.nodes[i].perms[0].id == domid) {
			strcpy(path, live.nodes[i].path);
			remove_below(&live, path);
			i = 0;
		} else {
			i++;
		}
	}
}

void fake_set_perms(const char *path, const struct xs_permissions *perms,
		    unsigned int count)
{
	struct node *node = find(&live, path);

	assert_true(count <= PERMS_ROOM);
	memcpy(node->perms, perms, count * sizeof(*perms));
	node->perms_count = count;
}

const char *fake_value(const char *path, size_t *ret_len)
{
	struct node *node = find(&live, path);

	if (node && ret_len)
		*ret_len = node->len;
	if (node)
		node->value[node->len] = '\0';
	return node ? node->value : NULL;
}

void fake_reset(void)
{
	size_t i;

	/* Frees what a failed test left open. */
	for (i = 0; i < ARRAY_SIZE(handles); i++)
		xs_close(handles[i]);
	fake_calm();
	in_transaction = false;
	memset(&live.nodes[0], 0, sizeof(live.nodes[0]));
	strcpy(live.nodes[0].path, "/");
	live.nodes[0].path_len = 1;
	live.nodes[0].perms_count = 1;
	live.count = 1;
	fake_set("/local/domain/0/name", "Domain-0", 8);
	fake_set("/local/domain/5/name", "g5", 2);
	fake_set("/local/domain/5/vm", "/vm/00000000-0000-4000-8000-000000000005", 40);
	fake_set("/local/domain/6/name", "g6", 2);
}

void fake_announce(const char *what)
{
	tell(what, false);
}

unsigned int fake_watches(void)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(handles); i++)
		count += handles[i] ? (unsigned int)handles[i]->watches.count : 0;
	return count;
}

/* As escape() has it; a fuzz target has no internals of the library. */
static void print_value(FILE *out, const struct node *node)
{
	size_t i;

	for (i = 0; i < node->len; i++) {
		unsigned char c = (unsigned char)node->value[i];

		if (c < ' ' || c > '~')
			fprintf(out, "\\x%02x", c);
		else
			fprintf(out, c == '\\' ? "\\\\" : "%c", c);
	}
}

char *fake_dump(void)
{
	char *text = NULL;
	size_t size, i;
	unsigned int j;
	FILE *out = open_memstream(&text, &size);

	for (i = 0; i < live.count; i++) {
		const struct node *node = &live.nodes[i];

		fprintf(out, "%s = \"", node->path);
		print_value(out, node);
		fputc('"', out);
		for (j = 0; j < node->perms_count; j++)
			fprintf(out, " %u:%u", node->perms[j].id,
				(unsigned int)node->perms[j].perms);
		fputc('\n', out);
	}
	fclose(out);
	return text;
}

static void say_nothing(struct xentoollog_logger *logger, xentoollog_level level,
			int errnoval, const char *context, const char *format,
			va_list args)
{
	(void)logger;
	(void)level;
	(void)errnoval;
	(void)context;
	(void)format;
	(void)args;
}

static void end_nothing(struct xentoollog_logger *logger)
{
	(void)logger;
}

struct xensplit_ctx *unit_ctx(void)
{
	static struct xentoollog_logger quiet = { .vmessage = say_nothing,
						  .destroy = end_nothing };
	XENSPLIT_OPTS(xensplit_opts, opts);
	struct xensplit_ctx *ctx;

	opts.logger = &quiet;
	assert_int_equal(xensplit_new(&opts, &ctx), 0);
	return ctx;
}

void unit_ctx_free(struct xensplit_ctx *ctx)
{
	size_t i;

	xensplit_free(ctx);
	for (i = 0; i < ARRAY_SIZE(handles); i++)
		assert_null(handles[i]);
}
