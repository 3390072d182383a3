// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How to write a backend as a program.
 *
 * echo-backend [TYPE] serves the protocol of modules/include/myecho.h, for all devices whose backend
 * is in this domain, dom0 or a driver domain. Attach with:
 *
 *   xensplit attach GUEST myecho --backend-type TYPE
 *
 * TYPE is myechod unless given; with another type than the driver's, both serve side by side. The
 * frontend's driver can't tell one from the other. A driver domain may not read xensplit's records,
 * so devices are found by a watch on its own backend directory.
 *
 * One poll loop: for XenStore, which reports devices and states, and for events of all rings. The
 * guest can write its nodes and its ring at any time: each value is read once, checked, and used
 * from the copy. Nobody waits for anybody: a guest that is busy gets one batch, then the next.
 */
/* needs: xenevtchn xengnttab */

/* Xen's headers: as of 3.2.8, where the ring's macros take the barriers below. */
#define __XEN_INTERFACE_VERSION__ 0x00030208

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#define xen_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include <xen/grant_table.h>
#include <xen/io/ring.h>

#include <xensplit.h>

#include "../modules/include/myecho.h"

#define BATCH 16

struct device {
	struct device *next;
	uint32_t domid, devid;
	char back[64],
		front[64]; /* their directories; relative to this domain, absolute */
	char token[32];	   /* of the watch on the frontend's state */
	bool seen;	   /* in the last scan */
	int state;	   /* ours */
	bool upper;

	struct myecho_back_ring ring;
	void *shared; /* the ring, mapped; NULL: not */
	uint32_t pages;
	int port;  /* -1: none */
	bool busy; /* there may be requests, and its event is masked */
};

static struct xs_handle *xs;
static xenevtchn_handle *events;
static xengnttab_handle *grants;
static const char *type = "myechod";
static struct device *devices;
static volatile sig_atomic_t stop;

static unsigned char data[BATCH][MYECHO_DATA_SIZE] __attribute__((aligned(4096)));

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* ---- XenStore */

/* Returns the value of DIRECTORY/KEY, to be freed, or NULL. */
static char *get(const char *directory, const char *key)
{
	char *path, *value;

	if (asprintf(&path, "%s/%s", directory, key) < 0)
		return NULL;
	value = xs_read(xs, XBT_NULL, path, NULL);
	free(path);
	return value;
}

/* Returns whether it is there and a decimal number. */
static bool get_number(const char *directory, const char *key, uint32_t *ret_number)
{
	char *text = get(directory, key), *end = NULL;
	unsigned long number = 0;
	bool ok;

	errno = 0;
	ok = text && isdigit((unsigned char)*text);
	if (ok)
		number = strtoul(text, &end, 10);
	ok = ok && !errno && !*end && number <= UINT32_MAX;
	free(text);
	if (ok)
		*ret_number = (uint32_t)number;
	return ok;
}

static bool put_number(xs_transaction_t t, const char *directory, const char *key,
		       int number)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), "%s/%s", directory, key);
	snprintf(text, sizeof(text), "%d", number);
	return xs_write(xs, t, path, text, (unsigned int)strlen(text));
}

/* Not if the toolstack has removed the device: a write would make half of it again. */
static void set_state(struct device *device, int state)
{
	char path[128], *now;
	xs_transaction_t t;
	bool ok;

	if (device->state == state)
		return;
	snprintf(path, sizeof(path), "%s/state", device->back);
	do {
		t = xs_transaction_start(xs);
		if (t == XBT_NULL)
			return;
		now = xs_read(xs, t, path, NULL);
		ok = now && put_number(t, device->back, "state", state);
		if (ok && state == XENSPLIT_STATE_INIT_WAIT)
			ok = put_number(t, device->back, "max-ring-pages",
					MYECHO_MAX_RING_PAGES);
		free(now);
	} while (!xs_transaction_end(xs, t, !ok) && errno == EAGAIN);
	device->state = state;
	printf("%s/%" PRIu32 " of domain %" PRIu32 ": %s\n", type, device->devid,
	       device->domid, xensplit_state_name(state));
}

static bool is_online(const struct device *device)
{
	uint32_t online;

	return get_number(device->back, "online", &online) && online;
}

static void fail(struct device *device, const char *what)
{
	fprintf(stderr, "%s/%" PRIu32 " of domain %" PRIu32 ": %s\n", type, device->devid,
		device->domid, what);
	set_state(device, XENSPLIT_STATE_CLOSING);
}

/* ---- requests */

/* Between our pages and the guest's, for each request that is in order so far. */
static void copy(struct device *device, const struct myecho_request *reqs,
		 int16_t *status, unsigned int count, bool in)
{
	xengnttab_grant_copy_segment_t segments[BATCH] = { 0 };
	unsigned int which[BATCH], used = 0, i;

	for (i = 0; i < count; i++) {
		xengnttab_grant_copy_segment_t *segment = &segments[used];

		if (status[i] != MYECHO_OK)
			continue;
		which[used++] = i;
		segment->len = (uint16_t)reqs[i].length;
		segment->flags = in ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
		if (in) {
			segment->source.virt = data[i];
			segment->dest.foreign.ref = reqs[i].in;
			segment->dest.foreign.domid = (uint16_t)device->domid;
		} else {
			segment->source.foreign.ref = reqs[i].out;
			segment->source.foreign.domid = (uint16_t)device->domid;
			segment->dest.virt = data[i];
		}
	}
	if (used && xengnttab_grant_copy(grants, used, segments)) {
		for (i = 0; i < used; i++)
			segments[i].status = GNTST_general_error;
	}
	for (i = 0; i < used; i++) {
		if (segments[i].status != GNTST_okay)
			status[which[i]] = MYECHO_NOT_THERE;
	}
}

static void respond(struct device *device, const struct myecho_request *reqs,
		    const int16_t *status, unsigned int count)
{
	struct myecho_back_ring *ring = &device->ring;
	struct myecho_response *rsp;
	unsigned int i;
	int notify;

	for (i = 0; i < count; i++) {
		rsp = RING_GET_RESPONSE(ring, ring->rsp_prod_pvt);
		rsp->id = reqs[i].id;
		rsp->status = status[i];
		rsp->length = status[i] == MYECHO_OK ? reqs[i].length : 0;
		ring->rsp_prod_pvt++;
	}
	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(ring, notify);
	if (notify)
		xenevtchn_notify(events, (evtchn_port_t)device->port);
}

static void work(struct device *device, const struct myecho_request *reqs,
		 unsigned int count)
{
	unsigned int i, pos;

	for (i = 0; device->upper && i < count; i++) {
		for (pos = 0; pos < reqs[i].length && pos < MYECHO_DATA_SIZE; pos++) {
			if (isascii(data[i][pos]))
				data[i][pos] = (unsigned char)toupper(data[i][pos]);
		}
	}
}

/* Serves one batch. Afterwards the device is busy if there may be more. */
static void serve(struct device *device)
{
	struct myecho_back_ring *ring = &device->ring;
	struct myecho_request reqs[BATCH];
	int16_t status[BATCH];
	unsigned int count = 0;
	RING_IDX prod;
	int more;

	prod = *(volatile RING_IDX *)&ring->sring->req_prod;
	xen_rmb();
	if (RING_REQUEST_PROD_OVERFLOW(ring, prod)) {
		/* Its event stays masked: nobody looks into that ring again. */
		device->busy = false;
		fail(device, "the frontend sent more requests than the ring holds");
		return;
	}
	for (; count < BATCH && ring->req_cons != prod; count++) {
		RING_COPY_REQUEST(ring, ring->req_cons, &reqs[count]);
		ring->req_cons++;
		status[count] = MYECHO_BAD;
		if (!reqs[count].zero && reqs[count].length &&
		    reqs[count].length <= MYECHO_DATA_SIZE)
			status[count] = MYECHO_OK;
	}
	if (count) {
		copy(device, reqs, status, count, false);
		work(device, reqs, count);
		copy(device, reqs, status, count, true);
		respond(device, reqs, status, count);
		return;
	}
	RING_FINAL_CHECK_FOR_REQUESTS(ring, more);
	if (!more) {
		device->busy = false;
		xenevtchn_unmask(events, (evtchn_port_t)device->port);
	}
}

/* An event has arrived; the kernel masked it until xenevtchn_unmask(). */
static void on_event(void)
{
	xenevtchn_port_or_error_t port = xenevtchn_pending(events);
	struct device *device;

	for (device = devices; port >= 0 && device; device = device->next) {
		if (device->port == port)
			device->busy = true;
	}
}

/* ---- connecting */

/* May run twice. */
static void disconnect(struct device *device)
{
	if (device->port >= 0)
		xenevtchn_unbind(events, (evtchn_port_t)device->port);
	device->port = -1;
	device->busy = false;
	if (device->shared)
		xengnttab_unmap(grants, device->shared, device->pages);
	device->shared = NULL;
}

static bool map_ring(struct device *device)
{
	uint32_t refs[MYECHO_MAX_RING_PAGES], i;
	char key[32];

	if (!get_number(device->front, "num-ring-pages", &device->pages) ||
	    !device->pages || device->pages > MYECHO_MAX_RING_PAGES)
		return false;
	for (i = 0; i < device->pages; i++) {
		snprintf(key, sizeof(key), "ring-ref%" PRIu32, i);
		if (!get_number(device->front, key, &refs[i]))
			return false;
	}
	device->shared = xengnttab_map_domain_grant_refs(
		grants, device->pages, device->domid, refs, PROT_READ | PROT_WRITE);
	if (!device->shared)
		return false;
	BACK_RING_INIT(&device->ring, (struct myecho_sring *)device->shared,
		       (size_t)device->pages * MYECHO_DATA_SIZE);
	return true;
}

static void read_features(struct device *device)
{
	char *offered = get(device->back, "features");
	char *used = get(device->front, "features-used");

	device->upper = myecho_has_word(offered, MYECHO_FEATURE_UPPER) &&
			myecho_has_word(used, MYECHO_FEATURE_UPPER);
	free(offered);
	free(used);
}

static void connect_to_front(struct device *device)
{
	uint32_t port;

	disconnect(device);
	read_features(device);
	if (map_ring(device) && get_number(device->front, "event-channel", &port))
		device->port = xenevtchn_bind_interdomain(events, device->domid, port);
	if (device->port < 0) {
		disconnect(device);
		fail(device, "the frontend shares no ring or no event channel");
		return;
	}
	/* Whether or not there was an event before. */
	device->busy = true;
	set_state(device, XENSPLIT_STATE_CONNECTED);
}

static void wait_for_front(struct device *device)
{
	disconnect(device);
	set_state(device, XENSPLIT_STATE_INIT_WAIT);
}

/* The same as the driver does: modules/myechoback/main.c. */
static void on_front_state(struct device *device)
{
	uint32_t state;

	if (!get_number(device->front, "state", &state))
		state = XENSPLIT_STATE_UNKNOWN;
	switch (state) {
	case XENSPLIT_STATE_INITIALISING:
		if (device->state != XENSPLIT_STATE_INIT_WAIT && is_online(device))
			wait_for_front(device);
		break;
	case XENSPLIT_STATE_INITIALISED:
		if (device->state == XENSPLIT_STATE_INIT_WAIT)
			connect_to_front(device);
		break;
	case XENSPLIT_STATE_CLOSING:
		disconnect(device);
		set_state(device, XENSPLIT_STATE_CLOSING);
		break;
	case XENSPLIT_STATE_CLOSED:
		if (device->state == XENSPLIT_STATE_INIT_WAIT && is_online(device))
			break;
		disconnect(device);
		set_state(device, XENSPLIT_STATE_CLOSED);
		break;
	case XENSPLIT_STATE_UNKNOWN:
		disconnect(device);
		break;
	default:
		break;
	}
}

/* ---- finding devices */

static struct device *find(uint32_t domid, uint32_t devid)
{
	struct device *device = devices;

	while (device && (device->domid != domid || device->devid != devid))
		device = device->next;
	return device;
}

static void forget(struct device *device)
{
	struct device **link = &devices;
	char path[128];

	while (*link != device)
		link = &(*link)->next;
	*link = device->next;
	disconnect(device);
	snprintf(path, sizeof(path), "%s/state", device->front);
	xs_unwatch(xs, path, device->token);
	free(device);
}

/* The toolstack wrote it, not the guest; even so it must be in that guest's directory. */
static bool read_front(struct device *device)
{
	char home[64], *front = get(device->back, "frontend");
	size_t length = front ? strlen(front) : 0;
	bool ok;

	snprintf(home, sizeof(home), "/local/domain/%" PRIu32 "/device/", device->domid);
	ok = front && !strncmp(front, home, strlen(home)) &&
	     length < sizeof(device->front);
	if (ok)
		memcpy(device->front, front, length + 1);
	free(front);
	return ok;
}

/* The toolstack made it, or a former run of this program was killed while it served it. */
static void add(uint32_t domid, uint32_t devid)
{
	struct device *device = calloc(1, sizeof(*device));
	char path[128];

	if (!device)
		return;
	device->domid = domid;
	device->devid = devid;
	device->port = -1;
	device->seen = true;
	snprintf(device->back, sizeof(device->back), "backend/%s/%" PRIu32 "/%" PRIu32,
		 type, domid, devid);
	snprintf(device->token, sizeof(device->token), "%" PRIu32 "/%" PRIu32, domid,
		 devid);
	if (!read_front(device)) {
		free(device);
		return;
	}
	device->next = devices;
	devices = device;
	if (is_online(device))
		wait_for_front(device);
	/* Reports the state that is there at once. */
	snprintf(path, sizeof(path), "%s/state", device->front);
	xs_watch(xs, path, device->token);
}

static bool name_to_number(const char *name, uint32_t *ret_number)
{
	char *end;

	*ret_number = (uint32_t)strtoul(name, &end, 10);
	return isdigit((unsigned char)*name) && !*end;
}

static void scan_domain(const char *directory, uint32_t domid)
{
	unsigned int count = 0, i;
	char **names = xs_directory(xs, XBT_NULL, directory, &count);
	struct device *device;
	char path[128], *state;
	uint32_t devid;

	for (i = 0; names && i < count; i++) {
		snprintf(path, sizeof(path), "%s/%.20s", directory, names[i]);
		state = get(path, "state");
		if (state && name_to_number(names[i], &devid)) {
			device = find(domid, devid);
			if (device)
				device->seen = true;
			else
				add(domid, devid);
		}
		free(state);
	}
	free(names);
}

/* Something has changed below backend/TYPE. */
static void scan(void)
{
	char path[64];
	unsigned int count = 0, i;
	struct device *device, *next;
	char **names;
	uint32_t domid;

	for (device = devices; device; device = device->next)
		device->seen = false;
	snprintf(path, sizeof(path), "backend/%s", type);
	names = xs_directory(xs, XBT_NULL, path, &count);
	for (i = 0; names && i < count; i++) {
		snprintf(path, sizeof(path), "backend/%s/%.10s", type, names[i]);
		if (name_to_number(names[i], &domid))
			scan_domain(path, domid);
	}
	free(names);
	for (device = devices; device; device = next) {
		next = device->next;
		if (!device->seen)
			forget(device);
	}
}

static void on_xenstore(void)
{
	uint32_t domid, devid;
	struct device *device;
	char **event;

	while ((event = xs_check_watch(xs))) {
		if (sscanf(event[XS_WATCH_TOKEN], "%" SCNu32 "/%" SCNu32, &domid,
			   &devid) == 2) {
			device = find(domid, devid);
			if (device)
				on_front_state(device);
		} else {
			scan();
		}
		free(event);
	}
}

/* ---- the loop */

static bool serve_all(void)
{
	struct device *device;
	bool busy = false;

	for (device = devices; device; device = device->next) {
		if (device->busy)
			serve(device);
		busy |= device->busy;
	}
	return busy;
}

static void loop(const sigset_t *signals)
{
	struct pollfd fds[] = {
		{ .fd = xs_fileno(xs), .events = POLLIN },
		{ .fd = xenevtchn_fd(events), .events = POLLIN },
	};
	const struct timespec at_once = { 0 };

	while (!stop) {
		bool busy = serve_all();

		fflush(stdout);
		if (ppoll(fds, 2, busy ? &at_once : NULL, signals) < 0)
			continue;
		if (fds[1].revents)
			on_event();
		if (fds[0].revents)
			on_xenstore();
	}
}

/* As when a driver is unbound: the frontends wait until somebody serves them again. */
static void close_all(void)
{
	while (devices) {
		disconnect(devices);
		set_state(devices, XENSPLIT_STATE_CLOSED);
		forget(devices);
	}
}

/* Signals arrive only in ppoll(). Before the first watch, whose thread inherits that. */
static void block_signals(sigset_t *ret_before)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, ret_before);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

int main(int argc, char **argv)
{
	sigset_t signals;
	char path[64];

	if (argc > 1)
		type = argv[1];
	if (argc > 2 || strlen(type) > 20) {
		fputs("usage: echo-backend [TYPE]\n", stderr);
		return EXIT_FAILURE;
	}
	block_signals(&signals);
	xs = xs_open(0);
	events = xenevtchn_open(NULL, 0);
	grants = xengnttab_open(NULL, 0);
	if (!xs || !events || !grants) {
		fprintf(stderr, "can't reach %s: %s\n",
			!xs	  ? "XenStore"
			: !events ? "event channels"
				  : "grants",
			strerror(errno));
		return EXIT_FAILURE;
	}
	snprintf(path, sizeof(path), "backend/%s", type);
	if (!xs_watch(xs, path, "devices")) {
		fprintf(stderr, "can't watch %s: %s\n", path, strerror(errno));
		return EXIT_FAILURE;
	}
	loop(&signals);
	close_all();
	xengnttab_close(grants);
	xenevtchn_close(events);
	xs_close(xs);
	return EXIT_SUCCESS;
}
