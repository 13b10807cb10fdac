"""What faults are made on: the installed app, its cluster, and, where it is that, the test cluster of this machine."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, cast

from tests.checkout import RELEASE, Run
from tests.cluster.app import App
from tests.cluster.local_cluster import images
from tests.cluster.local_cluster.cluster import LocalCluster

Call = str | Mapping[str, Any]
"""Arguments of kubectl, with $r for the release and its namespace; or an object to create."""
ENGINE = ("--engine", "kube_context")
LOG_LEVELS = ("info", "warning")


@dataclass(frozen=True)
class Named:
    """What was said of a fault."""

    line: str
    code: str
    evidence: tuple[str, ...] = ()

    def tells(self, code: str, words: str) -> bool:
        """Return whether this is that cause, in these words or with them as evidence."""
        return self.code == code and any(words in text for text in (self.line, *self.evidence))


@dataclass(frozen=True)
class Ground:
    """The app, and the cluster under it."""

    app: App
    own: LocalCluster | None = None

    def call(self, call: Call) -> None:
        """Do one call with kubectl."""
        if isinstance(call, str):
            self.app.cluster.kubectl(*shlex.split(Template(call).safe_substitute(r=RELEASE)), timeout=60)
        else:
            self.app.cluster.kubectl("create", "--filename", "-", input=Template(json.dumps(call)).safe_substitute(r=RELEASE))

    def diagnose(self, **environment: str) -> list[Named]:
        """Return what `invoke diagnose` says."""
        run = self.app.checkout.invoke("diagnose", "--json", *ENGINE, timeout=120, **environment)
        told = run.events()
        wrong = [e for e in told if e["event"] == "diagnosis" or (e["event"] == "error" and e["code"] != "not-healthy")]
        return [Named(str(e["cause"]), str(e["code"]), tuple(cast("list[str]", e["evidence"]))) for e in wrong]

    def up(self) -> Run:
        """Run `invoke up`."""
        return self.app.checkout.invoke("up", "--json", *ENGINE, timeout=900)

    def change(self) -> None:
        """Change the app's settings, so that the next `up` upgrades the release and rolls its pods."""
        path = self.app.checkout.path / "invoke.yaml"
        text = path.read_text(encoding="utf-8")
        old, new = LOG_LEVELS if f"LOG_LEVEL: {LOG_LEVELS[0]}" in text else LOG_LEVELS[::-1]
        path.write_text(text.replace(f"LOG_LEVEL: {old}", f"LOG_LEVEL: {new}"), encoding="utf-8")

    def forget_images(self, *services: str) -> None:
        """Remove the images of services from the node, as its garbage collection would."""
        assert self.own
        for service in services:
            image = self.app.values()["services"][service]["image"]
            name = f"docker.io/library/{image['repository']}:{image['tag']}"
            images.ctr(self.own.layout.containerd_socket, "images", "rm", "--sync", name)

    def kill_container(self, workload: str) -> None:
        """Kill what runs as container 0 of a workload's first pod, from outside."""
        container = self._container_of(workload)
        images.ctr(self._socket(), "tasks", "kill", "--signal", "KILL", container, ok=None)

    def process_of(self, workload: str) -> int:
        """Return the first process of container 0 of a workload's first pod."""
        container = self._container_of(workload)
        rows = [line.split() for line in images.ctr(self._socket(), "tasks", "ls").splitlines()]
        return next(int(row[1]) for row in rows if row and row[0] == container)

    def _container_of(self, workload: str) -> str:
        pods = self.app.cluster.get("pods", selector=f"app.kubernetes.io/component={workload}")
        return str(pods[0]["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2])

    def _socket(self) -> Path:
        assert self.own
        return self.own.layout.containerd_socket
