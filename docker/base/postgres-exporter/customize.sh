#!/bin/sh
# mmdebstrap hook: gives Debian's program the name that it has in the registry's image, so one Dockerfile serves both.
set -eu
ln -s prometheus-postgres-exporter "$1/usr/bin/postgres_exporter"
