#!/bin/bash
# SPDX-License-Identifier: MIT
# docs/decoder-agreement.md is what the decoder says today about the captures in the folder that LEAKPROOF_CAPTURES names.
set -eu
cd "$(dirname "$0")/../.."
if [ -z "${LEAKPROOF_CAPTURES:-}" ]; then
  echo "LEAKPROOF_CAPTURES names no folder of captures"
  exit 77
fi
build/tools/decode_captures -a "$LEAKPROOF_CAPTURES" | diff docs/decoder-agreement.md -
