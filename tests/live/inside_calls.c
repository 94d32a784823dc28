/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For privileges.sh, to be preloaded: in the process that $INSIDE names it makes calls that
 * somebody who has taken it over would try, when it first waits for something and so has all its
 * limits. What became of each goes to standard error in a line: "inside: CALL done", or an errno,
 * or "killed".
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_memfd_create
#define SYS_memfd_create 319
#endif

static char self[16]; /* as the process called itself last */
static pid_t receiver;
static void *ring; /* the view of it that may only be read */

__attribute__((constructor)) static void start(void)
{
	receiver = getpid();
	strcpy(self, "receiver");
}

static void tell(const char *call, const char *result)
{
	char line[80];
	const int length = snprintf(line, sizeof(line), "inside: %s %s\n", call, result);

	if (write(STDERR_FILENO, line, (size_t)length) != length)
		_exit(1);
}

static void tell_result(const char *call, long result)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", errno);
	tell(call, result >= 0	     ? "done"
		   : errno == ENOSYS ? "ENOSYS"
		   : errno == EPERM  ? "EPERM"
		   : errno == EACCES ? "EACCES"
				     : number);
}

#define TRY(name, call)                      \
	do {                                 \
		errno = 0;                   \
		tell_result((name), (call)); \
	} while (0)

/* In a child, since it may be the last call. */
#define TRY_DEADLY(name, call)                                                                     \
	do {                                                                                       \
		int status = 0;                                                                    \
		const pid_t child = fork();                                                        \
		if (child == 0) {                                                                  \
			TRY(name, call);                                                           \
			_exit(0);                                                                  \
		}                                                                                  \
		if (child > 0 && wait4(child, &status, 0, NULL) == child && WIFSIGNALED(status) && \
		    WTERMSIG(status) == SIGSYS)                                                    \
			tell(name, "killed");                                                      \
		if (child < 0)                                                                     \
			tell(name, "no-fork");                                                     \
	} while (0)

static void try_deadly(void)
{
	static char *const none[] = { NULL };
	struct iovec local = { self, 1 }, remote = { self, 1 };

	TRY_DEADLY("execve", execve("/bin/true", none, none));
	TRY_DEADLY("ptrace", ptrace(PTRACE_ATTACH, receiver, NULL, NULL));
	TRY_DEADLY("process_vm_readv",
		   syscall(SYS_process_vm_readv, receiver, &local, 1, &remote, 1, 0));
	TRY_DEADLY("mount", syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL));
	TRY_DEADLY("chroot", chroot("."));
	TRY_DEADLY("unshare", unshare(CLONE_NEWUSER));
	TRY_DEADLY("bpf", syscall(SYS_bpf, 0, NULL, 0));
}

static void try_others(void)
{
	TRY("open", syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY));
	TRY("memfd_create", syscall(SYS_memfd_create, "x", 0));
	TRY("socket-inet", socket(AF_INET, SOCK_STREAM, 0));
	TRY("socket-packet", socket(AF_PACKET, SOCK_RAW, 0));
	TRY("socket-netfilter", socket(AF_NETLINK, SOCK_RAW, 12));
	TRY("connect", connect(STDERR_FILENO, NULL, 0));
	TRY("tgkill", syscall(SYS_tgkill, receiver, receiver, 0));
	TRY("setuid", setuid(0));
	TRY("setresuid", syscall(SYS_setresuid, (uid_t)receiver, -1, -1));
	TRY("mprotect-exec", mprotect((void *)((unsigned long)self & ~4095UL), 1,
				      PROT_READ | PROT_WRITE | PROT_EXEC));
	if (strcmp(self, "receiver") != 0)
		TRY("clone-newuser",
		    syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
	TRY("fcntl-setown", fcntl(STDERR_FILENO, F_SETOWN, receiver));
	TRY("prctl", syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0));
	TRY("setsockopt", setsockopt(STDERR_FILENO, SOL_NETLINK, 1, NULL, 0));
}

static void try_all(void)
{
	static int tried;
	const char *wanted = getenv("INSIDE");

	if (tried || wanted == NULL || strcmp(self, wanted) != 0)
		return;
	tried = 1;
	TRY("kill", syscall(SYS_kill, receiver, strcmp(self, "receiver") == 0 ? 99 : 0));
	if (ring != NULL)
		TRY("mprotect-ring", mprotect(ring, 1, PROT_READ | PROT_WRITE));
	if (getenv("INSIDE_FORK") != NULL)
		TRY("fork", syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
	else
		try_deadly();
	try_others();
	TRY("socket-diag", socket(AF_NETLINK, SOCK_RAW, 4));
	tell("end", "done");
}

int prctl(int option, ...)
{
	unsigned long a[4];
	va_list arguments;
	size_t i;

	va_start(arguments, option);
	for (i = 0; i < 4; i++)
		a[i] = va_arg(arguments, unsigned long);
	va_end(arguments);
	if (option == PR_SET_NAME)
		strncpy(self, (const char *)a[0], sizeof(self) - 1);
	return (int)syscall(SYS_prctl, option, a[0], a[1], a[2], a[3]);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	void *got = (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);

	if (got != MAP_FAILED && protection == PROT_READ && (flags & MAP_SHARED) != 0)
		ring = got;
	return got;
}

/* The analyst waits for three descriptors, and only then; a log waits for one. */
int poll(struct pollfd *fds, nfds_t count, int milliseconds)
{
	if (count == 3)
		try_all();
	return (int)syscall(SYS_poll, fds, count, milliseconds);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *signals)
{
	struct timespec left = *timeout;

	try_all();
	return (int)syscall(SYS_ppoll, fds, count, &left, signals, 8);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	if (options == 0)
		try_all();
	return (pid_t)syscall(SYS_wait4, pid, status, options, NULL);
}
