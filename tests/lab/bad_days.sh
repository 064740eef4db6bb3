#!/bin/bash
# SPDX-License-Identifier: MIT
# Days on which a run cannot be what it should: no root, no capability, no tool, no room, an engine or an image that fails,
# an interface that goes, a port that is taken. Each time a sentence with the mend, the exit status that belongs to it,
# and a clean machine; never a pass.
# shellcheck source=tests/lab/own_world.sh
. "$(dirname "$0")/own_world.sh"
have tree seed images graph
chmod 755 "$tmp"
mkdir "$tmp/work"

scenario() { # name body
	printf 'name: %s\nsummary: %s.\ntimeline:\n%s\n' "$1" "$1" "$2" >"$tmp/$1.yaml"
}
scenario short '  - start: dns
  - wait: tunnel-traffic
    timeout: 60s
  - observe: 2s'
scenario long '  - start: dns
  - start: udp
  - wait: tunnel-traffic
    timeout: 60s
  - observe: 20s'
scenario two-parts '  - start: dns
  - wait: tunnel-traffic
    timeout: 60s
  - observe: 1s
  - observe: 15s'
scenario partition '  - start: dns
  - fault: net.partition
    between: [qbittorrent, gluetun]'

run() { # name arguments...: the exit status to $status, standard error to $tmp/err
	local name=$1
	shift
	status=0
	"$lp" run --scenarios "$tmp/$name.yaml" --reports "$tmp/reports" --captures "$tmp/captures" "$@" \
		>"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
}
last_log=$tmp/err
want() { # what status words
	[ "$status" = "$2" ] || fail "$1: exit status $status, not $2"
	grep -qF -e "$3" "$tmp/err" "$tmp/out" || fail "$1: it is not said that \"$3\""
	nothing_left "$1"
	echo "ok: $1: $(grep -hF -m 1 -e "$3" "$tmp/err" "$tmp/out" | sed 's/^ *//' | cut -c1-150)"
}
nothing_left() { # what
	snapshot bd >"$tmp/now"
	diff "$tmp/before" "$tmp/now" || fail "$1: something was left behind"
}
verdict() { # of the newest report
	python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(r["verdict"], *[s["verdict"] for s in r["scenarios"]])' \
		"$tmp/reports/latest/result.json"
}

# What is made once is made.
run short
[ "$status" = 0 ] || fail "a good day: exit status $status"
snapshot bd >"$tmp/before"

# ---- who we are ----
cp "$lp" "$tmp/leakproof"
as_nobody() { (cd "$tmp/work" && LEAKPROOF_HOME="$home" setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/leakproof" "$@"); }
home=$tmp/home
mkdir "$home"
cp -a stack scenarios "$home"
chmod -R a+rX "$home"
status=0
as_nobody run steady-state >"$tmp/out" 2>"$tmp/err" || status=$?
want "no root" 3 "start leakproof as root (sudo leakproof ...)"
status=0
as_nobody lab up >"$tmp/out" 2>"$tmp/err" || status=$?
want "lab up without root" 3 "needs root"
for cap in sys_admin net_admin net_raw sys_ptrace kill mknod sys_chroot; do
	status=0
	setpriv --bounding-set "-$cap" --inh-caps "-$cap" "$lp" run --scenarios "$tmp/short.yaml" --reports "$tmp/reports" \
		--captures "$tmp/captures" >"$tmp/out" 2>"$tmp/err" || status=$?
	want "without $cap" 3 "without $cap: inside a container: start it with --privileged"
done

# ---- programs ----
mkdir "$tmp/bin"
IFS=: read -ra dirs <<<"$PATH"
for d in "${dirs[@]}"; do
	for p in "$d"/*; do [ ! -x "$p" ] || [ -e "$tmp/bin/${p##*/}" ] || ln -s "$p" "$tmp/bin/"; done
done
without() { # program command...
	local program=$1
	shift
	mv "$tmp/bin/$program" "$tmp/away"
	status=0
	PATH=$tmp/bin "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	mv "$tmp/away" "$tmp/bin/$program"
}
short=("$lp" run --scenarios "$tmp/short.yaml" --reports "$tmp/reports" --captures "$tmp/captures")
for pair in ip:iproute2 unshare:util-linux setpriv:util-linux flock:util-linux sha256sum:coreutils; do
	without "${pair%:*}" "${short[@]}"
	want "without ${pair%:*}" 3 "not found in PATH: ${pair%:*}: apt-get install ${pair#*:}"
done
without nft "$lp" run --scenarios "$tmp/partition.yaml" --reports "$tmp/reports" --captures "$tmp/captures"
want "without nft" 3 "fault net.partition calls nft, which is not in PATH: apt-get install nftables"
mkdir "$tmp/cold"
LEAKPROOF_CACHE=$tmp/cold without debootstrap "${short[@]}"
want "without debootstrap, and nothing built" 3 "not found in PATH: debootstrap: apt-get install debootstrap"

# ---- no room, at the start ----
mkdir "$tmp/small"
mount -t tmpfs -o size=100m tmpfs "$tmp/small"
run short --captures "$tmp/small/captures"
want "no room for captures" 3 "make room, or give another directory with --captures"
dd if=/dev/zero of="$tmp/small/filler" bs=1M 2>/dev/null || :
run short --reports "$tmp/small/reports"
want "no room for reports" 3 "No space left on device"
rm -rf "$tmp/small/filler"
mkdir "$tmp/small/cache"
ln -s "$LEAKPROOF_CACHE"/tree-* "$LEAKPROOF_CACHE"/images-* "$tmp/small/cache/"
status=0
LEAKPROOF_CACHE=$tmp/small/cache "$lp" lab up --id bd --no-docker >"$tmp/out" 2>"$tmp/err" || status=$?
want "no room for the cache" 3 "No space left on device"
[ -z "$(find "$tmp/small/cache" -name '*.building')" ] || fail "no room for the cache: half a file is left"
umount "$tmp/small"

# ---- no room, in the middle ----
background() { # name arguments...: a run up to its `observe`, $victim
	local name=$1
	shift
	: >"$tmp/err"
	"$lp" run --scenarios "$tmp/$name.yaml" --reports "$tmp/reports" --captures "$tmp/captures" "$@" \
		>"$tmp/out" 2>"$tmp/err" </dev/null &
	victim=$!
	wait_for 120 "$name never came to its middle" grep -q 'observe' "$tmp/err"
}
finish() {
	status=0
	wait "$victim" || status=$?
}
mount -t tmpfs -o size=600m tmpfs "$tmp/small"
background long --captures "$tmp/small/captures"
dd if=/dev/zero of="$tmp/small/filler" bs=1M 2>/dev/null || :
finish
want "captures full in the middle" 4 "No space left on device"
[ "$(verdict)" = "inconclusive inconclusive" ] || fail "captures full in the middle: $(verdict)"
for f in "$tmp/small/captures/"*/long/*.pcap; do
	tcpdump -r "$f" -w /dev/null 2>"$tmp/dump" || fail "$f is damaged: $(cat "$tmp/dump")"
done
[ -s "$tmp/small/captures/$(basename "$(readlink -f "$tmp/reports/latest")")/long/uplink.pcap" ] || fail "the evidence is gone"
umount "$tmp/small"
mount -t tmpfs -o size=20m tmpfs "$tmp/small"
background two-parts --reports "$tmp/small/reports"
dd if=/dev/zero of="$tmp/small/filler" bs=4k 2>/dev/null || :
finish
want "reports full in the middle" 3 "make room, or give another directory with --reports"
rm "$tmp/small/filler"
status=0
"$lp" replay --reports "$tmp/small/reports" --captures "$tmp/captures" latest >"$tmp/out" 2>"$tmp/err" || status=$?
[ "$status" = 4 ] || fail "what was journalled until the disk was full is judged with $status, not 4"
umount "$tmp/small"

# ---- an engine that does not come up ----
mkdir "$tmp/noengine"
for d in "$LEAKPROOF_CACHE"/*; do [ -d "$d" ] && case $d in */tree-* | */labs) ;; *) ln -s "$(readlink -f "$d")" "$tmp/noengine/" ;; esac; done
tree=$(find -L "$LEAKPROOF_CACHE" -maxdepth 1 -name 'tree-*' -type d | head -n 1)
cp -al "$(readlink -f "$tree")" "$tmp/noengine/$(basename "$tree")"
rm "$tmp/noengine/$(basename "$tree")/usr/sbin/dockerd"
printf '#!/bin/sh\necho "no engine today" >&2\nexit 1\n' >"$tmp/noengine/$(basename "$tree")/usr/sbin/dockerd"
chmod 755 "$tmp/noengine/$(basename "$tree")/usr/sbin/dockerd"
status=0
LEAKPROOF_CACHE=$tmp/noengine "$lp" lab up --id bd >"$tmp/out" 2>"$tmp/err" || status=$?
want "an engine that does not come up" 3 "the lab's Docker Engine does not answer within 60 s: no engine today"
rm -rf --one-file-system "$tmp/noengine"

# ---- an image that cannot be built ----
mkdir "$tmp/noimage"
for d in "$shared"/tree-* "$shared"/seed-* "$shared"/image-base-*; do [ ! -d "$d" ] || ln -s "$d" "$tmp/noimage/"; done
mv "$tmp/bin/gcc" "$tmp/away"
printf '#!/bin/sh\necho "gcc: no compiler today" >&2\nexit 1\n' >"$tmp/bin/gcc"
chmod 755 "$tmp/bin/gcc"
status=0
LEAKPROOF_CACHE=$tmp/noimage PATH=$tmp/bin "${short[@]}" >"$tmp/out" 2>"$tmp/err" || status=$?
want "an image that cannot be built" 3 "the stack's own images could not be built: gcc: no compiler today"
[ -z "$(find "$tmp/noimage" -maxdepth 1 -name 'images-*' ! -name '*.building' ! -name '*.lock')" ] || fail "images that were never built"
LEAKPROOF_CACHE=$tmp/noimage "$lp" clean
[ -z "$(find "$tmp/noimage" -name '*.building')" ] || fail "clean left half an image"
rm "$tmp/bin/gcc"
mv "$tmp/away" "$tmp/bin/gcc"

# ---- a lab in which things happen ----
lab() { "$lp" lab shell --id bd "$@" </dev/null; }
fresh_lab() {
	"$lp" lab up --id bd --bind "$PWD" --bind "$LEAKPROOF_CACHE" >"$tmp/out" 2>"$tmp/err" || fail "no lab"
}
end_lab() {
	"$lp" lab down --id bd
}
in_lab() { # what status words: of the run that finish() waited for; the lab is still there
	[ "$status" = "$2" ] || fail "$1: exit status $status, not $2"
	grep -qF -e "$3" "$tmp/err" "$tmp/out" || fail "$1: it is not said that \"$3\""
	echo "ok: $1: $(grep -hF -m 1 -e "$3" "$tmp/err" "$tmp/out" | sed 's/^ *//' | cut -c1-150)"
}

fresh_lab
lab host sh -c 'socat tcp-listen:8080,fork,reuseaddr /dev/null & echo' >/dev/null
run short --lab bd
in_lab "a port that is taken" 3 "8080"
grep -qE 'already allocated|already in use' "$tmp/err" || fail "a port that is taken: not said"
grep -q 'another program has the port' "$tmp/err" || fail "a port that is taken: no mend"
[ -z "$(lab host docker ps -aq)" ] || fail "a port that is taken: containers are left"
lab host pkill socat

background long --lab bd
lab host ip link delete br-media0
finish
in_lab "a bridge that vanishes" 4 "interface br-media0 vanished, and nothing of the scenario took it down"

background long --lab bd
lab isp ip link delete cust0
finish
in_lab "an uplink that vanishes" 4 "tap uplink on eth0 is not complete: its interface vanished for a time"
[ "$(verdict)" = "inconclusive inconclusive" ] || fail "an uplink that vanishes: $(verdict)"
end_lab

# The engine dies under a run: what the harness cannot do is an error, and the rest of it is put away.
fresh_lab
background long --lab bd
# shellcheck disable=SC2016 # expanded inside
lab host sh -c 'touch /run/lab/hold-dockerd; kill -9 "$(cat /run/docker.pid)"'
finish
in_lab "an engine that dies" 3 "Docker"
[ "$(verdict)" = "error error" ] || fail "an engine that dies: $(verdict)"
end_lab
nothing_left "a lab in which things happened"
echo ok
