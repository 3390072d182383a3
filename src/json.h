/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What json-c lacks for this tool: reports, and texts that must stay UTF-8. */
#ifndef XENSPLIT_JSON_H
#define XENSPLIT_JSON_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

/* Bytes from XenStore, escaped as escape() does it. */
struct json_object *json_text(const char *bytes, size_t len);

/* {"schema":1}, and arrays to come. */
struct json_object *json_report(void);
struct json_object *json_array(struct json_object *report, const char *name);
/* On one line of stdout; ends the report. */
void json_print(struct json_object *report);

/* NULL, and XENSPLIT_ANY, are JSON's null. */
void json_add_text(struct json_object *object, const char *key, const char *text);
void json_add_number(struct json_object *object, const char *key, uint32_t number);
/* What the library has escaped already. */
void json_add_escaped(struct json_object *object, const char *key, const char *text);

#endif
