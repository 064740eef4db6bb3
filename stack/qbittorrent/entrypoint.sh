#!/bin/sh
# SPDX-License-Identifier: MIT
# Give qBittorrent its first settings, then start it. Settings that are there already are kept.
set -eu

conf=/config/qBittorrent/config/qBittorrent.conf
if [ ! -f "$conf" ]; then
	mkdir -p "${conf%/*}" /downloads
	cat >"$conf" <<'CONF'
[LegalNotice]
Accepted=true

[BitTorrent]
Session\DefaultSavePath=/downloads
Session\Port=6881
Session\LSDEnabled=false
Session\AnonymousModeEnabled=false

[Preferences]
WebUI\Address=*
WebUI\LocalHostAuth=false
WebUI\HostHeaderValidation=false
WebUI\UseUPnP=false
CONF
fi
exec qbittorrent-nox --profile=/config --webui-port="${WEBUI_PORT:-8080}"
