#!/bin/bash
# SPDX-License-Identifier: MIT
# What is wrong with the command line or a scenario of `leakproof run` and `leakproof lab` is said at once, with exit status
# 2, before anything is begun: no report, no lab, no file. Needs no root.
# shellcheck disable=SC2016 # backquotes are words of messages here
set -eu
cd "$(dirname "$0")/../.."
lp=$(realpath "${LEAKPROOF:-build/leakproof}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

want() { # status words arguments...
	local status=0 expected=$1 words=$2
	shift 2
	"$lp" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	if [ "$status" != "$expected" ] || ! grep -qF -e "$words" "$tmp/err"; then
		echo "leakproof $*: exit status $status, not $expected, or no \"$words\" in:"
		cat "$tmp/out" "$tmp/err"
		failed=1
	fi
	if [ -e "$tmp/reports" ] || [ -e "$tmp/captures" ]; then
		echo "leakproof $*: something was begun"
		failed=1
		rm -rf "$tmp/reports" "$tmp/captures"
	fi
}
run() { # status words arguments...
	local status=$1 words=$2
	shift 2
	want "$status" "$words" run --reports "$tmp/reports" --captures "$tmp/captures" "$@"
}

run 2 'unknown key `sevice` in udp; did you mean `service`?' --scenarios tests/bad-scenarios/unknown-step-key.yaml
run 2 'tests/bad-scenarios/wrong-type-list.yaml:' --scenarios tests/bad-scenarios/wrong-type-list.yaml
run 2 'tests/bad-scenarios/wrong-type-mapping.yaml:' --scenarios tests/bad-scenarios/wrong-type-mapping.yaml
run 2 'tests/bad-scenarios/not-yaml.yaml:' --scenarios tests/bad-scenarios/not-yaml.yaml
run 2 'No such file' --scenarios "$tmp/nothing.yaml"
mkdir "$tmp/empty"
run 2 'no scenario (*.yaml) in this directory' --scenarios "$tmp/empty"
run 2 'did you mean `steady-state`?' steady-stat
run 2 'no-such-option' --no-such-option
run 2 '--host moon: `lab` or `real` is wanted' --host moon steady-state
run 2 '--host real needs --tunnel' --host real steady-state
run 2 '--tunnel udp:1.2.3.4 is for --host real' --tunnel udp:1.2.3.4 steady-state
run 2 '--file x.yml is for --host real' --file x.yml steady-state
for bad in udp:198.51.100.2 udp::51820 icmp:198.51.100.2:1 udp:vpn.example:51820 udp:198.51.100.2:0 udp:198.51.100.2:65536 \
	udp:198.51.100.2:5x 51820 ''; do
	run 2 'PROTO:ADDRESS:PORT is wanted' --host real --tunnel "$bad" steady-state
done
for bad in sink.example 198.51.100.1: 198.51.100.1:0 198.51.100.1:x '[2001:db8::1]' '[2001:db8::1:7' ''; do
	run 2 "--sink $bad: ADDRESS or ADDRESS:PORT is wanted" --sink "$bad" steady-state
done
run 2 '--exit-address vpn: a numeric address is wanted' --exit-address vpn steady-state
run 2 '--public-dns dns: a numeric address is wanted' --public-dns dns steady-state
run 2 '--real-address home: a numeric address is wanted' --real-address home steady-state
run 2 '--torrent nothing.torrent: there is no such file' --torrent nothing.torrent steady-state
files=()
for n in 1 2 3 4 5 6 7 8 9; do files+=(--file "$n.yml"); done
run 2 'at most 8 times --file' --host real --tunnel udp:198.51.100.2:1 "${files[@]}"
want 2 'is no lab id' lab up --id No-Such
want 2 '--bind relative: absolute paths are wanted' lab up --bind relative
want 2 'is none of up, down, status, shell' lab sideways
exit $failed
