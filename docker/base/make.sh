#!/bin/sh
# Makes the root file system of a base image from Debian packages, for networks with no image registry.
#
#   make.sh root ROOT.tar                            what every base has in common: Debian's essential packages
#   make.sh base ROOT.tar BASE.tar RECIPE PACKAGE... a base: ROOT.tar and these packages; RECIPE is a folder of
#                                                    mmdebstrap hooks, or empty
#
# Neither holds apt, recommended packages, manuals or translations. Needs mmdebstrap; root, or user namespaces,
# and then a folder that others may read.
set -eu

suite=trixie
folder=$(cd "$(dirname "$0")" && pwd)
kind=$1
ROOT_TAR=$2

bootstrap() {
    mmdebstrap --dpkgopt="$folder/dpkg.cfg" --aptopt='APT::Install-Recommends "false"' --format=tar "$@" \
        "$suite" "$output.partial"
}

case $kind in
root)
    output=$ROOT_TAR
    # The package lists stay in this tar: the bases need not fetch them again.
    # No devices: they are the container runtime's, and an ordinary user cannot make them.
    bootstrap --variant=essential --skip=cleanup/apt/lists --skip=output/dev
    ;;
base)
    output=$3 recipe=$4
    shift 4
    export PACKAGES="$*"
    # `tar-in` reads the file as who calls us; an ordinary user's hooks run as another, who may not look into a home.
    # shellcheck disable=SC2016  # mmdebstrap's shell expands it
    bootstrap --variant=custom --skip=update --skip=output/dev \
        --setup-hook="tar-in '$ROOT_TAR' /" --setup-hook='mkdir -p "$1/dev"' \
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
