#!/bin/sh
# Starts Postgres on the database directory $PGDATA, and makes that directory first where there is none.
#
# POSTGRES_PASSWORD  password of the user; a start with another one changes it. May be empty after the first start
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

# The text in quotes $1, as SQL takes it.
quoted() {
    printf '%s%s%s' "$1" "$(printf '%s' "$2" | sed "s/$1/$1$1/g")" "$1"
}

# Runs the statements that are piped into it, one a line, with no port and no socket. exec: Postgres passes over the lock file of a killed
# server only where that server's process id is its own or its parent's, and that id was 1.
single_user() {
    exec postgres --single -D "$1" -c log_min_messages=warning -c log_min_error_statement=panic postgres > /dev/null
}

# The Secret is the truth: a password that was changed or generated again since the database was made is the one that counts.
set_password() {
    printf 'ALTER ROLE %s PASSWORD %s\n' "$(quoted '"' "$user")" "$(quoted "'" "$POSTGRES_PASSWORD")" | single_user "$PGDATA"
}

make_database() {
    [ -n "${POSTGRES_PASSWORD:-}" ] || fail "POSTGRES_PASSWORD is empty: the first start needs the password that the database gets"
    if [ -e "$PGDATA" ]; then
        rmdir "$PGDATA" || fail "$PGDATA holds files but no database: move them away"
    fi
    database=${POSTGRES_DB:-$user}
    new=$PGDATA.new
    rm -rf "$new"
    mkdir -p "$(dirname "$PGDATA")"
    # The builtin locale sorts the same on every system library, so indexes outlive a change of the base image.
    printf '%s\n' "$POSTGRES_PASSWORD" | initdb --pgdata="$new" --username="$user" --pwfile=/dev/stdin \
        --encoding=UTF8 --locale=C.UTF-8 --locale-provider=builtin --data-checksums --auth-local=trust --auth-host=scram-sha-256
    echo 'host all all all scram-sha-256' >> "$new/pg_hba.conf"
    sync "$new/pg_hba.conf"
    if [ "$database" != postgres ]; then
        printf 'CREATE DATABASE %s\n' "$(quoted '"' "$database")" | single_user "$new"
    fi
    mv "$new" "$PGDATA"
    sync "$(dirname "$PGDATA")"
}

if [ "${1:-}" = postgres ]; then
    [ "$(id -u)" != 0 ] || fail "Postgres refuses to run as root: give the container a user of its own"
    [ "$(printf '%s' "${POSTGRES_PASSWORD:-}" | wc -l)" -eq 0 ] || fail "POSTGRES_PASSWORD has more than one line"
    trap 'exit 1' INT TERM # the kernel hides both from a container's first process otherwise
    user=${POSTGRES_USER:-postgres}
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        make_database
    elif [ -n "${POSTGRES_PASSWORD:-}" ]; then
        set_password
    fi
    trap - INT TERM
    unset POSTGRES_PASSWORD
fi
exec "$@"
