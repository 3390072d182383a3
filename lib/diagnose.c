// SPDX-License-Identifier: LGPL-2.1-or-later
/* Findings: what is wrong with devices, as data. The checks are in checks.c. */
#include "findings.h"

/* A finding with all that its pointers lead to. */
struct entry {
	struct xensplit_finding finding;
	struct device_id id;
	char *what;
	char *fix;
};

struct xensplit_findings {
	struct entry **entries;
	size_t count;
};

/* --- words --- */

static void append(char *buf, size_t size, size_t *used, const char *text)
{
	int more = snprintf(buf + *used, size - *used, "%s", text);

	*used += (size_t)more < size - *used ? (size_t)more : size - *used - 1;
}

static void placeholder(const struct place *place, const char *name, size_t len,
			char *buf, size_t size)
{
	char path[PATH_SIZE];

	buf[0] = '\0';
	if (!strncmp(name, "FE", len))
		path_frontend(path, &place->id, NULL);
	else
		path_backend(path, &place->id, place->backend_domid, NULL);
	if (len == 2)
		snprintf(buf, size, "%s", path);
	else if (*name == 'T')
		snprintf(buf, size, "%s", place->id.type);
	else if (*name == 'D')
		snprintf(buf, size, "%" PRIu32, place->id.domid);
	else if (*name == 'I')
		snprintf(buf, size, "%" PRIu32, place->id.devid);
	else if (*name == 'B')
		snprintf(buf, size, "%" PRIu32,
			 place->backend_domid == XENSPLIT_ANY ? 0 : place->backend_domid);
}

static char *expand(const struct place *place, const char *template)
{
	char buf[3 * PATH_SIZE], word[PATH_SIZE];
	size_t used = 0;

	buf[0] = '\0';
	while (*template) {
		const char *end = *template == '{' ? strchr(template, '}') : NULL;

		if (end) {
			placeholder(place, template + 1, (size_t)(end - template - 1),
				    word, sizeof(word));
			template = end + 1;
		} else {
			word[0] = *template ++;
			word[1] = '\0';
		}
		append(buf, sizeof(buf), &used, word);
	}
	return strdup(buf);
}

/* --- the list --- */

static void entry_free(struct entry *entry)
{
	if (!entry)
		return;
	free(entry->what);
	free(entry->fix);
	free(entry);
}

static bool is_noted(const struct patient *patient, const char *code)
{
	const struct xensplit_findings *findings = patient->findings;
	size_t i;

	for (i = 0; i < findings->count; i++)
		if (!strcmp(findings->entries[i]->finding.code, code) &&
		    !id_compare(&findings->entries[i]->id, &patient->place.id))
			return true;
	return false;
}

static struct entry *entry_new(const struct patient *patient, const char *fix,
			       const char *format, va_list args)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->id = patient->place.id;
	if (vasprintf(&entry->what, format, args) < 0)
		entry->what = NULL;
	if (fix)
		entry->fix = expand(&patient->place, fix);
	if (!entry->what || (fix && !entry->fix)) {
		entry_free(entry);
		return NULL;
	}
	return entry;
}

static bool findings_append(struct xensplit_findings *findings, struct entry *entry)
{
	void *more = realloc(findings->entries,
			     (findings->count + 1) * sizeof(struct entry *));

	if (!more)
		return false;
	findings->entries = more;
	findings->entries[findings->count++] = entry;
	return true;
}

int finding_add(struct patient *patient, int severity, const char *code, const char *why,
		const char *fix, const char *what, ...)
{
	struct xensplit_finding *finding;
	struct entry *entry;
	va_list args;

	if (is_noted(patient, code))
		return 0;
	va_start(args, what);
	entry = entry_new(patient, fix, what, args);
	va_end(args);
	if (!entry || !findings_append(patient->findings, entry)) {
		entry_free(entry);
		return fail(patient->txn->ctx, -ENOMEM, "out of memory");
	}
	finding = &entry->finding;
	finding->severity = severity;
	finding->code = code;
	finding->id.domid = entry->id.domid;
	finding->id.type = *entry->id.type ? entry->id.type : NULL;
	finding->id.devid = entry->id.devid;
	finding->backend_domid = patient->place.backend_domid;
	finding->what = entry->what;
	finding->why = why;
	finding->fix = entry->fix;
	finding->repairable = fix && strstr(fix, "doctor --fix") != NULL;
	return 0;
}

/* --- who is looked at --- */

static void findings_truncate(struct xensplit_findings *findings, size_t count)
{
	while (findings->count > count)
		entry_free(findings->entries[--findings->count]);
}

static int examine(struct txn *txn, struct xensplit_findings *findings,
		   const struct place *place)
{
	struct patient patient = { .txn = txn, .place = *place, .findings = findings };
	size_t before = findings->count;
	char path[PATH_SIZE];
	int r = place_states(txn, place, &patient.frontend_state, &patient.backend_state);

	if (!r)
		r = check_device(&patient);
	if (r || findings->count == before || !place->recorded)
		return r;
	/* What looked wrong with a device that was detached meanwhile was just that. */
	path_record(path, &place->id, NULL);
	r = store_exists(txn, path);
	if (r == 0)
		findings_truncate(findings, before);
	return r < 0 ? r : 0;
}

static int examine_single(struct txn *txn, struct xensplit_findings *findings,
			  const struct xensplit_filter *filter)
{
	struct device_id id;
	struct place place;
	int r = id_set(txn->ctx, &id, filter->domid, filter->type, filter->devid);

	if (!r)
		r = place_find(txn, &id, &place);
	return r ? r : examine(txn, findings, &place);
}

/* libxl looks after its own; what it forgot when their domain went is worth a word. */
static bool is_of_interest(struct txn *txn, const struct xensplit_device *device,
			   const struct xensplit_filter *filter)
{
	if (device->origin == XENSPLIT_ORIGIN_XENSPLIT || filter->type ||
	    !type_is_reserved(device->id.type))
		return true;
	return domain_identity(txn, device->id.domid, NULL, NULL) == -ESRCH;
}

static int examine_all(struct txn *txn, struct xensplit_findings *findings,
		       const struct xensplit_filter *filter)
{
	struct patient host = { .txn = txn, .findings = findings };
	const struct xensplit_device *device;
	struct xensplit_list *list;
	size_t i;
	int r = xensplit_list_new(txn->ctx, filter, XENSPLIT_LIST_FOREIGN, &list);

	if (r)
		return r;
	host.place.backend_domid = XENSPLIT_ANY;
	if (filter->domid == XENSPLIT_ANY)
		r = check_store_speed(&host);
	xensplit_list_foreach (list, i, device) {
		struct place place = { .backend_domid = device->backend_domid };

		if (r || !is_of_interest(txn, device, filter))
			continue;
		place.recorded = device->origin == XENSPLIT_ORIGIN_XENSPLIT;
		r = id_set(txn->ctx, &place.id, device->id.domid, device->id.type,
			   device->id.devid);
		if (!r)
			r = examine(txn, findings, &place);
	}
	xensplit_list_free(list);
	return r;
}

XENSPLIT_API int xensplit_diagnose(struct xensplit_ctx *ctx,
				   const struct xensplit_filter *filter,
				   struct xensplit_findings **ret_findings)
{
	struct xensplit_findings *findings;
	struct xensplit_filter f;
	int r;

	if (!ctx || !ret_findings)
		return -EINVAL;
	struct txn txn = TXN_NONE(ctx);

	r = id_check_filter(ctx, filter, &f);
	if (r)
		return r;
	findings = calloc(1, sizeof(*findings));
	if (!findings)
		return fail(ctx, -ENOMEM, "out of memory");
	if (f.domid != XENSPLIT_ANY && f.type && f.devid != XENSPLIT_ANY)
		r = examine_single(&txn, findings, &f);
	else
		r = examine_all(&txn, findings, &f);
	if (r) {
		xensplit_findings_free(findings);
		return r;
	}
	*ret_findings = findings;
	return 0;
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
	while (findings->count)
		entry_free(findings->entries[--findings->count]);
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
		if (findings->entries[i]->finding.severity == XENSPLIT_SEVERITY_ERROR)
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
	if (xensplit_diagnose(ctx, &filter, &findings))
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
