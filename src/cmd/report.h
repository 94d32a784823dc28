/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_CMD_H
#define REPORT_CMD_H

/* `synpaws report`; argv[0] is "report". Returns the exit status. */
int report_main(int argc, char **argv);

#endif
