"""What is remembered of a release in annotations of its namespace: what was rolled out, what was healthy, whether policies are enforced."""

from __future__ import annotations

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
    found = cluster.get("namespace", cluster.namespace)
    return str(found[0]["metadata"].get("annotations", {}).get(name, "")) if found else ""


def put(cluster: Cluster, name: str, value: str) -> None:
    """Set an annotation of the namespace."""
    cluster.kubectl("annotate", "namespace", cluster.namespace, "--overwrite", f"{name}={value}")


def healthy(cluster: Cluster) -> list[str]:
    """Return the fingerprints of the healthy releases, the newest first."""
    return [mark for mark in get(cluster, HEALTHY).split(",") if mark]


def rolled_out(cluster: Cluster) -> str:
    """Return the fingerprint of what was rolled out last; empty where nothing was."""
    return get(cluster, ROLLED_OUT) or next(iter(healthy(cluster)), "")


def record(cluster: Cluster, *, as_healthy: bool) -> None:
    """Remember that the newest revision is rolled out."""
    revisions = helm.history(cluster)
    mark = helm.fingerprint(revisions[-1], revisions) if revisions else ""
    known = healthy(cluster)
    if mark and as_healthy and known[:1] != [mark]:
        put(cluster, HEALTHY, ",".join([mark, *(each for each in known if each != mark)][:HEALTHY_KEPT]))
    if mark and get(cluster, ROLLED_OUT) != mark:
        put(cluster, ROLLED_OUT, mark)


def forget_older(cluster: Cluster) -> None:
    """Let no rollback go to a release before this one: they hold a value that was withdrawn."""
    put(cluster, HEALTHY, ",".join(healthy(cluster)[:1]))
