// SPDX-License-Identifier: GPL-2.0-or-later
/* What doctor says, and what becomes of an operation, while nodes come and go. */
#include "operations.h"

#define FRONT_ERR "/local/domain/5/error/device/mydevice/0/error"
#define BACK_ERR  "/local/domain/0/error/backend/mydevice/5/0/error"

static struct xensplit_ctx *ctx;
static struct xs_handle *other;
static struct xensplit_findings *findings;

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
	findings = xensplit_findings_free(findings);
	xs_close(other);
	unit_ctx_free(ctx);
	return 0;
}

static void remove_node(const char *path)
{
	assert_true(xs_rm(other, XBT_NULL, path));
}

static int doctor(void)
{
	findings = xensplit_findings_free(findings);
	return xensplit_diagnose(ctx, NULL, &findings);
}

static const struct xensplit_finding *find(const char *code)
{
	const struct xensplit_finding *finding;
	size_t i;

	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++)
		if (!strcmp(finding->code, code))
			return finding;
	return NULL;
}

/* --- what drivers have written --- */

static void an_error_among_other_names(void **state)
{
	(void)state;
	connected(ctx);
	set("/local/domain/0/error/backend/mydevice/5/x/error", "5 of nobody");
	set("/local/domain/0/error/backend/mydevice/5/7/error", "5 of another");
	assert_int_equal(doctor(), 0);
	assert_null(find("backend-error"));
	set(BACK_ERR, "5 oops");
	assert_int_equal(doctor(), 0);
	assert_non_null(find("backend-error"));
	assert_contains(find("backend-error")->what, "5 oops");
	/* A driver that has no error any more leaves an empty node. */
	set(BACK_ERR, "");
	assert_int_equal(doctor(), 0);
	assert_null(find("backend-error"));
}

/* dom0's tools alone write it, but a terminal gets no raw byte. */
static void a_phase_with_odd_bytes(void **state)
{
	char record[2048];

	(void)state;
	assert_int_equal(attach(ctx), 0);
	snprintf(record, sizeof(record), "%sphase=\033[1m\377\n", fake_value(REC, NULL));
	set(REC, record);
	assert_int_equal(doctor(), 0);
	assert_string_equal(find("interrupted")->what,
			    "the record has phase \"\\x1b[1m\\xff\"");
}

/* It was listed, and is gone, or may not be read: that is no reason to say nothing else. */
static void an_error_that_can_not_be_read(void **state)
{
	(void)state;
	assert_int_equal(attach(ctx), 0);
	set(FRONT_ERR, "2 no node");
	fake.fail_call = "read " FRONT_ERR;
	fake.fail_errno = ENOENT;
	assert_int_equal(doctor(), 0);
	assert_null(find("frontend-error"));
	assert_non_null(xensplit_findings_get(findings, 0));
	fake.fail_errno = EACCES;
	assert_int_equal(doctor(), 0);
	assert_null(find("frontend-error"));
	assert_non_null(xensplit_findings_get(findings, 0));
	fake.fail_errno = ENOSPC;
	assert_int_equal(doctor(), -ENOSPC);
}

/* --- a device that changes while doctor looks --- */

static void (*change)(void);

static void change_once(void)
{
	fake.requests_most = 0;
	change();
}

static void it_goes(void)
{
	remove_node(REC);
	remove_node(FE);
	remove_node(BE);
}

static void it_moves(void)
{
	it_goes();
	set("/local/domain/6/backend/mydevice/5/0/state", "1");
	set(FE "/state", "1");
	set(REC, "schema=1\nbackend-id=6\nunique-id=11111111111111111111111111111111\n"
		 "created=1\n");
}

/* At each request in turn. @never: what is then not true of any device. */
static void look_while(void (*changes)(void), const char *const *never)
{
	bool changed = true;
	unsigned int at;
	size_t i;

	change = changes;
	for (at = 1; changed; at++) {
		connected(ctx);
		fake_calm();
		fake.idle = change_once;
		fake.requests_most = at;
		assert_int_equal(doctor(), 0);
		changed = !fake.requests_most;
		for (i = 0; never[i]; i++)
			if (find(never[i]))
				wrong("at request %u: %s\n", at, find(never[i])->what);
		end(NULL);
		begin(NULL);
	}
	assert_in_range(at, 10, 200);
}

static void a_device_that_goes_meanwhile(void **state)
{
	static const char *const never[] = { "frontend-missing", "backend-missing",
					     "leftover",	 "stale",
					     "foreign",		 NULL };

	(void)state;
	look_while(it_goes, never);
}

static void a_device_that_moves_meanwhile(void **state)
{
	static const char *const never[] = { "backend-missing", "leftover", "stale",
					     NULL };

	(void)state;
	look_while(it_moves, never);
}

static void it_breaks(void)
{
	remove_node(FE "/state");
	set(REC, "nonsense");
}

/* Its record was whole when it was listed: the next look says it. */
static void a_record_that_gets_damaged_meanwhile(void **state)
{
	static const char *const never[] = { "stale", "interrupted", NULL };

	(void)state;
	look_while(it_breaks, never);
}

static unsigned int record_reads;

/* When it was listed nothing was wrong: now somebody replaces it. */
static void at_the_second_look(const char *call, const char *path)
{
	if (strcmp(call, "read") != 0 || strcmp(path, REC) != 0 || ++record_reads != 2)
		return;
	fake.before = NULL;
	change();
}

static int doctor_while(void (*changes)(void))
{
	record_reads = 0;
	change = changes;
	fake.before = at_the_second_look;
	return doctor();
}

static void it_is_replaced(void)
{
	char record[2048];

	snprintf(record, sizeof(record), "%sphase=replace\n", fake_value(REC, NULL));
	set(REC, record);
}

static void it_gets_online(void)
{
	set(BE "/online", "1");
}

static void what_the_second_look_sees(void **state)
{
	(void)state;
	connected(ctx);
	remove_node(FE "/backend");
	assert_int_equal(doctor_while(it_is_replaced), 0);
	assert_null(fake.before);
	assert_non_null(find("interrupted"));
	it_goes();
	connected(ctx);
	remove_node(BE "/online");
	assert_int_equal(doctor_while(it_gets_online), 0);
	assert_null(fake.before);
	assert_null(find("online-missing"));
}

/* What a driver reads only once is of interest as soon as anything is wrong. */
static void numbers_of_a_connected_device(void **state)
{
	(void)state;
	connected(ctx);
	set(FE "/backend-id", "6");
	assert_int_equal(doctor(), 0);
	assert_null(find("frontend-pointer"));
	remove_node(BE "/online");
	assert_int_equal(doctor(), 0);
	assert_non_null(find("online-missing"));
	assert_non_null(find("frontend-pointer"));
	assert_contains(find("frontend-pointer")->what, "is \"6\", not \"0\"");
}

static void own(const char *path, unsigned int owner, unsigned int reader)
{
	struct xs_permissions perms[] = { { owner, XS_PERM_NONE },
					  { reader, XS_PERM_READ } };

	fake_set_perms(path, perms, 2);
}

/* Nobody but dom0 can change it. */
static void set_below(const char *half, const char *key, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", half, key);
	set(path, value);
	own(path, 0, 5);
}

/* As a tool does it that has read the documentation. */
static void make_foreign(const char *type, uint32_t devid)
{
	char front[64], back[64], state[80];

	snprintf(front, sizeof(front), "/local/domain/5/device/%s/%u", type,
		 (unsigned int)devid);
	snprintf(back, sizeof(back), "/local/domain/0/backend/%s/5/%u", type,
		 (unsigned int)devid);
	snprintf(state, sizeof(state), "%s/state", front);
	set_below(front, "backend", back);
	set_below(front, "backend-id", "0");
	set(state, "4");
	own(state, 5, 0);
	own(front, 5, 0);
	set_below(back, "frontend", front);
	set_below(back, "frontend-id", "5");
	set_below(back, "online", "1");
	set_below(back, "state", "4");
	own(back, 0, 5);
}

/* --- nodes --- */

/* One with a record has one backend, whatever another domain makes. */
static void a_backend_that_another_domain_makes(void **state)
{
	(void)state;
	connected(ctx);
	set("/local/domain/6/backend/mydevice/5/0/state", "4");
	assert_int_equal(doctor(), 0);
	assert_null(find("several-backends"));
	it_goes();
	remove_node("/local/domain/6/backend");
	set(FE "/state", "1");
	assert_int_equal(doctor(), 0);
	assert_string_equal(find("backend-missing")->what,
			    "domain 5 has a frontend without a backend");
}

static void pointers_that_are_wrong(void **state)
{
	const struct xensplit_finding *finding;
	unsigned int count = 0;
	size_t i;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	set(FE "/backend", BE "0");
	assert_int_equal(doctor(), 0);
	assert_contains(find("frontend-pointer")->what, "/5/00\", not \"");
	set(FE "/backend", "\033[1m");
	assert_int_equal(doctor(), 0);
	assert_contains(find("frontend-pointer")->what, "is \"\\x1b[1m\", not");
	it_goes();
	make_foreign("mydevice", 0);
	set(FE "/backend-id", "6");
	set(FE "/state", "1");
	set(BE "/state", "1");
	assert_int_equal(doctor(), 0);
	assert_contains(find("frontend-pointer")->what, "/backend-id is \"6\"");
	/* One finding is enough. */
	set(FE "/backend", BE "0");
	assert_int_equal(doctor(), 0);
	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++)
		count += !strcmp(finding->code, "frontend-pointer");
	assert_int_equal(count, 1);
}

/* Somebody has made that half again, so its numbers may be wrong. */
static void a_half_that_is_not_as_it_was_written(void **state)
{
	struct xs_permissions perms[] = { { 5, XS_PERM_NONE },
					  { 0, XS_PERM_READ },
					  { 7, XS_PERM_READ } };

	(void)state;
	connected(ctx);
	set(FE "/backend-id", "6");
	assert_int_equal(doctor(), 0);
	assert_null(xensplit_findings_get(findings, 0));
	fake_set_perms(FE "/state", perms, 3);
	assert_int_equal(doctor(), 0);
	assert_non_null(find("frontend-pointer"));
}

/* It was being removed, node by node. */
static void a_missing_node_of_a_device_that_goes(void **state)
{
	static const char *const nodes[] = { FE "/backend", BE "/online" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		assert_int_equal(attach(ctx), 0);
		remove_node(nodes[i]);
		assert_int_equal(doctor_while(it_goes), 0);
		assert_null(xensplit_findings_get(findings, 0));
	}
}

static void a_half_that_is_missing(void **state)
{
	(void)state;
	assert_int_equal(attach(ctx), 0);
	remove_node(BE);
	assert_int_equal(doctor(), 0);
	assert_string_equal(find("backend-missing")->what,
			    BE " does not exist: the backend is missing");
	/* That says it all. */
	assert_null(xensplit_findings_get(findings, 1));
}

static void nodes_that_an_end_may_not_use(void **state)
{
	struct xs_permissions nobody[] = { { 0, XS_PERM_NONE } };

	(void)state;
	assert_int_equal(attach(ctx), 0);
	fake_set_perms(BE "/state", nobody, 1);
	assert_int_equal(doctor(), 0);
	assert_contains(find("backend-permissions")->what, "domain 5 may not read it");
	/* A driver makes its own nodes there. */
	fake_set_perms(FE, nobody, 1);
	assert_int_equal(doctor(), 0);
	assert_string_equal(find("frontend-permissions")->what,
			    FE " is (n0): domain 5 may not write it");
}

static unsigned int directory_reads;

static void count_directories(const char *call, const char *path)
{
	(void)call;
	directory_reads += !strcmp(path, FE) || !strcmp(path, BE);
}

/* It would have failed before. */
static void directories_of_a_connected_device_are_no_matter(void **state)
{
	(void)state;
	connected(ctx);
	directory_reads = 0;
	fake.before = count_directories;
	assert_int_equal(doctor(), 0);
	assert_int_equal(directory_reads, 0);
}

/* With a name that xenbus does not take, whichever of the two it is. */
static void a_bus_id_that_is_too_long(void **state)
{
	static const char *const paths[] = { REC, "/xensplit/5/sixteen_letters_/0" };
	static const char *const renamed[] = {
		FE, "/local/domain/5/device/sixteen_letters_/0"
	};
	static const char *const backend_types[] = { "sixteen_letters_", "short" };
	char record[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		snprintf(record, sizeof(record),
			 "schema=1\nbackend-id=0\nbackend-type=%s\n"
			 "unique-id=11111111111111111111111111111111\ncreated=1\n",
			 backend_types[i]);
		set(paths[i], record);
		assert_int_equal(doctor(), 0);
		assert_non_null(find("bus-id-too-long"));
		assert_string_equal(find("bus-id-too-long")->what,
				    "bus id 'sixteen_letters_-5-0' has 20 characters");
		assert_string_equal(find("bus-id-too-long")->node, renamed[i]);
		remove_node(paths[i]);
	}
}

/* --- several findings --- */

static void attach_other(const char *type, uint32_t devid)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	opts.domid = 5;
	opts.type = type;
	opts.devid = devid;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
}

/* That of the first device explains nothing of the second. */
static void an_error_of_each_device(void **state)
{
	(void)state;
	attach_other("another", 0);
	connected(ctx);
	set(FE "/state", "2");
	set(FRONT_ERR, "2 no ring");
	assert_int_equal(doctor(), 0);
	assert_string_equal(xensplit_findings_get(findings, 0)->id.type, "another");
	assert_non_null(find("frontend-error"));
	assert_int_equal(find("frontend-error")->severity, XENSPLIT_SEVERITY_ERROR);
}

static unsigned int error_lists;

static void count_error_lists(const char *call, const char *path)
{
	error_lists += !strcmp(call, "list") && strstr(path, "/error/");
}

static void assert_errors(unsigned int wanted)
{
	const struct xensplit_finding *finding;
	unsigned int count = 0;
	size_t i;

	error_lists = 0;
	fake.before = count_error_lists;
	assert_int_equal(doctor(), 0);
	fake.before = NULL;
	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++)
		count += !strcmp(finding->code, "backend-error");
	assert_int_equal(count, wanted);
}

/* Each directory of them is listed once, whatever the order of its names. */
static void errors_of_several_devices(void **state)
{
	(void)state;
	attach_other("mydevice", 9);
	attach_other("mydevice", 10);
	set("/local/domain/0/error/backend/mydevice/5/10/error", "5 oops");
	set("/local/domain/0/error/backend/mydevice/5/9/error", "5 \033[1m");
	assert_errors(2);
	assert_int_equal(error_lists, 2);
	assert_contains(find("backend-error")->what, "5 \\x1b[1m");
	attach_other("other", 9);
	set("/local/domain/0/error/backend/other/5/9/error", "5 oops");
	assert_errors(3);
	assert_int_equal(error_lists, 4);
	/* A domain's own may be closed to this one. */
	fake.fail_call = "list /local/domain/5/error";
	fake.fail_errno = EACCES;
	assert_errors(3);
}

/* There is a better reason, so that the error may be an old one. */
static void an_error_beside_its_reason(void **state)
{
	struct xs_permissions open[] = { { 0, XS_PERM_READ }, { 5, XS_PERM_READ } };
	struct xs_permissions nobody[] = { { 0, XS_PERM_NONE } };

	(void)state;
	assert_int_equal(attach(ctx), 0);
	set(BE "/state", "2");
	set(FRONT_ERR, "2 no ring");
	assert_int_equal(doctor(), 0);
	assert_int_equal(find("frontend-error")->severity, XENSPLIT_SEVERITY_ERROR);
	/* A warning is none. */
	fake_set_perms(BE "/state", open, 2);
	assert_int_equal(doctor(), 0);
	assert_non_null(find("open-to-all"));
	assert_int_equal(find("frontend-error")->severity, XENSPLIT_SEVERITY_ERROR);
	fake_set_perms(FE, nobody, 1);
	assert_int_equal(doctor(), 0);
	assert_non_null(find("frontend-permissions"));
	assert_int_equal(find("frontend-error")->severity, XENSPLIT_SEVERITY_WARNING);
}

/* --- domains that are gone --- */

/* Nothing else is of interest then. */
static void assert_only(const char *code, int remedy)
{
	const struct xensplit_finding *finding;

	assert_int_equal(doctor(), 0);
	finding = xensplit_findings_get(findings, 0);
	assert_non_null(finding);
	assert_string_equal(finding->code, code);
	assert_int_equal(finding->remedy, remedy);
	assert_null(xensplit_findings_get(findings, 1));
}

static void what_domains_have_left(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	(void)state;
	set("/local/domain/0/backend/mydevice/77/0/state", "1");
	assert_only("leftover", XENSPLIT_REMEDY_REMOVE);
	assert_string_equal(xensplit_findings_get(findings, 0)->node,
			    "/local/domain/0/backend/mydevice/77/0");
	remove_node("/local/domain/0/backend");
	of_a_former_domain(ctx);
	assert_only("stale", XENSPLIT_REMEDY_REAP);
	remove_node("/local/domain/5");
	assert_only("leftover", XENSPLIT_REMEDY_REAP);
	assert_string_equal(xensplit_findings_get(findings, 0)->what,
			    "domain 5 does not exist");
	end(NULL);
	begin(NULL);
	opts.domid = 5;
	opts.type = "mydevice";
	opts.backend_domid = 6;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	remove_node("/local/domain/6");
	assert_only("leftover", XENSPLIT_REMEDY_REAP);
	assert_string_equal(xensplit_findings_get(findings, 0)->what,
			    "domain 6 does not exist");
}

/* --- causes --- */

/* What everybody may write is no reason not to connect; a missing driver is one. */
static void the_cause_is_an_error_before_a_warning(void **state)
{
	struct xs_permissions open[] = { { 0, XS_PERM_READ }, { 5, XS_PERM_READ } };
	const struct xensplit_finding *cause;

	(void)state;
	assert_int_equal(attach(ctx), 0);
	fake_set_perms(BE "/state", open, 2);
	assert_int_equal(doctor(), 0);
	assert_string_equal(xensplit_findings_get(findings, 0)->code, "open-to-all");
	assert_int_equal(xensplit_wait(ctx, &device, XENSPLIT_UNTIL_CONNECTED, 1000),
			 -ETIMEDOUT);
	cause = xensplit_last_error(ctx)->cause;
	assert_non_null(cause);
	assert_string_equal(cause->code, "no-backend-driver");
	/* With nothing else it is said. */
	set(FE "/state", "4");
	set(BE "/state", "4");
	assert_int_equal(xensplit_wait(ctx, &device, XENSPLIT_UNTIL_CLOSED, 1000),
			 -ETIMEDOUT);
	cause = xensplit_last_error(ctx)->cause;
	assert_non_null(cause);
	assert_string_equal(cause->code, "open-to-all");
}

/* Any domain can make a backend: not all of them are in the text. */
static void many_domains_claim_it(void **state)
{
	char path[64];
	uint32_t domid;

	(void)state;
	set(FE "/state", "1");
	set(BE "/state", "1");
	for (domid = 100; domid < 150; domid++) {
		sprintf(path, "/local/domain/%u/name", domid);
		set(path, "evil");
		sprintf(path, "/local/domain/%u/backend/mydevice/5/0/state", domid);
		set(path, "1");
	}
	assert_int_equal(doctor(), 0);
	assert_non_null(find("several-backends"));
	assert_contains(find("several-backends")->what, "domains 0, 100, 101, ");
	assert_contains(find("several-backends")->what,
			" and more have a backend for it");
}

/* --- devices of other tools --- */

static void only_what_adopt_takes_is_to_be_adopted(void **state)
{
	(void)state;
	make_foreign("mydevice", 0);
	assert_int_equal(doctor(), 0);
	assert_non_null(find("foreign"));
	assert_int_equal(find("foreign")->remedy, XENSPLIT_REMEDY_ADOPT);
	remove_node(FE);
	remove_node(BE);
	/* Its name is too long for xenbus. */
	make_foreign("mydevice", 123456789);
	assert_int_equal(doctor(), 0);
	assert_int_equal(find("foreign")->remedy, XENSPLIT_REMEDY_REPLACE);
}

/* Nothing could detach it. */
static void a_foreign_device_that_does_not_close(void **state)
{
	(void)state;
	make_foreign("mydevice", 0);
	set(FE "/state", "5");
	set(BE "/state", "5");
	assert_int_equal(doctor(), 0);
	assert_int_equal(find("closing")->remedy, XENSPLIT_REMEDY_REPLACE);
	remove_node(FE);
	remove_node(BE);
	connected(ctx);
	set(FE "/state", "5");
	set(BE "/state", "5");
	assert_int_equal(doctor(), 0);
	assert_int_equal(find("closing")->remedy, XENSPLIT_REMEDY_FORCE);
}

/* A domain can make a backend for any frontend: no remedy is to confirm that. */
static void a_backend_that_names_another_frontend(void **state)
{
	(void)state;
	make_foreign("mydevice", 0);
	set(FE "/state", "6");
	set(BE "/state", "6");
	assert_int_equal(doctor(), 0);
	assert_int_equal(find("closed")->remedy, XENSPLIT_REMEDY_FRONTEND);
	assert_int_equal(find("closed")->backend_trusted, 1);
	set(BE "/frontend", "/local/domain/6/device/mydevice/0");
	assert_int_equal(doctor(), 0);
	assert_int_equal(find("closed")->backend_trusted, 0);
}

/* That another tool made it is a note, and stops nothing. */
static void a_note_is_no_cause(void **state)
{
	(void)state;
	make_foreign("mydevice", 0);
	assert_int_equal(doctor(), 0);
	assert_string_equal(xensplit_findings_get(findings, 0)->code, "foreign");
	assert_int_equal(xensplit_wait(ctx, &device, XENSPLIT_UNTIL_GONE, 1000),
			 -ETIMEDOUT);
	assert_null(xensplit_last_error(ctx)->cause);
}

static void devices_of_libxl(void **state)
{
	struct xensplit_filter filter = { sizeof(filter), 5, "vbd", 0, XENSPLIT_ANY };

	(void)state;
	make_foreign("vbd", 0);
	remove_node("/local/domain/0/backend/vbd/5/0/state");
	/* It repairs them itself. */
	assert_int_equal(doctor(), 0);
	assert_null(xensplit_findings_get(findings, 0));
	/* Unless they are asked for; nobody else is to adopt them. */
	findings = xensplit_findings_free(findings);
	assert_int_equal(xensplit_diagnose(ctx, &filter, &findings), 0);
	assert_non_null(find("backend-missing"));
	assert_null(find("foreign"));
	/* What it has forgotten stays for ever. */
	remove_node("/local/domain/5");
	assert_int_equal(doctor(), 0);
	assert_non_null(find("leftover"));
}

static void a_device_that_is_not_there(void **state)
{
	struct xensplit_filter filter = { sizeof(filter), 5, "mydevice", 0,
					  XENSPLIT_ANY };

	(void)state;
	assert_int_equal(xensplit_diagnose(ctx, &filter, &findings), -ENOENT);
	filter.devid = XENSPLIT_ANY;
	assert_int_equal(xensplit_diagnose(ctx, &filter, &findings), 0);
}

/* --- xenstored --- */

static unsigned int slow_reads;

static void read_slowly(const char *call, const char *path)
{
	if (!slow_reads || strcmp(call, "read") != 0 || strcmp(path, "/xensplit") != 0)
		return;
	slow_reads--;
	sleep_until(now_us() + 25000);
}

static void a_xenstored_that_is_slow_for_a_while(void **state)
{
	struct xensplit_filter filter = { sizeof(filter), 5, NULL, XENSPLIT_ANY,
					  XENSPLIT_ANY };
	unsigned int left, each;

	(void)state;
	fake.before = read_slowly;
	slow_reads = 1;
	assert_int_equal(doctor(), 0);
	assert_int_equal(slow_reads, 0);
	assert_null(find("xenstored-slow"));
	slow_reads = 100;
	assert_int_equal(doctor(), 0);
	left = slow_reads;
	assert_int_equal(
		sscanf(find("xenstored-slow")->what, "xenstored takes %u", &each), 1);
	/* That of a read, not of all of them. */
	assert_in_range(each, 25, 200);
	/* It is not asked for ever. */
	assert_in_range(left, 80, 98);
	fake.fail_call = "read /xensplit";
	fake.fail_errno = ENOSPC;
	assert_int_equal(doctor(), -ENOSPC);
	fake.fail_call = NULL;
	/* That is about the host, and not about one domain. */
	slow_reads = 100;
	findings = xensplit_findings_free(findings);
	assert_int_equal(xensplit_diagnose(ctx, &filter, &findings), 0);
	assert_null(find("xenstored-slow"));
}

/* --- operations --- */

/* The end that closes first is to blame; a text says that it was not this one. */
static void the_end_that_has_said_why(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_op *op;
	int i;

	(void)state;
	opts.domid = 5;
	opts.type = "mydevice";
	for (i = 0; i < 2; i++) {
		assert_int_equal(xensplit_op_attach(ctx, &opts, 5000, &op), 0);
		while (!there(BE "/state"))
			assert_int_equal(xensplit_op_process(op), 1);
		set(FE "/state", "5");
		set(BE "/state", "5");
		if (i)
			set(BACK_ERR, "5 oops");
		assert_int_equal(xensplit_op_run(op), -EPROTO);
		assert_contains(xensplit_errmsg(ctx), i ? "the backend driver gave up"
							: "the frontend driver gave up");
		if (i)
			assert_contains(xensplit_errmsg(ctx), ": \"5 oops\"");
		/* It has ended: there is nothing to cancel. */
		xensplit_op_cancel(op);
		assert_int_equal(xensplit_op_get_timeout(op), 0);
		assert_int_equal(xensplit_op_process(op), -EPROTO);
		xensplit_op_free(op);
		it_goes();
	}
}

static void a_reserved_type_of_the_backend(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	const struct xensplit_device *found;
	const struct xensplit_finding *finding;
	struct xensplit_op *op;

	(void)state;
	opts.domid = 5;
	opts.type = "mydevice";
	opts.backend_type = "vbd";
	opts.flags = XENSPLIT_ATTACH_RESERVED;
	assert_int_equal(xensplit_op_attach(ctx, &opts, 0, &op), 0);
	assert_int_equal(xensplit_op_run(op), 0);
	assert_int_equal(xensplit_op_get_device(op, &found), 0);
	assert_int_equal(found->reserved, 1);
	assert_string_equal(found->backend_type, "vbd");
	xensplit_op_free(op);
	assert_int_equal(doctor(), 0);
	finding = xensplit_findings_get(findings, 0);
	assert_non_null(finding);
	assert_string_equal(finding->backend_type, "vbd");
	assert_int_equal(finding->reserved, 1);
}

static void a_repair_of_a_frontend_alone(void **state)
{
	struct xensplit_batch *batch;

	(void)state;
	set(FE "/state", "1");
	assert_int_equal(xensplit_batch_new(ctx, &batch), 0);
	assert_int_equal(xensplit_batch_repair(batch, &device), 0);
	assert_int_equal(xensplit_batch_commit(batch), -ENOENT);
	assert_string_equal(xensplit_last_error(ctx)->code, "no-backend");
	xensplit_batch_free(batch);
}

#define doctor_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		doctor_test(an_error_among_other_names),
		doctor_test(a_phase_with_odd_bytes),
		doctor_test(an_error_that_can_not_be_read),
		doctor_test(a_device_that_goes_meanwhile),
		doctor_test(a_device_that_moves_meanwhile),
		doctor_test(a_record_that_gets_damaged_meanwhile),
		doctor_test(what_the_second_look_sees),
		doctor_test(numbers_of_a_connected_device),
		doctor_test(a_backend_that_another_domain_makes),
		doctor_test(pointers_that_are_wrong),
		doctor_test(a_half_that_is_not_as_it_was_written),
		doctor_test(a_missing_node_of_a_device_that_goes),
		doctor_test(a_half_that_is_missing),
		doctor_test(nodes_that_an_end_may_not_use),
		doctor_test(directories_of_a_connected_device_are_no_matter),
		doctor_test(a_bus_id_that_is_too_long),
		doctor_test(an_error_of_each_device),
		doctor_test(errors_of_several_devices),
		doctor_test(an_error_beside_its_reason),
		doctor_test(what_domains_have_left),
		doctor_test(the_cause_is_an_error_before_a_warning),
		doctor_test(many_domains_claim_it),
		doctor_test(only_what_adopt_takes_is_to_be_adopted),
		doctor_test(a_foreign_device_that_does_not_close),
		doctor_test(a_backend_that_names_another_frontend),
		doctor_test(a_note_is_no_cause),
		doctor_test(devices_of_libxl),
		doctor_test(a_device_that_is_not_there),
		doctor_test(a_xenstored_that_is_slow_for_a_while),
		doctor_test(the_end_that_has_said_why),
		doctor_test(a_reserved_type_of_the_backend),
		doctor_test(a_repair_of_a_frontend_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
