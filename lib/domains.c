// SPDX-License-Identifier: LGPL-2.1-or-later
/* Cached answers about domains, as each may have many devices. */
#include "schema.h"

struct known_domain {
	bool compared; /* with @recorded; the result is below */
	struct identity recorded;
	int now;
	bool looked_for;
	int exists;
	bool has_flags;
	uint32_t flags;
	bool has_name;
	char *name;
};

static struct known_domain *known(struct txn *txn, struct domains *domains,
				  uint32_t domid)
{
	if (!domains->known)
		domains->known = calloc(DOMID_END, sizeof(struct known_domain *));
	if (domains->known && !domains->known[domid])
		domains->known[domid] = calloc(1, sizeof(struct known_domain));
	if (!domains->known || !domains->known[domid]) {
		failure_set(txn->ctx, -ENOMEM, NULL, "out of memory");
		return NULL;
	}
	if (domains->end == 0 || domid < domains->begin)
		domains->begin = domid;
	if (domid >= domains->end)
		domains->end = domid + 1;
	return domains->known[domid];
}

int domains_now(struct txn *txn, struct domains *domains, uint32_t domid,
		const struct identity *recorded)
{
	struct known_domain *domain = known(txn, domains, domid);
	int now;

	if (!domain)
		return -ENOMEM;
	if (domain->compared && !strcmp(domain->recorded.uuid, recorded->uuid) &&
	    !strcmp(domain->recorded.mark, recorded->mark))
		return domain->now;
	now = record_domain_now(txn, domid, recorded);
	if (now < 0)
		return now;
	domain->compared = domain->looked_for = true;
	domain->recorded = *recorded;
	domain->now = now;
	domain->exists = now != DOMAIN_GONE;
	return now;
}

int domains_stale(struct txn *txn, struct domains *domains, const struct record *record)
{
	int now = domains_now(txn, domains, record->id.domid, &record->frontend);

	if (now == DOMAIN_SAME)
		now = domains_now(txn, domains, record->backend_domid, &record->backend);
	return now < 0 ? now : now != DOMAIN_SAME;
}

int domains_exists(struct txn *txn, struct domains *domains, uint32_t domid)
{
	struct known_domain *domain = known(txn, domains, domid);
	int r;

	if (!domain)
		return -ENOMEM;
	if (!domain->looked_for) {
		r = domain_identity(txn, domid, NULL, NULL);
		if (r && r != -ESRCH)
			return r;
		domain->looked_for = true;
		domain->exists = !r;
	}
	return domain->exists;
}

int domains_flags(struct txn *txn, struct domains *domains, uint32_t domid,
		  uint32_t *ret_flags)
{
	struct known_domain *domain = known(txn, domains, domid);

	if (!domain)
		return -ENOMEM;
	if (!domain->has_flags)
		domain->flags = domain_flags(txn->ctx, domid);
	domain->has_flags = true;
	*ret_flags = domain->flags;
	return 0;
}

int domains_name(struct txn *txn, struct domains *domains, uint32_t domid,
		 const char **ret_name)
{
	struct known_domain *domain = known(txn, domains, domid);

	if (!domain)
		return -ENOMEM;
	if (!domain->has_name)
		domain->name = domain_name(txn, domid);
	domain->has_name = true;
	*ret_name = domain->name;
	return 0;
}

void domains_clear(struct domains *domains)
{
	uint32_t i;

	for (i = domains->begin; i < domains->end; i++) {
		if (domains->known[i])
			free(domains->known[i]->name);
		free(domains->known[i]);
	}
	free(domains->known);
	memset(domains, 0, sizeof(*domains));
}
