// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints events of watch, as lines or JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common.h"
#include "json.h"
#include "logger.h"
#include "output.h"
#include "screen.h"
#include "text.h"

static void json_add_state(struct json_object *object, const char *key, int given,
			   int state)
{
	json_add_text(object, key,
		      given && state != XENSPLIT_STATE_ABSENT ? xensplit_state_name(state)
							      : NULL);
}

static const char *event_name(int type)
{
	static const char *const names[] = {
		[XENSPLIT_EVENT_APPEARED] = "appeared",
		[XENSPLIT_EVENT_STATE] = "state",
		[XENSPLIT_EVENT_ERROR] = "error",
		[XENSPLIT_EVENT_VANISHED] = "vanished",
		[XENSPLIT_EVENT_DOMAIN_GONE] = "domain-gone",
		[XENSPLIT_EVENT_RESYNC] = "resync",
		[XENSPLIT_EVENT_DOMAIN] = "domain",
	};

	if (type < 1 || (size_t)type >= sizeof(names) / sizeof(names[0]))
		return "unknown"; /* from a library newer than this tool */
	return names[type];
}

static const char *end_name(int end)
{
	if (end == XENSPLIT_END_NONE)
		return NULL;
	return end == XENSPLIT_END_FRONTEND ? "frontend" : "backend";
}

/* Converts time since boot to time of day. */
static struct timespec event_time(const struct xensplit_event *event)
{
	struct timespec now, since;
	int64_t ns;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_MONOTONIC, &since);
	ns = ((int64_t)now.tv_sec - since.tv_sec) * 1000000000 + now.tv_nsec -
	     since.tv_nsec + (int64_t)event->time_us * 1000;
	now.tv_sec = ns / 1000000000;
	now.tv_nsec = ns % 1000000000;
	return now;
}

static struct json_object *new_event(const struct xensplit_event *event)
{
	struct json_object *object = json_report();
	struct timespec time = event_time(event);
	char text[40];

	json_add_text(object, "event", event_name(event->type));
	snprintf(text, sizeof(text), "%lld.%06ld", (long long)time.tv_sec,
		 time.tv_nsec / 1000);
	json_add_decimal(object, "time", text);
	json_add_number(object, "domid", event->id.domid);
	return object;
}

static void print_domain_json(const struct xensplit_event *event)
{
	struct json_object *object = new_event(event);

	json_add_text(object, "domain", event->text);
	json_print(object);
}

static void print_event_json(const struct xensplit_event *event)
{
	struct json_object *object = new_event(event);
	int state = event->type == XENSPLIT_EVENT_STATE;
	int both = event->type == XENSPLIT_EVENT_APPEARED ||
		   event->type == XENSPLIT_EVENT_RESYNC;

	json_add_text(object, "type", event->id.type);
	json_add_number(object, "devid", event->id.devid);
	json_add_number(object, "backend_domid", event->backend_domid);
	json_add_text(object, "end", end_name(event->end));
	json_add_state(object, "from", state, event->from);
	json_add_state(object, "to", state, event->to);
	json_add_state(object, "frontend_state", both, event->from);
	json_add_state(object, "backend_state", both, event->to);
	json_add_text(object, "text", event->text);
	json_add_number(object, "missed", event->missed);
	json_add_text(object, "unique_id", event->unique_id);
	json_print(object);
}

static void print_state(int state)
{
	const char *color = screen_state_color(state);

	printf("%s%s%s", color, xensplit_state_name(state), *color ? screen_plain() : "");
}

static void print_states(int frontend, int backend)
{
	print_state(frontend);
	putchar('/');
	print_state(backend);
}

/* A driver's error may be long. @column is the current column. */
static void print_error(const struct xensplit_event *event, size_t column)
{
	char *escaped = escape(event->text, strlen(event->text));
	char *text = words("\"%s\"", escaped);

	column += (size_t)printf("%-8s ", end_name(event->end));
	printf("%serror%s: ", screen_color(SCREEN_RED), screen_plain());
	screen_cut(text, column + strlen("error: "));
	free(text);
	free(escaped);
}

static void print_event_what(const struct xensplit_event *event, size_t column)
{
	switch (event->type) {
	case XENSPLIT_EVENT_STATE:
		printf("%-8s ", end_name(event->end));
		print_state(event->from);
		fputs(" -> ", stdout);
		print_state(event->to);
		break;
	case XENSPLIT_EVENT_ERROR:
		print_error(event, column);
		return;
	case XENSPLIT_EVENT_DOMAIN_GONE:
		printf("%-8s domain gone", end_name(event->end));
		break;
	case XENSPLIT_EVENT_APPEARED:
	case XENSPLIT_EVENT_RESYNC:
		printf("%s ", event_name(event->type));
		print_states(event->from, event->to);
		if (event->type == XENSPLIT_EVENT_RESYNC)
			printf(", missed %u", event->missed);
		break;
	default:
		fputs(event_name(event->type), stdout);
	}
	putchar('\n');
}

/* "guest5 is now domain 7" */
static void print_domain(const struct xensplit_event *event)
{
	char *name = escape(event->text, strlen(event->text));

	if (event->id.domid == XENSPLIT_ANY)
		printf("no domain is called %s\n", name);
	else
		printf("%s is now domain %u\n", name, event->id.domid);
	free(name);
}

void print_event(const struct xensplit_event *event, int json)
{
	int about_domain = event->type == XENSPLIT_EVENT_DOMAIN, column;
	struct timespec time;
	struct tm tm;
	char *name;

	if (json) {
		if (about_domain)
			print_domain_json(event);
		else
			print_event_json(event);
		return;
	}
	logger_make_way();
	time = event_time(event);
	localtime_r(&time.tv_sec, &tm);
	column = printf("%02d:%02d:%02d.%03ld ", tm.tm_hour, tm.tm_min, tm.tm_sec,
			time.tv_nsec / 1000000);
	if (about_domain) {
		print_domain(event);
		return;
	}
	name = id_name(&event->id);
	column += printf("%s: ", name);
	free(name);
	print_event_what(event, (size_t)column);
}

void print_armed(int json)
{
	struct json_object *object;

	if (!json) {
		logger_make_way();
		puts("watching");
		return;
	}
	object = json_report();
	json_add_text(object, "event", "armed");
	json_print(object);
}
