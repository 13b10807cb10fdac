"""Why a release is not healthy: from a snapshot to causes. Pure; the order of the rules and the codes are in `specs/diagnosis.md`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import DATABASE_CODES, Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.container import ContainerState, containers
from scripts.kubernetes.diagnosis.rules.changed import WHO_ADMITS, made_otherwise
from scripts.kubernetes.diagnosis.rules.controllers import refused_pods, stalled
from scripts.kubernetes.diagnosis.rules.exits import exited, keeps_exiting
from scripts.kubernetes.diagnosis.rules.exposed import exposed, latent
from scripts.kubernetes.diagnosis.rules.logs import tells_of_database, tells_of_dns, waits_for_database
from scripts.kubernetes.diagnosis.rules.pods import ended_at_deadline, evicted, not_placed, not_prepared
from scripts.kubernetes.diagnosis.rules.probes import not_ready
from scripts.kubernetes.diagnosis.rules.released import CODE as RELEASED
from scripts.kubernetes.diagnosis.rules.released import FOLLOWS as FOLLOWS_RELEASED
from scripts.kubernetes.diagnosis.rules.revision import new_in_revision
from scripts.kubernetes.diagnosis.rules.starts import image_missing, not_configured, not_started
from scripts.kubernetes.diagnosis.rules.surroundings import surroundings
from scripts.kubernetes.diagnosis.snapshot import Snapshot, progress
from scripts.kubernetes.objects import conditions_of, is_ready, is_rolled_out, name_of

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

PodRule = Callable[[Snapshot, "Object", "Object"], Diagnosis | None]
POD_RULES: Sequence[PodRule] = (evicted, ended_at_deadline, not_placed, not_prepared)
ContainerRule = Callable[[ContainerState], Diagnosis | None]
CONTAINER_RULES: Sequence[ContainerRule] = (not_configured, image_missing, not_started, waits_for_database, not_ready, exited)
"""The rules in the order in which they are asked; the first that finds something is the cause."""
FOLLOWS_NODE = ("dns-down", "sandbox-failed", "volume-not-mounted", "volume-elsewhere")
NODE_TAINT = re.compile(r"node\.kubernetes\.io/(not-ready|unreachable)")
DNS_CODES = ("dns-down", "dns-blocked")
FOLLOWS = {**dict.fromkeys(FOLLOWS_RELEASED, RELEASED), "controllers-silent": "webhook-down"}  # which refuses what they write, too
FOLLOWS_DNS = ("database-name-unknown", "egress-blocked", "database-silent")


def diagnose(snapshot: Snapshot) -> list[Diagnosis]:
    """Return the causes that keep the release from being healthy, roots before what follows from them; none for a healthy one.

    A workload that only needs more time has none.
    """
    own = [d for workload in snapshot.workloads for d in _of_workload(snapshot, workload)]
    found = [*surroundings(snapshot), *exposed(snapshot), *own, *latent(snapshot)]
    let_go = {each.workload for each in found if each.code == RELEASED}
    found = [each for each in found if not (each.workload in let_go and each.code in FOLLOWS_RELEASED)]
    databases = {name_of(workload) for workload in snapshot.workloads if workload["kind"] == "StatefulSet"}
    linked = [replace(d, follows_from=_root_of(d, found, databases)) for d in found]
    return sorted(linked, key=lambda d: bool(d.follows_from))


def unexplained(snapshot: Snapshot, found: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Return a diagnosis for each workload that is not rolled out and has none of its own: it is not healthy, whatever the reason."""
    explained = {diagnosis.workload for diagnosis in found}
    return [
        diagnosed(
            workload,
            "not-rolled-out",
            f"it is not rolled out, and nothing says why: {progress(snapshot, workload)}",
            [
                *(f"{each['type']} is {each['status']}: {each.get('message', '')}" for each in conditions_of(workload)),
                *new_in_revision(snapshot, workload),
            ],
            "wait a moment and ask again; invoke up watches it",
        )
        for workload in snapshot.workloads
        if not is_rolled_out(workload) and name_of(workload) not in explained
    ]


def _root_of(diagnosis: Diagnosis, all_found: Sequence[Diagnosis], databases: Collection[str]) -> str:
    """What this one follows from: the node or the DNS, or another unhealthy workload: the bundled Postgres, or one that is named."""
    by_code = {d.code: d.workload for d in all_found if d.code in ("node-not-ready", *DNS_CODES)}
    if "node-not-ready" in by_code and (diagnosis.code in FOLLOWS_NODE or NODE_TAINT.search(diagnosis.cause)):
        return by_code["node-not-ready"]
    if root := FOLLOWS.get(diagnosis.code):
        return next((d.workload for d in all_found if d.code == root), "")
    of_dns = next((by_code[code] for code in DNS_CODES if code in by_code), "")
    if of_dns and (diagnosis.code in FOLLOWS_DNS or (diagnosis.code == "readiness-http" and tells_of_dns(diagnosis.cause))):
        return of_dns
    roots = [d.workload for d in all_found if d.workload != diagnosis.workload and d.code not in DATABASE_CODES]
    words = set(re.findall(r"[a-z0-9-]+", " ".join(diagnosis.evidence)))
    if diagnosis.code in DATABASE_CODES:
        return next((root for root in roots if root in databases or root in words), "")
    if diagnosis.code == "readiness-http":
        of_database = tells_of_database(diagnosis.cause)
        return next((root for root in roots if root in words or (of_database and root in databases)), "")
    return ""


def _of_workload(snapshot: Snapshot, workload: Object) -> list[Diagnosis]:
    """One diagnosis for each different cause among the workload's pods."""
    if is_rolled_out(workload):
        found = [keeps_exiting(snapshot, workload, pod) for pod in snapshot.pods_of(workload)]
    else:
        found = [refused_pods(snapshot, workload)]
        found += [_of_pod(snapshot, workload, pod) for pod in snapshot.pods_of(workload)]
        if not any(found):
            found = [stalled(workload)]
    by_code: dict[str, Diagnosis] = {}
    for diagnosis in found:
        if diagnosis and diagnosis.exits >= by_code.get(diagnosis.code, diagnosis).exits:
            by_code[diagnosis.code] = diagnosis
    if is_rolled_out(workload):
        return list(by_code.values())
    new, made = new_in_revision(snapshot, workload), tuple(made_otherwise(snapshot, workload))
    return [
        replace(
            each, evidence=(*each.evidence, *new, *made), action=f"{WHO_ADMITS}; else {each.action}" if made and each.exits else each.action
        )
        for each in by_code.values()
    ]


def _of_pod(snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    if is_ready(pod):
        return keeps_exiting(snapshot, workload, pod)
    of_pod = (rule(snapshot, workload, pod) for rule in POD_RULES)
    of_containers = (rule(container) for container in containers(snapshot, workload, pod) for rule in CONTAINER_RULES)
    return next(filter(None, chain(of_pod, of_containers)), None)
