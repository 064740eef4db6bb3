#!/bin/sh
# SPDX-License-Identifier: MIT
# Make this container the gateway of the vpn network, in an order in which no frame of an application is ever
# forwarded in the clear: first the policies, then the pinned MAC, then the gateway's address, then the
# announcement. Until the MAC is set, the applications' frames go to an address that nobody has.
set -eu

own=172.30.0.3
gateway=172.30.0.2
mac=02:1e:ac:1e:00:02

# closed PROGRAM...: the first that works here, in Gluetun's order, and with it nothing is forwarded any more.
closed() {
	for program; do
		if "$program" -P FORWARD DROP 2>/dev/null; then
			echo "$program"
			return
		fi
	done
	echo "wrapper: none of $* works: is NET_ADMIN missing?" >&2
	exit 1
}
v4=$(closed iptables iptables-nft iptables-legacy)
# Without ip6tables there is no IPv6 filter at all: better not to start.
v6=$(closed ip6tables ip6tables-nft ip6tables-legacy)
for chain in INPUT OUTPUT; do
	"$v4" -P "$chain" DROP
	"$v6" -P "$chain" DROP
done

dev=$(ip -o -4 addr show | awk -v a="$own/24" '$4 == a { print $2; exit }')
dev=${dev%%@*}
if [ -z "$dev" ]; then
	echo "wrapper: no interface has $own: is the vpn network attached?" >&2
	exit 1
fi
ip link set "$dev" address "$mac"
ip addr add "$gateway/24" dev "$dev"
if command -v arping >/dev/null; then
	# In the background: it waits a second for answers that do not come.
	arping -q -U -c 2 -I "$dev" "$gateway" >/dev/null 2>&1 &
fi

# Gluetun up to 3.41 knows no resolver but those of its own list: for plain lookups it asks Cloudflare, through the
# tunnel, whatever DNS_UPSTREAM_PLAIN_ADDRESSES says. What it sends there goes to the first of these addresses. Later
# versions send nothing there that they were not told to.
wanted=${DNS_UPSTREAM_PLAIN_ADDRESSES:-}
for listed in 1.1.1.1 1.0.0.1; do
	case ",$wanted," in
	,, | *",$listed:"*) continue ;;
	esac
	for protocol in udp tcp; do
		"$v4" -t nat -A OUTPUT -d "$listed" -p "$protocol" --dport 53 \
			-j DNAT --to-destination "${wanted%%,*}"
	done
done
exec /gluetun-entrypoint "$@"
