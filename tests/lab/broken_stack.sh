#!/bin/bash
# SPDX-License-Identifier: MIT
# The gateway's firewall broken by hand in a copy of the stack: the run says `leak`, and names the service, the packet and
# the millisecond. Each of three defects alone, and together: what is still closed with one of them is not called a leak.
set -eu
cd "$(dirname "$0")/../.."
lp=$(realpath "${LEAKPROOF:-build/leakproof}")
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
for tool in tcpdump python3; do
	command -v $tool >/dev/null || { echo "needs $tool"; exit 77; }
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() { echo "FAILED: $*"; [ ! -f "$tmp/out" ] || tail -n 30 "$tmp/out"; exit 1; }

# The same scenarios for all: the tunnel's process dies; nothing happens at all.
mkdir "$tmp/scenarios"
cat >"$tmp/scenarios/killed.yaml" <<'YAML'
name: killed
summary: The tunnel's process dies while apps send.
timeline:
  - start: udp
  - start: udp
    label: udp-sonarr
    service: sonarr
  - wait: tunnel-traffic
    timeout: 30s
  - observe: 1s
  - fault: vpn.process-kill
  - observe: 3s
YAML
cat >"$tmp/scenarios/quiet.yaml" <<'YAML'
name: quiet
summary: Apps send and nothing is broken.
timeline:
  - start: udp
  - start: udp
    label: udp-sonarr
    service: sonarr
  - observe: 4s
YAML

run() { # defects, scenario: the exit status to $status, the result to $tmp/reports/latest
	local home=$tmp/home defect
	rm -rf "$home"
	mkdir "$home"
	cp -a stack scenarios "$home"
	for defect in $1; do
		case $defect in
		policy) echo 'iptables -P FORWARD ACCEPT' >>"$home/stack/gateway/post-rules.txt" ;;
		masquerade) echo 'iptables -t nat -A POSTROUTING -s 172.30.0.0/24 -o eth0 -j MASQUERADE' \
			>>"$home/stack/gateway/post-rules.txt" ;;
		route) sed -i 's/^exec /ip rule add from 172.30.0.0\/24 lookup main priority 50\nexec /' \
			"$home/stack/gateway/wrapper.sh" ;;
		esac
	done
	status=0
	LEAKPROOF_HOME=$home "$lp" run --scenarios "$tmp/scenarios" --reports "$tmp/reports" \
		--captures "$tmp/captures" "$2" >"$tmp/out" 2>&1 || status=$?
}

# The first finding of each service is in the capture, at that frame and nanosecond, with that source; and the summary on
# the terminal says it to the millisecond.
check_leak() { # source (a pattern)
	[ "$status" = 1 ] || fail "exit status $status, not 1"
	python3 - "$tmp/reports/latest/result.json" "$1" "$tmp/out" <<'PY' || fail "the leak is not named as it must be"
import datetime, fnmatch, json, os, re, subprocess, sys
result, source, out = json.load(open(sys.argv[1])), sys.argv[2], open(sys.argv[3]).read()
scenario = result["scenarios"][0]
assert result["verdict"] == scenario["verdict"] == "leak", scenario["verdict"]
where = os.path.dirname(os.path.realpath(sys.argv[1]))  # what the links of a result are relative to
apps = {"qbittorrent", "sonarr"}
services = {f["service"] for f in scenario["findings"]}
assert apps <= services, services
assert scenario["reason"].split()[0] in services, scenario["reason"]
for app in apps:
    f = next(f for f in scenario["findings"] if f["service"] == app and f["tap"] == "uplink")
    assert f["sentence"].startswith(app + " sent "), f["sentence"]
    assert f["attribution"] in ("nonce", "source-address"), f["attribution"]
    assert scenario["begin"] <= f["time"] <= scenario["end"]
    src, dst = re.match(r"(\S+):\d+ > (\S+):\d+ udp", f["packet"]).groups()
    assert fnmatch.fnmatch(src, source), f"{src} is not {source}"
    evidence = os.path.join(where, f["evidence"])
    capture = evidence.replace("/evidence/", "/")
    dump = subprocess.run(["tcpdump", "-r", capture, "-nn", "-tt", "-e", "--time-stamp-precision=nano"],
                          capture_output=True, text=True, check=True).stdout.splitlines()
    line = [l for l in dump if re.match(r"\d{9,}\.\d{9} ", l)][f["frame"] - 1]
    assert line.startswith(f"{f['time'] // 10**9}.{f['time'] % 10**9:09d} "), (line, f["time"])
    assert src in line and dst in line, line
    slice_ = subprocess.run(["tcpdump", "-r", evidence, "-nn", "-tt", "--time-stamp-precision=nano"],
                            capture_output=True, text=True, check=True).stdout
    assert line.split()[0] in slice_, "the slice lacks the packet"
first = scenario["findings"][0]
at = datetime.datetime.fromtimestamp(first["time"] // 10**9, datetime.timezone.utc)
stamp = at.strftime("%Y-%m-%dT%H:%M:%S") + f".{first['time'] % 10**9 // 10**6:03d}Z"
for words in (stamp, first["sentence"], first["packet"], f"frame {first['frame']}"):
    assert words in out, f"the terminal does not say {words!r}"
print("ok: leak:", stamp, first["sentence"], first["packet"])
PY
}

closed() { # what the verdict must be
	python3 - "$tmp/reports/latest/result.json" "$1" <<'PY' || fail "not as it must be: wanted $1"
import json, sys
s = json.load(open(sys.argv[1]))["scenarios"][0]
assert s["findings_total"] == 0 and s["verdict"] == sys.argv[2], (s["verdict"], s["reason"])
print("ok:", s["verdict"] + ":", s["reason"])
PY
}

echo "-- policy ACCEPT: forwarded untranslated as soon as the tunnel's device is gone"
run policy killed
check_leak '172.30.0.*'
echo "-- masquerade on the egress side: the policy still holds"
run masquerade killed
[ "$status" = 0 ] || fail "exit status $status, not 0"
closed pass
echo "-- default route away from the tunnel: closed, and nothing goes through the tunnel, so nothing is proven"
run route quiet
[ "$status" = 4 ] || fail "exit status $status, not 4"
closed inconclusive
echo "-- policy and masquerade: with the real address"
run "policy masquerade" killed
check_leak 203.0.113.10
echo "-- policy and route: at once, untranslated"
run "policy route" quiet
check_leak '172.30.0.*'
echo "-- all three: at once, with the real address"
run "policy masquerade route" quiet
check_leak 203.0.113.10
echo ok
