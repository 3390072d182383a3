// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parts of a hypervisor that xenstored uses: which domains exist, the page shared with each,
 * and event channels. Both threads call these functions, so there is a lock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "shim.h"

#define MAX_PORTS	 4096
#define DIE_TIMEOUT_SECS 10

struct domain {
	struct domain *next;
	unsigned int domid;
	struct xenstore_domain_interface *page;
};

struct port {
	bool bound, pending, masked;
	unsigned int domid; /* unused for the VIRQ */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t virq_idle = PTHREAD_COND_INITIALIZER;
static struct domain *domains;	     /* sorted by domid; without dom0 */
static struct port ports[MAX_PORTS]; /* port 0 is never used, as in Xen */
static unsigned int nr_ports = 1;    /* number of ports ever bound, including 0 */
static unsigned int virq_port;
static int events_fd = -1; /* counts the ports that are pending and not masked */

int xen_start(void)
{
	events_fd = eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK);
	return events_fd < 0 ? -1 : 0;
}

int xen_events_fd(void)
{
	return events_fd;
}

static struct domain **find_domain(unsigned int domid)
{
	struct domain **d = &domains;

	while (*d && (*d)->domid < domid)
		d = &(*d)->next;
	return d;
}

/* The first domain with an id of at least @first. */
bool xen_domain_find(unsigned int first, unsigned int *ret_domid)
{
	struct domain *d;

	*ret_domid = 0;
	if (first == 0)
		return true;
	pthread_mutex_lock(&lock);
	d = *find_domain(first);
	if (d)
		*ret_domid = d->domid;
	pthread_mutex_unlock(&lock);
	return d;
}

static struct domain *get_domain(unsigned int domid)
{
	struct domain *d = *find_domain(domid);

	return d && d->domid == domid ? d : NULL;
}

struct xenstore_domain_interface *xen_domain_page(unsigned int domid)
{
	struct xenstore_domain_interface *page;
	struct domain *d;

	pthread_mutex_lock(&lock);
	d = get_domain(domid);
	page = d ? d->page : NULL;
	pthread_mutex_unlock(&lock);
	return page;
}

int xen_domain_new(unsigned int domid)
{
	struct domain **where, *d = calloc(1, sizeof(*d));
	int ret = 0;

	if (!d)
		return -ENOMEM;
	d->domid = domid;
	d->page = calloc(1, sizeof(*d->page));
	if (!d->page) {
		free(d);
		return -ENOMEM;
	}
	pthread_mutex_lock(&lock);
	where = find_domain(domid);
	if (domid == 0 || (*where && (*where)->domid == domid)) {
		ret = -EEXIST;
	} else {
		d->next = *where;
		*where = d;
	}
	pthread_mutex_unlock(&lock);
	if (ret < 0) {
		free(d->page);
		free(d);
	}
	return ret;
}

static void count_up(void)
{
	uint64_t one = 1;

	if (write(events_fd, &one, sizeof(one)) < 0)
		abort(); /* 2^64 ports cannot be pending */
}

static void count_down(void)
{
	uint64_t one;

	if (read(events_fd, &one, sizeof(one)) < 0)
		abort(); /* only reached with a port counted */
}

static void raise_port(struct port *p)
{
	if (!p->bound || p->pending)
		return;
	p->pending = true;
	if (!p->masked)
		count_up();
}

/*
 * Removes the domain and returns when xenstored has noticed: its VIRQ handler has finished, and
 * the page is no longer in use.
 */
int xen_domain_die(unsigned int domid)
{
	struct domain **where, *d;
	struct timespec until;
	struct port *virq;
	int ret = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DIE_TIMEOUT_SECS;

	pthread_mutex_lock(&lock);
	where = find_domain(domid);
	d = *where;
	if (!d || d->domid != domid) {
		pthread_mutex_unlock(&lock);
		return -ESRCH;
	}
	*where = d->next;
	virq = &ports[virq_port];
	raise_port(virq);
	while (ret == 0 && (virq->pending || virq->masked))
		ret = pthread_cond_timedwait(&virq_idle, &lock, &until);
	pthread_mutex_unlock(&lock);
	if (ret)
		return -ret; /* xenstored hangs and may still write to the page: keep it */
	free(d->page);
	free(d);
	return 0;
}

static int bind_port(unsigned int domid)
{
	unsigned int port;

	for (port = 1; port < nr_ports && ports[port].bound; port++)
		;
	if (port == MAX_PORTS) {
		errno = ENOSPC;
		return -1;
	}
	if (port == nr_ports)
		nr_ports++;
	ports[port] = (struct port){ .bound = true, .domid = domid };
	return port;
}

int xen_port_bind(unsigned int domid)
{
	int port;

	pthread_mutex_lock(&lock);
	port = bind_port(domid);
	pthread_mutex_unlock(&lock);
	return port;
}

int xen_port_bind_virq(void)
{
	int port;

	pthread_mutex_lock(&lock);
	port = bind_port(0);
	if (port > 0)
		virq_port = port;
	pthread_mutex_unlock(&lock);
	return port;
}

static struct port *get_port(unsigned int port)
{
	if (port == 0 || port >= nr_ports || !ports[port].bound) {
		errno = EINVAL;
		return NULL;
	}
	return &ports[port];
}

int xen_port_unbind(unsigned int port)
{
	struct port *p;

	pthread_mutex_lock(&lock);
	p = get_port(port);
	if (p) {
		if (p->pending && !p->masked)
			count_down();
		p->bound = false;
	}
	pthread_mutex_unlock(&lock);
	return p ? 0 : -1;
}

/* The lowest pending port; masked until xenstored has handled it. */
int xen_port_take(void)
{
	int ret = -1;
	unsigned int i;

	errno = EAGAIN;
	pthread_mutex_lock(&lock);
	for (i = 1; i < nr_ports; i++) {
		struct port *p = &ports[i];

		if (!p->bound || !p->pending || p->masked)
			continue;
		p->pending = false;
		p->masked = true;
		count_down();
		ret = i;
		break;
	}
	pthread_mutex_unlock(&lock);
	return ret;
}

int xen_port_unmask(unsigned int port)
{
	struct port *p;

	pthread_mutex_lock(&lock);
	p = get_port(port);
	if (p && p->masked) {
		p->masked = false;
		if (p->pending)
			count_up();
		else if (port == virq_port)
			pthread_cond_signal(&virq_idle);
	}
	pthread_mutex_unlock(&lock);
	return 0; /* its own handler may have unbound the port */
}

/* xenstored notifies a domain that its rings changed. */
int xen_port_notify(unsigned int port)
{
	struct port *p;

	pthread_mutex_lock(&lock);
	p = get_port(port);
	pthread_mutex_unlock(&lock);
	if (!p)
		return -1;
	loop_wake();
	return 0;
}

/* A domain notifies xenstored that its rings changed. */
void xen_domain_notify(unsigned int domid)
{
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 1; i < nr_ports; i++)
		if (ports[i].bound && i != virq_port && ports[i].domid == domid)
			raise_port(&ports[i]);
	pthread_mutex_unlock(&lock);
}
