#!/bin/bash
# SPDX-License-Identifier: MIT
# Inside the virtual host the same program sees an ordinary machine: its Docker socket, its default-route
# interface, its addresses.
set -eu
cd "$(dirname "$0")/../.."
lp=$(realpath "${LEAKPROOF:-build/leakproof}")
id=re$((RANDOM % 10000))
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
trap '"$lp" clean "$id" || :' EXIT
fail() { echo "FAILED: $*"; exit 1; }

"$lp" lab up --id "$id" --bind "$PWD" >/dev/null
found=$("$lp" lab shell --id "$id" host "$lp" doctor --json | grep -A 3 '"name": "real host"') ||
	fail "the doctor does not answer inside"
echo "$found"
grep -q '"state": "ok"' <<<"$found" || fail "the virtual host is no usable machine"
grep -q '"uplink eth0, 203.0.113.10 2001:db8:1::10, Docker at /var/run/docker.sock"' <<<"$found" ||
	fail "another machine was seen"
"$lp" lab shell --id "$id" host test ! -e /run/leakproof || fail "something was left in /run"

# Without power the machine's own files are not taken for those of the lab.
pid=$("$lp" lab status --id "$id" --json | sed -n 's/.*"host": \([0-9]*\),*/\1/p')
kill -9 "$pid"
for _ in $(seq 100); do
	[ -e "/proc/$pid" ] || break
	sleep 0.1
done
"$lp" lab status --id "$id" | grep -q 'host *without power' || fail "a host without power is not seen"
"$lp" lab status --id "$id" | grep -q 'not running' || fail "an engine was seen without power"
echo ok
