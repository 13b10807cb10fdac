"""The state of pods, as `invoke status` shows it, and what others' pods run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.objects import is_leaving, is_ready, name_of, secrets_of, service_of, status_of
from scripts.kubernetes.usage import NOTHING, Amounts, amounts

IMAGES = '{range .items[*]}{.metadata.namespace}{" "}{.spec..image}{"\\n"}{end}'


LEAVING = "Terminating"


@dataclass(frozen=True)
class PodState:
    """One running pod (or container, in the Docker engine) for `invoke status`."""

    service: str
    name: str
    state: str
    ready: bool
    restarts: int
    image: str
    started: str = ""
    """When it began, in RFC 3339; empty where it has not."""
    limits: Amounts = NOTHING
    secrets: frozenset[str] = frozenset()
    """The names of the Secrets that it takes values from."""

    @property
    def serves(self) -> bool:
        """Whether it gets requests: one that ends may be ready for a moment still."""
        return self.ready and self.state != LEAVING


def pod_state(pod: Object) -> PodState:
    """Return what `invoke status` shows of a pod."""
    status: Mapping[str, Any] = status_of(pod)
    containers = status.get("containerStatuses", [])
    waiting = next((c["state"]["waiting"].get("reason") for c in containers if "waiting" in c.get("state", {})), None)
    ending = LEAVING if is_leaving(pod) else None
    return PodState(
        service=service_of(pod),
        name=name_of(pod),
        state=ending or waiting or status.get("phase", "Unknown"),
        ready=is_ready(pod),
        restarts=sum(int(c.get("restartCount", 0)) for c in containers),
        image=pod["spec"]["containers"][0]["image"],
        started=str(status.get("startTime", "")),
        limits=amounts(pod["spec"]["containers"], "limits"),
        secrets=frozenset(secrets_of(pod)),
    )


def is_of_workloads(pod: Object, release: str) -> bool:
    """Whether a workload of the release has made the pod: a StatefulSet of the release's, or a ReplicaSet of a Deployment's."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(str(owner["name"]).startswith(f"{release}-") for owner in owners)


def images_elsewhere(cluster: Cluster) -> set[str] | None:
    """Return the images of all pods in other namespaces; None where they may not be listed."""
    found = cluster.kubectl("get", "pods", "--all-namespaces", "--output", f"jsonpath={IMAGES}", ok=None)
    lines = [line.split() for line in found.stdout.splitlines() if line.strip()]
    return {image for namespace, *images in lines if namespace != cluster.namespace for image in images} if found.code == 0 else None
