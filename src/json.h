/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What json-c lacks for this tool: reports, and texts that must stay UTF-8. */
#ifndef XENSPLIT_JSON_H
#define XENSPLIT_JSON_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

/* Loads json-c; else the first report does. Better before the work than after it. */
void json_load(void);

/* {"schema":1}, and arrays to come. */
struct json_object *json_report(void);
struct json_object *json_array(struct json_object *report, const char *name);
struct json_object *json_member(struct json_object *object, const char *name);
/* An object, at the end of the array. */
struct json_object *json_item(struct json_object *array);
/* On one line of stdout; ends the report. */
void json_print(struct json_object *report);

/* NULL, and XENSPLIT_ANY, are JSON's null. Texts are escaped as escape() does it. */
void json_add_bytes(struct json_object *object, const char *key, const char *bytes,
		    size_t len);
void json_add_text(struct json_object *object, const char *key, const char *text);
void json_add_number(struct json_object *object, const char *key, uint32_t number);
/* Seconds since the epoch, 0 for none. */
void json_add_time(struct json_object *object, const char *key, uint64_t seconds);
void json_add_flag(struct json_object *object, const char *key, int flag);
/* A number as these digits tell it. */
void json_add_decimal(struct json_object *object, const char *key, const char *digits);
/* What the library has escaped already. */
void json_add_escaped(struct json_object *object, const char *key, const char *text);

#endif
