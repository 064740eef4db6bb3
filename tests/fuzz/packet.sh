#!/bin/sh
# SPDX-License-Identifier: MIT
# The fuzz targets of packet/.
# usage: packet.sh regress              seeds and kept findings once through every target (gcc, sanitizers)
#        packet.sh fuzz SECONDS [T...]  libFuzzer on each target (clang), one at a time; findings in build-fuzz/
set -eu
cd "$(dirname "$0")/../.."
all="decode stream dns bt web quic local file identity"
out=build-fuzz
mode=${1:-regress}
mkdir -p "$out"
flags="-std=c11 -D_GNU_SOURCE -g -O1 -Iharness -Itests -Itests/fuzz"
src="harness/packet/*.c harness/base/err.c"
libs="-ljansson -lcrypto"

seeds() {
  # shellcheck disable=SC2086
  gcc $flags -o "$out/seeds" tests/fuzz/seeds.c harness/packet/addr.c harness/packet/decode*.c \
    harness/packet/flow.c harness/packet/bencode.c $libs
  "$out/seeds" "$out/seed"
}

case $mode in
  regress)
    command -v gcc > /dev/null || { echo "no gcc"; exit 77; }
    seeds
    san="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
    objs=$out/regress.a
    rm -rf "$out/obj" && mkdir -p "$out/obj"
    for s in $src tests/fuzz/onefile.c; do
      # shellcheck disable=SC2086
      gcc $flags $san -c -o "$out/obj/$(basename "$s" .c).o" "$s"
    done
    rm -f "$objs" && ar rcs "$objs" "$out"/obj/*.o
    for t in $all; do
      # shellcheck disable=SC2086
      gcc $flags $san -o "$out/one_$t" "tests/fuzz/fuzz_$t.c" "$out/obj/onefile.o" "$objs" $libs
      kept=
      [ ! -d "tests/fuzz/corpus/$t" ] || kept=tests/fuzz/corpus/$t
      printf '%s: ' "$t"
      # shellcheck disable=SC2086
      find "$out/seed/$t" $kept -type f -exec timeout 60 "$out/one_$t" {} +
    done
    ;;
  fuzz)
    command -v clang > /dev/null || { echo "no clang"; exit 77; }
    seconds=${2:-60}
    [ $# -le 2 ] || { shift 2; all=$*; }
    seeds
    for t in $all; do
      mkdir -p "$out/corpus/$t"
      # shellcheck disable=SC2086
      clang $flags -O2 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -o "$out/fuzz_$t" \
        "tests/fuzz/fuzz_$t.c" $src $libs
      echo "== $t for $seconds s"
      nice -n 19 "$out/fuzz_$t" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 \
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
