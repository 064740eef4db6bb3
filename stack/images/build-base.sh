#!/bin/sh
# SPDX-License-Identifier: MIT
# Build the Debian layer that all images of the stack stand on: build-base.sh OUT
# OUT gets layer.tar, layer.sha256 (of layer.tar) and versions (package and version, one a line).
# Everything happens in a mount and pid namespace of its own, so that nothing stays mounted or running
# however this ends; OUT appears by rename, only when it is whole.
set -eu

suite=trixie
packages="qbittorrent-nox nginx-light iptables iproute2 iputils-arping iputils-ping wireguard-go wireguard-tools
 openvpn dnsmasq-base publicsuffix curl ca-certificates netcat-openbsd"

out=${1:?usage: build-base.sh OUT}
case $out in /*) ;; *) out=$PWD/$out ;; esac

if [ "${LEAKPROOF_BASE_INNER:-}" != 1 ]; then
	[ "$(id -u)" = 0 ] || { echo "build-base.sh: needs root" >&2; exit 3; }
	command -v debootstrap >/dev/null || {
		echo "build-base.sh: debootstrap is missing: apt-get install debootstrap" >&2
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
	mkdir "$tmp"
	status=0
	LEAKPROOF_BASE_INNER=1 unshare --mount --propagation private --pid --fork --kill-child \
		--mount-proc sh "$0" "$tmp" || status=$?
	if [ "$status" = 0 ]; then
		mv -T "$tmp" "$out"
		rm -f "$out.lock"
	else
		rm -rf --one-file-system "$tmp"
		echo "build-base.sh: the layer could not be built (exit status $status)" >&2
	fi
	exit "$status"
fi

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
tree=$out/tree
debootstrap --variant=minbase --include=ca-certificates "$suite" "$tree"

cat >"$tree/etc/dpkg/dpkg.cfg.d/leakproof" <<'CFG'
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
CFG
# No service is started by a package's own script.
printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
chmod 755 "$tree/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$tree/etc/resolv.conf"
mount -t proc proc "$tree/proc"
chroot "$tree" apt-get -q update
# The packages are words of a list on purpose.
# shellcheck disable=SC2086
chroot "$tree" apt-get -q install -y --no-install-recommends $packages
chroot "$tree" apt-get clean
# dpkg-query's own variables, not the shell's.
# shellcheck disable=SC2016
chroot "$tree" dpkg-query -W -f '${Package} ${Version}\n' >"$out/versions"
umount "$tree/proc"

# What a container has no use for, or gets from its engine.
(
	cd "$tree"
	rm -rf usr/share/doc usr/share/man usr/share/info usr/share/locale usr/share/zoneinfo \
		usr/share/bash-completion usr/lib/udev/hwdb.d var/lib/apt/lists var/cache var/log \
		usr/sbin/policy-rc.d boot dev etc/resolv.conf etc/hostname
	mkdir -p dev var/cache var/log var/lib/apt/lists/partial
	: >etc/machine-id
)

tar --directory "$tree" --create --file "$out/layer.tar" --sort=name --numeric-owner --one-file-system \
	--format=posix --pax-option=delete=atime,delete=ctime .
sha256sum "$out/layer.tar" | cut -d ' ' -f 1 >"$out/layer.sha256"
rm -rf --one-file-system "$tree"
