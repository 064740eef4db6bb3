#!/bin/sh
# SPDX-License-Identifier: MIT
# The fuzz targets. Seeds are made of the frames of the unit tests, the golden captures, the scenarios; kept
# findings lie in tests/fuzz/corpus/<target>/.
# usage: run.sh regress               every seed and kept finding once through its target (needs `make asan`)
#        run.sh fuzz SECONDS [T...]   libFuzzer with the sanitizers, two targets at a time; what it finds is in
#                                     build-fuzz/findings/, and the exit status is 1
set -eu
cd "$(dirname "$0")/../.."
out=build-fuzz

seeds() { # build folder
  rm -rf "$out/seeds"
  mkdir -p "$out/seeds/scenario" "$out/seeds/policy"
  "$1/fuzz/seeds" "$out/seeds" tests/golden/*.pcap
  for f in scenarios/*.yaml tests/bad-scenarios/*.yaml; do
    cp "$f" "$out/seeds/scenario/$(basename "$f")"
  done
  cp docs/policies/*.yaml tests/golden/policy*.json tests/bad-policies/*.yaml tests/bad-policies/*.json \
    "$out/seeds/policy"
}

targets() {
  for f in tests/fuzz/fuzz_*.c; do basename "$f" .c | sed s/fuzz_//; done
}

found() { # target
  echo "$1: FOUND SOMETHING, $out/$1.log:"
  tail -n 30 "$out/$1.log"
  return 1
}

replay() { # target
  set -- "$1" "$out/seeds/$1"
  [ ! -d "tests/fuzz/corpus/$1" ] || set -- "$@" "tests/fuzz/corpus/$1"
  name=$1
  shift
  if find "$@" -type f -exec timeout 300 "build-asan/fuzz/$name" {} + > "$out/$name.log" 2>&1; then
    echo "$name: $(tail -n 1 "$out/$name.log")"
  else
    found "$name"
  fi
}

regress() {
  seeds build-asan
  targets | xargs -P 2 -I{} "$0" replay {} # two at a time, as below
}

one() { # seconds target
  mkdir -p "$out/corpus/$2" "$out/findings" "$out/seeds/$2"
  set -- "$1" "$2" "$out/corpus/$2" "$out/seeds/$2"
  [ ! -d "tests/fuzz/corpus/$2" ] || set -- "$@" "tests/fuzz/corpus/$2"
  seconds=$1 name=$2
  shift 2
  if "$out/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$out/findings/$name-" "$@" > "$out/$name.log" 2>&1; then
    echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$name.log") runs in $seconds s, nothing found"
  else
    found "$name"
  fi
}

build() { # folder sanitizers target
  make -s B="$1" CC=clang LTO= OPT="-O1 -g" FUZZ_MAIN=-fsanitize=fuzzer \
    SAN="-fsanitize=$2 -fno-sanitize-recover=undefined" "$3"
}

fuzz() {
  command -v clang > /dev/null || { echo "clang is not installed"; exit 77; }
  build "$out" fuzzer-no-link,address,undefined fuzz-bins
  # A judge's tables are large: AddressSanitizer would spend all time on their shadow. `regress` runs it with that.
  build "$out-judge" fuzzer-no-link,undefined "$out-judge/fuzz/judge"
  cp "$out-judge/fuzz/judge" "$out/fuzz/judge"
  seeds "$out"
  seconds=$1
  shift
  # Two at a time: a machine of CI has two cores.
  if [ $# -gt 0 ]; then printf '%s\n' "$@"; else targets; fi | xargs -P 2 -I{} "$0" one "$seconds" {}
}

case ${1:-} in
  regress) regress ;;
  one) one "$2" "$3" ;;
  replay) replay "$2" ;;
  fuzz)
    shift
    fuzz "${@:-60}"
    ;;
  *)
    sed -n 's/^# \{0,1\}//p' "$0" | sed -n '4,8p'
    exit 2
    ;;
esac
