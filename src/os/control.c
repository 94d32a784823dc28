/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "control.h"

union ancillary {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE(sizeof(int))];
};

int control_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
}

int control_send(int fd, enum control word, int passed)
{
	char letter = (char)word;
	struct iovec buffer = { .iov_base = &letter, .iov_len = 1 };
	union ancillary ancillary = { .bytes = { 0 } };
	struct msghdr message = { .msg_iov = &buffer, .msg_iovlen = 1 };
	struct cmsghdr *header;

	if (passed >= 0) {
		message.msg_control = ancillary.bytes;
		message.msg_controllen = sizeof(ancillary.bytes);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &passed, sizeof(passed));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

enum control control_receive(int fd, int *passed)
{
	char letter = 0;
	struct iovec buffer = { .iov_base = &letter, .iov_len = 1 };
	union ancillary ancillary;
	struct msghdr message = { .msg_iov = &buffer,
				  .msg_iovlen = 1,
				  .msg_control = ancillary.bytes,
				  /* not CMSG_SPACE: its padding has room for a second one */
				  .msg_controllen = CMSG_LEN(sizeof(int)) };
	const struct cmsghdr *header;
	ssize_t received;

	*passed = -1;
	received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	if (received < 0)
		return errno == EAGAIN || errno == EINTR ? CONTROL_NONE : CONTROL_GONE;
	if (received == 0)
		return CONTROL_GONE;
	header = CMSG_FIRSTHDR(&message);
	if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(passed, CMSG_DATA(header), sizeof(*passed));
	return (enum control)letter;
}
