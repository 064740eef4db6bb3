#!/bin/bash
# SPDX-License-Identifier: MIT
# Ctrl-C, SIGTERM and SIGHUP at every stage of a run: faults are undone, everything is taken down, the verdict is no pass
# and the exit status says so; twice is a quick end, and as clean. A reader that goes takes nothing from the verdict.
# shellcheck source=tests/lab/own_world.sh
. "$(dirname "$0")/own_world.sh"
have tree seed images graph
last_log=$tmp/err

scenario() { # name body
	printf 'name: %s\nsummary: %s.\ntimeline:\n%s\n' "$1" "$1" "$2" >"$tmp/$1.yaml"
}
scenario short '  - start: dns
  - wait: tunnel-traffic
    timeout: 60s
  - observe: 1s'
scenario long '  - start: dns
  - start: udp
  - wait: tunnel-traffic
    timeout: 60s
  - fault: net.partition
    between: [qbittorrent, gluetun]
  - observe: 3m'
scenario waiting '  - start: dns
  - wait: download-complete
    timeout: 10m'
sed -i 's/start: dns$/start: dns\n  - start: download/' "$tmp/waiting.yaml"
scenario unconfirmed '  - start: dns
    service: sonarr
  - wait: tunnel-traffic
    timeout: 60s
  - fault: net.partition
    between: [prowlarr, radarr]'

run_args() { echo run --scenarios "$tmp/$1.yaml" --reports "$tmp/reports" --captures "$tmp/captures"; }

# A run in a process group of its own, as a shell with a terminal makes it; up to the words in its progress.
begin() { # scenario words
	: >"$tmp/err"
	# shellcheck disable=SC2046 # words
	setsid "$lp" $(run_args "$1") >"$tmp/out" 2>"$tmp/err" </dev/null &
	victim=$!
	wait_for 120 "\"$2\" never came" grep -qF -e "$2" "$tmp/err"
}
finish() { # what seconds: it ends within so long, with 4, and the machine is as before
	local what=$1 begin=$SECONDS
	status=0
	wait "$victim" || status=$?
	took=$((SECONDS - begin))
	[ "$status" = 4 ] || fail "$what: exit status $status, not 4"
	[ "$took" -le "$2" ] || fail "$what: took $took s to end"
	snapshot "$(lab_of)" >"$tmp/now"
	diff "$tmp/before" "$tmp/now" || fail "$what: something was left behind"
	left=$(survivors "$tmp/family")
	[ -z "$left" ] || fail "$what: still running: $left"
	grep -qi 'interrupted' "$tmp/err" "$tmp/out" || fail "$what: it is not said that it was interrupted"
	echo "ok: $what ($took s)"
}
lab_of() { cat "$tmp/id" 2>/dev/null || echo none; }
note() {
	state_of "$victim" >"$tmp/id" || :
	family "$victim" >"$tmp/family"
	if [ -s "$tmp/id" ]; then
		# shellcheck disable=SC2046 # a list of numbers
		family $(pgrep -f "^leakproof-lab-init $(cat "$tmp/id") ") >>"$tmp/family"
	fi
}
verdict() {
	python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(r["verdict"], *[s["verdict"] for s in r["scenarios"]])' \
		"$tmp/reports/latest/result.json"
}

# shellcheck disable=SC2046
"$lp" $(run_args short) >"$tmp/out" 2>"$tmp/err" || fail "a good day ended with $?"
snapshot none >"$tmp/before"

# ---- one signal, at every stage ----
for stage in "short|starting the lab's network" "short|waiting for the lab's Docker Engine" "short|stack up" \
	"long|start udp in" "long|observe 3m" "waiting|wait for download-complete" "unconfirmed|net.partition"; do
	begin "${stage%%|*}" "${stage#*|}"
	note
	kill -INT -- "-$victim" # to the whole group, as a terminal does
	finish "Ctrl-C at \"${stage#*|}\"" 60
done
begin long 'observe 3m'
note
kill -INT "$victim"
finish "SIGINT to the harness alone" 60
[ "$(verdict)" = "inconclusive inconclusive" ] || fail "after Ctrl-C the report says $(verdict)"
grep -q 'interrupted before its end' "$tmp/reports/latest/index.html" || fail "the page does not say why"
for sig in TERM HUP; do
	begin long 'observe 3m'
	note
	kill "-$sig" "$victim"
	finish "SIG$sig" 60
done

# ---- twice ----
begin long 'observe 3m'
note
kill -INT -- "-$victim"
wait_for 20 "taking down never began" grep -q 'stack down' "$tmp/err"
kill -INT -- "-$victim"
finish "Ctrl-C twice, with the fault in force" 30
[ "$(verdict)" = "inconclusive inconclusive" ] || fail "after Ctrl-C twice the report says $(verdict)"
begin long 'stack up'
note
kill -INT -- "-$victim"
sleep 0.1
kill -INT -- "-$victim"
finish "Ctrl-C twice while the stack comes up" 30
# Five times is not worse than twice.
begin long 'observe 3m'
note
for _ in 1 2 3 4 5; do
	kill -INT -- "-$victim" 2>/dev/null || :
	sleep 0.3
done
finish "Ctrl-C five times" 30

# ---- while images are built ----
mkdir "$tmp/cold"
for d in "$shared"/tree-* "$shared"/seed-* "$shared"/image-base-*; do case $d in *.lock | *.building) ;; *) ln -s "$d" "$tmp/cold/" ;; esac; done
: >"$tmp/err"
# shellcheck disable=SC2046
LEAKPROOF_CACHE=$tmp/cold setsid "$lp" $(run_args short) >"$tmp/out" 2>"$tmp/err" </dev/null &
victim=$!
wait_for 60 "no image is built" grep -q 'building the stack' "$tmp/err"
sleep 0.5
rm -f "$tmp/id"
note
kill -INT "$victim"
finish "Ctrl-C while images are built" 20
LEAKPROOF_CACHE=$tmp/cold "$lp" clean
[ -z "$(find "$tmp/cold" -name '*.building')" ] || fail "half an image is left after clean"

# ---- readers that go ----
snapshot none >"$tmp/before"
# shellcheck disable=SC2046
"$lp" $(run_args short) 2>"$tmp/err" </dev/null | true
status=${PIPESTATUS[0]}
[ "$status" = 0 ] || fail "a run whose reader has gone ended with $status"
grep -q 'the summary could not be printed' "$tmp/err" || fail "it is not said that nobody read the summary"
[ "$(verdict)" = "pass pass" ] || fail "the report of a run without a reader says $(verdict)"
# shellcheck disable=SC2046
{ "$lp" $(run_args short) 2>&1 </dev/null; echo $? >"$tmp/status"; } | head -n 2 >/dev/null || :
[ "$(cat "$tmp/status")" = 0 ] || fail "a run with both streams into head ended with $(cat "$tmp/status")"
[ "$(verdict)" = "pass pass" ] || fail "its report says $(verdict)"
# shellcheck disable=SC2046
"$lp" $(run_args short) >&- 2>&- </dev/null || fail "a run with closed streams ended with $?"
"$lp" replay --reports "$tmp/reports" --captures "$tmp/captures" latest >"$tmp/out" || fail "its journal or captures hold other words"
snapshot none >"$tmp/now"
diff "$tmp/before" "$tmp/now" || fail "readers that go: something was left behind"
echo "ok: readers that go"
