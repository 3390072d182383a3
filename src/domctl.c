// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The only file that calls libxenctrl. Its ABI changes with every release of Xen, but the
 * prototypes of these calls have not changed since 4.11.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <xenctrl.h>
#include <xentoollog.h>

#include "domctl.h"
#include "plugin.h"
#include "xensplit.h"

static void drop_message(struct xentoollog_logger *logger, xentoollog_level level,
			 int errnoval, const char *context, const char *format,
			 va_list args)
{
	(void)logger, (void)level, (void)errnoval, (void)context, (void)format,
		(void)args;
}

/* libxenctrl logs an error if this domain may not make hypercalls; that is no error here. */
static struct xentoollog_logger silent = { .vmessage = drop_message };

static xc_interface *xc;

static int domctl_open(void)
{
	xc = xc_interface_open(&silent, &silent, 0);
	return xc ? 0 : -(errno ? errno : EIO);
}

static void domctl_close(void)
{
	xc_interface_close(xc);
}

static int domctl_query(uint32_t domid, struct xensplit_domain *domain)
{
	xc_domaininfo_t info;
	int r;

	r = xc_domain_getinfolist(xc, domid, 1, &info);
	if (r < 0)
		return errno == ESRCH ? -ESRCH : -EOPNOTSUPP;
	if (r == 0 || info.domain != domid) /* it returns the next existing domain */
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

PLUGIN_EXPORT const struct domctl_plugin xensplit_plugin = {
	.version = XENSPLIT_VERSION,
	.open = domctl_open,
	.query = domctl_query,
	.close = domctl_close,
};
