#!/bin/sh
# mmdebstrap hook: Debian's package makes a cluster as soon as it is installed; the container's entrypoint makes ours.
set -eu
mkdir -p "$1/etc/postgresql-common"
echo 'create_main_cluster = false' > "$1/etc/postgresql-common/createcluster.conf"
