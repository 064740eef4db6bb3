#!/bin/bash
# SPDX-License-Identifier: MIT
# Changes the rules and the judge in one place at a time and expects a test to fail: a change that no test
# notices is a hole in the tests. Works on a copy; prints the survivors and the score.
# usage: tests/mutants.sh [--every N] [FILE...]   (default: all of harness/rule; N: every Nth mutant only)
set -u
cd "$(dirname "$0")/.." || exit 2
every=1
if [ "${1:-}" = --every ]; then
  every=$2
  shift 2
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/leakproof-mutants.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap "exit 130" INT TERM
tests="judge golden policy process catalogue"
mkdir -p "$work/tree/tests/unit"
cp -r harness docs "$work/tree/"
cp -r tests/golden "$work/tree/tests/"
for t in $tests; do cp "tests/unit/test_rule_$t.c" "$work/tree/tests/unit/"; done
cd "$work/tree" || exit 2
mkdir "$work/obj"

flags=(-std=c11 -D_GNU_SOURCE -O1 -w -Iharness -Itests)
link=(-ljansson -lcrypto -lz -lcmocka)

compile() { gcc "${flags[@]}" -c -o "$work/obj/${1//\//-}.o" "$1" > "$work/log" 2>&1; }

# Compile what changed, link, run. 0: every test passed (the mutant lives), 1: killed, 2: does not compile.
attempt() { # file
  local t
  compile "$1" || return 2
  for t in $tests; do
    gcc -o "$work/test" "$work/obj/test_$t.o" "$work"/obj/harness-*.o "${link[@]}" > "$work/log" 2>&1 || return 2
    timeout 60 "$work/test" > "$work/log" 2>&1 || return 1
  done
  return 0
}

# One mutant a line: FILE<tab>LINE<tab>sed expression for that line.
mutants() {
  local f
  for f in "$@"; do
    awk -v f="$f" '
      /^[[:space:]]*(\/\*|\*|\/\/|#)/ || !/^\t/ { next }
      { code = $0; gsub(/"([^"\\]|\\.)*"/, "\"\"", code); sub(/\/\*.*/, "", code) }
      code ~ / == /  { print f "\t" NR "\ts/ == / != /" }
      code ~ / != /  { print f "\t" NR "\ts/ != / == /" }
      code ~ / && /  { print f "\t" NR "\ts/ && / || /" }
      code ~ / \|\| /  { print f "\t" NR "\ts/ || / \\&\\& /" }
      code ~ / < / && code !~ /for \(/  { print f "\t" NR "\ts/ < / <= /" }
      code ~ / > / && code !~ /for \(/ { print f "\t" NR "\ts/ > / >= /" }
      code ~ / <= / { print f "\t" NR "\ts/ <= / < /" }
      code ~ / >= / { print f "\t" NR "\ts/ >= / > /" }
      code ~ /return true;/  { print f "\t" NR "\ts/return true;/return false;/" }
      code ~ /return false;/ { print f "\t" NR "\ts/return false;/return true;/" }
      code ~ /[^a-z_>.]!\(?[a-z_]/ { print f "\t" NR "\ts/!\\((*[a-z_]\\)/\\1/" }
    ' "$f"
  done
}

for f in harness/base/*.c harness/packet/*.c harness/rule/*.c; do
  compile "$f" || { cat "$work/log"; exit 2; }
done
for t in $tests; do
  gcc "${flags[@]}" -c -o "$work/obj/test_$t.o" "tests/unit/test_rule_$t.c" || exit 2
done
if ! attempt harness/rule/rule.c; then
  echo "the tests fail before anything is changed:"
  cat "$work/log"
  exit 2
fi
[ $# -gt 0 ] || set -- harness/rule/rule_*.c harness/rule/judge*.c harness/rule/policy.c
killed=0 lived=0 broken=0 n=0
while IFS=$'\t' read -r file line expression; do
  n=$((n + 1))
  [ $((n % every)) -eq 0 ] || continue
  cp -p "$file" "$work/original"
  sed -i "${line}${expression}" "$file"
  if cmp -s "$file" "$work/original"; then
    cp -p "$work/original" "$file"
    continue
  fi
  attempt "$file"
  case $? in
    0)
      lived=$((lived + 1))
      printf 'lives: %s:%s %s:%s\n' "$file" "$line" "$expression" "$(sed -n "${line}p" "$work/original" | tr -s '\t' ' ')"
      ;;
    1) killed=$((killed + 1)) ;;
    2) broken=$((broken + 1)) ;;
  esac
  cp -p "$work/original" "$file"
  compile "$file"
done < <(mutants "$@")
total=$((killed + lived))
echo "$total mutants, $killed killed, $lived live, $broken did not compile"
[ "$total" -gt 0 ] && [ "$lived" = 0 ]
