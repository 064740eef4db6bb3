#!/bin/sh
# SPDX-License-Identifier: MIT
# make bench: the offline part, then the live part in a network namespace that ends with it (needs root).
# usage: run.sh [BUILD [OPTION of run.py]...]
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build}
[ $# -eq 0 ] || shift
command -v time > /dev/null || [ -x /usr/bin/time ] || { echo "time(1) is missing: apt-get install time" >&2; exit 3; }
for peer in ngrep tshark netsniff-ng; do
  command -v "$peer" > /dev/null || echo "without $peer, which is not installed (apt-get install $peer)" >&2
done
python3 tests/bench/run.py "$build" --only offline "$@"
if [ "$(id -u)" = 0 ] && command -v trafgen > /dev/null; then
  unshare --net python3 tests/bench/run.py "$build" --only live "$@"
else
  echo "the live part needs root and trafgen (package netsniff-ng): left out" >&2
fi
