#!/bin/sh
# SPDX-License-Identifier: MIT
# Fails where shellcheck, cppcheck or clang-tidy has something to say. What they say depends on their version: the tree
# is clean under those of Debian 12; with others the check is skipped (77).
set -eu
cd "$(dirname "$0")/.."

wanted() { # tool version
  have=$("$1" --version 2>&1 | grep -oiE '(version:?|cppcheck) +[0-9][0-9.]*' | head -n 1) || true
  case $have in
    *" $2" | *" $2."*) ;;
    *)
      echo "$1 $2 wanted, this is: ${have:-none}"
      exit 77
      ;;
  esac
}
wanted shellcheck 0.9
wanted cppcheck 2.10
wanted clang-tidy 14

bad=0
git grep -lE '^#!/bin/(ba)?sh|^#!/usr/bin/env bash' | xargs shellcheck || bad=1
mkdir -p build/lint/cppcheck
git ls-files '*.c' | xargs cppcheck --quiet -j2 --cppcheck-build-dir=build/lint/cppcheck --std=c11 --error-exitcode=1 \
  --inline-suppr --suppressions-list=.cppcheck-suppressions --enable=warning,portability -Iharness || bad=1
make -s -k -O -j2 tidy || bad=1
exit $bad
