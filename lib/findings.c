// SPDX-License-Identifier: LGPL-2.1-or-later
/* Findings: problems of devices, as data. */
#include "array.h"
#include "findings.h"

/* A finding and the strings that it points to. */
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

struct xensplit_findings *findings_new(void)
{
	return calloc(1, sizeof(struct xensplit_findings));
}

size_t findings_count(const struct xensplit_findings *findings)
{
	return findings->count;
}

static void noted_free(struct noted *noted)
{
	if (!noted)
		return;
	free(noted->type);
	free(noted->what);
	free(noted->fix);
	free(noted);
}

void findings_truncate(struct xensplit_findings *findings, size_t count)
{
	while (findings->count > count)
		noted_free(findings->entries[--findings->count]);
}

/* The few findings of a device are adjacent. */
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
 * May a command name the backend's domain? Not if the device has no record and
 * one domain can have named another, or itself: the command would confirm that.
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

bool patient_is_connected(const struct patient *p)
{
	return state_is_connected(p->frontend_state) &&
	       state_is_connected(p->backend_state);
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
