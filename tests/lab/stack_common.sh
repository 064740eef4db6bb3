#!/bin/bash
# SPDX-License-Identifier: MIT
# Sourced by the stack's lab tests: a lab with our own images in its engine, and the settings of its VPN.
# Gives: lab NODE COMMAND..., compose ARGS..., fail TEXT, same WHAT GOT WANTED, $tmp (visible inside as /t).
# $lab_binds, set before, are more options for `lab up`.
set -eu
cd "$(dirname "$0")/../.."
lp=${LEAKPROOF:-build/leakproof}
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
id=st$((RANDOM % 10000))
tmp=$(mktemp -d)
trap '"$lp" lab down --id "$id" >/dev/null 2>&1 || :; rm -rf "$tmp"' EXIT

fail() { echo "FAILED: $*"; exit 1; }
same() {
	[ "$2" = "$3" ] || fail "$1: got '$2', wanted '$3'"
	echo "ok: $1"
}
lab() { "$lp" lab shell --id "$id" "$@"; }
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): d=d[k]
print(d)' "$tmp/lab.json" "$1"; }
compose() { lab host docker compose -p leakproof --env-file /t/env "$@" </dev/null; }

[ -n "${lab_binds+set}" ] || lab_binds=()
images=$(sh stack/images/build.sh)
"$lp" lab up --id "$id" --bind "$PWD/stack:/stack" --bind "$(dirname "$images"):/images" \
	--bind "$tmp:/t" "${lab_binds[@]}" --json >"$tmp/lab.json"
lab host docker load -q -i /images/images.tar >/dev/null
cp "$(field vpn.client_key_file)" "$tmp/key"
cat >"$tmp/env" <<ENV
WIREGUARD_ENDPOINT_IP=$(field vpn.endpoint)
WIREGUARD_ENDPOINT_PORT=$(field vpn.port)
WIREGUARD_PUBLIC_KEY=$(field vpn.server_key)
WIREGUARD_ADDRESSES=$(field vpn.client_address)
WIREGUARD_PRIVATE_KEY_FILE=/t/key
VPN_DNS=198.51.100.130
DNS_UPSTREAM_PLAIN_ADDRESSES=198.51.100.130:53
HEALTH_TARGET_ADDRESSES=198.51.100.131:80
HEALTH_ICMP_TARGET_IPS=198.51.100.131
GLUETUN_IMAGE=leakproof/gateway:local
QBITTORRENT_IMAGE=leakproof/qbittorrent:local
NGINX_IMAGE=leakproof/nginx:local
ENV
for s in PROWLARR SONARR RADARR FLARESOLVERR PLEX; do
	echo "${s}_IMAGE=leakproof/service:local" >>"$tmp/env"
done
