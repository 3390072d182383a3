// SPDX-License-Identifier: LGPL-2.1-or-later
/* The queue of events of a keeper. */
#include "keeper.h"

/* An event, and the strings that it points to. */
struct told_event {
	struct told_event *next;
	struct xensplit_keeper_event event;
	char type[TYPE_MAX + 1];
	struct xensplit_error *error;
	char domain[];
};

void keeper_events_init(struct keeper_events *events)
{
	memset(events, 0, sizeof(*events));
	events->end = &events->first;
}

static void told_free(struct told_event *told)
{
	if (told)
		free(told->error);
	free(told);
}

static bool fill(struct told_event *told, const char *domain, const struct device_id *id,
		 const struct xensplit_error *error)
{
	struct xensplit_keeper_event *event = &told->event;

	if (error) {
		event->error = told->error = error_copy(error);
		if (!told->error)
			return false;
	}
	if (domain) {
		memcpy(told->domain, domain, strlen(domain) + 1);
		event->domain = told->domain;
	}
	memcpy(told->type, id->type, sizeof(told->type));
	event->id.domid = id->domid;
	event->id.type = *told->type ? told->type : NULL;
	event->id.devid = id->devid;
	return true;
}

/* Without memory for an event the work goes on: get() still shows the state. */
struct xensplit_keeper_event *keeper_tell(struct xensplit_keeper *k, int type,
					  const char *domain, const struct device_id *id,
					  const struct xensplit_error *error)
{
	struct keeper_events *events = &k->events;
	struct told_event *told =
		calloc(1, sizeof(*told) + (domain ? strlen(domain) : 0) + 1);

	if (!told || !fill(told, domain, id, error)) {
		told_free(told);
		log_warn(k->ctx, "out of memory: an event is lost");
		return &events->lost;
	}
	told->event.type = type;
	told->event.entry = -1;
	told->event.backend_domid = XENSPLIT_ANY;
	*events->end = told;
	events->end = &told->next;
	events->count++;
	return &told->event;
}

int keeper_events_next(struct keeper_events *events,
		       const struct xensplit_keeper_event **ret_event)
{
	struct told_event *next = events->first;

	told_free(events->told);
	events->told = next;
	if (!next)
		return 0;
	events->first = next->next;
	if (!events->first)
		events->end = &events->first;
	events->count--;
	*ret_event = &next->event;
	return 1;
}

void keeper_events_clear(struct keeper_events *events)
{
	const struct xensplit_keeper_event *event;

	while (keeper_events_next(events, &event))
		;
}
