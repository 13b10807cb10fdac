"""What the release that serves was installed with, its Secrets' content included: by that the next one is told from it."""

from __future__ import annotations

import base64
from collections.abc import Collection

from scripts.core.errors import TaskError
from scripts.core.redaction import redact
from scripts.core.shell import CommandError
from scripts.desired.stages import Running
from scripts.kubernetes import helm, remembered, rollout
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.objects import is_leaving, name_of, secrets_of, service_of


def running(cluster: Cluster, selector: str, names: Collection[str]) -> Running | None:
    """Return what was rolled out last; None where nothing of it is known, or it does not serve.

    selector: labels of our Secrets. names: those that are desired; where they are the same, nobody reads what is in them. Raises TaskError.
    """
    revisions = helm.history(cluster)
    mark = remembered.rolled_out(cluster) if revisions else ""
    deployed = [each for each in reversed(revisions) if mark and each.status in helm.WAS_DEPLOYED]
    found = next((each for each in deployed if helm.fingerprint(each, revisions) == mark), None)
    if found is None or not rollout.serves(cluster):
        return None
    values = helm.values_of(cluster, found)
    there = helm.references_in(values).secrets
    return Running(values, {} if there == set(names) else _content(cluster, selector, there))


def _content(cluster: Cluster, selector: str, names: Collection[str]) -> dict[str, dict[str, str]]:
    """Return what these Secrets hold, by service. The redactor knows every value before anybody can tell one."""
    try:
        there = [each for each in cluster.get("secrets", selector=selector) if name_of(each) in names]
    except CommandError:  # its evidence is what kubectl printed
        raise TaskError("the Secrets of the release cannot be read", "kubectl auth can-i get secrets", code="command-failed") from None
    held = {service_of(each): {key: base64.b64decode(value).decode() for key, value in each.get("data", {}).items()} for each in there}
    redact.learn(*(value for values in held.values() for value in values.values()))
    return held


def holders(cluster: Cluster, selector: str, names: Collection[str]) -> list[str]:
    """Return the pods that stay and name another Secret than these, and our Secrets of other names, a line each."""
    pods = cluster.get("pods", selector=cluster.selector)
    held = {name_of(pod): set(secrets_of(pod)) - set(names) for pod in pods if not is_leaving(pod)}
    found = [f"pod {pod}: Secret {name}" for pod, others in held.items() for name in sorted(others)]
    return [*found, *(f"Secret {name}" for name in sorted(set(cluster.names("secrets", selector)) - set(names)))]
