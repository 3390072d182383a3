/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XENSPLIT_SERVE_EVENTS_H
#define XENSPLIT_SERVE_EVENTS_H

struct serve;
struct xensplit_keeper_event;

/* Logs and counts what the keeper did, or found. */
void event_note(struct serve *serve, const struct xensplit_keeper_event *event);

#endif
