"""What a shell completes after our commands: services, engines, keys (`invoke --print-completion-script bash`)."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from invoke import program

if TYPE_CHECKING:
    from scripts.config.settings import Settings

Values = Callable[["Settings"], Iterable[str]]


def _services(settings: Settings) -> list[str]:
    return [*settings.services, *(["postgres"] if settings.database else [])]


def _targets(settings: Settings) -> list[str]:
    ports = [name for name, service in settings.services.items() if service.port]
    return ["app", *ports, *(["grafana", "prometheus"] if settings.monitoring.enabled else [])]


def _keys(settings: Settings) -> list[str]:
    return [key for key, rule in settings.env.items() if rule.generate]


def _engines() -> Iterable[str]:
    from scripts.config.settings import ENGINES

    return ENGINES


FIRST_WORDS: dict[str, Values] = {
    "logs": _services,
    "restart": _services,
    "shell": _services,
    "scale": lambda settings: settings.services,
    "open": _targets,
    "dashboard": _targets,
    "rotate": _keys,
}
"""By command, what its first word may be."""
OPTIONS: dict[str, Values] = {
    "--engine": lambda _: _engines(),
    "--key": lambda settings: [key for key, rule in settings.env.items() if rule.format == "postgres_url"],
}


def complete_values() -> None:
    """Let Invoke's completion know the values of our options and words."""
    names_and_options = program.complete

    def complete(names: list[str], core: Any, initial_context: Any, collection: Any, parser: Any) -> Any:
        found = values(core.remainder, list(collection.task_names))
        if found:
            print("\n".join(found))
        if found is None:
            return names_and_options(names, core, initial_context, collection, parser)
        raise program.Exit

    program.complete = complete  # it has no hook for this


def values(line: str, commands: Sequence[str]) -> list[str] | None:
    """Return what may come at the end of a command line; None where that is a command or an option.

    A shell does not tell whether a blank is at the end: a command that takes a word is offered with its words.
    """
    from scripts.config.settings import load_settings  # takes a while, which every command would pay for
    from scripts.core.errors import InputError

    try:
        _, *words = shlex.split(line)
        settings = load_settings()
    except (ValueError, InputError):
        return None
    for place in (-1, -2):
        if len(words) >= -place and words[place] in OPTIONS:
            return list(OPTIONS[words[place]](settings))
    last = next((place for place, word in reversed(list(enumerate(words))) if word in (*commands, *FIRST_WORDS)), None)
    if last is None or words[last] not in FIRST_WORDS or words[-1].startswith("-"):
        return None
    after = words[last + 1 :]
    found = list(FIRST_WORDS[words[last]](settings))
    if words[last] == "scale" and after and after[0] in found:
        return ["auto"]
    if len(after) > 1 or (after and after[0] in found):
        return None
    return found if after else [words[last], *found]
