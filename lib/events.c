// SPDX-License-Identifier: LGPL-2.1-or-later
/* The queue of events of a monitor. */
#include "monitor.h"

struct queued {
	struct xensplit_event event;
	struct device_id id;
	char unique_id[UNIQUE_ID_SIZE];
};

static bool grow(struct events *events)
{
	size_t room = events->room ? 2 * events->room : 16, i;
	struct queued *more = calloc(room, sizeof(*more));

	if (!more)
		return false;
	for (i = 0; i < events->count; i++)
		more[i] = events->queue[(events->head + i) % events->room];
	free(events->queue);
	events->queue = more;
	events->room = room;
	events->head = 0;
	return true;
}

struct xensplit_event *events_push(struct events *events, const struct device_id *id,
				   const char *unique_id, int type)
{
	struct queued *queued;

	if (events->count == events->room && !grow(events))
		return NULL;
	queued = &events->queue[(events->head + events->count++) % events->room];
	memset(queued, 0, sizeof(*queued));
	queued->id = *id;
	snprintf(queued->unique_id, sizeof(queued->unique_id), "%s", unique_id);
	queued->event.type = type;
	queued->event.time_us = now_us();
	return &queued->event;
}

static void drop_told(struct events *events)
{
	if (events->told)
		free((void *)events->told->event.text);
	free(events->told);
	events->told = NULL;
}

int events_next(struct events *events, const struct xensplit_event **ret_event)
{
	struct queued *told;

	drop_told(events);
	if (!events->count)
		return 0;
	told = malloc(sizeof(*told));
	/* Without memory it stays queued, for the next call. */
	if (!told)
		return 0;
	*told = events->queue[events->head];
	events->head = (events->head + 1) % events->room;
	events->count--;
	told->event.id.domid = told->id.domid;
	told->event.id.type = *told->id.type ? told->id.type : NULL;
	told->event.id.devid = told->id.devid;
	told->event.unique_id = *told->unique_id ? told->unique_id : NULL;
	events->told = told;
	*ret_event = &told->event;
	return 1;
}

void events_clear(struct events *events)
{
	size_t i;

	drop_told(events);
	for (i = 0; i < events->count; i++)
		free((void *)events->queue[(events->head + i) % events->room].event.text);
	free(events->queue);
	memset(events, 0, sizeof(*events));
}
