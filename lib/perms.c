// SPDX-License-Identifier: LGPL-2.1-or-later
/* Permissions of nodes (docs/misc/xenstore.txt of Xen). */
#include "internal.h"

/* Dom0 may do everything, an owner everything with its node. */
static bool may(const struct node_perms *perms, uint32_t domid, unsigned int what)
{
	unsigned int i;

	if (!domid || !perms->count || perms->entry[0].id == domid)
		return true;
	for (i = 1; i < perms->count; i++)
		if (perms->entry[i].id == domid)
			return (unsigned int)perms->entry[i].perms & what;
	return (unsigned int)perms->entry[0].perms & what;
}

bool perms_may_read(const struct node_perms *perms, uint32_t domid)
{
	return may(perms, domid, XS_PERM_READ);
}

bool perms_may_write(const struct node_perms *perms, uint32_t domid)
{
	return may(perms, domid, XS_PERM_WRITE);
}

/* Any domain except dom0 counts as a guest. */
bool perms_guest_may_write(const struct node_perms *perms)
{
	unsigned int i;

	if (perms->entry[0].id || (perms->entry[0].perms & XS_PERM_WRITE))
		return true;
	for (i = 1; i < perms->count; i++)
		if (perms->entry[i].id && (perms->entry[i].perms & XS_PERM_WRITE))
			return true;
	return false;
}

bool perms_open_to_all(const struct node_perms *perms)
{
	return perms->count && perms->entry[0].perms != XS_PERM_NONE;
}

void perms_format(const struct xs_permissions *perms, unsigned int count, char *buf,
		  size_t size)
{
	static const char letters[] = "nrwb";
	size_t used = 0;
	unsigned int i;

	buf[0] = '\0';
	for (i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%c%u", i ? "," : "",
					 letters[perms[i].perms & 3u], perms[i].id);
}
