"""Whether the cluster's DNS would start again with the settings and rights that it has now."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from scripts.core.errors import MissingError
from scripts.core.shell import Result
from scripts.kubernetes import dns_risks
from scripts.kubernetes.cluster import Cluster

pytestmark = pytest.mark.unit

LABELS = {"k8s-app": "kube-dns"}
REFUSED = (
    "[ERROR] plugin/reload: Corefile changed but reload failed: /etc/coredns/Corefile:4 - Error during parsing: Unknown directive 'forwad'"
)
TAKEN = "[INFO] Reloading complete"


def deployment(image: str = "registry.k8s.io/coredns/coredns:v1.13.1") -> dict[str, Any]:
    volumes = [{"name": "tmp", "emptyDir": {}}, {"name": "config", "configMap": {"name": "dns-settings"}}]
    pod = {"serviceAccountName": "coredns", "containers": [{"name": "coredns", "image": image}], "volumes": volumes}
    spec = {"selector": {"matchLabels": LABELS}, "template": {"metadata": {"labels": LABELS}, "spec": pod}}
    return {"kind": "Deployment", "metadata": {"name": "coredns"}, "spec": spec}


@dataclass
class System:
    """The cluster's own namespace, as far as its DNS goes."""

    log: str = ""
    denied: tuple[str, ...] = ()
    server: dict[str, Any] = field(default_factory=deployment)
    review_code: int = 0
    asked_as: set[str] = field(default_factory=set)

    def within(self, namespace: str, release: str) -> System:
        assert (namespace, release) == ("kube-system", "")
        return self

    def get(self, kind: str, name: str = "") -> list[dict[str, Any]]:
        return (
            [{"metadata": {"name": "kube-dns"}, "spec": {"selector": LABELS}}]
            if (kind, name) == ("services", "kube-dns")
            else [self.server]
        )

    def kubectl(self, *argv: str, input: str = "", **_: object) -> Result:  # noqa: A002 - as Cluster has it
        if argv[0] == "logs":
            assert argv[1:3] == ("--selector", "k8s-app=kube-dns")
            return Result(0, self.log, "", 0.1)
        reviews = json.loads(input)["items"]
        self.asked_as |= {each["spec"]["user"] for each in reviews}
        resources = [each["spec"]["resourceAttributes"]["resource"] for each in reviews]
        told = "".join(f"{each}={'false' if each in self.denied else 'true'} " for each in resources)
        return Result(self.review_code, "" if self.review_code else told, "", 0.1)


def found(system: System) -> list[str]:
    return [each.cause for each in dns_risks.found(cast("Cluster", system))]


def test_settings_that_were_refused_are_told_with_the_reason_and_the_config_map() -> None:
    (risk,) = dns_risks.found(cast("Cluster", System(log=f"{TAKEN}\n[INFO] 127.0.0.1 A\n{REFUSED}\n[INFO] other\n")))
    assert (risk.code, risk.workload) == ("dns-at-risk", "coredns")
    assert "could not take its new settings: /etc/coredns/Corefile:4 - Error during parsing: Unknown directive 'forwad'" in risk.cause
    assert risk.action == "kubectl --namespace kube-system edit configmap dns-settings"


@pytest.mark.parametrize("log", ["", TAKEN, f"{REFUSED}\n{TAKEN}\n"], ids=["silent", "taken", "taken later"])
def test_settings_that_were_taken_are_well(log: str) -> None:
    assert found(System(log=log)) == []


def test_rights_that_are_gone_are_told() -> None:
    system = System(denied=("services", "endpointslices"))
    (cause,) = found(system)
    assert "its ServiceAccount coredns may not list services, endpointslices any more" in cause
    assert system.asked_as == {"system:serviceaccount:kube-system:coredns"}


def test_whoever_may_not_ask_for_rights_is_told_nothing() -> None:
    assert found(System(denied=("services",), review_code=1)) == []


def test_of_another_dns_nothing_is_told() -> None:
    assert found(System(log=REFUSED, denied=("services",), server=deployment("example.com/dns:1"))) == []


def test_where_nobody_can_be_asked_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> Result:
        raise MissingError("kubectl is not installed", "", code="tool-missing")

    system = System(log=REFUSED)
    monkeypatch.setattr(system, "get", gone)
    assert found(system) == []
