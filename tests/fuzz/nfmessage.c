/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libFuzzer target: bytes from the netlink socket into both readers of NFQUEUE messages. */
#include <stdlib.h>
#include <string.h>

#include "source/nfmessage.h"
#include "source/nfqueue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nfmessage message;
	uint8_t *copy = calloc(1, (size + 3) & ~(size_t)3); /* as long as nfmessage.h wants */
	uint32_t id;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	nfqueue_packet_id(copy, size, &id);
	if (nfmessage_parse(copy, size, &message) == NFMESSAGE_PACKET) {
		const uint8_t *bytes = message.bytes;

		if (bytes < copy || bytes + message.captured > copy + size ||
		    message.captured > message.length)
			abort();
	}
	free(copy);
	return 0;
}
