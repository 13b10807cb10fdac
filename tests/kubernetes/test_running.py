"""What serves is known by what was rolled out last, and the content of Secrets is read only where it is needed."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from scripts.core.errors import TaskError
from scripts.core.redaction import redact
from scripts.core.shell import CommandError, Result
from scripts.kubernetes import remembered
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.running import holders, running

pytestmark = pytest.mark.unit

LABELS = "managed-by=todo-tasks"
Object = dict[str, Any]


@dataclass(frozen=True)
class OneRelease(Cluster):
    """A cluster with three revisions of one release: the newest was not rolled out yet."""

    annotations: dict[str, str] = field(default_factory=lambda: {remembered.ROLLED_OUT: "second", remembered.HEALTHY: "first"})
    ready: int = 2
    secret: str = "todo-backend-2"
    readable: bool = True

    def helm(self, *argv: str, **_: Any) -> Result:
        if argv[0] == "history":
            marks = ("first", "second", "third")
            entries = [{"revision": n, "status": "superseded", "description": mark} for n, mark in enumerate(marks, 1)]
            return Result(0, json.dumps([*entries[:2], {**entries[2], "status": "deployed"}]), "", 0.0)
        number = argv[argv.index("--revision") + 1]
        return Result(0, json.dumps({"services": {"backend": {"secret": {"name": f"todo-backend-{number}"}}}}), "", 0.0)

    def get(self, kind: str, name: str = "", **_: Any) -> list[Object]:
        if kind == "namespace":
            return [{"metadata": {"annotations": self.annotations}}]
        if kind == "secrets":
            if not self.readable:
                raise CommandError("`kubectl get secrets` failed", ["API_TOKEN: bWFya2Vk"], Result(1, "", "", 0.0))
            metadata = {"name": self.secret, "labels": {"app.kubernetes.io/component": "backend"}}
            return [{"metadata": metadata, "data": {"API_TOKEN": base64.b64encode(b"marked-token").decode()}}]
        if kind == "pods":
            env = [{"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": self.secret, "key": "API_TOKEN"}}}]
            return [{"metadata": {"name": "backend-1"}, "spec": {"containers": [{"name": "backend", "env": env}]}}]
        return [{"kind": "Deployment", "metadata": {"name": "todo-backend"}, "spec": {}, "status": {"readyReplicas": self.ready}}]

    def kubectl(self, *argv: str, **_: Any) -> Result:
        if argv[0] == "annotate":
            name, _, value = argv[-1].partition("=")
            self.annotations[name] = value
        return Result(0, f"secret/{self.secret}\n", "", 0.0)


def cluster(**facts: Any) -> OneRelease:
    return OneRelease("any", "todo", "todo", **facts)


def test_what_was_rolled_out_last_is_told_with_what_its_secrets_hold() -> None:
    found = running(cluster(), LABELS, {"todo-backend-9"})
    assert found
    assert found.values["services"]["backend"]["secret"]["name"] == "todo-backend-2"
    assert found.secrets == {"backend": {"API_TOKEN": "marked-token"}}
    assert "marked-token" not in redact("marked-token")
    assert "marked-token" not in repr(found)


def test_nobody_reads_secrets_that_do_not_change() -> None:
    found = running(cluster(readable=False), LABELS, {"todo-backend-2"})
    assert found
    assert found.secrets == {}


def test_what_does_not_serve_or_is_not_known_needs_no_care() -> None:
    assert running(cluster(ready=0), LABELS, {"todo-backend-9"}) is None
    assert running(cluster(annotations={}), LABELS, {"todo-backend-9"}) is None
    assert running(cluster(annotations={remembered.ROLLED_OUT: "of another history"}), LABELS, set()) is None


def test_secrets_that_cannot_be_read_are_told_without_what_was_printed() -> None:
    with pytest.raises(TaskError) as error:
        running(cluster(readable=False), LABELS, {"todo-backend-9"})
    assert "bWFya2Vk" not in str(error.value)


def test_a_stage_is_rolled_out_and_none_to_go_back_to() -> None:
    stage = cluster()
    remembered.record(stage, as_healthy=False)
    assert (remembered.rolled_out(stage), remembered.healthy(stage)) == ("third", ["first"])
    remembered.record(stage, as_healthy=True)
    assert remembered.healthy(stage) == ["third", "first"]
    remembered.forget_older(stage)
    assert remembered.healthy(stage) == ["third"]


def test_a_pod_or_a_secret_with_a_withdrawn_value_is_named() -> None:
    assert holders(cluster(), LABELS, {"todo-backend-2"}) == []
    assert holders(cluster(), LABELS, {"todo-backend-3"}) == ["pod backend-1: Secret todo-backend-2", "Secret todo-backend-2"]
