#!/bin/bash
# SPDX-License-Identifier: MIT
# A healthy stack under load gives no finding: downloads, lookups, the web-ui, the host's own updates, lookups and clock,
# and the chatter of a home network, captured by tcpdump and judged with a policy such as a home server has.
# LEAKPROOF_HEALTHY_SECONDS: how long (60).
# shellcheck source=tests/lab/stack_common.sh
. "$(dirname "$0")/stack_common.sh"
command -v tcpdump >/dev/null || { echo "needs tcpdump"; exit 77; }
seconds=${LEAKPROOF_HEALTHY_SECONDS:-60}
dumps=() loops=()
at_end() {
	for p in "${loops[@]}" "${dumps[@]}"; do kill "$p" 2>/dev/null || :; done
	wait 2>/dev/null || :
}
trap 'at_end; "$lp" lab down --id "$id" >/dev/null 2>&1 || :; rm -rf "$tmp"' EXIT
net() { nsenter --net="/proc/$(field "pids.$1")/ns/net" "${@:2}"; } # node command...
inside() { lab host docker exec -i "leakproof-$1-1" "${@:2}"; }

compose -f /stack/compose.yml up -d --wait >"$tmp/up.log" 2>&1 || { tail "$tmp/up.log"; fail "up"; }

# ---- taps: inside and on the tunnel headers are enough; at the exit whole packets are wanted, of one minute ----
beside() { # node interface snaplen name command-before...
	nsenter --net="/proc/$(field "pids.$1")/ns/net" "${@:5}" tcpdump -i "$2" -B 262144 -s "$3" --time-stamp-precision=nano -Z root -w "$tmp/$4.pcap" 2>"$tmp/$4.log" &
	dumps+=($!)
	for _ in $(seq 100); do
		grep -q listening "$tmp/$4.log" 2>/dev/null && return
		sleep 0.05
	done
	fail "tcpdump on $2 did not start"
}
uplink=$(net host ip -o route show default | sed 's/.* dev \([^ ]*\).*/\1/')
beside host "$uplink" 256 uplink
beside host br-vpn0 300 br-vpn
beside vpn wg0 0 exit timeout 60

# ---- load ----
qbt() { inside qbittorrent curl -s -m 10 "$@"; }
download() { # again and again, until the time is over
	while :; do
		qbt -F "torrents=@-;filename=lab.torrent" http://127.0.0.1:8080/api/v2/torrents/add <"$(field torrent)" >/dev/null
		for _ in $(seq 120); do
			qbt http://127.0.0.1:8080/api/v2/torrents/info | grep -q '"progress":1[,}]' && break
			sleep 1
		done
		echo one >>"$tmp/downloads"
		qbt -d 'hashes=all&deleteFiles=true' http://127.0.0.1:8080/api/v2/torrents/delete >/dev/null
	done
}
applications() {
	while :; do
		for s in sonarr radarr prowlarr; do inside "$s" curl -s -m 5 -o /dev/null http://ip.lab.example/ || :; done
		for p in qbittorrent/ sonarr/ping flaresolverr/health; do
			lab internet curl -s -m 5 -o /dev/null "http://203.0.113.10:8080/$p" || :
		done
		sleep 1
	done
}
host() { # what a server does by itself: updates, a lookup, its clock
	while :; do
		lab host curl -s -m 5 -o /dev/null http://198.51.100.131/ || :
		lab host getent hosts ip.lab.example >/dev/null || :
		net host python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"\x23" + b"\0" * 47, ("198.51.100.134", 123))'
		sleep 2
	done
}
for what in download applications host; do
	"$what" >"$tmp/$what.log" 2>&1 </dev/null &
	loops+=($!)
done
net isp python3 tests/lab/neighbours.py cust "$seconds" || fail "the neighbours"
# one download at the least
for _ in $(seq 120); do
	[ ! -s "$tmp/downloads" ] || break
	sleep 1
done
for p in "${loops[@]}"; do kill "$p"; done
wait "${loops[@]}" 2>/dev/null || :
loops=()
sleep 1
for p in "${dumps[@]}"; do kill "$p" 2>/dev/null || :; done
wait "${dumps[@]}" 2>/dev/null || :
dumps=()
for f in uplink br-vpn exit; do
	grep -q '^0 packets dropped by kernel' "$tmp/$f.log" || { cat "$tmp/$f.log"; fail "tcpdump lost packets of $f"; }
done
[ -s "$tmp/downloads" ] || { tail "$tmp/download.log"; fail "no download came to its end"; }
echo "ok: $(wc -l <"$tmp/downloads") downloads in $seconds s"

# ---- the policy of this host ----
host_mac() { net host ip -o link show "$uplink" | sed 's/.*ether \([^ ]*\).*/\1/'; }
address() { lab host docker inspect -f "{{(index .NetworkSettings.Networks \"leakproof_$2\").IPAddress}}" "leakproof-$1-1"; }
{
	cat <<-POLICY
		real: [203.0.113.10, "2001:db8:1::10"]
		tunnel-addresses: [10.64.0.2]
		tunnels: [{kind: wireguard, proto: udp, endpoint: 198.51.100.2, port: 51820}]
		networks: [{name: vpn, bridge: br-vpn0, prefix: 172.30.0.0/24}]
		allow:
		  - {who: host, proto: tcp, peer: any, port: 80, direction: out, shape: http, reason: updates of the host}
		  - {who: host, proto: udp, peer: any, port: 53, direction: both, shape: dns, reason: lookups of the host}
		  - {who: host, proto: udp, peer: any, port: 123, direction: both, shape: ntp, reason: the clock of the host}
		  - {who: host, proto: icmp, peer: 203.0.113.0/24, direction: out, shape: icmp-echo, reason: answers to a ping}
		published: [{proto: tcp, port: 8080, service: webui}]
		taps:
		  - {name: uplink, role: uplink, interface: $uplink, file: uplink.pcap, mac: "$(host_mac)"}
		  - {name: br-vpn, role: bridge, interface: br-vpn0, file: br-vpn.pcap}
		  - {name: exit, role: exit, interface: wg0, file: exit.pcap}
		services:
		  - {name: webui, role: edge}
		  - {name: gluetun, role: gateway, legs: [{addr: 172.30.0.2, network: vpn}, {addr: 172.30.0.3, network: vpn}]}
	POLICY
	for s in qbittorrent prowlarr sonarr radarr flaresolverr; do
		echo "  - {name: $s, role: protected, legs: [{addr: $(address $s vpn), network: vpn}]}"
	done
} >"$tmp/policy.yaml"
judge() { "$lp" analyze --policy "$tmp/policy.yaml" "$tmp/uplink.pcap" "$tmp/br-vpn.pcap" "$tmp/exit.pcap" "$@"; }
status=0
judge >"$tmp/answer" || status=$?
cat "$tmp/answer"
same "exit status of the healthy captures" "$status" 0
judge --format json >"$tmp/answer.json"
same "findings" "$(python3 -c 'import json,sys; print(sum(len(s["findings"]) for s in json.load(open(sys.argv[1]))["scenarios"]))' \
	"$tmp/answer.json")" 0

# One packet of an application beside the tunnel in the same capture, and the answer is another.
python3 - "$tmp/uplink.pcap" "$(address sonarr vpn)" "$(host_mac)" <<'END'
import socket, struct, sys
f = open(sys.argv[1], "r+b")
f.seek(24)
head = struct.unpack("<IIII", f.read(16))
frame = bytes.fromhex("020000000001" + sys.argv[3].replace(":", "")) + b"\x08\0" + struct.pack(
    "!BBHHHBBH4s4s", 0x45, 0, 29, 1, 0, 63, 17, 0, socket.inet_aton(sys.argv[2]), socket.inet_aton("198.51.100.134"))
frame += struct.pack("!HHHH", 6881, 6881, 9, 0) + b"x"
f.seek(0, 2)
f.write(struct.pack("<IIII", head[0] + 1, head[1], len(frame), len(frame)) + frame)
END
status=0
judge >"$tmp/answer" || status=$?
same "exit status with one packet more" "$status" 1
grep -q 'sonarr sent' "$tmp/answer" || fail "the answer does not name sonarr"
