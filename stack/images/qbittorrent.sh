#!/bin/sh
# SPDX-License-Identifier: MIT
# Start qBittorrent with its data below /config; settings that are there already are kept.
set -eu
exec qbittorrent-nox --profile=/config --webui-port="${WEBUI_PORT:-8080}" "$@"
