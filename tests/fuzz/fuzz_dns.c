/* SPDX-License-Identifier: MIT */
/* DNS and NetBIOS names. */
#include "fuzz_packet.h"

static void check_names(void)
{
	expect(strlen(facts.dns.qname) < sizeof(facts.dns.qname));
	expect(strlen(facts.dns.other_names) < sizeof(facts.dns.other_names));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int t = DNS_OVER_UDP; t <= DNS_LLMNR; t++) {
		for (size_t missing = 0; missing < 2; missing++) {
			decode_dns(fresh_facts(), span_of(data, size, size + missing),
				   (enum dns_transport)t);
			if (!facts_has_reason(&facts, UND_DNS_SHORT))
				check_names();
			check_facts(&facts);
		}
	}
	if (decode_dns_shape(fresh_facts(), data, size, DNS_OVER_UDP))
		check_names();
	check_facts(&facts);
	decode_nbns(fresh_facts(), span_of(data, size, size));
	check_facts(&facts);
	return 0;
}
