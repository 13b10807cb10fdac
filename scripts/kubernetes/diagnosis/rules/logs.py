"""Causes that the log of a container tells: above all, what keeps it from its database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.container import ContainerState
from scripts.kubernetes.diagnosis.rules.starts import wrong_format
from scripts.kubernetes.objects import egress_policies, is_of_release

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

READ_ONLY = re.compile(r"read-only file system|EROFS", re.IGNORECASE)
ABOUT_DATABASE = re.compile(r"database|postgres|psycopg|asyncpg|sqlalchemy|:5432|port 5432|relation \"", re.IGNORECASE)
NAME_UNKNOWN = re.compile(
    r"name not found|could not translate host name|name or service not known|name resolution|getaddrinfo|no such host"
    r"|ENOTFOUND|EAI_AGAIN|bad address|nodename nor servname|name does not resolve",
    re.IGNORECASE,
)
REFUSED = re.compile(
    r"connection refused|refused the connection|ECONNREFUSED|connect call failed"
    r"|connection lost|starting or stopping",
    re.IGNORECASE,
)
LOGIN = re.compile(
    r"(password |SASL )?authentication failed|login refused|no pg_hba.conf entry|not permitted to log in"
    r"|(database|role)\b.* does not exist",
    re.IGNORECASE,
)
CERTIFICATE = re.compile(r"TLS failed|certificate (verify failed|has expired|could not be verified)", re.IGNORECASE)
UNMIGRATED = re.compile(
    r"tables do not exist|(relation|table) \S+ (does not|doesn't) exist|no such table|UndefinedTable|migrations have not run",
    re.IGNORECASE,
)
LOCKED = re.compile(r"query timed out|due to (statement|lock) timeout|LockNotAvailable", re.IGNORECASE)
BUSY = re.compile(r"too many (clients|connections)|remaining connection slots", re.IGNORECASE)
UNWRITABLE = re.compile(r"database is read-only|read-only transaction|no space left on device|out of disk", re.IGNORECASE)
SILENT = re.compile(r"did not answer|timed? ?out|timeout expired|ETIMEDOUT|no route to host|unreachable", re.IGNORECASE)
UNLISTED = re.compile(r"login refused: pg_hba.conf|no pg_hba.conf entry", re.IGNORECASE)
UNLISTED_ACTION = (
    "see who it lets in: invoke psql --command 'SELECT * FROM pg_hba_file_rules'; put the line back (invoke shell postgres, and there "
    "$PGDATA/pg_hba.conf; the bundled Postgres has `host all all all scram-sha-256`), "
    "then invoke psql --command 'SELECT pg_reload_conf()'"
)
BY_PEOPLE = (
    (UNLISTED, UNLISTED_ACTION),
    (re.compile(r"PL/pgSQL function|SQL function \"|a trigger or a view asks for it|INSERT or UPDATE rules", re.IGNORECASE),
     "see what asks for it: invoke psql, \\d TABLE shows its triggers and rules; DROP TRIGGER NAME ON TABLE where no migration made it"),
    (re.compile(r"not (currently )?accept(ing)? connections", re.IGNORECASE),
     ("somebody has closed it to connections: invoke shell postgres, and there: psql --username \"$POSTGRES_USER\" --dbname postgres "
     "--command 'ALTER DATABASE NAME ALLOW_CONNECTIONS true'")),
    (re.compile(r"unexpected zero page|invalid page in block|page verification failed|could not read block|(Index|Data)Corrupted"
                r"|missing chunk number|Please REINDEX|file of the database is damaged", re.IGNORECASE),
     ("a file of the database is damaged: make an index that is named again: invoke psql --command 'REINDEX INDEX NAME'; where it is a "
     "table, invoke backup saves what can be read, and invoke restore FILE brings back an older state")),
    (re.compile(r"could not (locate a valid checkpoint record|find redo location)|invalid (primary )?checkpoint record", re.IGNORECASE),
     ("files of its write-ahead log are gone or damaged: put them back into pg_wal on its volume; else bring the data back from a backup: "
     "invoke down --data, invoke up, invoke restore FILE")),
    (re.compile(r"violates ([\w-]+ )?constraint|(Unique|Check|NotNull|ForeignKey|Exclusion)Violation", re.IGNORECASE),
     "see who made the constraint that is named, and when: invoke psql, \\d TABLE; drop it where no migration of the app did"),
    (re.compile(r"permission denied for|must be owner of|InsufficientPrivilege", re.IGNORECASE),
     "see who took the right from the role, and give it back: invoke psql, \\dp; GRANT … TO …"),
)  # fmt: skip
"""What people do to a database, by the words that tell of it, and what to do then."""
WAITING = (
    "SELECT pid, wait_event_type, wait_event, pg_blocking_pids(pid), query FROM pg_stat_activity WHERE wait_event_type IN ('Lock', 'IPC')"
)
LOCKED_ACTION = (
    f"invoke psql, and see what it waits for: {WAITING}; end it: SELECT pg_terminate_backend(PID); where it is SyncRep, for a standby that "
    "is gone: ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()"
)
UNSEEN_TABLES = (
    "run the migrations: invoke restart SERVICE, where an init container of the service does; restore what was lost: invoke restore FILE; "
    "where they are there (invoke psql: \\dt *.*), see who has changed the role's search_path"
)
DATABASE_LINES = (
    # (pattern, code, what happened, what to do), in the order in which a line is compared
    (NAME_UNKNOWN, "database-name-unknown", "DNS does not know the database's name", "check the host in DATABASE_URL"),
    (CERTIFICATE, "database-certificate", "the database's certificate is not accepted",
     "renew it, or let DATABASE_URL name who signed it (sslrootcert)"),
    (UNMIGRATED, "database-unmigrated", "the database lacks tables",
     UNSEEN_TABLES),
    (LOCKED, "database-locked", "the database takes connections, and a query of it does not end",
     LOCKED_ACTION),
    (BUSY, "database-busy", "the database has no connection left",
     "invoke psql, and see who holds them: SELECT application_name, client_addr, count(*) FROM pg_stat_activity GROUP BY 1, 2"),
    (UNWRITABLE, "database-unwritable", "the database takes no writes",
     "see whether its volume is full, it is a standby, or default_transaction_read_only was set: invoke psql"),
    (SILENT, "database-silent", "the database does not answer", "check host, port and firewall of DATABASE_URL"),
    (LOGIN, "database-login", "the database refuses the login",
     "check user, password and database name in DATABASE_URL"),
    (REFUSED, "database-refused", "the database refuses the connection", "check host and port in DATABASE_URL, and that the database runs"),
)  # fmt: skip
OF_BUNDLED = {
    "database-login": "where its password was changed in it, invoke restart postgres sets that of POSTGRES_PASSWORD again",
    "database-name-unknown": "the cluster's DNS does not know the release's own Service: see what it is told and says: "
    "kubectl --namespace kube-system get configmap coredns --output yaml; kubectl --namespace kube-system logs --selector k8s-app=kube-dns",
    "database-refused": "where its pod is ready (invoke status), something between rejects it: kube-proxy, a firewall, or a Service "
    "that takes its address (spec.externalIPs): kubectl get services --all-namespaces --output wide",
    "database-silent": "the release's own policies let it pass: see the cluster's network (kube-proxy, the CNI's pods), and "
    "what shuts its DNS off: kubectl --namespace kube-system get pods,networkpolicies --output wide",
}
"""What to do where the database is the bundled one."""
THERE_ALREADY = re.compile(r"already exists|duplicate (?:column|table|key)", re.IGNORECASE)
FAILED_MIGRATION = re.compile(r"(error: )?migration failed:?\s*", re.IGNORECASE)
NOT_OURS = re.compile(
    r"(error: )?(?P<cause>this database (belongs to|holds tables of) another application.*?"
    r"|the schema is at revision .* lacks what it needs: .*?)(\. Nothing was changed)?\. (?P<action>(Set DATABASE_URL|Run a version) .*)"
)
"""What a migration says of a database that it leaves alone, and what to do."""
REFUSED_URL = re.compile(r"(error: )?(?P<cause>DATABASE_URL .*)")
MIGRATES = re.compile(r"migrat", re.IGNORECASE)


def told_by_log(container: ContainerState) -> Diagnosis | None:
    """The last telling line of a failed run's log."""
    if container.last_exit.get("exitCode") == 0:
        return None
    migrates = _migrates(container)
    for line in reversed(container.log):
        if "exec format error" in line:
            return wrong_format(container)
        if READ_ONLY.search(line):
            return container.diagnosis(
                "read-only-file-system",
                f"container {container.name} writes to a read-only path: {line}",
                "write to a path under `writable` of the service, or add one there",
            )
        if found := _last_words(container, line, migrates=migrates):
            return found
        if (migrates or ABOUT_DATABASE.search(line)) and (found := _database(container, line)):
            return found
    return (
        _migration_failed(container, container.log[-1] if container.log else f"exit code {container.last_exit.get('exitCode')}")
        if migrates
        else None
    )


def _last_words(container: ContainerState, line: str, *, migrates: bool) -> Diagnosis | None:
    """What a migration ends with, in its own words."""
    if told := NOT_OURS.match(line):
        return container.diagnosis("database-not-ours", told["cause"], told["action"][0].lower() + told["action"][1:])
    if FAILED_MIGRATION.match(line):
        return _migration_failed(container, line)
    if migrates and (told := REFUSED_URL.match(line)):
        return container.diagnosis("database-url", told["cause"], "fix DATABASE_URL in .env, then invoke up")
    return None


def _migrates(container: ContainerState) -> bool:
    words = [container.name, *container.spec.get("command", ()), *container.spec.get("args", ())]
    return container.init and bool(MIGRATES.search(" ".join(words)))


def waits_for_database(container: ContainerState) -> Diagnosis | None:
    """An init container runs, and its newest log line says that the database is not there yet."""
    if not container.init or "running" not in container.status.get("state", {}) or not container.log:
        return None
    line = container.log[-1]
    return _database(container, line) if _migrates(container) or ABOUT_DATABASE.search(line) else None


def tells_of_database(text: str) -> bool:
    """Return whether what a service answers is that it does not reach something, which its database may be."""
    return any(pattern.search(text) for pattern in (ABOUT_DATABASE, REFUSED, NAME_UNKNOWN, SILENT, LOGIN))


def tells_of_dns(text: str) -> bool:
    """Return whether what a service answers may be because no name resolves."""
    return any(pattern.search(text) for pattern in (NAME_UNKNOWN, SILENT))


def database_advice(line: str) -> str:
    """Return what to do about what a service says of its database; an empty string where it says nothing that is known."""
    if advice := by_people(line):
        return advice
    if not ABOUT_DATABASE.search(line):
        return ""
    for pattern, code, _, action in DATABASE_LINES:
        if pattern.search(line):
            return f"{action}; of the bundled Postgres: {OF_BUNDLED[code]}" if code in OF_BUNDLED else action
    return ""


def by_people(line: str) -> str:
    """Return what to do about what people do to a database, where a line tells of it; else an empty string."""
    return next((advice for pattern, advice in BY_PEOPLE if pattern.search(line)), "")


def login_action(container: ContainerState) -> str:
    """Return what to do where the database refuses the login of a container."""
    return _database_action(container, *next((code, action) for _, code, _, action in DATABASE_LINES if code == "database-login"))


def _database_action(container: ContainerState, code: str, action: str) -> str:
    return OF_BUNDLED.get(code, action) if _bundled(container) else action


def _database(container: ContainerState, line: str) -> Diagnosis | None:
    line = line.removeprefix("error: ")
    for pattern, code, what, action in DATABASE_LINES:
        if pattern.search(line):
            policies = egress_policies(container.pod, _suspect_policies(container)) if code == "database-silent" else []
            if policies:
                return _egress_blocked(container, policies, line)
            heal = UNLISTED_ACTION if UNLISTED.search(line) and _bundled(container) else _database_action(container, code, action)
            return container.diagnosis(code, f"{what}: {line}", heal)
    return None


def _bundled(container: ContainerState) -> bool:
    """Whether the release has its database itself: then no host in DATABASE_URL is wrong."""
    return any(workload["kind"] == "StatefulSet" for workload in container.snapshot.workloads)


def _suspect_policies(container: ContainerState) -> Sequence[Object]:
    """The policies that may shut the way: those of the release let its pods to its own database."""
    policies = container.snapshot.policies
    return [each for each in policies if not is_of_release(each, container.snapshot.release)] if _bundled(container) else policies


def _egress_blocked(container: ContainerState, policies: Sequence[str], line: str) -> Diagnosis:
    return container.diagnosis(
        "egress-blocked",
        f"the database does not answer, and network policies restrict what the pod may call ({', '.join(policies)}): {line}",
        "open it in the chart's values of the service: its port under `internet`, or its address and port under `addresses`",
    )


def _migration_failed(container: ContainerState, line: str) -> Diagnosis:
    told = FAILED_MIGRATION.sub("", line)
    what = "the migration" if FAILED_MIGRATION.match(line) else "what it says"
    action = f"fix {what}; no new pod serves before it"
    if THERE_ALREADY.search(line):
        action = (
            f"where the tables are later than the migrations' own record (alembic_version and the like) says, set that right; else {action}"
        )
    return container.diagnosis("migration-failed", f"the database migration failed: {told}", action)
