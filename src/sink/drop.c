/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "../os/clock.h"
#include "drop.h"
#include "json.h"
#include "text.h"

#define TIME_TEXT sizeof("4294967295-12-31T23:59:59.999999Z")

/* RFC 3339, in UTC */
static void format_time(uint64_t ns, char text[TIME_TEXT])
{
	const time_t second = (time_t)(ns / NS_PER_SECOND);
	const unsigned int micro = (unsigned int)(ns % NS_PER_SECOND / 1000);
	char date[TIME_TEXT];
	struct tm tm;

	gmtime_r(&second, &tm);
	strftime(date, sizeof(date) - sizeof(".999999Z"), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, TIME_TEXT, "%.24s.%06uZ", date, micro);
}

static const char *event_of(const struct drop *drop)
{
	return drop->outcome.fate == SYNPAWS_FATE_PAWS_DROP ? "paws-drop" : "contradiction";
}

/* Why the host did not do as predicted, as far as its answer shows. */
static const char *cause_of(const struct drop *drop)
{
	switch (drop->outcome.fate) {
	case SYNPAWS_FATE_COOKIE:
		return "syn-cookie";
	case SYNPAWS_FATE_CLOSED_PORT:
		return "closed-port";
	case SYNPAWS_FATE_TW_ACCEPT:
	case SYNPAWS_FATE_TW_REFUSE_ACK:
	case SYNPAWS_FATE_FIN_WAIT2_ACK:
	case SYNPAWS_FATE_FIN_WAIT2_RST:
		return "time-wait";
	case SYNPAWS_FATE_SYN_RECV:
	case SYNPAWS_FATE_OLD_CONNECTION:
		return "old-connection";
	default:
		return "unknown";
	}
}

size_t drop_text(const struct drop *drop, const char *profile, const char *evidence, char *line,
		 size_t size)
{
	const struct synpaws_segment *seg = &drop->seg;
	const struct synpaws_outcome *outcome = &drop->outcome;
	char when[TIME_TEXT], source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
	char tsval[16] = "-", behind[16] = "-";
	int length;

	format_time(seg->time_ns, when);
	text_address(seg->ip_version, seg->source, source);
	text_address(seg->ip_version, seg->destination, destination);
	if (seg->has_timestamp) {
		snprintf(tsval, sizeof(tsval), "%" PRIu32, seg->tsval);
		snprintf(behind, sizeof(behind), "%" PRId32, outcome->behind);
	}
	length = snprintf(line, size,
			  "%s time=%s profile=%s evidence=%s"
			  " src=%s sport=%u dst=%s dport=%u in=%s tsval=%s recorded_tsval=%" PRIu32
			  " behind=%s age=%" PRId32 " wait=%" PRIu32 " folded=%" PRIu64 " guess=%s",
			  event_of(drop), when, profile, evidence, source, seg->source_port,
			  destination, seg->destination_port,
			  drop->interface[0] != '\0' ? drop->interface : "-", tsval,
			  outcome->recorded_tsval, behind, outcome->age, outcome->wait,
			  drop->folded, outcome->guess ? "yes" : "no");
	if (outcome->fate != SYNPAWS_FATE_PAWS_DROP && length > 0 && (size_t)length < size)
		length += snprintf(line + length, size - (size_t)length,
				   " fate=%s answer=%s cause=%s", synpaws_fate_name(outcome->fate),
				   synpaws_answer_name(outcome->answer), cause_of(drop));
	return length < 0 || (size_t)length >= size ? 0 : (size_t)length;
}

size_t drop_json(const struct drop *drop, const char *profile, const char *evidence, char *line,
		 size_t size)
{
	const struct synpaws_segment *seg = &drop->seg;
	const struct synpaws_outcome *outcome = &drop->outcome;
	char text[INET6_ADDRSTRLEN > TIME_TEXT ? INET6_ADDRSTRLEN : TIME_TEXT];
	struct json *json = json_new();

	json_put_text(json, "event", event_of(drop));
	format_time(seg->time_ns, text);
	json_put_text(json, "time", text);
	json_put_text(json, "profile", profile);
	json_put_text(json, "evidence", evidence);
	text_address(seg->ip_version, seg->source, text);
	json_put_text(json, "src", text);
	json_put_integer(json, "sport", seg->source_port);
	text_address(seg->ip_version, seg->destination, text);
	json_put_text(json, "dst", text);
	json_put_integer(json, "dport", seg->destination_port);
	if (drop->interface[0] != '\0')
		json_put_text(json, "in", drop->interface);
	else
		json_put_null(json, "in");
	if (seg->has_timestamp)
		json_put_integer(json, "tsval", seg->tsval);
	else
		json_put_null(json, "tsval");
	json_put_integer(json, "recorded_tsval", outcome->recorded_tsval);
	if (seg->has_timestamp)
		json_put_integer(json, "behind", outcome->behind);
	else
		json_put_null(json, "behind");
	json_put_integer(json, "age", outcome->age);
	json_put_integer(json, "wait", outcome->wait);
	json_put_integer(json, "folded", (int64_t)drop->folded);
	json_put_text(json, "guess", outcome->guess ? "yes" : "no");
	if (outcome->fate != SYNPAWS_FATE_PAWS_DROP) {
		json_put_text(json, "fate", synpaws_fate_name(outcome->fate));
		json_put_text(json, "answer", synpaws_answer_name(outcome->answer));
		json_put_text(json, "cause", cause_of(drop));
	}
	return json_finish(json, line, size);
}
