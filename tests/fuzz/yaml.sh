#!/bin/sh
# SPDX-License-Identifier: MIT
# The fuzz targets of the YAML readers: scenarios and policies.
# usage: yaml.sh regress              the seeds once through both targets (gcc, sanitizers)
#        yaml.sh fuzz SECONDS [T...]  libFuzzer on each target (clang), one at a time; findings in build-fuzz/
set -eu
cd "$(dirname "$0")/../.."
all="scenario policy"
out=build-fuzz/yaml
mode=${1:-regress}
mkdir -p "$out"
flags="-std=c11 -D_GNU_SOURCE -g -O1 -Iharness -Itests"
src="harness/yaml/*.c harness/scenario/*.c harness/rule/*.c harness/packet/*.c harness/base/err.c harness/base/fs.c
  harness/base/clock.c"
libs="-lyaml -ljansson -lcrypto"

seeds() { # target
  case $1 in
    scenario) echo "scenarios tests/bad-scenarios" ;;
    policy) echo "docs/policies tests/golden tests/bad-policies" ;;
  esac
}

case $mode in
  regress)
    san="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
    for t in $all; do
      # shellcheck disable=SC2086
      gcc $flags $san -o "$out/one_$t" "tests/fuzz/fuzz_$t.c" tests/fuzz/onefile.c $src $libs
      printf '%s: ' "$t"
      # shellcheck disable=SC2046
      find $(seeds "$t") -name '*.yaml' -exec timeout 60 "$out/one_$t" {} + -o \
        -name '*.json' -exec timeout 60 "$out/one_$t" {} +
    done
    ;;
  fuzz)
    command -v clang > /dev/null || { echo "no clang"; exit 77; }
    seconds=${2:-60}
    [ $# -le 2 ] || { shift 2; all=$*; }
    for t in $all; do
      mkdir -p "$out/corpus/$t" "$out/seed/$t"
      # shellcheck disable=SC2046
      find $(seeds "$t") \( -name '*.yaml' -o -name '*.json' \) -exec cp {} "$out/seed/$t" \;
      # shellcheck disable=SC2086
      clang $flags -O2 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -o "$out/fuzz_$t" \
        "tests/fuzz/fuzz_$t.c" $src $libs
      echo "== $t for $seconds s"
      nice -n 19 "$out/fuzz_$t" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=8192 \
        -artifact_prefix="$out/finding-$t-" -print_final_stats=1 "$out/corpus/$t" "$out/seed/$t" \
        > "$out/$t.log" 2>&1 || { tail -n 30 "$out/$t.log"; exit 1; }
      grep -E 'number_of_executed_units|new_units_added' "$out/$t.log"
    done
    ;;
  *)
    sed -n 's/^# \{0,1\}//p' "$0" | sed -n '2,5p'
    exit 2
    ;;
esac
