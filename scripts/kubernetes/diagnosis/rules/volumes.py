"""Causes about volumes that stay where they are: on one node, or in one zone, while the pod could go anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import claims_of, condition_of, labels_of, name_of

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

HOSTNAME = "kubernetes.io/hostname"
"""The label that is a node's name, but where a kubelet is told otherwise."""
LOST = (
    "bring that node back; if its disk is lost, the data is too: kubectl delete persistentvolumeclaim {claim}, then the pod {pod}, "
    "and restore a backup into the new database"
)


def volume_elsewhere(snapshot: Snapshot, workload: Object, pod: Object, message: str) -> Diagnosis | None:
    """The pod's volume can be used on nodes that take no pods now, or that are gone.

    message: what the scheduler says.
    """
    if "node affinity" not in message:
        return None
    for claim in (each for each in snapshot.claims if name_of(each) in claims_of(pod)):
        volume = _volume_of(snapshot, claim)
        if volume is None or (why := _why_not(snapshot, volume)) is None:
            continue
        cause, action = why
        return diagnosed(
            workload,
            "volume-elsewhere",
            f"its volume {name_of(claim)} is on {' or '.join(_places(volume))}, {cause}",
            [f"pod {name_of(pod)}: {message}", f"persistentvolume {name_of(volume)}: usable on {', '.join(_places(volume))} alone"],
            action.format(claim=name_of(claim), pod=name_of(pod)),
        )
    return None


def held_on(snapshot: Snapshot, node: Object) -> list[str]:
    """Return the pods whose volume can be used on this node alone: none of them can be started on another."""
    held = {
        name_of(claim)
        for claim in snapshot.claims
        if (volume := _volume_of(snapshot, claim)) and [name_of(each) for each in _usable_on(snapshot, volume)] == [name_of(node)]
    }
    return [name_of(pod) for pod in snapshot.pods if held.intersection(claims_of(pod))]


def _why_not(snapshot: Snapshot, volume: Object) -> tuple[str, str] | None:
    """Why no pod can be started where the volume is, and what to do about it; None where one can."""
    nodes = _usable_on(snapshot, volume)
    if not nodes and (renamed := _relabelled(snapshot, volume)):
        node, key, value = renamed
        told = f"and the node {name_of(node)} is there: somebody changed its label {key}, which is {labels_of(node).get(key, 'gone')}"
        return told, f"kubectl label node {name_of(node)} {key}={value} --overwrite"
    if not nodes:
        return "where no node of the cluster is any more", LOST
    if any(_is_open(node) for node in nodes):
        return None
    names = ", ".join(map(name_of, nodes))
    if closed := [name_of(node) for node in nodes if node.get("spec", {}).get("unschedulable")]:
        return f"and {names} takes no new pods (it is cordoned)", f"kubectl uncordon {' '.join(closed)}"
    return f"and {names} does not answer", f"start {names} again, or see why: kubectl describe node {name_of(nodes[0])}"


def _relabelled(snapshot: Snapshot, volume: Object) -> tuple[Object, str, str] | None:
    """A node that is still called as the volume's place says, and lacks the label that says so: the node, the label, what it should be."""
    rules = [rule for term in _terms(volume) for rule in term.get("matchExpressions", ()) if rule["key"] == HOSTNAME]
    wanted = {value for rule in rules for value in rule.get("values", ())}
    return next(((node, HOSTNAME, name_of(node)) for node in snapshot.nodes if name_of(node) in wanted), None)


def _is_open(node: Object) -> bool:
    return condition_of(node, "Ready").get("status", "True") == "True" and not node.get("spec", {}).get("unschedulable")


def _volume_of(snapshot: Snapshot, claim: Object) -> Object | None:
    """The bound volume of a claim, where it says on which nodes it can be used; one that says nothing can be used on all."""
    bound = claim["spec"].get("volumeName")
    found = next((each for each in snapshot.volumes if name_of(each) == bound), None)
    return found if found and _terms(found) else None


def _terms(volume: Object) -> list[Object]:
    return list(volume["spec"].get("nodeAffinity", {}).get("required", {}).get("nodeSelectorTerms", ()))


def _places(volume: Object) -> list[str]:
    """The names of nodes or zones in its affinity."""
    return sorted({value for term in _terms(volume) for rule in term.get("matchExpressions", ()) for value in rule.get("values", ())})


def _usable_on(snapshot: Snapshot, volume: Object) -> list[Object]:
    return [node for node in snapshot.nodes if any(_fits(node, term) for term in _terms(volume))]


def _fits(node: Object, term: Object) -> bool:
    """Whether a node is one of a term's. Drivers write `In`; of any other operator nothing is concluded, and every node fits."""
    labels = labels_of(node)
    return all(labels.get(rule["key"]) in rule["values"] for rule in term.get("matchExpressions", ()) if rule["operator"] == "In")
