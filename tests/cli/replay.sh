#!/bin/bash
# SPDX-License-Identifier: MIT
# replay: stored runs are judged again with the same answer, also those that were cut off, lost a capture, or were
# damaged; exit statuses and words. Needs no root and starts nothing.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/cli/common.sh
. tests/cli/common.sh
writer=${B:-build}/unit/test_engine_replay
[ -x "$writer" ] || { echo "$writer is not built"; exit 1; }
"$writer" --write "$tmp"
at=(--captures "$tmp/captures" --reports "$tmp/reports")

# the stored result, byte by byte
for run in pass:0 leak:1 cut:4 cut-leak:1; do
  want "${run#*:}" replay "${at[@]}" --json "${run%:*}"
  same "$tmp/out" "$tmp/reports/${run%:*}/result.json"
done
want 0 replay "${at[@]}" pass
has out "one                     pass "
has out "pass: No packet betrayed the real address in 1 scenarios"
want 1 replay "${at[@]}" leak
has out "[cleartext-outside-tunnel] critical, 1 finding"
has out "tap uplink, frame 2"
want 4 replay "${at[@]}" cut
has out "interrupted before its end"
want 1 replay "${at[@]}" --format junit leak
has out "<failure"
want 1 replay "${at[@]}" --format html --output "$tmp/page.html" leak
has page.html "<!DOCTYPE html>"
want 1 replay "${at[@]}" --format all --out "$tmp/again" leak
same "$tmp/again/result.json" "$tmp/reports/leak/result.json"
# RUN may be a link, as latest is
ln -s leak "$tmp/reports/latest"
want 1 replay "${at[@]}" latest

# a capture that is gone, and one that is damaged
rm "$tmp/captures/pass/one/br-vpn.pcap"
want 4 replay "${at[@]}" pass
has out "/pass/one/br-vpn.pcap: No such file or directory"
rm "$tmp/captures/leak/one/br-vpn.pcap"
want 1 replay "${at[@]}" leak
"$writer" --write "$tmp/second"
truncate -s 50 "$tmp/second/captures/pass/one/uplink.pcap"
want 4 replay --captures "$tmp/second/captures" --reports "$tmp/second/reports" pass
has out "cut inside a record at byte 24"

# journals
want 2 replay "${at[@]}" none
has err "no run none in $tmp/reports"
want 2 replay "${at[@]}"
has err "which run?"
want 2 replay "${at[@]}" --format xml pass
sed -i '5s/.*/{"event": nothing}/' "$tmp/reports/cut/journal.jsonl"
want 2 replay "${at[@]}" cut
has err "journal.jsonl:5: not a journal line: "
: > "$tmp/reports/cut-leak/journal.jsonl"
want 2 replay "${at[@]}" cut-leak
has err "the journal has no \`run\` event"
want 0 replay --help
has out "--captures DIR"
for o in format json output out share; do has out "--$o"; done

exit "$failed"
