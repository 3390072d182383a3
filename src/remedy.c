// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "remedy.h"
#include "text.h"

/* "dom0", or as the user calls it. */
static char *domain_called(const struct attempt *attempt, uint32_t domid)
{
	if (!domid)
		return words("dom0");
	if (attempt->domain && domid == attempt->domid && !is_number(attempt->domain))
		return words("%s", attempt->domain);
	return words("domain %u", domid);
}

static char *in_domain(const struct attempt *attempt, uint32_t domid, const char *command,
		       const char *argument)
{
	char *domain = domain_called(attempt, domid);
	char *text = words("in %s: %s%s", domain, command, argument);

	free(domain);
	return text;
}

/* --- findings --- */

static char *replace_words(const struct xensplit_finding *f)
{
	const char *type = f->backend_type;
	int other = type && strcmp(type, f->id.type) != 0;
	char backend[16] = "DOMAIN";

	/* A frontend without a backend gets one in dom0. */
	if (f->backend_trusted)
		snprintf(backend, sizeof(backend), "%u",
			 f->backend_domid == XENSPLIT_ANY ? 0 : f->backend_domid);
	return words("xensplit attach %u %s/%u --backend=%s%s%s%s --replace", f->id.domid,
		     f->id.type, f->id.devid, backend, other ? " --backend-type=" : "",
		     other ? type : "", f->reserved ? " --reserved" : "");
}

static char *adopt_words(const struct xensplit_id *id, int reserved)
{
	return words("xensplit adopt %u %s/%u%s", id->domid, id->type, id->devid,
		     reserved ? " --reserved" : "");
}

static char *force_words(const struct xensplit_id *id)
{
	return words("xensplit detach %u %s/%u --force", id->domid, id->type, id->devid);
}

static const char *driver_words(const struct xensplit_finding *f)
{
	return strcmp(f->code, "driver-idle")
		       ? "change one of the drivers: it has to leave InitWait first"
		       : "call xenbus_switch_state in the backend's probe";
}

char *remedy_of_finding(const struct attempt *attempt, const struct xensplit_finding *f)
{
	switch (f->remedy) {
	case XENSPLIT_REMEDY_REPAIR:
		return words("xensplit doctor --fix %u %s/%u", f->id.domid, f->id.type,
			     f->id.devid);
	case XENSPLIT_REMEDY_REPLACE:
		return replace_words(f);
	case XENSPLIT_REMEDY_FORCE:
		return force_words(&f->id);
	case XENSPLIT_REMEDY_REAP:
		return words("xensplit reap");
	case XENSPLIT_REMEDY_REMOVE:
		return words("xenstore-rm %s", f->node);
	case XENSPLIT_REMEDY_RENAME:
		return words("use a shorter TYPE, and remove this: xenstore-rm %s",
			     f->node);
	case XENSPLIT_REMEDY_CHOOSE:
		return words("remove the backends that are wrong with xenstore-rm");
	case XENSPLIT_REMEDY_FRONTEND:
		return in_domain(attempt, f->remedy_domid, "modprobe xen:", f->id.type);
	case XENSPLIT_REMEDY_BACKEND:
		return in_domain(attempt, f->remedy_domid,
				 "modprobe xen-backend:", f->backend_type);
	case XENSPLIT_REMEDY_INSTALL:
		return in_domain(attempt, f->remedy_domid,
				 "insmod the backend's module, or install it and run ",
				 "depmod -a");
	case XENSPLIT_REMEDY_DRIVER:
		return words("%s", driver_words(f));
	case XENSPLIT_REMEDY_LOG:
		return in_domain(attempt, f->remedy_domid, "dmesg", "");
	case XENSPLIT_REMEDY_UNPAUSE:
		return words("xl unpause %u", f->remedy_domid);
	case XENSPLIT_REMEDY_DESTROY:
		return words("xl destroy %u", f->remedy_domid);
	case XENSPLIT_REMEDY_LOAD:
		return words("find the domain that keeps it busy: xentop");
	case XENSPLIT_REMEDY_ADOPT:
		return adopt_words(&f->id, f->reserved);
	default:
		return NULL;
	}
}

/* --- errors --- */

static int is_code(const struct xensplit_error *error, const char *code)
{
	return !strcmp(error->code, code);
}

/* A device that is on its way out is not attached again. */
static char *remedy_of_closing(const struct attempt *attempt,
			       const struct xensplit_error *error,
			       const struct xensplit_id *id)
{
	const struct xensplit_finding *cause = error->cause;

	if (cause && (cause->remedy == XENSPLIT_REMEDY_UNPAUSE ||
		      cause->remedy == XENSPLIT_REMEDY_DESTROY))
		return remedy_of_finding(attempt, cause);
	if (!strcmp(attempt->verb, "detach"))
		return force_words(id);
	return words("xensplit detach %u %s/%u", id->domid, id->type, id->devid);
}

/* What a driver that gave up wrote says why; else its log does. */
static char *remedy_of_driver(const struct attempt *attempt,
			      const struct xensplit_error *error,
			      const struct xensplit_id *id)
{
	const struct xensplit_finding *cause = error->cause;
	int back = cause && !strncmp(cause->code, "backend", strlen("backend"));

	if (cause && cause->remedy == XENSPLIT_REMEDY_REPLACE &&
	    strstr(cause->code, "error"))
		return remedy_of_finding(attempt, cause);
	if (cause && cause->remedy == XENSPLIT_REMEDY_REPAIR)
		return remedy_of_finding(attempt, cause);
	return in_domain(attempt, back ? cause->backend_domid : id->domid, "dmesg", "");
}

static char *remedy_of_foreign(const struct attempt *attempt,
			       const struct xensplit_error *error,
			       const struct xensplit_id *id)
{
	char *command, *text;

	if (!strcmp(attempt->verb, "attach"))
		return words("add --replace, which removes it first");
	command = error->cause ? remedy_of_finding(attempt, error->cause)
			       : words("xensplit attach %u %s/%u --replace", id->domid,
				       id->type, id->devid);
	text = words("take it over first: %s", command);
	free(command);
	return text;
}

/* What adopt refuses has a record, or needs a look at what is wrong with it. */
static char *remedy_of_adopt(const struct xensplit_error *error,
			     const struct xensplit_id *id)
{
	static const char *const looks[] = { "not-repairable", "partial", "no-backend" };

	if (is_code(error, "interrupted"))
		return words("xensplit doctor --fix %u %s/%u", id->domid, id->type,
			     id->devid);
	if (is_code(error, "reserved-type"))
		return words("add --reserved, if xl did not make it");
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		if (is_code(error, looks[i]))
			return words("xensplit doctor %u %s/%u", id->domid, id->type,
				     id->devid);
	return NULL;
}

struct remedy {
	const char *code;
	const char *text;
};

static char *find_remedy(const struct remedy *remedies, size_t count,
			 const struct xensplit_error *error)
{
	for (size_t i = 0; i < count; i++)
		if (is_code(error, remedies[i].code))
			return words("%s", remedies[i].text);
	return NULL;
}

/* What the file says is corrected there. */
static char *remedy_of_apply(const struct xensplit_error *error,
			     const struct xensplit_id *id)
{
	static const struct remedy texts[] = {
		{ "differs", "add --replace, which makes it again as the file says" },
		{ "domain-exists", "leave --create out" },
		{ "reserved-type", "attach it with xl, or add reserved=yes" },
	};

	if (id && is_code(error, "foreign"))
		return words("take it over first: xensplit adopt %u %s/%u", id->domid,
			     id->type, id->devid);
	return find_remedy(texts, sizeof(texts) / sizeof(texts[0]), error);
}

/* What is the same whatever the device. */
static char *remedy_of_code(const struct xensplit_error *error)
{
	static const struct remedy texts[] = {
		{ "no-such-domain", "xl list" },
		{ "domain-not-there", "xl list" },
		{ "ambiguous-domain", "give the domid, as xl list shows it" },
		{ "untrusted-name", "give the domid, as xl list shows it" },
		{ "domain-incomplete", "repeat it once the domain has been created" },
		{ "already-attached",
		  "TYPE/auto for a further device, or --replace for this one" },
		{ "interrupted", "add --replace, which completes it" },
		{ "stale", "xensplit reap" },
		{ "busy", "repeat it; other clients kept changing the same nodes" },
		{ "reserved-type", "attach it with xl, or add --reserved" },
		{ "bus-id-too-long", "use a shorter TYPE" },
		{ "no-connection", "start xenstored" },
	};

	if (is_code(error, "no-permission"))
		return geteuid() ? words("run it as root") : NULL;
	return find_remedy(texts, sizeof(texts) / sizeof(texts[0]), error);
}

static char *remedy_of_device(const struct attempt *attempt,
			      const struct xensplit_error *error,
			      const struct xensplit_id *id)
{
	if (is_code(error, "not-closed") || is_code(error, "not-gone"))
		return remedy_of_closing(attempt, error, id);
	if (is_code(error, "driver-gave-up"))
		return remedy_of_driver(attempt, error, id);
	if (is_code(error, "foreign"))
		return remedy_of_foreign(attempt, error, id);
	if (is_code(error, "differs") && attempt->arguments)
		return words("xensplit %s --replace%s", attempt->verb,
			     attempt->arguments);
	if (is_code(error, "record-damaged"))
		return force_words(id);
	if (is_code(error, "no-such-device") || is_code(error, "not-attached"))
		return words("xensplit list %u --all", id->domid);
	if (error->cause)
		return remedy_of_finding(attempt, error->cause);
	return NULL;
}

char *remedy_of_error(const struct attempt *attempt, const struct xensplit_error *error,
		      const struct xensplit_id *id)
{
	int adopts = !strcmp(attempt->verb, "adopt");
	char *text = NULL;

	if (id && adopts)
		text = remedy_of_adopt(error, id);
	else if (!strcmp(attempt->verb, "apply"))
		text = remedy_of_apply(error, id);
	if (id && !text)
		text = remedy_of_device(attempt, error, id);
	/* It is there, as it should be. */
	if (text || (adopts && is_code(error, "already-attached")))
		return text;
	return remedy_of_code(error);
}
