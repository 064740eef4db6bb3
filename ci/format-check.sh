#!/bin/sh
# SPDX-License-Identifier: MIT
# Fails where a C file is not in the project's style. The style is what clang-format 14 makes of .clang-format;
# other versions lay out differently, so there the check is skipped (77).
set -eu
cd "$(dirname "$0")/.."
case $(clang-format --version) in
  *"version 14."*) git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror ;;
  *)
    echo "clang-format 14 wanted, this is: $(clang-format --version)"
    exit 77
    ;;
esac
