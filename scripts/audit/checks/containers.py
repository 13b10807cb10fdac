"""Checks of what containers show of themselves from inside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from scripts.audit.facts import CLUSTER, Facts, Finding, Inside, Live, judged, not_checkable, of_live
from scripts.core.counting import several

Wrong = Callable[[Inside], list[str]]
READ_ONLY, WRITTEN = "EROFS", "written"


def _of_containers(wrong_in: Wrong, shown: Callable[[Inside], str]) -> Callable[[Facts, Mapping[str, Any]], Finding]:
    """Return a check of every container: what is wrong in it, and what is shown of it."""

    def check(live: Live, _facts: Facts, _: Mapping[str, Any]) -> Finding:
        seen = [each for each in live.containers if each.reader]
        blind = [
            f"{each.name} cannot be looked into: its image has no shell, python3 or node" for each in live.containers if not each.reader
        ]
        wrong = [f"{each.name}: {problem}" for each in seen for problem in wrong_in(each)]
        if not wrong and (blind or not seen):
            return not_checkable(live.on, "; ".join(blind) or "no container runs")
        evidence = [
            f"{several(len(seen), 'container')}: {_each([shown(each) for each in seen])}",
            f"read by {', '.join(dict.fromkeys(each.reader for each in seen))}",
        ]
        return judged(live.on, [*wrong, *(blind if wrong else [])], evidence)

    return of_live(check)


def _each(shown: list[str]) -> str:
    """Return what all containers have in common, or each sort with its number."""
    numbers = Counter(shown)
    return shown[0] if len(numbers) == 1 else ", ".join(f"{number} with {what}" for what, number in numbers.items())


def _user(container: Inside) -> str:
    """The effective user of process 1: the second of its real, effective, saved and file system's."""
    return container.status["Uid"].split()[1]


def _root(container: Inside) -> list[str]:
    user = _user(container)
    return [f"process 1 is user {user}"] if user == "0" else []


def _writable(container: Inside) -> list[str]:
    if container.write == WRITTEN:
        return ["its root file system was written to"]
    return (
        []
        if container.write == READ_ONLY
        else [f"a write to / ended with {container.write or 'nothing'}, which is not the file system's refusal"]
    )


def _privileged(container: Inside) -> list[str]:
    status = container.status
    wrong = [] if int(status.get("CapEff", "f"), 16) == 0 else [f"process 1 has capabilities {status.get('CapEff', '?')}"]
    wrong += [] if status.get("NoNewPrivs") == "1" else ["it may gain privileges (NoNewPrivs is not 1)"]
    return wrong + ([] if status.get("Seccomp") == "2" else ["no seccomp filter is in force"])


def policies(live: Live, _facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether the allowed connections are made and no other."""
    if live.on != CLUSTER:
        return not_checkable(live.on, "it has no network policies")
    tried = live.attempts
    wrong = [f"{each.source} reaches {each.target}, which none allows" for each in tried if each.opened and not each.allowed]
    wrong += [f"{each.source} does not reach {each.target}, which it may call" for each in tried if each.allowed and not each.opened]
    if not wrong and not _both(live):
        why = "no container has python3, node or bash to try an allowed connection and another; invoke smoke tries with pods of its own"
        return not_checkable(CLUSTER, why)
    went = [f"{each.source} -> {each.target} goes through" for each in tried if each.allowed]
    return judged(CLUSTER, wrong, [*went, *(f"{each.source} -> {each.target} is blocked" for each in tried if not each.allowed)])


def _both(live: Live) -> bool:
    return {each.allowed for each in live.attempts} == {True, False}


CHECKS = {
    "non-root": _of_containers(_root, lambda each: f"user {_user(each)}"),
    "read-only-root": _of_containers(_writable, lambda each: f"a write to / is refused ({each.write})"),
    "non-privileged": _of_containers(_privileged, lambda each: f"CapEff {each.status['CapEff']}, NoNewPrivs 1, Seccomp 2"),
    "policies": of_live(policies),
}
