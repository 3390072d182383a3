// SPDX-License-Identifier: LGPL-2.1-or-later
/* Check that the domains of a device exist, are the recorded ones, and run. */
#include "findings.h"

struct domain_trouble {
	uint32_t flag;
	const char *code;
	const char *is;
	const char *why;
	int remedy;
};

static const struct domain_trouble domain_troubles[] = {
	{ XENSPLIT_DOMAIN_DYING, "domain-dying", "is dying", "its driver no longer runs",
	  XENSPLIT_REMEDY_NONE },
	{ XENSPLIT_DOMAIN_CRASHED, "domain-crashed", "has crashed",
	  "its driver no longer runs", XENSPLIT_REMEDY_DESTROY },
	{ XENSPLIT_DOMAIN_SHUTDOWN, "domain-shutdown", "has shut down",
	  "its driver no longer runs", XENSPLIT_REMEDY_DESTROY },
	{ XENSPLIT_DOMAIN_PAUSED, "domain-paused", "is paused",
	  "its driver can't answer until it runs again", XENSPLIT_REMEDY_UNPAUSE },
};

static int check_running(struct patient *p, uint32_t domid, bool front)
{
	uint32_t flags = 0;
	size_t i;
	int r = domid == XENSPLIT_ANY
			? 0
			: domains_flags(p->txn, &p->of->domains, domid, &flags);

	for (i = 0; !r && i < ARRAY_SIZE(domain_troubles); i++) {
		const struct domain_trouble *trouble = &domain_troubles[i];

		if (flags & trouble->flag)
			return finding_add(p, ERROR, trouble->code, trouble->why,
					   trouble->remedy | (front ? 0 : IN_BACK),
					   "domain %" PRIu32 " %s", domid, trouble->is);
	}
	return r;
}

/* 1 if the domain does not exist. */
static int check_there(struct patient *p, uint32_t domid, bool front)
{
	bool has_backend = front && p->place.backend_domid != XENSPLIT_ANY;
	int fix = XENSPLIT_REMEDY_REMOVE | (has_backend ? IN_BACK : 0);
	int r;

	if (domid == XENSPLIT_ANY)
		return 0;
	r = domains_exists(p->txn, &p->of->domains, domid);
	if (r)
		return r < 0 ? r : 0;
	r = finding_add(
		p, ERROR, "leftover",
		"a domain that is gone left it behind, and nothing else removes it",
		p->place.recorded ? XENSPLIT_REMEDY_REAP : fix,
		"domain %" PRIu32 " does not exist", domid);
	return r ? r : 1;
}

static int check_stale(struct patient *p)
{
	int r;

	if (!p->stale)
		return 0;
	r = finding_add(p, ERROR, "stale",
			"the device belongs to an earlier domain with this domid, and so "
			"do its permissions",
			XENSPLIT_REMEDY_REAP,
			"/xensplit/%" PRIu32 "/%s/%" PRIu32 " records an earlier domain",
			p->place.id.domid, p->place.id.type, p->place.id.devid);
	return r ? r : 1;
}

int check_domains(struct patient *p)
{
	int r = check_there(p, p->place.id.domid, true);

	if (!r)
		r = check_there(p, p->place.backend_domid, false);
	if (!r)
		r = check_stale(p);
	/* Only now: for a stale device, the running domain is a different one. */
	if (!r)
		r = check_running(p, p->place.id.domid, true);
	return r ? r : check_running(p, p->place.backend_domid, false);
}
