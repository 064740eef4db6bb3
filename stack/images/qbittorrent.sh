#!/bin/sh
# SPDX-License-Identifier: MIT
# Start qBittorrent as linuxserver's image does: its data below /config/qBittorrent, what is in /custom-cont-init.d run
# first, the program under the user and group of PUID and PGID.
set -eu
uid=${PUID:-911}
gid=${PGID:-911}
export HOME=/config XDG_CONFIG_HOME=/config XDG_DATA_HOME=/config
mkdir -p /config/qBittorrent /downloads
for script in /custom-cont-init.d/*; do
	[ ! -f "$script" ] || sh "$script"
done
chown -R "$uid:$gid" /config
chown "$uid:$gid" /downloads
exec setpriv --reuid "$uid" --regid "$gid" --clear-groups qbittorrent-nox --webui-port="${WEBUI_PORT:-8080}" \
	--torrenting-port="${TORRENTING_PORT:-6881}" "$@"
