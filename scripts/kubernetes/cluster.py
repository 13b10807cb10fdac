"""One named Kubernetes: every call names its kubeconfig, its context and its namespace, so none can reach another cluster."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from scripts.core import shell
from scripts.core.shell import Result
from scripts.desired.labels import INSTANCE, MANAGER
from scripts.kubernetes import api, connection, resources, rights
from scripts.kubernetes.api import Object
from scripts.kubernetes.connection import Connect

SECONDS = 30.0


@dataclass(frozen=True)
class Cluster:
    """A context of a kubeconfig, and the release in a namespace of it that calls are about."""

    context: str
    namespace: str
    release: str
    kubeconfig: Path | None = None
    """None: the one that kubectl takes by default (KUBECONFIG, or the user's own)."""
    environment: Mapping[str, str | None] = field(default_factory=dict)
    """Variables for every program that speaks to this cluster."""

    def within(self, namespace: str, release: str) -> Cluster:
        """Return the same cluster, about another release in another namespace."""
        return dataclasses.replace(self, namespace=namespace, release=release)

    def kubectl_argv(self, *argv: str) -> list[str]:
        """Return the command line of a kubectl call."""
        return ["kubectl", *self._kubeconfig(), "--context", self.context, "--namespace", self.namespace, *argv]

    def helm_argv(self, *argv: str) -> list[str]:
        """Return the command line of a helm call."""
        return ["helm", *self._kubeconfig(), "--kube-context", self.context, "--namespace", self.namespace, *argv]

    @property
    def selector(self) -> str:
        """What selects the objects of the release by their labels."""
        return f"{INSTANCE}={self.release}"

    def _kubeconfig(self) -> list[str]:
        return ["--kubeconfig", str(self.kubeconfig)] if self.kubeconfig else []

    def kubectl(
        self,
        *argv: str,
        input: str | bytes | IO[bytes] | None = None,  # noqa: A002 - as in shell.run
        timeout: float = SECONDS,
        ok: Collection[int] | None = (0,),
        logged: bool = True,
    ) -> Result:
        """Run kubectl against this cluster and namespace. Raises what shell.run raises."""
        argv_whole = self.kubectl_argv(*argv)
        with rights.told():
            return shell.run(argv_whole, input=input, timeout=timeout, ok=ok, env=self.environment, logged=logged)

    def helm(
        self,
        *argv: str,
        input: str | bytes | None = None,  # noqa: A002 - as in shell.run
        timeout: float = SECONDS,
        ok: Collection[int] | None = (0,),
    ) -> Result:
        """Run helm against this cluster and namespace. Raises what shell.run raises."""
        with rights.told():
            return shell.run(self.helm_argv(*argv), input=input, timeout=timeout, ok=ok, env=self.environment)

    def apply(self, manifest: str, *argv: str, timeout: float = SECONDS) -> str:
        """Apply objects in JSON or YAML on the server's side, as the owner of what they say; return what kubectl prints."""
        options = ("--server-side", "--force-conflicts", f"--field-manager={MANAGER}", *argv)
        return self.kubectl("apply", *options, "--filename", "-", input=manifest, timeout=timeout).stdout

    def get(self, kind: str, name: str = "", *, selector: str = "", timeout: float = SECONDS) -> list[Object]:
        """Return the objects of a kind (or of several, comma-separated) in the namespace.

        name: only the object with this name; an object that is not there makes an empty list.
        selector: only objects with these labels.
        """
        if (found := self._asked(kind, name, selector, timeout)) is not None:
            return found
        argv = ["get", kind, *([name] if name else []), "--ignore-not-found", "--output", "json"]
        if selector:
            argv += ["--selector", selector]
        secret = kind in ("secret", "secrets")  # what they hold is not for the log
        text = self.kubectl(*argv, timeout=timeout, logged=not secret).stdout
        if not text.strip():
            return []
        answer = json.loads(text)
        return list(answer["items"]) if "items" in answer else [answer]

    def _asked(self, kind: str, name: str, selector: str, timeout: float) -> list[Object] | None:
        wanted = [resources.named(each) for each in kind.split(",")]
        connect = self.connection() if all(wanted) else None
        if not connect:
            return None
        found: list[Object] = []
        for resource in filter(None, wanted):
            some = api.objects(connect, resource, self.namespace, name, selector, timeout)
            if some is None:
                return None
            found += some
        return found

    def names(self, kind: str, selector: str = "", timeout: float = SECONDS) -> list[str]:
        """Return the names of the objects of a kind in the namespace, without reading their content. Raises what shell.run raises."""
        if (found := self.metadata(kind, selector, timeout)) is not None:
            return [str(each["name"]) for each in found]
        argv = ["get", kind, *(["--selector", selector] if selector else []), "--output", "name"]
        argv += [f"--request-timeout={timeout:g}s"] if timeout < SECONDS else []
        return [line.partition("/")[2] for line in self.kubectl(*argv, timeout=2 * timeout).stdout.split()]

    def metadata(self, kind: str, selector: str, timeout: float = SECONDS) -> list[Object] | None:
        """Return the metadata of the objects of a kind in the namespace; None where the run keeps no connection. Raises CommandError."""
        resource, connect = resources.named(kind), self.connection()
        return api.metadata(connect, resource, self.namespace, selector, timeout) if resource and connect else None

    def connection(self) -> Connect | None:
        """Return the run's connection to the API server; None where the run keeps none."""
        return connection.kept_to(["kubectl", *self._kubeconfig(), "--context", self.context], self.environment)

    def knows(self, definition: str) -> bool:
        """Return whether the cluster has a custom resource definition (`PLURAL.GROUP`)."""
        return bool(self.get("crd", definition))
