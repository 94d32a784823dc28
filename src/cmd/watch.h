/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WATCH_H
#define WATCH_H

/* `synpaws watch`: the daemon. argv[0] is the subcommand. Returns the exit status. */
int watch_main(int argc, char **argv);

#endif
