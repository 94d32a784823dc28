/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "doctor_look.h"

/* What `synpaws watch` asks for without --buffer, as the kernel accounts it: twice what is set. */
#define DAEMON_BUFFER 8388608

/* A queue that nobody is likely to have. */
#define PROBED_QUEUE 65535

#define PROBE_SECONDS	    2
#define NEARLY_FULL_PERCENT 90

static void look_at_privileges(struct doctor *doctor)
{
	if (doctor->net_admin)
		doctor_say(doctor, DOCTOR_OK, "privileges", "",
			   "user %ld with CAP_NET_ADMIN, as synpaws watch needs it", doctor->user);
	else
		doctor_say(doctor, DOCTOR_INFO, "privileges",
			   "run synpaws watch as root or with CAP_NET_ADMIN",
			   "user %ld without CAP_NET_ADMIN: replay works, watch does not",
			   doctor->user);
}

/*
 * Ask for a change of a queue that is not there, which changes nothing: ENODEV says that the kernel
 * has NFQUEUE and lets us. Returns the error.
 */
static int probe(const struct mnl_socket *netlink)
{
	const struct timeval timeout = { .tv_sec = PROBE_SECONDS };
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *family;
	ssize_t length;

	header->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	family = mnl_nlmsg_put_extra_header(header, sizeof(*family));
	family->version = NFNETLINK_V0;
	family->res_id = htons(PROBED_QUEUE);
	mnl_attr_put_u32(header, NFQA_CFG_QUEUE_MAXLEN, htonl(1024));
	if (setsockopt(mnl_socket_get_fd(netlink), SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)) < 0 ||
	    mnl_socket_sendto(netlink, header, header->nlmsg_len) < 0)
		return errno;
	length = mnl_socket_recvfrom(netlink, buffer, sizeof(buffer));
	if (length < 0 || mnl_cb_run(buffer, (size_t)length, 0, 0, NULL, NULL) < 0)
		return errno;
	return 0;
}

/* The receive buffer that the daemon would get. */
static int try_buffer(const struct mnl_socket *netlink)
{
	const int fd = mnl_socket_get_fd(netlink), wanted = DAEMON_BUFFER / 2;
	socklen_t size = sizeof(int);
	int got = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof(wanted)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof(wanted));
	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &size);
	return got;
}

static void say_buffer(struct doctor *doctor, int got)
{
	long most = 0, usual = 0;

	doctor_setting(doctor, "net/core/rmem_max", &most);
	doctor_setting(doctor, "net/core/rmem_default", &usual);
	doctor_say(doctor, got >= DAEMON_BUFFER ? DOCTOR_OK : DOCTOR_WARN, "buffer",
		   got >= DAEMON_BUFFER ? "" : "sysctl -w net.core.rmem_max=4194304",
		   "a queue's socket gets %d bytes of buffer of the %d that synpaws watch asks for "
		   "(net.core.rmem_max=%ld, rmem_default=%ld)",
		   got, DAEMON_BUFFER, most, usual);
}

static void look_at_nfqueue(struct doctor *doctor)
{
	struct mnl_socket *netlink;
	int error;

	if (!doctor->config->ask_kernel || !doctor->net_admin)
		return;
	netlink = mnl_socket_open(NETLINK_NETFILTER);
	error = netlink != NULL ? probe(netlink) : errno;
	if (error == 0 || error == ENODEV)
		doctor_say(doctor, DOCTOR_OK, "NFQUEUE", "", "the kernel lets us use NFQUEUE");
	else if (error == EPERM)
		doctor_say(doctor, DOCTOR_WARN, "NFQUEUE",
			   "in a container give CAP_NET_ADMIN in its network namespace",
			   "the kernel does not let us use NFQUEUE");
	else
		doctor_say(doctor, DOCTOR_WARN, "NFQUEUE", "modprobe nfnetlink_queue",
			   "this kernel has no NFQUEUE (%s)", strerror(error));
	if (netlink == NULL)
		return;
	say_buffer(doctor, try_buffer(netlink));
	mnl_socket_close(netlink);
}

static void look_at_tracking(struct doctor *doctor)
{
	const bool used = doctor->ruleset.tracking;
	long most, count;

	if (!doctor_setting(doctor, "net/netfilter/nf_conntrack_max", &most) ||
	    !doctor_setting(doctor, "net/netfilter/nf_conntrack_count", &count)) {
		doctor_say(doctor, DOCTOR_INFO, "conntrack", "",
			   "connections are not tracked here; --evidence close and answer would "
			   "switch that on, --evidence syn does without");
		return;
	}
	if (most <= 0 || count / most * 100 + count % most * 100 / most < NEARLY_FULL_PERCENT)
		doctor_say(doctor, DOCTOR_OK, "conntrack", "",
			   "%ld of %ld connections that can be tracked%s", count, most,
			   used ? "; the rules for --evidence close or answer need it" : "");
	else
		doctor_say(doctor, count < most ? DOCTOR_WARN : DOCTOR_BAD, "conntrack",
			   used ? "raise net.netfilter.nf_conntrack_max, or synpaws-rules load "
				  "--evidence syn, which needs no tracking"
				: "raise net.netfilter.nf_conntrack_max",
			   "%ld of %ld connections that can be tracked: when it is full, new ones "
			   "are dropped",
			   count, most);
}

static void look_at_syslog(struct doctor *doctor)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/dev/log", doctor->config->root);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		doctor_say(doctor, DOCTOR_OK, "syslog", "", "somebody listens on /dev/log");
	else
		doctor_say(doctor, DOCTOR_WARN, "syslog",
			   "start a syslog daemon, or synpaws watch --log stdout",
			   "nobody listens on /dev/log, where synpaws watch writes: %s",
			   strerror(errno));
	if (fd >= 0)
		close(fd);
}

void doctor_look_at_daemon(struct doctor *doctor)
{
	look_at_privileges(doctor);
	look_at_nfqueue(doctor);
	look_at_tracking(doctor);
	look_at_syslog(doctor);
	doctor_say(doctor, DOCTOR_INFO, "build", "",
		   "synpaws " SYNPAWS_VERSION " (" SYNPAWS_FEATURES
		   "); a '-' is what it was built without");
}
