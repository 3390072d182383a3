/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XENSPLIT_EXIT_STATUS_H
#define XENSPLIT_EXIT_STATUS_H

/* Scripts rely on these. 0 and 1 are EXIT_SUCCESS and EXIT_FAILURE. */
enum exit_status {
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_PERMISSION = 4,
	EXIT_BUSY = 5,
	EXIT_DEADLINE = 6,
};

#endif
