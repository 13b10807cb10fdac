#!/bin/sh
# Starts Postgres on the database directory $PGDATA, and makes that directory first where there is none.
#
# POSTGRES_PASSWORD  password of the user; needed at the first start only
# POSTGRES_USER      the database's owner, a superuser (default: postgres)
# POSTGRES_DB        the database (default: the user's name)
# PGDATA             the database directory; its parent must be writable
#
# A new directory is made under another name and renamed when it is whole, so a start that is killed half-way leaves nothing
# that the next one takes for a database. While it is made, no server listens anywhere.
set -eu

fail() {
    echo "entrypoint: $1" >&2
    exit 1
}

make_database() {
    [ -n "${POSTGRES_PASSWORD:-}" ] || fail "POSTGRES_PASSWORD is empty: the first start needs the password that the database gets"
    [ "$(printf '%s' "$POSTGRES_PASSWORD" | wc -l)" -eq 0 ] || fail "POSTGRES_PASSWORD has more than one line"
    if [ -e "$PGDATA" ]; then
        rmdir "$PGDATA" || fail "$PGDATA holds files but no database: move them away"
    fi
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    new=$PGDATA.new
    rm -rf "$new"
    mkdir -p "$(dirname "$PGDATA")"
    trap 'exit 1' INT TERM # the kernel hides both from a container's first process otherwise

    # The builtin locale sorts the same on every system library, so indexes outlive a change of the base image.
    printf '%s\n' "$POSTGRES_PASSWORD" | initdb --pgdata="$new" --username="$user" --pwfile=/dev/stdin \
        --encoding=UTF8 --locale=C.UTF-8 --locale-provider=builtin --data-checksums --auth-local=trust --auth-host=scram-sha-256
    echo 'host all all all scram-sha-256' >> "$new/pg_hba.conf"
    sync "$new/pg_hba.conf"
    if [ "$database" != postgres ]; then
        # Single-user mode: no port, no socket, one statement a line.
        printf 'CREATE DATABASE "%s"\n' "$(printf '%s' "$database" | sed 's/"/""/g')" |
            postgres --single -D "$new" -c log_min_messages=warning postgres > /dev/null
    fi
    mv "$new" "$PGDATA"
    sync "$(dirname "$PGDATA")"
    trap - INT TERM
}

if [ "${1:-}" = postgres ]; then
    [ "$(id -u)" != 0 ] || fail "Postgres refuses to run as root: give the container a user of its own"
    [ -s "$PGDATA/PG_VERSION" ] || make_database
    unset POSTGRES_PASSWORD
fi
exec "$@"
