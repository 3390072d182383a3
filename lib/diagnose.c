// SPDX-License-Identifier: LGPL-2.1-or-later
/* Findings: what is wrong with devices, as data. The checks are in checks*.c. */
#include "array.h"
#include "findings.h"

/* A finding with all that its pointers lead to. */
struct noted {
	struct xensplit_finding finding;
	char *type;
	char *what;
	char *fix;
};

struct xensplit_findings {
	struct noted **entries;
	size_t count;
	size_t room;
};

/* --- the list --- */

static void noted_free(struct noted *noted)
{
	if (!noted)
		return;
	free(noted->type);
	free(noted->what);
	free(noted->fix);
	free(noted);
}

static void findings_truncate(struct xensplit_findings *findings, size_t count)
{
	while (findings->count > count)
		noted_free(findings->entries[--findings->count]);
}

/* A device's findings stand together, and are few. */
static bool is_noted(const struct patient *patient, const char *code)
{
	const struct xensplit_findings *findings = patient->of->findings;
	size_t i;

	for (i = patient->first; i < findings->count; i++)
		if (!strcmp(findings->entries[i]->finding.code, code))
			return true;
	return false;
}

bool finding_has_error(const struct patient *patient)
{
	const struct xensplit_findings *findings = patient->of->findings;
	size_t i;

	for (i = patient->first; i < findings->count; i++)
		if (findings->entries[i]->finding.severity == ERROR)
			return true;
	return false;
}

/*
 * May a command name the backend's domain? Not of a device without a record in
 * which one domain can have named another, or itself: that would bless it.
 */
static int is_trusted(struct patient *p, const char *fix)
{
	bool names = fix && (strstr(fix, "doctor --fix") || strstr(fix, "{R}"));

	if (!names || p->place.recorded || p->place.backend_domid == XENSPLIT_ANY)
		return 1;
	if (p->mutual < 0)
		p->mutual = p->claims->count > 1 ? 0
						 : place_halves_agree(p->txn, &p->place);
	return p->mutual;
}

static struct noted *noted_new(const struct patient *patient, const char *fix,
			       bool trusted, const char *format, va_list args)
{
	const struct device_id *id = &patient->place.id;
	struct noted *noted = calloc(1, sizeof(*noted));

	if (!noted)
		return NULL;
	if (vasprintf(&noted->what, format, args) < 0)
		noted->what = NULL;
	if (fix)
		noted->fix = fix_expand(&patient->place, fix, trusted);
	if (*id->type)
		noted->type = strdup(id->type);
	if (!noted->what || (fix && !noted->fix) || (*id->type && !noted->type)) {
		noted_free(noted);
		return NULL;
	}
	return noted;
}

static bool findings_append(struct xensplit_findings *findings, struct noted *noted)
{
	struct noted **more = array_grow(findings->entries, findings->count,
					 &findings->room, sizeof(*more));

	if (!more)
		return false;
	findings->entries = more;
	findings->entries[findings->count++] = noted;
	return true;
}

int finding_add(struct patient *patient, int severity, const char *code, const char *why,
		const char *fix, const char *what, ...)
{
	struct xensplit_finding *finding;
	struct noted *noted;
	va_list args;
	int trusted;

	if (is_noted(patient, code))
		return 0;
	trusted = is_trusted(patient, fix);
	if (trusted < 0)
		return trusted;
	if (!trusted && strstr(fix, "doctor --fix"))
		fix = FIX_REPLACE;
	va_start(args, what);
	noted = noted_new(patient, fix, trusted, what, args);
	va_end(args);
	if (!noted || !findings_append(patient->of->findings, noted)) {
		noted_free(noted);
		return fail(patient->txn->ctx, -ENOMEM, "out of memory");
	}
	finding = &noted->finding;
	finding->severity = severity;
	finding->code = code;
	finding->id.domid = patient->place.id.domid;
	finding->id.type = noted->type;
	finding->id.devid = patient->place.id.devid;
	finding->backend_domid = patient->place.backend_domid;
	finding->what = noted->what;
	finding->why = why;
	finding->fix = noted->fix;
	finding->repairable = fix && strstr(fix, "doctor --fix") != NULL;
	return 0;
}

/* --- who is looked at --- */

/* The snapshot may be seconds old by now. 0: the device has gone meanwhile. */
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
		.first = d->findings->count,
	};
	int r;

	entry_place(entry, &p.place);
	p.settled = p.place.recorded && !p.damaged && !p.phase &&
		    patient_is_connected(&p);
	r = check_device(&p);
	if (r || d->findings->count == p.first || !p.place.recorded)
		return r;
	if (!p.settled && !p.incomplete)
		return 0;
	/* What looked wrong with a device that was detached meanwhile was just that. */
	findings_truncate(d->findings, p.first);
	r = look_again(&p);
	if (r <= 0)
		return r;
	p.settled = false;
	return check_device(&p);
}

/* libxl looks after its own; what it forgot when their domain went is worth a word. */
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
	char text[ID_TEXT_SIZE];
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
			r = fail(d->txn->ctx, -ENOENT, "there is no %s",
				 id_text(&id, text, sizeof(text)));
	}
	xensplit_list_free(list);
	return r;
}

static int diagnose(struct xensplit_ctx *ctx, const struct xensplit_filter *filter,
		    struct xensplit_findings **ret_findings)
{
	struct txn txn = TXN_NONE(ctx);
	struct diagnosis d = { .txn = &txn,
			       .findings = calloc(1, sizeof(struct xensplit_findings)) };
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

XENSPLIT_API const struct xensplit_finding *
xensplit_findings_get(const struct xensplit_findings *findings, size_t index)
{
	return findings && index < findings->count ? &findings->entries[index]->finding
						   : NULL;
}

XENSPLIT_API struct xensplit_findings *
xensplit_findings_free(struct xensplit_findings *findings)
{
	if (!findings)
		return NULL;
	findings_truncate(findings, 0);
	free(findings->entries);
	free(findings);
	return NULL;
}

/* The first error, or else the first finding; a warning rarely is the cause. */
static const struct xensplit_finding *
most_likely(const struct xensplit_findings *findings)
{
	size_t i;

	for (i = 0; i < findings->count; i++)
		if (findings->entries[i]->finding.severity == ERROR)
			return &findings->entries[i]->finding;
	return xensplit_findings_get(findings, 0);
}

const char *diagnose_cause(struct xensplit_ctx *ctx, const struct device_id *id,
			   const char *states, char *buf, size_t size)
{
	const struct xensplit_finding *finding;
	struct xensplit_findings *findings;
	XENSPLIT_FILTER(filter);
	bool known;

	filter.domid = id->domid;
	filter.type = id->type;
	filter.devid = id->devid;
	if (diagnose(ctx, &filter, &findings))
		return NULL;
	finding = most_likely(findings);
	known = finding && !strcmp(finding->what, states);
	if (finding)
		snprintf(buf, size, "%s%s%s%s%s", known ? "" : finding->what,
			 known ? "" : ": ", finding->why,
			 finding->fix ? "; to mend it: " : "",
			 finding->fix ? finding->fix : "");
	xensplit_findings_free(findings);
	return finding ? buf : NULL;
}
