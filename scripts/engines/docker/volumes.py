"""Volumes of the app's data."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from docker.errors import NotFound
from docker.types import Mount

from scripts.desired.labels import pairs
from scripts.engines.docker.pod_spec import PodPlan
from scripts.machine.docker_client import docker_client
from scripts.machine.docker_errors import told

SOURCES = {"todo.kind": "sources"}
"""The label of volumes that hold no data: writable copies of source folders, which go with their container."""


def ensure_volumes(pod: PodPlan, labels: Mapping[str, str]) -> None:
    """Make the pod's volumes, and give them to its fsGroup as the kubelet does. Raises TaskError."""
    data, sources = pod.container.volumes, pod.container.sources
    for path, claim, own in [*((p, c, {}) for p, c in data.items()), *((p, c, SOURCES) for p, c in sources.items())]:
        with told(f"the volume {claim} of {pod.workload} cannot be made ready"):
            try:
                docker_client().volumes.get(claim)
            except NotFound:
                docker_client().volumes.create(claim, labels={**labels, **own})
            _own(pod, path, claim, labels)


def remove_sources(labels: Mapping[str, str], keep: Collection[str] = ()) -> None:
    """Remove the volumes of source folders, but for those that containers still use."""
    with told("volumes of source folders cannot be removed"):
        for volume in docker_client().volumes.list(filters={"label": pairs({**labels, **SOURCES})}):
            if volume.name not in keep:
                volume.remove(force=True)


def _own(pod: PodPlan, path: str, claim: str, labels: Mapping[str, str]) -> None:
    owner = f"{pod.container.user.partition(':')[0] or 0}:{pod.group}"
    docker_client().containers.run(
        pod.container.image,
        entrypoint=["chown", owner, path],
        command=[],
        user="0:0",
        cap_drop=["ALL"],
        cap_add=["CHOWN"],
        network_mode="none",
        read_only=True,
        remove=True,
        labels={**labels, "todo.kind": "init", "todo.workload": pod.workload, "todo.service": pod.service},
        mounts=[Mount(path, claim, type="volume", no_copy=True)],
        use_config_proxy=False,
    )
