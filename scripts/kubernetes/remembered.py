"""What is remembered of a release in annotations of its namespace: what was rolled out, what was healthy, whether policies are enforced."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.kubernetes import helm
from scripts.kubernetes.cluster import Cluster

HEALTHY = "todo-tasks/good-releases"
"""The fingerprints of the healthy releases, the newest first."""
ROLLED_OUT = "todo-tasks/rolled-out"
"""The fingerprint of what was rolled out last; of a stage on the way to a release too, which is none to go back to."""
POLICIES = "todo-tasks/policies"
HEALTHY_KEPT = 10


def get(cluster: Cluster, name: str) -> str:
    """Return an annotation of the namespace; empty where there is none."""
    return _annotations(cluster).get(name, "")


def _annotations(cluster: Cluster) -> dict[str, str]:
    found = cluster.get("namespace", cluster.namespace)
    return dict(found[0]["metadata"].get("annotations", {})) if found else {}


def put(cluster: Cluster, name: str, value: str) -> None:
    """Set an annotation of the namespace."""
    cluster.kubectl("annotate", "namespace", cluster.namespace, "--overwrite", f"{name}={value}")


def healthy(cluster: Cluster) -> list[str]:
    """Return the fingerprints of the healthy releases, the newest first."""
    return _marks(_annotations(cluster))


def _marks(annotations: Mapping[str, str]) -> list[str]:
    return [mark for mark in annotations.get(HEALTHY, "").split(",") if mark]


def rolled_out(cluster: Cluster) -> str:
    """Return the fingerprint of what was rolled out last; empty where nothing was."""
    annotations = _annotations(cluster)
    return annotations.get(ROLLED_OUT) or next(iter(_marks(annotations)), "")


def record(cluster: Cluster, *, as_healthy: bool) -> None:
    """Remember that the newest revision is rolled out."""
    revisions = helm.history(cluster)
    mark = helm.fingerprint(revisions[-1], revisions) if revisions else ""
    annotations = _annotations(cluster)
    known = _marks(annotations)
    if mark and as_healthy and known[:1] != [mark]:
        put(cluster, HEALTHY, ",".join([mark, *(each for each in known if each != mark)][:HEALTHY_KEPT]))
    if mark and annotations.get(ROLLED_OUT) != mark:
        put(cluster, ROLLED_OUT, mark)


def forget_older(cluster: Cluster) -> None:
    """Let no rollback go to a release before this one: they hold a value that was withdrawn."""
    put(cluster, HEALTHY, ",".join(healthy(cluster)[:1]))
