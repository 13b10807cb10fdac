"""Whether the cluster's DNS would start again: it may go on with settings and rights of before, which its next start no longer has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from scripts.core.errors import TaskError
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.cluster_dns import NAMESPACE, SERVICE, led_to
from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed, one_line
from scripts.kubernetes.objects import name_of

SECONDS = 6.0
LINES = 200
REFUSED, TAKEN = "Corefile changed but reload failed: ", "Reloading complete"
"""What CoreDNS says of new settings (its plugin `reload`)."""
TOLD = "{.spec.resourceAttributes.resource}={.status.allowed} "
"""What kubectl is to print of each review."""
READS = (("", "services"), ("", "namespaces"), ("discovery.k8s.io", "endpointslices"))
"""API group and resource of what it lists to answer (its plugin `kubernetes`)."""


def found(cluster: Cluster) -> list[Diagnosis]:
    """Return why the cluster's DNS would not serve after its next start, as far as we may see it; nothing for another DNS than CoreDNS."""
    system = cluster.within(NAMESPACE, "")
    try:
        led = led_to(system.get("deployments"), system.get("services", SERVICE))
        servers = [each for each in led if any("coredns" in c["image"] for c in _pod_of(each)["containers"])]
        return [_cause(each, told, fix) for each in servers for told, fix in _risks(system, each)]
    except TaskError:
        return []


def _pod_of(server: Object) -> Object:
    spec: Object = server["spec"]["template"]["spec"]
    return spec


def _risks(system: Cluster, server: Object) -> Iterator[tuple[str, str]]:
    """What its next start would meet, and what fixes it."""
    if said := _refused_settings(system, server):
        volumes = (volume.get("configMap", {}).get("name") for volume in _pod_of(server).get("volumes", ()))
        settings = next(filter(None, volumes), name_of(server))
        yield f"it could not take its new settings: {said}", f"kubectl --namespace {NAMESPACE} edit configmap {settings}"
    account = _pod_of(server).get("serviceAccountName", "default")
    if lacks := _lacking_rights(system, account):
        told = f"its ServiceAccount {account} may not list {', '.join(lacks)} any more"
        yield told, f"kubectl describe clusterrole,clusterrolebinding system:{name_of(server)}; give it back what is gone"


def _refused_settings(system: Cluster, server: Object) -> str:
    """Why new settings were refused, where nothing later was taken."""
    selector = ",".join(f"{key}={value}" for key, value in server["spec"]["selector"].get("matchLabels", {}).items())
    lines = system.kubectl("logs", "--selector", selector, f"--tail={LINES}", timeout=SECONDS, ok=None).stdout.splitlines()
    last = next((line for line in reversed(lines) if REFUSED in line or TAKEN in line), "")
    return one_line(last.partition(REFUSED)[2])


def _lacking_rights(system: Cluster, account: str) -> list[str]:
    user = f"system:serviceaccount:{NAMESPACE}:{account}"
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}", "system:authenticated"]
    reviews = [_review(user, groups, group, resource) for group, resource in READS]
    argv = ("create", "--filename=-", f"--output=jsonpath={TOLD}")
    answer = system.kubectl(*argv, input=json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews}), timeout=SECONDS, ok=None)
    told = (line.partition("=") for line in answer.stdout.split())
    return [] if answer.code else [resource for resource, _, allowed in told if allowed != "true"]


def _review(user: str, groups: list[str], group: str, resource: str) -> dict[str, Any]:
    attributes = {"verb": "list", "group": group, "resource": resource}
    spec = {"user": user, "groups": groups, "resourceAttributes": attributes}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def _cause(server: Object, told: str, fix: str) -> Diagnosis:
    return diagnosed(
        server,
        "dns-at-risk",
        f"the cluster's DNS answers, and would not after its next start: {told}",
        [f"deployment {name_of(server)} in {NAMESPACE}"],
        fix,
    )
