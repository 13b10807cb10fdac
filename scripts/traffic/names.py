"""Whether the names of the services that a service calls mean those services in its pods: something may stand before the cluster's DNS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.desired.service_values import service_name
from scripts.engines.protocol import Engine
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.traffic.lookups import ONCE

HEADLESS = "None"
DNS_SETTINGS = "kubectl --namespace kube-system get configmap coredns --output yaml"


def strange(settings: Settings, engine: Engine) -> list[Diagnosis]:
    """Return a cause for each called service whose name means another address in a pod of its caller than the Service has."""
    deployment = engine.deployment
    if deployment is None:
        return []
    try:
        addresses = {
            str(each["metadata"]["name"]): tuple(each["spec"].get("clusterIPs") or ()) for each in deployment.cluster.get("services")
        }
        return list(_strange(settings, engine, addresses))
    except TaskError:
        return []


def _strange(settings: Settings, engine: Engine, addresses: dict[str, tuple[str, ...]]) -> Iterator[Diagnosis]:
    told = set()
    for name, service in settings.services.items():
        called = [service_name(settings.release, each) for each in service.calls]
        asked = [each for each in called if addresses.get(each) and HEADLESS not in addresses[each] and each not in told]
        pod = next((each for each in engine.pods() if each.service == name and each.state == "Running"), None)
        if not asked or pod is None:
            continue
        # Its exit code tells that one of the names was not found, or that there is no such program: what it prints counts.
        answer = engine.execute(pod, [*ONCE, "getent", "hosts", *asked], "").stdout
        for host, address in _read(answer, asked):
            if address not in addresses[host]:
                told.add(host)
                yield _cause(host, address, addresses[host][0], pod.name)


def _read(answer: str, hosts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield host and address of each line of getent(1): an address, the name in full, and others."""
    for line in answer.splitlines():
        address, *names = line.split()
        for host in hosts:
            if any(name == host or name.startswith(f"{host}.") for name in names):
                yield host, address


def _cause(host: str, address: str, right: str, pod: str) -> Diagnosis:
    return Diagnosis(
        "dns-strange",
        host,
        f"{host}: its name means {address} in the pods that call it, and its Service has {right}",
        (f"in pod {pod}: getent hosts {host} tells {address}",),
        f"take out what names it: in the settings of the cluster's DNS ({DNS_SETTINGS}), or hostAliases of the pod; "
        "then restart the DNS: kubectl --namespace kube-system rollout restart deployment coredns",
    )
