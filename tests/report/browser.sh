#!/bin/sh
# SPDX-License-Identifier: MIT
# Loads the report page in headless Chromium, without any network, and uses it: clicks, keys, phone, dark, no scripts.
# usage: tests/report/browser.sh [DIRECTORY for screenshots]
set -eu
cd "$(dirname "$0")/../.."
build=${B:-build}

command -v chromium > /dev/null 2>&1 || {
  echo "skipped: no chromium here"
  exit 77
}
[ -x "$build/unit/test_report" ] || {
  echo "$build/unit/test_report is not built"
  exit 1
}
new_net="unshare --net"
[ "$(id -u)" = 0 ] || new_net="unshare --user --map-root-user --net"
$new_net true 2> /dev/null || {
  echo "skipped: no network namespace can be made here, and the page is not loaded with a network at hand"
  exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$build/unit/test_report" --write "$dir"
mkdir "$dir/analysis"
"$build/unit/test_report" --write-analysis "$dir/analysis"
$new_net python3 tests/report/browser.py "$dir" ${1:+"$1"}
