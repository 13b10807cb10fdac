"""What lies between a service that is not ready and those that it calls, which are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from scripts.desired.service_values import service_name
from scripts.kubernetes import dns_risks, kube_proxy
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.observation import FEW_NODES
from scripts.kubernetes.diagnosis.rules.revision import NEW as NEW_IN_REVISION
from scripts.project import Project
from scripts.traffic import names, resolver
from scripts.traffic.lookups import lookups

UNREADY = ("readiness-http", "readiness-timeout")
ANSWERS = ("answers-wrong", "requests-failing", "requests-slow")
NETWORK = (
    "look at kube-proxy and the network's pods on its node: kubectl --namespace kube-system get pods --output wide; "
    "and at policies: kubectl get networkpolicies"
)
DNS = (
    "the cluster's DNS answers late or not at all: kubectl --namespace kube-system logs --selector k8s-app=kube-dns; "
    "where it logs nothing, packets to it are lost: look at what filters or limits them on its node"
)


def with_network(project: Project, found: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Return the causes, and before those that a network may be behind, that it is: what they follow from.

    So is a DNS that pods do not ask, or a name that means another address than its Service's. Where nothing else is wrong, a cluster of
    few nodes is asked all the same: the next pod would be lost; and its DNS whether it would start again.
    """
    suspect = [each for each in found if each.code in (*UNREADY, *ANSWERS) and not each.follows_from]
    if not project.engine.deployment or (found and not suspect):
        return list(found)
    cluster = project.engine.deployment.cluster
    stalled = kube_proxy.silent(cluster, at_most=None if suspect else FEW_NODES)
    roots = stalled or (_names_astray(project) if suspect else [])
    if not roots:
        return list(found) or dns_risks.found(cluster)
    return [*roots, *(replace(each, follows_from=roots[0].workload) if each in suspect else each for each in found)]


def _names_astray(project: Project) -> list[Diagnosis]:
    """Why names do not lead to the services that have them: pods ask nobody, or are told something else."""
    return resolver.strange(project.engine) or names.strange(project.settings, project.engine)


def cut_off(project: Project, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Yield the causes; of a service that is not ready, with why it may not reach what it calls: requests to that, or what lies between."""
    settings = project.settings
    ailing = {each.workload for each in found}
    unreached = {each.workload for each in found if each.code == "endpoints-stale"}
    services = {service_name(settings.release, name): name for name in settings.services}
    for each in found:
        called = settings.services[services[each.workload]].calls if each.workload in services else ()
        names = {service_name(settings.release, name): name for name in called if name in settings.services}
        if each.code not in UNREADY or not names:
            yield each
        elif root := next((name for name in names if name in unreached), ""):
            yield replace(each, follows_from=root)
        elif ailing.isdisjoint(names):
            yield _with_way(project, each, services[each.workload], names)
        else:
            yield each


def _with_way(project: Project, unready: Diagnosis, service: str, called: dict[str, str]) -> Diagnosis:
    """The cause with what lies between: DNS, as a pod of the service sees it, or the network."""
    evidence = [f"what it calls is ready: {', '.join(called.values())}. Where it does not reach that, what lies between is not whole"]
    looked = lookups(project.engine, service, next(iter(called))) if project.engine.deployment else None
    if looked:
        evidence.append(looked.line)
    if looked and looked.bad:
        action = DNS
    elif any(line.startswith(NEW_IN_REVISION) for line in unready.evidence):
        action = f"set back what is new in this revision, and invoke up; else {unready.action}; {NETWORK}"
    else:
        action = f"{unready.action}; {NETWORK}{'' if looked else '; and at the DNS'}"
    return replace(unready, evidence=(*unready.evidence, *evidence), action=action)
