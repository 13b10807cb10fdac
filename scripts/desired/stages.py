"""The way from what runs to what should: one release, or several in turn where the pods that still serve need more than the new one holds.

Each stage is rolled out before the next. All but the last keep what only the old pods need (the bundled Postgres, services that went, ways
out), and let a value that services share change in three steps, so that nobody is sent one that it does not take yet:
the old one is sent and both are taken, the new one is sent and both are taken, the new one alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.config import database_url
from scripts.config.database_url import DatabaseUrlError
from scripts.config.env_file import EnvFile
from scripts.config.service_problems import DATABASE
from scripts.config.settings import EnvKey, Settings
from scripts.desired.helm_release import provisional_release
from scripts.desired.kept import kept, told
from scripts.desired.secrets import ALSO, Secret, Value, desired_secrets, uses_bundled_database, value_of


@dataclass(frozen=True)
class Running:
    """What the release that was rolled out last was installed with."""

    values: Mapping[str, Any]
    secrets: Mapping[str, Mapping[str, str]] = field(repr=False)
    """The content of its Secrets, by service."""

    def held(self, key: str, settings: Settings) -> list[Value]:
        """Return what the services hold of a key of `.env`; containers that are replaced one by one may differ.

        One that takes it with another scheme holds another text, and is not asked.
        """
        found = []
        for name, held in self.secrets.items():
            service = settings.services.get(name)
            names = [each.name for each in service.secrets if each.key == key and not each.scheme] if service else [key]
            found += [Value(held[each], held.get(each + ALSO, "")) for each in names if each in held]
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Stage:
    """One release on the way."""

    secrets: tuple[Secret, ...]
    keeps: Mapping[str, Any] = field(default_factory=dict)
    """Values of the chart for what only old pods need."""
    tells: tuple[str, ...] = ()
    """What it brings, a line each; nothing where it is the only one."""
    last: bool = True


def stages(settings: Settings, env: EnvFile, running: Running | None) -> list[Stage]:
    """Return the releases to roll out in turn; the last is the desired one. Pure. Raises InputError for a Secret that is none."""
    if running is None:
        return [Stage(tuple(desired_secrets(settings, env)))]
    wanted = {**provisional_release(settings, monitoring=False).values, DATABASE: {"enabled": uses_bundled_database(settings, env)}}
    keeps = kept(wanted, running.values)
    steps = _steps(settings, env, running)
    if keeps and len(steps) == 1:
        steps *= 2
    found = []
    for index, at in enumerate(steps):
        last = index == len(steps) - 1
        tells = [
            *_told(at, steps[index - 1] if index else {}, steps[-1]),
            *_told_keeps(list(told(keeps, wanted)), first=not index, last=last),
        ]
        found.append(Stage(tuple(desired_secrets(settings, env, at)), {} if last else keeps, tuple(tells if len(steps) > 1 else ()), last))
    return found


def way(runs: Value, wanted: str) -> list[Value]:
    """Return what a shared value is in each stage from what runs to the one that is wanted.

    >>> [(each.sent, each.also) for each in way(Value("old"), "new")]
    [('old', 'new'), ('new', 'old'), ('new', '')]
    >>> [(each.sent, each.also) for each in way(Value("old", "new"), "new")]
    [('new', 'old'), ('new', '')]
    """
    if runs.also == wanted:
        return [Value(wanted, runs.sent), Value(wanted)]
    # The other value may be sent by now, by a run that was on its way there: what takes it has to be everywhere first.
    begun = [runs] if runs.also else []
    return [*begun, Value(wanted)] if runs.sent == wanted else [*begun, Value(runs.sent, wanted), Value(wanted, runs.sent), Value(wanted)]


def _steps(settings: Settings, env: EnvFile, running: Running) -> list[dict[str, Value]]:
    """What the keys that overlap are in each stage."""
    wanted = {key: value_of(key, settings, env) for key, rule in settings.env.items() if rule.overlap}
    ways = {
        key: max(
            (way(held, value) for held in running.held(key, settings) if _may_overlap(settings.env[key], held.sent, value)),
            key=len,
            default=[],
        )
        for key, value in wanted.items()
    }
    steps = []
    for index in range(max([1, *map(len, ways.values())])):
        at = {key: found[min(index, len(found) - 1)] for key, found in ways.items() if found}
        for key in [key for key, value in at.items() if value.sent != wanted[key] and not env.get(key)]:
            for part in re.findall(r"\{(\w+)\}", settings.env[key].default):  # what a default is made of changes with what is sent
                at.update((part, Value(held.sent)) for held in running.held(part, settings))
        steps.append(at)
    return steps


def _may_overlap(rule: EnvKey, old: str, new: str) -> bool:
    """Whether one can stand in for the other: of URLs of databases, those that differ in user and password alone."""
    if rule.format != "postgres_url" or not new:
        return bool(old and new)
    try:
        urls = [database_url.parse(each) for each in (old, new)]
    except DatabaseUrlError:
        return False
    return len({(url.host, url.port, url.database, *sorted(url.parameters.items())) for url in urls}) == 1


def _told(at: Mapping[str, Value], before: Mapping[str, Value], wanted: Mapping[str, Value]) -> Iterator[str]:
    for key, value in at.items():
        was = before.get(key)
        if value != was and value.also:
            yield f"{key}: the {'new' if value.sent == wanted[key].sent else 'old'} value is sent, and both are taken"
        elif was and was.also and not value.also:
            yield f"{key}: the new value alone is taken"


def _told_keeps(keeps: Sequence[str], *, first: bool, last: bool) -> Iterator[str]:
    if keeps and first:
        yield f"kept for the old pods until the new ones serve: {', '.join(keeps)}"
    if keeps and last:
        yield f"no longer needed, and removed: {', '.join(keeps)}"
