"""Score an assistant on a table of requests: `python -m todo_backend.evaluate TABLE.yaml…`.

It asks the assistant that the environment chooses, Gemini or the rules, in this process, at the time that the table
says. The database of DATABASE_URL must hold no todos: each case makes its own and deletes them.
"""

import argparse
import asyncio
import logging
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from todo_backend.app import create_app
from todo_backend.clock import Clock
from todo_backend.database_url import DatabaseUrlError
from todo_backend.settings import Settings, SettingsError

NOW = "2026-11-26T09:30"  # a Thursday
TIME_ZONE = "Europe/Berlin"
_FIELDS = {
    "title": "title",
    "due": "due_date",
    "time": "due_time",
    "priority": "priority",
    "tags": "tags",
    "notes": "notes",
    "done": "done",
}
_EMPTY: dict[str, Any] = {"due": None, "time": None, "priority": "normal", "tags": [], "notes": "", "done": False}
_OF_GROUPS = ("before", "page", "now", "time_zone", "hour_cycle")
_GOAL = 0.95


class TableError(Exception):
    """A table cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Case:
    """What is there, what is said, and what is right."""

    before: Sequence[Mapping[str, Any]]
    say: Sequence[str]
    after: Sequence[Mapping[str, Any]]
    page: Sequence[str] | None = None
    asks: bool = False
    lists: Sequence[str] | None = None
    says: str = ""
    now: str = NOW
    time_zone: str = TIME_ZONE
    hour_cycle: str = "h23"


@dataclass
class Result:
    """What became of a case; `problem` is empty when it is right, `harm` tells that a todo is not as it was meant."""

    case: Case
    answer: str
    problem: str = ""
    harm: bool = False


@dataclass
class Score:
    """How many cases are right, and how many did harm."""

    results: list[Result] = field(default_factory=list)

    @property
    def right(self) -> int:
        """How many are right."""
        return sum(not result.problem for result in self.results)

    @property
    def harmful(self) -> int:
        """How many changed what the user did not mean."""
        return sum(result.harm for result in self.results)

    def __str__(self) -> str:
        share = self.right / len(self.results) if self.results else 0
        return f"{self.right} of {len(self.results)} right ({share:.1%}), {self.harmful} harmful"


class TableClock(Clock):
    """A clock that stands where a case puts it."""

    def __init__(self) -> None:
        super().__init__(lambda: self.instant)
        self.instant = datetime.now(UTC)


def read_table(text: str, name: str) -> list[Case]:
    """Read a table.

    Raises:
        TableError: it is no such table.
    """
    try:
        import yaml  # only who evaluates needs it, so the image has it not
    except ImportError as error:
        raise TableError("reading tables needs PyYAML: pip install pyyaml") from error
    try:
        groups = yaml.safe_load(text)
        return [_case(group, row) for group in groups for row in group["cases"]]
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise TableError(f"{name}: {type(error).__name__}: {error}") from error


def _case(group: Mapping[str, Any], row: Mapping[str, Any]) -> Case:
    known = {"say", "add", "change", "gone", "asks", "lists", "says", *_OF_GROUPS}
    if unknown := row.keys() - known:
        raise ValueError(f"unknown keys {sorted(unknown)} in {row['say']}")
    whole = {name: value for name, value in group.items() if name != "cases"} | dict(row)
    before = [_todo(todo) for todo in whole.get("before", [])]
    changes: Mapping[str, Any] = row.get("change", {})
    gone = row.get("gone", [])
    titles = [todo["title"] for todo in before]
    if strange := [title for title in [*changes, *gone] if title not in titles]:
        raise ValueError(f"there is no todo {strange[0]!r} before {row['say']}")
    after = [_dated(todo | changes.get(todo["title"], {})) for todo in before if todo["title"] not in gone]
    said = [row["say"]] if isinstance(row["say"], str) else row["say"]
    return Case(
        before=before,
        say=said,
        after=[*after, *(_todo(todo) for todo in row.get("add", []))],
        page=whole.get("page"),
        asks=row.get("asks", False),
        lists=row.get("lists"),
        says=row.get("says", ""),
        now=str(whole.get("now", NOW)),
        time_zone=whole.get("time_zone", TIME_ZONE),
        hour_cycle=whole.get("hour_cycle", "h23"),
    )


def _todo(given: str | Mapping[str, Any]) -> dict[str, Any]:
    todo = {"title": given} if isinstance(given, str) else dict(given)
    if unknown := todo.keys() - _FIELDS.keys():
        raise ValueError(f"unknown fields {sorted(unknown)}")
    return _dated(_EMPTY | todo)


def _dated(todo: dict[str, Any]) -> dict[str, Any]:
    return todo | {"due": todo["due"] and str(todo["due"])}  # YAML reads a date as such


async def evaluate(
    client: httpx2.AsyncClient, clock: TableClock, cases: Sequence[Case], report: Callable[[Result], None]
) -> Score:
    """Try every case, one after the other."""
    score = Score()
    made: list[dict[str, Any]] = []
    before: Sequence[Mapping[str, Any]] = []
    is_as_made = True
    for case in cases:
        if case.before != before or not is_as_made:
            for todo in await _all(client):
                await _call(client, "DELETE", f"/api/todos/{todo['id']}")
            before, made = case.before, [await _make(client, todo) for todo in case.before]
        result, is_as_made = await _try(client, clock, case, made)
        report(result)
        score.results.append(result)
    for todo in await _all(client):
        await _call(client, "DELETE", f"/api/todos/{todo['id']}")
    return score


async def _all(client: httpx2.AsyncClient) -> list[dict[str, Any]]:
    todos: list[dict[str, Any]] = (await _call(client, "GET", "/api/todos", params={"limit": 200}))["items"]
    return todos


def _as_judged(todos: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_plain(todo) | {"id": todo["id"]} for todo in todos]


async def _try(
    client: httpx2.AsyncClient, clock: TableClock, case: Case, made: Sequence[Mapping[str, Any]]
) -> tuple[Result, bool]:
    """Try one case; tell also whether the list is as it was made again."""
    clock.instant = datetime.fromisoformat(case.now).replace(tzinfo=ZoneInfo(case.time_zone))
    ids = {todo["title"]: todo["id"] for todo in made}
    shown = [ids[title] for title in case.page] if case.page is not None else list(ids.values())[::-1]
    told: dict[str, Any] = {"conversation_id": None}
    undos: list[str] = []
    for message in case.say:
        body = {
            "message": message,
            "conversation_id": told["conversation_id"],
            "time_zone": case.time_zone,
            "shown": shown,
            "hour_cycle": case.hour_cycle,
        }
        told = await _call(client, "POST", "/api/chat", json=body)
        undos += [told["undo"]] if told["undo"] else []
    now = _as_judged(await _all(client))
    result = _judge(case, made, now, told)
    for undo in reversed(undos):  # quicker than making the list again; what cannot be undone is made again
        await client.post(f"/api/undo/{undo}")
    left = _as_judged(await _all(client)) if undos else now
    return result, left == _as_judged(made)


async def _make(client: httpx2.AsyncClient, todo: Mapping[str, Any]) -> dict[str, Any]:
    body = {_FIELDS[name]: value for name, value in todo.items() if name != "done" and value is not None}
    made = await _call(client, "POST", "/api/todos", json=body)
    return await _call(client, "POST", f"/api/todos/{made['id']}/complete") if todo["done"] else made


async def _call(client: httpx2.AsyncClient, method: str, path: str, **options: Any) -> dict[str, Any]:
    answer = await client.request(method, path, **options)
    answer.raise_for_status()
    return answer.json() if answer.content else {}


def _plain(todo: Mapping[str, Any]) -> dict[str, Any]:
    return {name: todo[column] for name, column in _FIELDS.items()}


def _judge(
    case: Case, made: Sequence[Mapping[str, Any]], now: Sequence[dict[str, Any]], told: Mapping[str, Any]
) -> Result:
    text = told["text"]
    meant = list(map(_comparable, case.after))
    are = [_comparable(todo) for todo in now]
    problems: list[str] = []
    if missing := [todo for todo in meant if todo not in are]:
        problems.append(f"missing {_short(missing)}")
    if extra := [todo for todo in are if todo not in meant]:
        problems.append(f"unexpected {_short(extra)}")
    if len(are) != len(meant) and not problems:
        problems.append(f"{len(are)} todos instead of {len(meant)}")
    if case.asks and not (told["choices"] or "?" in text):
        problems.append("does not ask")
    if case.lists is not None and (listed := re.findall(r"^\d+[.)] (.+?)(?: \(.*\))?$", text, re.MULTILINE)) != list(
        case.lists
    ):
        problems.append(f"lists {listed}")
    if case.says and not re.search(case.says, text, re.IGNORECASE):
        problems.append(f"does not say {case.says!r}")
    return Result(case, text, "; ".join(problems), _harms(case, made, now))


def _harms(case: Case, made: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a todo that was there is neither as it was nor as it was meant to be."""
    current = {todo["id"]: _comparable(todo) for todo in now}
    meant = list(map(_comparable, case.after))
    for todo in made:
        before, after = _comparable(_plain(todo)), current.get(todo["id"])
        if after is None and before in meant:
            return True
        if after is not None and after != before and after not in meant:
            return True
        if after is not None and after != before and before in meant:
            return True
    return False


def _comparable(todo: Mapping[str, Any]) -> dict[str, Any]:
    return {name: sorted(todo[name]) if name == "tags" else todo[name] for name in _FIELDS}


def _short(todos: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(
        str({name: value for name, value in todo.items() if value != _EMPTY.get(name, "")}) for todo in todos
    )


@asynccontextmanager
async def _running(settings: Settings, clock: Clock) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(settings, clock)
    headers = {"Authorization": f"Bearer {settings.api_token.get_secret_value()}"}
    client = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://app", headers=headers, timeout=600
    )
    async with app.router.lifespan_context(app), client:
        yield client


async def _main(settings: Settings, cases: Sequence[Case]) -> Score:
    clock = TableClock()
    async with _running(settings, clock) as client:
        try:
            if not (await _call(client, "GET", "/api/todos"))["total"]:
                return await evaluate(client, clock, cases, _print)
        except httpx2.HTTPError as error:
            failure = TableError(str(error))
        else:
            failure = TableError("the database holds todos; the table needs one of its own, migrated and empty")
    raise failure  # outside, since the app's task groups would wrap it


def _print(result: Result) -> None:
    if result.problem:
        print("HARM " if result.harm else "wrong", " / ".join(result.case.say))
        print(f"      {result.problem}\n      said: {result.answer!r}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Score the assistant; return 0 when the goal is reached, 1 when not, 2 for input that cannot be used."""
    logging.basicConfig(level=logging.WARNING)  # before a library sets up logs of its own; a request a line is too much
    parser = argparse.ArgumentParser(prog="python -m todo_backend.evaluate", description=__doc__)
    parser.add_argument("tables", nargs="+", type=Path, help="YAML files of cases")
    options = parser.parse_args(arguments)
    try:
        cases = [case for path in options.tables for case in read_table(path.read_text(), path.name)]
        score = asyncio.run(_main(Settings.from_environment(os.environ), cases))
    except (OSError, TableError, SettingsError, DatabaseUrlError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(score)
    return 0 if score.right >= _GOAL * len(score.results) and not score.harmful else 1


if __name__ == "__main__":
    sys.exit(main())
