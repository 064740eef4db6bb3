#!/bin/bash
# SPDX-License-Identifier: MIT
# A real run, stored and judged again: the same result, byte for byte. And one whose harness was killed in the middle of
# a fault: inconclusive, with its captures judged as far as they go.
set -eu
cd "$(dirname "$0")/../.."
lp=${LEAKPROOF:-build/leakproof}
id=rr$((RANDOM % 10000))
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
command -v python3 > /dev/null || { echo "needs python3"; exit 77; }
tmp=$(mktemp -d)
at=(--reports "$tmp/reports" --captures "$tmp/captures")
cleanup() {
  "$lp" clean "$id" > /dev/null 2>&1 || :
  rm -rf "$tmp"
}
trap cleanup EXIT
fail() { echo "FAILED: $*"; exit 1; }

"$lp" lab up --id "$id" --bind "$PWD/stack" > /dev/null
"$lp" run --lab "$id" "${at[@]}" --quiet steady-state > /dev/null || fail "the run ended with $?"
"$lp" replay "${at[@]}" --json latest > "$tmp/again" || fail "replay ended with $?"
cmp "$tmp/again" "$tmp/reports/latest/result.json" || fail "replay gives another result"
grep -q '"attempts": [1-9]' "$tmp/again" || fail "no attempt was seen, so nothing was compared"
python3 - "$tmp/again" << 'PY' || fail "what the taps received and what was judged differ"
import json, sys
for t in json.load(open(sys.argv[1]))["scenarios"][0]["taps"]:
    assert t["received"] == t["delivered"] + t["dropped"] and t["delivered"] == t["packets"] > 0, t
PY

"$lp" run --lab "$id" "${at[@]}" --quiet kill-vpn-process > /dev/null 2>&1 &
harness=$!
for _ in $(seq 300); do
  grep -q '"event":"fault"' "$tmp/reports/latest/journal.jsonl" 2> /dev/null && break
  kill -0 "$harness" 2> /dev/null || fail "the run ended before its fault"
  sleep 0.2
done
grep -q '"event":"fault"' "$tmp/reports/latest/journal.jsonl" || fail "no fault within a minute"
kill -KILL "$harness"
wait "$harness" 2> /dev/null || :
status=0
"$lp" replay "${at[@]}" --json latest > "$tmp/cut" || status=$?
[ "$status" = 4 ] || fail "replay of the run that was killed ended with $status"
grep -q '"reason": "interrupted before its end"' "$tmp/cut" || fail "it does not say why"
grep -q '"tunnel": [1-9]' "$tmp/cut" || fail "its captures were not judged"
[ ! -e "$tmp/reports/latest/result.json" ] || fail "a run that was killed has a result"
echo "the same result again, and a killed run is inconclusive"
