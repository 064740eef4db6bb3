#!/bin/bash
# SPDX-License-Identifier: MIT
# tcpdump beside the harness on the uplink and on the ISP's side: both agree on every packet of a whole run.
set -eu
cd "$(dirname "$0")/../.."
lp=${LEAKPROOF:-build/leakproof}
scenario=${1:-steady-state}
id=cb$((RANDOM % 10000))
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
for tool in tcpdump python3; do
	command -v $tool >/dev/null || { echo "needs $tool"; exit 77; }
done
tmp=$(mktemp -d)
dumps=()
cleanup() {
	for p in "${dumps[@]}"; do kill -INT "$p" 2>/dev/null || :; done
	wait 2>/dev/null || :
	"$lp" clean "$id" >/dev/null 2>&1 || :
	rm -rf "$tmp"
}
trap cleanup EXIT
fail() { echo "FAILED: $*"; exit 1; }

"$lp" lab up --id "$id" --bind "$PWD/stack" >/dev/null
node() { # name: process id of a node of the lab
	"$lp" lab status --id "$id" --json >"$tmp/status"
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["nodes"][sys.argv[2]]["pid"])' \
		"/run/leakproof/$id/state.json" "$1"
}
beside() { # node interface file
	nsenter --net="/proc/$(node "$1")/ns/net" tcpdump -i "$2" -B 65536 -s 0 \
		--time-stamp-precision=nano -Z root -w "$3" 2>"$3.log" &
	dumps+=($!)
	for _ in $(seq 100); do
		grep -q listening "$3.log" && return
		sleep 0.05
	done
	fail "tcpdump on $2 did not start"
}
uplink=$(nsenter --net="/proc/$(node host)/ns/net" ip -o route show default | sed 's/.* dev \([^ ]*\).*/\1/')
beside host "$uplink" "$tmp/uplink.pcap"
beside isp cust "$tmp/isp.pcap"
"$lp" run --lab "$id" --reports "$tmp/reports" --captures "$tmp/captures" --quiet "$scenario" ||
	fail "the run of $scenario ended with $?"
sleep 1
for p in "${dumps[@]}"; do kill -INT "$p"; done
wait "${dumps[@]}"
dumps=()

tunnel='udp and host 198.51.100.2 and port 51820'
packets() { # file filter: the stamps; lines of a hex dump (beacons) have none
	tcpdump -r "$1" --time-stamp-precision=nano -nn -tt "$2" 2>/dev/null | grep -oE '^[0-9]{9,}\.[0-9]{9}'
}
# Stamps of two sockets differ by a microsecond or so on the way out, so the window is a little wider.
between() { # file-of-stamps file filter: how many of the other file lie between its first and last stamp
	packets "$2" "$3" >"$tmp/theirs"
	python3 - "$1" "$tmp/theirs" <<-'END'
		import sys
		from decimal import Decimal
		ours, theirs = ([Decimal(l) for l in open(f)] for f in sys.argv[1:])
		low, high = min(ours) - Decimal("0.00005"), max(ours) + Decimal("0.00005")
		print(sum(low <= t <= high for t in theirs))
	END
}
compare() { # what our-file their-file their-filter
	local n m
	packets "$2" '' >"$tmp/ours"
	n=$(wc -l <"$tmp/ours")
	[ "$n" -gt 10 ] || fail "$1: $n packets, so nothing was compared"
	m=$(between "$tmp/ours" "$3" "$4")
	[ "$n" = "$m" ] || fail "$1: $n packets here, $m there"
	echo "$1: $n packets, as tcpdump counts"
}
for tap in uplink isp; do
	grep -q '^0 packets dropped by kernel' "$tmp/$tap.pcap.log" || fail "tcpdump itself lost packets on $tap"
	ours=$(find "$tmp/captures" -name "$tap.pcap")
	[ -n "$ours" ] || fail "no capture of $tap"
	compare "$tap" "$ours" "$tmp/$tap.pcap" "not ($tunnel)"
	compare "$tap, tunnel" "${ours%.pcap}-tunnel.pcap" "$tmp/$tap.pcap" "$tunnel"
done
