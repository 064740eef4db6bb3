#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs every test, one line each, and closes with "N passed, N failed, N skipped".
# A test is a program: exit 0 passed, 77 skipped (its last line says why), anything else failed.
# usage: tests/run.sh [unit|static|mutants|fuzz|lab]...   (default: all)
set -u
cd "$(dirname "$0")/.." || exit 2
logs=build/test-logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0

report() { # verdict name seconds log
  printf '%-7s %-44s %5ss\n' "$1" "$2" "$3"
  case $1 in
    passed) passed=$((passed + 1)) ;;
    skipped)
      skipped=$((skipped + 1))
      sed 's/^/          /' <(tail -n 1 "$4")
      ;;
    FAILED)
      failed=$((failed + 1))
      sed 's/^/          /' <(tail -n 40 "$4")
      ;;
  esac
}

run_test() { # name timeout command...
  local name=$1 limit=$2 log begin status
  shift 2
  log=$logs/${name//\//-}.log
  begin=$SECONDS
  timeout --kill-after=20 "$limit" "$@" > "$log" 2>&1 < /dev/null
  status=$?
  case $status in
    0) report passed "$name" $((SECONDS - begin)) "$log" ;;
    77) report skipped "$name" $((SECONDS - begin)) "$log" ;;
    *)
      echo "exit status $status" >> "$log"
      report FAILED "$name" $((SECONDS - begin)) "$log"
      ;;
  esac
}

group_unit() {
  local t
  for t in build/unit/test_*; do
    [ -x "$t" ] && [ "${t%.d}" = "$t" ] && run_test "unit/${t##*/}" 120 "$t"
  done
  for t in build-asan/unit/test_*; do
    [ -x "$t" ] && [ "${t%.d}" = "$t" ] && run_test "asan/${t##*/}" 300 "$t"
  done
}

group_static() {
  run_test static/layering 60 sh ci/layering.sh
  run_test static/format 120 sh ci/format-check.sh
  run_test static/lint 1800 sh ci/lint.sh
  run_test static/clang 600 make -s B=build-clang CC=clang -j2
}

# A steady sample of all mutants (docs/mutation.md): a test notices each of them.
group_mutants() {
  run_test mutants/sample 1800 tests/mutants.py --sample "${LEAKPROOF_MUTANTS:-40}"
  sed 's/^/          /' <(grep -E '^(rules|policy|decoder|a sample)' "$logs/mutants-sample.log")
}

# Seeds and kept findings once with gcc's sanitizers, then libFuzzer on every target.
group_fuzz() {
  run_test fuzz/regress 600 tests/fuzz/run.sh regress
  run_test fuzz/search 3600 tests/fuzz/run.sh fuzz "${LEAKPROOF_FUZZ_SECONDS:-60}"
}

group_lab() {
  local t
  for t in tests/cli/*.sh tests/report/*.sh tests/lab/*.sh; do
    [ -x "$t" ] && run_test "${t#tests/}" 900 "$t"
  done
}

for g in "${@:-unit}"; do
  [ $# -gt 0 ] || { group_static; group_unit; group_mutants; group_fuzz; group_lab; break; }
  "group_$g"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
