#!/bin/sh
# mmdebstrap hook: takes out what a Postgres in a container never uses, some 230 MB: just-in-time compilation, which pays for
# queries of many seconds only (the server falls back when the library is not there), and Debian's tools for
# many clusters on one host, which are the only ones that need Perl.
set -eu
chroot "$1" dpkg --purge --force-depends \
    libllvm19 libz3-4 postgresql-common postgresql-common-dev postgresql-client-common \
    perl libperl5.40 perl-modules-5.40 libjson-perl libio-pty-perl libipc-run-perl libtext-charwidth-perl libtext-wrapi18n-perl \
    locales libc-l10n ssl-cert ucf sensible-utils adduser
rm -rf "$1"/usr/lib/postgresql/*/lib/llvmjit* "$1"/usr/lib/postgresql/*/lib/bitcode "$1"/etc/postgresql-common
