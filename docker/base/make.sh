#!/bin/sh
# Makes the root file system of a base image from Debian packages, for networks with no image registry.
#
#   make.sh root ROOT.tar                            what every base has in common: Debian's essential packages
#   make.sh base ROOT.tar BASE.tar RECIPE PACKAGE... a base: ROOT.tar and these packages; RECIPE is a folder of
#                                                    mmdebstrap hooks, or empty
#
# Neither holds apt, recommended packages, manuals or translations. Needs mmdebstrap; root, or user namespaces.
set -eu

suite=trixie
folder=$(cd "$(dirname "$0")" && pwd)
kind=$1
export ROOT_TAR="$2"

bootstrap() {
    mmdebstrap --dpkgopt="$folder/dpkg.cfg" --aptopt='APT::Install-Recommends "false"' --format=tar "$@" \
        "$suite" "$output.partial"
}

case $kind in
root)
    output=$ROOT_TAR
    # The package lists stay in this tar: the bases need not fetch them again.
    bootstrap --variant=essential --skip=cleanup/apt/lists
    ;;
base)
    output=$3 recipe=$4
    shift 4
    export PACKAGES="$*"
    # Devices are the container runtime's.
    # shellcheck disable=SC2016  # mmdebstrap's shell expands it
    bootstrap --variant=custom --skip=update \
        --setup-hook='mmtarfilter --path-exclude="/dev/*" < "$ROOT_TAR" | tar --directory "$1" --extract' \
        --customize-hook="$folder/install.sh" \
        ${recipe:+"--hook-directory=$recipe"} \
        --customize-hook="$folder/clean.sh"
    ;;
*)
    echo "usage: $0 root|base ..." >&2
    exit 2
    ;;
esac
mv "$output.partial" "$output"
