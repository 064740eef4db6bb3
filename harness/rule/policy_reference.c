// SPDX-License-Identifier: MIT
/* docs/policy-reference.md: the keys from the rows, and the examples of docs/policies/ as they are. */
#include <string.h>

#include "base/embed.h"
#include "rule/policy_rows.h"
#include "yaml/markdown.h"

extern const char policy_home_server[], policy_vpn_client[], policy_openvpn[];

EMBED(policy_home_server, "docs/policies/home-server.yaml");
EMBED(policy_vpn_client, "docs/policies/vpn-client.yaml");
EMBED(policy_openvpn, "docs/policies/openvpn.yaml");

static const struct section {
	const char *title, *text;
	const struct field *rows;
} sections[] = {
	{ "Keys of a policy",
	  "All of them may be left out. A policy without `taps` takes every file as a tap of "
	  "`--role`.",
	  policy_fields },
	{ "`tunnels`",
	  "The tunnel as the uplink sees it. Only the exact protocol, address and port, with a "
	  "payload that looks "
	  "like the tunnel's protocol, may leave.",
	  policy_tunnel_fields },
	{ "`networks`", "The Docker networks of the stack.", policy_network_fields },
	{ "`services`",
	  "The containers, or the machine itself where it is what the tunnel protects.",
	  policy_service_fields },
	{ "`legs` of a service",
	  "Where a service can be recognised. A tap on every network of its legs sees all that it "
	  "sends; without "
	  "one, packets behind NAT cannot be tied to it, and the verdict says so.",
	  policy_leg_fields },
	{ "`allow`",
	  "What may leave beside the tunnel. Nothing is excused by its address alone: protocol, "
	  "port and the "
	  "look of the payload must fit, and evidence that somebody else sent it outweighs the "
	  "allowance. The "
	  "coverage report counts the packets of each, and names those that were never used.",
	  policy_allow_fields },
	{ "`published`",
	  "Ports that edge services publish: their answers in HTTP or TLS to whoever asked are no "
	  "leak. A "
	  "protected service that answers on one is.",
	  policy_published_fields },
	{ "`taps`", "Where the captures were made.", policy_tap_fields },
	{ "`canaries`", "Written by runs, for captures of a run.", policy_canary_fields },
	{ "`controls`",
	  "Written by runs: forged leaks that have to be found, and are taken out of the findings. "
	  "One that is "
	  "missed on a tap with a capture makes the verdict inconclusive.",
	  policy_control_fields },
};

static const struct example {
	const char *title, *file, *text;
} examples[] = {
	{ "A home server with the hardened stack", "home-server.yaml", policy_home_server },
	{ "A plain machine with a VPN client", "vpn-client.yaml", policy_vpn_client },
	{ "OpenVPN", "openvpn.yaml", policy_openvpn },
};

void policy_reference(FILE *f)
{
	(void)fputs(
		"# Policy reference\n\n"
		"Printed by `leakproof list policy-keys` from the program's own tables.\n\n"
		"A policy says what may appear on which tap. It is one YAML file, or JSON with the "
		"same keys: a "
		"mapping without anchors, aliases and tags. `leakproof analyze --policy FILE` "
		"reads it and says "
		"every mistake with its line and column; a run writes its own into its journal.\n\n"
		"An IPv6 address that ends with a colon (`2001:db8::`) wants quotes where it "
		"stands in brackets or "
		"braces.\n\n"
		"An allowance of the host for a peer `any` is as good as its port and its shape: "
		"whoever is not "
		"watched inside can hide behind it. Tap the networks of the services, and keep the "
		"list short.\n\n",
		f);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		(void)fprintf(f, "## %s\n\n%s\n\n", sections[i].title, sections[i].text);
		markdown_rows(f, sections[i].rows);
	}
	(void)fputs("# Examples\n\n", f);
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		(void)fprintf(f, "## %s\n\n`docs/policies/%s`:\n\n```yaml\n%s```\n%s",
			      examples[i].title, examples[i].file, examples[i].text,
			      i + 1 < sizeof(examples) / sizeof(examples[0]) ? "\n" : "");
}
