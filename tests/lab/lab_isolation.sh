#!/bin/bash
# SPDX-License-Identifier: MIT
# Nothing in the lab reaches the machine's interfaces: packets that its host sends, also to addresses that
# nobody has, are seen on the lab's wire and on no interface of the machine.
set -eu
cd "$(dirname "$0")/../.."
lp=${LEAKPROOF:-build/leakproof}
id=iso$((RANDOM % 10000))
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
command -v tcpdump >/dev/null || { echo "needs tcpdump"; exit 77; }
tmp=$(mktemp -d)
nonce="leakproof-isolation-$id-$RANDOM$RANDOM"
outer='' inner=''
finish() {
	[ -z "$outer" ] || kill "$outer" 2>/dev/null || :
	[ -z "$inner" ] || kill "$inner" 2>/dev/null || :
	"$lp" clean "$id" || :
	rm -rf "$tmp"
}
trap finish EXIT
fail() { echo "FAILED: $*"; exit 1; }

ip -o link | sed 's/^\([0-9]*: [^:]*\).*/\1/' >"$tmp/before"
"$lp" lab up --id "$id" --no-docker >"$tmp/up"
ip -o link | sed 's/^\([0-9]*: [^:]*\).*/\1/' >"$tmp/after"
cmp "$tmp/before" "$tmp/after" || fail "the lab made an interface in the machine's namespace"

# No interface of the lab has its other end outside of it.
for node in host isp vpn internet; do
	"$lp" lab shell --id "$id" "$node" ip -o link >"$tmp/$node"
	grep -q 'eth0\|cust' "$tmp/$node" || fail "$node has no interface"
done

tcpdump -i any -n -U -w "$tmp/outer.pcap" 'udp port 7777' 2>"$tmp/outer.log" &
outer=$!
isp=$(sed -n 's/^ *isp *init is process //p' "$tmp/up")
nsenter -t "$isp" -n tcpdump -i cust -n -U -w "$tmp/inner.pcap" 'udp port 7777' 2>"$tmp/inner.log" &
inner=$!
for f in outer inner; do
	for _ in $(seq 100); do
		grep -q listening "$tmp/$f.log" && break
		sleep 0.05
	done
	grep -q listening "$tmp/$f.log" || fail "tcpdump does not listen"
done

# The control: the tap outside does see such a packet.
echo "$nonce" >/dev/udp/127.0.0.1/7777 2>/dev/null || :
targets='198.51.100.77 198.51.100.134 203.0.113.99 192.0.2.77 2001:db8:9::1'
for target in $targets; do
	"$lp" lab shell --id "$id" host bash -c "echo $nonce >/dev/udp/$target/7777" 2>/dev/null || :
done
sleep 1
kill "$outer" "$inner"
wait "$outer" "$inner" || :
outer='' inner=''
seen_outside=$(tcpdump -n -r "$tmp/outer.pcap" 'not host 127.0.0.1' 2>/dev/null | wc -l)
control=$(tcpdump -n -r "$tmp/outer.pcap" 'host 127.0.0.1' 2>/dev/null | wc -l)
seen_inside=$(tcpdump -n -r "$tmp/inner.pcap" 2>/dev/null | wc -l)
grep -qa "$nonce" "$tmp/inner.pcap" || fail "the lab's wire carried no packet of the test"
[ "$control" -ge 1 ] || fail "the tap outside missed its control"
# 203.0.113.99 is on the uplink's own net and has nobody who answers ARP: four remain.
[ "$seen_inside" -ge 4 ] || fail "only $seen_inside packets on the lab's wire"
[ "$seen_outside" = 0 ] || fail "$seen_outside packets of the lab on an interface of the machine"
echo "ok: $seen_inside packets inside, 0 outside, control seen"
