// SPDX-License-Identifier: GPL-2.0-or-later
/* What doctor and attach conclude from the kernel's devices, in the test's own sysfs. */
#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "unit.h"

#define FE     "/local/domain/5/device/mydevice/0"
#define BE     "/local/domain/0/backend/mydevice/5/0"
#define REC    "/xensplit/5/mydevice/0"
#define ERR    "/local/domain/0/error/backend/mydevice/5/0/error"
#define DEVICE "bus/xen-backend/devices/mydevice-5-0"

static char root[] = "/tmp/xensplit-sysfs-XXXXXX";
static struct xensplit_ctx *ctx;

static const char *in_sysfs(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void make_dirs(const char *name)
{
	char path[256];
	size_t i;

	for (i = 0; name[i]; i++)
		if (name[i] == '/') {
			snprintf(path, sizeof(path), "%s/%.*s", root, (int)i, name);
			mkdir(path, 0700);
		}
	assert_int_equal(mkdir(in_sysfs(name), 0700), 0);
}

/* The kernel's device, without a driver. */
static void make_device(void)
{
	make_dirs(DEVICE);
}

static void bind_driver(void)
{
	assert_int_equal(symlink("../../drivers/printer", in_sysfs(DEVICE "/driver")), 0);
}

static void keep_state(const char *state)
{
	FILE *file = fopen(in_sysfs(DEVICE "/state"), "w");

	assert_non_null(file);
	fprintf(file, "%s\n", state);
	assert_int_equal(fclose(file), 0);
}

/* A device that is Initialising on both ends, in dom0; the kernel has a bus without it. */
static int set_up(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	(void)state;
	strcpy(strrchr(root, '-'), "-XXXXXX");
	assert_non_null(mkdtemp(root));
	sysfs = modules = root;
	make_dirs("bus/xen-backend/devices");
	make_dirs("bus/xen-backend/drivers/printer");
	fake_reset();
	set("/local/domain/0/domid", "0");
	ctx = unit_ctx();
	opts.domid = 5;
	opts.type = "mydevice";
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	unit_ctx_free(ctx);
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

/* Checks the codes of the errors, in order, and the text of the first. */
static void assert_finds(const char *codes, const char *what)
{
	const struct xensplit_finding *finding;
	struct xensplit_findings *findings;
	char found[256] = "";
	XENSPLIT_FILTER(filter);
	size_t i;

	filter.domid = 5;
	assert_int_equal(xensplit_diagnose(ctx, &filter, &findings), 0);
	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++) {
		assert_int_equal(finding->severity, XENSPLIT_SEVERITY_ERROR);
		strcat(strcat(found, i ? " " : ""), finding->code);
	}
	assert_string_equal(found, codes);
	assert_contains(xensplit_findings_get(findings, 0)->what, what);
	xensplit_findings_free(findings);
}

static void no_device(void **state)
{
	(void)state;
	assert_finds("no-backend-device", "the kernel has no ");
}

static void no_driver(void **state)
{
	(void)state;
	make_device();
	keep_state("Initialising");
	assert_finds("no-backend-module", "mydevice-5-0 has no driver");
}

static void list_modules(const char *aliases)
{
	struct utsname uts;
	char name[128];
	FILE *file;

	assert_int_equal(uname(&uts), 0);
	make_dirs(uts.release);
	snprintf(name, sizeof(name), "%s/modules.alias", uts.release);
	file = fopen(in_sysfs(name), "w");
	assert_non_null(file);
	fputs(aliases, file);
	assert_int_equal(fclose(file), 0);
}

static void a_module_that_is_not_loaded(void **state)
{
	(void)state;
	make_device();
	list_modules("# Aliases\n"
		     "alias xen-backend:mydevices wrong\n"
		     "alias xen-backend:mydevice right\n"
		     "alias xen-backend:mydevice late\n");
	assert_finds("no-backend-driver",
		     "mydevice-5-0 has no driver; module right fits it");
}

static void no_module_has_the_alias(void **state)
{
	(void)state;
	make_device();
	list_modules("alias xen:mydevice wrong\nalias xen-backend:mydevice\n");
	assert_finds("no-backend-module",
		     "no installed module has the alias xen-backend:mydevice");
}

/* The list of modules is read once for the devices of a type. */
static void two_devices_without_a_driver(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	(void)state;
	opts.domid = 5;
	opts.type = "mydevice";
	opts.devid = 1;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	opts.type = "other";
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	make_device();
	assert_int_equal(mkdir(in_sysfs("bus/xen-backend/devices/mydevice-5-1"), 0700),
			 0);
	assert_int_equal(mkdir(in_sysfs("bus/xen-backend/devices/other-5-1"), 0700), 0);
	list_modules("alias xen-backend:mydevice right\n");
	assert_finds("no-backend-driver no-backend-driver no-backend-module",
		     "mydevice-5-0 has no driver; module right fits it");
}

static unsigned int own_domid_reads;

static void count_own_domid(const char *call, const char *path)
{
	size_t len = strlen(path);

	(void)call;
	own_domid_reads += len >= 5 && !strcmp(path + len - 5, "domid");
}

static void the_own_domain_is_asked_for_once(void **state)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);

	(void)state;
	opts.domid = 5;
	opts.type = "mydevice";
	opts.devid = 1;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, NULL), 0);
	own_domid_reads = 0;
	fake.before = count_own_domid;
	assert_finds("no-backend-device no-backend-device", "the kernel has no ");
	assert_int_equal(own_domid_reads, 1);
}

/* A backend may also be a program, of which the kernel knows nothing. */
static void a_connected_device_that_the_kernel_has_not(void **state)
{
	struct xensplit_findings *findings;

	(void)state;
	set(FE "/state", "4");
	set(BE "/state", "4");
	assert_int_equal(xensplit_diagnose(ctx, NULL, &findings), 0);
	assert_null(xensplit_findings_get(findings, 0));
	xensplit_findings_free(findings);
}

/* As in a dom0 whose backends are programs. */
static void a_domain_without_the_bus(void **state)
{
	(void)state;
	make_device();
	bind_driver();
	sysfs = "/nowhere";
	assert_finds("no-backend-driver", "frontend Initialising, backend Initialising");
}

static unsigned int open_files(void)
{
	unsigned int count = 0;
	DIR *dir = opendir("/proc/self/fd");

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void no_file_stays_open(void **state)
{
	unsigned int before = open_files();

	(void)state;
	make_device();
	list_modules("alias xen-backend:mydevice right\n");
	assert_finds("no-backend-driver", "module right");
	assert_int_equal(open_files(), before);
	bind_driver();
	keep_state("Connected");
	assert_finds("old-backend-device", "had set Connected");
	assert_int_equal(open_files(), before);
}

/* The frontend may be waiting, or have no driver: the backend comes first. */
static void an_idle_driver(void **state)
{
	(void)state;
	make_device();
	bind_driver();
	keep_state("Initialising");
	assert_finds("driver-idle", "driver printer is bound to ");
	set(FE "/state", "2");
	assert_finds("driver-idle", "/mydevice-5-0, whose state is still Initialising");
	set(FE "/state", "5");
	assert_finds("driver-idle frontend-closing", "driver printer");
}

/* The kernel removes what was closed. */
static void a_closed_device_that_the_kernel_has_dropped(void **state)
{
	(void)state;
	set(FE "/state", "6");
	set(BE "/state", "6");
	assert_finds("closed", "frontend Closed, backend Closed");
}

static void a_driver_that_has_begun(void **state)
{
	(void)state;
	make_device();
	bind_driver();
	keep_state("Initialising");
	set(BE "/state", "2");
	assert_finds("no-frontend-driver", "frontend Initialising, backend InitWait");
}

/* Without evidence, there is no earlier device. */
static void a_kernel_that_shows_no_state(void **state)
{
	(void)state;
	make_device();
	bind_driver();
	assert_finds("driver-idle", "driver printer");
	keep_state("");
	assert_finds("driver-idle", "driver printer");
}

static void an_old_device(void **state)
{
	(void)state;
	make_device();
	bind_driver();
	keep_state("Connected");
	assert_finds("old-backend-device", "mydevice-5-0 had set Connected");
	/* With the next device, there is a new kernel device. */
	keep_state("Initialising");
	assert_finds("driver-idle", "driver printer");
}

/* Linux treats a state as set even if the write was refused. */
static void a_driver_that_failed(void **state)
{
	static const char *const kept[] = { "Closing", "Initialising" };
	size_t i;

	(void)state;
	make_device();
	bind_driver();
	set(ERR, "13 writing new state");
	for (i = 0; i < ARRAY_SIZE(kept); i++) {
		keep_state(kept[i]);
		assert_finds("backend-error", "wrote \"13 writing new state\"");
	}
}

/* Sets the state as soon as the kernel's is read. */
static void *go_on(void *data)
{
	FILE *file = fopen(in_sysfs(DEVICE "/state"), "w");

	(void)data;
	set(BE "/state", "2");
	fputs("InitWait\n", file);
	fclose(file);
	return NULL;
}

static void a_driver_that_goes_on_meanwhile(void **state)
{
	pthread_t driver;

	(void)state;
	make_device();
	bind_driver();
	assert_int_equal(mkfifo(in_sysfs(DEVICE "/state"), 0600), 0);
	assert_int_equal(pthread_create(&driver, NULL, go_on, NULL), 0);
	assert_finds("no-frontend-driver", "frontend Initialising, backend InitWait");
	assert_int_equal(pthread_join(driver, NULL), 0);
}

/* The kernel's bus is that of the local domain. */
static void a_backend_in_another_domain(void **state)
{
	(void)state;
	set("/local/domain/0/domid", "6");
	make_device();
	bind_driver();
	keep_state("Initialising");
	assert_finds("no-backend-driver", "frontend Initialising, backend Initialising");
}

static void a_local_domain_that_is_not_known(void **state)
{
	static const char *const wrong[] = { "", "zero", "32752", "0 " };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		set("/local/domain/0/domid", wrong[i]);
		assert_finds("no-backend-driver", "frontend Initialising");
	}
	assert_true(xs_rm(ctx->xs, XBT_NULL, "/local/domain/0/domid"));
	assert_finds("no-backend-driver", "frontend Initialising");
	set("/local/domain/0/domid", "0");
	assert_finds("no-backend-device", "the kernel has no ");
}

/* --- a backend that was removed, and that the kernel still has --- */

static void detach(void)
{
	const struct xensplit_id id = { 5, "mydevice", 0 };

	assert_int_equal(xensplit_detach(ctx, &id, 0, 0), 0);
}

/* How long an attach waits for the kernel, in milliseconds of the fake's clock. */
static unsigned int attach_ms(const char *backend_type, uint32_t backend_domid,
			      uint32_t devid)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	uint64_t begun = now_us();
	uint32_t got;

	opts.domid = 5;
	opts.type = "mydevice";
	opts.backend_type = backend_type;
	opts.backend_domid = backend_domid;
	opts.devid = devid;
	assert_int_equal(xensplit_attach(ctx, &opts, 0, &got), 0);
	return (unsigned int)((now_us() - begun) / 1000);
}

static void attach_waits_for_the_kernel_a_second(void **state)
{
	(void)state;
	detach();
	make_device();
	fake_calm();
	assert_in_range(attach_ms(NULL, 0, 0), 1000, 1400);
	assert_in_range(fake.pauses, 100, 250);
	detach();
	assert_int_equal(rmdir(in_sysfs(DEVICE)), 0);
	assert_in_range(attach_ms(NULL, 0, 0), 0, 400);
}

static void attach_waits_for_a_device_of_the_backends_type(void **state)
{
	(void)state;
	detach();
	make_dirs("bus/xen-backend/devices/printer-5-0");
	assert_in_range(attach_ms("printer", 0, 0), 1000, 1400);
	detach();
	assert_in_range(attach_ms(NULL, 0, 0), 0, 400);
}

/* No kernel has seen an id that was picked lately, and that of another domain is not here. */
static void attach_does_not_wait_for_the_kernel_otherwise(void **state)
{
	(void)state;
	detach();
	make_device();
	assert_in_range(attach_ms(NULL, 6, 0), 0, 400);
	detach();
	assert_in_range(attach_ms(NULL, 0, XENSPLIT_DEVID_AUTO), 0, 400);
}

/* Another client makes a device shortly before the end of the first wait. It is removed, too. */
static void a_second_replace_waits_for_the_kernel_again(void **state)
{
	struct xensplit_ctx *second = unit_ctx();
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	uint64_t begun = now_us();
	struct xensplit_op *op;
	bool made = false;
	int r;

	(void)state;
	make_device();
	fake_calm();
	fake.backend_closes = true;
	opts.domid = 5;
	opts.type = "mydevice";
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	assert_int_equal(xensplit_op_attach(ctx, &opts, 0, &op), 0);
	while ((r = xensplit_op_process(op)) == 1) {
		if (!made && now_us() > begun + 1100000) {
			assert_null(fake_value(FE, NULL)); /* it waits for the kernel */
			assert_true(xs_rm(second->xs, XBT_NULL, REC));
			assert_int_equal(rmdir(in_sysfs(DEVICE)), 0);
			opts.flags = 0;
			assert_int_equal(xensplit_attach(second, &opts, 0, NULL), 0);
			make_device();
			made = true;
		}
		sleep_until(now_us() + 10000);
	}
	assert_int_equal(r, 0);
	assert_true(made);
	assert_in_range((now_us() - begun) / 1000, 2300, 2900);
	xensplit_op_free(op);
	xensplit_free(second);
}

#define kernel_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		kernel_test(no_device),
		kernel_test(no_driver),
		kernel_test(a_module_that_is_not_loaded),
		kernel_test(no_module_has_the_alias),
		kernel_test(two_devices_without_a_driver),
		kernel_test(a_domain_without_the_bus),
		kernel_test(no_file_stays_open),
		kernel_test(the_own_domain_is_asked_for_once),
		kernel_test(a_connected_device_that_the_kernel_has_not),
		kernel_test(a_closed_device_that_the_kernel_has_dropped),
		kernel_test(a_driver_that_has_begun),
		kernel_test(an_idle_driver),
		kernel_test(a_kernel_that_shows_no_state),
		kernel_test(an_old_device),
		kernel_test(a_driver_that_failed),
		kernel_test(a_driver_that_goes_on_meanwhile),
		kernel_test(a_backend_in_another_domain),
		kernel_test(a_local_domain_that_is_not_known),
		kernel_test(attach_waits_for_the_kernel_a_second),
		kernel_test(attach_waits_for_a_device_of_the_backends_type),
		kernel_test(attach_does_not_wait_for_the_kernel_otherwise),
		kernel_test(a_second_replace_waits_for_the_kernel_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
