#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing to build leakproof (`build`), to run it (`run`) and to test it (`test`); default: all.
# Works on Debian 12/13 and Ubuntu 22.04/24.04, says what it does, and does nothing the second time.
set -eu

build="gcc libc6-dev make pkg-config libpcap-dev libnet1-dev libcurl4-openssl-dev libyaml-dev libjansson-dev
  libmnl-dev libcap-ng-dev libxml2-dev libssl-dev zlib1g-dev uthash-dev libcmocka-dev"
run="debootstrap iproute2 iptables nftables procps util-linux ca-certificates tar xz-utils gpg
  debian-archive-keyring skopeo kmod"
test="clang clang-format clang-tidy cppcheck shellcheck valgrind tcpdump tshark libxml2-utils git
  python3 bash curl"

case ${1:-all} in
  build) want=$build ;;
  run) want="$build $run" ;;
  test | all) want="$build $run $test" ;;
  *)
    echo "usage: ci/setup.sh [build|run|test|all]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query > /dev/null 2>&1; then
  echo "ci/setup.sh knows Debian and Ubuntu only; install by hand: $want" >&2
  exit 3
fi

installed() {
  dpkg-query -W -f '${Status}' "$1" 2> /dev/null | grep -q '^install ok installed'
}

missing=
for p in $want; do
  installed "$p" || missing="$missing $p"
done

# The sanitizers of clang are a package of the compiler's version; the browser test needs Debian's browser
# (Ubuntu's is a snap, and is skipped there).
extras() {
  major=$(clang --version 2> /dev/null | sed -n 's/.*version \([0-9]*\)\..*/\1/p' | head -n 1)
  [ -n "$major" ] && echo "libclang-rt-$major-dev"
  grep -q "^ID=debian" /etc/os-release && echo chromium
  return 0
}

install() {
  echo "setup: installing $*"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" > /tmp/leakproof-setup.log 2>&1 || {
    tail -n 20 /tmp/leakproof-setup.log >&2
    echo "setup: apt-get failed; the whole log is /tmp/leakproof-setup.log" >&2
    exit 3
  }
}

need_root() {
  if [ "$(id -u)" != 0 ]; then
    echo "setup: these packages are missing and only root can install them:$*" >&2
    echo "       run: sudo sh ci/setup.sh" >&2
    exit 3
  fi
}

updated=
update_once() {
  [ -n "$updated" ] || apt-get update -q > /dev/null
  updated=yes
}

if [ -n "$missing" ]; then
  need_root "$missing"
  update_once
  # shellcheck disable=SC2086 # a list of package names
  install $missing
fi

case ${1:-all} in
  test | all)
    for p in $(extras); do
      installed "$p" && continue
      need_root " $p"
      update_once
      apt-cache show "$p" > /dev/null 2>&1 || continue
      install "$p"
    done
    ;;
esac
