/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../os/kernel.h"
#include "../os/metrics.h"
#include "doctor_look.h"

/* Word by word as `netstat -s` says them, so that who looks for a sentence finds it here. */
#define SAYS_PASSIVE "%" PRIu64 " passive connections rejected because of time stamp"
#define SAYS_ACTIVE  "%" PRIu64 " active connections rejected because of time stamp"
#define SAYS_ESTABLISHED \
	"%" PRIu64 " packets rejects in established connections because of timestamp"
#define SAYS_DROPS	 "%" PRIu64 " SYNs to LISTEN sockets dropped"
#define SAYS_OVERFLOWS	 "%" PRIu64 " times the listen queue of a socket overflowed"
#define SAYS_TW		 "%" PRIu64 " TCP sockets finished time wait in fast timer"
#define SAYS_TW_KILLED	 "%" PRIu64 " TCP sockets finished time wait in slow timer"
#define SAYS_TW_RECYCLED "%" PRIu64 " time wait sockets recycled by time stamp"
#define SAYS_COOKIES	 "%" PRIu64 " SYN cookies sent"

/* A peer's stamp refuses SYNs for less than so many seconds. */
#define STAMP_SECONDS 60

static void look_at_passive(struct doctor *doctor)
{
	const uint64_t passive = doctor_count(doctor, COUNTER_PAWS_PASSIVE);
	const bool off = doctor->check == DOCTOR_CHECK_OFF;

	if (!doctor->counters.present[COUNTER_PAWS_PASSIVE])
		doctor_say(
			doctor, DOCTOR_OK, "PAWSPassive", "",
			"this kernel does not count passive connections rejected because of time "
			"stamp, as it rejects none");
	else if (passive == 0)
		doctor_say(doctor, DOCTOR_OK, "PAWSPassive", "",
			   SAYS_PASSIVE ": none since boot. If connections fail, it is for another "
					"reason",
			   passive);
	else
		doctor_say(doctor, off ? DOCTOR_INFO : DOCTOR_BAD, "PAWSPassive", "",
			   SAYS_PASSIVE
			   " since boot: each is a SYN, first or repeated, that got no "
			   "answer%s",
			   passive, off ? ", while tcp_tw_recycle was on" : "");
}

static void look_at_others(struct doctor *doctor)
{
	const uint64_t established = doctor_count(doctor, COUNTER_PAWS_ESTAB);
	const uint64_t active = doctor_count(doctor, COUNTER_PAWS_ACTIVE);
	const uint64_t waiting = doctor_count(doctor, COUNTER_PAWS_TIMEWAIT);
	const uint64_t skipped = doctor_count(doctor, COUNTER_ACK_SKIPPED_TIME_WAIT);

	if (established > 0)
		doctor_say(doctor, DOCTOR_INFO, "PAWSEstab", "",
			   SAYS_ESTABLISHED ": late duplicates, and on most kernels SYNs that met "
					    "the TIME_WAIT of their own addresses and ports; "
					    "tcp_tw_recycle is not counted here",
			   established);
	if (active > 0)
		doctor_say(doctor, DOCTOR_INFO, "PAWSActive", "",
			   SAYS_ACTIVE ": answers to this machine's own SYNs that echo another "
				       "timestamp",
			   active);
	if (waiting > 0 || skipped > 0)
		doctor_say(
			doctor, DOCTOR_INFO, "TIME_WAIT", "",
			"PAWSTimewait: %" PRIu64 ", TCPACKSkippedTimeWait: %" PRIu64
			": segments that met a TIME_WAIT of their own addresses and ports with "
			"an older timestamp, and ACKs kept back from them; where a NAT uses ports "
			"again soon, SYNs are among them",
			waiting, skipped);
}

static const char *meaning_of_drops(const struct doctor *doctor, uint64_t overflows)
{
	const uint64_t passive = doctor_count(doctor, COUNTER_PAWS_PASSIVE);

	if (passive > 0 && kernel_since(doctor->release, 3, 10))
		return overflows > 0 ? "those rejected because of time stamp are among the drops, "
				       "but a full queue has its share"
				     : "those rejected because of time stamp are among them";
	if (overflows > 0)
		return "a service did not accept its connections fast enough; this is not about "
		       "timestamps";
	return "not because of timestamps; a full queue of SYNs, or no memory, for instance";
}

static void look_at_listeners(struct doctor *doctor)
{
	const uint64_t drops = doctor_count(doctor, COUNTER_LISTEN_DROPS);
	const uint64_t overflows = doctor_count(doctor, COUNTER_LISTEN_OVERFLOWS);
	const uint64_t cookies = doctor_count(doctor, COUNTER_COOKIES_SENT);
	const uint64_t full = doctor_count(doctor, COUNTER_REQUEST_FULL_DROP);

	if (drops > 0 || overflows > 0)
		doctor_say(doctor, DOCTOR_INFO, "ListenDrops",
			   overflows > 0 ? "raise the backlog of the service and "
					   "net.core.somaxconn, if this grows"
					 : "",
			   SAYS_DROPS ", " SAYS_OVERFLOWS ": %s", drops, overflows,
			   meaning_of_drops(doctor, overflows));
	if (cookies > 0)
		doctor_say(doctor, DOCTOR_INFO, "SyncookiesSent", "",
			   SAYS_COOKIES
			   ": a queue of SYNs was full; a SYN that gets a cookie is not "
			   "checked for its timestamp",
			   cookies);
	if (full > 0)
		doctor_say(doctor, DOCTOR_INFO, "TCPReqQFullDrop",
			   "sysctl -w net.ipv4.tcp_syncookies=1",
			   "TCPReqQFullDrop: %" PRIu64 ": SYNs dropped because a queue of SYNs was "
			   "full and sends no cookies; this is not about timestamps",
			   full);
}

static void look_at_time_waits(struct doctor *doctor)
{
	const uint64_t killed = doctor_count(doctor, COUNTER_TW_KILLED);

	if (killed > 0 && doctor->check != DOCTOR_CHECK_ABSENT)
		doctor_say(doctor, DOCTOR_INFO, "TWKilled", "",
			   SAYS_TW
			   ", " SAYS_TW_KILLED ": netstat has fast and slow the wrong way "
			   "round; the latter lasted a few seconds, as tcp_tw_recycle makes "
			   "them",
			   doctor_count(doctor, COUNTER_TW), killed);
	if (doctor_count(doctor, COUNTER_TW_RECYCLED) > 0)
		doctor_say(doctor, DOCTOR_INFO, "TWRecycled", "",
			   SAYS_TW_RECYCLED ": ports used again by connections that this machine "
					    "opened (tcp_tw_reuse)",
			   doctor_count(doctor, COUNTER_TW_RECYCLED));
}

void doctor_look_at_counters(struct doctor *doctor)
{
	if (!doctor->has_counters) {
		doctor_say(doctor, DOCTOR_WARN, "counters", "is /proc mounted?",
			   "/proc/net/netstat cannot be read: what was refused is not to be seen");
		return;
	}
	look_at_passive(doctor);
	look_at_others(doctor);
	look_at_listeners(doctor);
	look_at_time_waits(doctor);
}

static void say_growth(struct doctor *doctor, const struct counters *since)
{
	const unsigned int seconds = doctor->config->seconds;
	const uint64_t overflows = since->value[COUNTER_LISTEN_OVERFLOWS];
	const uint64_t drops = since->value[COUNTER_LISTEN_DROPS];

	if (doctor->refused > 0)
		doctor_say(doctor, DOCTOR_BAD, "now", "sysctl -w net.ipv4.tcp_tw_recycle=0",
			   "PAWSPassive grew by %" PRIu64 " in %u s: it happens now",
			   doctor->refused, seconds);
	else if (drops > 0 || overflows > 0)
		doctor_say(doctor, DOCTOR_WARN, "now", "",
			   "in %u s ListenDrops grew by %" PRIu64 ", ListenOverflows by %" PRIu64
			   ", PAWSPassive not: SYNs are dropped, but not because of timestamps",
			   seconds, drops, overflows);
	else
		doctor_say(doctor, DOCTOR_OK, "now", "", "no SYN was dropped at a listener in %u s",
			   seconds);
}

void doctor_look_at_growth(struct doctor *doctor)
{
	const struct doctor_config *config = doctor->config;
	struct counters after, since;
	char path[PATH_MAX];

	memset(&since, 0, sizeof(since));
	if (doctor->has_counters && config->seconds > 0) {
		config->wait(config->context, config->seconds);
		snprintf(path, sizeof(path), "%s" COUNTERS_FILE, config->root);
		if (counters_read(path, &after) == 0) {
			counters_since(&doctor->counters, &after, &since);
			doctor->counters = after;
			doctor->refused = since.value[COUNTER_PAWS_PASSIVE];
			say_growth(doctor, &since);
		}
	}
	config->counted(config->context, &doctor->counters, &since);
}

static void count_fresh(void *context, const struct metrics_entry *entry)
{
	uint64_t *fresh = context;

	*fresh += entry->has_stamp && entry->age >= 0 && entry->age < STAMP_SECONDS;
}

void doctor_look_at_metrics(struct doctor *doctor)
{
	struct metrics_counts counts;
	uint64_t fresh = 0;
	char note[256];

	if (!doctor->config->ask_kernel)
		return;
	if (metrics_dump(count_fresh, &fresh, &counts, note, sizeof(note)) < 0 ||
	    counts.stamped == 0)
		doctor_say(doctor, DOCTOR_INFO, "tcp_metrics", "", "%s", note);
	else
		doctor_say(doctor, DOCTOR_INFO, "tcp_metrics", "ip tcp_metrics show",
			   "of %" PRIu64
			   " peers in tcp_metrics the kernel remembers the timestamps "
			   "of %" PRIu64 ", of which %" PRIu64 " are from the last %d s and refuse "
			   "older SYNs while tcp_tw_recycle is on",
			   counts.entries, counts.stamped, fresh, STAMP_SECONDS);
}
