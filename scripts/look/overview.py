"""What `invoke status` shows, asked side by side: pods, what they use, autoscalers, quota, certificates, what differs from the sources."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from scripts.core.decision import Change
from scripts.core.errors import TaskError
from scripts.core.report import Report, StepReport
from scripts.database import certificate
from scripts.engines.protocol import Address
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.usage import Amounts, QuotaUse, Scaling
from scripts.project import Project

T = TypeVar("T")


@dataclass
class Overview:
    """The state of a release at one moment. What could not be asked is empty, and `unknown` says why."""

    pods: Sequence[PodState] = ()
    usage: Mapping[str, Amounts] = field(default_factory=dict)
    scaling: Sequence[Scaling] = ()
    quota: Sequence[QuotaUse] = ()
    addresses: Sequence[Address] = ()
    certificates: Sequence[tuple[str, datetime]] = ()
    differences: Sequence[Change] = ()
    notes: Sequence[str] = ()
    unknown: dict[str, str] = field(default_factory=dict)


class _Quiet(StepReport):
    """Keeps what a decision tells a person, and shows none of it."""

    def __init__(self) -> None:
        super().__init__(Report(stdout=io.StringIO(), stderr=io.StringIO()), "status")
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def take(project: Project) -> Overview:
    """Return the overview of what is installed. Raises TaskError where not even the pods can be seen."""
    engine, found = project.engine, Overview()

    def part(name: str, ask: Callable[[], T], without: T) -> T:
        try:
            return ask()
        except TaskError as error:
            found.unknown[name] = error.cause
            return without

    with ThreadPoolExecutor(max_workers=6, thread_name_prefix="status") as pool:
        pods = pool.submit(engine.pods)
        usage = pool.submit(part, "usage", engine.usage, {})
        scaling = pool.submit(part, "autoscalers", engine.scaling, ())
        quota = pool.submit(part, "quota", engine.quota, ())
        ends = pool.submit(part, "certificates", lambda: [(key, end) for key, _, end in certificate.ends(project)], [])
        differs = pool.submit(part, "differences", lambda: differences(project, pods.result()), ([], []))
        found.pods, found.usage, found.scaling, found.quota = pods.result(), usage.result(), scaling.result(), quota.result()
        found.certificates, (found.differences, found.notes) = ends.result(), differs.result()
    found.addresses = engine.addresses()
    return found


def differences(project: Project, pods: Sequence[PodState]) -> tuple[list[Change], list[str]]:
    """Return what `up` would change of what runs, and what it would tell beside that. Changes nothing. Raises TaskError."""
    running = {pod.service: pod for pod in pods if pod.state.lower() == "running"}
    changes = [
        Change(f"{image.service}: build {image.reference}", "its sources differ from what runs")
        for image in project.images
        if image.service in running and not running[image.service].image.endswith(image.reference)
    ]
    changes += [
        Change(f"{secret.service}: hand it {secret.name}", "its values in .env differ from what runs")
        for secret in project.secrets
        if secret.service in running and secret.name not in running[secret.service].secrets
    ]
    step = _Quiet()
    decided = project.engine.decide_install(project.release(), project.secrets, step).changes
    return [*changes, *decided], step.said
