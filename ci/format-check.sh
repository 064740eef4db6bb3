#!/bin/sh
# SPDX-License-Identifier: MIT
# Fails where a C file is not in the project's style. The style is what clang-format 14 makes of .clang-format;
# other versions lay out differently, so there the check is skipped (77). The tables of
# bytes in tests/golden/ are laid out by hand.
set -eu
cd "$(dirname "$0")/.."
case $(clang-format --version) in
  *"version 14."*) git ls-files '*.c' '*.h' | grep -v '^tests/golden/' | xargs clang-format --dry-run -Werror ;;
  *)
    echo "clang-format 14 wanted, this is: $(clang-format --version)"
    exit 77
    ;;
esac
