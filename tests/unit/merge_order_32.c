/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * merge_order.c as a 32-bit system has it: the stamps that receivers say what they hold by are
 * words of 32 bits there, and go round in the middle of each round.
 */
#define WORD_32
#include "merge_order.c"
