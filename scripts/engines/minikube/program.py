"""The `minikube` program, asked about one profile in an environment of its own."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from scripts.core import shell
from scripts.core.errors import MissingError
from scripts.core.shell import Result
from scripts.engines.minikube import profile
from scripts.engines.minikube.profile import Profile, State

ASK_SECONDS = 60
CHANGE_SECONDS = 300


class MinikubeProgram:
    """Runs `minikube` for a profile. What it told of the profile is remembered until something is changed through here."""

    def __init__(self, name: str, environment: Mapping[str, str | None]) -> None:
        """Take the profile's name, and variables for every call beside those that make Minikube's words plain."""
        self.name = name
        self.environment = {**environment, "MINIKUBE_IN_STYLE": "false", "MINIKUBE_WANTUPDATENOTIFICATION": "false"}
        self._profile: list[Profile | None] = []
        self._state: list[State] = []

    def forget(self) -> None:
        """Forget what was told: it may have changed."""
        self._profile, self._state = [], []

    def profile(self) -> Profile | None:
        """Return the profile's configuration; None where there is none. Raises MissingError when Minikube cannot tell."""
        if not self._profile:
            self._profile = [self._ask_profile()]
        return self._profile[0]

    def state(self) -> State:
        """Return what the profile is now."""
        if not self._state:
            answer = self.run("status", "--profile", self.name, "--output", "json", ok=None)
            state = profile.read_status(answer.code, answer.stdout)
            self._state = [State.WORKER_GONE if state is State.GONE and self._only_workers_are_gone() else state]
        return self._state[0]

    def gone_nodes(self) -> list[str]:
        """Return the nodes of the profile that were removed behind Minikube's back: not those that were never made."""
        there = self.profile()
        return [node for node in there.nodes if node not in there.unaddressed and self._is_gone(node)] if there else []

    def _only_workers_are_gone(self) -> bool:
        """Where one of several nodes is gone, Minikube says of all of them nothing but `null`; each is asked about alone."""
        there = self.profile()
        return there is not None and len(there.nodes) > 1 and not self._is_gone(there.nodes[0])

    def _is_gone(self, node: str) -> bool:
        answer = self.run("status", "--profile", self.name, "--node", node, "--output", "json", ok=None)
        return profile.read_status(answer.code, answer.stdout) in (State.GONE, State.WORKER_GONE)

    def forget_lost_machines(self) -> None:
        """Remove what Minikube keeps of containers that were the profile's nodes, where it knows no such node, or none with an address.

        It would take a new node of that name for the old one, and wait for minutes for it to join without ever telling it to
        (mk:pkg/minikube/machine/start.go, StartHost).
        """
        kept = {node for each in self._profiles().values() for node in each.nodes if node not in each.unaddressed}
        lost = re.compile(rf"{re.escape(self.name)}-m\d+")
        for folder in (home() / "machines").glob(f"{self.name}-m*"):
            if lost.fullmatch(folder.name) and folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _ask_profile(self) -> Profile | None:
        return self._profiles().get(self.name)

    def _profiles(self) -> Mapping[str, Profile]:
        answer = self.run("profile", "list", "--light", "--output", "json", ok=None)
        try:
            return profile.read_profiles(answer.stdout)
        except ValueError:
            said = (answer.stderr or answer.stdout).strip().splitlines()[-3:]
            raise MissingError("minikube cannot list its profiles", f"look at {home()}", said, code="engine-unusable") from None

    def run(self, *argv: str, timeout: float = ASK_SECONDS, ok: Collection[int] | None = (0,)) -> Result:
        """Ask Minikube. Raises what shell.run raises."""
        return shell.run(["minikube", *argv], timeout=timeout, ok=ok, env=self.environment)

    def change(self, *argv: str) -> None:
        """Have Minikube change something, and forget what it told. Raises what shell.run raises."""
        self.forget()
        self.run(*argv, timeout=CHANGE_SECONDS)


def home() -> Path:
    """Return Minikube's own folder: it appends `.minikube` to MINIKUBE_HOME unless that ends so."""
    named = os.environ.get("MINIKUBE_HOME")
    if not named:
        return Path.home() / ".minikube"
    return Path(named) if named.endswith(".minikube") else Path(named) / ".minikube"
