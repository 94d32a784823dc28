/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

/* Memory for tables that are read at random: all zero, at the start of a cache line. */

/* NULL with errno ENOMEM. */
void *table_new(size_t count, size_t size);

/* `count` and `size` as for table_new(). NULL is fine. */
void table_free(void *table, size_t count, size_t size);

/* Have all its pages there now, instead of each when it is first used. Changes nothing in it. */
void table_touch(void *table, size_t count, size_t size);

#endif
