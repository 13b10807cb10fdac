"""What the bundled database says of itself becomes causes, each with the SQL that ends it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from scripts.config.settings import load_settings
from scripts.core import shell
from scripts.core.shell import CommandLine, Result
from scripts.database import access, state
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.rules.logs import LOCKED_ACTION
from scripts.look import causes

pytestmark = pytest.mark.unit

ROWS = (
    "restart\tshared_buffers\t64GB\tALTER SYSTEM RESET shared_buffers",
    "standby\tsynchronous_standby_names\tr1\tALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()",
    "made\trole todo\tstatement_timeout=2\tALTER ROLE todo RESET statement_timeout",
    "unlogged\ttodos\t\tALTER TABLE todos SET LOGGED",
    "behind\tmessages.position\t104\tSELECT setval('messages_position_seq', (SELECT max(position) FROM messages))",
    "slot\told_replica\t2048 MB\tSELECT pg_drop_replication_slot('old_replica')",
    "written\tssl\ton\t/data/postgresql.conf",
    "wal\t000000010000000000000001\t\t",
    "since\ttodos\ttrigger audit\tDROP TRIGGER audit ON todos",
    "hides\ttodo.todos\tpublic.todos\tALTER SCHEMA todo RENAME TO todo_aside",
    "wrong\tline 9 of its settings\tsyntax error\t/data/postgresql.conf",
)


def project(database_url: str = "") -> Any:
    return SimpleNamespace(settings=load_settings(), env={"DATABASE_URL": database_url})


def test_each_row_is_a_cause_with_the_command_that_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(access, "in_bundled", lambda _, *argv, login=False: asked.append((login, *argv)) or CommandLine(["psql"]))
    monkeypatch.setattr(shell, "run", lambda *_, **__: Result(0, "\n".join(ROWS), "", 0.1))
    found = state.found(project())
    setting, risk = "database-setting", "data-at-risk"
    assert [each.code for each in found] == [setting, setting, setting, risk, setting, risk, setting, risk, setting, setting, setting]
    assert (
        found[0].cause
        == "todo-chatbot-postgres: the database starts with shared_buffers = 64GB the next time, which somebody has set in it"
    )
    assert found[0].action == "invoke psql --command 'ALTER SYSTEM RESET shared_buffers'"
    assert found[1].action == (
        "invoke psql --command 'ALTER SYSTEM RESET synchronous_standby_names' && invoke psql --command 'SELECT pg_reload_conf()'"
    )
    assert found[5].action == "invoke psql --command \"SELECT pg_drop_replication_slot('old_replica')\""
    assert found[6].action == (
        "invoke shell postgres, and there take it out of /data/postgresql.conf; then invoke psql --command 'SELECT pg_reload_conf()'"
    )
    assert found[7].action.startswith("save the data while it runs: invoke backup FILE")
    assert found[8].cause.startswith(
        "todo-chatbot-postgres: the table todos has the trigger audit, made or switched since the last migration"
    )
    assert found[8].action == "invoke psql --command 'DROP TRIGGER audit ON todos'"
    assert found[9].cause.startswith("todo-chatbot-postgres: todo.todos hides public.todos, since its schema comes first in search_path")
    assert found[9].action == "invoke psql --command 'ALTER SCHEMA todo RENAME TO todo_aside'"
    assert found[10].cause == "todo-chatbot-postgres: line 9 of its settings is wrong, so its next start fails: syntax error"
    assert asked[0][:2] == (True, "psql")


def test_damaged_pages_are_told_before_what_is_only_at_risk(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "\n".join([ROWS[3], "damaged\ttodo\t4 times, the last at 2026-01-01 00:00 UTC\t"])
    cause = diagnosed(monkeypatch, Diagnosis("requests-failing", "backend", "b: GET /a fails", (), "invoke logs"), {}, rows)[0]
    assert cause.code == "database-damaged"
    assert "cannot be read (4 times, the last at 2026-01-01 00:00 UTC)" in cause.cause
    assert cause.action.startswith("invoke backup FILE saves what can be read")


def test_another_database_is_not_asked_and_one_that_cannot_be_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise shell.CommandError("psql ended with 2", [], Result(2, "", "", 0.1))

    monkeypatch.setattr(shell, "run", refuse)
    assert state.found(project("postgresql://u:p@elsewhere.example.com/db")) == []
    monkeypatch.setattr(access, "in_bundled", lambda *_, **__: CommandLine(["psql"]))
    assert state.found(project()) == []
    assert not state.without_locks(project())


@pytest.mark.parametrize(
    ("refusal", "action"),
    [
        ('database "todo" is not currently accepting connections', "ALLOW_CONNECTIONS true"),
        ('password authentication failed for user "todo"', "invoke restart postgres"),
        ('no pg_hba.conf entry for host "127.0.0.1"', "pg_hba_file_rules"),
        ('too many connections for database "todo"', "see who holds them"),
        ("something new", "invoke logs postgres"),
    ],
)
def test_a_database_that_lets_nobody_new_in_is_told_while_the_pods_go_on(
    monkeypatch: pytest.MonkeyPatch, refusal: str, action: str
) -> None:
    said = f'psql: error: connection to server at "127.0.0.1", port 5432 failed: FATAL:  {refusal}\n'

    def answer(argv: Sequence[str], **_: object) -> Result:
        if argv == ["login"]:
            raise shell.CommandError("psql ended with 2", [], Result(2, "", said, 0.1))
        return Result(0, ROWS[3], "", 0.1)

    monkeypatch.setattr(access, "in_bundled", lambda *_, login=False: CommandLine(["login" if login else "owner"]))
    monkeypatch.setattr(shell, "run", answer)
    unlogged, closed = state.found(project())
    assert closed.cause == f"todo-chatbot-postgres: the database lets no new connection of the app in: {refusal}"
    assert action in closed.action
    assert "UNLOGGED" in unlogged.cause


def test_a_login_that_is_refused_follows_from_the_password_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    row = "password\ttodo\t2026-11-29 00:33 UTC\tALTER ROLE todo VALID UNTIL 'infinity'"

    def answer(argv: Sequence[str], **_: object) -> Result:
        if argv == ["login"]:
            said = 'FATAL:  password authentication failed for user "todo"'
            raise shell.CommandError("psql ended with 2", [], Result(2, "", said, 0.1))
        return Result(0, row, "", 0.1)

    monkeypatch.setattr(access, "in_bundled", lambda *_, login=False: CommandLine(["login" if login else "owner"]))
    monkeypatch.setattr(shell, "run", answer)
    ended, closed = state.found(project())
    assert "lets nobody in after 2026-11-29 00:33 UTC" in ended.cause
    assert (ended.follows_from, closed.follows_from) == ("", ended.workload)


def test_of_a_database_that_starts_others_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise shell.CommandError("psql ended with 2", [], Result(2, "", "FATAL:  the database system is starting up", 0.1))

    monkeypatch.setattr(access, "in_bundled", lambda *_, **__: CommandLine(["psql"]))
    monkeypatch.setattr(shell, "run", refuse)
    assert state.found(project()) == []


@pytest.mark.parametrize(("said", "held"), [("0", False), ("2", True)])
def test_a_query_that_did_not_end_has_another_reason_where_nothing_holds_a_lock(
    monkeypatch: pytest.MonkeyPatch, said: str, held: bool
) -> None:
    slow = Diagnosis("requests-failing", "backend", "backend: GET /a fails", ("log: a query timed out",), f"delete it; {LOCKED_ACTION}")
    answers = {state.BLOCKING: "", state.HELD: said, state.OF_TABLES: ""}
    (cause,) = diagnosed(monkeypatch, slow, answers)
    assert (LOCKED_ACTION in cause.action) is held
    assert any("nothing waits for a lock" in line for line in cause.evidence) is not held


@pytest.mark.parametrize("code", ["requests-failing", "requests-slow"])
def test_who_holds_what_others_wait_for_is_named(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    action = LOCKED_ACTION if code == "requests-failing" else "invoke logs frontend"
    line = "process 7 (psql) holds what 3 others wait for: LOCK TABLE todos"
    trigger = "table todos has the trigger audit: DROP TRIGGER audit ON todos"
    answers = {state.BLOCKING: line, state.OF_TABLES: trigger}
    (cause,) = diagnosed(monkeypatch, Diagnosis(code, "frontend", "frontend: GET / is slow", (), action), answers)
    assert cause.evidence == (f"in the database, {trigger}, where no migration made it", f"in the database, {line}")
    assert cause.action == "see what it does there, or end it: invoke psql --command 'SELECT pg_terminate_backend(7)'"


def test_who_is_idle_in_a_transaction_may_hold_what_requests_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "process 9 (psql) is idle in a transaction since 10:00:00 UTC: what it has locked stays locked"
    timed_out = Diagnosis("requests-failing", "backend", "backend: PATCH /a fails", ("log: a query timed out",), LOCKED_ACTION)
    (cause,) = diagnosed(monkeypatch, timed_out, {state.IDLE: line})
    assert f"in the database, {line}" in cause.evidence
    assert cause.action.endswith("'SELECT pg_terminate_backend(9)'")


@pytest.mark.parametrize(
    ("row", "follows"),
    [
        (ROWS[0], False),
        ("written\tssl\ton\t/data/postgresql.conf", False),
        ("wrong\tline 9 of its settings\tsyntax error\t/data/postgresql.conf", False),
        ("password\ttodo\t2026-12-01 00:00 UTC\tALTER ROLE todo VALID UNTIL 'infinity'", False),
        (ROWS[2], True),
        ("behind\ttodos.position\t5\tSELECT setval('s', 5)", True),
    ],
)
def test_what_only_the_next_start_meets_explains_no_request_that_fails_now(
    monkeypatch: pytest.MonkeyPatch, row: str, *, follows: bool
) -> None:
    failing = Diagnosis("requests-failing", "backend", "backend: POST /a fails", (), "see who made the constraint")
    found = diagnosed(monkeypatch, failing, {}, row)
    cause = next(each for each in found if each.code == "requests-failing")
    assert bool(cause.follows_from) is follows


def test_a_lock_that_others_wait_for_is_told_before_a_request_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Diagnosis("requests-failing", "backend", "backend: PATCH /a fails", (), LOCKED_ACTION)
    root, cause = diagnosed(monkeypatch, failing, {}, "locks\t9 (psql)\t10:00:00 UTC\tSELECT pg_terminate_backend(9)")
    assert (root.code, root.action) == ("database-locked", "invoke psql --command 'SELECT pg_terminate_backend(9)'")
    assert cause.follows_from == root.workload


def test_what_somebody_made_of_a_table_is_dropped_before_logs_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Diagnosis("requests-failing", "backend", "backend: POST /a fails", (), "invoke logs backend --since 5m")
    rule = "table public.todos has the rule keep: DROP RULE keep ON public.todos"
    answers = {state.OF_TABLES: rule}
    (cause,) = diagnosed(monkeypatch, failing, answers)
    assert cause.action == (
        "drop what no migration made: invoke psql --command 'DROP RULE keep ON public.todos'; else invoke logs backend --since 5m"
    )


@pytest.mark.parametrize(("each", "told"), [(0.8, True), (0.02, False)])
def test_a_disk_on_which_a_commit_of_nothing_takes_long_is_why_requests_are_slow(
    monkeypatch: pytest.MonkeyPatch, each: float, *, told: bool
) -> None:
    times = "\n0/1A2B\n".join(f"{1_770_000_000 + each * count:.6f}" for count in range(4))
    slow = Diagnosis("requests-slow", "backend", "backend: POST /a is slow", (), "see what the database is waiting for")
    (cause,) = diagnosed(monkeypatch, slow, {state.TIME: times})
    assert ("in the database, a commit of nothing takes 0.8 s" in cause.evidence) is told
    assert cause.action.startswith("the disk of its volume is slow") is told


def diagnosed(
    monkeypatch: pytest.MonkeyPatch, wrong: Diagnosis, answers: dict[str, str], rows: str = "", seen: Sequence[Diagnosis] = ()
) -> list[Diagnosis]:
    """What is told beside a cause where the database answers like this."""
    monkeypatch.setattr(state, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(access, "in_bundled", lambda _, *argv, **__: CommandLine(argv))

    def answer(argv: Sequence[str], **_: object) -> Result:
        if argv[-1] == state.TIME:
            return Result(0, answers.get(argv[-1], "1.0\n0/1A2B\n1.001\n"), "", 0.1)
        patience, query = argv[-1].split(";", 1)
        assert f"{patience};" == "SET lock_timeout = '2s';", "a locked table would hold diagnose up"
        return Result(0, rows if query == state.QUERY else answers.get(query, ""), "", 0.1)

    monkeypatch.setattr(shell, "run", answer)
    monkeypatch.setattr(causes, "answering_badly", lambda *_: [wrong])
    asking = SimpleNamespace(
        settings=load_settings(), env={"DATABASE_URL": ""}, engine=SimpleNamespace(diagnose=lambda: list(seen), deployment=None)
    )
    monkeypatch.setattr(causes.certificate, "ends", lambda _: [])
    return causes.causes(asking, Mock())  # type: ignore[arg-type]


@pytest.mark.parametrize("line", ["the table todos holds 60 MB in 3 rows", ""])
def test_memory_that_is_used_up_is_told_with_the_rows_that_may_be_why(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    killed = Diagnosis("out-of-memory", "todo-chatbot-backend", "it was killed", (), "raise resources.limits.memory")
    answers = {state.LARGE_ROWS: line}
    wrong = Diagnosis("crash-later", "todo-chatbot-frontend", "c", (), "a")
    monkeypatch.setattr(causes.between, "cut_off", lambda _, found: list(found))
    cause, other = diagnosed(monkeypatch, wrong, answers, seen=[killed, wrong])
    assert cause.evidence == ((f"in the database, {line}",) if line else ())
    assert ("FROM todos t ORDER BY 1 DESC" in cause.action) is bool(line)
    assert cause.action.endswith("raise resources.limits.memory")
    assert other == wrong


@pytest.mark.parametrize("sql", ["ALTER TABLE a SET LOGGED", "SELECT f('x')", 'ALTER TABLE "A b" SET LOGGED', "SELECT f('$x', \"y\")"])
def test_a_command_is_one_word_of_a_shell(sql: str) -> None:
    assert shlex.split(state.quoted(sql)) == [sql]
