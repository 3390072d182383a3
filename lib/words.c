// SPDX-License-Identifier: LGPL-2.1-or-later
/* The commands of findings, completed for a device. */
#include "findings.h"

#define WORD_SIZE PATH_SIZE

static const char *backend_type(const struct device_id *id)
{
	return *id->backend_type ? id->backend_type : id->type;
}

/* For a frontend without a backend, use dom0. */
static uint32_t backend_domid(const struct place *place)
{
	return place->backend_domid == XENSPLIT_ANY ? 0 : place->backend_domid;
}

static void replace_options(const struct place *place, bool trusted, char *word)
{
	const struct device_id *id = &place->id;
	bool reserved = type_is_reserved(id->type) || type_is_reserved(backend_type(id));
	char domid[16] = "DOMAIN";

	if (trusted)
		snprintf(domid, sizeof(domid), "%" PRIu32, backend_domid(place));
	snprintf(word, WORD_SIZE, "--backend=%s%s%s%s", domid,
		 *id->backend_type ? " --backend-type=" : "", id->backend_type,
		 reserved ? " --reserved" : "");
}

static void placeholder(const struct place *place, bool trusted, const char *name,
			size_t len, char *word)
{
	const struct device_id *id = &place->id;

	word[0] = '\0';
	if (!strncmp(name, "FE", len))
		path_frontend(word, id, NULL);
	else if (!strncmp(name, "BE", len) && len == 2)
		path_backend(word, id, place->backend_domid, NULL);
	else if (*name == 'T')
		snprintf(word, WORD_SIZE, "%s", id->type);
	else if (*name == 'U')
		snprintf(word, WORD_SIZE, "%s", backend_type(id));
	else if (*name == 'D')
		snprintf(word, WORD_SIZE, "%" PRIu32, id->domid);
	else if (*name == 'I')
		snprintf(word, WORD_SIZE, "%" PRIu32, id->devid);
	else if (*name == 'B')
		snprintf(word, WORD_SIZE, "%" PRIu32, backend_domid(place));
	else if (*name == 'R')
		replace_options(place, trusted, word);
}

char *fix_expand(const struct place *place, const char *template, bool trusted)
{
	char buf[3 * PATH_SIZE], word[WORD_SIZE];
	size_t used = 0;

	buf[0] = '\0';
	while (*template) {
		size_t text = strcspn(template, "{"), len;

		used += (size_t)snprintf(buf + used, sizeof(buf) - used, "%.*s",
					 (int)text, template);
		template += text;
		if (used >= sizeof(buf))
			break;
		if (!*template)
			break;
		len = strcspn(template, "}");
		placeholder(place, trusted, template + 1, len - 1, word);
		template += len + 1;
		used += (size_t)snprintf(buf + used, sizeof(buf) - used, "%s", word);
		if (used >= sizeof(buf))
			break;
	}
	return strdup(buf);
}
