#!/bin/bash
# SPDX-License-Identifier: MIT
# Sourced by the tests of the command line: run a command, look at its exit status and its streams.
# Gives: want, has, lacks, silent, same, $lp, $tmp; the test ends with `exit "$failed"`.
# shellcheck disable=SC2034 # used there
lp=${LEAKPROOF:-build/leakproof}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# want STATUS COMMAND...: output in $tmp/out, errors in $tmp/err
want() {
  local status=0 expected=$1
  shift
  "$lp" "$@" > "$tmp/out" 2> "$tmp/err" < "${stdin:-/dev/null}" || status=$?
  if [ "$status" != "$expected" ]; then
    echo "leakproof $*: exit status $status, not $expected"
    cat "$tmp/out" "$tmp/err"
    failed=1
  fi
}

# has FILE TEXT, lacks FILE TEXT: below $tmp
has() {
  grep -qF -- "$2" "$tmp/$1" || {
    echo "no \"$2\" in $1:"
    cat "$tmp/$1"
    failed=1
  }
}

lacks() {
  ! grep -qF -- "$2" "$tmp/$1" || {
    echo "\"$2\" in $1:"
    grep -F -- "$2" "$tmp/$1"
    failed=1
  }
}

# silent FILE: below $tmp
silent() {
  [ ! -s "$tmp/$1" ] || {
    echo "$1 is not empty:"
    cat "$tmp/$1"
    failed=1
  }
}

# same FILE FILE
same() {
  cmp "$1" "$2" || failed=1
}
