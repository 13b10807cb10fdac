"""The API server's paths of the resources that we ask for: those of Kubernetes itself, which every cluster serves so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Resource:
    """One kind of objects as the API server serves it."""

    kind: str
    plural: str
    api_version: str
    namespaced: bool = True

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of the namespace's objects, or of the one with this name; without a namespace, of those of all."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        scope = f"/namespaces/{quote(namespace)}" if self.namespaced and namespace else ""
        return f"{root}{scope}/{self.plural}" + (f"/{quote(name)}" if name else "")


_SERVED: Mapping[str, tuple[str, ...]] = {
    "v1": ("Pod", "Service", "Secret", "ConfigMap", "ServiceAccount", "Event", "PersistentVolumeClaim", "ResourceQuota", "LimitRange"),
    "apps/v1": ("Deployment", "StatefulSet", "ReplicaSet", "DaemonSet"),
    "autoscaling/v2": ("HorizontalPodAutoscaler",),
    "policy/v1": ("PodDisruptionBudget",),
    "networking.k8s.io/v1": ("NetworkPolicy", "Ingress"),
}
_SERVED_CLUSTER_WIDE: Mapping[str, tuple[str, ...]] = {
    "v1": ("Node", "Namespace"),
    "networking.k8s.io/v1": ("IngressClass",),
    "scheduling.k8s.io/v1": ("PriorityClass",),
    "apiregistration.k8s.io/v1": ("APIService",),
    "apiextensions.k8s.io/v1": ("CustomResourceDefinition",),
}


def _plural(kind: str) -> str:
    low = kind.lower()
    if low.endswith("y"):
        return f"{low[:-1]}ies"
    return f"{low}es" if low.endswith("s") else f"{low}s"


RESOURCES = [
    Resource(kind, _plural(kind), version, namespaced)
    for served, namespaced in ((_SERVED, True), (_SERVED_CLUSTER_WIDE, False))
    for version, kinds in served.items()
    for kind in kinds
]
_BY_NAME = {name: each for each in RESOURCES for name in (each.kind.lower(), each.plural)} | {
    "crd": next(each for each in RESOURCES if each.kind == "CustomResourceDefinition")
}
_BY_KIND = {(each.api_version, each.kind): each for each in RESOURCES}


def named(name: str) -> Resource | None:
    """Return the resource that kubectl calls so, in singular or plural; None for one that is not of Kubernetes itself."""
    return _BY_NAME.get(name.lower())


def of_object(api_version: str, kind: str) -> Resource | None:
    """Return the resource of an object; None for one that is not of Kubernetes itself."""
    return _BY_KIND.get((api_version, kind))
