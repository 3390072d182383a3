// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Domains: the nodes that libxl and xen-init-dom0 of Xen 4.17 write, and their removal. Without
 * the console, which is a device itself.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xenstore.h>

#include "sandbox.h"

#define STORE_PORT     "1" /* what a PV guest finds in its start info page */
#define COMMIT_RETRIES 100

/* The owner of a node; children inherit it unless they have their own. */
enum owner {
	INHERITED,
	DOM0_ONLY,
	GUEST_READS,
	GUEST_OWNS
};

static const struct {
	const char *path, *value;
	enum owner owner;
} guest_nodes[] = {
	{ "cpu", "", GUEST_READS },
	{ "memory", "", GUEST_READS },
	{ "device", "", GUEST_READS },
	{ "device/suspend/event-channel", "", GUEST_OWNS },
	{ "control", "", GUEST_READS },
	{ "control/shutdown", "", GUEST_OWNS },
	{ "control/feature-poweroff", "", GUEST_OWNS },
	{ "control/feature-reboot", "", GUEST_OWNS },
	{ "control/feature-suspend", "", GUEST_OWNS },
	{ "control/sysrq", "", GUEST_OWNS },
	{ "data", "", GUEST_OWNS },
	{ "drivers", "", GUEST_OWNS },
	{ "feature", "", GUEST_OWNS },
	{ "attr", "", GUEST_OWNS },
	{ "error", "", GUEST_OWNS },
	{ "control/platform-feature-multiprocessor-suspend", "1", INHERITED },
	{ "control/platform-feature-xs_reset_watches", "1", INHERITED },
	{ "memory/static-max", "262144", INHERITED },
	{ "memory/target", "262144", INHERITED },
	{ "memory/videoram", "0", INHERITED },
	{ "store/port", STORE_PORT, INHERITED },
	{ "store/ring-ref", "1", INHERITED },
	{ "cpu/0/availability", "online", INHERITED },
};

/* One transaction that creates a domain's nodes; @err keeps the first failure. */
struct tree {
	struct xs_handle *xs;
	xs_transaction_t tx;
	unsigned int domid;
	int err;
};

static void put(struct tree *t, enum owner owner, const char *value, const char *format,
		...) __attribute__((format(printf, 4, 5)));

static void put(struct tree *t, enum owner owner, const char *value, const char *format,
		...)
{
	struct xs_permissions perms[2] = {
		{ .id = owner == GUEST_OWNS ? t->domid : 0, .perms = XS_PERM_NONE },
		{ .id = t->domid, .perms = XS_PERM_READ },
	};
	char path[128];
	va_list ap;

	if (t->err)
		return;
	va_start(ap, format);
	vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	if (!xs_write(t->xs, t->tx, path, value, strlen(value)) ||
	    (owner != INHERITED && !xs_set_permissions(t->xs, t->tx, path, perms,
						       owner == GUEST_READS ? 2 : 1)))
		t->err = errno;
}

static void put_domain(struct tree *t, const char *name, const char *uuid)
{
	char home[32], vm[64], libxl[32], domid[12];
	size_t i;

	snprintf(domid, sizeof(domid), "%u", t->domid);
	snprintf(home, sizeof(home), "/local/domain/%u", t->domid);
	snprintf(libxl, sizeof(libxl), "/libxl/%u", t->domid);
	snprintf(vm, sizeof(vm), "/vm/%s", uuid);

	/* Remove what a dead domain with that id left. */
	xs_rm(t->xs, t->tx, home);
	xs_rm(t->xs, t->tx, vm);
	xs_rm(t->xs, t->tx, libxl);
	put(t, GUEST_READS, "", "%s", home);
	put(t, GUEST_READS, "", "%s", vm);
	put(t, DOM0_ONLY, "", "%s", libxl);
	put(t, DOM0_ONLY, "", "%s/device", libxl);
	put(t, INHERITED, vm, "%s/vm", home);
	put(t, INHERITED, name, "%s/name", home);
	for (i = 0; i < ARRAY_SIZE(guest_nodes); i++)
		put(t, guest_nodes[i].owner, guest_nodes[i].value, "%s/%s", home,
		    guest_nodes[i].path);
	put(t, INHERITED, domid, "%s/domid", home);
	put(t, INHERITED, uuid, "%s/uuid", vm);
	put(t, INHERITED, name, "%s/name", vm);
	put(t, INHERITED, "pv", "%s/type", libxl);
}

static void put_dom0(struct tree *t)
{
	put(t, INHERITED, "0", "/local/domain/0/domid");
	put(t, INHERITED, "Domain-0", "/local/domain/0/name");
	put(t, INHERITED, "Pool-0", "/local/pool/0/name");
}

/* Guests of other sandbox commands may collide with this, for a short time. */
static int commit(struct tree *t, const char *name, const char *uuid)
{
	int retries = COMMIT_RETRIES;

	do {
		t->err = 0;
		t->tx = xs_transaction_start(t->xs);
		if (!t->tx)
			return -errno;
		if (uuid)
			put_domain(t, name, uuid);
		else
			put_dom0(t);
		if (!xs_transaction_end(t->xs, t->tx, t->err) && !t->err)
			t->err = errno;
	} while (t->err == EAGAIN && retries--);
	return -t->err;
}

int make_dom0(void)
{
	struct tree t = { .xs = xs_open(0) };
	int ret;

	if (!t.xs)
		return -errno;
	ret = commit(&t, NULL, NULL);
	xs_close(t.xs);
	return ret;
}

static void random_uuid(char *uuid, size_t size)
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		err(EXIT_SANDBOX, "getrandom");
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(uuid, size,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
		 b[12], b[13], b[14], b[15]);
}

static int introduce(struct xs_handle *xs, unsigned int domid, const char *name,
		     const char *uuid)
{
	struct tree t = { .xs = xs, .domid = domid };
	int ret;

	ret = commit(&t, name, uuid);
	if (ret < 0)
		return ret;
	if (!xs_introduce_domain(xs, domid, 1, atoi(STORE_PORT)))
		return -errno;
	return control("serve %u", domid);
}

/* The default name is guestDOMID, the default UUID a new one. */
int make_domain(unsigned int domid, const char *name, const char *uuid)
{
	char own_name[16], own_uuid[37];
	struct xs_handle *xs;
	int ret;

	snprintf(own_name, sizeof(own_name), "guest%u", domid);
	random_uuid(own_uuid, sizeof(own_uuid));
	ret = control("new %u", domid);
	if (ret < 0)
		return ret;
	xs = xs_open(0);
	ret = xs ? introduce(xs, domid, name ?: own_name, uuid ?: own_uuid) : -errno;
	xs_close(xs);
	if (ret < 0)
		control("die %u", domid);
	return ret;
}

static bool valid_uuid(const char *uuid)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i;

	for (i = 0; form[i]; i++)
		if (form[i] == '-' ? uuid[i] != '-' : !isxdigit((unsigned char)uuid[i]))
			return false;
	return !uuid[i];
}

int verb_create(int argc, char **argv)
{
	static const struct option options[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "uuid", required_argument, NULL, 'u' },
		{ 0 },
	};
	const char *name = NULL, *uuid = NULL;
	unsigned int domid;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'n')
			name = optarg;
		else if (opt == 'u')
			uuid = optarg;
		else
			return EXIT_USAGE;
	}
	if (argc - optind != 1 || parse_domid(argv[optind], &domid) < 0)
		return usage_error("create needs one DOMID");
	if (uuid && !valid_uuid(uuid))
		return usage_error("'%s' is no UUID", uuid);
	if (use_domain_socket(0) < 0)
		return EXIT_SANDBOX;
	ret = make_domain(domid, name, uuid);
	if (ret == 0)
		return 0;
	warnx("domain %u: %s", domid, strerror(-ret));
	return EXIT_FAILURE;
}

/* What libxl removes before it destroys a domain. */
static void remove_tree(struct xs_handle *xs, unsigned int domid)
{
	char path[64];
	char *vm;

	snprintf(path, sizeof(path), "/local/domain/%u/vm", domid);
	vm = xs_read(xs, XBT_NULL, path, NULL);
	if (vm)
		xs_rm(xs, XBT_NULL, vm);
	free(vm);
	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	xs_rm(xs, XBT_NULL, path);
	snprintf(path, sizeof(path), "/libxl/%u", domid);
	xs_rm(xs, XBT_NULL, path);
}

static int kill_domain(unsigned int domid, bool crash)
{
	struct xs_handle *xs;

	xs = xs_open(0);
	if (!xs)
		return -errno;
	if (!crash && xs_is_domain_introduced(xs, domid))
		remove_tree(xs, domid);
	xs_close(xs);
	return control("die %u", domid);
}

int verb_kill(int argc, char **argv)
{
	bool crash = argc == 3 && !strcmp(argv[2], "--crash");
	unsigned int domid;
	int ret;

	if (argc != 2 + crash || parse_domid(argv[1], &domid) < 0)
		return usage_error("kill needs one DOMID, and perhaps --crash");
	if (use_domain_socket(0) < 0)
		return EXIT_SANDBOX;
	ret = kill_domain(domid, crash);
	if (ret == 0)
		return 0;
	warnx("domain %u: %s", domid, strerror(-ret));
	return EXIT_FAILURE;
}
