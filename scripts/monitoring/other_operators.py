"""Prometheus operators of somebody else in the cluster that also act on our namespace: each then undoes the other's work."""

from __future__ import annotations

import json
from collections.abc import Iterator

from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster

SELECTOR = "app.kubernetes.io/name in (prometheus-operator, kube-prometheus-stack-prometheus-operator)"


def warnings(cluster: Cluster) -> Iterator[str]:
    """Yield a warning for each, with what ends it. cluster: about our release of the stack."""
    answer = cluster.kubectl("get", "deployments", "--all-namespaces", "--selector", SELECTOR, "--output", "json", ok=None)
    for found in json.loads(answer.stdout)["items"] if answer.code == 0 else ():
        namespace = found["metadata"]["namespace"]
        if namespace != cluster.namespace and _acts_on(cluster.namespace, found):
            yield (
                f"the Prometheus operator {found['metadata']['name']} in {namespace} acts on {cluster.namespace} too, and undoes what ours "
                f"does: start it with --deny-namespaces={cluster.namespace} (its chart's value prometheusOperator.denyNamespaces), or set "
                "monitoring.enabled: false in invoke.yaml"
            )


def _acts_on(namespace: str, operator: Object) -> bool:
    """Whether it makes what Prometheus objects in a namespace say, by its flags."""
    words = [
        word for part in operator["spec"]["template"]["spec"]["containers"] for word in (*part.get("command", ()), *part.get("args", ()))
    ]
    flags = dict(word.lstrip("-").partition("=")[::2] for word in words)
    for flag in ("prometheus-instance-namespaces", "namespaces"):
        if flags.get(flag):
            return namespace in flags[flag].split(",")
    return namespace not in flags.get("deny-namespaces", "").split(",")
