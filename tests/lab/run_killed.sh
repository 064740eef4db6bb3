#!/bin/bash
# SPDX-License-Identifier: MIT
# SIGKILL of the harness in the middle of a fault, then `leakproof clean`: namespaces, mounts, links, processes, control
# groups, state and firewall are as before. Two harnesses at once: the dead one's lab goes, the living one's run goes on.
# In a lab that outlives the run, the next run puts the faults back.
# shellcheck source=tests/lab/own_world.sh
. "$(dirname "$0")/own_world.sh"
have tree seed images graph

scenario() { # name fault-lines: ends in a long look at the fault in force
	cat >"$tmp/$1.yaml" <<YAML
name: $1
summary: A fault in force when the harness is killed.
timeline:
  - start: dns
  - start: udp
  - wait: tunnel-traffic
    timeout: 60s
$2
  - observe: 2m
YAML
}
scenario process-kill '  - fault: vpn.process-kill'
scenario partition '  - fault: net.partition
    between: [qbittorrent, gluetun]'
scenario dns-outage '  - fault: dns.outage'
scenario dns-outage-gateway '  - fault: dns.outage
    at: gateway'
scenario blackhole '  - fault: vpn.server-blackhole'

start() { # name arguments...: a run in the background, $victim, until its fault is in force
	local name=$1
	shift
	: >"$tmp/$name.log"
	"$lp" run --scenarios "$tmp/$name.yaml" --reports "$tmp/reports" --captures "$tmp/captures" "$@" \
		>"$tmp/$name.log" 2>&1 </dev/null &
	victim=$!
	last_log=$tmp/$name.log
	wait_for 120 "$name: the fault never came" grep -q 'observe 2m' "$tmp/$name.log"
}
kill9() { # pid
	kill -9 "$1"
	wait "$1" 2>/dev/null || :
}
# Tables of the faults in the namespaces of a lab.
tables() { # id
	local node
	for node in isp vpn internet host; do
		"$lp" lab shell --id "$1" "$node" nft list tables </dev/null | grep leakproof_ || :
	done
}

# The first run only makes what is made once and stays.
cat >"$tmp/warm.yaml" <<'YAML'
name: warm
summary: The stack comes up once.
timeline:
  - start: dns
  - wait: tunnel-traffic
    timeout: 60s
YAML
last_log=$tmp/warm.log
"$lp" run --scenarios "$tmp/warm.yaml" --reports "$tmp/reports" --captures "$tmp/captures" >"$tmp/warm.log" 2>&1 ||
	fail "the first run ended with $?"
snapshot >"$tmp/before"

for name in process-kill partition dns-outage dns-outage-gateway blackhole; do
	start "$name"
	id=$(state_of "$victim") || fail "$name: no lab of process $victim"
	family "$victim" >"$tmp/family"
	# shellcheck disable=SC2046 # a list of numbers
	family $(pgrep -f "^leakproof-lab-init $id ") >>"$tmp/family"
	[ "$(wc -l <"$tmp/family")" -gt 20 ] || fail "$name: only $(wc -l <"$tmp/family") processes belong to the run"
	# What is not instant is on the disk to be undone.
	[ "$name" = process-kill ] || ls "/run/leakproof/$id/undo/"*.json >/dev/null || fail "$name: no undo record"
	! snapshot "$id" | cmp -s "$tmp/before" - || fail "$name: the snapshot does not see a living run"
	kill9 "$victim"
	"$lp" clean || fail "$name: clean ended with $?"
	snapshot "$id" >"$tmp/now"
	diff "$tmp/before" "$tmp/now" || fail "$name: clean left something behind"
	left=$(survivors "$tmp/family")
	[ -z "$left" ] || fail "$name: still running: $left"
	# What was written until then is kept, and judged it is no pass.
	status=0
	"$lp" replay --reports "$tmp/reports" --captures "$tmp/captures" latest >"$tmp/replay" || status=$?
	[ "$status" = 4 ] || { cat "$tmp/replay"; fail "$name: replay of a killed run ended with $status, not 4"; }
	grep -q 'interrupted before its end' "$tmp/replay" || fail "$name: the replay does not say why"
	echo "ok: $name: killed, cleaned, evidence kept"
done

# ---- two at once ----
start partition
first=$victim
dead=$(state_of "$first")
cat >"$tmp/living.yaml" <<'YAML'
name: living
summary: A run that nobody may disturb.
timeline:
  - start: dns
  - wait: tunnel-traffic
    timeout: 60s
  - observe: 15s
  - wait: tunnel-traffic
    timeout: 30s
  - check: apps-not-restarted
YAML
"$lp" run --scenarios "$tmp/living.yaml" --reports "$tmp/living" --captures "$tmp/captures" >"$tmp/living.log" 2>&1 &
living=$!
last_log=$tmp/living.log
wait_for 120 "the second run never came" grep -q 'observe 15s' "$tmp/living.log"
other=$(state_of "$living")
kill9 "$first"
"$lp" clean 2>"$tmp/clean" || fail "clean beside a living run ended with $?"
grep -q "$other is in use by a living run" "$tmp/clean" || fail "clean does not say what it left: $(cat "$tmp/clean")"
[ ! -e "/run/leakproof/$dead" ] || fail "the dead run's lab is still there"
[ -e "/run/leakproof/$other" ] || fail "the living run's lab is gone"
status=0
wait "$living" || status=$?
[ "$status" = 0 ] || fail "the living run ended with $status"
snapshot "$dead" "$other" >"$tmp/now"
diff "$tmp/before" "$tmp/now" || fail "two at once: something was left behind"
echo "ok: the dead one was cleaned, the living one passed"

# ---- a lab that outlives the run ----
"$lp" lab up --id stays --bind "$PWD" --bind "$LEAKPROOF_CACHE" >/dev/null 2>&1
start blackhole --lab stays
status=0
"$lp" run --lab stays --scenarios "$tmp/living.yaml" --reports "$tmp/r2" --captures "$tmp/c2" >"$tmp/second" 2>&1 || status=$?
[ "$status" = 3 ] || { tail -n 5 "$tmp/second"; fail "a second run in a lab that is in use ended with $status, not 3"; }
grep -q "lab \`stays\` is in use by process $victim" "$tmp/second" || fail "it is not said that the lab is in use"
"$lp" clean 2>"$tmp/clean"
[ -e /run/leakproof/stays ] || fail "clean took a lab that a living run uses"
kill9 "$victim"
[ -n "$(tables stays)" ] || fail "SIGKILL left no table of the fault, so nothing is shown"
"$lp" run --lab stays --scenarios "$tmp/living.yaml" --reports "$tmp/r2" --captures "$tmp/c2" >"$tmp/second" 2>&1 ||
	{ tail -n 20 "$tmp/second"; fail "the run after the killed one ended with $?"; }
grep -q 'taking down what a former run left' "$tmp/second" || fail "the killed run's containers were not noticed"
[ -z "$(tables stays)" ] || fail "the fault of the killed run is still in force"
"$lp" clean
snapshot stays >"$tmp/now"
diff "$tmp/before" "$tmp/now" || fail "clean of a lab that nobody uses left something behind"
echo "ok: the next run put the fault back"
