"""What a person does by hand to a service that runs, and how an engine lets them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from scripts.core.report import Outcome, StepReport
from scripts.core.shell import CommandLine


class Operations(Protocol):
    """By hand, on one service. Each method raises InputError for a service that is not there, with the names of those that are."""

    def restart(self, service: str, timeout: float, step: StepReport) -> Outcome:
        """Start a service's program again, and wait until it is ready. Raises TaskError with the cause where it does not get ready."""

    def scale(self, service: str, pods: int | None, chart: Path, timeout: float, step: StepReport) -> Outcome:
        """Keep so many pods of a service, or, with None, as many as the settings say. Raises InputError where an engine cannot."""

    def inside(self, service: str, argv: Sequence[str], *, terminal: bool = False) -> CommandLine:
        """Return what runs a program in a container of the service, with our standard input. Raises TaskError where none runs."""

    def beside(self, service: str, argv: Sequence[str], image: str, *, terminal: bool) -> CommandLine:
        """Return what runs a program of another image beside the service: its network and processes. Raises TaskError.

        image: empty takes the image of a service of the app that has a shell, or else a small public one.
        """

    def renew(self, services: Collection[str], step: StepReport) -> None:
        """Restart these services, init containers included; what is to come then is for `up` to bring, and to wait for."""
