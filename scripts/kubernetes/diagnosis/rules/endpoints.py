"""Causes in where a Service sends requests: addresses that somebody wrote down, and pods that nobody has written down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.snapshot import Snapshot, time_of
from scripts.kubernetes.objects import condition_of, is_ready, labels_of, name_of, selects, status_of

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

SERVICE, SLICE_OWNER = "kubernetes.io/service-name", "endpointslice.kubernetes.io/managed-by"
CONTROLLER = "endpointslice-controller.k8s.io"
SETTLE = timedelta(seconds=15)
"""What the controller may take to write a pod down that has got ready: mostly less than one."""


def endpoints(snapshot: Snapshot, workload: Object) -> Iterator[Diagnosis]:
    """Yield what is wrong with where the workload's Service sends requests."""
    yield from _strange(snapshot, workload)
    yield from _stale(snapshot, workload)


def asked_by_service(snapshot: Snapshot, workload: Object) -> set[str]:
    """The pods behind the workload's Service: one that lacks the Service's port by name is not among them."""
    own = [each for each in snapshot.slices if labels_of(each).get(SERVICE) == name_of(workload)]
    endpoints = [endpoint for each in own if each.get("ports") for endpoint in each.get("endpoints") or ()]
    return {endpoint.get("targetRef", {}).get("name", "") for endpoint in endpoints}


def _stale(snapshot: Snapshot, workload: Object) -> Iterator[Diagnosis]:
    """Pods have long been ready, and the Service that selects them does not know them: its controller does not act."""
    service = next((each for each in snapshot.services if name_of(each) == name_of(workload)), None)
    slices = [each for each in snapshot.slices if labels_of(each).get(SERVICE) == name_of(workload)]
    if service is None or not slices:
        return
    known = {endpoint.get("targetRef", {}).get("name", "") for each in slices for endpoint in each.get("endpoints") or ()}
    selector = {"matchLabels": service["spec"].get("selector") or {}}
    selected = [pod for pod in snapshot.pods_of(workload) if selects(selector, labels_of(pod)) and is_ready(pod)]
    unknown = [
        name_of(pod)
        for pod in selected
        if name_of(pod) not in known and snapshot.taken - time_of(condition_of(pod, "Ready").get("lastTransitionTime")) > SETTLE
    ]
    if not unknown:
        return
    addresses = {status_of(pod).get("podIP") for pod in snapshot.pods}
    listed = (address for each in slices for endpoint in each.get("endpoints") or () for address in endpoint.get("addresses", ()))
    dead = sorted({address for address in listed if address not in addresses})
    yield diagnosed(
        workload,
        "endpoints-stale",
        f"its Service knows {len(selected) - len(unknown)} of its {len(selected)} ready pods: the EndpointSlice controller does not act",
        [
            *(f"pod {name} is ready, and in no EndpointSlice" for name in unknown),
            *(f"endpointslice: {address} is the address of no pod any more" for address in dead),
        ],
        "see whether it may: kubectl auth can-i update endpointslices --as=system:serviceaccount:kube-system:endpointslice-controller; "
        "and whether kube-controller-manager runs; once it acts again, any change of the Service has it look: "
        f"kubectl --namespace {snapshot.namespace} annotate service {name_of(workload)} look=again --overwrite",
    )


def _strange(snapshot: Snapshot, workload: Object) -> Iterator[Diagnosis]:
    """Somebody wrote down addresses for the workload's Service beside those of its pods: a part of the requests goes there."""
    for found in snapshot.slices:
        labels = labels_of(found)
        if labels.get(SERVICE) != name_of(workload) or labels.get(SLICE_OWNER) == CONTROLLER:
            continue
        addresses = [address for endpoint in found.get("endpoints") or () for address in endpoint.get("addresses", ())]
        yield diagnosed(
            workload,
            "endpoints-strange",
            f"its Service sends requests also to {', '.join(addresses) or 'nowhere'}, which somebody wrote down by hand",
            [f"endpointslice {name_of(found)} is not of the cluster's controller"],
            f"kubectl --namespace {snapshot.namespace} delete endpointslice {name_of(found)}",
        )
