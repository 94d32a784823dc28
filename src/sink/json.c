/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "json.h"

#ifdef HAVE_JANSSON

#include <jansson.h>

/* Jansson before 2.7 writes 71.42 with all the digits of its binary neighbour. */
#ifdef JSON_REAL_PRECISION
#define PRECISION JSON_REAL_PRECISION(6)
#else
#define PRECISION 0
#endif

struct json {
	json_t *object;
};

bool json_available(void)
{
	return true;
}

void json_prepare(void)
{
	json_decref(json_object());
}

struct json *json_new(void)
{
	struct json *json = malloc(sizeof(*json));

	if (json != NULL)
		json->object = json_object();
	return json;
}

/* json_object_set_new() takes NULL for a failure, and the object then lacks that field. */
static void set(struct json *json, const char *name, json_t *value)
{
	if (json == NULL)
		json_decref(value);
	else
		json_object_set_new(json->object, name, value);
}

void json_put_text(struct json *json, const char *name, const char *value)
{
	json_t *text = json_string(value); /* NULL for what is not UTF-8 */

	set(json, name, text != NULL ? text : json_null());
}

void json_put_integer(struct json *json, const char *name, int64_t value)
{
	set(json, name, json_integer((json_int_t)value));
}

void json_put_real(struct json *json, const char *name, double value)
{
	set(json, name, json_real(value));
}

void json_put_null(struct json *json, const char *name)
{
	set(json, name, json_null());
}

void json_put_object(struct json *json, const char *name, struct json *value)
{
	set(json, name, value != NULL ? value->object : json_null());
	free(value);
}

size_t json_finish(struct json *json, char *line, size_t size)
{
	size_t length = 0;
	char *text;

	if (json == NULL)
		return 0;
	text = json_dumps(json->object, JSON_COMPACT | JSON_PRESERVE_ORDER | PRECISION);
	if (text != NULL && strlen(text) < size) {
		length = strlen(text);
		memcpy(line, text, length + 1);
	}
	free(text);
	json_decref(json->object);
	free(json);
	return length;
}

#else

bool json_available(void)
{
	return false;
}

void json_prepare(void)
{
}

struct json *json_new(void)
{
	return NULL;
}

void json_put_text(struct json *json, const char *name, const char *value)
{
	(void)json;
	(void)name;
	(void)value;
}

void json_put_integer(struct json *json, const char *name, int64_t value)
{
	(void)json;
	(void)name;
	(void)value;
}

void json_put_real(struct json *json, const char *name, double value)
{
	(void)json;
	(void)name;
	(void)value;
}

void json_put_null(struct json *json, const char *name)
{
	(void)json;
	(void)name;
}

void json_put_object(struct json *json, const char *name, struct json *value)
{
	(void)json;
	(void)name;
	(void)value;
}

size_t json_finish(struct json *json, char *line, size_t size)
{
	(void)json;
	(void)line;
	(void)size;
	return 0;
}

#endif
