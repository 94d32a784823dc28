/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel.h"
#include "sysctls.h"

static const struct {
	const char *name;
	unsigned long most;
} table[SYSCTL_KINDS] = {
	[SYSCTL_FIN_TIMEOUT] = { "tcp_fin_timeout", 86400 },
	[SYSCTL_SYNCOOKIES] = { "tcp_syncookies", 2 },
	[SYSCTL_TIMESTAMPS] = { "tcp_timestamps", 1 },
	[SYSCTL_TW_RECYCLE] = { "tcp_tw_recycle", 1 },
};

void sysctls_init(struct sysctls *sysctls)
{
	memset(sysctls, 0, sizeof(*sysctls));
	sysctls->values = synpaws_sysctls_default;
}

const char *sysctl_name(enum sysctl which)
{
	return table[which].name;
}

const char *sysctl_source_name(enum sysctl_source source)
{
	static const char *const names[] = { "default", "host", "told" };

	return names[source];
}

unsigned long sysctl_most(enum sysctl which)
{
	return table[which].most;
}

long sysctl_get(const struct sysctls *sysctls, enum sysctl which)
{
	switch (which) {
	case SYSCTL_FIN_TIMEOUT:
		return (long)sysctls->values.tcp_fin_timeout;
	case SYSCTL_SYNCOOKIES:
		return sysctls->values.tcp_syncookies;
	case SYSCTL_TIMESTAMPS:
		return sysctls->values.tcp_timestamps;
	case SYSCTL_TW_RECYCLE:
		return sysctls->values.tcp_tw_recycle;
	case SYSCTL_KINDS:
		break;
	}
	return -1;
}

void sysctl_set(struct sysctls *sysctls, enum sysctl which, unsigned long value,
		enum sysctl_source source)
{
	switch (which) {
	case SYSCTL_FIN_TIMEOUT:
		sysctls->values.tcp_fin_timeout = (uint32_t)value;
		break;
	case SYSCTL_SYNCOOKIES:
		sysctls->values.tcp_syncookies = (uint8_t)value;
		break;
	case SYSCTL_TIMESTAMPS:
		sysctls->values.tcp_timestamps = value != 0;
		break;
	case SYSCTL_TW_RECYCLE:
		sysctls->values.tcp_tw_recycle = (int8_t)value;
		break;
	case SYSCTL_KINDS:
		return;
	}
	sysctls->source[which] = source;
}

/* The number in a file. False if it is not there, or there is something else in it. */
static bool read_number(const char *directory, const char *name, long *number)
{
	char path[256], text[32], *end;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return false;
	text[length] = '\0';
	errno = 0;
	*number = strtol(text, &end, 10);
	return errno == 0 && end != text && (*end == '\0' || *end == '\n');
}

static bool is_absent(const char *directory, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return access(path, F_OK) < 0 && errno == ENOENT;
}

/* As the kernel takes it: any other value than 0 switches on. */
static void take(struct sysctls *sysctls, enum sysctl which, long number)
{
	const long most = (long)table[which].most;

	if (number < 0)
		number = which == SYSCTL_FIN_TIMEOUT ? 0 : 1;
	if (number > most)
		number = which == SYSCTL_SYNCOOKIES ? 1 : most;
	sysctl_set(sysctls, which, (unsigned long)number, SYSCTL_BY_HOST);
}

/* Up to 4.10 a container is not shown the machine's tcp_tw_recycle, which holds for it all the
 * same.
 */
static bool absence_is_zero(enum sysctl which)
{
	struct utsname system;

	if (which != SYSCTL_TW_RECYCLE)
		return which == SYSCTL_SYNCOOKIES;
	return uname(&system) == 0 && kernel_check(system.release) == KERNEL_WITHOUT_CHECK;
}

void sysctls_read(struct sysctls *sysctls, const char *directory)
{
	/* Before Linux 4 a network namespace of its own shows none of them: that tells nothing. */
	const bool shown = !is_absent(directory, table[SYSCTL_FIN_TIMEOUT].name);
	enum sysctl which;
	long number;

	for (which = 0; which < SYSCTL_KINDS; which++) {
		if (sysctls->source[which] == SYSCTL_TOLD)
			continue;
		if (read_number(directory, table[which].name, &number))
			take(sysctls, which, number);
		else if (shown && is_absent(directory, table[which].name) && absence_is_zero(which))
			take(sysctls, which, 0);
	}
}
