/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPLAY_H
#define REPLAY_H

/* `synpaws replay`: captures. argv[0] is the subcommand. Returns the exit status. */
int replay_main(int argc, char **argv);

#endif
