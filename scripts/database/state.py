"""What the bundled Postgres knows of itself and no answer shows yet: settings that somebody made in it, and dangers to its data."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from scripts.config.service_problems import DATABASE
from scripts.core import log, shell
from scripts.core.errors import TaskError
from scripts.core.shell import CommandError
from scripts.database import access
from scripts.desired.service_values import service_name
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.rules.logs import database_advice
from scripts.project import Project

SECONDS = 15
OPTIONS = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator=\t")
# Each row: what it is, its name, a detail, and the SQL that ends it.
QUERY = r"""
SELECT CASE WHEN f.sourcefile LIKE '%/postgresql.auto.conf' THEN 'restart' ELSE 'written' END, f.name, f.setting,
CASE WHEN f.sourcefile LIKE '%/postgresql.auto.conf' THEN format('ALTER SYSTEM RESET %s', f.name) ELSE f.sourcefile END
FROM pg_file_settings f JOIN pg_settings s USING (name) WHERE f.seqno = (SELECT max(seqno) FROM pg_file_settings WHERE name = f.name)
AND s.source <> 'command line'
AND (s.context = 'postmaster' AND NOT f.applied AND f.error IS NOT NULL OR s.vartype = 'bool'
AND CASE WHEN f.applied THEN f.setting::bool <> s.setting::bool END)
UNION ALL
SELECT 'wrong', format('line %s of its settings', f.sourceline), concat_ws(': ', nullif(concat_ws(' = ', f.name, f.setting), ''), f.error),
f.sourcefile
FROM pg_file_settings f LEFT JOIN pg_settings s USING (name) WHERE f.error IS NOT NULL AND coalesce(s.context, '') <> 'postmaster'
UNION ALL
SELECT 'standby', name, setting, 'ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()'
FROM pg_settings WHERE name = 'synchronous_standby_names' AND setting <> ''
AND NOT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum'))
UNION ALL
SELECT 'made', CASE WHEN d.setrole = 0 THEN format('database %I', current_database()) ELSE format('role %s', d.setrole::regrole) END, c,
CASE WHEN d.setrole = 0 THEN format('ALTER DATABASE %I RESET %s', current_database(), split_part(c, '=', 1))
ELSE format('ALTER ROLE %s%s RESET %s', d.setrole::regrole,
CASE WHEN d.setdatabase = 0 THEN '' ELSE format(' IN DATABASE %I', current_database()) END, split_part(c, '=', 1)) END
FROM pg_db_role_setting d, unnest(d.setconfig) c
WHERE d.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND split_part(c, '=', 1) IN
('statement_timeout', 'lock_timeout', 'transaction_timeout', 'default_transaction_read_only', 'search_path', 'session_replication_role')
AND split_part(c, '=', 2) IS DISTINCT FROM (SELECT boot_val FROM pg_settings WHERE name = split_part(c, '=', 1))
UNION ALL
SELECT 'made', 'server', format('%s=%s', name, setting), format('ALTER SYSTEM RESET %s; SELECT pg_reload_conf()', name)
FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf' AND applied AND name IN
('statement_timeout', 'lock_timeout', 'transaction_timeout', 'default_transaction_read_only', 'search_path', 'session_replication_role',
'fsync', 'full_page_writes', 'autovacuum')
UNION ALL
SELECT 'password', rolname, to_char(rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
format('ALTER ROLE %I VALID UNTIL %L', rolname, 'infinity')
FROM pg_roles WHERE rolcanlogin AND rolvaliduntil < now() + interval '14 days'
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, string_agg(tgname, ', '), format('ALTER TABLE %s ENABLE TRIGGER ALL', tgrelid::regclass)
FROM pg_trigger WHERE tgenabled = 'D' GROUP BY tgrelid
UNION ALL
SELECT 'since', s.tab::regclass::text, format('%s %s', s.what, s.name), format('DROP %s %I ON %s', upper(s.what), s.name, s.tab::regclass)
FROM (SELECT tgrelid AS tab, 'trigger' AS what, tgname AS name, age(xmin) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT ev_class, 'rule', rulename, age(r.xmin) FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relkind IN ('r', 'p') AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)) s
JOIN (SELECT min((xpath('/row/min/text()', query_to_xml(format('SELECT min(age(xmin)) FROM %s', c.oid::regclass), false, true, ''))
)[1]::text::bigint) AS newest FROM pg_class c WHERE c.relkind = 'r' AND c.relname ~ '(^alembic_version|migrations?|schema_history)$'
AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.relation = c.oid AND l.mode = 'AccessExclusiveLock')) m ON s.age < m.newest
UNION ALL
SELECT 'hides', format('%I.%I', s.name, first.relname), string_agg(format('%I.%I', n.nspname, other.relname), ', '),
format('ALTER SCHEMA %I RENAME TO %I', s.name, s.name || '_aside')
FROM unnest(current_schemas(false)) WITH ORDINALITY AS s (name, place) JOIN pg_class first ON first.relnamespace = s.name::regnamespace
JOIN unnest(current_schemas(false)) WITH ORDINALITY AS o (name, place) ON o.place > s.place
JOIN pg_class other ON other.relnamespace = o.name::regnamespace AND other.relname = first.relname
JOIN pg_namespace n ON n.oid = other.relnamespace WHERE first.relkind IN ('r', 'p', 'v', 'm') AND other.relkind IN ('r', 'p')
GROUP BY s.name, first.relname
UNION ALL
SELECT 'archiver', last_failed_wal, to_char(last_failed_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
'ALTER SYSTEM RESET archive_command; SELECT pg_reload_conf()'
FROM pg_stat_archiver WHERE last_failed_time > coalesce(last_archived_time, '-infinity')
UNION ALL
SELECT 'open', format('%s (%s)', pid, coalesce(nullif(application_name, ''), usename)),
to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), format('SELECT pg_terminate_backend(%s)', pid)
FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND xact_start < now() - interval '5 minutes'
UNION ALL
SELECT 'locks', format('%s (%s)', a.pid, coalesce(nullif(a.application_name, ''), a.usename)),
to_char(min(w.query_start) AT TIME ZONE 'UTC', 'HH24:MI:SS "UTC"'), format('SELECT pg_terminate_backend(%s)', a.pid)
FROM pg_stat_activity w CROSS JOIN unnest(pg_blocking_pids(w.pid)) AS b (pid) JOIN pg_stat_activity a ON a.pid = b.pid
WHERE w.wait_event_type = 'Lock' AND w.query_start < now() - interval '3 seconds' GROUP BY a.pid, a.application_name, a.usename
UNION ALL
SELECT 'damaged', coalesce(datname, 'shared'), format('%s times, the last at %s', checksum_failures,
to_char(checksum_last_failure AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')), ''
FROM pg_stat_database WHERE checksum_failures > 0
UNION ALL
SELECT 'wal', redo_wal_file, '', '' FROM pg_control_checkpoint() WHERE redo_wal_file NOT IN (SELECT name FROM pg_ls_waldir())
UNION ALL
SELECT 'unlogged', oid::regclass::text, '', format('ALTER TABLE %s SET LOGGED', oid::regclass)
FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'
UNION ALL
SELECT 'slot', slot_name, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)),
format('SELECT pg_drop_replication_slot(%L)', slot_name)
FROM pg_replication_slots WHERE NOT active AND pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > 32 * 1024 * 1024
UNION ALL
SELECT 'index', indexrelid::regclass::text, '', format('REINDEX INDEX CONCURRENTLY %s', indexrelid::regclass)
FROM pg_index WHERE NOT indisvalid AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index)
UNION ALL
SELECT CASE WHEN last_value < max_value THEN 'sequence' ELSE 'used up' END, format('%I.%I', schemaname, sequencename),
format('%s of %s', last_value, max_value), format('ALTER SEQUENCE %I.%I AS bigint NO MAXVALUE', schemaname, sequencename)
FROM pg_sequences WHERE NOT cycle AND last_value > 0.9 * max_value
UNION ALL
SELECT 'prepared', gid, to_char(prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), format('ROLLBACK PREPARED %L', gid)
FROM pg_prepared_xacts WHERE prepared < now() - interval '5 minutes'
UNION ALL
SELECT 'behind', format('%s.%I', a.attrelid::regclass, a.attname), m.highest::text,
format('SELECT setval(%L, (SELECT max(%I) FROM %s))', s.oid::regclass::text, a.attname, a.attrelid::regclass)
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_sequences q ON q.schemaname = n.nspname AND q.sequencename = s.relname,
LATERAL (SELECT CASE WHEN NOT EXISTS (SELECT FROM pg_locks l WHERE l.relation = a.attrelid AND l.mode = 'AccessExclusiveLock') THEN
(xpath('/row/max/text()', query_to_xml(format('SELECT max(%I) FROM %s', a.attname, a.attrelid::regclass), false, true, '')))[1]
END::text::bigint AS highest) m
WHERE d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 AND q.increment_by > 0
AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum)
AND m.highest > coalesce(q.last_value, q.start_value - 1)
"""
HELD = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' OR wait_event = 'SyncRep'
OR (backend_type LIKE 'client %' AND pid <> pg_backend_pid() AND xact_start < now() - interval '5 seconds')
"""
"""How many sessions wait for a lock, or may hold one for longer than a request takes."""
BLOCKING = """
SELECT format('process %s (%s) holds what %s others wait for: %s', a.pid, coalesce(nullif(a.application_name, ''), a.usename), count(*),
left(regexp_replace(a.query, '\\s+', ' ', 'g'), 120))
FROM (SELECT unnest(pg_blocking_pids(pid)) AS pid FROM pg_stat_activity WHERE wait_event_type = 'Lock') AS blocking
JOIN pg_stat_activity a USING (pid) GROUP BY a.pid, a.application_name, a.usename, a.query ORDER BY count(*) DESC
"""
IDLE = """
SELECT format('process %s (%s) is idle in a transaction since %s: what it has locked stays locked', pid,
coalesce(nullif(application_name, ''), usename), to_char(xact_start AT TIME ZONE 'UTC', 'HH24:MI:SS "UTC"'))
FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND xact_start < now() - interval '5 seconds' ORDER BY xact_start
"""
OF_TABLES = """
SELECT format('table %s has the trigger %s: DROP TRIGGER %I ON %s', tgrelid::regclass, tgname, tgname, tgrelid::regclass)
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT format('table %I.%I has the rule %s: DROP RULE %I ON %I.%I', schemaname, tablename, rulename, rulename, schemaname, tablename)
FROM pg_rules WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""
LARGE_ROWS = """
SELECT format('the table %s holds %s in %s rows', relid::regclass, pg_size_pretty(pg_total_relation_size(relid)), n_live_tup)
FROM pg_stat_user_tables WHERE pg_total_relation_size(relid) > 1048576 * greatest(n_live_tup, 8)
ORDER BY pg_total_relation_size(relid) DESC LIMIT 1
"""
"""A table whose rows hold over 1 MiB on average: a request for some of them fills a container's memory."""
TIME = "SELECT extract(epoch FROM clock_timestamp())"
COMMIT = "SELECT pg_logical_emit_message(true, 'invoke diagnose', '')"
"""The least that has to reach the disk before it is committed: no row, no table."""
COMMITS, SLOW_COMMIT_SECONDS = 3, 0.3
"""Ten times what a disk that turns needs."""
LOOKS, PAUSE_SECONDS = 5, 0.7
"""A lock that makes requests slow is there for a part of the time only."""
PATIENCE = "SET lock_timeout = '2s';"
"""A table may be locked, of which other causes tell."""
SETTING, DAMAGED, AT_RISK = "database-setting", "database-damaged", "data-at-risk"
DAMAGED_ACTION = (
    "invoke backup FILE saves what can be read; its error, and invoke logs postgres, name what cannot: bring that back from a backup "
    "(invoke restore FILE), or make an index again (REINDEX INDEX NAME); once it is healed: invoke psql --command 'SELECT pg_stat_reset()'"
)
KINDS = {
    "restart": (SETTING, "the database starts with {name} = {detail} the next time, which somebody has set in it"),
    "written": (SETTING, "the database takes {name} = {detail} at its next start, which somebody has written into its settings"),
    "wrong": (SETTING, "{name} is wrong, so its next start fails: {detail}"),
    "standby": (SETTING, "every commit waits for a standby, and none is there: {name} is {detail}"),
    "behind": (SETTING, "the sequence of {name} is behind its table, which has reached {detail}: a new row gets a number that is taken"),
    "trigger": (SETTING, "triggers of the table {name} are switched off, and with them what they keep true: {detail}"),
    "hides": (
        SETTING,
        "{name} hides {detail}, since its schema comes first in search_path: requests go to it, and what the other holds is missing",
    ),
    "since": (SETTING, "the table {name} has the {detail}, made or switched since the last migration: it may change what the app writes"),
    "password": (SETTING, "the password of the role {name} lets nobody in after {detail}, which somebody has set in it"),
    "archiver": (AT_RISK, "archive_command fails since {detail}, at {name}: WAL is kept until the volume is full"),
    "open": (AT_RISK, "the session {name} is idle in a transaction since {detail}: what it has locked stays locked"),
    "locks": ("database-locked", "the session {name} holds what others wait for, since {detail}"),
    "damaged": (DAMAGED, "pages of the database {name} do not have their checksum: what is on them cannot be read ({detail})"),
    "made": (SETTING, "the {name} has a setting that was made by hand: {detail}"),
    "wal": (AT_RISK, "the file {name} of its write-ahead log is gone: it serves on, and its next start fails"),
    "unlogged": (AT_RISK, "the table {name} is UNLOGGED: a crash of the database empties it"),
    "slot": (AT_RISK, "the replication slot {name} is used by nobody and keeps {detail} of WAL, until the volume is full"),
    "index": (AT_RISK, "the index {name} is invalid: no query uses it, and every write keeps it"),
    "sequence": (AT_RISK, "the sequence {name} is nearly used up, at {detail}: then no row can be added"),
    "used up": (SETTING, "the sequence {name} is used up, at {detail}: no row can be added"),
    "prepared": (AT_RISK, "the prepared transaction {name} is open since {detail}, and keeps what it has locked"),
}


LATER = re.compile(r"\b(?:the next time|at its next start|its next start fails|lets nobody in after)\b")
"""Of these kinds, what only the next start or a day to come will meet."""
LATER_LOGIN = "lets nobody in after"
LETS_NOBODY_IN = "the database lets no new connection of the app in"
REFUSED = re.compile(r"FATAL:\s+(?!\s|the database system is )(.+)")
"""What a server that runs says to a login; of one that starts or stops, others tell."""


def found(project: Project) -> list[Diagnosis]:
    """Return what the bundled database says; nothing where it is not asked, or cannot be: why it does not run, others say."""
    workload = service_name(project.settings.release, DATABASE)
    try:
        return list(read(_answer(project, QUERY, login=True), workload))
    except TaskError as error:
        refusal = REFUSED.search(error.result.stderr) if isinstance(error, CommandError) else None
        # What was set in it may be why, and is told first.
        made = list(read(_asked(project, QUERY), workload))
        ends = any(LATER_LOGIN in each.cause for each in made)
        closed = [replace(_closed(workload, refusal[1]), follows_from=workload if ends else "")] if refusal else []
        return [*made, *closed]


def _closed(workload: str, refusal: str) -> Diagnosis:
    """Nobody new gets in, and what is connected goes on as if all were well, until it is cut off."""
    cause = f"{workload}: {LETS_NOBODY_IN}: {refusal}"
    return Diagnosis(SETTING, workload, cause, (), database_advice(f"database: {refusal}") or "invoke logs postgres")


def without_locks(project: Project) -> bool:
    """Whether the bundled database says that no session waits for a lock, or may hold one: what is slow there has another reason."""
    return _asked(project, HELD) == ["0"]


def slow_commits(project: Project) -> str:
    """Return what commits of nothing take in the bundled database, where that is long: its disk is slow. Else, or not asked: empty."""
    commands = [TIME, *[COMMIT, TIME] * COMMITS]
    try:
        line = access.in_bundled(project, "psql", *OPTIONS, *(word for each in commands for word in ("--command", each)))
        told = shell.run(line.argv, timeout=SECONDS, env=line.environment).stdout.split()[::2]
    except TaskError as error:
        log.debug(f"the bundled database was not asked for a commit: {error}")
        return ""
    seconds = median(float(after) - float(before) for before, after in pairwise(told))
    return f"a commit of nothing takes {seconds:.1f} s" if seconds >= SLOW_COMMIT_SECONDS else ""


def blocking(project: Project) -> list[str]:
    """Return who holds, or may hold, what others wait for in the bundled database, a line each, the worst first; this takes seconds."""
    for look in range(LOOKS):
        if look:
            shell.pause(PAUSE_SECONDS)
        if lines := _asked(project, BLOCKING):
            return lines
    return _asked(project, IDLE)


def ended(holder: str) -> str:
    """Return how to end what a line of `blocking` tells of."""
    process = holder.split()[1]
    return f"see what it does there, or end it: invoke psql --command 'SELECT pg_terminate_backend({process})'"


def of_tables(project: Project) -> list[str]:
    """Return the triggers and rules of the bundled database's tables, a line each, with what drops it: an app's own are among them."""
    return _asked(project, OF_TABLES)


def large_rows(project: Project) -> str:
    """Return which table of the bundled database holds very large rows, in a line; empty where none does, or it is not asked."""
    return next(iter(_asked(project, LARGE_ROWS)), "")


def largest(line: str) -> str:
    """Return how to see the rows that a line of `large_rows` tells of."""
    table = line.split()[2]
    # The name is the database's own, quoted where it needs it.
    return f"invoke psql --command 'SELECT octet_length(t::text) AS bytes, left(t::text, 200) FROM {table} t ORDER BY 1 DESC LIMIT 5'"  # noqa: S608


def dropped(tables: Sequence[str]) -> str:
    """Return how to drop what lines of `of_tables` tell of."""
    commands = " && ".join(f"invoke psql --command {quoted(line.partition(': ')[2])}" for line in tables)
    return f"drop what no migration made: {commands}"


def _answer(project: Project, query: str, *, login: bool = False) -> list[str]:
    line = access.in_bundled(project, "psql", *OPTIONS, "--command", f"{PATIENCE}{query}", login=login)
    return shell.run(line.argv, timeout=SECONDS, env=line.environment).stdout.splitlines()


def _asked(project: Project, query: str) -> list[str]:
    try:
        return _answer(project, query)
    except TaskError as error:
        log.debug(f"the bundled database was not asked for its state: {error}")
        return []


def read(rows: Sequence[str], workload: str) -> Iterator[Diagnosis]:
    """Yield a cause for each row of the answer."""
    for row in rows:
        kind, name, detail, remedy = row.split("\t")
        code, cause = KINDS[kind]
        yield Diagnosis(code, workload, f"{workload}: {cause.format(name=name, detail=detail)}", (), _action(kind, remedy))


def _action(kind: str, remedy: str) -> str:
    if kind == "damaged":
        return DAMAGED_ACTION
    if kind == "wal":
        return "save the data while it runs: invoke backup FILE; put the file back, or: invoke down --data, invoke up, invoke restore FILE"
    if kind in ("written", "wrong"):
        return f"invoke shell postgres, and there take it out of {remedy}; then invoke psql --command 'SELECT pg_reload_conf()'"
    # A command for each statement: psql makes one transaction of several, in which ALTER SYSTEM may not be.
    return " && ".join(f"invoke psql --command {quoted(each)}" for each in remedy.split("; "))


def quoted(sql: str) -> str:
    """Write SQL as one word of a shell, as readably as what it holds lets."""
    if "'" not in sql or set(sql) & set("$`\\!"):
        return shlex.quote(sql)
    return '"' + sql.replace('"', '\\"') + '"'
