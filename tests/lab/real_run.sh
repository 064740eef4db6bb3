#!/bin/bash
# SPDX-License-Identifier: MIT
# --host real: the same program, run inside the virtual host's namespaces, takes that for an ordinary machine. Two shipped
# scenarios end there as they do in the lab; nothing but the project's own containers is touched; what reaches further is
# refused before anything is started; and what a run that was killed leaves is put back.
lp=$(realpath "${LEAKPROOF:-build/leakproof}")
LEAKPROOF=$lp
# shellcheck disable=SC2034 # read by what is sourced
lab_binds=(--bind "$(cd "$(dirname "$0")/../.." && pwd)")
# shellcheck source=tests/lab/stack_common.sh
. "$(dirname "$0")/stack_common.sh"
cp "$(field torrent)" "$tmp/lab.torrent"

inside() { lab host "$lp" run --host real --reports /t/reports --captures /t/captures --env-file /t/env "$@" </dev/null; }
outside=(--what-is-my-ip http://198.51.100.131/ --sink 198.51.100.134 --torrent /t/lab.torrent)
tunnel=(--tunnel "udp:198.51.100.2:51820")
result() { # python expression over r, the newest result
	python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' \
		"$tmp/reports/latest/result.json" "$1"
}

# ---- a machine on which somebody lives ----
lab host sh -ec 'docker network create others >/dev/null
	docker volume create others >/dev/null
	docker run -d --name other --network others -v others:/data leakproof/service:local >/dev/null
	docker run -d --name leakproof-stranger leakproof/service:local >/dev/null'
state() { # what must stay as it is
	lab host sh -c 'docker ps -a --no-trunc --format "{{.Names}} {{.ID}}" | sort
		docker inspect -f "{{.State.Pid}} {{.State.StartedAt}}" other leakproof-stranger
		docker network ls --format "{{.Name}}" | sort
		docker volume ls --format "{{.Name}}" | sort
		ip -o link | sed "s/^[0-9]*: \([^:@]*\).*/\1/" | sort
		iptables-save | grep -v "^[#:]" | sort
		iptables-save | grep "^:" | sed "s/ \[.*//" | sort
		nft list tables | grep leakproof
		cat /run/docker.pid; ls /run/leakproof 2>/dev/null' | tr -d '\r'
}
state >"$tmp/before"
unchanged() { # after what
	state >"$tmp/now"
	diff "$tmp/before" "$tmp/now" || fail "$1: the machine is not as before"
	echo "ok: the machine is as before after $1"
}

# ---- refused, before anything is started ----
refused() { # status, words, arguments...
	local status=0 want=$1 words=$2
	shift 2
	inside "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
	[ "$status" = "$want" ] || { cat "$tmp/err"; fail "$*: exit status $status, not $want"; }
	grep -qF -e "$words" "$tmp/err" || { cat "$tmp/err"; fail "$*: no \"$words\""; }
	echo "ok: refused: $words"
}
refused 2 "--host real needs --tunnel" "${outside[@]}" steady-state
refused 2 "--tunnel nonsense: PROTO:ADDRESS:PORT is wanted" --tunnel nonsense "${outside[@]}" steady-state
refused 2 "with --sink ADDRESS[:PORT]" "${tunnel[@]}" --torrent /t/lab.torrent steady-state
refused 2 "--torrent FILE" "${tunnel[@]}" --sink 198.51.100.134 steady-state
refused 2 "--what-is-my-ip URL" "${tunnel[@]}" --sink 198.51.100.134 --torrent /t/lab.torrent steady-state
refused 2 "with --public-dns ADDRESS" "${tunnel[@]}" "${outside[@]}" startup-race
refused 2 "net.partition reaches beyond the project's containers on this machine; --i-mean-it allows it" \
	"${tunnel[@]}" "${outside[@]}" network-partition
refused 2 "vpn.server-blackhole reaches beyond the project's containers on this machine" \
	"${tunnel[@]}" "${outside[@]}" vpn-server-blackhole
refused 2 "leaks the real address on purpose; --i-mean-it allows it" "${tunnel[@]}" "${outside[@]}" control-leaky-stack
refused 2 "--lab x and --host real" --lab x "${tunnel[@]}" steady-state
refused 3 "does not tell this machine its own address" "${tunnel[@]}" --sink 198.51.100.134 \
	--torrent /t/lab.torrent --what-is-my-ip http://198.51.100.200/ steady-state
unchanged "all that was refused"

# ---- the same verdicts ----
inside "${tunnel[@]}" "${outside[@]}" --exit-address 198.51.100.2 --quiet steady-state kill-vpn-process >"$tmp/run" 2>&1 ||
	{ cat "$tmp/run"; fail "the run ended with $?"; }
same "verdicts" "$(result '[(s["name"], s["verdict"], s["findings_total"]) for s in r["scenarios"]]')" \
	"[('kill-vpn-process', 'pass', 0), ('steady-state', 'pass', 0)]"
same "the host" "$(result '[e["value"] for e in r["environment"] if e["name"] == "host"]')" "['real']"
same "its addresses" "$(result '[e["value"] for e in r["environment"] if e["name"] == "real address"]')" \
	"['203.0.113.10', '2001:db8:1::10']"
same "its uplinks" "$(result '[e["value"] for e in r["environment"] if e["name"] == "uplink"]')" "['eth0']"
same "taps" "$(result 'sorted(t["name"] for t in r["scenarios"][0]["taps"] if t["reconciled"])')" \
	"['br-egress0', 'br-media0', 'br-vpn0', 'lo', 'uplink']"
same "controls that were caught" "$(result 'sorted({c["tap"] for c in r["scenarios"][0]["controls"] if c["caught"]})')" \
	"['lo', 'uplink']"
same "the kill switch" "$(result '[m["value"] for m in r["scenarios"][0]["measures"] if m["name"] == "kill-switch"]')" "[None]"
same "images as the engine says" "$(result 'sorted({i["value"].split()[0] for i in r["images"]})')" \
	"['leakproof/gateway:local', 'leakproof/nginx:local', 'leakproof/qbittorrent:local', 'leakproof/service:local']"
unchanged "two scenarios"

# An address that the world sees and that is not the one that was told is no pass, and the real one never is.
status=0
cat >"$tmp/exit.yaml" <<'YAML'
name: exit
summary: The address that the world sees.
timeline:
  - start: dns
  - wait: tunnel-traffic
    timeout: 30s
  - check: exit-address
YAML
inside "${tunnel[@]}" "${outside[@]}" --exit-address 198.51.100.99 --scenarios /t/exit.yaml --quiet >"$tmp/run" 2>&1 || status=$?
same "exit status with another exit address" "$status" 1
same "its verdict" "$(result 'r["scenarios"][0]["verdict"]')" fail
status=0
inside "${tunnel[@]}" "${outside[@]}" --real-address 198.51.100.2 --scenarios /t/exit.yaml --quiet >"$tmp/run" 2>&1 || status=$?
same "exit status when it is one that must not get out" "$status" 1
unchanged "two that fail"

# ---- with leave ----
inside "${tunnel[@]}" "${outside[@]}" --i-mean-it --quiet network-partition >"$tmp/run" 2>&1 ||
	{ cat "$tmp/run"; fail "network-partition with leave ended with $?"; }
same "verdict with leave" "$(result 'r["scenarios"][0]["verdict"]')" pass
unchanged "a fault in the machine's firewall"

# ---- killed in the middle of it ----
cat >"$tmp/held.yaml" <<'YAML'
name: held
summary: A fault that is held.
timeline:
  - start: dns
  - wait: tunnel-traffic
    timeout: 30s
  - fault: net.partition
    between: [qbittorrent, gluetun]
  - observe: 60s
YAML
kill_in_fault() { # in the background up to the fault in force, then SIGKILL
	: >"$tmp/run"
	inside "${tunnel[@]}" "${outside[@]}" --i-mean-it --scenarios /t/held.yaml >"$tmp/run" 2>&1 &
	for _ in $(seq 1200); do
		grep -q 'observe' "$tmp/run" && break
		sleep 0.1
	done
	grep -q 'observe' "$tmp/run" || { cat "$tmp/run"; fail "the fault never came"; }
	kill -9 "$(pgrep -f "^$lp run --host real .*held.yaml")" || fail "no process to kill"
	wait || :
}
kill_in_fault
lab host nft list tables | grep -q leakproof || fail "SIGKILL left no fault, so nothing is shown"
lab host docker ps --format '{{.Names}}' | grep -q leakproof-run-gluetun || fail "SIGKILL left no container"
lab host "$lp" clean
unchanged "SIGKILL and clean"

# The next run puts it back by itself.
kill_in_fault
inside "${tunnel[@]}" "${outside[@]}" --scenarios /t/exit.yaml --quiet >"$tmp/run" 2>&1 ||
	{ cat "$tmp/run"; fail "the run after one that was killed ended with $?"; }
unchanged "SIGKILL and another run"
echo ok
