#!/bin/sh
# mmdebstrap hook: installs $PACKAGES into the root file system $1. One pass, where `--include` would unpack each package twice.
set -eu
# shellcheck disable=SC2086  # a list of package names
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get install --yes --option DPkg::Chroot-Directory="$1" $PACKAGES
