/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `took FILE COMMAND...` runs a command, and writes to FILE what it took: time, CPU and memory. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	struct rusage usage;
	FILE *file;
	pid_t pid;
	int status;

	if (argc < 3)
		errx(2, "usage: took FILE COMMAND...");
	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = vfork(); /* or what the child takes over would count as its memory */
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		err(1, "%s", argv[2]);
	clock_gettime(CLOCK_MONOTONIC, &end);
	file = fopen(argv[1], "w");
	if (file == NULL)
		err(1, "%s", argv[1]);
	fprintf(file, "wall=%.6f cpu=%.6f kb=%ld\n",
		(double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9,
		seconds(&usage.ru_utime) + seconds(&usage.ru_stime), usage.ru_maxrss);
	fclose(file);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
