// SPDX-License-Identifier: LGPL-2.1-or-later
/* The XenBus states: xen/include/public/io/xenbus.h */
#include "internal.h"

static const char *const state_names[] = {
	[XENSPLIT_STATE_UNKNOWN] = "Unknown",
	[XENSPLIT_STATE_INITIALISING] = "Initialising",
	[XENSPLIT_STATE_INIT_WAIT] = "InitWait",
	[XENSPLIT_STATE_INITIALISED] = "Initialised",
	[XENSPLIT_STATE_CONNECTED] = "Connected",
	[XENSPLIT_STATE_CLOSING] = "Closing",
	[XENSPLIT_STATE_CLOSED] = "Closed",
	[XENSPLIT_STATE_RECONFIGURING] = "Reconfiguring",
	[XENSPLIT_STATE_RECONFIGURED] = "Reconfigured",
};

XENSPLIT_API const char *xensplit_state_name(int state)
{
	if (state == XENSPLIT_STATE_ABSENT)
		return "absent";
	if (state < 0 || state >= (int)ARRAY_SIZE(state_names))
		return "invalid";
	return state_names[state];
}

int state_parse(const char *value, size_t len)
{
	uint64_t state;

	if (!parse_number(value, len, XENSPLIT_STATE_RECONFIGURED, &state))
		return XENSPLIT_STATE_INVALID;
	return (int)state;
}

/* A driver has taken the device up and is connecting, or connected. */
bool state_is_started(int state)
{
	return (state >= XENSPLIT_STATE_INIT_WAIT && state <= XENSPLIT_STATE_CONNECTED) ||
	       state == XENSPLIT_STATE_RECONFIGURING ||
	       state == XENSPLIT_STATE_RECONFIGURED;
}

bool state_is_connected(int state)
{
	return state == XENSPLIT_STATE_CONNECTED ||
	       state == XENSPLIT_STATE_RECONFIGURING ||
	       state == XENSPLIT_STATE_RECONFIGURED;
}

bool state_is_closing(int state)
{
	return state == XENSPLIT_STATE_CLOSING || state == XENSPLIT_STATE_CLOSED;
}
