/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the parts of shim.so. There are two threads: xenstored's only thread, which calls the
 * functions of shim.c, and the shim's own, which runs the loop of shim-loop.c. Data used by both
 * is in shim-xen.c and protected by its lock.
 */
#ifndef SANDBOX_SHIM_H
#define SANDBOX_SHIM_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/io/xs_wire.h>

/* shim-xen.c: domains and event channels, as far as xenstored can see them */
int xen_start(void);
int xen_events_fd(void);
bool xen_domain_find(unsigned int first, unsigned int *ret_domid);
struct xenstore_domain_interface *xen_domain_page(unsigned int domid);
int xen_domain_new(unsigned int domid);
int xen_domain_die(unsigned int domid);
int xen_port_bind(unsigned int domid);
int xen_port_bind_virq(void);
int xen_port_unbind(unsigned int port);
int xen_port_take(void);
int xen_port_unmask(unsigned int port);
int xen_port_notify(unsigned int port);
void xen_domain_notify(unsigned int domid);

/* shim-loop.c: the shim's own thread */
struct source {
	int fd;
	uint32_t events;
	void (*ready)(struct source *src, uint32_t events);
};

int loop_start(void);
void loop_wake(void);
int loop_add(struct source *src, int fd, void (*ready)(struct source *, uint32_t));
void loop_want(struct source *src, uint32_t events);
void loop_remove(struct source *src);
int loop_listen(const char *name, int type);
void loop_unlisten(struct source *src, const char *name);

/* shim-control.c: the commands of xensplit-sandbox */
int control_start(void);

/* shim-guest.c: sockets whose clients are the guest */
int guest_serve(unsigned int domid);
void guest_gone(unsigned int domid);
void guests_pump(void);

#endif
