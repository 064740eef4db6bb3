#!/bin/bash
# SPDX-License-Identifier: MIT
# SIGKILL while the tree, the images and the prepared image store are built: nothing half done is ever taken for whole,
# `leakproof clean` removes what is left, and the next one builds the same as before. `clean --cache` takes all away but
# what a living run stands on.
# shellcheck source=tests/lab/own_world.sh
. "$(dirname "$0")/own_world.sh"
command -v debootstrap >/dev/null || { echo "needs debootstrap"; exit 77; }
cache=$LEAKPROOF_CACHE

killed_at() { # seconds command...: SIGKILL after so long, unless it has ended; $still = it had not
	local moment=$1 victim
	shift
	"$@" >"$tmp/log" 2>&1 </dev/null &
	victim=$!
	sleep "$moment"
	family "$victim" >"$tmp/family"
	still=
	if kill -9 "$victim" 2>/dev/null; then still=yes; fi
	wait "$victim" 2>/dev/null || :
}
halves() { find "$cache" -maxdepth 2 -name '*.building' -o -maxdepth 2 -name '*.tmp'; }
check_clean() { # what
	local left
	"$lp" clean || fail "$1: clean ended with $?"
	left=$(halves)
	[ -z "$left" ] || fail "$1: left in the cache: $left"
	wait_for 10 "$1: still running: $(survivors "$tmp/family")" nobody_left
	diff "$tmp/mounts" <(cut -d' ' -f1-3 /proc/self/mounts) || fail "$1: something is mounted"
	[ -z "$(ls -A /run/leakproof)" ] || fail "$1: left in /run/leakproof: $(ls -A /run/leakproof)"
}
nobody_left() { [ -z "$(survivors "$tmp/family")" ]; }
cut -d' ' -f1-3 /proc/self/mounts >"$tmp/mounts"

# ---- the tree, in debootstrap and before ----
for moment in 0.3 3 12; do
	killed_at "$moment" "$lp" lab up --id bk --no-docker
	[ -n "$still" ] || fail "the tree was built within $moment s?"
	[ -z "$(find "$cache" -maxdepth 1 -name 'tree-*' ! -name '*.building' ! -name '*.lock')" ] || fail "a tree that is not whole"
	check_clean "tree killed at $moment s"
	echo "ok: tree killed at $moment s"
done

# ---- the base layer of the images ----
killed_at 5 "$lp" images
[ -n "$still" ] || fail "the base layer was built within 5 s?"
check_clean "base layer killed"
echo "ok: base layer killed"

# ---- the images, with the base layer there ----
have tree seed base
reference=$(find "$shared" -maxdepth 1 -name 'images-*' ! -name '*.building' ! -name '*.lock' | head -n 1)
times=0
for moment in 0.1 0.3 0.6 1 1.5 2 3 4; do
	killed_at "$moment" "$lp" images
	if [ -n "$still" ]; then times=$((times + 1)); fi
	check_clean "images killed at $moment s"
	whole=$(find "$cache" -maxdepth 1 -name 'images-*' ! -name '*.lock')
	[ -z "$whole" ] || [ -f "$whole/images.tar" ] || fail "images that are not whole: $(ls "$whole")"
done
[ "$times" -ge 3 ] || fail "the images were killed $times times only"
"$lp" images --json >"$tmp/images.json" 2>"$tmp/log" || fail "the images are not built after all that: $(cat "$tmp/log")"
whole=$(find "$cache" -maxdepth 1 -name 'images-*' ! -name '*.lock')
if [ "$(basename "$whole")" = "$(basename "${reference:-none}")" ]; then
	cmp "$whole/list" "$reference/list" || fail "other images than before were built"
fi
tar -tf "$whole/images.tar" >/dev/null || fail "the archive of the images is damaged"
echo "ok: images killed $times times, and whole in the end"

# ---- the prepared store, which a throw-away lab makes ----
cat >"$tmp/short.yaml" <<'YAML'
name: short
summary: A stack that comes up and sends.
timeline:
  - start: dns
  - wait: tunnel-traffic
    timeout: 60s
YAML
run() { "$lp" run --scenarios "$tmp/short.yaml" --reports "$tmp/reports" --captures "$tmp/captures"; }
times=0
for moment in 0.5 1.5 3 5 7; do
	killed_at "$moment" "$lp" run --scenarios "$tmp/short.yaml" --reports "$tmp/reports" --captures "$tmp/captures"
	if [ -n "$still" ] && [ -z "$(find "$cache" -maxdepth 1 -name 'graph-*' ! -name '*.building')" ]; then times=$((times + 1)); fi
	check_clean "store killed at $moment s"
done
[ "$times" -ge 2 ] || fail "the store was killed $times times only"
run >"$tmp/log" 2>&1 || { tail -n 20 "$tmp/log"; fail "the run after all that ended with $?"; }
family $$ >/dev/null
: >"$tmp/family"
check_clean "the run after all that"
echo "ok: store killed $times times, and a run passes in the end"

# ---- the cache emptied below a living run ----
entries() { find "$cache" -maxdepth 1 \( -name 'tree-*' -o -name 'image*-*' -o -name 'graph-*' -o -name 'seed-*' \) ! -name '*.*' -printf '%f\n' | sort; }
has_containers() { [ -n "$(find "$cache/labs" -mindepth 4 -maxdepth 4 -path '*/docker/containers/*')" ]; }
run >"$tmp/log" 2>&1 &
running=$!
wait_for 60 "the run has no containers" has_containers
"$lp" clean --cache 2>"$tmp/clean" || fail "clean --cache ended with $?: $(cat "$tmp/clean")"
[ "$(entries | sed 's/-.*//' | tr '\n' ' ')" = "seed tree " ] || fail "below a living run stays: $(entries)"
wait "$running" || { tail -n 20 "$tmp/log"; fail "the run whose cache was emptied ended with $?"; }
"$lp" clean --cache || fail "clean --cache ended with $?"
[ -z "$(entries)" ] || fail "not emptied: $(entries)"
echo "ok: the cache emptied below a living run, and then whole"
