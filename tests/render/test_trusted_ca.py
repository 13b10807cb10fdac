"""The certificates that services trust reach each of their containers, and others roll the pods."""

from __future__ import annotations

import pytest

from tests.render.chart import MINIMAL, containers, of_kind, pods, render

pytestmark = pytest.mark.render

ONE, OTHER = (f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n" for body in ("TUlJ", "T1RI"))
VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


def test_every_container_of_a_service_finds_them() -> None:
    objects = render({"trustedCa": ONE})
    (config,) = of_kind(objects, "ConfigMap")
    assert config["data"] == {"ca.pem": ONE}
    found = list(containers(of_kind(objects, "Deployment")))
    assert found
    for name, container in found:
        environment = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert [environment[key] for key in VARIABLES] == ["/etc/trusted-ca/ca.pem"] * 3, name
        assert {"name": "in-trusted-ca", "mountPath": "/etc/trusted-ca"} in container["volumeMounts"]
    for deployment in of_kind(objects, "Deployment"):
        volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
        assert volumes["in-trusted-ca"]["configMap"] == {"name": config["metadata"]["name"]}


def test_others_have_another_name() -> None:
    names = {of_kind(render({"trustedCa": each}), "ConfigMap")[0]["metadata"]["name"] for each in (ONE, OTHER)}
    assert len(names) == 2


def test_what_a_service_says_itself_counts() -> None:
    objects = render({"trustedCa": ONE, "serviceDefaults": {"env": {"SSL_CERT_FILE": "/mine.pem"}}})
    for _, container in containers(of_kind(objects, "Deployment")):
        assert [entry["value"] for entry in container["env"] if entry["name"] == "SSL_CERT_FILE"] == ["/mine.pem"]


def test_without_them_there_is_nothing() -> None:
    objects = render(base=MINIMAL)
    assert not of_kind(objects, "ConfigMap")
    assert all("SSL_CERT_FILE" not in str(pod) for pod in pods(objects))
