// SPDX-License-Identifier: GPL-2.0-or-later
/* The driver: the handshake of a small split device, and faults on request. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "xenbus.h"

static void flood(struct bus *bus, struct device *dev)
{
	unsigned long i;

	for (i = 1; i <= bus->how.flood; i++)
		if (!bus_write(bus, dev, "state", i % 2 && i < bus->how.flood ? "3" : "1",
			       1))
			break;
	bus_say(bus, dev->node, "flooded %lu", i - 1);
}

/* True: the device is spoilt, and the driver stops handling it. */
static bool spoil(struct bus *bus, struct device *dev)
{
	if (bus->how.garbage) {
		bool ok = bus_write(bus, dev, "state", bus->how.garbage,
				    bus->how.garbage_len);

		bus_say(bus, dev->node, "garbage: %s", ok ? "written" : strerror(errno));
		return true;
	}
	if (bus->how.error) {
		bus_error(bus, dev, "%s", bus->how.error);
		bus_switch_state(bus, dev, XenbusStateClosing);
		return true;
	}
	if (bus->how.flood)
		flood(bus, dev);
	return false;
}

void driver_probe(struct bus *bus, struct device *dev)
{
	if (bus->how.restored) {
		bus_say(bus, dev->node, "believes in an earlier device");
		bus->how.restored = false;
		dev->spoilt = true;
		return;
	}
	bus_say(bus, dev->node, "probe");
	dev->spoilt = spoil(bus, dev);
}

static void front_changed(struct bus *bus, struct device *dev, enum xenbus_state back)
{
	switch (back) {
	case XenbusStateInitWait:
		if (dev->state == XenbusStateInitialising)
			bus_switch_state(bus, dev, XenbusStateConnected);
		break;
	case XenbusStateClosing:
	case XenbusStateClosed:
		if (bus->how.never_close || dev->state == XenbusStateClosed)
			break;
		bus_switch_state(bus, dev, XenbusStateClosed);
		if (dev->state == XenbusStateClosed)
			bus->finished++;
		break;
	default:
		break;
	}
}

static void back_closed(struct bus *bus, struct device *dev)
{
	bus_switch_state(bus, dev, XenbusStateClosed);
	if (!bus_is_online(bus, dev))
		bus_unregister(bus, dev);
}

static void back_changed(struct bus *bus, struct device *dev, enum xenbus_state front)
{
	bool closing = front == XenbusStateUnknown || front == XenbusStateClosing ||
		       front == XenbusStateClosed;

	if (closing && bus->how.never_close)
		return;
	switch (front) {
	case XenbusStateInitialising:
		bus_switch_state(bus, dev, XenbusStateInitWait);
		break;
	case XenbusStateConnected:
		bus_switch_state(bus, dev, XenbusStateConnected);
		break;
	case XenbusStateClosing:
		bus_switch_state(bus, dev, XenbusStateClosing);
		break;
	case XenbusStateClosed:
		back_closed(bus, dev);
		break;
	case XenbusStateUnknown: /* the frontend's node is gone */
		bus_unregister(bus, dev);
		break;
	default:
		break;
	}
}

void driver_otherend_changed(struct bus *bus, struct device *dev, enum xenbus_state other)
{
	if (dev->spoilt)
		return;
	if (bus->front)
		front_changed(bus, dev, other);
	else
		back_changed(bus, dev, other);
}
