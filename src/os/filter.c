/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>

#include "filter.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(SANITIZED)

enum filter_lack filter_lack(void)
{
	return FILTER_LACKS_SANITIZER;
}

int filter_enter(enum filter_role role)
{
	(void)role;
	return 0;
}

#elif !defined(HAVE_SECCOMP)

enum filter_lack filter_lack(void)
{
	return FILTER_LACKS_LIBRARY;
}

int filter_enter(enum filter_role role)
{
	(void)role;
	return 0;
}

#else

#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PR_SET_SECCOMP
#define PR_SET_SECCOMP 22
#endif
#define MODE_FILTER 2

#ifndef SCMP_ACT_KILL_PROCESS
#define SCMP_ACT_KILL_PROCESS SCMP_ACT_KILL /* the thread, of which there is one */
#endif

/* Headers of old systems lack it. */
#define DIAG_PROTOCOL 4

/* An int is half a register; nobody says what is in the other half. */
#define INT_MASK      0xffffffffU

/* s390 has the flags second. */
#if defined(__s390__)
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif
#define FORK_FLAGS (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID | CSIGNAL)

/* What a role is made of. */
enum part {
	PART_ANY = 1 << 0,
	PART_JUDGE = 1 << 1,
	PART_ANSWER = 1 << 2,
	PART_KEEP = 1 << 3,
	PART_SNIFF = 1 << 4,
	PART_LOG = 1 << 5,
	PART_STATE = 1 << 6,
};

static const unsigned int parts_of[FILTER_ROLES] = {
	[FILTER_KEEPER] = PART_ANY | PART_JUDGE | PART_ANSWER | PART_KEEP,
	[FILTER_ANALYST] = PART_ANY | PART_JUDGE,
	[FILTER_ANSWERING] = PART_ANY | PART_JUDGE | PART_ANSWER,
	[FILTER_SNIFF] = PART_ANY | PART_JUDGE | PART_ANSWER | PART_SNIFF,
	[FILTER_LOG_DOOR] = PART_ANY | PART_LOG,
	[FILTER_STATE_DOOR] = PART_ANY | PART_STATE,
};

/* Lists end with NULL. A system that lacks a call, or a libseccomp that does not know it, skips it.
 */
#define CALLS_MOST 64

/* Several spellings are of 32-bit systems, or of libcs of different age. */
static const struct {
	unsigned int part;
	const char *calls[CALLS_MOST];
} lists[] = {
	{ PART_ANY,
	  { "brk",
	    "clock_gettime",
	    "clock_gettime64",
	    "clock_nanosleep",
	    "clock_nanosleep_time64",
	    "close",
	    "exit",
	    "exit_group",
	    "fstat",
	    "fstat64",
	    "fstatat64",
	    "futex",
	    "futex_time64",
	    "getegid",
	    "getegid32",
	    "geteuid",
	    "geteuid32",
	    "getgid",
	    "getgid32",
	    "getpid",
	    "getppid",
	    "getrandom",
	    "gettid",
	    "gettimeofday",
	    "getuid",
	    "getuid32",
	    "_llseek",
	    "lseek",
	    "madvise",
	    "mremap",
	    "munmap",
	    "nanosleep",
	    "newfstatat",
	    "poll",
	    "ppoll",
	    "ppoll_time64",
	    "read",
	    "recvmsg",
	    "restart_syscall",
	    "rseq",
	    "rt_sigaction",
	    "rt_sigprocmask",
	    "rt_sigreturn",
	    "sendmsg",
	    "set_robust_list",
	    "sigaction",
	    "sigprocmask",
	    "sigreturn",
	    "statx",
	    "time",
	    "uname",
	    "write",
	    "writev" } },
	{ PART_JUDGE,
	  { "bind", "ftruncate", "ftruncate64", "getsockname", "pread64", "recv", "recvfrom",
	    "send", "sendto", "sysinfo" } },
	{ PART_ANSWER,
	  { "accept", "accept4", "alarm", "fork", "setitimer", "wait4", "waitid", "waitpid" } },
	{ PART_KEEP,
	  { "capget", "getrlimit", "prctl", "prlimit64", "seccomp", "setresgid", "setresgid32",
	    "setresuid", "setresuid32", "setrlimit", "setsockopt", "ugetrlimit" } },
	{ PART_SNIFF, { "getsockopt" } },
	{ PART_LOG, { "connect" } },
	{ PART_STATE,
	  { "fchown", "fchown32", "fsync", "openat", "renameat", "renameat2", "unlinkat" } },
};

#define CONDITIONS_MOST 2

/* These only with such arguments: (argument & mask) == value */
static const struct limited {
	unsigned int part;
	const char *call;
	unsigned int count;
	struct {
		unsigned int argument;
		scmp_datum_t mask, value;
	} conditions[CONDITIONS_MOST];
} limited[] = {
	{ PART_ANY, "mmap", 1, { { 2, PROT_EXEC, 0 } } },
	{ PART_ANY, "mmap2", 1, { { 2, PROT_EXEC, 0 } } },
	{ PART_ANY, "mprotect", 1, { { 2, PROT_EXEC, 0 } } },
	/* Not F_SETOWN, which makes a descriptor send signals. */
	{ PART_ANY, "fcntl", 1, { { 1, INT_MASK, F_GETFD } } },
	{ PART_ANY, "fcntl", 1, { { 1, INT_MASK, F_SETFD } } },
	{ PART_ANY, "fcntl", 1, { { 1, INT_MASK, F_GETFL } } },
	{ PART_ANY, "fcntl", 1, { { 1, INT_MASK, F_SETFL } } },
	{ PART_ANY, "fcntl64", 1, { { 1, INT_MASK, F_GETFD } } },
	{ PART_ANY, "fcntl64", 1, { { 1, INT_MASK, F_SETFD } } },
	{ PART_ANY, "fcntl64", 1, { { 1, INT_MASK, F_GETFL } } },
	{ PART_ANY, "fcntl64", 1, { { 1, INT_MASK, F_SETFL } } },
	{ PART_JUDGE,
	  "socket",
	  2,
	  { { 0, INT_MASK, AF_NETLINK }, { 2, INT_MASK, DIAG_PROTOCOL } } },
	{ PART_JUDGE,
	  "socket",
	  2,
	  { { 0, INT_MASK, AF_NETLINK }, { 2, INT_MASK, NETLINK_GENERIC } } },
	{ PART_JUDGE, "setsockopt", 1, { { 1, INT_MASK, SOL_SOCKET } } },
	/* A process like this one, and no thread or namespace. */
	{ PART_ANSWER, "clone", 1, { { CLONE_FLAGS, INT_MASK & ~(scmp_datum_t)FORK_FLAGS, 0 } } },
	{ PART_KEEP | PART_SNIFF,
	  "socket",
	  2,
	  { { 0, INT_MASK, AF_NETLINK }, { 2, INT_MASK, NETLINK_ROUTE } } },
	{ PART_SNIFF | PART_LOG, "socket", 1, { { 0, INT_MASK, AF_UNIX } } },
	{ PART_SNIFF, "ioctl", 1, { { 1, INT_MASK, SIOCGIFFLAGS } } },
	{ PART_SNIFF, "ioctl", 1, { { 1, INT_MASK, SIOCGIFNAME } } },
};

/* What nothing here ever calls, and no libc by itself. */
static const char *const never[CALLS_MOST] = {
	"acct",
	"add_key",
	"bpf",
	"chroot",
	"delete_module",
	"execve",
	"execveat",
	"finit_module",
	"fsmount",
	"init_module",
	"io_uring_setup",
	"ioperm",
	"iopl",
	"kcmp",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"mount",
	"move_mount",
	"open_by_handle_at",
	"open_tree",
	"perf_event_open",
	"pidfd_getfd",
	"pidfd_send_signal",
	"pivot_root",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"reboot",
	"request_key",
	"setns",
	"swapon",
	"umount2",
	"unshare",
	"userfaultfd",
	"vmsplice",
};

enum filter_lack filter_lack(void)
{
	/* A kernel that knows filters looks for this one, and finds none at that address. */
	if (prctl(PR_SET_SECCOMP, MODE_FILTER, NULL, 0, 0) < 0 && errno != EFAULT)
		return FILTER_LACKS_KERNEL;
	return FILTER_LACKS_NOTHING;
}

/* 0, or less than 0 as libseccomp has it. */
static int add(scmp_filter_ctx filter, uint32_t action, const char *call, unsigned int count,
	       const struct scmp_arg_cmp *conditions)
{
	const int number = seccomp_syscall_resolve_name(call);

	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(filter, action, number, count, conditions);
}

static int add_list(scmp_filter_ctx filter, uint32_t action, const char *const *calls)
{
	int result = 0;

	for (; *calls != NULL && result == 0; calls++)
		result = add(filter, action, *calls, 0, NULL);
	return result;
}

static int add_limited(scmp_filter_ctx filter, const struct limited *row)
{
	struct scmp_arg_cmp conditions[CONDITIONS_MOST];
	unsigned int i;

	for (i = 0; i < row->count; i++) {
		conditions[i].arg = row->conditions[i].argument;
		conditions[i].op = SCMP_CMP_MASKED_EQ;
		conditions[i].datum_a = row->conditions[i].mask;
		conditions[i].datum_b = row->conditions[i].value;
	}
	return add(filter, SCMP_ACT_ALLOW, row->call, row->count, conditions);
}

/* A failed assertion or abort() may end this process, and none else. */
static int add_own_end(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp self = { .arg = 0,
					   .op = SCMP_CMP_EQ,
					   .datum_a = (scmp_datum_t)getpid() };

	return add(filter, SCMP_ACT_ALLOW, "tgkill", 1, &self);
}

/* Kernels before 4.14 kill the thread. */
static int add_deadly(scmp_filter_ctx filter)
{
	int result = add_list(filter, SCMP_ACT_KILL_PROCESS, never);

	if (result == -EINVAL || result == -EOPNOTSUPP)
		result = add_list(filter, SCMP_ACT_KILL, never);
	return result;
}

static int list_needed(scmp_filter_ctx filter, unsigned int parts)
{
	int result = add_own_end(filter);
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]) && result == 0; i++) {
		if ((lists[i].part & parts) != 0)
			result = add_list(filter, SCMP_ACT_ALLOW, lists[i].calls);
	}
	for (i = 0; i < sizeof(limited) / sizeof(limited[0]) && result == 0; i++) {
		if ((limited[i].part & parts) != 0)
			result = add_limited(filter, &limited[i]);
	}
	return result == 0 ? add_deadly(filter) : result;
}

/* Its sockets are open but for /dev/log's, and with CAP_NET_ADMIN others would do much. */
static int list_denied(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp foreign = { .arg = 0, .op = SCMP_CMP_NE, .datum_a = AF_UNIX };
	int result = add_list(filter, SCMP_ACT_ERRNO(EPERM), never);

	if (result == 0)
		result = add(filter, SCMP_ACT_ERRNO(EPERM), "socket", 1, &foreign);
	return result == 0 ? add(filter, SCMP_ACT_ERRNO(EPERM), "ioctl", 0, NULL) : result;
}

/* What a libseccomp or a kernel does not know of these it does without. */
static void set_attributes(scmp_filter_ctx filter, enum filter_role role)
{
	(void)role; /* an old libseccomp has no log */
	/* A call of another architecture is denied like others. */
	seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
#if SCMP_VER_MAJOR > 2 || (SCMP_VER_MAJOR == 2 && SCMP_VER_MINOR >= 4)
	/* libpcap looks for /sys every second, in vain in an empty root directory. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, role != FILTER_SNIFF);
#endif
#if SCMP_VER_MAJOR > 2 || (SCMP_VER_MAJOR == 2 && SCMP_VER_MINOR >= 5)
	/* Kernels before 5.16 would switch off a processor's speculation, against code that a
	 * process runs for others; none does here. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
#endif
}

int filter_enter(enum filter_role role)
{
	const bool receiver = role == FILTER_RECEIVER;
	scmp_filter_ctx filter;
	int result;

	if (filter_lack() != FILTER_LACKS_NOTHING)
		return 0;
	filter = seccomp_init(receiver ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS));
	if (filter == NULL) {
		errno = ENOMEM;
		return -1;
	}
	set_attributes(filter, role);
	result = receiver ? list_denied(filter) : list_needed(filter, parts_of[role]);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	errno = -result;
	return result == 0 ? 0 : -1;
}

#endif
