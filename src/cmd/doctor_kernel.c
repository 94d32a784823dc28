/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include <synpaws/profile.h>

#include "../os/kernel.h"
#include "doctor_look.h"

#define SWITCH_OFF "sysctl -w net.ipv4.tcp_tw_recycle=0, and in /etc/sysctl.conf and /etc/sysctl.d"

static void look_at_release(struct doctor *doctor)
{
	if (doctor->check == DOCTOR_CHECK_ABSENT)
		doctor_say(
			doctor, DOCTOR_INFO, "kernel", "",
			"Linux %s has no per-peer timestamp check (it ended with 4.11). What "
			"remains: a SYN with an older timestamp than the TIME_WAIT of the very same "
			"addresses and ports gets an ACK instead of a SYN+ACK",
			doctor->release);
	else if (doctor->profile == NULL)
		doctor_say(
			doctor, DOCTOR_INFO, "kernel", "choose one: synpaws profiles",
			"Linux %s has the per-peer timestamp check, but no profile is known for it",
			doctor->release);
	else
		doctor_say(doctor, DOCTOR_INFO, "kernel", "",
			   "Linux %s has the per-peer timestamp check of profile %s (%s)",
			   doctor->release, doctor->profile,
			   synpaws_profile_find(doctor->profile)->kernels);
}

static void look_at_recycle(struct doctor *doctor)
{
	switch (doctor->check) {
	case DOCTOR_CHECK_ON:
		doctor_say(
			doctor,
			doctor_count(doctor, COUNTER_PAWS_PASSIVE) > 0 ? DOCTOR_BAD : DOCTOR_WARN,
			"tcp_tw_recycle", SWITCH_OFF,
			"net.ipv4.tcp_tw_recycle is on: for a minute after this machine closes a "
			"connection, SYNs from the same address with an older timestamp are "
			"dropped in silence");
		break;
	case DOCTOR_CHECK_OFF:
		doctor_say(doctor, DOCTOR_OK, "tcp_tw_recycle", "",
			   "net.ipv4.tcp_tw_recycle is off: no SYN is refused for its timestamp");
		break;
	case DOCTOR_CHECK_HIDDEN:
		doctor_say(doctor, DOCTOR_WARN, "tcp_tw_recycle",
			   "on the machine itself: sysctl net.ipv4.tcp_tw_recycle",
			   "this kernel has tcp_tw_recycle and does not show it here, as up to "
			   "Linux 4.10 in a container or network namespace");
		break;
	case DOCTOR_CHECK_ABSENT:
		doctor_say(doctor, DOCTOR_OK, "tcp_tw_recycle", "",
			   "there is no net.ipv4.tcp_tw_recycle in this kernel");
		break;
	}
}

static void look_at_timestamps(struct doctor *doctor)
{
	long value;

	if (!doctor_setting(doctor, "net/ipv4/tcp_timestamps", &value))
		doctor_say(doctor, DOCTOR_INFO, "tcp_timestamps", "",
			   "net.ipv4.tcp_timestamps is not shown here");
	else if (value == 0 && doctor->check == DOCTOR_CHECK_ON)
		doctor_say(
			doctor, DOCTOR_INFO, "tcp_timestamps", "",
			"net.ipv4.tcp_timestamps=0: no new connection leaves a timestamp behind, "
			"so tcp_tw_recycle soon has nothing to check");
	else
		doctor_say(doctor, DOCTOR_INFO, "tcp_timestamps", "",
			   "net.ipv4.tcp_timestamps=%ld: this machine %s", value,
			   value == 0 ? "uses no TCP timestamps" : "uses TCP timestamps");
}

static void look_at_cookies(struct doctor *doctor)
{
	const struct synpaws_profile *profile =
		doctor->profile != NULL ? synpaws_profile_find(doctor->profile) : NULL;
	long value;

	if (!doctor_setting(doctor, "net/ipv4/tcp_syncookies", &value))
		doctor_say(doctor, DOCTOR_INFO, "tcp_syncookies", "",
			   "net.ipv4.tcp_syncookies is not there or not shown");
	else if (value == 2 && doctor->check != DOCTOR_CHECK_ABSENT && profile != NULL &&
		 profile->cookies_always)
		doctor_say(
			doctor, DOCTOR_INFO, "tcp_syncookies", "",
			"net.ipv4.tcp_syncookies=2: every SYN gets a cookie, and none is checked, "
			"even with tcp_tw_recycle on");
	else
		doctor_say(doctor, DOCTOR_INFO, "tcp_syncookies", "", "net.ipv4.tcp_syncookies=%ld",
			   value);
}

static void look_at_fin_timeout(struct doctor *doctor)
{
	long value;

	if (doctor_setting(doctor, "net/ipv4/tcp_fin_timeout", &value))
		doctor_say(doctor, DOCTOR_INFO, "tcp_fin_timeout", "",
			   "net.ipv4.tcp_fin_timeout=%ld%s", value,
			   value > 60 && doctor->check != DOCTOR_CHECK_ABSENT
				   ? ": a timestamp is remembered when the peer closes too, not "
				     "before"
				   : "");
}

static void look_at_reuse(struct doctor *doctor)
{
	long value;

	if (doctor_setting(doctor, "net/ipv4/tcp_tw_reuse", &value))
		doctor_say(doctor, DOCTOR_INFO, "tcp_tw_reuse", "",
			   "net.ipv4.tcp_tw_reuse=%ld: it is about connections that this machine "
			   "opens, and refuses none that come in",
			   value);
}

void doctor_look_at_kernel(struct doctor *doctor)
{
	look_at_release(doctor);
	look_at_recycle(doctor);
	look_at_timestamps(doctor);
	look_at_cookies(doctor);
	look_at_fin_timeout(doctor);
	look_at_reuse(doctor);
}
