"""A cluster that kind, k3d or Minikube makes for the tests, where one of them can; it goes away with the run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.core import shell
from scripts.core.shell import CommandError

NAME = "todo-cluster-test"
MAKE_SECONDS = 900
DELETE_SECONDS = 180
DOCKER_SECONDS = 20


@dataclass(frozen=True)
class Maker:
    """A program that makes a cluster of containers. It writes to the kubeconfig that KUBECONFIG names, and to no other."""

    program: str
    context: str
    make: tuple[str, ...]
    delete: tuple[str, ...]
    runs_as_root: bool = True


MAKERS = (
    Maker(
        "kind",
        f"kind-{NAME}",
        ("kind", "create", "cluster", "--name", NAME, "--wait", "180s"),
        ("kind", "delete", "cluster", "--name", NAME),
    ),
    Maker(
        "k3d",
        f"k3d-{NAME}",
        ("k3d", "cluster", "create", NAME, "--wait", "--timeout", "180s"),
        ("k3d", "cluster", "delete", NAME),
    ),
    Maker(
        "minikube",
        NAME,
        ("minikube", "start", "--profile", NAME, "--driver", "docker", "--container-runtime", "containerd", "--addons", "metrics-server"),
        ("minikube", "delete", "--profile", NAME),
        runs_as_root=False,
    ),
)


class MadeCluster:
    """A cluster by one of the makers."""

    def __init__(self, maker: Maker, folder: Path) -> None:
        """Take the maker, and a folder for the kubeconfig; nothing is made yet."""
        self._maker = maker
        self.context = maker.context
        self.kubeconfig = folder / "kubeconfig"

    def up(self) -> None:
        """Make it. Raises CommandError, and leaves nothing then."""
        try:
            self._run(self._maker.make, MAKE_SECONDS)
        except CommandError:
            self.down()
            raise

    def down(self) -> None:
        """Remove it. Twice changes nothing."""
        self._run(self._maker.delete, DELETE_SECONDS, ok=None)

    def _run(self, argv: tuple[str, ...], timeout: float, ok: tuple[int, ...] | None = (0,)) -> None:
        shell.run(list(argv), timeout=timeout, ok=ok, env={"KUBECONFIG": str(self.kubeconfig)}, holds_lock=False)


def usable(maker: Maker) -> str:
    """Return why the maker cannot be used on this machine, or an empty string."""
    if not shutil.which(maker.program):
        return "it is not installed"
    if not maker.runs_as_root and os.geteuid() == 0:
        return "it does not run as root"
    if not shutil.which("docker") or shell.run(["docker", "version"], timeout=DOCKER_SECONDS, ok=None).code:
        return "no Docker daemon answers"
    return ""


def made(folder: Path) -> tuple[MadeCluster | None, Mapping[str, str]]:
    """Return a cluster by the first maker that can make one, and why the ones before it could not."""
    refusals: dict[str, str] = {}
    for maker in MAKERS:
        if refusal := usable(maker):
            refusals[maker.program] = refusal
            continue
        cluster = MadeCluster(maker, folder)
        try:
            cluster.up()
        except CommandError as error:
            refusals[maker.program] = (error.evidence or (error.cause,))[-1]
            continue
        return cluster, refusals
    return None, refusals
