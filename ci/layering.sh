#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the #include lines of harness/ against the layers of docs/architecture.md.
set -eu
cd "$(dirname "$0")/.."

# directory: the directories that it may include
allowed() {
  case $1 in
    base) echo "base" ;;
    packet | yaml | result) echo "base $1" ;;
    scenario) echo "base yaml scenario" ;;
    host | rule) echo "base packet yaml scenario result $1" ;;
    stack) echo "base packet yaml scenario result host stack" ;;
    capture) echo "base packet yaml scenario result host capture" ;;
    fault) echo "base packet yaml scenario result host stack capture rule fault" ;;
    probe) echo "base packet yaml scenario result host stack capture rule probe" ;;
    engine) echo "base packet yaml scenario result host stack capture rule fault probe engine report" ;;
    report) echo "base result report" ;;
    *) echo "?" ;;
  esac
}

bad=$(
  for dir in harness/*/; do
    layer=$(basename "$dir")
    may=$(allowed "$layer")
    if [ "$may" = "?" ]; then
      echo "$dir: no layer of that name; name it in ci/layering.sh and docs/architecture.md"
      continue
    fi
    grep -Hn '^#include "' "$dir"*.[ch] | while IFS= read -r line; do
      target=$(printf '%s\n' "$line" | sed 's/.*#include "\([^"/]*\)\/.*/\1/')
      case " $may " in
        *" $target "*) ;;
        *) echo "$line: $layer/ may include only: $may" ;;
      esac
    done
    case $layer in
      packet | rule)
        grep -HnE '\b(fopen|open|socket|popen|system|fork|printf)\(' "$dir"*.c || true
        ;;
    esac | grep -v 'fprintf\|snprintf' || true
  done
)
if [ -n "$bad" ]; then
  printf '%s\n' "$bad"
  exit 1
fi
echo "layering: ok"
