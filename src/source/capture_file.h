/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_FILE_H
#define CAPTURE_FILE_H

#include "capture_link.h"

/* One capture file, by libpcap; besides capture_live.c the only place that knows libpcap. */
struct capture_file;

/* As capture_open(), of one path. */
struct capture_file *capture_file_open(const char *path, char *why, size_t size);
void capture_file_close(struct capture_file *file);

enum capture_link capture_file_link(const struct capture_file *file);

/*
 * The next frame, from its link-layer header on; its bytes stay until the next call with this file.
 * False at the end, or where reading fails.
 */
bool capture_file_next(struct capture_file *file, struct capture_packet *frame);

/* Why reading failed, in a line; NULL if it did not. */
const char *capture_file_error(const struct capture_file *file);

/* As capture_progress(), of one file. */
struct capture_progress capture_file_progress(const struct capture_file *file);

/* False if libpcap's number `dlt` is of a link layer that we do not know. Only with libpcap. */
bool capture_file_kind(int dlt, enum capture_link *kind);

#endif
