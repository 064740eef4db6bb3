#!/bin/sh
# SPDX-License-Identifier: MIT
# First settings of qBittorrent, run as root by the image before the program starts (linuxserver's images do so with
# what is in /custom-cont-init.d; ours does it, too). A setting that is there already is kept.
set -eu

conf=/config/qBittorrent/qBittorrent.conf
new=$conf.new

# setting SECTION KEY VALUE
setting() {
	section=$1 key=$2 value=$3 awk '
	BEGIN {
		head = "[" ENVIRON["section"] "]"
		name = ENVIRON["key"] "="
	}
	{
		line[NR] = $0
		if ($0 == head) { at = NR; inside = 1 }
		else if (substr($0, 1, 1) == "[") inside = 0
		else if (inside && index($0, name) == 1) found = 1
	}
	END {
		for (i = 1; i <= NR; i++) {
			print line[i]
			if (i == at && !found) print name ENVIRON["value"]
		}
		if (!at && !found) { print head; print name ENVIRON["value"] }
	}' "$conf" >"$new"
	cat "$new" >"$conf" # the same file: its owner stays
	rm "$new"
}

owner=${PUID:-1000}:${PGID:-1000}
# A volume that is new belongs to root.
chown "$owner" /downloads
mkdir -p "${conf%/*}"
if [ ! -f "$conf" ]; then
	: >"$conf"
	chown -R "$owner" "${conf%/*}"
fi
setting LegalNotice Accepted true
setting BitTorrent 'Session\DefaultSavePath' /downloads
setting BitTorrent 'Session\Port' 6881
# A search for peers in the local network shows everybody there what is downloaded.
setting BitTorrent 'Session\LSDEnabled' false
setting BitTorrent 'Session\AnonymousModeEnabled' false
setting Preferences 'WebUI\Address' '*'
# Only from inside its own container; everybody else needs the password.
setting Preferences 'WebUI\LocalHostAuth' false
# The web-ui hands the name on under which it was called.
setting Preferences 'WebUI\HostHeaderValidation' false
setting Preferences 'WebUI\UseUPnP' false
