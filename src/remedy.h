/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to do about a failure or a finding, in the words of this tool. */
#ifndef XENSPLIT_REMEDY_H
#define XENSPLIT_REMEDY_H

#include <stdint.h>

#include "xensplit.h"

/* What the user was doing. */
struct attempt {
	const char *verb;
	char *arguments; /* of the verb, as a shell reads them */
	char *domain;	 /* as the user named it, printable; NULL: not at all */
	uint32_t domid;	 /* of that name, once it is known */
};

/*
 * remedy_of_finding - the command, or in words what to do
 *
 * Returns: a text to be freed; NULL where nothing helps.
 */
char *remedy_of_finding(const struct attempt *attempt,
			const struct xensplit_finding *finding);

/*
 * remedy_of_error - likewise, for a verb that failed
 * @id: the device, or NULL
 */
char *remedy_of_error(const struct attempt *attempt, const struct xensplit_error *error,
		      const struct xensplit_id *id);

#endif
