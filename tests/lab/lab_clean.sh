#!/bin/bash
# SPDX-License-Identifier: MIT
# `lab down` leaves nothing behind, and neither does `clean` after SIGKILL at any moment of `lab up`.
set -eu
cd "$(dirname "$0")/../.."
lp=${LEAKPROOF:-build/leakproof}
cache=${LEAKPROOF_CACHE:-/var/cache/leakproof}
id=cl$((RANDOM % 10000))
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
tmp=$(mktemp -d)
trap '"$lp" clean "$id" || :; rm -rf "$tmp"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

# Of the machine: namespaces, mounts, interfaces; of this lab: processes, control groups, files.
snapshot() {
	ip netns list
	cat /proc/self/mounts
	ip -o link | sed 's/^\([0-9]*: [^:]*\).*/\1/'
	pgrep -a -f "^leakproof-lab-init $id " || :
	find /sys/fs/cgroup -type d -name "leakproof-$id" 2>/dev/null || :
	ls -d "/run/leakproof/$id" "$cache/labs/$id" 2>/dev/null || :
}

# Every process below the lab's inits, with its start time.
members() {
	local p
	for p in $(pgrep -f "^leakproof-lab-init $id "); do
		echo "$p"
		pgrep --ns "$p" --nslist pid . || :
	done | sort -un | while read -r p; do
		ps -o pid=,lstart=,args= -p "$p" || :
	done
}

same() { # what
	snapshot >"$tmp/now"
	diff "$tmp/before" "$tmp/now" || fail "$1 left something behind"
}

snapshot >"$tmp/before"
begin=$SECONDS
"$lp" lab up --id "$id" >"$tmp/up"
[ $((SECONDS - begin)) -lt 15 ] || echo "note: lab up took $((SECONDS - begin)) s"
members >"$tmp/members"
for program in dockerd containerd dnsmasq nginx opentracker aria2c; do
	grep -q "$program" "$tmp/members" || fail "$program is not among the lab's processes"
done
! snapshot | cmp -s "$tmp/before" - || fail "the snapshot does not see a living lab"
"$lp" lab up --id "$id" 2>"$tmp/again" && fail "a second lab of the same name"
grep -q already "$tmp/again" || fail "no clear word about the lab that is there"
"$lp" lab down --id "$id"
same "lab down"
while read -r pid rest; do
	[ "$(ps -o lstart=,args= -p "$pid" | tr -s ' ')" != "$(echo "$rest" | tr -s ' ')" ] ||
		fail "still running after lab down: $rest"
done <"$tmp/members"

# Up takes some 0.5 s: the moments lie before, in and after each of its steps.
for moment in 0.005 0.01 0.02 0.04 0.06 0.08 0.12 0.2 0.3 0.4 0.6; do
	"$lp" lab up --id "$id" >/dev/null 2>&1 &
	victim=$!
	sleep "$moment"
	kill -9 "$victim" 2>/dev/null || :
	wait "$victim" 2>/dev/null || :
	"$lp" clean "$id"
	same "clean after SIGKILL at $moment s"
done

# A term signal is obeyed cleanly: nothing is left even without `clean`.
"$lp" lab up --id "$id" >/dev/null 2>"$tmp/term" &
victim=$!
sleep 0.1
kill -TERM "$victim"
status=0
wait "$victim" || status=$?
if [ "$status" = 0 ]; then # it was up before the signal came
	"$lp" lab down --id "$id"
else
	[ "$status" = 3 ] || fail "exit status $status after SIGTERM"
	grep -q interrupted "$tmp/term" || fail "SIGTERM: $(cat "$tmp/term")"
fi
same "SIGTERM"

"$lp" clean "$id"
"$lp" clean "$id"
same "clean twice"
status=0
"$lp" clean "no/such/../id" 2>/dev/null || status=$?
[ "$status" = 2 ] || fail "a bad id gave exit status $status"
echo "ok"
