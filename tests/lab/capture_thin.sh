#!/bin/bash
# SPDX-License-Identifier: MIT
# What a tap inside the stack keeps of a frame is all that is judged of it: a run that kept whole frames is judged twice,
# as it is and with its bridges' files cut as the kernel would have cut them, and every finding, count and series is equal.
set -eu
cd "$(dirname "$0")/../.."
lp=${LEAKPROOF:-build/leakproof}
thin=$(dirname "$lp")/tools/thin_capture
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
[ -x "$thin" ] || { echo "needs $thin (make unit-bins)"; exit 77; }
command -v python3 >/dev/null || { echo "needs python3"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

"$lp" run --whole-frames --reports "$tmp/reports" --captures "$tmp/whole" --quiet \
	steady-state kill-vpn-process control-start-window >"$tmp/out" 2>&1 || { tail -n 30 "$tmp/out"; fail "the run ended with $?"; }
cp -a "$tmp/whole" "$tmp/thin"
n=0
while read -r file; do
	"$thin" "$file" "${file/#$tmp\/whole/$tmp/thin}" 198.51.100.2 51820 || fail "$file"
	n=$((n + 1))
done < <(find "$tmp/whole" -name 'br-*.pcap')
[ "$n" = 9 ] || fail "$n files of bridges, not three in each of three scenarios"

for how in whole thin; do
	status=0
	"$lp" replay --json --reports "$tmp/reports" --captures "$tmp/$how" latest >"$tmp/$how.json" || status=$?
	[ "$status" = 0 ] || fail "the judgement of the $how captures ended with $status"
done
python3 - "$tmp/whole.json" "$tmp/thin.json" <<'PY' || fail "the two judgements differ"
import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:])
# Where the evidence lies, and how many frames the file has only the beginning of, are all that may differ.
def plain(x):
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items() if k not in ("evidence", "truncated")}
    return [plain(v) for v in x] if isinstance(x, list) else x
assert plain(a) == plain(b)
cut = lambda r: sum(t["truncated"] for s in r["scenarios"] for t in s["taps"] if t["role"] == "bridge")
assert cut(a) == 0 < cut(b), (cut(a), cut(b))
for s in a["scenarios"]:
    print(f"ok: {s['name']}: {s['findings_total']} findings, {s['blocked']} blocked, {s['canaries_sent']} canaries, both ways")
leaky = [s for s in a["scenarios"] if s["must_leak"]][0]
assert leaky["findings_total"] > 0 and any(s["blocked"] > 0 for s in a["scenarios"])
PY
size() { find "$1" -name "$2" -exec cat {} + | wc -c; }
for what in 'br-egress0.pcap' 'br-vpn0.pcap' 'br-media0.pcap' '*.pcap'; do
	echo "size of $what: $(size "$tmp/whole" "$what") whole, $(size "$tmp/thin" "$what") as kept"
done
[ "$(size "$tmp/thin" 'br-*.pcap')" -lt $(($(size "$tmp/whole" 'br-*.pcap') / 10)) ] || fail "hardly anything was saved"
