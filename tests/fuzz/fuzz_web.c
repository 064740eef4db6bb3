/* SPDX-License-Identifier: MIT */
/* TLS and DTLS, HTTP and what it carries, SSDP. The first byte chooses. */
#include "fuzz_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool last;

	if (size < 2)
		return 0;
	last = data[0] & 0x80;
	fresh_facts();
	switch (data[0] & 7) {
	case 0:
		expect(decode_tls(&facts, data + 1, size - 1, last) != HEAD_MORE || !last);
		break;
	case 1:
		expect(decode_tls_hello(&facts, data + 1, size - 1, last) != HEAD_MORE || !last);
		break;
	case 2:
		decode_dtls(&facts, data + 1, size - 1);
		break;
	case 3:
	case 4:
		expect(decode_http(&facts, data + 1, size - 1, last) != HEAD_MORE || !last);
		break;
	default:
		decode_ssdp(&facts, data + 1, size - 1);
	}
	if (facts_has(&facts, PROTO_TLS_HELLO)) {
		expect(strlen(facts.tls.sni) < sizeof(facts.tls.sni));
		expect(strlen(facts.tls.alpn) < sizeof(facts.tls.alpn));
	}
	check_facts(&facts);
	return 0;
}
