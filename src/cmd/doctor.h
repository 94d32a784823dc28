/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DOCTOR_H
#define DOCTOR_H

/* `synpaws doctor`: what this machine is like. argv[0] is the subcommand. The exit status. */
int doctor_main(int argc, char **argv);

#endif
