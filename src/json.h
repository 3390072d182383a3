/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers around json-c: reports, and texts that must be valid UTF-8. */
#ifndef XENSPLIT_JSON_H
#define XENSPLIT_JSON_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

/* Loads json-c, so that a failure comes before the work. Otherwise the first report does. */
void json_load(void);

/* A report {"schema":1}, to which arrays are added. */
struct json_object *json_report(void);
struct json_object *json_array(struct json_object *report, const char *name);
struct json_object *json_member(struct json_object *object, const char *name);
/* Appends a new object to the array. */
struct json_object *json_item(struct json_object *array);
/*
 * The error of the run: the next report has it, or json_flush_error() prints it alone.
 * Returns: NULL if there is one already.
 */
struct json_object *json_error(void);
void json_flush_error(void);
int json_has_error(void);

/* Prints the report on one line of stdout and frees it. */
void json_print(struct json_object *report);

/* Returns: the line that json_print() prints, without its end; the caller frees it. */
char *json_take(struct json_object *report);

/* A report that another process wrote. Returns: NULL if it is not JSON. */
struct json_object *json_parse(const char *text);
void json_free(struct json_object *report);
/* Parts of it, which is as long valid; each accepts NULL and what has another type. */
struct json_object *json_get(struct json_object *object, const char *key);
size_t json_count(struct json_object *array);
struct json_object *json_at(struct json_object *array, size_t index);
/* Returns: NULL, or @none, for null. */
const char *json_text(struct json_object *object, const char *key, const char *none);
int64_t json_number(struct json_object *object, const char *key, int64_t none);

/* NULL, and XENSPLIT_ANY, become null. Texts are escaped as by escape(). */
void json_add_bytes(struct json_object *object, const char *key, const char *bytes,
		    size_t len);
void json_add_text(struct json_object *object, const char *key, const char *text);
void json_add_number(struct json_object *object, const char *key, uint32_t number);
/* Seconds since the epoch, 0 for none. */
void json_add_time(struct json_object *object, const char *key, uint64_t seconds);
void json_add_flag(struct json_object *object, const char *key, int flag);
/* A number given as digits. */
void json_add_decimal(struct json_object *object, const char *key, const char *digits);
/* A text that the library has escaped. */
void json_add_escaped(struct json_object *object, const char *key, const char *text);

#endif
