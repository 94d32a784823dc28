/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* A secret for keyed hashes. False with errno. */
bool random_key(uint8_t key[16]);

#endif
