#!/bin/sh
# SPDX-License-Identifier: MIT
# Build the Debian tree that the virtual host and the other lab nodes run in: build-tree.sh OUT
# Everything happens in a mount and pid namespace of its own, so that nothing stays mounted or running
# however this ends; OUT appears by rename, only when the tree is whole.
set -eu

suite=trixie
packages="docker.io docker-cli docker-compose containerd runc iptables nftables iproute2 procps kmod
 dnsmasq-base opentracker nginx-light wireguard-tools wireguard-go openvpn aria2 mktorrent
 socat curl tcpdump skopeo docker-registry ca-certificates iputils-ping
 libpcap0.8t64 libcurl4t64 libyaml-0-2 libjansson4 libmnl0 libcap-ng0 libxml2 libssl3t64 zlib1g"

out=${1:?usage: build-tree.sh OUT}
case $out in /*) ;; *) out=$PWD/$out ;; esac

if [ "${LEAKPROOF_TREE_INNER:-}" != 1 ]; then
	[ "$(id -u)" = 0 ] || { echo "build-tree.sh: needs root" >&2; exit 3; }
	command -v debootstrap >/dev/null || {
		echo "build-tree.sh: debootstrap is missing: apt-get install debootstrap" >&2
		exit 3
	}
	[ ! -d "$out" ] || exit 0
	mkdir -p "$(dirname "$out")"
	exec 9>"$out.lock"
	flock 9
	[ ! -d "$out" ] || exit 0
	tmp=$out.building
	# Left over from a build that was killed; its mounts ended with its namespace.
	rm -rf --one-file-system "$tmp"
	status=0
	# When this script is killed, unshare is too, and with it everything inside.
	LEAKPROOF_TREE_INNER=1 setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child \
		--mount-proc sh "$0" "$tmp" || status=$?
	if [ "$status" = 0 ]; then
		mv -T "$tmp" "$out"
		rm -f "$out.lock"
	else
		rm -rf --one-file-system "$tmp"
		echo "build-tree.sh: the tree could not be built (exit status $status)" >&2
	fi
	exit "$status"
fi

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
debootstrap --variant=minbase --include=ca-certificates "$suite" "$out"

cat >"$out/etc/dpkg/dpkg.cfg.d/leakproof" <<'CFG'
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
CFG
# No service is started by a package's own script.
printf '#!/bin/sh\nexit 101\n' >"$out/usr/sbin/policy-rc.d"
chmod 755 "$out/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$out/etc/resolv.conf"
mount -t proc proc "$out/proc"
chroot "$out" apt-get -q update
# The package of libnet has the number of its interface in its name.
for libnet in libnet1 libnet9; do
	if chroot "$out" apt-cache show "$libnet" >/dev/null 2>&1; then
		packages="$packages $libnet"
	fi
done
# The packages are words of a list on purpose.
# shellcheck disable=SC2086
chroot "$out" apt-get -q install -y --no-install-recommends $packages
chroot "$out" apt-get clean
umount "$out/proc"

rm -rf "$out/usr/share/doc" "$out/usr/share/man" "$out/usr/share/info" "$out/usr/share/locale" \
	"$out/var/lib/apt/lists" "$out/var/cache/apt" "$out/var/log" "$out/usr/sbin/policy-rc.d"
mkdir -p "$out/usr/share/man" "$out/var/lib/apt/lists/partial" "$out/var/cache/apt/archives/partial" \
	"$out/var/log"
rm -f "$out/etc/resolv.conf" "$out/etc/machine-id"
: >"$out/etc/resolv.conf"
: >"$out/etc/machine-id"
