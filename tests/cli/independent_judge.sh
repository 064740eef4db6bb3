#!/bin/bash
# SPDX-License-Identifier: MIT
# tshark's own dissection agrees with the facts of every golden capture. Skipped without tshark.
set -eu
cd "$(dirname "$0")/../.."
lp=${LEAKPROOF:-build/leakproof}
for tool in tshark python3; do
  command -v "$tool" > /dev/null || {
    echo "$tool is not installed"
    exit 77
  }
done
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
python3 tests/cli/independent_judge.py "$lp" tests/golden/*.pcap

# The judge itself: facts that are wrong in one place must be caught, each time with frame and both values.
lie() { # what, statement of Python that spoils the facts f, capture
  cat > "$tmp/liar" << END
#!/usr/bin/env python3
import json, subprocess, sys
for line in subprocess.run(['$(realpath "$lp")'] + sys.argv[1:], capture_output=True).stdout.splitlines():
    f = json.loads(line)
    $2
    print(json.dumps(f))
END
  chmod +x "$tmp/liar"
  if python3 tests/cli/independent_judge.py "$tmp/liar" "tests/golden/$3" > "$tmp/out"; then
    echo "a wrong $1 was not noticed"
    exit 1
  fi
  grep -q 'frame [0-9]*: .*leakproof says .*, tshark ' "$tmp/out" || {
    cat "$tmp/out"
    exit 1
  }
}
lie address "f['layers'][0]['dst'] = '198.51.100.1'" plaintext-dns+plain.uplink.pcap
lie name "f['dns']['qname'] = 'other.example'" plaintext-dns+plain.uplink.pcap
lie "lack of a protocol" "f['protocols'].remove('dns')" plaintext-dns+plain.uplink.pcap
lie protocol "f['protocols'].append('wireguard')" plaintext-dns+plain.uplink.pcap
lie "server name" "f.get('tls', {})['sni'] = 'other.example'" server-name-outside+plain.uplink.pcap
lie time "f['time'] = '0.000000000'" dht-outside+plain.uplink.pcap
echo "wrong facts are noticed"
