// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <unistd.h>
#include <xentoollog.h>

#include "domctl.h"
#include "hypervisor.h"
#include "plugin.h"
#include "xensplit.h"

static const struct domctl_plugin *domctl;
static int open_failed;

/* Checks for the device that libxenctrl opens. Returns: 0 or a negative errno. */
static int privcmd_find(void)
{
	if (!access("/dev/xen/privcmd", F_OK) || !access("/proc/xen/privcmd", F_OK))
		return 0;
	return -errno;
}

static int hypervisor_open(struct xentoollog_logger *logger)
{
	const struct domctl_plugin *plugin;
	int err;

	if (domctl)
		return 0;
	if (open_failed)
		return -EOPNOTSUPP;
	/* libxenctrl needs a dozen libraries: load it only if it can work. */
	err = privcmd_find();
	if (!err) {
		plugin = plugin_load("domctl");
		err = plugin->open();
		if (!err) {
			domctl = plugin;
			return 0;
		}
	}
	open_failed = 1;
	xtl_log(logger, XTL_DEBUG, -err, NULL,
		"Xen can't be asked about domains, XenStore is");
	return -EOPNOTSUPP;
}

static int hypervisor_query(void *logger, uint32_t domid, struct xensplit_domain *domain)
{
	int err = hypervisor_open(logger);

	return err ? err : domctl->query(domid, domain);
}

void hypervisor_close(void)
{
	if (domctl)
		domctl->close();
	domctl = NULL;
}

const struct xensplit_hypervisor hypervisor = {
	.sz = sizeof(hypervisor),
	.query = hypervisor_query,
};
