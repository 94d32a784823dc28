/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that tell facts which no packet shows. */
#include <stdio.h>
#include <string.h>

#include "panel_options.h"

#define ITEM_MOST 32

/* Cut `item` in two at `separator`; NULL if it is not there. */
static char *cut(char *item, char separator)
{
	char *at = strchr(item, separator);

	if (at != NULL)
		*at++ = '\0';
	return at;
}

/* N, N-M, and with `timed` also either of them with :SECONDS. */
static bool parse_item(char *item, bool timed, struct panel_ports *ports)
{
	const char *seconds = timed ? cut(item, ':') : NULL;
	const char *end = cut(item, '-');
	unsigned long long first, last, delay = SYNPAWS_NEVER;

	if (!option_number(item, 1, UINT16_MAX, &first))
		return false;
	last = first;
	if (end != NULL && !option_number(end, first, UINT16_MAX, &last))
		return false;
	if (seconds != NULL && !option_number(seconds, 0, 86400, &delay))
		return false;
	ports->first = (uint16_t)first;
	ports->last = (uint16_t)last;
	ports->seconds = (uint32_t)delay;
	return true;
}

static bool add_ports(struct panel_options *options, const char *name, enum synpaws_fact fact,
		      const char *value, char *why, size_t size)
{
	const bool timed = fact == SYNPAWS_FACT_HALF_CLOSE;
	const char *at = value;
	char item[ITEM_MOST];
	size_t length;

	for (;;) {
		length = strcspn(at, ",");
		if (options->port_count == PANEL_PORTS_MOST) {
			snprintf(
				why, size,
				"%s: more than %d ports and ranges in all; join some, as in 8000-8009",
				name, PANEL_PORTS_MOST);
			return false;
		}
		snprintf(item, sizeof(item), "%.*s",
			 length < sizeof(item) ? (int)length : (int)sizeof(item) - 1, at);
		if (length >= sizeof(item) ||
		    !parse_item(item, timed, &options->ports[options->port_count])) {
			snprintf(why, size,
				 "%s '%s': give ports from 1 to 65535 such as 80,8000-8009%s", name,
				 item, timed ? ", with :SECONDS up to 86400 where wanted" : "");
			return false;
		}
		options->ports[options->port_count++].fact = fact;
		if (at[length] == '\0')
			return true;
		at += length + 1;
	}
}

bool panel_set_half_close(void *target, const char *value, char *why, size_t size)
{
	return add_ports(target, "--half-close", SYNPAWS_FACT_HALF_CLOSE, value, why, size);
}

bool panel_set_dual_stack(void *target, const char *value, char *why, size_t size)
{
	return add_ports(target, "--dual-stack", SYNPAWS_FACT_DUAL_STACK, value, why, size);
}

bool panel_set_closed(void *target, const char *value, char *why, size_t size)
{
	return add_ports(target, "--closed", SYNPAWS_FACT_CLOSED, value, why, size);
}

bool panel_set_sysctl(void *target, const char *value, char *why, size_t size)
{
	struct panel_options *options = target;
	const char *name = value;
	const char *equals = strchr(value, '=');
	unsigned long long number;
	enum sysctl which;
	size_t length;

	if (strncmp(name, "net.ipv4.", strlen("net.ipv4.")) == 0)
		name += strlen("net.ipv4.");
	length = equals != NULL && equals > name ? (size_t)(equals - name) : 0;
	for (which = 0; which < SYSCTL_KINDS; which++) {
		if (strlen(sysctl_name(which)) != length ||
		    memcmp(sysctl_name(which), name, length) != 0)
			continue;
		if (option_number(equals + 1, 0, sysctl_most(which), &number)) {
			sysctl_set(&options->sysctls, which, (unsigned long)number, SYSCTL_TOLD);
			return true;
		}
		snprintf(why, size, "--sysctl '%s': give %s a number from 0 to %lu", value,
			 sysctl_name(which), sysctl_most(which));
		return false;
	}
	snprintf(why, size,
		 "--sysctl '%s': give tcp_fin_timeout, tcp_syncookies, tcp_timestamps or "
		 "tcp_tw_recycle, '=' and a number",
		 value);
	return false;
}
