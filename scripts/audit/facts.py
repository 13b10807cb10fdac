"""What was seen, and what follows from it for a clause: plain values, so that every check is a function of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from scripts.config.settings import Settings
from scripts.kubernetes.api import Object
from scripts.kubernetes.helm import Revision
from scripts.kubernetes.objects import has_ended, is_leaving, name_of, service_of

REPOSITORY, IMAGES, CHART, CLUSTER, DOCKER = "repository", "images", "rendered chart", "cluster", "docker engine"
WORKLOADS = ("Deployment", "StatefulSet")


class Verdict(StrEnum):
    """What follows for a clause."""

    KEPT = "kept"
    BROKEN = "broken"
    DEVIATES = "deviates"
    NOT_CHECKABLE = "not checkable here"


@dataclass(frozen=True)
class Finding:
    """What a check has found: on what, and the evidence in a few words, the most telling first."""

    verdict: Verdict
    on: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Unseen:
    """What could not be looked at, and why."""

    why: str


@dataclass(frozen=True)
class Repository:
    """What git and the files of the checkout say."""

    root: Path
    commands: frozenset[str]
    commits: int
    """Of `specs/`; 0 where there is no history."""
    all_commits: int = 0


@dataclass(frozen=True)
class ImageFacts:
    """One image: its name, the keys of its environment, and how many layers were read."""

    reference: str
    environment: tuple[str, ...]
    layers: int


@dataclass(frozen=True)
class Daemon:
    """The Docker daemon: what it calls the system that it runs on, and its version."""

    system: str
    version: str


@dataclass(frozen=True)
class Leak:
    """A value that was found where it must not be: its key and the place, never the value."""

    key: str
    place: str


@dataclass(frozen=True)
class Search:
    """Where the values of `.env` were looked for, and where they were found."""

    places: tuple[str, ...]
    leaks: tuple[Leak, ...] = ()
    keys: int = 0
    not_searched: tuple[str, ...] = ()
    """Places that could not be read."""
    too_short: tuple[str, ...] = ()
    """Keys whose values would be found in ordinary text."""


@dataclass(frozen=True)
class Objects:
    """Kubernetes objects of the app: those of the namespace with their status, or those that the chart renders."""

    on: str
    items: Sequence[Object]
    namespace: Object | None = None

    def of(self, *kinds: str) -> list[Object]:
        """Return the objects of these kinds."""
        return [each for each in self.items if each["kind"] in kinds]

    @property
    def live(self) -> bool:
        """Whether they are a cluster's."""
        return self.on == CLUSTER

    def pods(self) -> list[tuple[str, str, Object]]:
        """Return the service, the name and the specification of each pod: of those that run, or else of the workloads' templates."""
        if self.live:
            return [(service_of(pod), name_of(pod), pod["spec"]) for pod in self.of("Pod") if not ended(pod)]
        return [(service_of(each), name_of(each), each["spec"]["template"]["spec"]) for each in self.of(*WORKLOADS)]


@dataclass(frozen=True)
class Inside:
    """What a container showed of itself from inside."""

    name: str
    reader: str = ""
    """The program that told; empty: none of its image could."""
    status: Mapping[str, str] = field(default_factory=dict)
    """Of process 1, from `/proc/1/status`."""
    write: str = ""
    """How a write to `/` ended: `written`, or the refusal."""


@dataclass(frozen=True)
class Attempt:
    """A connection that was tried from one service to another."""

    source: str
    target: str
    allowed: bool
    opened: bool


@dataclass(frozen=True)
class Asked:
    """What a service answered at a path."""

    service: str
    path: str
    status: int
    """0: it did not answer."""
    samples: int = 0
    """Lines of a metrics page that are samples."""


@dataclass(frozen=True)
class Live:
    """What runs, seen from inside and by asking it."""

    on: str
    containers: Sequence[Inside]
    attempts: Sequence[Attempt]
    asked: Sequence[Asked]
    logged: Mapping[str, bool]
    """Whether a container has written to its log, by pod and container."""


@dataclass(frozen=True)
class Monitored:
    """What Prometheus says: how many targets are up, which are not, and which queries of dashboards answer nothing."""

    up: int
    down: Sequence[str]
    queries: int
    silent: Sequence[str]


@dataclass(frozen=True)
class Facts:
    """All that was seen for one audit."""

    settings: Settings
    engine: str
    repository: Repository
    daemon: Daemon | Unseen
    images: Sequence[ImageFacts] | Unseen
    search: Search | Unseen
    databases: Sequence[str] | Unseen
    """The hosts of the databases that the app uses; empty: the bundled one."""
    objects: Objects | Unseen
    live: Live | Unseen
    revisions: Sequence[Revision] | Unseen
    monitored: Monitored | Unseen
    assistant: str | Unseen = Unseen("kubectl-ai was not looked for")
    """kubectl-ai and its version."""
    score: str | Unseen = Unseen("invoke check.ai has not been run here")
    """How many of the assistant's answers were right, whose, and when."""


def ended(pod: Object) -> bool:
    """Whether a pod is a job's that has run, or leaves."""
    return has_ended(pod) or is_leaving(pod)


def containers_of(spec: Object, *, init: bool = False) -> Iterator[Object]:
    """Yield the containers of a pod's specification."""
    yield from spec.get("containers", ())
    if init:
        yield from spec.get("initContainers", ())


def judged(on: str, wrong: Sequence[str], evidence: Sequence[str]) -> Finding:
    """Return `broken` with what is wrong, or else `kept` with the evidence."""
    return Finding(Verdict.BROKEN if wrong else Verdict.KEPT, on, tuple(wrong or evidence))


def not_checkable(on: str, why: str) -> Finding:
    """Return that nobody can see it from here, and why."""
    return Finding(Verdict.NOT_CHECKABLE, on, (why,))


def of_live(judge: Callable[[Live, Facts, Mapping[str, Any]], Finding]) -> Callable[[Facts, Mapping[str, Any]], Finding]:
    """Return a check of what a judge says of what runs; it is not checkable where that could not be looked at."""

    def check(facts: Facts, looks_for: Mapping[str, Any]) -> Finding:
        return not_checkable(CLUSTER, facts.live.why) if isinstance(facts.live, Unseen) else judge(facts.live, facts, looks_for)

    return check


def counted(names: Sequence[str]) -> str:
    """Return names in a few words, each once: the number of times where it is more than one."""
    numbers = {name: list(names).count(name) for name in dict.fromkeys(names)}
    return ", ".join(name if number == 1 else f"{name} x{number}" for name, number in numbers.items())
