/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "../os/clock.h"
#include "each.h"
#include "text.h"

static const char *json_bool(bool value)
{
	return value ? "true" : "false";
}

size_t each_line(const struct synpaws_segment *syn, const struct synpaws_outcome *outcome,
		 const char *profile, const char *evidence, char line[EACH_MOST])
{
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN], tsval[16] = "null";
	char recorded[64] = "";

	text_address(syn->ip_version, syn->source, source);
	text_address(syn->ip_version, syn->destination, destination);
	if (syn->has_timestamp)
		snprintf(tsval, sizeof(tsval), "%" PRIu32, syn->tsval);
	if (outcome->recorded)
		snprintf(recorded, sizeof(recorded),
			 ",\"recorded_tsval\":%" PRIu32 ",\"recorded_at\":%" PRIu32,
			 outcome->recorded_tsval, outcome->recorded_at);
	return (size_t)snprintf(
		line, EACH_MOST,
		"{\"time\":%" PRIu64 ".%09u,\"src\":\"%s\",\"sport\":%u,\"dst\":\"%s\","
		"\"dport\":%u,\"tsval\":%s,\"fate\":\"%s\",\"profile\":\"%s\",\"guess\":%s,"
		"\"contradicted\":%s,\"answer\":\"%s\",\"evidence\":\"%s\","
		"\"predicted\":\"%s\"%s}",
		(uint64_t)(syn->time_ns / NS_PER_SECOND),
		(unsigned int)(syn->time_ns % NS_PER_SECOND), source, syn->source_port, destination,
		syn->destination_port, tsval, synpaws_fate_name(outcome->fate), profile,
		json_bool(outcome->guess), json_bool(outcome->contradicted),
		synpaws_answer_name(outcome->answer), evidence,
		synpaws_fate_name(outcome->predicted), recorded);
}
