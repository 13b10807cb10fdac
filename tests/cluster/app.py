"""The real app, installed on a cluster by its own tasks from a copy of this checkout, and steady load on it from inside."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from scripts.core import shell
from scripts.kubernetes import rollout
from scripts.kubernetes.cluster import Cluster
from tests.checkout import RELEASE, ROOT, Checkout
from tests.cluster.context import ClusterContext
from tests.doubles import Step

Object = dict[str, Any]

CHART = ROOT / "helm" / "todo-chatbot"
ROLLOUT_SECONDS = 300
LOAD = Path(__file__).with_name("steady_load.py")


@dataclass(frozen=True)
class App:
    """The installed app."""

    checkout: Checkout
    context: ClusterContext
    cluster: Cluster

    def values(self) -> Object:
        """Return the values that the release was installed with."""
        text = self.cluster.helm("get", "values", RELEASE, "--output", "json").stdout
        return dict(json.loads(text))

    def upgrade(self, **values: str) -> None:
        """Change values of the release, as dotted paths with `__` for a dot, and wait until it is rolled out."""
        changes = [f"--set={name.replace('__', '.')}={value}" for name, value in values.items()]
        argv = ("upgrade", RELEASE, str(CHART), "--reuse-values", *changes)
        self.cluster.helm(*argv, timeout=60)
        rollout.watch(self.cluster, ROLLOUT_SECONDS, Step())

    def derived_image(self, service: str) -> str:
        """Make another image of a service that differs in a label alone, put it on the node, and return its tag."""
        image = self.values()["services"][service]["image"]
        old, tag = f"{image['repository']}:{image['tag']}", f"{image['tag']}-again"
        new = f"{image['repository']}:{tag}"
        dockerfile = f"FROM {old}\nLABEL again=yes\n"
        shell.run(["docker", "build", "--tag", new, "-"], timeout=120, input=dockerfile, env={"DOCKER_BUILDKIT": "0"})
        try:
            self.context.load(new)
        finally:  # the engine's own copy has done its work
            shell.run(["docker", "rmi", new], timeout=60, ok=None)
        return tag


def aim_at(checkout: Checkout, context: ClusterContext) -> None:
    """Let a checkout's kube_context engine use the cluster, without monitoring."""
    checkout.set("kube_context.context", f'"{context.context}"')
    checkout.set("monitoring.enabled", "false")
    if context.containerd_socket:
        checkout.set("kube_context.containerd_socket", str(context.containerd_socket))
    if context.kubeconfig:
        checkout.environment = {"KUBECONFIG": str(context.kubeconfig)}


def install(context: ClusterContext, path: Path) -> App:
    """Bring the app up in the cluster with `invoke up`, under a release and namespace of its own."""
    checkout = Checkout.make(path)
    aim_at(checkout, context)
    run = checkout.invoke("up", "--engine", "kube_context", timeout=1500)
    assert run.code == 0, run.stdout + run.stderr
    return App(checkout, context, context.within(RELEASE, RELEASE))


@dataclass(frozen=True)
class Tally:
    """Requests so far, those of them that failed, by their reason, and the seconds of the slowest."""

    total: int
    failed: Mapping[str, int]
    slowest: float = 0.0


class Load:
    """A pod that sends requests at a steady rate while the block runs. It wears the labels of the chart's test pod, which may call all."""

    NAME = "steady-load"

    def __init__(self, app: App, urls: Sequence[str], per_second: int, node: str = "") -> None:
        self._app = app
        self._node = node
        self._urls = urls
        self._per_second = per_second

    def __enter__(self) -> Self:
        self._app.cluster.kubectl("create", "--filename", "-", input=json.dumps(self._pod()))
        deadline = time.monotonic() + 90
        while self.tally().total == 0:
            assert time.monotonic() < deadline, "the load does not start"
            time.sleep(1)
        return self

    def __exit__(self, *_: object) -> None:
        self._app.cluster.kubectl("delete", "pod", self.NAME, "--grace-period=0", "--force", timeout=60)

    def tally(self) -> Tally:
        """Return the newest count that the pod wrote."""
        lines = self._app.cluster.kubectl("logs", self.NAME, "--tail=1", ok=None).stdout.splitlines()
        if not lines or not lines[-1].startswith("{"):
            return Tally(0, {})
        count = json.loads(lines[-1])
        return Tally(count["total"], count["failed"], count["slowest"])

    def _pod(self) -> Object:
        (backend,) = self._app.cluster.get("deployment", f"{RELEASE}-backend")
        template = backend["spec"]["template"]
        own = template["spec"]["containers"][0]
        token = {"secretKeyRef": {**self._secret_of_frontend(), "key": "API_TOKEN", "optional": True}}
        container = {
            "name": "load",
            "image": own["image"],
            "imagePullPolicy": "IfNotPresent",
            "command": ["python", "-c", LOAD.read_text(encoding="utf-8")],
            "args": [str(self._per_second), *self._urls],
            "env": [{"name": "API_TOKEN", "valueFrom": token}],
            "securityContext": own["securityContext"],
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "128Mi"}},
        }
        labels = {**template["metadata"]["labels"], "app.kubernetes.io/component": "test"}
        spec = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": template["spec"]["securityContext"],
            "containers": [container],
            **({"nodeSelector": {"kubernetes.io/hostname": self._node}} if self._node else {}),
        }
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": self.NAME, "labels": labels}, "spec": spec}

    def _secret_of_frontend(self) -> Object:
        return {"name": self._app.values()["services"]["frontend"]["secret"]["name"]}
