/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: frames as a capture file may hold them through the link layers, the fragments
 * and the decoder. The input is a row of frames, each with three bytes before it: link type (and
 * whether the packet shall be made alike the others and get a right checksum), length, and how much
 * longer it claims to be (with its upper bits, how many seconds later it came).
 */
#include <stdlib.h>
#include <string.h>

#include <synpaws/segment.h>

#include "os/clock.h"
#include "source/capture_link.h"
#include "source/fragments.h"

#define DATAGRAMS 3
#define MEND	  0x80
#define ALIKE	  0x40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Random bytes hardly ever have a right checksum, and behind it is where it becomes interesting. */
static void mend(uint8_t *ip, size_t captured)
{
	const size_t length = captured == 0 ? 0 : (size_t)(ip[0] & 15) * 4;
	uint32_t sum = 0;
	size_t i;

	if (length < 20 || length > captured || ip[0] >> 4 != 4)
		return;
	ip[10] = ip[11] = 0;
	for (i = 0; i < length; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	sum = ~((sum >> 16) + (sum & 0xffff));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

/* Nor do they have anything in common, such as fragments of one datagram need. */
static void make_alike(uint8_t *ip, size_t captured)
{
	if (captured >= 20 && ip[0] >> 4 == 4) {
		ip[2] = 0;
		ip[3] = (uint8_t)captured;
		ip[4] = 0;
		ip[5] &= 1;
		ip[6] &= 0x20;
		ip[9] = 6;
		memset(ip + 12, 0, 8);
	} else if (captured >= 48 && ip[0] >> 4 == 6) {
		ip[4] = 0;
		ip[5] = (uint8_t)(captured - 40);
		memset(ip + 8, 0, 32);
		if (ip[6] == 44) {
			memset(ip + 44, 0, 3);
			ip[42] = 0;
			ip[47] &= 1;
		}
	}
}

static void check_whole(const struct capture_packet *packet)
{
	static volatile uint8_t read;
	struct synpaws_segment seg;
	size_t i;

	for (i = 0; i < packet->captured; i++)
		read = packet->bytes[i]; /* for ASan */
	(void)read;
	if (packet->length > 65535 + 40 || packet->length <= 20)
		abort();
	if (packet->bytes[0] >> 4 == 4 &&
	    synpaws_segment_decode(&seg, packet->bytes, packet->captured, packet->length, 0) ==
		    SYNPAWS_DECODE_FRAGMENT)
		abort();
}

static void take_frame(struct fragments *fragments, const uint8_t *head, uint8_t *frame,
		       uint64_t time_ns)
{
	struct capture_packet packet = { .time_ns = time_ns,
					 .bytes = frame,
					 .captured = head[1],
					 .length = (size_t)head[1] + (head[2] & 0x1f) * 100 };
	struct synpaws_segment seg;

	if (!capture_link_strip((head[0] & 15) % CAPTURE_LINKS, &packet))
		return;
	if (packet.captured > packet.length || packet.captured > head[1])
		abort();
	if (head[0] & ALIKE)
		make_alike(frame + (packet.bytes - frame), packet.captured);
	if (head[0] & MEND)
		mend(frame + (packet.bytes - frame), packet.captured);
	if (fragments_take(fragments, &packet) == FRAGMENTS_WHOLE)
		check_whole(&packet);
	if (packet.captured > packet.length)
		abort();
	synpaws_segment_decode(&seg, packet.bytes, packet.captured, packet.length,
			       SYNPAWS_CHECKSUM_PARTIAL_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fragments *fragments = fragments_new(DATAGRAMS);
	uint64_t time_ns = 0, taken = 0;

	if (fragments == NULL)
		return 0;
	while (size >= 3) {
		const uint8_t head[3] = { data[0],
					  data[1] < size - 3 ? data[1] : (uint8_t)(size - 3),
					  data[2] };
		/* A copy that ends where the frame does, so that ASan sees a byte too many. */
		uint8_t *frame = malloc(head[1] > 0 ? head[1] : 1U);

		if (frame == NULL)
			break;
		memcpy(frame, data + 3, head[1]);
		time_ns += (uint64_t)(head[2] >> 5) * 8 * NS_PER_SECOND;
		take_frame(fragments, head, frame, time_ns);
		free(frame);
		data += 3 + head[1];
		size -= 3 + (size_t)head[1];
		taken++;
	}
	fragments_finish(fragments);
	if (fragments_lost(fragments) > taken)
		abort();
	fragments_free(fragments);
	return 0;
}
