/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <unistd.h>

#include "random.h"

bool random_key(uint8_t key[16])
{
	const int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	const bool good = fd >= 0 && read(fd, key, 16) == 16;

	if (fd >= 0)
		close(fd);
	return good;
}
