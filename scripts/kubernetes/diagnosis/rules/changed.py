"""A pod that is not as its workload says, since somebody changed it or admission did: no comparison of workloads tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import name_of, status_of
from scripts.kubernetes.quantity import parse_quantity

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

ALWAYS = "Always"
OUR_TAG = re.compile(r":h[0-9a-f]{12}$")  # scripts/desired/images.py gives it to what we build
PULLS = "admission has it pull its image again, which no registry has, though its workload does not say so"
WHO_ADMITS = (
    "see who changes pods as they are made, and have it leave this namespace alone: "
    "kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies"
)
SEE_ADMISSION = (
    "see who sets imagePullPolicy: kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies; "
    "have it leave this namespace alone, or push images to a registry (kube_context.images: registry)"
)
AUTOSCALED = "vpa"
"""How the annotations of the Vertical Pod Autoscaler begin, which resizes pods as it should."""


def changed_pods(snapshot: Snapshot, workload: Object) -> Iterator[Diagnosis]:
    """Yield one diagnosis for the pods of a workload that are not as its template says.

    An image or resources may be admission's, for a reason: only a pod whose specification was changed since counts, which its generation
    tells (metadata.generation of pods, from Kubernetes 1.33 on). Another DNS policy and a deadline
    count always: they take the release's own names or the pod itself away.
    """
    template = workload["spec"].get("template", {}).get("spec", {})
    wanted = {each["name"]: each for each in template.get("containers", ())}
    found = {
        name_of(pod): told
        for pod in snapshot.pods_of(workload)
        if (told := [*_dns(pod, template), *_deadline(pod, template), *_changes(pod, wanted)])
    }
    if found:
        names = " ".join(found)
        yield diagnosed(
            workload,
            "pod-changed",
            f"{'its pod' if len(found) == 1 else 'its pods'} {names} {'is' if len(found) == 1 else 'are'} not as it says: "
            f"{next(iter(found.values()))[0]}",
            [f"pod {name}: {difference}" for name, told in found.items() for difference in told],
            f"new ones take their place: kubectl --namespace {snapshot.namespace} delete pod {names}; "
            "where those are like that too, admission makes them so: see mutatingwebhookconfigurations and mutatingadmissionpolicies",
        )


def made_otherwise(snapshot: Snapshot, workload: Object) -> Iterator[str]:
    """Yield what pods have otherwise than the template since they were made: by admission, which may have its reason, or be the reason."""
    wanted = {each["name"]: each for each in workload["spec"].get("template", {}).get("spec", {}).get("containers", ())}
    for pod in snapshot.pods_of(workload):
        if not _touched(pod):
            told = (*_differences(pod, wanted), *_environment(pod, wanted))
            yield from (f"pod {name_of(pod)} was made so by admission: {difference}" for difference in told)


def pulls_what_no_registry_has(workload: Object, container: Object) -> bool:
    """Whether a container's image is pulled again, though its workload does not say so, and we have built it: nodes alone have it."""
    template = workload["spec"].get("template", {}).get("spec", {})
    wanted = {each["name"]: each for each in (*template.get("initContainers", ()), *template.get("containers", ()))}
    should = wanted.get(container["name"], container).get("imagePullPolicy")
    return container.get("imagePullPolicy") == ALWAYS != should and bool(OUR_TAG.search(container.get("image", "")))


def next_pod_pulls(snapshot: Snapshot, workload: Object) -> Diagnosis | None:
    """It is rolled out, and its next pod would look for its image in a registry that has none."""
    spec = snapshot.tried.get(name_of(workload), {}).get("spec", {})
    pulled = [each for each in spec.get("containers", ()) if pulls_what_no_registry_has(workload, each)]
    if not pulled:
        return None
    told = [f"a pod that was only tried: container {each['name']} has imagePullPolicy {ALWAYS}" for each in pulled]
    return diagnosed(workload, "admission-changed", f"it runs, but its next pod will not start: {PULLS}", told, SEE_ADMISSION)


def _dns(pod: Object, template: Object) -> Iterator[str]:
    has, should = (spec.get("dnsPolicy", "ClusterFirst") for spec in (pod["spec"], template))
    if template and has != should:
        yield f"dnsPolicy is {has}, and should be {should}: it does not know the cluster's names"


def _deadline(pod: Object, template: Object) -> Iterator[str]:
    has, should = (spec.get("activeDeadlineSeconds") for spec in (pod["spec"], template))
    if template and has != should and status_of(pod).get("phase") == "Running":
        yield f"activeDeadlineSeconds is {has}: it is ended so long after its start"


def _changes(pod: Object, wanted: dict[str, Object]) -> Iterator[str]:
    if _touched(pod):
        yield from _differences(pod, wanted)


def _touched(pod: Object) -> bool:
    annotations = pod["metadata"].get("annotations") or {}
    return pod["metadata"].get("generation", 1) > 1 and not any(name.startswith(AUTOSCALED) for name in annotations)


def _environment(pod: Object, wanted: dict[str, Object]) -> Iterator[str]:
    """What containers have in their environment beside their template; values may be secret."""
    for container in pod["spec"]["containers"]:
        if (template := wanted.get(container["name"])) is None:
            yield f"container {container['name']} is added"
            continue
        has, should = ({each["name"]: each for each in spec.get("env") or ()} for spec in (container, template))
        for name in sorted(has.keys() | should.keys()):
            if has.get(name) != should.get(name):
                how = "is added" if name not in should else "is another one" if name in has else "is taken away"
                yield f"container {container['name']}: the variable {name} {how}"


def _differences(pod: Object, wanted: dict[str, Object]) -> Iterator[str]:
    for container in pod["spec"]["containers"]:
        template = wanted.get(container["name"], container)
        if container.get("image") != template.get("image"):
            yield f"container {container['name']} runs {container.get('image')}, and should run {template.get('image')}"
        for key in ("imagePullPolicy", "command", "args"):
            if container.get(key) != template.get(key):
                yield f"container {container['name']}: {key} is {container.get(key)}, and should be {template.get(key)}"
        for kind in ("requests", "limits"):
            has = container.get("resources", {}).get(kind) or {}
            for resource, should in (template.get("resources", {}).get(kind) or {}).items():
                if resource not in has or parse_quantity(has[resource]) != parse_quantity(should):
                    is_now = f"is {has[resource]}" if resource in has else "is not set"
                    yield f"container {container['name']}: {kind}.{resource} {is_now}, and should be {should}"
