/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_OWN_H
#define CAPTURE_OWN_H

#include <stdbool.h>
#include <stdint.h>

#include <synpaws/mirror.h>

/* The addresses of this machine, which tell what comes in from what goes out. */
struct capture_own;

#define CAPTURE_OWN_MOST 4096

/* None yet. NULL if there is no memory. */
struct capture_own *capture_own_new(void);
void capture_own_free(struct capture_own *own);

/* Ask the kernel; needs no privilege. -1 with errno if it cannot tell: then all stays as it is. */
int capture_own_refresh(struct capture_own *own);

/* Addresses as in struct synpaws_segment; 127.0.0.0/8 is this machine's as a whole. */
bool capture_own_has(const struct capture_own *own, uint8_t ip_version, const uint8_t address[16]);

/* True if one of the addresses is among those of `prefix`. */
bool capture_own_within(const struct capture_own *own, const struct synpaws_prefix *prefix);

/* One more; false if there is no room. Only for tests, and until the next refresh. */
bool capture_own_add(struct capture_own *own, uint8_t ip_version, const uint8_t address[16]);

#endif
