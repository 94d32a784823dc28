/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * JSON objects on one line, written by jansson; without it json_available() is false and nothing
 * can be written.
 */
struct json;

bool json_available(void);

/* Draw the secret of its hash tables, while /dev/urandom can be opened. */
void json_prepare(void);

/* An empty object; NULL without jansson or memory. The calls below take NULL and do nothing. */
struct json *json_new(void);
/* What is not UTF-8 becomes null. */
void json_put_text(struct json *json, const char *name, const char *value);
void json_put_integer(struct json *json, const char *name, int64_t value);
void json_put_real(struct json *json, const char *name, double value);
void json_put_null(struct json *json, const char *name);
/* An object inside; it belongs to `json` then. NULL becomes null. */
void json_put_object(struct json *json, const char *name, struct json *value);

/* Write the object and free it. Its length, or 0 if that failed or `size` was too small. */
size_t json_finish(struct json *json, char *line, size_t size);

#endif
