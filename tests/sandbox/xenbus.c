// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bus, which behaves like Linux's drivers/xen/xenbus, quirks included: which nodes become
 * devices, when devices end, and how a driver's state is written.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xenbus.h"

#define BUS_ID_SIZE 20 /* XEN_BUS_ID_SIZE, including the NUL */
#define BUS_TOKEN   "bus"

static const char *bus_root(const struct bus *bus)
{
	return bus->front ? "device" : "backend";
}

/* Number of path elements below the root: device/T/I, backend/T/D/I. */
static int bus_levels(const struct bus *bus)
{
	return bus->front ? 2 : 3;
}

void bus_say(struct bus *bus, const char *node, const char *format, ...)
{
	va_list ap;

	printf("%s %u %s: ", bus->front ? "front" : "back", bus->domid,
	       strchr(node, '/') + 1);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

static char *read_key(struct bus *bus, const char *node, const char *key)
{
	char path[XENSTORE_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", node, key);
	return xs_read(bus->xs, XBT_NULL, path, NULL);
}

static int read_number(struct bus *bus, const char *node, const char *key, int otherwise)
{
	char *text = read_key(bus, node, key);
	int number;

	if (!text || sscanf(text, "%d", &number) != 1)
		number = otherwise;
	free(text);
	return number;
}

static bool node_exists(struct bus *bus, const char *node)
{
	unsigned int count;
	char **list = xs_directory(bus->xs, XBT_NULL, node, &count);
	bool exists = list;

	free(list);
	return exists;
}

bool bus_write(struct bus *bus, struct device *dev, const char *key, const void *value,
	       size_t len)
{
	char path[XENSTORE_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", dev->node, key);
	return xs_write(bus->xs, XBT_NULL, path, value, len);
}

bool bus_is_online(struct bus *bus, struct device *dev)
{
	return read_number(bus, dev->node, "online", 0);
}

void bus_error(struct bus *bus, struct device *dev, const char *format, ...)
{
	char path[XENSTORE_PATH_SIZE], text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "error/%s/error", dev->node);
	if (!xs_write(bus->xs, XBT_NULL, path, text, strlen(text)))
		bus_say(bus, dev->node, "cannot write its error node: %s",
			strerror(errno));
	bus_say(bus, dev->node, "error: %s", text);
}

/* 1 once it is written, 0 if the node is gone. */
static int write_state(struct bus *bus, struct device *dev, enum xenbus_state state)
{
	char path[XENSTORE_PATH_SIZE], text[4];
	xs_transaction_t tx;
	bool wrote;
	char *old;
	int err;

	snprintf(path, sizeof(path), "%s/state", dev->node);
	snprintf(text, sizeof(text), "%d", state);
	do {
		tx = xs_transaction_start(bus->xs);
		if (!tx)
			return -errno;
		old = xs_read(bus->xs, tx, path, NULL);
		wrote = old && xs_write(bus->xs, tx, path, text, strlen(text));
		err = old && !wrote ? errno : 0;
		free(old);
		if (xs_transaction_end(bus->xs, tx, !wrote) || !wrote)
			return wrote ? 1 : -err;
	} while (errno == EAGAIN);
	return -errno;
}

/* The signal that ends the driver also ends its delay. */
static void delay(struct bus *bus)
{
	struct pollfd stop = { .fd = bus->stop_fd, .events = POLLIN };

	if (bus->how.delay_ms)
		poll(&stop, 1, bus->how.delay_ms);
}

void bus_switch_state(struct bus *bus, struct device *dev, enum xenbus_state state)
{
	const struct misbehaviour *how = &bus->how;
	int ret;

	if (state == dev->state || (how->stop_at && (int)state > how->stop_at))
		return;
	delay(bus);
	ret = write_state(bus, dev, state);
	if (ret > 0) {
		bus_say(bus, dev->node, "%d -> %d", dev->state, state);
		dev->state = state;
	} else if (ret < 0) {
		bus_error(bus, dev, "%d writing new state", -ret);
	}
}

static void free_device(struct device *dev)
{
	free(dev->otherend);
	free(dev->node);
	free(dev);
}

static void watch_otherend(struct bus *bus, struct device *dev, bool on)
{
	char path[XENSTORE_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/state", dev->otherend);
	if (on)
		xs_watch(bus->xs, path, dev->node);
	else
		xs_unwatch(bus->xs, path, dev->node);
}

/* The driver releases the device, and the device is removed. */
void bus_unregister(struct bus *bus, struct device *dev)
{
	struct device **where = &bus->devices;

	while (*where != dev)
		where = &(*where)->next;
	*where = dev->next;
	if (dev->otherend) {
		watch_otherend(bus, dev, false);
		if (!bus->how.never_close)
			bus_switch_state(bus, dev, XenbusStateClosed);
	}
	bus_say(bus, dev->node, "unregistered");
	bus->finished++;
	free_device(dev);
}

static void cleanup_devices(struct bus *bus, const char *path)
{
	struct device *dev = bus->devices, *next;
	size_t len = strlen(path);

	for (; dev; dev = next) {
		next = dev->next;
		if (!strncmp(dev->node, path, len) &&
		    (dev->node[len] == '/' || !dev->node[len]))
			bus_unregister(bus, dev);
	}
}

static struct device *find_device(struct bus *bus, const char *node)
{
	struct device *dev = bus->devices;

	while (dev && strcmp(dev->node, node))
		dev = dev->next;
	return dev;
}

/* T/I of the frontend, T-D-I of the backend. */
static bool bus_id_fits(struct bus *bus, const char *node)
{
	const char *id = strchr(node, '/') + 1;

	if (bus->front)
		return strlen(id) < BUS_ID_SIZE;
	return snprintf(NULL, 0, "%s-%d-%s", bus->type,
			read_number(bus, node, "frontend-id", 0),
			strrchr(node, '/') + 1) < BUS_ID_SIZE;
}

/* A backend that can't see its frontend does not become a device; a frontend does, and fails. */
static bool backend_has_frontend(struct bus *bus, const char *node)
{
	char *frontend = read_key(bus, node, "frontend");
	bool ok = frontend && *frontend &&
		  read_number(bus, node, "frontend-id", -1) >= 0 &&
		  node_exists(bus, frontend);

	free(frontend);
	return ok;
}

static bool find_otherend(struct bus *bus, struct device *dev)
{
	int id = read_number(bus, dev->node, bus->front ? "backend-id" : "frontend-id",
			     -1);

	dev->otherend = read_key(bus, dev->node, bus->front ? "backend" : "frontend");
	if (id < 0 || !dev->otherend)
		bus_error(bus, dev, "%d reading other end details from %s", ENOENT,
			  dev->node);
	else if (!*dev->otherend || !node_exists(bus, dev->otherend))
		bus_error(
			bus, dev,
			"%d unable to read other end from %s.  missing or inaccessible.",
			ENOENT, dev->node);
	else
		return true;
	bus_switch_state(bus, dev, XenbusStateClosing);
	free(dev->otherend);
	dev->otherend = NULL;
	return false;
}

static void probe_node(struct bus *bus, const char *node)
{
	int state = read_number(bus, node, "state", XenbusStateUnknown);
	struct device *dev;

	if (state != XenbusStateInitialising)
		return;
	if (!bus_id_fits(bus, node)) {
		bus_say(bus, node, "ignored: bus id of %d or more characters",
			BUS_ID_SIZE);
		return;
	}
	if (!bus->front && !backend_has_frontend(bus, node)) {
		bus_say(bus, node, "ignored: frontend missing or inaccessible");
		return;
	}
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		abort();
	dev->node = strdup(node);
	dev->state = XenbusStateInitialising;
	dev->next = bus->devices;
	bus->devices = dev;
	if (!find_otherend(bus, dev))
		return;
	driver_probe(bus, dev);
	watch_otherend(bus, dev, true);
}

/* The length of the part of @path that names a device, 0 if it is shorter. */
static size_t device_part(const struct bus *bus, const char *path)
{
	int slashes = bus_levels(bus);
	size_t len;

	for (len = 0; path[len]; len++)
		if (path[len] == '/' && slashes-- == 0)
			return len;
	return slashes == 0 ? len : 0;
}

static bool is_our_type(const struct bus *bus, const char *path)
{
	const char *type = strchr(path, '/') + 1;
	size_t len = strlen(bus->type);

	return !strncmp(type, bus->type, len) && (type[len] == '/' || !type[len]);
}

static void node_changed(struct bus *bus, const char *path)
{
	const char *slash = strchr(path, '/');
	char node[XENSTORE_PATH_SIZE];

	if (!slash || !strchr(slash + 1, '/') || !is_our_type(bus, path))
		return; /* Linux ignores paths with one slash, even on removal */
	if (!node_exists(bus, path)) {
		cleanup_devices(bus, path);
		return;
	}
	snprintf(node, sizeof(node), "%.*s", (int)device_part(bus, path), path);
	if (*node && !find_device(bus, node))
		probe_node(bus, node);
}

static void otherend_changed(struct bus *bus, const char *path, const char *node)
{
	struct device *dev = find_device(bus, node);

	if (!dev || !dev->otherend || strncmp(dev->otherend, path, strlen(dev->otherend)))
		return;
	driver_otherend_changed(
		bus, dev, read_number(bus, dev->otherend, "state", XenbusStateUnknown));
}

/* Handles all events that have arrived. */
void bus_event(struct bus *bus)
{
	char **event;

	while ((event = xs_check_watch(bus->xs))) {
		if (!strcmp(event[XS_WATCH_TOKEN], BUS_TOKEN))
			node_changed(bus, event[XS_WATCH_PATH]);
		else
			otherend_changed(bus, event[XS_WATCH_PATH],
					 event[XS_WATCH_TOKEN]);
		free(event);
	}
}

/* Finds devices older than the driver: every node at the bus's depth. */
static void scan(struct bus *bus, const char *path, int levels)
{
	unsigned int i, count = 0;
	char child[XENSTORE_PATH_SIZE];
	char **list;

	if (levels == 0) {
		node_changed(bus, path);
		return;
	}
	list = xs_directory(bus->xs, XBT_NULL, path, &count);
	for (i = 0; list && i < count; i++) {
		snprintf(child, sizeof(child), "%s/%s", path, list[i]);
		scan(bus, child, levels - 1);
	}
	free(list);
}

int bus_start(struct bus *bus)
{
	if (!xs_watch(bus->xs, bus_root(bus), BUS_TOKEN))
		return -errno;
	puts("ready");
	scan(bus, bus_root(bus), bus_levels(bus));
	return 0;
}

/* Unloads the driver. */
void bus_stop(struct bus *bus)
{
	while (bus->devices)
		bus_unregister(bus, bus->devices);
}

/* The domain died with its devices. */
void bus_die(struct bus *bus)
{
	struct device *dev;

	printf("%s %u: the domain or its store is gone\n", bus->front ? "front" : "back",
	       bus->domid);
	while ((dev = bus->devices)) {
		bus->devices = dev->next;
		free_device(dev);
	}
}
