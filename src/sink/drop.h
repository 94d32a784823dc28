/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DROP_H
#define DROP_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <synpaws/mirror.h>

/* One would-be drop, or an answer that contradicts one, with all that the log says of it. */
struct drop {
	struct synpaws_segment seg;
	struct synpaws_outcome outcome;
	char interface[IF_NAMESIZE]; /* "" if it is not known */
	uint64_t folded; /* would-be drops of the same source since its last line that got none */
};

/*
 * The line for a drop: "paws-drop", or "contradiction" if its fate is another, and the fields in
 * their fixed order as key=value, which contrib/doc/log.md explains. Returns its length; `size` of
 * 512 is always enough.
 */
size_t drop_text(const struct drop *drop, const char *profile, const char *evidence, char *line,
		 size_t size);

/* The same fields as a JSON object. 0 if this build has no JSON, or no memory is left. */
size_t drop_json(const struct drop *drop, const char *profile, const char *evidence, char *line,
		 size_t size);

#endif
