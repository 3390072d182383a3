// SPDX-License-Identifier: GPL-2.0-or-later
/* What a list says of each device: of those with a record, and of those of other tools. */
#include "operations.h"

#include "list.h"

static struct xensplit_ctx *ctx;
static struct xs_handle *other;
static struct xensplit_list *list;

static int begin(void **state)
{
	(void)state;
	fake_reset();
	ctx = unit_ctx();
	other = xs_open(0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	list = xensplit_list_free(list);
	xs_close(other);
	unit_ctx_free(ctx);
	return 0;
}

static void attach_more(uint32_t domid, const char *type, uint32_t devid,
			uint32_t backend_domid)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	opts.domid = domid;
	opts.type = type;
	opts.devid = devid;
	opts.backend_domid = backend_domid;
	opts.flags = XENSPLIT_ATTACH_RESERVED;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

static void list_of(const struct xensplit_filter *filter, uint32_t flags)
{
	list = xensplit_list_free(list);
	assert_int_equal(xensplit_list_new(ctx, filter, flags, &list), 0);
}

/* "5/mydevice/0 6/other/1": all of them */
static const char *ids(const struct xensplit_filter *filter, uint32_t flags)
{
	static char text[1024];
	const struct xensplit_device *device;
	size_t i, used = 0;

	list_of(filter, flags);
	*text = '\0';
	for (i = 0; (device = xensplit_list_get(list, i)); i++)
		used += (size_t)sprintf(text + used, "%s%u/%s/%u", i ? " " : "",
					device->id.domid, device->id.type,
					device->id.devid);
	return text;
}

static const struct xensplit_device *only(uint32_t flags)
{
	list_of(NULL, flags);
	assert_null(xensplit_list_get(list, 1));
	assert_non_null(xensplit_list_get(list, 0));
	return xensplit_list_get(list, 0);
}

/* --- devices with a record --- */

static void sorted_by_domain_type_and_id(void **state)
{
	(void)state;
	attach_more(6, "b", 1, 0);
	attach_more(6, "a", 2, 0);
	attach_more(5, "b", 10, 0);
	attach_more(5, "b", 9, 0);
	attach_more(5, "a", 3, 0);
	attach_more(0, "c", 0, 6);
	assert_string_equal(ids(NULL, 0), "0/c/0 5/a/3 5/b/9 5/b/10 6/a/2 6/b/1");
	assert_string_equal(xensplit_list_get(list, 0)->domain, "Domain-0");
	assert_string_equal(xensplit_list_get(list, 1)->domain, "g5");
	assert_string_equal(xensplit_list_get(list, 4)->domain, "g6");
	assert_string_equal(xensplit_list_get(list, 5)->domain, "g6");
}

static void only_what_the_filter_has(void **state)
{
	XENSPLIT_FILTER(filter);

	(void)state;
	attach_more(6, "b", 1, 0);
	attach_more(5, "b", 2, 6);
	attach_more(5, "bb", 2, 0);
	filter.domid = 5;
	assert_string_equal(ids(&filter, 0), "5/b/2 5/bb/2");
	filter.type = "b";
	assert_string_equal(ids(&filter, 0), "5/b/2");
	filter.domid = XENSPLIT_ANY;
	assert_string_equal(ids(&filter, XENSPLIT_LIST_FOREIGN), "5/b/2 6/b/1");
	filter.backend_domid = 6;
	assert_string_equal(ids(&filter, XENSPLIT_LIST_FOREIGN), "5/b/2");
	filter.backend_domid = 0;
	assert_string_equal(ids(&filter, 0), "6/b/1");
	filter.domid = 5;
	filter.devid = 2;
	assert_string_equal(ids(&filter, XENSPLIT_LIST_FOREIGN), "");
	filter.type = "none";
	assert_string_equal(ids(&filter, 0), "");
	assert_string_equal(ids(&filter, XENSPLIT_LIST_FOREIGN), "");
}

static void other_types_cost_nothing(void **state)
{
	unsigned int requests, devid;
	XENSPLIT_FILTER(filter);

	(void)state;
	filter.type = "b";
	attach_more(5, "b", 0, 0);
	attach_more(5, "c", 0, 0);
	fake_calm();
	list_of(&filter, 0);
	requests = fake.requests;
	for (devid = 1; devid < 10; devid++)
		attach_more(5, "c", devid, 0);
	attach_more(5, "d", 0, 0);
	fake_calm();
	list_of(&filter, 0);
	assert_int_equal(fake.requests, requests);
}

static void what_is_known_of_a_device(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	const struct xensplit_device *d;
	char record[2048];

	(void)state;
	opts.domid = 5;
	opts.type = "mydevice";
	opts.backend_type = "vbd";
	opts.flags = XENSPLIT_ATTACH_RESERVED;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	d = only(0);
	assert_string_equal(d->backend_type, "vbd");
	assert_int_equal(d->reserved, 1);
	assert_string_equal(d->frontend, FE);
	assert_string_equal(d->backend, "/local/domain/0/backend/vbd/5/0");
	assert_int_equal(d->online, 1);
	assert_true(list_entry(list, 0)->has_online);
	assert_int_equal(d->origin, XENSPLIT_ORIGIN_XENSPLIT);
	assert_true(d->created > 1000000000);
	assert_null(d->phase);
	assert_null(d->listed);
	assert_int_equal(d->stale, 0);
	assert_int_equal(d->damaged, 0);
	snprintf(record, sizeof(record), "%sphase=replace\nlisted=auto\n",
		 fake_value(REC, NULL));
	set(REC, record);
	set("/local/domain/0/backend/vbd/5/0/online", "0");
	d = only(0);
	assert_string_equal(d->phase, "replace");
	assert_string_equal(d->listed, "auto");
	assert_int_equal(d->online, 0);
	set("/local/domain/0/backend/vbd/5/0/online", "10");
	assert_int_equal(only(0)->online, 0);
	set("/local/domain/5/xensplit", "0123456789abcdef");
	assert_int_equal(only(0)->stale, 1);
}

/* A device that is stale does not make its neighbour so. */
static void each_is_compared_with_its_own_domains(void **state)
{
	char record[2048];

	(void)state;
	attach_more(5, "a", 0, 0);
	attach_more(5, "b", 0, 0);
	strcpy(record, fake_value("/xensplit/5/a/0", NULL));
	memcpy(strstr(record, "frontend-mark=") + 14, "0123456789abcdef", 16);
	set("/xensplit/5/a/0", record);
	list_of(NULL, 0);
	assert_int_equal(xensplit_list_get(list, 0)->stale, 1);
	assert_int_equal(xensplit_list_get(list, 1)->stale, 0);
	/* That of the backend counts, too. */
	attach_more(6, "a", 0, 5);
	fake.dead_domid = 5;
	list_of(NULL, 0);
	assert_int_equal(xensplit_list_get(list, 2)->stale, 1);
	assert_int_equal(xensplit_list_get(list, 2)->id.domid, 6);
}

static void a_domain_is_asked_about_once(void **state)
{
	unsigned int one, many;
	uint32_t i;

	(void)state;
	attach_more(5, "a", 0, 0);
	fake.requests = 0;
	list_of(NULL, 0);
	one = fake.requests;
	for (i = 1; i < 5; i++)
		attach_more(5, "a", i, 0);
	fake.requests = 0;
	list_of(NULL, 0);
	many = fake.requests;
	/* Its record, two states and online. */
	assert_int_equal(many - one, 4 * 4);
}

static void a_damaged_record(void **state)
{
	const struct xensplit_device *d;

	(void)state;
	attach_more(5, "a", 0, 6);
	set("/xensplit/5/a/0", "nothing that makes sense");
	d = only(0);
	assert_int_equal(d->damaged, 1);
	assert_int_equal(d->backend_domid, 6);
	assert_null(d->unique_id);
	assert_string_equal(ids(NULL, XENSPLIT_LIST_FOREIGN), "5/a/0");
	/* Of several backends the one with the lowest domid. */
	set("/local/domain/3/name", "g3");
	set("/local/domain/3/backend/a/5/0/state", "1");
	assert_true(xs_rm(other, XBT_NULL, "/local/domain/5/device"));
	assert_int_equal(only(0)->backend_domid, 3);
}

static void names_that_are_no_records(void **state)
{
	char path[TYPE_MAX + 32];

	(void)state;
	attach_more(5, "longer", 1, 0);
	set("/xensplit/5/longer/next-devid", "2");
	set("/xensplit/5/longer/4294967295", "");
	set("/xensplit/5/bad.type/0", "");
	snprintf(path, sizeof(path), "/xensplit/5/%0*d/0", TYPE_MAX + 1, 7);
	set(path, "");
	attach_more(5, "t", 0, 0);
	set("/xensplit/5/t/next-devid", "1");
	assert_string_equal(ids(NULL, 0), "5/longer/1 5/t/0");
}

/* Else a device was listed, and worked on, twice. */
static void numbers_with_zeros_are_no_numbers(void **state)
{
	(void)state;
	attach_more(5, "mydevice", 7, 0);
	set("/xensplit/05/mydevice/7", "");
	set("/xensplit/5/mydevice/07", "");
	set("/local/domain/05", "");
	assert_string_equal(ids(NULL, 0), "5/mydevice/7");
}

/* Of one that is left out, and of a list that fails, nothing is kept: the sanitizers see it. */
static void lists_that_fail(void **state)
{
	XENSPLIT_FILTER(filter);
	unsigned int at, failed = 0;

	(void)state;
	assert_int_equal(attach(ctx), 0); /* with keys */
	attach_more(5, "a", 0, 6);
	set("/xensplit/5/a/0", "nothing that makes sense");
	set("/local/domain/5/device/theirs/0/state", "1");
	set("/local/domain/6/backend/theirs/5/0/state", "1");
	filter.backend_domid = 5;
	assert_string_equal(ids(&filter, XENSPLIT_LIST_FOREIGN), "");
	list = xensplit_list_free(list);
	for (at = 1; at < 200; at++) {
		fake_calm();
		fake.fail_at = at;
		fake.fail_errno = ENOSPC;
		if (xensplit_list_new(ctx, NULL, XENSPLIT_LIST_FOREIGN, &list))
			failed++;
		list = xensplit_list_free(list);
	}
	fake_calm();
	assert_true(failed > 20);
}

/* --- devices of other tools --- */

static void foreign(uint32_t domid, const char *type, uint32_t devid, uint32_t backend)
{
	char path[128], value[128];

	sprintf(path, "/local/domain/%u/device/%s/%u/state", domid, type, devid);
	set(path, "1");
	sprintf(path, "/local/domain/%u/backend/%s/%u/%u/state", backend, type, domid,
		devid);
	set(path, "2");
	sprintf(value, "/local/domain/%u/backend/%s/%u/%u", backend, type, domid, devid);
	sprintf(path, "/local/domain/%u/device/%s/%u/backend", domid, type, devid);
	set(path, value);
}

static void devices_of_other_tools(void **state)
{
	const struct xensplit_device *d;

	(void)state;
	attach_more(5, "mine", 0, 0);
	foreign(6, "theirs", 3, 0);
	foreign(5, "vif", 0, 6);
	assert_string_equal(ids(NULL, 0), "5/mine/0");
	assert_string_equal(ids(NULL, XENSPLIT_LIST_FOREIGN),
			    "5/mine/0 5/vif/0 6/theirs/3");
	d = xensplit_list_get(list, 1);
	assert_int_equal(d->origin, XENSPLIT_ORIGIN_FOREIGN);
	assert_int_equal(d->reserved, 1);
	assert_int_equal(d->backend_domid, 6);
	assert_int_equal(d->frontend_state, 1);
	assert_int_equal(d->backend_state, 2);
	assert_int_equal(list_entry(list, 1)->has_online, false);
	assert_int_equal(xensplit_list_get(list, 2)->reserved, 0);
}

static void halves_alone(void **state)
{
	XENSPLIT_FILTER(filter);

	(void)state;
	set("/local/domain/5/device/front/0/state", "1");
	set("/local/domain/6/backend/back/5/0/state", "1");
	assert_string_equal(ids(NULL, XENSPLIT_LIST_FOREIGN), "5/back/0 5/front/0");
	assert_int_equal(xensplit_list_get(list, 0)->backend_domid, 6);
	assert_int_equal(xensplit_list_get(list, 1)->backend_domid, XENSPLIT_ANY);
	filter.domid = 5;
	filter.devid = 0;
	filter.type = "front";
	assert_string_equal(ids(&filter, XENSPLIT_LIST_FOREIGN), "5/front/0");
	filter.type = "back";
	assert_string_equal(ids(&filter, XENSPLIT_LIST_FOREIGN), "5/back/0");
}

/* The backend of a device with a record is not another device. */
static void a_backend_of_another_type_belongs_to_its_device(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	(void)state;
	opts.domid = 5;
	opts.type = "mydevice";
	opts.backend_type = "zz";
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	opts.devid = 1;
	opts.backend_domid = 6;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	assert_string_equal(ids(NULL, XENSPLIT_LIST_FOREIGN),
			    "5/mydevice/0 5/mydevice/1");
}

static void names_that_are_no_devices(void **state)
{
	(void)state;
	foreign(5, "longer", 0, 0);
	set("/local/domain/5/device/longer/07/state", "1");
	set("/local/domain/5/device/bad.type/0/state", "1");
	set("/local/domain/0/backend/longer/05/1/state", "1");
	set("/local/domain/0/backend/longer/5/x/state", "1");
	foreign(5, "t", 0, 0);
	assert_string_equal(ids(NULL, XENSPLIT_LIST_FOREIGN), "5/longer/0 5/t/0");
}

/* Of several backends, the one that the frontend names, if no guest can write that. */
static void backends_in_two_domains(void **state)
{
	struct xs_permissions own = { 5, XS_PERM_NONE };

	(void)state;
	foreign(5, "a", 0, 0);
	foreign(5, "a", 0, 6);
	assert_string_equal(ids(NULL, XENSPLIT_LIST_FOREIGN), "5/a/0");
	assert_int_equal(xensplit_list_get(list, 0)->backend_domid, 6);
	assert_int_equal(list_entry(list, 0)->claims.count, 2);
	set("/local/domain/5/device/a/0/backend-id", "6");
	assert_true(xs_set_permissions(other, XBT_NULL,
				       "/local/domain/5/device/a/0/backend-id", &own, 1));
	assert_int_equal(only(XENSPLIT_LIST_FOREIGN)->backend_domid, 0);
	assert_true(xs_rm(other, XBT_NULL, "/local/domain/5/device/a/0/backend"));
	assert_int_equal(only(XENSPLIT_LIST_FOREIGN)->backend_domid, 0);
	assert_true(xs_rm(other, XBT_NULL, "/local/domain/0/backend"));
	set("/local/domain/3/name", "g3"); /* which is the last in the directory */
	foreign(5, "a", 0, 3);
	assert_true(xs_rm(other, XBT_NULL, "/local/domain/5/device/a/0/backend"));
	assert_int_equal(only(XENSPLIT_LIST_FOREIGN)->backend_domid, 3);
}

/* A program that was built when the filter had no backend. */
static void a_filter_of_an_older_release(void **state)
{
	XENSPLIT_FILTER(filter);

	(void)state;
	attach_more(5, "a", 0, 6);
	filter.sz = offsetof(struct xensplit_filter, backend_domid);
	filter.backend_domid = 7;
	assert_string_equal(ids(&filter, 0), "5/a/0");
}

/* --- records --- */

static void damage(const char *record)
{
	struct txn txn = TXN_NONE(ctx);
	struct device_id id = { .domid = 5, .type = "mydevice" };
	struct record read;

	set(REC, record);
	assert_int_equal(record_read(&txn, &id, &read), -EBADMSG);
}

#define GOOD "schema=1\nbackend-id=0\nunique-id=x\n"

static void records_that_make_no_sense(void **state)
{
	struct device_id id = { .domid = 5, .type = "mydevice" };
	struct txn txn = TXN_NONE(ctx);
	struct pairs front = { 0 }, back = { 0 };
	struct record read;

	(void)state;
	set(REC, GOOD);
	assert_int_equal(record_read(&txn, &id, &read), 0);
	damage("");
	damage("schema=1\nbackend-id=0\nunique-id=x");
	damage(GOOD "more");
	damage(GOOD "\n");
	damage("schema=2\nbackend-id=0\nunique-id=x\n");
	damage("backend-id=0\nunique-id=x\n");
	damage("schema=1\nunique-id=x\n");
	damage("schema=1\nbackend-id=0\n");
	damage("schema=1\nbackend-id=32752\nunique-id=x\n");
	damage(GOOD "backend-type=bad.type\n");
	damage(GOOD "frontend-mark=01234567890123456\n");
	/* A key becomes the name of a node again. */
	damage(GOOD "front.a/b=x\n");
	damage(GOOD "back.\x1b=x\n");
	damage(GOOD "phase=a-phase-that-is-longer-than-any-of-this-library-has-been\n");
	fake_set(REC, GOOD "\0x=y\n", sizeof(GOOD "\0x=y\n") - 1);
	assert_int_equal(record_read(&txn, &id, &read), -EBADMSG);
	/* What a newer release adds is ignored. */
	set(REC, GOOD "schema-too=7\nschem=7\nfront.=x\nfrontal.a=b\nback.k=v\n");
	assert_int_equal(record_read_whole(&txn, &id, &read, &front, &back), 0);
	assert_int_equal(front.count, 0);
	assert_int_equal(back.count, 1);
	pairs_clear(&front);
	pairs_clear(&back);
}

/* Attaches with these keys, and compares what a list has of them. */
static void assert_kept(const struct xensplit_pair *front, size_t front_count,
			const struct xensplit_pair *back, size_t back_count)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	const struct xensplit_device *d;
	size_t i;

	opts.domid = 5;
	opts.type = "mydevice";
	opts.front = front;
	opts.front_count = front_count;
	opts.back = back;
	opts.back_count = back_count;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	d = only(0);
	assert_int_equal(d->damaged, 0);
	assert_int_equal(d->front_count, front_count);
	assert_int_equal(d->back_count, back_count);
	for (i = 0; i < front_count; i++) {
		assert_string_equal(d->front[i].key, front[i].key);
		assert_string_equal(d->front[i].value, front[i].value);
	}
	for (i = 0; i < back_count; i++)
		assert_string_equal(d->back[i].value, back[i].value);
	assert_int_equal(detach(ctx), 0);
	assert_false(there("/xensplit/5/mydevice/0"));
}

static void keys_with_any_bytes(void **state)
{
	static const struct xensplit_pair pairs[] = {
		{ "a", "two\nlines=1" },
		{ "b", "\\x41 \\ \xff\x7f" },
		{ "c", "" },
	};

	(void)state;
	assert_kept(pairs, 3, pairs + 1, 2);
}

/* What has no room in the record is below it. */
static void keys_that_are_long(void **state)
{
	char one[2001], two[2001], escaped[1001];
	const struct xensplit_pair pairs[] = { { "one", one },
					       { "two", two },
					       { "three", escaped } };

	(void)state;
	memset(one, 'x', sizeof(one));
	memset(two, 'y', sizeof(two));
	memset(escaped, '\n', sizeof(escaped));
	one[2000] = two[2000] = escaped[1000] = '\0';
	assert_kept(pairs, 1, pairs + 1, 1);
	assert_kept(pairs, 2, NULL, 0);
	assert_kept(pairs, 3, pairs, 3);
	assert_kept(pairs + 2, 1, pairs, 1);
}

static void a_phase_that_is_set_again(void **state)
{
	struct device_id id = { .domid = 5, .type = "mydevice" };
	struct txn txn = TXN_NONE(ctx);
	char record[3712];

	(void)state;
	set(REC, GOOD "later=1\n");
	assert_int_equal(record_set_phase(&txn, &id, "replace"), 0);
	assert_int_equal(record_set_phase(&txn, &id, "again"), 0);
	assert_string_equal(fake_value(REC, NULL), GOOD "later=1\nphase=again\n");
	assert_int_equal(record_set_phase(&txn, &id, ""), 0);
	assert_string_equal(fake_value(REC, NULL), GOOD "later=1\n");
	snprintf(record, sizeof(record), GOOD "front.k=%03659d\n", 0);
	set(REC, record);
	assert_int_equal(record_set_phase(&txn, &id, "replace"), -EBADMSG);
	assert_contains(xensplit_errmsg(ctx), "too long");
	assert_string_equal(fake_value(REC, NULL), record);
	/* What it can't read would be lost. */
	set(REC, "junk");
	assert_int_equal(record_set_phase(&txn, &id, "replace"), -EBADMSG);
	assert_string_equal(fake_value(REC, NULL), "junk");
}

/* What was cached for the list is what doctor tells. */
static void doctor_after_a_list(void **state)
{
	struct xensplit_findings *findings;

	(void)state;
	attach_more(5, "a", 0, 0);
	fake.dead_domid = 5;
	assert_int_equal(xensplit_diagnose(ctx, NULL, &findings), 0);
	assert_string_equal(xensplit_findings_get(findings, 0)->code, "leftover");
	assert_contains(xensplit_findings_get(findings, 0)->what,
			"domain 5 does not exist");
	xensplit_findings_free(findings);
}

/* --- every node of a device --- */

static struct xensplit_nodes *nodes_of(uint32_t devid)
{
	const struct xensplit_id id = { 5, "mydevice", devid };
	struct xensplit_nodes *nodes;

	assert_int_equal(xensplit_nodes_new(ctx, &id, &nodes), 0);
	return nodes;
}

static const struct xensplit_node *node_at(const struct xensplit_nodes *nodes,
					   const char *path)
{
	const struct xensplit_node *node;
	size_t i;

	for (i = 0; (node = xensplit_nodes_get(nodes, i)); i++)
		if (!strcmp(node->path, path))
			return node;
	return NULL;
}

static void its_nodes(void **state)
{
	static const char *const paths[] = {
		REC,
		FE "/state",
		BE "/online",
		"/local/domain/5/error/device/mydevice/0/error",
		"/local/domain/0/error/backend/mydevice/5/0/error",
	};
	struct xensplit_nodes *nodes;
	char deep[16 * 2 + 64] = FE;
	size_t i;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	set(paths[3], "oops");
	set(paths[4], "more");
	fake_set(FE "/bytes", "a\0b", 3);
	for (i = 0; i < 17; i++)
		strcat(deep, "/d");
	set(deep, "");
	nodes = nodes_of(0);
	for (i = 0; i < ARRAY_SIZE(paths); i++)
		if (!node_at(nodes, paths[i]))
			wrong("%s is missing\n", paths[i]);
	assert_int_equal(node_at(nodes, FE "/bytes")->value_len, 3);
	assert_memory_equal(node_at(nodes, FE "/bytes")->value, "a\0b", 4);
	assert_string_equal(node_at(nodes, FE "/bytes")->perms, "n5,r0");
	/* A guest can make it as deep as it wants. */
	assert_null(node_at(nodes, deep));
	deep[strlen(deep) - 2] = '\0';
	assert_non_null(node_at(nodes, deep));
	for (i = 0; xensplit_nodes_get(nodes, i); i++)
		;
	assert_null(xensplit_nodes_get(nodes, i + 1));
	xensplit_nodes_free(nodes);
}

static const char *goes_at;

static void it_goes_meanwhile(const char *call, const char *path)
{
	if (!strcmp(call, goes_at) && !strcmp(path, FE "/ring"))
		assert_true(xs_rm(other, XBT_NULL, FE "/ring"));
}

/* A node that goes between two requests is left out, and the others are there. */
static void a_node_that_goes_meanwhile(void **state)
{
	static const char *const calls[] = { "read", "get-permissions", "list" };
	struct xensplit_nodes *nodes;
	size_t i;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		set(FE "/ring/ref", "8");
		goes_at = calls[i];
		fake.before = it_goes_meanwhile;
		nodes = nodes_of(0);
		fake_calm();
		assert_false(there(FE "/ring"));
		assert_null(node_at(nodes, FE "/ring/ref"));
		assert_non_null(node_at(nodes, FE "/state"));
		assert_non_null(node_at(nodes, BE "/state"));
		xensplit_nodes_free(nodes);
	}
}

static unsigned int reads;

/* The first read is the one that has found it. */
static void it_goes_once_found(const char *call, const char *path)
{
	if (!strcmp(call, "read") && !strcmp(path, FE) && ++reads == 2)
		assert_true(xs_rm(other, XBT_NULL, FE));
}

static void it_is_removed_before_its_nodes_are_read(void **state)
{
	struct xensplit_nodes *nodes = NULL;

	(void)state;
	set(FE "/state", "1");
	reads = 0;
	fake.before = it_goes_once_found;
	assert_int_equal(xensplit_nodes_new(ctx, &device, &nodes), -ENOENT);
	assert_int_equal(reads, 2);
	assert_null(nodes);
	assert_contains(xensplit_errmsg(ctx), "no such device");
}

/* That it is there is not known then. */
static void a_frontend_that_may_not_be_read(void **state)
{
	const struct device_id id = { .domid = 5, .type = "mydevice" };
	struct txn txn = TXN_NONE(ctx);
	struct place place;

	(void)state;
	set(FE "/state", "1");
	assert_int_equal(place_find(&txn, &id, &place), 0);
	fake.fail_call = "read " FE;
	fake.fail_errno = EACCES;
	assert_int_equal(place_find(&txn, &id, &place), -EACCES);
	fake_calm();
}

static char warning[128];

static void take_warning(struct xentoollog_logger *logger, xentoollog_level level,
			 int errnoval, const char *context, const char *format,
			 va_list args)
{
	(void)logger;
	(void)errnoval;
	(void)context;
	if (level == XTL_WARN)
		vsnprintf(warning, sizeof(warning), format, args);
}

static void end_nothing(struct xentoollog_logger *logger)
{
	(void)logger;
}

/* The end in dom0 can have any number. */
static void more_nodes_than_are_read(void **state)
{
	static struct xentoollog_logger logger = { .vmessage = take_warning,
						   .destroy = end_nothing };
	XENSPLIT_OPTS(xensplit_opts, opts);
	struct xensplit_nodes *nodes;
	char path[64];
	int i;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	xensplit_free(ctx);
	opts.logger = &logger;
	assert_int_equal(xensplit_new(&opts, &ctx), 0);
	nodes = nodes_of(0);
	xensplit_nodes_free(nodes);
	assert_string_equal(warning, "");
	for (i = 0; i < 4096; i++) {
		snprintf(path, sizeof(path), BE "/n%d", i);
		set(path, "");
	}
	nodes = nodes_of(0);
	assert_int_equal(nodes->count, 4096);
	assert_string_equal(warning, "only the first 4096 nodes of the device were read");
	xensplit_nodes_free(nodes);
}

static void its_nodes_may_not_be_read(void **state)
{
	static const char *const calls[] = {
		"read " REC,
		"list " FE,
		"get-permissions " BE,
		"read " BE,
		"read /local/domain/0/error/backend/mydevice/5/0",
	};
	struct xensplit_nodes *nodes = NULL;
	size_t i;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		fake.fail_call = calls[i];
		fake.fail_errno = EACCES;
		assert_int_equal(xensplit_nodes_new(ctx, &device, &nodes), -EACCES);
		assert_null(nodes);
	}
	fake_calm();
}

#define list_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		list_test(sorted_by_domain_type_and_id),
		list_test(only_what_the_filter_has),
		list_test(other_types_cost_nothing),
		list_test(what_is_known_of_a_device),
		list_test(each_is_compared_with_its_own_domains),
		list_test(a_domain_is_asked_about_once),
		list_test(a_damaged_record),
		list_test(names_that_are_no_records),
		list_test(numbers_with_zeros_are_no_numbers),
		list_test(lists_that_fail),
		list_test(devices_of_other_tools),
		list_test(halves_alone),
		list_test(a_backend_of_another_type_belongs_to_its_device),
		list_test(names_that_are_no_devices),
		list_test(backends_in_two_domains),
		list_test(a_filter_of_an_older_release),
		list_test(records_that_make_no_sense),
		list_test(keys_with_any_bytes),
		list_test(keys_that_are_long),
		list_test(a_phase_that_is_set_again),
		list_test(doctor_after_a_list),
		list_test(its_nodes),
		list_test(a_node_that_goes_meanwhile),
		list_test(it_is_removed_before_its_nodes_are_read),
		list_test(more_nodes_than_are_read),
		list_test(its_nodes_may_not_be_read),
		list_test(a_frontend_that_may_not_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
