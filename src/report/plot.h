/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLOT_H
#define PLOT_H

#include <stdio.h>

#include "report.h"

/*
 * Draw TSval against time for one source in ASCII, `columns` wide and `rows` high with its legend;
 * both are brought into what can be drawn (60 to 400, 16 to 200). The axis is cut where nothing
 * happens, see plot_bands.h. False with errno if the stream failed.
 */
bool report_plot(const struct report *report, const struct report_source *source,
		 unsigned int columns, unsigned int rows, FILE *out);

#endif
