#!/bin/sh
# SPDX-License-Identifier: MIT
# Make the project's own images from Debian's packages and the stand-in programs, without a Docker daemon:
#   build.sh            build into the cache if it is not there yet, print the archive's path
#   build.sh --path     only print where the archive is or would be
# The result is one docker-archive (`docker load -i images.tar`) in which all images share one base layer.
# It is keyed by this script and the sources of the stand-ins; the base layer by the list of packages alone.
set -eu

suite=trixie
packages="qbittorrent-nox nginx-light iptables iproute2 wireguard-go wireguard-tools openvpn dnsmasq-base
 publicsuffix curl iputils-ping iputils-arping ca-certificates"
# Another way of making the base layer needs another number here.
base_version=1

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
standin=$here/../standin
cache=${LEAKPROOF_CACHE:-/var/cache/leakproof}
case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
*)
	echo "build.sh: images are made for amd64 and arm64, not for $(uname -m)" >&2
	exit 3
	;;
esac

key() {
	sha256sum | cut -c1-12
}

base_key=$(echo "$base_version $suite $arch $packages" | key)
images_key=$(cat "$here/build.sh" "$here"/*.json.in "$here"/qbittorrent.sh "$standin"/*.[ch] | key)
base=$cache/image-base-$base_key
out=$cache/images-$images_key

case ${1:-} in
'') ;;
--path)
	echo "$out/images.tar"
	exit 0
	;;
--inside | --locked) ;;
*)
	echo "usage: build.sh [--path]" >&2
	exit 2
	;;
esac

# ---- the base layer ----

if [ "${1:-}" = --inside ]; then
	tree=$2
	export DEBIAN_FRONTEND=noninteractive LC_ALL=C
	debootstrap --variant=minbase --include=ca-certificates "$suite" "$tree"
	printf 'path-exclude=/usr/share/%s/*\n' doc man info locale \
		>"$tree/etc/dpkg/dpkg.cfg.d/leakproof"
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
	umount "$tree/proc"
	cd "$tree"
	rm -rf usr/share/doc usr/share/man usr/share/info usr/share/locale var/lib/apt/lists \
		var/cache var/log var/lib/dpkg/info var/lib/systemd usr/sbin/policy-rc.d etc/machine-id \
		etc/ld.so.cache~ etc/nginx/sites-enabled/default usr/share/zoneinfo/right
	mkdir -p var/cache var/log/nginx var/lib/apt/lists/partial var/lib/dpkg/info
	rm -rf dev run tmp
	mkdir -p dev run tmp
	chmod 1777 tmp
	: >etc/resolv.conf
	exit 0
fi

if [ -f "$out/images.tar" ]; then
	echo "$out/images.tar"
	exit 0
fi
[ "$(id -u)" = 0 ] || {
	echo "build.sh: needs root" >&2
	exit 3
}
for tool in debootstrap gcc tar; do
	command -v "$tool" >/dev/null || {
		echo "build.sh: $tool is missing: sh ci/setup.sh" >&2
		exit 3
	}
done
# All that follows in a mount and pid namespace of its own: when this script is killed, unshare is too, and with it
# everything inside. The lock is held until the last of them has ended.
if [ "${1:-}" != --locked ]; then
	mkdir -p "$cache"
	exec 9>"$cache/images.lock"
	flock 9
	# Somebody else may have made it while this one waited.
	if [ -f "$out/images.tar" ]; then
		echo "$out/images.tar"
		exit 0
	fi
	status=0
	setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
		sh "$here/build.sh" --locked || status=$?
	exit "$status"
fi

layer_tar() {
	tar --sort=name --mtime=@0 --numeric-owner --owner=0 --group=0 --one-file-system \
		--format=gnu -C "$1" -cf "$2" .
}

build_base() {
	tmp=$base.building
	# Left over from a build that was killed; its mounts ended with its namespace.
	rm -rf --one-file-system "$tmp"
	mkdir -p "$tmp"
	sh "$here/build.sh" --inside "$tmp/tree" >"$tmp/log" 2>&1 || {
		tail -n 20 "$tmp/log" >&2
		echo "build.sh: the base layer could not be made; the whole log is $tmp/log" >&2
		exit 3
	}
	tar --sort=name --mtime=@0 --numeric-owner --one-file-system --format=gnu \
		-C "$tmp/tree" -cf "$tmp/layer.tar" .
	rm -rf --one-file-system "$tmp/tree"
	sha256sum "$tmp/layer.tar" | cut -d' ' -f1 >"$tmp/sha256"
	mv -T "$tmp" "$base"
}

[ -f "$base/layer.tar" ] || build_base

# ---- the thin layers ----

work=$out.building
rm -rf --one-file-system "$work"
mkdir -p "$work/files"

compile() { # program, its sources
	program=$1
	shift
	gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -O2 -s -static -o "$program" "$@" 2>"$work/gcc.log" || {
		cat "$work/gcc.log" >&2
		exit 3
	}
}

prepare() {
	root=$work/$1
	mkdir -p "$root"
	case $1 in
	gateway)
		compile "$root/gluetun-entrypoint" "$standin/gateway.c" "$standin"/gw_*.c
		mkdir -p "$root/gluetun/auth" "$root/iptables"
		;;
	service) compile "$root/service" "$standin/service.c" ;;
	qbittorrent)
		mkdir -p "$root/config" "$root/downloads"
		install -m 755 "$here/qbittorrent.sh" "$root/entrypoint.sh"
		;;
	nginx) mkdir -p "$root/etc/nginx/conf.d" ;;
	esac
}

manifest=
for name in gateway service qbittorrent nginx; do
	prepare "$name"
	layer_tar "$work/$name" "$work/files/$name.tar"
	rm -rf --one-file-system "${work:?}/$name"
	digest=$(sha256sum "$work/files/$name.tar" | cut -d' ' -f1)
	sed -e "s/@ARCH@/$arch/" -e "s/@BASE@/$(cat "$base/sha256")/" -e "s/@LAYER@/$digest/" \
		"$here/$name.json.in" >"$work/files/$name.json"
	tag=$(sha256sum "$work/files/$name.json" | cut -c1-12)
	entry=$(printf '{"Config":"%s.json","RepoTags":["leakproof/%s:local","leakproof/%s:%s"],%s}' \
		"$name" "$name" "$name" "$tag" "\"Layers\":[\"base.tar\",\"$name.tar\"]")
	manifest=$manifest${manifest:+,}$entry
	echo "leakproof/$name:$tag sha256:$(sha256sum "$work/files/$name.json" | cut -d' ' -f1)" \
		>>"$work/list"
done
printf '[%s]\n' "$manifest" >"$work/files/manifest.json"
ln "$base/layer.tar" "$work/files/base.tar"
tar --sort=name --mtime=@0 --numeric-owner --owner=0 --group=0 --format=gnu \
	-C "$work/files" -cf "$work/images.tar" manifest.json base.tar gateway.json gateway.tar \
	service.json service.tar qbittorrent.json qbittorrent.tar nginx.json nginx.tar
rm -rf --one-file-system "$work/files" "$work/gcc.log"
mv -T "$work" "$out"
echo "$out/images.tar"
