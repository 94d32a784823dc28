/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os/file.h"
#include "../os/kernel.h"
#include "doctor_look.h"

#define CAP_NET_ADMIN_BIT 12

const char *doctor_result_name(enum doctor_result result)
{
	static const char *const names[] = { "ok", "info", "warn", "bad" };

	return names[result];
}

void doctor_say(struct doctor *doctor, enum doctor_result result, const char *check,
		const char *advice, const char *format, ...)
{
	struct doctor_finding finding = { .result = result, .check = check, .advice = advice };
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	finding.text = text;
	doctor->bad |= result == DOCTOR_BAD;
	doctor->config->say(doctor->config->context, &finding);
}

bool doctor_setting(const struct doctor *doctor, const char *name, long *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/proc/sys/%s", doctor->config->root, name);
	return file_number(path, value);
}

uint64_t doctor_count(const struct doctor *doctor, enum counter which)
{
	return doctor->counters.present[which] ? doctor->counters.value[which] : 0;
}

const char *doctor_advised_profile(const struct doctor *doctor)
{
	return doctor->profile != NULL ? doctor->profile : "el7";
}

static void read_release(struct doctor *doctor)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/proc/sys/kernel/osrelease", doctor->config->root);
	if (file_read(path, doctor->release, sizeof(doctor->release)) <= 0)
		snprintf(doctor->release, sizeof(doctor->release), "?");
	doctor->release[strcspn(doctor->release, "\n")] = '\0';
	doctor->profile = kernel_profile(doctor->release);
}

/* Its counter tells best whether a kernel has the check, patched or not. */
static enum doctor_check find_check(const struct doctor *doctor)
{
	const bool has = doctor->has_counters ? doctor->counters.present[COUNTER_PAWS_PASSIVE]
					      : kernel_check(doctor->release) == KERNEL_HAS_CHECK;
	long value;

	if (doctor_setting(doctor, "net/ipv4/tcp_tw_recycle", &value))
		return value != 0 ? DOCTOR_CHECK_ON : DOCTOR_CHECK_OFF;
	return has ? DOCTOR_CHECK_HIDDEN : DOCTOR_CHECK_ABSENT;
}

static void read_privileges(struct doctor *doctor)
{
	char path[PATH_MAX], text[4096];
	const char *line;

	doctor->user = -1;
	snprintf(path, sizeof(path), "%s/proc/self/status", doctor->config->root);
	if (file_read(path, text, sizeof(text)) <= 0)
		return;
	line = strstr(text, "\nUid:");
	if (line != NULL)
		sscanf(line, "\nUid: %*s %ld", &doctor->user);
	line = strstr(text, "\nCapEff:");
	if (line != NULL)
		doctor->net_admin =
			(strtoull(line + strlen("\nCapEff:"), NULL, 16) >> CAP_NET_ADMIN_BIT & 1) !=
			0;
}

void doctor_read_kernel(struct doctor *doctor)
{
	char path[PATH_MAX];

	read_release(doctor);
	read_privileges(doctor);
	snprintf(path, sizeof(path), "%s" COUNTERS_FILE, doctor->config->root);
	doctor->has_counters = counters_read(path, &doctor->counters) == 0;
	doctor->check = find_check(doctor);
}

static void next(const struct doctor *doctor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void next(const struct doctor *doctor, const char *format, ...)
{
	char line[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	doctor->config->next(doctor->config->context, line);
}

static void next_when_on(const struct doctor *doctor, uint64_t refused)
{
	if (doctor->refused > 0)
		next(doctor,
		     "this kernel is refusing connections because of timestamps now: sysctl -w "
		     "net.ipv4.tcp_tw_recycle=0, and in /etc/sysctl.conf and /etc/sysctl.d too");
	else if (refused > 0)
		next(doctor,
		     "this kernel has refused %" PRIu64 " connections since boot: sysctl -w "
		     "net.ipv4.tcp_tw_recycle=0, and in /etc/sysctl.conf and /etc/sysctl.d too",
		     refused);
	else
		next(doctor, "it has refused nobody yet: sysctl -w net.ipv4.tcp_tw_recycle=0 "
			     "before it does");
	next(doctor, "whom it hits: synpaws-rules load, and synpaws watch --profile %s",
	     doctor_advised_profile(doctor));
}

static void say_next(const struct doctor *doctor)
{
	const char *profile = doctor_advised_profile(doctor);

	switch (doctor->check) {
	case DOCTOR_CHECK_ON:
		next_when_on(doctor, doctor_count(doctor, COUNTER_PAWS_PASSIVE));
		break;
	case DOCTOR_CHECK_HIDDEN:
		if (doctor_count(doctor, COUNTER_PAWS_PASSIVE) > 0)
			next_when_on(doctor, doctor_count(doctor, COUNTER_PAWS_PASSIVE));
		else
			next(doctor, "look on the machine itself, outside of this container or "
				     "network namespace: sysctl net.ipv4.tcp_tw_recycle");
		break;
	case DOCTOR_CHECK_OFF:
		next(doctor,
		     "the check is off. Before you switch tcp_tw_recycle on: synpaws-rules load, "
		     "and synpaws watch --profile %s, for a day or more",
		     profile);
		break;
	case DOCTOR_CHECK_ABSENT:
		next(doctor, "this kernel has no tcp_tw_recycle and nothing to switch. If servers "
			     "with an older kernel stand behind it: synpaws-rules load --at "
			     "gateway, and synpaws watch --gateway; for captures synpaws replay");
		break;
	}
	if (!doctor->net_admin)
		next(doctor, "not root: rules, the owners of queues and whether NFQUEUE works here "
			     "were not looked at: sudo synpaws doctor");
}

int doctor_look(const struct doctor_config *config)
{
	struct doctor doctor;

	memset(&doctor, 0, sizeof(doctor));
	doctor.config = config;
	doctor_read_kernel(&doctor);
	doctor_look_at_kernel(&doctor);
	doctor_look_at_counters(&doctor);
	doctor_look_at_metrics(&doctor);
	doctor_look_at_growth(&doctor);
	doctor_look_at_rules(&doctor);
	doctor_look_at_queues(&doctor);
	doctor_look_at_daemon(&doctor);
	say_next(&doctor);
	if (doctor.refused > 0)
		return DOCTOR_EXIT_REFUSING;
	return doctor.bad ? DOCTOR_EXIT_BAD : EXIT_SUCCESS;
}
