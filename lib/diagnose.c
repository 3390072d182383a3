// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which devices to check, and whether findings are still true. Checks: checks*.c. */
#include "findings.h"

/* The snapshot may be seconds old. 0: the device has disappeared meanwhile. */
static int look_again(struct patient *p)
{
	struct record record;
	int r = place_states(p->txn, &p->place, &p->frontend_state, &p->backend_state);
	char path[PATH_SIZE];

	if (r || !p->place.recorded || p->damaged)
		return r ? r : 1;
	r = record_read(p->txn, &p->place.id, &record);
	if (r)
		return r == -ENOENT || r == -EBADMSG ? 0 : r;
	if (record.backend_domid != p->place.backend_domid)
		return 0;
	memcpy(p->phase_now, record.phase, sizeof(p->phase_now));
	p->phase = *p->phase_now ? p->phase_now : NULL;
	path_backend(path, &p->place.id, p->place.backend_domid, "online");
	r = store_exists(p->txn, path);
	p->has_online = r > 0;
	return r < 0 ? r : 1;
}

static int examine(struct diagnosis *d, const struct entry *entry)
{
	const struct xensplit_device *device = &entry->device;
	struct patient p = {
		.of = d,
		.txn = d->txn,
		.phase = device->phase,
		.claims = &entry->claims,
		.stale = device->stale,
		.damaged = device->damaged,
		.has_online = entry->has_online,
		.mutual = -1,
		.frontend_state = device->frontend_state,
		.backend_state = device->backend_state,
		.first = findings_count(d->findings),
	};
	int r;

	entry_place(entry, &p.place);
	p.settled = p.place.recorded && !p.damaged && !p.phase &&
		    patient_is_connected(&p);
	r = check_device(&p);
	if (r || findings_count(d->findings) == p.first || !p.place.recorded)
		return r;
	if (!p.settled && !p.incomplete)
		return 0;
	/* The device was detached or replaced meanwhile, which caused these findings. */
	findings_truncate(d->findings, p.first);
	r = look_again(&p);
	if (r <= 0)
		return r;
	p.settled = false;
	return check_device(&p);
}

/* libxl manages its own types; report only what it left after the domain died. */
static int is_of_interest(struct diagnosis *d, const struct xensplit_device *device,
			  const struct xensplit_filter *filter)
{
	int r;

	if (device->origin == XENSPLIT_ORIGIN_XENSPLIT || filter->type ||
	    !type_is_reserved(device->id.type))
		return 1;
	r = domains_exists(d->txn, &d->domains, device->id.domid);
	return r < 0 ? r : !r;
}

static int examine_all(struct diagnosis *d, const struct xensplit_filter *filter)
{
	struct patient host = { .of = d, .txn = d->txn };
	const struct entry *entry;
	struct xensplit_list *list;
	struct device_id id;
	size_t i;
	int r;

	host.place.backend_domid = XENSPLIT_ANY;
	r = list_build(d->txn, &d->domains, filter, XENSPLIT_LIST_FOREIGN | LIST_UNNAMED,
		       &list);
	if (!r && filter->domid == XENSPLIT_ANY)
		r = check_store_speed(&host);
	else if (r)
		return r;
	for (i = 0; !r && (entry = list_entry(list, i)); i++) {
		r = is_of_interest(d, &entry->device, filter);
		if (r > 0)
			r = examine(d, entry);
	}
	if (!r && !i && filter_is_single(filter)) {
		r = id_set(d->txn->ctx, &id, filter->domid, filter->type, filter->devid);
		if (!r)
			r = fail(d->txn->ctx, -ENOENT, "no such device");
	}
	xensplit_list_free(list);
	return r;
}

static int diagnose(struct xensplit_ctx *ctx, const struct xensplit_filter *filter,
		    struct xensplit_findings **ret_findings)
{
	struct txn txn = TXN_NONE(ctx);
	struct diagnosis d = { .txn = &txn, .findings = findings_new() };
	int r;

	if (!d.findings)
		return fail(ctx, -ENOMEM, "out of memory");
	r = examine_all(&d, filter);
	domains_clear(&d.domains);
	free(d.errors[0].devids);
	free(d.errors[1].devids);
	if (r)
		xensplit_findings_free(d.findings);
	else
		*ret_findings = d.findings;
	return r;
}

XENSPLIT_API int xensplit_diagnose(struct xensplit_ctx *ctx,
				   const struct xensplit_filter *filter,
				   struct xensplit_findings **ret_findings)
{
	struct xensplit_filter f;
	int r;

	if (!ctx || !ret_findings)
		return -EINVAL;
	ctx_begin(ctx);
	r = id_check_filter(ctx, filter, &f);
	if (!r)
		r = diagnose(ctx, &f, ret_findings);
	if (!r)
		ctx_begin(ctx);
	return r;
}

/* The first error, or else the first warning, which is rarely the cause. */
static const struct xensplit_finding *
most_likely(const struct xensplit_findings *findings)
{
	const struct xensplit_finding *finding;
	size_t i;

	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++)
		if (finding->severity == ERROR)
			return finding;
	finding = xensplit_findings_get(findings, 0);
	return finding && finding->severity == WARNING ? finding : NULL;
}

static const struct xensplit_finding *
about_record(const struct xensplit_findings *findings)
{
	const struct xensplit_finding *finding;
	size_t i;

	for (i = 0; (finding = xensplit_findings_get(findings, i)); i++)
		if (!strcmp(finding->code, "foreign"))
			return finding;
	return NULL;
}

typedef const struct xensplit_finding *
choose_fn(const struct xensplit_findings *findings);

static void add_cause(struct xensplit_ctx *ctx, const struct device_id *id,
		      choose_fn *choose)
{
	const struct xensplit_finding *cause;
	struct xensplit_findings *findings;
	XENSPLIT_FILTER(filter);
	struct failure failure;
	int r;

	filter.domid = id->domid;
	filter.type = id->type;
	filter.devid = id->devid;
	failure_copy(&failure, &ctx->failure);
	r = diagnose(ctx, &filter, &findings);
	failure_copy(&ctx->failure, &failure);
	if (r)
		return;
	cause = choose(findings);
	if (cause)
		failure_set_cause(ctx, cause);
	xensplit_findings_free(findings);
}

void diagnose_failure(struct xensplit_ctx *ctx, const struct device_id *id)
{
	add_cause(ctx, id, most_likely);
}

void diagnose_foreign(struct xensplit_ctx *ctx, const struct device_id *id)
{
	add_cause(ctx, id, about_record);
}
