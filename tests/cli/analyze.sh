#!/bin/bash
# SPDX-License-Identifier: MIT
# analyze: the golden captures through the command line, every form of a file, bad input of every kind, and what comes
# out in which format. Needs no root and starts nothing.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/cli/common.sh
. tests/cli/common.sh
golden=tests/golden

# ---- every golden capture raises what LIST says ----

# "rule@tap*count ..." of the findings in a JSON result, sorted
findings() {
  awk -F'"' '$2 == "rule" { rule = $4; weight = 0 } $2 == "severity" { weight = 1 }
    $2 == "tap" && rule && weight { n[rule "@" $4]++; rule = "" }
    END { for (k in n) print k "*" n[k] }' "$1" | LC_ALL=C sort | tr '\n' ' '
}
n=0
while IFS=$'\t' read -r name policy expected; do
  files=()
  for f in "$golden/$name".*.pcap; do
    tap=${f#"$golden/$name."}
    files+=("${tap%.pcap}=$f")
  done
  status=0
  "$lp" analyze --policy "$golden/$policy" --json "${files[@]}" > "$tmp/out" 2> "$tmp/err" || status=$?
  [ "$expected" != - ] || expected=
  expected=$(tr ' ' '\n' <<< "$expected" | grep . | LC_ALL=C sort | tr '\n' ' ') || :
  got=$(findings "$tmp/out")
  if [ "$got" != "$expected" ]; then
    echo "$name: $got, LIST says $expected"
    failed=1
  fi
  case $status:$expected in
    1:*@* | 4:undecodable-outside@*) ;;
    0: | 4:) ;;
    *)
      echo "$name: exit status $status with the findings $expected"
      cat "$tmp/err"
      failed=1
      ;;
  esac
  n=$((n + 1))
done < "$golden/LIST"
[ "$n" -gt 150 ] || { echo "only $n golden captures"; failed=1; }

# ---- formats ----

leak=$golden/cleartext-outside-tunnel+home-bridge-match
home=("$leak.uplink.pcap" "$leak.br-vpn.pcap")
policy=(--policy docs/policies/home-server.yaml)
taps=("uplink=${home[0]}" "br-vpn=${home[1]}")

want 1 analyze "${policy[@]}" "${taps[@]}"
has out "[cleartext-outside-tunnel] critical, 1 finding"
has out "tap uplink, frame 1"
has out "qbittorrent sent UDP to 198.51.100.134:9 outside the tunnel."
has out "service qbittorrent (bridge-match, 98"
has out "What to do: "
has out "NEVER USED"
has out "leak: 1 of 2 packets"
silent err
want 1 analyze "${policy[@]}" "${taps[@]}" --json
cp "$tmp/out" "$tmp/json"
has json '"kind": "analysis"'
has json '"verdict": "leak"'
want 1 analyze "${policy[@]}" --format json "${taps[@]}"
same "$tmp/out" "$tmp/json"
want 1 analyze "${policy[@]}" --format junit "${taps[@]}"
has out '<testcase name="no packet outside the tunnel"'
has out 'type="leak-or-broken-promise"'
if command -v xmllint > /dev/null; then
  xmllint --noout --schema tests/report/junit-file-line.xsd "$tmp/out" 2> "$tmp/err" || { cat "$tmp/err"; failed=1; }
fi
want 1 analyze "${policy[@]}" --format html "${taps[@]}"
has out '<!DOCTYPE html>'
has out 'What the policy allowed'
want 1 analyze "${policy[@]}" --format html --output "$tmp/page.html" "${taps[@]}"
same <("$lp" analyze "${policy[@]}" --format html "${taps[@]}" || :) "$tmp/page.html"
silent out
has err "leak: 1 of 2 packets"
want 1 analyze "${policy[@]}" --format all --out "$tmp/dir" "${taps[@]}"
same "$tmp/json" "$tmp/dir/result.json"
for f in index.html junit.xml summary.txt; do [ -s "$tmp/dir/$f" ] || { echo "no $f"; failed=1; }; done
want 1 analyze "${policy[@]}" "${taps[@]}"
same "$tmp/out" "$tmp/dir/summary.txt"
# what was stored is rendered by report like a run
want 0 report --reports "$tmp" dir
has out "leak: 1 of 2 packets"
want 1 analyze "${policy[@]}" --share --json "${taps[@]}"
lacks out 192.168.1.10
lacks out 203.0.113.10
has out REDACTED
want 2 analyze "${policy[@]}" --format xml "${taps[@]}"
has err "--format xml: text, json, junit, html or all is wanted"
want 2 analyze "${policy[@]}" --format all "${taps[@]}"
has err "--format all wants --out DIR"
want 2 analyze "${policy[@]}" --out "$tmp/a" --output "$tmp/b" "${taps[@]}"
want 3 analyze "${policy[@]}" --output "$tmp/none/page" "${taps[@]}"
has err "No such file or directory"
status=0
"$lp" analyze "${policy[@]}" "${taps[@]}" > /dev/full 2> "$tmp/err" || status=$?
[ $status = 3 ] || { echo "a full disk: exit status $status"; failed=1; }
has err "No space left"
want 0 analyze --help
has out "usage: leakproof analyze"
for o in policy protected tunnel kind real role disable facts format json output out share junit-strict help; do
  has out "--$o"
done

# ---- taps, and the other two examples ----

cp "${home[0]}" "$tmp/uplink.pcap"
cp "${home[1]}" "$tmp/br-vpn.pcap"
want 1 analyze "${policy[@]}" "$tmp/uplink.pcap" "$tmp/br-vpn.pcap"
has out "leak: 1 of 2 packets"
# nothing but the bridge tells whose it is
want 4 analyze "${policy[@]}" "$tmp/uplink.pcap"
has out "could be of qbittorrent"
want 2 analyze "${policy[@]}" "${home[0]}"
has err "of which tap is it? Say TAP="
want 2 analyze "${policy[@]}" "uplnik=${home[0]}"
has err "no tap of the policy is called so, only uplink, br-vpn"
want 2 analyze --protected 192.168.1.10 "side=${home[0]}"
want 1 analyze --protected 192.168.1.10 --tunnel udp:198.51.100.2:51820 "uplink=${home[0]}"
has out "service the protected host (source-address, 100"
want 1 analyze --policy docs/policies/openvpn.yaml "uplink=$golden/tunnel-endpoint-cleartext+openvpn-dht.uplink.pcap"
has out "[tunnel-endpoint-cleartext]"
want 0 analyze --policy docs/policies/openvpn.yaml "uplink=$golden/tunnel-endpoint-cleartext-openvpn.uplink.pcap"
has out "pass: No packet left outside the tunnel"
want 0 analyze --protected 203.0.113.10 --tunnel udp:198.51.100.2:51820 \
  $golden/tunnel-endpoint-cleartext-wireguard.uplink.pcap
# another endpoint: the same packets leak
want 1 analyze --protected 203.0.113.10 --tunnel udp:198.51.100.3:51820 \
  $golden/tunnel-endpoint-cleartext-wireguard.uplink.pcap
want 1 analyze --protected 203.0.113.10 --tunnel udp:198.51.100.2:51820 --kind openvpn \
  $golden/tunnel-endpoint-cleartext-wireguard.uplink.pcap
want 4 analyze --protected 203.0.113.10 --tunnel udp:198.51.100.2:51820 --role bridge \
  $golden/tunnel-endpoint-cleartext-wireguard.uplink.pcap
has out "nothing was captured outside the host"
want 0 analyze --protected 203.0.113.10 --tunnel udp:198.51.100.2:51820 --disable plaintext-dns \
  $golden/tunnel-endpoint-cleartext-wireguard.uplink.pcap
has out "without the rule plaintext-dns"

# ---- standard input, gzip ----

short=(--protected 203.0.113.10 --tunnel udp:198.51.100.2:51820)
one=$golden/plaintext-dns+plain.uplink.pcap
want 1 analyze "${short[@]}" --json "$one"
cp "$tmp/out" "$tmp/first"
stdin=$one want 1 analyze "${short[@]}" --json -
has out '"file": "standard input"'
same <(findings "$tmp/first") <(findings "$tmp/out")
tail -c +1 "$one" | "$lp" analyze "${short[@]}" --json - > "$tmp/out" 2> "$tmp/err" || [ $? = 1 ] || failed=1
same <(findings "$tmp/first") <(findings "$tmp/out")
gzip -c "$one" > "$tmp/one.gz"
want 1 analyze "${short[@]}" --json "$tmp/one.gz"
same <(findings "$tmp/first") <(findings "$tmp/out")
has out "pcap, gzip"
gzip -c "$one" | "$lp" analyze "${short[@]}" --json - > "$tmp/out" 2> "$tmp/err" || [ $? = 1 ] || failed=1
same <(findings "$tmp/first") <(findings "$tmp/out")
head -c 100 "$tmp/one.gz" > "$tmp/cut.gz"
want 4 analyze "${short[@]}" "$tmp/cut.gz"
has out "ends early"
quiet=$golden/tunnel-endpoint-cleartext-wireguard.uplink.pcap
{ gzip -c "$quiet"; cat "$one"; } > "$tmp/behind.gz"
want 4 analyze "${short[@]}" "$tmp/behind.gz"
has out "behind.gz: bytes behind the compressed data were not read"
{ gzip -c "$quiet"; head -c 512 /dev/zero; } > "$tmp/padded.gz"
want 0 analyze "${short[@]}" "$tmp/padded.gz"
{ head -c -8 "$tmp/one.gz"; head -c 8 /dev/zero; } > "$tmp/damaged.gz"
want 1 analyze "${short[@]}" "$tmp/damaged.gz"
has out "not everything could be judged: $tmp/damaged.gz: cannot unpack: incorrect data check at byte "

# ---- bad input ----

want 2 analyze
has err "between 1 and 64 capture files are wanted"
want 2 analyze "$one"
has err "without --policy or --protected nothing says what a leak is"
want 2 analyze "${policy[@]}" --protected 203.0.113.10 "$one"
want 2 analyze --no-such-option "$one"
has err "leakproof analyze --help"
want 2 analyze "${short[@]}" --disable nothing "$one"
has err "no rule \`nothing\`"
want 2 analyze "${short[@]}" --disable plaintext-dns -d icmp-outside "$one"
has err "--disable: one rule only, and \`plaintext-dns\` is switched off already"
want 2 analyze "${short[@]}" --role side "$one"
want 2 analyze "${short[@]}" --kind ipsec "$one"
want 2 analyze --protected 203.0.113 "$one"
has err "--protected: \`203.0.113\` is no IPv4 or IPv6 address"
want 2 analyze --protected 203.0.113.10 --tunnel 198.51.100.2:51820 "$one"
has err "is not PROTO:ADDR:PORT, such as udp:198.51.100.2:51820"
want 2 analyze "${short[@]}" "$tmp/none.pcap"
has err "none.pcap: No such file or directory"
want 2 analyze "${short[@]}" "$tmp"
has err "a folder, no capture file"
: > "$tmp/empty.pcap"
want 2 analyze "${short[@]}" "$tmp/empty.pcap"
has err "empty"
echo "no capture at all, but more than four bytes" > "$tmp/text.pcap"
want 2 analyze "${short[@]}" "$tmp/text.pcap"
has err "neither pcap nor pcapng"
head -c 20 "$one" > "$tmp/head.pcap"
want 2 analyze "${short[@]}" "$tmp/head.pcap"
has err "cut inside the file header"
head -c 24 "$one" > "$tmp/nothing.pcap"
want 4 analyze "${short[@]}" "$tmp/nothing.pcap"
has out "no packet to judge"
if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then
  cp "$one" "$tmp/secret.pcap"
  chmod 600 "$tmp/secret.pcap"
  chmod 755 "$tmp"
  status=0
  setpriv --reuid=65534 --clear-groups -- "$lp" analyze "${short[@]}" "$tmp/secret.pcap" 2> "$tmp/err" || status=$?
  [ $status = 3 ] || { echo "a file of somebody else: exit status $status"; failed=1; }
  has err "secret.pcap: Permission denied"
fi
# cut inside the second record: what stood before counts
two=$golden/plaintext-dns+tcp-split.uplink.pcap
size=$(stat -c %s "$two")
head -c $((size - 5)) "$two" > "$tmp/cut.pcap"
want 1 analyze "${short[@]}" "$tmp/cut.pcap"
has out "Besides, not everything could be judged: $tmp/cut.pcap: capture file: cut inside a record"
quiet=$golden/tunnel-endpoint-cleartext-wireguard.uplink.pcap
size=$(stat -c %s "$quiet")
head -c $((size - 5)) "$quiet" > "$tmp/cut.pcap"
want 4 analyze "${short[@]}" "$tmp/cut.pcap"
has out "No leak was found, and that proves nothing: $tmp/cut.pcap: capture file: cut inside a record"
# one bad file of two: nothing is judged
want 2 analyze "${short[@]}" "$one" "$tmp/text.pcap"
silent out

# ---- bad policies: place, line, caret, nearest word, and nothing is judged ----

want 2 analyze --policy tests/bad-policies/unknown-key.yaml "$one"
has err "tests/bad-policies/unknown-key.yaml:2:1: error: unknown key \`tunels\` in a policy; did you mean \`tunnels\`?"
has err "    tunels:"
has err "    ^"
silent out
for f in tests/bad-policies/*.yaml tests/bad-policies/*.json; do
  want 2 analyze --policy "$f" "$one"
  has err "$f:"
  silent out
done
want 2 analyze --policy "$tmp/none.yaml" "$one"
has err "No such file"
want 2 analyze --policy "$tmp" "$one"
has err "Is a directory"

# ---- --facts ----

want 0 analyze --facts "$two"
[ "$(wc -l < "$tmp/out")" -ge 2 ] || { echo "too few facts"; failed=1; }
has out '"protocols":'
has out '"frame":1,'
silent err
want 0 analyze --facts --protected 203.0.113.10 "$two"
has err "--facts judges nothing"
want 2 analyze --facts "$tmp/text.pcap"
want 4 analyze --facts "$tmp/cut.pcap"
has out '"frame":1,'
has err "cut inside a record"

exit "$failed"
