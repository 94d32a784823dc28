/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "compare.h"
#include "json.h"

size_t compare_text(const struct compare_row *rows, size_t count, char *line, size_t size)
{
	size_t i, length = (size_t)snprintf(line, size, "compare");

	for (i = 0; i < count && length < size; i++)
		length += (size_t)snprintf(line + length, size - length, " %s=%" PRIu64,
					   rows[i].profile, rows[i].drop_syns);
	for (i = 0; i < count && length < size; i++)
		length += (size_t)snprintf(line + length, size - length, " %s_connections=%" PRIu64,
					   rows[i].profile, rows[i].drop_connections);
	return length < size ? length : 0;
}

size_t compare_json(const struct compare_row *rows, size_t count, char *line, size_t size)
{
	struct json *json = json_new(), *syns = json_new(), *connections = json_new();
	size_t i;

	for (i = 0; i < count; i++) {
		json_put_integer(syns, rows[i].profile, (int64_t)rows[i].drop_syns);
		json_put_integer(connections, rows[i].profile, (int64_t)rows[i].drop_connections);
	}
	json_put_text(json, "event", "compare");
	json_put_object(json, "drop_syns", syns);
	json_put_object(json, "drop_connections", connections);
	return json_finish(json, line, size);
}
