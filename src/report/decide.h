/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DECIDE_H
#define DECIDE_H

#include "report.h"

#define DECIDE_UNSEEN 12
#define DECIDE_ADVICE 6

/* What the numbers of a report mean in words; it belongs to the report. */
struct decide {
	const char *unseen[DECIDE_UNSEEN + 1];
	char texts[DECIDE_UNSEEN][256];
	struct report_advice advice[DECIDE_ADVICE];
	char why[DECIDE_ADVICE][256];
};

/* Fill in decision, sentence, unseen and advice from all that stands in `report`. */
void decide(struct decide *decide, struct report *report);

#endif
