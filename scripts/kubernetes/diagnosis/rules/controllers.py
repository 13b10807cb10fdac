"""Causes that a controller tells: its pods are refused, or its rollout stands still."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import (
    condition_of,
    has_ended,
    is_of_release,
    name_of,
    newest_replica_set,
    request_of,
    status_of,
    wanted_replicas,
)
from scripts.kubernetes.quantity import parse_quantity

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object


REFUSALS = (
    # (part of the message, code, what happened, what to do)
    ("exceeded quota", "quota-exceeded", "the namespace's ResourceQuota has no room for another pod",
     "raise namespaceRules.quota in the chart's values, or lower requests, limits or replicas"),
    ("failed quota", "quota-exceeded", "a ResourceQuota wants requests and limits that the pod does not state",
     "state the requests and limits that the quota counts"),
    ("violates PodSecurity", "pod-security", "the namespace's Pod Security level refuses the pod",
     "fix the securityContext of the pod; the level is a label of the namespace"),
    (" per Container is ", "limit-range", "a LimitRange refuses the pod's requests or limits",
     "keep resources within namespaceRules.containerLimits"),
    (" per Pod is ", "limit-range", "a LimitRange refuses the pod's requests or limits", "keep resources within the LimitRange"),
    ("failed calling webhook", "webhook-down", "an admission webhook that every new pod has to pass does not answer",
     "bring back what serves it, or remove it: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"),
    ("error looking up service account", "service-account-missing", "the pod's ServiceAccount does not exist",
     "install the chart again: invoke up"),
)  # fmt: skip


INVALID = re.compile(r'^The pods? "[^"]*" is invalid: (: )?')
POLICY = re.compile(r"ValidatingAdmissionPolicy '[^']*' with binding '([^']*)' denied request")
WEBHOOK = re.compile(r'admission webhook "([^"]*)" denied the request')


def refused_pods(snapshot: Snapshot, workload: Object) -> Diagnosis | None:
    """The API server refuses the pods that the controller wants to make, or did so, and the controller waits before it tries again."""
    maker, message = refused_maker(snapshot, workload)
    if maker is None:
        return None
    evidence = f"{maker['kind']} {name_of(maker)}: FailedCreate: {message}"
    if snapshot.refusals.get(name_of(workload)) == "":
        what = "its pods were refused, and would be taken now: its controller waits before it tries again, up to a quarter of an hour"
        told = [evidence, "a pod that was only tried is taken"]
        return diagnosed(workload, "controller-waits", what, told, "invoke up has it try at once")
    return _refused(snapshot, workload, message, evidence)


def refused_maker(snapshot: Snapshot, workload: Object) -> tuple[Object | None, str]:
    """Return the controller whose last attempt to make a pod was refused, with the refusal; nothing where none was."""
    message = ""
    maker: Object | None = workload
    if workload["kind"] == "Deployment":
        maker = newest_replica_set(workload, snapshot.replica_sets)
        failure = condition_of(maker, "ReplicaFailure") if maker else {}
        message = str(failure.get("message", ""))
    elif len(snapshot.pods_of(workload)) < wanted_replicas(workload):
        newest = snapshot.events_of(workload, "FailedCreate", "SuccessfulCreate")[:1]
        message = str(newest[0]["message"]) if newest and newest[0]["reason"] == "FailedCreate" else ""
    return (maker, message) if message else (None, "")


def next_pod_refused(snapshot: Snapshot, workload: Object) -> Diagnosis | None:
    """It is rolled out, and the API server would refuse one more pod: after an eviction, an update or more load."""
    message = snapshot.refusals.get(name_of(workload), "")
    if not message or (workload["kind"] == "StatefulSet" and "exceeded quota" in message):  # its next pod comes after the old one
        return None
    return _refused(snapshot, workload, message, f"a pod that was only tried: {message}", "it runs, but no new pod of it can be made: ")


def _refused(snapshot: Snapshot, workload: Object, message: str, evidence: str, first: str = "") -> Diagnosis:
    told = INVALID.sub("", message.split(" is forbidden: ", 1)[-1])
    known = [entry for entry in REFUSALS if entry[0] in message]
    _, code, what, action = known[0] if known else ("", "pod-refused", "its pods are refused", _way_out(message))
    kind = {"quota-exceeded": "ResourceQuota", "limit-range": "LimitRange"}.get(code)
    others = [name_of(b) for b in snapshot.bounds if b["kind"] == kind and not is_of_release(b, snapshot.release)]
    if others:
        action = f"raise or remove what somebody else made: kubectl --namespace {snapshot.namespace} edit {kind} {others[0]}"
    elif counted := _counts_what_is_not_there(snapshot) if known and known[0][0] == "exceeded quota" else "":
        action = f"wait some minutes, and ask again: pods that could not be made are counted until the quota counts again; else {action}"
        evidence = f"{evidence}; {counted}"
    strange = [f"{kind} {name} is not of the release" for name in others]
    return diagnosed(workload, code, f"{first}{what}: {told}", [evidence, *strange], action)


def _counts_what_is_not_there(snapshot: Snapshot) -> str:
    """Where the namespace's quota counts more CPU than its pods ask for; empty where it does not, or not all pods were looked at."""
    pods = [pod for pod in snapshot.placed_pods if pod["metadata"].get("namespace") == snapshot.namespace and not has_ended(pod)]
    asked = sum((request_of(pod, "cpu") for pod in pods), Decimal(0))
    for bound in snapshot.bounds if pods else ():
        counted = status_of(bound).get("used", {}).get("requests.cpu")
        if bound["kind"] == "ResourceQuota" and counted and parse_quantity(counted) > asked:
            return f"ResourceQuota {name_of(bound)} counts {counted} of CPU, and its pods ask for {int(asked * 1000)}m"
    return ""


def _way_out(message: str) -> str:
    """What to do about a refusal: the pods can obey who refuses them, or that can go."""
    if policy := POLICY.search(message):
        return f"give the pods what it wants, or remove it: kubectl delete validatingadmissionpolicybinding {policy[1]}"
    if webhook := WEBHOOK.search(message):
        kinds = "validatingwebhookconfigurations,mutatingwebhookconfigurations"
        return f"give the pods what it wants, or remove it: kubectl get {kinds} --output yaml | grep {webhook[1]} shows whose it is"
    return "fix what the message names, then invoke up"


def stalled(workload: Object) -> Diagnosis | None:
    """The rollout has had its whole deadline, and nothing else explains it."""
    progressing = condition_of(workload, "Progressing")
    if progressing.get("reason") != "ProgressDeadlineExceeded":
        return None
    return diagnosed(
        workload,
        "stalled",
        "the rollout made no progress for its whole progressDeadlineSeconds",
        [f"{workload['kind']} {name_of(workload)}: {progressing.get('message', '')}"],
        "invoke status, invoke logs SERVICE",
    )
