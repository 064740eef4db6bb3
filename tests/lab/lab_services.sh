#!/bin/bash
# SPDX-License-Identifier: MIT
# The internet of the lab works as docs/architecture.md says: names, addresses, tracker, seeder, sink, tunnel.
# Two labs run side by side and do not meet.
set -eu
cd "$(dirname "$0")/../.."
lp=${LEAKPROOF:-build/leakproof}
cache=${LEAKPROOF_CACHE:-/var/cache/leakproof}
id=sv$((RANDOM % 10000))
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
tmp=$(mktemp -d)
trap '"$lp" clean "$id" "${id}b" || :; rm -rf "$tmp"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
in_host() { "$lp" lab shell --id "$id" host "$@"; }
want() { # what expected got
	[ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"
}

"$lp" lab up --id "$id" --no-docker --json >"$tmp/up.json"
"$lp" lab up --id "${id}b" --no-docker >/dev/null
log=$cache/labs/$id/log

want "v4 address" 203.0.113.10 "$(in_host curl -s -4 --max-time 5 http://ip.lab.example/)"
want "v6 address" 2001:db8:1::10 "$(in_host curl -s -6 --max-time 5 http://ip.lab.example/)"
want "JSON" '{"ip":"203.0.113.10"}' "$(in_host curl -s -4 --max-time 5 http://ip.lab.example/json)"
want "canary" 198.51.100.134 "$(in_host getent ahostsv4 "n$id.canary.example" | awk '{print $1; exit}')"
grep -q "query\[A\] n$id.canary.example from 203.0.113.10" "$log/dns.log" || fail "the query is not in the log"
! grep -q "n$id" "$cache/labs/${id}b/log/dns.log" || fail "the other lab heard the query"
! in_host getent hosts no-such-name.example || fail "a name that does not exist was resolved"
want "exit status" 42 "$(in_host sh -c 'exit 42' || echo $?)"
want "host name" host "$(in_host hostname)"

want "UDP echo" hello "$(in_host sh -c 'echo hello | socat -t2 - udp:sink.lab.example:4321')"
want "TCP echo" there "$(in_host sh -c 'echo there | socat -t2 - tcp:198.51.100.134:443')"
want "TCP6 echo" six "$(in_host sh -c 'echo six | socat -t2 - tcp6:[2001:db8:2::134]:8443')"
grep -q '"proto":"udp","from":"203.0.113.10:[0-9]*","to":"198.51.100.134:4321","bytes":6' "$log/sink.log" ||
	fail "the sink's log lacks the datagram"
grep -q '"proto":"tcp","from":"203.0.113.10:[0-9]*","to":"198.51.100.134:443","bytes":6' "$log/sink.log" ||
	fail "the sink's log lacks the connection"

# The tracker knows the seeder by its own address, 198.51.100.133 port 6881 (compact peers, BEP 23).
hash=$(sed -n 's/.*"info_hash": "\(.*\)".*/\1/p' "$cache"/seed-2/facts.json | sed 's/../%&/g')
in_host curl -s --max-time 5 \
	"http://tracker.lab.example:6969/announce?info_hash=$hash&peer_id=-LP0100-abcdefghijkl&port=9&uploaded=0&downloaded=0&left=1&compact=1" |
	od -An -tx1 | tr -d ' \n' >"$tmp/peers"
grep -q c63364851ae1 "$tmp/peers" || fail "the tracker does not name the seeder: $(cat "$tmp/peers")"

# A WireGuard tunnel from the host with the keys of this `up`; its far end has the server's address.
root=$(sed -n 's/.*"socket": "\(.*\)\/run\/docker.sock".*/\1/p' "$tmp/up.json")
server=$(sed -n 's/.*"server_key": "\(.*\)".*/\1/p' "$tmp/up.json")
key=$(sed -n 's/.*"client_key_file": "\(.*\)".*/\1/p' "$tmp/up.json")
want "mode of the key" 600 "$(stat -c %a "$key")"
cp "$key" "$root/run/key"
in_host sh -ec "wireguard-go wg9 >/dev/null 2>&1 || ip link add wg9 type wireguard
	wg set wg9 private-key /run/key peer $server endpoint 198.51.100.2:51820 allowed-ips 0.0.0.0/0
	ip address add 10.64.0.2/32 dev wg9
	ip link set wg9 mtu 1420 up
	ip route add 198.51.100.128/25 dev wg9"
want "exit address" 198.51.100.2 "$(in_host curl -s --max-time 10 http://198.51.100.131/)"
in_host getent ahostsv4 "tunnel$id.canary.example" >/dev/null
grep -q "tunnel$id.canary.example from 198.51.100.2" "$log/dns.log" || fail "no lookup through the tunnel"
! grep -q "$(cat "$key")" "$cache/labs/${id}b/vpn/upper/etc/lab/wg0.conf" || fail "two labs, one key"
other=$("$lp" lab status --id "${id}b" --json | sed -n 's/.*"server_key": "\(.*\)".*/\1/p')
[ -n "$other" ] || fail "the other lab has no server key"
[ "$other" != "$server" ] || fail "two labs, one server key"
echo "ok"
