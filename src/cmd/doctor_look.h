/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DOCTOR_LOOK_H
#define DOCTOR_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "../os/counters.h"
#include "../os/ruleset.h"

/*
 * The look at a machine. It changes nothing, although the kernel may load modules that it is asked
 * about. What it may not see it says.
 */
enum doctor_result {
	DOCTOR_OK,
	DOCTOR_INFO,
	DOCTOR_WARN, /* the daemon would not work as meant, or the machine is at risk */
	DOCTOR_BAD,  /* connections are refused or lost */
};

/* "ok" and so on. Static storage. */
const char *doctor_result_name(enum doctor_result result);

struct doctor_finding {
	enum doctor_result result;
	const char *check;
	const char *text;
	const char *advice; /* "" if there is nothing to do */
};

struct doctor_config {
	const char *root;     /* "", or a directory with a /proc of its own */
	bool ask_kernel;      /* by netlink too; what is in `root` cannot answer for it */
	unsigned int seconds; /* between two looks at the counters; 0 for one look */
	void (*wait)(void *context, unsigned int seconds);
	void (*say)(void *context, const struct doctor_finding *finding);
	void (*next)(void *context, const char *line);
	/* The counters since boot, and what came while it waited. */
	void (*counted)(void *context, const struct counters *now, const struct counters *since);
	void *context; /* their first argument */
};

#define DOCTOR_EXIT_BAD	     1
#define DOCTOR_EXIT_REFUSING 3

/* Look, and tell. The exit status: 0, DOCTOR_EXIT_BAD or DOCTOR_EXIT_REFUSING. */
int doctor_look(const struct doctor_config *config);

/* --- Between the parts of the look ------------------------------------------------------------ */

enum doctor_check {
	DOCTOR_CHECK_ABSENT, /* this kernel has none */
	DOCTOR_CHECK_OFF,
	DOCTOR_CHECK_ON,
	DOCTOR_CHECK_HIDDEN, /* it has one, and does not show whether it is on */
};

struct doctor {
	const struct doctor_config *config;
	char release[128];
	const char *profile; /* NULL if there is none */
	enum doctor_check check;
	struct counters counters;
	bool has_counters;
	uint64_t refused; /* while it waited */
	long user;
	bool net_admin;
	struct ruleset ruleset;
	bool has_ruleset; /* some program listed its rules */
	bool bad;
};

/* Tell one finding. */
void doctor_say(struct doctor *doctor, enum doctor_result result, const char *check,
		const char *advice, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A setting of the kernel by its path below /proc/sys. False if it is not to be seen. */
bool doctor_setting(const struct doctor *doctor, const char *name, long *value);

/* What PAWSPassive and others say since boot; 0 if this kernel lacks them. */
uint64_t doctor_count(const struct doctor *doctor, enum counter which);

/* The profile to name in advice. */
const char *doctor_advised_profile(const struct doctor *doctor);

void doctor_read_kernel(struct doctor *doctor); /* first, without telling anything */
void doctor_look_at_kernel(struct doctor *doctor);
void doctor_look_at_counters(struct doctor *doctor);
void doctor_look_at_growth(struct doctor *doctor);
void doctor_look_at_metrics(struct doctor *doctor);
void doctor_look_at_rules(struct doctor *doctor);
void doctor_look_at_queues(struct doctor *doctor);
void doctor_look_at_daemon(struct doctor *doctor);

#endif
