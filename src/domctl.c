// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The one file that calls libxenctrl: its ABI changes with every release of Xen, and the calls
 * here have had the same prototype since 4.11.
 */
#include <errno.h>
#include <string.h>
#include <xenctrl.h>
#include <xentoollog.h>

#include "domctl.h"

static void drop_message(struct xentoollog_logger *logger, xentoollog_level level,
			 int errnoval, const char *context, const char *format,
			 va_list args)
{
	(void)logger, (void)level, (void)errnoval, (void)context, (void)format,
		(void)args;
}

/* libxenctrl calls it an error that this domain may not make hypercalls; here it is none. */
static struct xentoollog_logger silent = { .vmessage = drop_message };

static xc_interface *xc;
static int open_failed;

static int domctl_open(struct xentoollog_logger *logger)
{
	if (xc)
		return 0;
	if (!open_failed) {
		xc = xc_interface_open(&silent, &silent, 0);
		if (xc)
			return 0;
		open_failed = 1;
		xtl_log(logger, XTL_DEBUG, errno, NULL,
			"Xen can't be asked about domains, XenStore is");
	}
	return -EOPNOTSUPP;
}

void domctl_close(void)
{
	if (xc)
		xc_interface_close(xc);
	xc = NULL;
}

static int domctl_query(void *logger, uint32_t domid, struct xensplit_domain *domain)
{
	xc_domaininfo_t info;
	int r;

	r = domctl_open(logger);
	if (r)
		return r;

	r = xc_domain_getinfolist(xc, domid, 1, &info);
	if (r < 0)
		return errno == ESRCH ? -ESRCH : -EOPNOTSUPP;
	if (r == 0 || info.domain != domid) /* it finds the next one that there is */
		return -ESRCH;

	if (info.flags & XEN_DOMINF_paused)
		domain->flags |= XENSPLIT_DOMAIN_PAUSED;
	if (info.flags & XEN_DOMINF_dying)
		domain->flags |= XENSPLIT_DOMAIN_DYING;
	if (info.flags & XEN_DOMINF_shutdown) {
		domain->flags |= XENSPLIT_DOMAIN_SHUTDOWN;
		if (((info.flags >> XEN_DOMINF_shutdownshift) &
		     XEN_DOMINF_shutdownmask) == SHUTDOWN_crash)
			domain->flags |= XENSPLIT_DOMAIN_CRASHED;
	}
	memcpy(domain->uuid, info.handle, sizeof(domain->uuid));
	return 0;
}

const struct xensplit_hypervisor domctl = {
	.sz = sizeof(domctl),
	.query = domctl_query,
};
