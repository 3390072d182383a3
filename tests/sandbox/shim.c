// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All symbols in shim.so that override xenstored's libraries. If a new release of Xen needs more,
 * add them here.
 */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#include "shim.h"

#define EXPORT __attribute__((visibility("default")))

/* The handles are opaque to xenstored: any address except NULL will do. */
static char handle;

/* libxenctrl: which domains exist */

EXPORT xc_interface *xc_interface_open(xentoollog_logger *logger,
				       xentoollog_logger *dombuild_logger,
				       unsigned int open_flags)
{
	(void)logger;
	(void)dombuild_logger;
	(void)open_flags;
	return (xc_interface *)&handle;
}

EXPORT int xc_interface_close(xc_interface *xch)
{
	(void)xch;
	return 0;
}

#ifdef HAVE_GETINFO_SINGLE
EXPORT int xc_domain_getinfo_single(xc_interface *xch, uint32_t domid,
				    xc_domaininfo_t *info)
{
	unsigned int found;

	(void)xch;
	if (!xen_domain_find(domid, &found) || found != domid) {
		errno = ESRCH;
		return -1;
	}
	memset(info, 0, sizeof(*info));
	info->domain = domid;
	return 0;
}
#else
EXPORT int xc_domain_getinfo(xc_interface *xch, uint32_t first_domid,
			     unsigned int max_doms, xc_dominfo_t *info)
{
	unsigned int n, domid;

	(void)xch;
	for (n = 0; n < max_doms && xen_domain_find(first_domid, &domid); n++) {
		memset(&info[n], 0, sizeof(info[n]));
		info[n].domid = domid;
		first_domid = domid + 1;
	}
	return n;
}
#endif

/* libxenevtchn: how xenstored and domains notify each other */

EXPORT xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger,
					unsigned int open_flags)
{
	(void)logger;
	(void)open_flags;
	if (xen_start() < 0 || loop_start() < 0 || control_start() < 0)
		return NULL;
	return (xenevtchn_handle *)&handle;
}

EXPORT xenevtchn_handle *xenevtchn_fdopen(struct xentoollog_logger *logger, int fd,
					  unsigned int open_flags)
{
	(void)logger;
	(void)fd;
	(void)open_flags;
	errno = ENOSYS; /* only called by a live update */
	return NULL;
}

EXPORT int xenevtchn_fd(xenevtchn_handle *xce)
{
	(void)xce;
	return xen_events_fd();
}

/* The first notification is to dom0, at the end of xenstored's start: its sockets are open. */
static void say_ready(void)
{
	static bool said;

	if (!said && write(STDOUT_FILENO, "ready\n", 6) < 0)
		perror("shim: cannot say that xenstored is ready");
	said = true;
}

EXPORT int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	say_ready();
	return xen_port_notify(port);
}

EXPORT xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce,
							    uint32_t domid,
							    evtchn_port_t remote_port)
{
	(void)xce;
	(void)remote_port;
	return xen_port_bind(domid);
}

EXPORT xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce,
						     unsigned int virq)
{
	(void)xce;
	(void)virq;
	return xen_port_bind_virq();
}

EXPORT xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
	(void)xce;
	return xen_port_take();
}

EXPORT int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	return xen_port_unbind(port);
}

EXPORT int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	return xen_port_unmask(port);
}

/* libxengnttab: the page that carries a domain's rings */

EXPORT xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger,
					unsigned int open_flags)
{
	(void)logger;
	(void)open_flags;
	return (xengnttab_handle *)&handle;
}

EXPORT int xengnttab_close(xengnttab_handle *xgt)
{
	(void)xgt;
	return 0;
}

EXPORT int xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t nr_grants)
{
	(void)xgt;
	(void)nr_grants;
	return 0;
}

EXPORT void *xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref,
				     int prot)
{
	void *page = xen_domain_page(domid);

	(void)xgt;
	(void)ref;
	(void)prot;
	if (!page)
		errno = ESRCH;
	return page;
}

EXPORT int xengnttab_unmap(xengnttab_handle *xgt, void *start_address, uint32_t count)
{
	(void)xgt;
	(void)start_address; /* the page belongs to its domain */
	(void)count;
	return 0;
}

/* libc: dom0's event channel and ring page, two files in Linux */

static int open_fake(const char *name, const char *text, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (pwrite(fd, text, strlen(text), 0) < 0 || ftruncate(fd, size) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_redirected(const char *path, int flags, mode_t mode)
{
	if (!strcmp(path, "/proc/xen/xsd_port"))
		return open_fake("xsd_port", "1", 1);
	if (!strcmp(path, "/proc/xen/xsd_kva"))
		return open_fake("xsd_kva", "", sysconf(_SC_PAGESIZE));
	return openat(AT_FDCWD, path, flags, mode);
}

static mode_t open_mode(int flags, va_list ap)
{
	return flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? va_arg(ap, mode_t) : 0;
}

EXPORT int open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = open_mode(flags, ap);
	va_end(ap);
	return open_redirected(path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = open_mode(flags, ap);
	va_end(ap);
	return open_redirected(path, flags, mode);
}
