"""What a release's history tells: which fingerprint runs, where a rollback would go, what a revision uses."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from scripts.core.shell import CommandError, Result
from scripts.kubernetes import helm
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.helm import References, Revision, fingerprint, references_in, rollback_target
from tests.doubles import revision

pytestmark = pytest.mark.unit


def revisions(*entries: tuple[str, str]) -> list[Revision]:
    """Revisions from their statuses and descriptions."""
    return [revision(number, status, description) for number, (status, description) in enumerate(entries, 1)]


def test_the_fingerprint_is_the_description_it_was_installed_with() -> None:
    history = revisions(("superseded", "aaaa"), ("deployed", "bbbb"))
    assert fingerprint(history[1], history) == "bbbb"


def test_a_rollback_has_the_fingerprint_of_what_it_went_back_to_also_through_another_rollback() -> None:
    history = revisions(("superseded", "aaaa"), ("superseded", "bbbb"), ("superseded", "Rollback to 1"), ("deployed", "Rollback to 3"))
    assert fingerprint(history[3], history) == "aaaa"


def test_a_rollback_to_a_forgotten_revision_has_no_fingerprint() -> None:
    history = [revision(11, "superseded", "bbbb"), revision(12, "deployed", "Rollback to 1")]
    assert fingerprint(history[1], history) == ""
    assert fingerprint(revision(5, "deployed", "Rollback to 5"), [revision(5, "deployed", "Rollback to 5")]) == ""


@pytest.mark.parametrize(
    ("history", "good", "target"),
    [
        ([], [], None),
        ([("deployed", "aaaa")], ["aaaa"], None),
        ([("superseded", "aaaa"), ("deployed", "bbbb")], ["bbbb", "aaaa"], 1),
        ([("superseded", "aaaa"), ("deployed", "bbbb")], ["aaaa"], 1),
        ([("superseded", "aaaa"), ("superseded", "bad1"), ("deployed", "bad2")], ["aaaa"], 1),
        ([("superseded", "aaaa"), ("superseded", "bbbb"), ("deployed", "Rollback to 1")], ["bbbb", "aaaa"], 2),
        ([("superseded", "aaaa"), ("superseded", "bbbb"), ("superseded", "Rollback to 1"), ("deployed", "bad1")], ["aaaa", "bbbb"], 3),
        ([("failed", "aaaa"), ("deployed", "bbbb")], ["aaaa", "bbbb"], None),
        ([("superseded", "aaaa"), ("deployed", "bbbb")], ["bbbb"], None),
        ([("superseded", "aaaa"), ("failed", "Upgrade failed: refused")], ["aaaa"], 1),
        ([("superseded", "aaaa"), ("superseded", "aaaa"), ("deployed", "aaaa")], ["aaaa"], None),
    ],
    ids=[
        "nothing installed",
        "nothing before",
        "from a good one to the good one before",
        "from an unhealthy one to the last healthy one",
        "past another bad one",
        "from a rollback to what it left",
        "from a bad one to the rollback before it",
        "never to a failed one",
        "never to one that did not come up",
        "from a failed upgrade",
        "never to the same again",
    ],
)
def test_a_rollback_goes_to_the_newest_good_release_that_differs(
    history: list[tuple[str, str]], good: list[str], target: int | None
) -> None:
    found = rollback_target(revisions(*history), good)
    assert (found.number if found else None) == target


def test_what_the_values_use_is_found_wherever_it_stands() -> None:
    values = {
        "services": {
            "backend": {"image": {"repository": "todo-backend", "tag": "h1"}, "secret": {"name": "b-1", "keys": ["A"]}},
            "frontend": {"image": {"repository": "registry.example.com/todo-frontend", "tag": "h2"}, "secret": {"name": "", "keys": []}},
        },
        "postgres": {"enabled": True, "image": {"repository": "todo-postgres", "tag": "h3"}, "secret": {"name": "p-1", "keys": ["P"]}},
        "monitoring": {"enabled": False},
    }
    images = {"todo-backend:h1", "registry.example.com/todo-frontend:h2", "todo-postgres:h3"}
    assert references_in(values) == References(frozenset({"b-1", "p-1"}), frozenset(images))
    assert references_in(None) == References(frozenset(), frozenset())


MANIFEST = """\
---
# Source: deployment.yaml
kind: Deployment
metadata:
  name: adapter
  namespace: "monitoring"
---
# Source: role-binding.yaml
kind: RoleBinding
metadata:
  name: reader
  namespace: kube-system
subjects:
- kind: ServiceAccount
  name: adapter
  namespace: "monitoring"
---
# Source: cluster-role-binding.yaml
kind: ClusterRoleBinding
metadata:
  name: autoscalers
subjects:
- kind: ServiceAccount
  name: horizontal-pod-autoscaler
  namespace: kube-system
"""


@dataclass(frozen=True)
class Strict(Cluster):
    """A cluster with the objects of the manifest; like kubectl it refuses objects of another namespace than the call's."""

    missing: str = ""

    def helm(self, *_: str, **__: Any) -> Result:
        return Result(0, MANIFEST, "", 0.0)

    def kubectl(self, *_: str, **options: Any) -> Result:
        objects = [found for found in yaml.safe_load_all(options["input"]) if found]
        if any(found["metadata"].get("namespace", self.namespace) != self.namespace for found in objects):
            return Result(1, "", "error: the namespace from the provided object does not match the namespace", 0.0)
        return Result(0, "".join(f"{found['kind']}\n" for found in objects if found["kind"] != self.missing), "", 0.0)


def test_a_release_with_objects_in_two_namespaces_is_complete() -> None:
    assert helm.complete(Strict("told", "monitoring", "adapter"))


@pytest.mark.parametrize("missing", ["Deployment", "RoleBinding", "ClusterRoleBinding"])
def test_a_release_that_lacks_an_object_in_any_namespace_is_not(missing: str) -> None:
    assert not helm.complete(Strict("told", "monitoring", "adapter", missing=missing))


@pytest.mark.parametrize(("said", "calls"), [("resource StatefulSet/a/b still exists. status: Terminating, message: x", 2), ("refused", 1)])
def test_an_uninstall_goes_on_where_helm_has_stopped_waiting(said: str, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(_: Cluster, *argv: str, **__: object) -> Result:
        asked.append(argv[0])
        if len(asked) == 1:
            raise CommandError("helm failed", [said], Result(1, "", "", 0.1))
        return Result(0, "", "", 0.1)

    monkeypatch.setattr(Cluster, "helm", run)
    monkeypatch.setattr(Cluster, "kubectl", lambda *_, **__: Result(0, "", "", 0.1))
    with nullcontext() if calls == 2 else pytest.raises(CommandError):
        helm.uninstall(Cluster("any", "todo", "todo"))
    assert asked == ["uninstall"] * calls
