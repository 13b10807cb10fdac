"""The examples for GitOps name what is there: this chart, values that it takes, one release in one namespace."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from scripts.core.paths import ROOT
from tests.render.chart import CHART, MINIMAL, any_helm, template

pytestmark = pytest.mark.render

FOLDER = ROOT / "docs" / "gitops"
VALUES = "deploy/values.yaml"
"""Where docs/cloud.md lets `invoke values` write."""


def documents(name: str) -> dict[str, Any]:
    return {each["kind"]: each for each in yaml.safe_load_all((FOLDER / name).read_text())}


def test_argo_cd_renders_this_chart_with_the_written_values() -> None:
    (application,) = documents("argocd.yaml").values()
    assert (application["apiVersion"], application["kind"]) == ("argoproj.io/v1alpha1", "Application")
    spec = application["spec"]
    assert set(spec) == {"project", "source", "destination", "syncPolicy"}
    assert ROOT / spec["source"]["path"] == CHART
    assert spec["source"]["helm"]["valueFiles"] == [f"/{VALUES}"]
    assert spec["destination"]["namespace"] == spec["source"]["helm"]["releaseName"] == "todo-chatbot"
    assert spec["syncPolicy"]["managedNamespaceMetadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert "CreateNamespace=true" in spec["syncPolicy"]["syncOptions"]


def test_flux_installs_this_chart_with_the_written_values_and_tests_it() -> None:
    found = documents("flux.yaml")
    namespace, source, release = found["Namespace"], found["GitRepository"], found["HelmRelease"]
    assert source["apiVersion"] == "source.toolkit.fluxcd.io/v1"
    assert release["apiVersion"] == "helm.toolkit.fluxcd.io/v2"
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {each["metadata"]["namespace"] for each in (source, release)} == {namespace["metadata"]["name"]}
    chart = release["spec"]["chart"]["spec"]
    assert chart["sourceRef"] == {"kind": "GitRepository", "name": source["metadata"]["name"]}
    own, written = chart["valuesFiles"]
    assert ROOT / chart["chart"] / "values.yaml" == ROOT / own
    assert (ROOT / own).is_file()
    assert written == f"./{VALUES}"
    assert release["spec"]["test"] == {"enable": True}


@pytest.mark.parametrize("name", ["argocd.yaml", "flux.yaml"])
def test_the_document_leads_to_it_and_says_where_the_values_go(name: str) -> None:
    text = (ROOT / "docs" / "cloud.md").read_text()
    assert f"(gitops/{name})" in text
    assert f"> {VALUES}`" in (FOLDER / name).read_text().splitlines()[0]


@pytest.mark.parametrize(
    "values",
    [
        {"postgres": {"enabled": False}, "services": {"backend": {"addresses": [{"cidr": "10.0.0.5/32", "ports": [5432]}]}}},
        {"ingress": {"enabled": True, "className": "nginx", "host": "todo.example.com", "tlsSecretName": "todo-example-com"}},
        {
            "serviceDefaults": {"nodeSelector": {"kubernetes.io/arch": "arm64"}},
            "postgres": {"nodeSelector": {"kubernetes.io/arch": "arm64"}},
        },
        {"postgres": {"priority": 0, "storage": {"className": "gp3"}}},
    ],
    ids=["a private database", "an ingress", "one kind of processor", "no rights in the cluster"],
)
def test_the_chart_takes_what_the_document_sets(values: dict[str, Any]) -> None:
    done = template(any_helm(), MINIMAL, values)
    assert done.returncode == 0, done.stderr
