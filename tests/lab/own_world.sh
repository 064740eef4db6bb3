#!/bin/bash
# SPDX-License-Identifier: MIT
# Sourced by tests of what all runs on a machine share, the state in /run/leakproof and the cache: this one has both for
# itself, in a mount namespace of its own, so that a `leakproof clean` without an id takes nothing of anybody else.
# Gives: $lp, $tmp (on the disk of the cache), LEAKPROOF_CACHE (empty but for what have() puts there), fail, have WHAT...,
# wait_for SECONDS WHAT COMMAND..., state_of PID (the id of the lab that the process brought up).
# What is to be removed at the end besides: at_end is called when it is a function.
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
shared=${LEAKPROOF_SHARED_CACHE:-${LEAKPROOF_CACHE:-/var/cache/leakproof}}

if [ "${LEAKPROOF_OWN_WORLD:-}" = '' ]; then
	# On the disk of the shared cache: image stores are linked from there.
	world=$(mktemp -d "$shared.test.XXXXXX")
	# An empty directory would be removed by whoever ends a lab, and our mount with it.
	mkdir -p /run/leakproof
	: >"/run/leakproof/.test-$$"
	status=0
	LEAKPROOF_OWN_WORLD=$world LEAKPROOF_SHARED_CACHE=$shared LEAKPROOF_CACHE=$world/cache \
		unshare --mount --propagation private bash "$0" "$@" || status=$?
	rm -f "/run/leakproof/.test-$$"
	rmdir /run/leakproof 2>/dev/null || :
	rm -rf --one-file-system "$world"
	exit "$status"
fi

lp=$(realpath "${LEAKPROOF:-build/leakproof}")
# shellcheck disable=SC2034 # for who sources this
tmp=$LEAKPROOF_OWN_WORLD
mkdir "$LEAKPROOF_CACHE"
mount -t tmpfs -o mode=755 tmpfs /run/leakproof
ending() {
	[ "$(type -t at_end)" != function ] || at_end
	"$lp" clean --all >/dev/null 2>&1 || :
}
trap ending EXIT

last_log= # of what runs in the background: shown when it does not do what it must
fail() {
	echo "FAILED: $*"
	[ -z "$last_log" ] || [ ! -f "$last_log" ] || tail -n 20 "$last_log"
	exit 1
}

# Whole things of the shared cache, as far as they are there: tree, base (layer of the images), images, graph, seed.
have() {
	local what d
	for what in "$@"; do
		case $what in
		tree | seed) for d in "$shared/$what"-*; do [ ! -d "$d" ] || link "$d"; done ;;
		base) for d in "$shared"/image-base-*; do [ ! -d "$d" ] || link "$d"; done ;;
		images) for d in "$shared"/images-*; do [ ! -d "$d" ] || link "$d"; done ;;
		# Its files are linked into the labs, which works on one file system and from no symbolic link.
		graph) for d in "$shared"/graph-*; do [ ! -d "$d" ] || cp -al "$d" "$LEAKPROOF_CACHE/"; done ;;
		esac
	done
}
link() {
	case $1 in
	*.building | *.lock) ;;
	*) ln -s "$1" "$LEAKPROOF_CACHE/" ;;
	esac
}

wait_for() { # seconds what command...
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "$what"
		sleep 0.05
	done
}

state_of() { # pid
	local f
	for f in /run/leakproof/*/state.json; do
		[ -f "$f" ] || continue
		if grep -q "\"pid\": $1,\{0,1\}$" <(sed -n '/"owner"/,/}/p' "$f"); then
			basename "$(dirname "$f")"
			return 0
		fi
	done
	return 1
}

# What a run may leave on the machine: namespaces with a name, mounts, links, tables of the firewall, control groups,
# processes of labs and probes, state, and what the cache holds.
snapshot() {
	ip netns list
	cut -d' ' -f1-3 /proc/self/mounts | grep -v " $tmp/" # what the test itself mounts lies there
	ip -o link | sed 's/^\([0-9]*: [^:]*\).*/\1/'
	nft list tables 2>/dev/null || :
	local id
	for id in "$@"; do
		find /sys/fs/cgroup -type d -name "leakproof-$id" 2>/dev/null || :
		pgrep -a -f "^leakproof-lab-init $id " || :
	done
	ls -A /run/leakproof
	find "$LEAKPROOF_CACHE" -maxdepth 2 ! -path '*/labs' ! -name '*.lock' ! -path "$LEAKPROOF_CACHE" |
		grep -v "^$LEAKPROOF_CACHE/\(tree\|seed\|graph\|image\)[^/]*/" | sort
}

# A process and all below it, also across pid namespaces, each with its start time.
family() { # pid...
	local p
	for p in "$@"; do
		echo "$p $(stat_start "$p")"
		# shellcheck disable=SC2046 # a list of numbers
		family $(cat "/proc/$p/task/"*/children 2>/dev/null || :)
	done
}
stat_start() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
# Those of a family that still run; the dead whom the machine's init has not buried yet do not.
survivors() { # file with lines of family()
	local pid start
	while read -r pid start; do
		if [ -z "$start" ] || [ "$(stat_start "$pid")" != "$start" ]; then continue; fi
		ps -o pid=,stat=,args= -p "$pid" | awk '$2 !~ /^Z/'
	done <"$1"
}
