// SPDX-License-Identifier: MIT
/* Cut a capture of whole frames to what a tap inside the stack keeps, by the very program that the kernel is given:
 * thin_capture FROM TO ENDPOINT PORT. With it a run that kept everything is judged both ways. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/filter.h"
#include "capture/pcap_file.h"
#include "capture/tap.h"

#define LINK_SNAPLEN 1600 /* as engine/watch.c has it for bridges */

static int copy(pcap_t *in, const struct bpf_program *p, struct pcap_file *out, struct err *err)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int rc;

	while ((rc = pcap_next_ex(in, &h, &data)) == 1) {
		unsigned keep = bpf_filter(p->bf_insns, data, h->len, h->caplen);

		if (keep == 0)
			return err_set(err, EXIT_INCONCLUSIVE, "a frame would be left out");
		if (pcap_file_add(out, h->ts.tv_sec, (uint32_t)h->ts.tv_usec, data,
				  keep < h->caplen ? keep : h->caplen, h->len, err) < 0)
			return -1;
	}
	return rc == PCAP_ERROR_BREAK ? 0 : err_set(err, EXIT_USAGE, "%s", pcap_geterr(in));
}

int main(int argc, char **argv)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct bpf_program p;
	struct err err = { 0 };
	struct pcap_file *out;
	pcap_t *in;
	int rc;

	if (argc != 5) {
		(void)fprintf(stderr, "usage: %s FROM TO ENDPOINT PORT\n", argv[0]);
		return EXIT_USAGE;
	}
	in = pcap_open_offline_with_tstamp_precision(argv[1], PCAP_TSTAMP_PRECISION_NANO, why);
	if (!in) {
		(void)fprintf(stderr, "%s\n", why);
		return EXIT_USAGE;
	}
	out = pcap_file_create(argv[2], (uint32_t)pcap_datalink(in), LINK_SNAPLEN, &err);
	rc = out ? filter_inside(&p, pcap_datalink(in), LINK_SNAPLEN, TAP_TUNNEL_SNAPLEN,
				 IPPROTO_UDP, argv[3], (uint16_t)strtoul(argv[4], NULL, 10), &err)
		 : -1;
	if (rc == 0) {
		rc = copy(in, &p, out, &err);
		pcap_freecode(&p);
	}
	if (out && pcap_file_close(out, rc == 0 ? &err : NULL) < 0)
		rc = -1;
	pcap_close(in);
	if (rc < 0)
		(void)fprintf(stderr, "%s: %s\n", argv[1], err.text);
	return rc < 0 ? err.status : 0;
}
