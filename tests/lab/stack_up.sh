#!/bin/bash
# SPDX-License-Identifier: MIT
# The reference stack works, loses its gateway without a leak and gets it back without a restart of an application;
# and both leaky stacks do leak. The latter, and the reference once more, with an image of linuxserver's kind.
# shellcheck source=tests/lab/stack_common.sh
. "$(dirname "$0")/stack_common.sh"

init=$(field pids.host)
pid_of() { # container: its first process as this machine sees it
	local inside p
	inside=$(lab host docker inspect -f '{{.State.Pid}}' "$1")
	for p in $(pgrep --ns "$init" --nslist pid .) $(lab_pids); do
		awk -v want="$inside" '$1 == "NSpid:" && NF > 2 && $(NF - 1) == want { f = 1 }
			END { exit !f }' "/proc/$p/status" 2>/dev/null && { echo "$p"; return; }
	done
	fail "no process of $1"
}
# Processes of the containers: their control groups carry the lab's name.
lab_pids() { find /sys/fs/cgroup -path "*leakproof-$id*" -name cgroup.procs -exec cat {} + 2>/dev/null; }

cat >"$tmp/udp.py" <<'PY'
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setblocking(False)
t = time.monotonic()
end = t + float(sys.argv[1])
while t < end:
    try:
        s.sendto(b"stack-test-probe", ("198.51.100.134", 4444))
    except OSError:
        pass
    t += 0.002
    time.sleep(max(0, t - time.monotonic()))
PY

# leaked CONTAINER SECONDS COMMAND...: UDP at 500/s from CONTAINER while COMMAND runs; how many are on the uplink
leaked() {
	local ns cap send
	ns=$(pid_of "$1")
	nsenter -t "$init" -n tcpdump -i eth0 -n -w "$tmp/up.pcap" udp and dst port 4444 2>/dev/null &
	cap=$!
	sleep 1
	nsenter -t "$ns" -n python3 "$tmp/udp.py" "$2" &
	send=$!
	sleep 1
	shift 2
	"$@"
	wait "$send"
	sleep 0.5
	kill -INT "$cap"
	wait "$cap" || :
	tcpdump -n -r "$tmp/up.pcap" 2>/dev/null | wc -l
}
# shellcheck disable=SC2016 # expanded inside
kill_gateway() { lab host sh -c 'kill -9 "$(docker inspect -f "{{.State.Pid}}" leakproof-gluetun-1)"'; }
# shellcheck disable=SC2016 # expanded inside
kill_vpn() {
	lab host docker exec leakproof-gluetun-1 sh -c 'for p in /proc/[0-9]*; do
		read -r c <"$p/comm"; [ "$c" != wireguard-go ] || kill -9 "${p#/proc/}"; done'
}
started() { lab host docker inspect -f '{{.State.StartedAt}}' leakproof-sonarr-1; }
outside() { lab host docker exec "$1" curl -s -m 5 http://198.51.100.131/; }

compose -f /stack/compose.yml up -d --wait >"$tmp/up.log" 2>&1 || { tail "$tmp/up.log"; fail "up"; }
for s in sonarr qbittorrent prowlarr; do
	same "$s seen from outside" "$(outside leakproof-$s-1)" 198.51.100.2
done
for p in /qbittorrent/ /prowlarr/ping /sonarr/ping /radarr/ping /flaresolverr/health; do
	same "web-ui $p" "$(lab internet curl -s -m 5 -o /dev/null -w '%{http_code}' "http://203.0.113.10:8080$p")" 200
done
for p in qbittorrent sonarr; do
	same "web-ui /$p, no slash" "$(lab internet curl -s -m 5 -o /dev/null -D - "http://203.0.113.10:8080/$p" |
		tr -d '\r' | sed -n 's/^Location: //p')" "/$p/"
done
same "a service calls another by name" "$(lab host docker exec leakproof-sonarr-1 curl -s -o /dev/null \
	-w '%{http_code}' 'http://127.0.0.1:8989/call?url=http://prowlarr:9696/prowlarr/ping')" 200
same "host's addresses on br-vpn0" "$(lab host ip -4 -o addr show br-vpn0)" ""
same "networks of an application" "$(lab host docker inspect -f '{{len .NetworkSettings.Networks}}' \
	leakproof-qbittorrent-1)" 1

# Who they run as, and with what: nothing of it reaches the network.
of_first() { lab host docker exec "leakproof-$1-1" sh -c "$2"; }
same "user of qBittorrent" "$(of_first qbittorrent 'stat -c %u:%g /proc/1')" 1000:1000
same "its capabilities" "$(of_first qbittorrent "sed -n 's/^CapEff:.//p' /proc/1/status")" 0000000000000000
same "its first settings" "$(of_first qbittorrent "grep -c -e LSDEnabled=false -e UseUPnP=false /config/qBittorrent/qBittorrent.conf")" 2
for s in webui webui-inner; do
	same "user of $s" "$(of_first $s 'stat -c %u:%g /proc/1')" 101:101
done
# CAP_NET_ADMIN is bit 12, CAP_NET_RAW bit 13 (capabilities(7), linux/capability.h).
for s in qbittorrent sonarr webui webui-inner plex; do
	bounding=$(of_first $s "sed -n 's/^CapBnd:.//p' /proc/1/status")
	same "network capabilities that $s may get" $((0x$bounding >> 12 & 3)) 0
done
# A setting that was changed by hand is kept over a restart.
of_first qbittorrent "sed -i 's/LSDEnabled=false/LSDEnabled=true/' /config/qBittorrent/qBittorrent.conf"
lab host docker kill leakproof-qbittorrent-1 >/dev/null
lab host docker start leakproof-qbittorrent-1 >/dev/null
same "a changed setting" "$(of_first qbittorrent 'grep -c LSDEnabled=true /config/qBittorrent/qBittorrent.conf')" 1

before=$(started)
for _ in 1 2 3; do
	same "packets on the uplink, gateway killed" "$(leaked leakproof-sonarr-1 5 kill_gateway)" 0
done
same "packets on the uplink, VPN process killed" "$(leaked leakproof-sonarr-1 4 kill_vpn)" 0
for _ in $(seq 40); do
	got=$(outside leakproof-sonarr-1) && break
	sleep 0.5
done
same "seen from outside after all that" "${got:-nothing}" 198.51.100.2
same "the application's start" "$(started)" "$before"

compose -f /stack/compose.yml down -v >/dev/null 2>&1

# ---- linuxserver's kind of image ----
# /init stays as root, gives the user abc the numbers of PUID and PGID and the data in /config to it, puts its own
# settings there first, and keeps the program running under it.
cat >"$tmp/init" <<'INIT'
#!/bin/bash
set -e
groupmod -o -g "$PGID" abc
usermod -o -u "$PUID" abc
mkdir -p /config/qBittorrent
[ -f /config/qBittorrent/qBittorrent.conf ] ||
	printf '[Preferences]\nWebUI\\Address=*\nWebUI\\ServerDomains=*\n' >/config/qBittorrent/qBittorrent.conf
chown -R abc:abc /config
for script in /custom-cont-init.d/*; do bash "$script"; done
export HOME=/config XDG_CONFIG_HOME=/config XDG_DATA_HOME=/config
trap 'kill "$!"; wait; exit' TERM
while :; do
	setpriv --reuid abc --regid abc --init-groups qbittorrent-nox --webui-port="$WEBUI_PORT" \
		--torrenting-port="$TORRENTING_PORT" &
	wait "$!" || :
	sleep 1
done
INIT
lab host docker run --name kind --entrypoint sh leakproof/qbittorrent:local -ec \
	'useradd -U -u 911 -d /config -s /bin/false abc; rm /entrypoint.sh' >/dev/null 2>&1
chmod 755 "$tmp/init"
lab host docker cp /t/init kind:/init >/dev/null 2>&1
lab host docker commit -c 'ENTRYPOINT ["/init"]' -c 'CMD []' kind test/linuxserver:1 >/dev/null
lab host docker rm kind >/dev/null
sed -i 's,^QBITTORRENT_IMAGE=.*,QBITTORRENT_IMAGE=test/linuxserver:1,' "$tmp/env"
printf 'PUID=1234\nPGID=1235\n' >>"$tmp/env"
of_program() { # COMMAND: with qBittorrent's own process in $p
	of_first qbittorrent "for p in /proc/[0-9]*; do read -r c <\$p/comm; [ \$c != qbittorrent-nox ] || break; done; $1"
}
# shellcheck disable=SC2016 # expanded inside
runs_as_abc() { # what
	same "$1: user of /init" "$(of_first qbittorrent 'stat -c %u:%g /proc/1')" 0:0
	same "$1: user of its program" "$(of_program 'stat -c %u:%g $p')" 1234:1235
	same "$1: settings" "$(of_first qbittorrent "grep -c -e 'ServerDomains=\*' -e LSDEnabled=false -e DefaultSavePath=/downloads \
		/config/qBittorrent/qBittorrent.conf")" 3
	same "$1: owner of the downloads" "$(of_first qbittorrent 'stat -c %u:%g /downloads')" 1234:1235
	same "$1: seen from outside" "$(outside leakproof-qbittorrent-1)" 198.51.100.2
}

compose -f /stack/compose.yml up -d --wait >"$tmp/up.log" 2>&1 || { tail "$tmp/up.log"; fail "up with /init"; }
runs_as_abc reference
# shellcheck disable=SC2016 # expanded inside
same "capabilities of its program" "$(of_program 'sed -n "s/^CapEff:.//p" $p/status')" 0000000000000000
same "web-ui" "$(lab internet curl -s -m 5 -o /dev/null -w '%{http_code}' http://203.0.113.10:8080/qbittorrent/)" 200

compose -f /stack/compose.yml -f /stack/leaky/start-window/compose.yml up -d --wait >"$tmp/up.log" 2>&1 ||
	{ tail "$tmp/up.log"; fail "up with the start window"; }
# Some twenty packets a kill; a slow moment of the machine may hide one kill's, not three.
n=0
for _ in 1 2 3; do
	[ "$n" -gt 0 ] || n=$(leaked leakproof-sonarr-1 4 kill_gateway)
done
[ "$n" -gt 0 ] || fail "the start window does not leak"
tcpdump -n -r "$tmp/up.pcap" 2>/dev/null | grep -q ' 172\.30\.0\.' || fail "not with a private source address"
echo "ok: the start window leaks ($n packets with a private source address)"
compose -f /stack/compose.yml down -v >/dev/null 2>&1

compose -f /stack/leaky/old-architecture/compose.yml up -d --wait >"$tmp/up.log" 2>&1 ||
	{ tail "$tmp/up.log"; fail "up with the old architecture"; }
runs_as_abc "old architecture"
n=$(leaked leakproof-qbittorrent-1 3 kill_vpn)
[ "$n" -gt 0 ] || fail "the old architecture does not leak"
same "the old architecture without its VPN" "$(outside leakproof-qbittorrent-1)" 203.0.113.10
compose -f /stack/leaky/old-architecture/compose.yml down -v >/dev/null 2>&1
