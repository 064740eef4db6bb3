#!/bin/bash
# SPDX-License-Identifier: MIT
# analyze --facts: one JSON object a frame whatever the file's form; exit statuses of files that end early or are none.
set -eu
cd "$(dirname "$0")/../.."
lp=${LEAKPROOF:-build/leakproof}
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
golden=tests/golden/plaintext-dns+tcp-split.uplink.pcap
failed=0

# want STATUS ARGUMENT...: output in $tmp/out, errors in $tmp/err
want() {
  local status=0 expected=$1
  shift
  "$lp" analyze --facts "$@" > "$tmp/out" 2> "$tmp/err" || status=$?
  if [ "$status" != "$expected" ]; then
    echo "leakproof analyze --facts $*: exit status $status, not $expected"
    cat "$tmp/out" "$tmp/err"
    failed=1
  fi
}

lines() {
  [ "$(wc -l < "$tmp/out")" = "$1" ] || {
    echo "$(wc -l < "$tmp/out") lines, not $1"
    failed=1
  }
}

# has FILE TEXT
has() {
  grep -qF -- "$2" "$tmp/$1" || {
    echo "no \"$2\" in:"
    cat "$tmp/$1"
    failed=1
  }
}

want 0 "$golden"
lines 3
has out '{"frame":3,"time":"'
has out '"qname":"'
if grep -qvE '^\{"frame":[0-9]+,"time":"[0-9]+\.[0-9]{9}","time_ns":[0-9]+,"length":[0-9]+,.*\}$' "$tmp/out"; then
  echo "a line of another form:"
  cat "$tmp/out"
  failed=1
fi
cp "$tmp/out" "$tmp/plain"

gzip -c "$golden" > "$tmp/x.pcap.gz"
want 0 "$tmp/x.pcap.gz"
cmp "$tmp/out" "$tmp/plain" || failed=1
want 0 - < "$golden"
cmp "$tmp/out" "$tmp/plain" || failed=1

# Several files: each line says which one it is of.
want 0 "$golden" "$tmp/x.pcap.gz"
lines 6
has out "{\"file\":\"$tmp/x.pcap.gz\",\"frame\":3,"

# A file that ends early: what was there, why, and that something is missing.
size=$(wc -c < "$golden")
head -c $((size - 1)) "$golden" > "$tmp/cut.pcap"
want 4 "$tmp/cut.pcap"
lines 2
cmp <(head -n 2 "$tmp/plain") "$tmp/out" || failed=1
has err "cut inside a record at byte "

# Not one frame, and no capture at all.
head -c 24 "$golden" > "$tmp/none.pcap"
want 0 "$tmp/none.pcap"
lines 0
head -c 25 "$golden" > "$tmp/cut.pcap"
want 4 "$tmp/cut.pcap"
lines 0
has err "cut inside a record header at byte 24"
head -c 23 "$golden" > "$tmp/cut.pcap"
want 2 "$tmp/cut.pcap"
echo "no capture" > "$tmp/text"
want 2 "$tmp/text"
has err "neither pcap nor pcapng"
: > "$tmp/empty"
want 2 "$tmp/empty"
has err "empty"
want 2 "$tmp/nothing-of-that-name"

# What cannot be written is an error, whether the last bytes of the buffer or bytes on the way; a reader that leaves is
# none.
many=("$golden" "$golden" "$golden" "$golden" "$golden" "$golden" "$golden" "$golden" "$golden" "$golden")
for files in 1 10; do
  status=0
  "$lp" analyze --facts "${many[@]:0:files}" > /dev/full 2> "$tmp/err" || status=$?
  [ "$status" = 3 ] || {
    echo "exit status $status, not 3"
    failed=1
  }
  has err "the facts could not be written: No space left on device"
done
"$lp" analyze --facts "${many[@]}" 2> "$tmp/err" | true
[ ! -s "$tmp/err" ] || {
  cat "$tmp/err"
  failed=1
}

want 0 "$golden"
"$lp" list facts | cmp - docs/facts.md || failed=1
exit $failed
