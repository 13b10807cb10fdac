"""What an engine is: a place where the app runs. Steps speak to it through this protocol alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from scripts.core.check import Problem
from scripts.core.decision import Decision
from scripts.core.report import Outcome, StepReport
from scripts.core.shell import Result
from scripts.desired.helm_release import HelmRelease
from scripts.desired.images import Image
from scripts.desired.secrets import Secret
from scripts.desired.stages import Running
from scripts.engines.operations import Operations
from scripts.images.prune import Superfluous
from scripts.kubernetes.deployment import Deployment
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.service_client import ServiceClient
from scripts.kubernetes.usage import Amounts, QuotaUse, Scaling
from scripts.logs.line import LogLine, LogQuery


@dataclass(frozen=True)
class Address:
    """Where a person opens a service: a URL, or the command that makes one."""

    service: str
    open: str


class Engine(Protocol):
    """A place where the app runs. What `up` changes is decided first: a `decide_` method observes, changes nothing, and returns the act."""

    name: str
    tools: Sequence[str]
    """The programs that it needs, by their names in `invoke.yaml`."""

    @property
    def deployment(self) -> Deployment | None:
        """The app's release in its cluster; None where there is no Kubernetes."""

    def platform(self) -> str:
        """Return the platform that images must be for, as Docker names it; empty: the Docker daemon's own. Fast."""

    def unusable(self) -> str:
        """Return why this engine cannot be used on this machine, or an empty string. Fast, and changes nothing."""

    def deployed(self) -> bool:
        """Return whether the app is installed here (running or not). Fast, and changes nothing."""

    def silent(self) -> str:
        """Return why what the app may be installed on does not answer, or an empty string. Fast, and changes nothing."""

    def preflight(self) -> list[Problem]:
        """Return every problem that would make `up` fail. Changes nothing."""

    def check(self, release: HelmRelease) -> None:
        """Render the chart with the settings, and refuse what cannot run here. Changes nothing. Raises TaskError."""

    def decide_start(self, step: StepReport) -> Decision:
        """Decide how to start what the app runs on."""

    def decide_load(self, images: Sequence[Image], step: StepReport) -> Decision:
        """Decide which images are to be sent to where containers start; the act verifies that they have arrived."""

    def decide_secrets(self, secrets: Sequence[Secret], step: StepReport) -> Decision:
        """Decide which Secrets are to be made. Values travel on standard input or in memory only."""

    def decide_install(self, release: HelmRelease, secrets: Sequence[Secret], step: StepReport) -> Decision:
        """Decide whether the release, which names these Secrets, is to be installed or upgraded, and what was changed past it."""

    def running(self, secrets: Sequence[Secret]) -> Running | None:
        """Return what the release that serves was installed with, where it may differ from what these Secrets say. Changes nothing."""

    def await_rollout(self, release: HelmRelease, timeout: float, step: StepReport) -> Outcome:
        """Wait until every workload of the release is ready. Raises TaskError with the cause, evidence and next action."""

    def superfluous(self, secrets: Sequence[Secret], images: Sequence[Image], *, everything: bool = False) -> Sequence[Superfluous]:
        """Return Secrets and images of ours that neither the running release nor a rollback needs. Changes nothing.

        everything: also images of the project that no revision of this release names: another checkout may have loaded them just now.
        """

    def withdraw(self, secrets: Sequence[Secret], images: Sequence[Image]) -> list[str]:
        """Remove every Secret but these, and the ways back to releases that hold others; return what still names one, a line each."""

    def rollback(self, step: StepReport) -> Outcome:
        """Bring back the last healthy release; the caller awaits its rollout. Raises InputError where none is kept."""

    def open_client(self) -> AbstractContextManager[ServiceClient]:
        """Return a way to ask the services, open while the block runs. Raises TaskError where there is none."""

    def addresses(self) -> list[Address]:
        """Return where a person opens the public services."""

    def pods(self) -> list[PodState]:
        """Return the pods of the app."""

    def usage(self) -> Mapping[str, Amounts]:
        """Return what each pod uses, by name; nothing where nobody measures it."""

    def scaling(self) -> Sequence[Scaling]:
        """Return what the autoscalers do; nothing where there are none."""

    def quota(self) -> Sequence[QuotaUse]:
        """Return how much of the namespace's quotas is used, the fullest first; nothing where there are none."""

    @property
    def operations(self) -> Operations:
        """What a person does by hand to a service."""

    def diagnose(self) -> list[Diagnosis]:
        """Return everything that keeps the app from being healthy. Changes nothing. Raises TaskError where nothing can be seen."""

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """Yield what the services have logged, or log from now on. Raises InputError for a service that is not there."""

    def reach(self, service: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """Return where this machine reaches a service's port, host and port, while the block runs. Raises TaskError where it cannot."""

    def execute(self, pod: PodState, argv: Sequence[str], given: str) -> Result:
        """Run a program in the container of a service, with this standard input, as its user. Raises TaskError where it cannot run."""

    def down(self, *, delete_data: bool, delete_cluster: bool, step: StepReport) -> Outcome:
        """Remove exactly what `up` made. The database's volume stays, unless `delete_data`; a cluster of ours, unless `delete_cluster`.

        Raises InputError when there is no cluster of ours to delete.
        """
