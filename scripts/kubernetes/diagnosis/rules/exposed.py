"""Causes that no pod suffers from yet: what its next pod, its next drain or its next connection will meet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.rules.changed import changed_pods, next_pod_pulls
from scripts.kubernetes.diagnosis.rules.controllers import next_pod_refused
from scripts.kubernetes.diagnosis.rules.endpoints import asked_by_service, endpoints
from scripts.kubernetes.diagnosis.rules.released import released
from scripts.kubernetes.diagnosis.rules.room import no_room_for_update
from scripts.kubernetes.diagnosis.snapshot import Snapshot, time_of
from scripts.kubernetes.objects import (
    claims_of,
    is_of_release,
    is_ready,
    is_rolled_out,
    isolates,
    labels_of,
    name_of,
    secrets_of,
    selects,
    status_of,
    wanted_replicas,
)

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

ENDING = timedelta(seconds=30)


def exposed(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Yield what each workload is exposed to, and may suffer from already."""
    for workload in snapshot.workloads:
        yield from lost_claims(snapshot, workload)
        yield from _secrets(snapshot, workload)
        yield from _strange_policies(snapshot, workload)
        yield from _strange_pods(snapshot, workload)
        yield from released(snapshot, workload)
        yield from endpoints(snapshot, workload)
        yield from changed_pods(snapshot, workload)
        yield from _endless_pods(snapshot, workload)
        yield from _silent_controllers(snapshot, workload)


def latent(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Yield what will go wrong with workloads that are rolled out: it explains nothing that is wrong now."""
    for workload in snapshot.workloads:
        if is_rolled_out(workload):
            yield from _budgets(snapshot, workload)
            yield from filter(None, (rule(snapshot, workload) for rule in (next_pod_refused, next_pod_pulls, no_room_for_update)))


def lost_claims(snapshot: Snapshot, workload: Object) -> Iterator[Diagnosis]:
    """Yield what is wrong with the volume claims of pods that run: one is gone, or goes as soon as its pod does."""
    known = {name_of(claim): claim for claim in snapshot.claims}
    for pod in snapshot.pods_of(workload):
        if status_of(pod).get("phase") != "Running":
            continue  # of one that waits for its volume, another rule tells
        for name in claims_of(pod):
            if not (state := _lost(known.get(name))):
                if volume := _ending_volume(snapshot, known.get(name)):
                    yield _volume_ends(workload, pod, name, volume)
                continue
            again = f"kubectl delete pod {name_of(pod)}: the next one has a new volume"
            yield diagnosed(
                workload,
                "volume-lost",
                f"its volume claim {name} {state}: its data ends with the pod {name_of(pod)}",
                [f"persistentvolumeclaim {name} {state}"],
                f"{_copy(workload)} while it runs; {again}; restore the data into it",
            )


def _ending_volume(snapshot: Snapshot, claim: Object | None) -> Object | None:
    """The volume of a claim, where it was deleted and only the claim still holds it."""
    bound = claim["spec"].get("volumeName") if claim else None
    return next((each for each in snapshot.volumes if name_of(each) == bound and each["metadata"].get("deletionTimestamp")), None)


def _volume_ends(workload: Object, pod: Object, claim: str, volume: Object) -> Diagnosis:
    policy, name = volume["spec"].get("persistentVolumeReclaimPolicy", ""), name_of(volume)
    data = "what it holds stays where it is, and no volume leads to it" if policy == "Retain" else "its data goes with it"
    return diagnosed(
        workload,
        "volume-lost",
        f"its volume {name} is being deleted, and goes once its claim {claim} does: {data}",
        [f"persistentvolume {name}: deletionTimestamp {volume['metadata']['deletionTimestamp']}, reclaim policy {policy or 'not told'}"],
        f"{_copy(workload)} while it runs: nobody can take the deletion back; then kubectl delete persistentvolumeclaim {claim} "
        f"--wait=false and kubectl delete pod {name_of(pod)}: the next one has a new volume; restore the data into it",
    )


def _copy(workload: Object) -> str:
    return "invoke backup FILE" if workload["kind"] == "StatefulSet" else "copy the data away"


def _lost(claim: Object | None) -> str:
    """What has happened to a claim that a pod uses; nothing to a healthy one."""
    if claim is None:
        return "is gone"
    if claim["metadata"].get("deletionTimestamp"):
        return "is being deleted"
    return "has lost its volume" if status_of(claim).get("phase") == "Lost" else ""


def _secrets(snapshot: Snapshot, workload: Object) -> Iterator[Diagnosis]:
    """A Secret that running pods hold, or a key of it, is gone: no new pod can start."""
    if snapshot.secrets is None:
        return
    pods = [pod for pod in snapshot.pods_of(workload) if status_of(pod).get("phase") == "Running"]
    made_by_us = re.compile(rf"{re.escape(snapshot.release)}-.*-[0-9a-f]{{10}}")
    for name, keys in sorted(secrets_of(pods[0]).items()) if pods else ():
        if name in snapshot.strange_secrets and made_by_us.fullmatch(name):
            yield diagnosed(
                workload,
                "secret-strange",
                f"Secret {name} is somebody else's, made under a name of ours: a pod that starts gets what it says",
                [f"secret {name} lacks the labels that `up` gives"],
                "invoke up makes it from .env; a pod that has started with the other needs a restart: kubectl delete pod NAME",
            )
        lost = sorted(keys - set(snapshot.secrets.get(name, ())))
        if name in snapshot.secrets and not lost:
            continue
        what = f"key {lost[0]} of Secret {name}" if name in snapshot.secrets else f"Secret {name}"
        yield diagnosed(
            workload,
            "secret-lost",
            f"{what} is gone: its pods run on with what they hold, and no new one can start",
            [f"pod {name_of(pods[0])} uses it"],
            "invoke up makes it from .env",
        )


def _strange_policies(snapshot: Snapshot, workload: Object) -> Iterator[Diagnosis]:
    """Somebody else's NetworkPolicy shuts a direction that the release leaves open; one that it shuts itself loses nothing by another."""
    labels = labels_of(workload["spec"]["template"])
    for direction, way in (("Ingress", "let in"), ("Egress", "let out")):
        shut = [policy for policy in snapshot.policies if isolates(policy, labels, direction)]
        if not shut or any(is_of_release(policy, snapshot.release) for policy in shut):
            continue
        names = ", ".join(name_of(policy) for policy in shut)
        yield diagnosed(
            workload,
            "policy-strange",
            f"somebody else's NetworkPolicy {names} says what its pods are {way}, and none of the release does",
            [f"networkpolicy {name_of(policy)}: {direction}, selects its pods" for policy in shut],
            f"remove it, or let it pass what the app needs: kubectl --namespace {snapshot.namespace} edit networkpolicy {name_of(shut[0])}",
        )


def _strange_pods(snapshot: Snapshot, workload: Object) -> Iterator[Diagnosis]:
    """A pod that somebody else made wears the workload's labels: its Service sends it requests too."""
    selector = workload["spec"].get("selector", {})
    ours = {each["metadata"]["uid"] for each in snapshot.workloads}
    ours |= {each["metadata"]["uid"] for each in snapshot.replica_sets if _owner(each).get("uid") in ours}
    sets = {each["metadata"]["uid"]: each for each in snapshot.replica_sets}
    for pod in snapshot.pods:
        owner = _owner(pod)
        if not (selector and selects(selector, labels_of(pod)) and is_ready(pod)) or owner.get("uid") in ours:
            continue
        if pod["metadata"].get("deletionTimestamp"):
            continue  # it gets no requests any more
        above = _owner(sets.get(owner.get("uid", ""), {})) or owner
        goes = f"{above['kind'].lower()} {above['name']}" if above else f"pod {name_of(pod)}"
        asked = name_of(pod) in asked_by_service(snapshot, workload)
        harm = "its Service sends it requests" if asked else "disruption budgets, policies and metrics count it as one of its own"
        yield diagnosed(
            workload,
            "pod-strange",
            f"the pod {name_of(pod)}, which is not of it, wears its labels: {harm}",
            [f"pod {name_of(pod)} is of {goes}" if above else f"pod {name_of(pod)} has no owner"],
            f"kubectl --namespace {snapshot.namespace} delete {goes}, or give its pods other labels",
        )


def _owner(thing: Object) -> Mapping[str, str]:
    """What controls an object; nothing where nobody does."""
    owners: Sequence[Mapping[str, str]] = thing.get("metadata", {}).get("ownerReferences") or ({},)
    return owners[0]


def _endless_pods(snapshot: Snapshot, workload: Object) -> Iterator[Diagnosis]:
    """A pod that was deleted is still there long after its grace: it holds its room, and of a StatefulSet no next one comes."""
    for pod in snapshot.pods:
        metadata = pod["metadata"]
        late = snapshot.taken - time_of(metadata.get("deletionTimestamp"))
        if not metadata.get("deletionTimestamp") or late < ENDING or not selects(workload["spec"].get("selector", {}), metadata["labels"]):
            continue
        held, place = ", ".join(metadata.get("finalizers", ())), f"--namespace {snapshot.namespace}"
        release = f'kubectl {place} patch pod {name_of(pod)} --type=merge --patch \'{{"metadata": {{"finalizers": null}}}}\''
        force = f"kubectl {place} delete pod {name_of(pod)} --grace-period=0 --force"
        yield diagnosed(
            workload,
            "pod-endless",
            f"the pod {name_of(pod)} should have ended {late.total_seconds():.0f} s ago{f', and is held by {held}' if held else ''}",
            [f"pod {name_of(pod)}: deletionTimestamp {metadata['deletionTimestamp']}, node {pod['spec'].get('nodeName', 'none')}"],
            f"see why {held} does not let it go; by force: {release}" if held else f"see its node; where that is gone for good: {force}",
        )


def _silent_controllers(snapshot: Snapshot, workload: Object) -> Iterator[Diagnosis]:
    """What the workload's status says is not so, or not of its newest specification: the controllers that keep it do not act."""
    there, wanted = len(snapshot.pods_of(workload)), wanted_replicas(workload)
    seen, newest = status_of(workload).get("observedGeneration", 0), workload["metadata"].get("generation", 0)
    if seen >= newest and not (is_rolled_out(workload) and there < wanted):
        return
    told = f"{there} of {wanted} pods are there" if seen >= newest else f"its newest specification ({newest}) has not been seen"
    yield diagnosed(
        workload,
        "controllers-silent",
        f"the cluster's controllers do not act on it: {told}",
        [f"status: observedGeneration {seen}, replicas {workload.get('status', {}).get('replicas', 0)}"],
        "ask again in a moment; then see whether kube-controller-manager runs: kubectl --namespace kube-system get pods",
    )


def _budgets(snapshot: Snapshot, workload: Object) -> Iterator[Diagnosis]:
    """Every pod is well, and yet none may be evicted: a drain of its node waits forever."""
    labels = labels_of(workload["spec"]["template"])
    budgets = [b for b in snapshot.budgets if b["spec"].get("selector") is not None and selects(b["spec"]["selector"], labels)]
    for budget in budgets:
        status = status_of(budget)
        healthy, wanted = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
        tight = status.get("disruptionsAllowed") == 0 and healthy >= status.get("expectedPods", 0) > 0
        if not tight and len(budgets) == 1:
            continue
        why = f"it wants {wanted} of {healthy} pods healthy" if tight else "another one selects the same pods"
        yield diagnosed(
            workload,
            "drain-blocked",
            f"PodDisruptionBudget {name_of(budget)} lets no drain of a node through: {why}",
            [f"poddisruptionbudget {name_of(budget)}: disruptionsAllowed {status.get('disruptionsAllowed')}"],
            "lower its minAvailable or run more pods"
            if is_of_release(budget, snapshot.release)
            else "remove it, or lower its minAvailable",
        )
        return
