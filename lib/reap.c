// SPDX-License-Identifier: LGPL-2.1-or-later
/* Taking away what domains that are gone left behind. */
#include "internal.h"

/*
 * What a dead domain left. A half in a domain that has taken over the number is
 * not ours, nor is a backend that a new frontend of that number stands for.
 */
int remove_stale(struct txn *txn, const struct device_id *id)
{
	char path[PATH_SIZE], text[ID_TEXT_SIZE];
	struct record record;
	int front, back, r;

	r = record_read(txn, id, &record);
	if (r == -ENOENT)
		return fail(txn->ctx, r, "%s is not attached",
			    id_text(id, text, sizeof(text)));
	if (r)
		return r;
	front = record_domain_now(txn, id->domid, &record.frontend);
	back = record_domain_now(txn, record.backend_domid, &record.backend);
	if (front < 0 || back < 0)
		return front < 0 ? front : back;
	if (front == DOMAIN_SAME && back == DOMAIN_SAME)
		return fail(txn->ctx, -EBUSY, "%s is not stale: detach it",
			    id_text(id, text, sizeof(text)));
	path_frontend(path, id, NULL);
	r = front == DOMAIN_OTHER ? store_exists(txn, path) : 0;
	if (r < 0)
		return r;
	if (!r)
		r = store_remove_prune(txn, path, 1);
	if (!r && back != DOMAIN_OTHER)
		r = place_remove_backend(txn, &record.id, record.backend_domid);
	return r < 0 ? r : record_remove(txn, id);
}

static int reap_record(struct txn *txn, const struct device_id *id, void *data)
{
	struct record record;
	int r = record_read(txn, id, &record);

	(void)data;
	if (!r)
		r = record_is_stale(txn, &record);
	if (r > 0)
		return remove_stale(txn, id);
	/* What can't be understood is left for a reader. */
	return r == -ENOENT || r == -EBADMSG ? 0 : r;
}

/* With the domain go the cursors of its automatic device ids. */
static int reap_domain(struct txn *txn, const char *name)
{
	char path[PATH_SIZE];
	uint64_t domid;
	int r;

	if (!parse_number(name, strlen(name), DOMID_END - 1, &domid))
		return 0;
	r = domain_identity(txn, (uint32_t)domid, NULL, NULL);
	if (r != -ESRCH)
		return r;
	snprintf(path, sizeof(path), "%s/%" PRIu64, RECORD_ROOT, domid);
	return store_remove_prune(txn, path, 1);
}

int reap_stage(struct txn *txn)
{
	struct xensplit_filter all = { sizeof(all), XENSPLIT_ANY, NULL, XENSPLIT_ANY };
	unsigned int count, i;
	char **names = NULL;
	int r = record_foreach(txn, &all, reap_record, NULL);

	if (!r)
		r = store_list(txn, RECORD_ROOT, &names, &count);
	if (r)
		return r == -ENOENT ? 0 : r;
	for (i = 0; !r && i < count; i++)
		r = reap_domain(txn, names[i]);
	free(names);
	return r;
}
