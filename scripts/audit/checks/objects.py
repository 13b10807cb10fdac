"""Checks of Kubernetes objects: those of a cluster, with their status, or those that the chart renders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scripts.audit.facts import (
    CHART,
    CLUSTER,
    WORKLOADS,
    Facts,
    Finding,
    Objects,
    Unseen,
    Verdict,
    containers_of,
    counted,
    judged,
    not_checkable,
)
from scripts.kubernetes.api import Object
from scripts.kubernetes.objects import annotations_of, is_ready, name_of, service_of

ENFORCE = "pod-security.kubernetes.io/enforce"
HELM_RELEASE = "meta.helm.sh/release-name"
LASTS = ("persistentVolumeClaim", "hostPath", "nfs", "csi", "iscsi")
"""Volumes that outlive their pod."""
AMOUNTS = ("cpu", "memory")
TRUSTED_CA = "trusted-ca"
Judge = Callable[[Objects, Facts, Mapping[str, Any]], Finding]


def of_objects(judge: Judge, *, live: bool = False) -> Callable[[Facts, Mapping[str, Any]], Finding]:
    """Return a check of what a judge says of the objects. live: whether only a cluster's tell anything."""

    def check(facts: Facts, looks_for: Mapping[str, Any]) -> Finding:
        if isinstance(facts.objects, Unseen):
            return not_checkable(CLUSTER if live else CHART, facts.objects.why)
        if live and not facts.objects.live:
            return not_checkable(CLUSTER, "no cluster has the release (on a Kubernetes engine: invoke up)")
        return judge(facts.objects, facts, looks_for)

    return check


def containerized(objects: Objects, facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether each service has a workload with an image."""
    images = {service: spec["containers"][0].get("image", "") for service, _, spec in objects.pods()}
    wrong = [f"{name} has no container" for name in facts.settings.services if not images.get(name)]
    return judged(objects.on, wrong, [f"{service}: {image}" for service, image in images.items()])


def mirrors_cloud(objects: Objects, _facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether the namespace has the rules that a shared cluster of a cloud has."""
    level = ((objects.namespace or {}).get("metadata", {}).get("labels") or {}).get(ENFORCE, "")
    wrong = [] if level == "restricted" else [f"the namespace enforces Pod Security `{level or 'privileged'}`, not `restricted`"]
    kinds = ("NetworkPolicy", "ResourceQuota", "PodDisruptionBudget", "HorizontalPodAutoscaler")
    wrong += [f"there is no {kind}" for kind in kinds if not objects.of(kind)]
    denies = [each for each in objects.of("NetworkPolicy") if not each["spec"].get("podSelector")]
    wrong += [] if denies or not objects.of("NetworkPolicy") else ["no policy denies by default"]
    evidence = ["Pod Security restricted", counted([each["kind"] for each in objects.of(*kinds)])]
    return judged(objects.on, wrong, evidence)


def _outside(facts: Facts, looks_for: Mapping[str, Any]) -> tuple[Verdict, str]:
    """Where the state is: on the host that is looked for, or not."""
    if isinstance(facts.databases, Unseen):
        return Verdict.NOT_CHECKABLE, facts.databases.why
    wanted = looks_for["host"]
    if facts.databases and all(host.endswith(wanted) for host in facts.databases):
        return Verdict.KEPT, f"state at *{wanted}"
    return Verdict.DEVIATES, f"state in a database that is not at *{wanted}" if facts.databases else "state in the bundled Postgres"


def database(facts: Facts, looks_for: Mapping[str, Any]) -> Finding:
    """Whether the database is the one that is looked for."""
    verdict, where = _outside(facts, looks_for)
    return Finding(verdict, ".env", (where,))


def stateless(objects: Objects, facts: Facts, looks_for: Mapping[str, Any]) -> Finding:
    """Whether no service keeps anything in its pods, and where the state is."""
    pods = [pod for pod in objects.pods() if pod[0] in facts.settings.services]
    wrong = [f"{name} mounts {volume}" for _, name, spec in pods for volume in _lasting(spec)]
    if wrong:
        return judged(objects.on, wrong, ())
    verdict, where = _outside(facts, looks_for)
    return Finding(verdict, objects.on, (where, f"no lasting volume in {len(pods)} pods of services"))


def _lasting(spec: Object) -> list[str]:
    return [f"{volume['name']} ({kind})" for volume in spec.get("volumes", ()) for kind in LASTS if kind in volume]


def environment(objects: Objects, facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether all settings are environment variables."""
    wrong, number = [], 0
    for service, name, spec in objects.pods():
        declared = facts.settings.services.get(service)
        given = {variable["name"] for container in spec["containers"] for variable in container.get("env", ())}
        number += len(given)
        missing = sorted(set(declared.env) - given) if declared else []
        wrong += [f"{name} does not get {key}" for key in missing]
        mounted = [each["configMap"]["name"] for each in spec.get("volumes", ()) if "configMap" in each]
        wrong += [f"{name} mounts the ConfigMap {each}" for each in mounted if TRUSTED_CA not in each]
    return judged(objects.on, wrong, [f"{number} variables in {len(objects.pods())} pods, no file of settings"])


def resources(objects: Objects, _facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether every container has requests and limits."""
    found = [(name, each) for _, name, spec in objects.pods() for each in containers_of(spec, init=True)]
    wrong = [
        f"{name}/{each['name']} has no {bound} of {amount}"
        for name, each in found
        for bound in ("requests", "limits")
        for amount in AMOUNTS
        if amount not in (each.get("resources", {}).get(bound) or {})
    ]
    return judged(objects.on, wrong, [f"CPU and memory of {len(found)} containers, requests and limits"])


def volumes(objects: Objects, facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether only what keeps state has a volume that lasts."""
    stateful = {service_of(each) for each in objects.of("StatefulSet")} - set(facts.settings.services)
    mounts = [(service, name, _lasting(spec)) for service, name, spec in objects.pods()]
    wrong = [f"{name} mounts {volume}" for service, name, lasting in mounts for volume in lasting if service not in stateful]
    mounted = {
        volume["persistentVolumeClaim"]["claimName"]
        for _, _, spec in objects.pods()
        for volume in spec.get("volumes", ())
        if "persistentVolumeClaim" in volume
    }
    wrong += [f"nobody uses the claim {name_of(each)}" for each in objects.of("PersistentVolumeClaim") if name_of(each) not in mounted]
    claims = [name_of(each) for each in objects.of("PersistentVolumeClaim")]
    claims += [
        f"{name_of(template)} of {name_of(each)}"
        for each in objects.of("StatefulSet")
        if not objects.live
        for template in each["spec"].get("volumeClaimTemplates", ())
    ]
    return judged(objects.on, wrong, [f"claims: {', '.join(claims) or 'none'}", f"{len(mounts)} pods seen"])


def health_checks(objects: Objects, _facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether every container is probed and, in a cluster, every pod is ready by the kubelet's word."""
    wrong = [f"{name}/{each['name']} has no probe" for _, name, spec in objects.pods() for each in spec["containers"] if not _probes(each)]
    if not objects.live:
        return judged(objects.on, wrong, [f"{len(objects.pods())} workloads are probed"])
    names = {name for _, name, _ in objects.pods()}
    pods = [pod for pod in objects.of("Pod") if name_of(pod) in names]
    wrong += [f"{name_of(pod)} is not ready" for pod in pods if not is_ready(pod)]
    return judged(objects.on, wrong, [f"{len(pods)} of {len(pods)} pods ready by probes of each container"])


def probes(objects: Objects, _facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether every workload's container has liveness and readiness."""
    found = [(name_of(each), c) for each in objects.of(*WORKLOADS) for c in each["spec"]["template"]["spec"]["containers"]]
    wanted = ("livenessProbe", "readinessProbe")
    wrong = [f"{name}/{each['name']} has no {probe}" for name, each in found for probe in wanted if probe not in each]
    return judged(objects.on, wrong, [f"{each['name']}: {', '.join(_probes(each))}" for _, each in found])


def _probes(container: Object) -> list[str]:
    kinds = {"livenessProbe": "liveness", "readinessProbe": "readiness", "startupProbe": "startup"}
    return [f"{word} {_how(container[key])}" for key, word in kinds.items() if key in container]


def _how(probe: Object) -> str:
    return str(probe["httpGet"]["path"]) if "httpGet" in probe else "by command" if "exec" in probe else "by connection"


def helm(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether helm has deployed the release, or else whether the chart renders."""
    if not isinstance(facts.revisions, Unseen):
        newest = facts.revisions[-1]
        wrong = [] if newest.status == "deployed" else [f"revision {newest.number} is {newest.status}"]
        return judged(CLUSTER, wrong, [f"revision {newest.number} of {facts.settings.release} is deployed"])
    if isinstance(facts.objects, Unseen):
        return not_checkable(CHART, facts.objects.why)
    return judged(CHART, [], [f"the chart renders: {counted([each['kind'] for each in facts.objects.items])}"])


def of_helm(objects: Objects, _facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether every workload of the namespace is a Helm release's."""
    found = objects.of(*WORKLOADS, "DaemonSet")
    release = {name_of(each): annotations_of(each).get(HELM_RELEASE, "") for each in found}
    wrong = [f"{name} is of no release" for name, of in release.items() if not of]
    return judged(objects.on, wrong, [f"{counted([each['kind'] for each in found])} of {', '.join(dict.fromkeys(release.values()))}"])


def rolling(objects: Objects, facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether updates never take a pod away before its successor serves, and which there have been."""
    wrong, revisions = [], []
    for each in objects.of("Deployment"):
        strategy = each["spec"].get("strategy", {})
        down = (strategy.get("rollingUpdate") or {}).get("maxUnavailable")
        if strategy.get("type") != "RollingUpdate" or down not in (0, "0", "0%"):
            wrong.append(
                f"{name_of(each)} takes pods away before others serve ({strategy.get('type', 'no strategy')}, maxUnavailable {down})"
            )
        declared = facts.settings.services.get(service_of(each))
        own = each["spec"]["template"]["spec"]["containers"][0]
        if declared and declared.port and "preStop" not in own.get("lifecycle", {}):
            wrong.append(f"{name_of(each)} leaves at once, while others still call it")
        number = annotations_of(each).get("deployment.kubernetes.io/revision")
        revisions += [f"{name_of(each)} at revision {number}"] if number else []
    deployed = {service_of(each) for each in objects.of("Deployment")}
    wrong += [f"{name} has no Deployment" for name in facts.settings.services if name not in deployed]
    past = [f"helm revision {each.number} {each.status}" for each in facts.revisions] if not isinstance(facts.revisions, Unseen) else []
    return judged(objects.on, wrong, ["maxUnavailable 0, preStop", *revisions, *past])


CHECKS = {
    "containerized": of_objects(containerized),
    "mirrors-cloud": of_objects(mirrors_cloud, live=True),
    "stateless": of_objects(stateless),
    "database": database,
    "environment": of_objects(environment),
    "resources": of_objects(resources),
    "volumes": of_objects(volumes),
    "health-checks": of_objects(health_checks),
    "probes": of_objects(probes),
    "helm": helm,
    "of-helm": of_objects(of_helm, live=True),
    "rolling": of_objects(rolling),
}
