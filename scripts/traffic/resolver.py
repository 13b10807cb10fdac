"""Whether pods ask the cluster's DNS: they keep the address that its Service had when they were made, and the kubelet keeps giving it."""

from __future__ import annotations

from scripts.core.errors import TaskError
from scripts.engines.protocol import Engine
from scripts.kubernetes.cluster_dns import NAMESPACE, SERVICE
from scripts.kubernetes.diagnosis.cause import Diagnosis

FILE = "/etc/resolv.conf"
OF_THE_NODE = "169.254."
"""How the address of a DNS cache on each node begins (NodeLocal DNSCache)."""


def strange(engine: Engine) -> list[Diagnosis]:
    """Return a cause where pods ask an address that the cluster's DNS Service does not have, or no such Service is there."""
    if engine.deployment is None:
        return []
    try:
        pod = next((each for each in engine.pods() if each.state == "Running"), None)
        asked = _asked(engine.execute(pod, ["cat", FILE], "").stdout) if pod else ""
        services = engine.deployment.cluster.within(NAMESPACE, "").get("services") if asked else []
    except TaskError:
        return []
    addresses = {ip for each in services for ip in each["spec"].get("clusterIPs") or ()}
    if not pod or not services or not asked or asked in addresses or asked.startswith(OF_THE_NODE):
        return []
    has = next((", ".join(each["spec"].get("clusterIPs") or ()) for each in services if each["metadata"]["name"] == SERVICE), "")
    now = f"and the Service {SERVICE} has {has}" if has else f"and there is no Service {SERVICE}"
    return [
        Diagnosis(
            "dns-strange",
            SERVICE,
            f"{SERVICE}: pods ask {asked} for names, {now}: no name resolves",
            (f"pod {pod.name}: {FILE} says nameserver {asked}", f"no Service in {NAMESPACE} has that address"),
            f"make the Service {SERVICE} again with spec.clusterIP {asked}, as the kubelets tell it to pods (clusterDNS): "
            f"kubectl --namespace {NAMESPACE} get service {SERVICE} --output yaml",
        )
    ]


def _asked(settings: str) -> str:
    """The first name server of resolv.conf(5); empty where there is none."""
    rows = (line.split() for line in settings.splitlines())
    return next((row[1] for row in rows if len(row) > 1 and row[0] == "nameserver"), "")
