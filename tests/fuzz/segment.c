/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: packet bytes into the decoder, and what it makes of them into a mirror. The
 * first byte chooses how much longer than captured the packet claims to be, and the checksum flag.
 */
#include <stdlib.h>

#include <synpaws/mirror.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_outcome(void *context, const struct synpaws_segment *syn,
			  const struct synpaws_outcome *outcome)
{
	(void)context;
	if (!synpaws_segment_is_syn(syn))
		abort();
	if (outcome->fate == SYNPAWS_FATE_PAWS_DROP && (outcome->wait == 0 || !outcome->recorded))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct synpaws_mirror *mirror;
	struct synpaws_segment seg = { .second = 1 };

	if (mirror == NULL) {
		const struct synpaws_mirror_config config = {
			.profile = synpaws_profile_find("el7"),
			.peers = 64,
			.flows = 64,
			.evidence = SYNPAWS_EVIDENCE_FULL,
			.sysctls = synpaws_sysctls_default,
			.emit = check_outcome,
		};

		mirror = synpaws_mirror_new(&config);
	}
	if (size == 0)
		return 0;
	if (synpaws_segment_decode(&seg, data + 1, size - 1, size - 1 + (data[0] & 0x7f),
				   data[0] & 0x80 ? SYNPAWS_CHECKSUM_PENDING : 0) !=
	    SYNPAWS_DECODE_OK)
		return 0;
	if (seg.ip_version != 4 && seg.ip_version != 6)
		abort();
	synpaws_mirror_take(mirror, &seg);
	synpaws_mirror_flush(mirror);
	return 0;
}
