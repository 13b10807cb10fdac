#!/bin/sh
# mmdebstrap hook: takes out of the root file system $1 what is of this machine, of this hour or of the making.
set -eu
rm -f "$1/etc/resolv.conf" "$1/etc/hostname" "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
rm -rf "$1"/var/log/* "$1"/var/cache/debconf/*-old "$1"/var/cache/ldconfig/* "$1"/var/lib/dpkg/*-old
# What a package's script wrote where a device would be.
[ ! -f "$1/dev/null" ] || rm "$1/dev/null"
