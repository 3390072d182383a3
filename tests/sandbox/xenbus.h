/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A simulated kernel's xenbus, and its driver. */
#ifndef SANDBOX_XENBUS_H
#define SANDBOX_XENBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <xenstore.h>
#include <xen/io/xenbus.h>

#define XENSTORE_PATH_SIZE 3073 /* the longest path and its NUL */

/* Faults of a driver. */
struct misbehaviour {
	int stop_at; /* never goes beyond this state; 0: no limit */
	bool never_close;
	unsigned int delay_ms; /* before each change of its state */
	const char *error;     /* written instead of connecting */
	const char *garbage;   /* likewise, to the state; @garbage_len bytes */
	size_t garbage_len;
	bool restored;	     /* ignores its first device until that vanishes */
	unsigned long flood; /* number of state changes before it continues */
};

struct device {
	struct device *next;
	char *node;	/* relative to the domain's home, as in Linux */
	char *otherend; /* NULL: not bound to the driver */
	enum xenbus_state state;
	bool spoilt; /* by its driver, which ignores it from now on */
};

struct bus {
	bool front;
	unsigned int domid;
	const char *type;
	struct misbehaviour how;
	struct xs_handle *xs;
	int stop_fd; /* readable when the driver is to end */
	struct device *devices;
	unsigned int finished; /* devices that closed or vanished */
};

int bus_start(struct bus *bus);
void bus_event(struct bus *bus);
void bus_stop(struct bus *bus);
void bus_die(struct bus *bus);

/* driver.c: what the driver does when the bus calls it */
void driver_probe(struct bus *bus, struct device *dev);
void driver_otherend_changed(struct bus *bus, struct device *dev,
			     enum xenbus_state other);

/* xenbus.c: what the bus does for the driver */
void bus_switch_state(struct bus *bus, struct device *dev, enum xenbus_state state);
void bus_error(struct bus *bus, struct device *dev, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool bus_is_online(struct bus *bus, struct device *dev);
void bus_unregister(struct bus *bus, struct device *dev);
bool bus_write(struct bus *bus, struct device *dev, const char *key, const void *value,
	       size_t len);
void bus_say(struct bus *bus, const char *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
