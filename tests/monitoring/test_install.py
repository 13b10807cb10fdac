"""What the installer makes of a cluster, on one that keeps what it is told and refuses a wrong order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from scripts import install_crds, install_monitoring, remove_crds, remove_monitoring, up
from scripts.config.settings import Settings, load_settings
from scripts.core.errors import TaskError
from scripts.core.paths import ROOT
from scripts.core.report import Outcome, unchanged
from scripts.core.shell import Result
from scripts.desired import monitoring
from scripts.desired.labels import MANAGER
from scripts.kubernetes import looking, rollout
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.monitoring import charts
from scripts.monitoring.crds import OURS as OURS_ALONE
from scripts.monitoring.crds import VERSION
from tests.checkout import Checkout
from tests.doubles import Step, silent_at_first
from tests.projects import project_in, project_on

pytestmark = pytest.mark.monitoring

OURS = {"app.kubernetes.io/part-of": "todo-chatbot", "app.kubernetes.io/managed-by": MANAGER}
CRD = "servicemonitors.monitoring.coreos.com"


KINDS = {"Namespace": "namespace", "ConfigMap": "configmap", "Secret": "secrets", "CustomResourceDefinition": "crd"}
"""How the tool asks for a kind that it applies."""


@dataclass(frozen=True)
class Told(Cluster):
    """A cluster with these releases, and these objects by kind: what is applied is there from then on, and what is deleted no longer.

    Like a real one it refuses what is in the wrong order.
    """

    releases: set[str] = field(default_factory=set)
    objects: dict[str, list[Object]] = field(default_factory=dict)

    def kubectl(self, *argv: str, **options: Any) -> Result:
        if argv[0] == "get":
            return result(self.shown(*argv[1:]))
        if argv[0] == "apply":
            return result("\n".join(self.applied(options["input"])))
        if argv[:2] == ("label", "--local"):
            return result(self.labelled(argv, options["input"]))
        if argv[0] == "label":
            self.label(argv)
        if argv[0] == "delete" and argv[1] != "pod":
            kind, *names = argv[1].split("/") if "/" in argv[1] else argv[1:]
            self.delete(kind, [name for name in names if not name.startswith("--")])
        return result("")

    def shown(self, kind: str, *options: str) -> str:
        found = self.objects.get(kind, [])
        if kind == "secrets" and "owner=helm" in options[1]:
            return "secret/it" if self.release in self.releases else ""
        if options == ("--show-labels", "--no-headers"):
            return "".join(f"{row(one['metadata'])}\n" for one in found)
        assert (kind, *options[:2]) != ("crd", "--ignore-not-found", "--output"), "all CRDs as JSON are megabytes"
        if "name" in options:
            return "".join(f"{kind.removesuffix('s')}/{one['metadata']['name']}\n" for one in found)
        return json.dumps({"items": found})

    def applied(self, manifest: str) -> Iterator[str]:
        for made in yaml.safe_load_all(manifest):
            kind, name = KINDS[made["kind"]], made["metadata"]["name"]
            known = OURS_ALONE.items() <= made["metadata"].get("labels", {}).items()
            assert known or kind != "crd", "a kill after this would leave a definition that nobody knows to be ours"
            others = [one for one in self.objects.get(kind, []) if one["metadata"]["name"] != name]
            self.objects[kind] = [*others, {**made, "spec": {**made.get("spec", {})}}]
            yield f"{kind}/{name}"

    def labelled(self, argv: Sequence[str], definitions: str) -> str:
        """As kubectl prints objects with more labels, and asks no cluster."""
        made = [*yaml.safe_load_all(definitions)]
        for one in made:
            one["metadata"]["labels"] = one["metadata"].get("labels", {}) | dict(word.split("=", 1) for word in argv if "=" in word)
        return yaml.safe_dump_all(made)

    def label(self, argv: Sequence[str]) -> None:
        names = {word.partition("/")[2] for word in argv if word.startswith("crd/")}
        new = dict(word.split("=", 1) for word in argv if "=" in word)
        for one in self.objects.get("crd", []):
            if one["metadata"]["name"] in names:
                one["metadata"]["labels"] |= new

    def delete(self, kind: str, names: Sequence[str]) -> None:
        kind = "secrets" if kind == "secret" else kind
        assert kind != "crd" or "todo-chatbot" not in self.releases, "helm cannot remove objects whose definition is gone"
        assert kind != "namespace" or "monitoring-adapter" not in self.releases, "no namespace ends while the adapter's API does not answer"
        gone = {*names, "any"} if kind == "namespace" else set(names)  # one that is there is there under any name
        self.objects[kind] = [one for one in self.objects.get(kind, []) if one["metadata"]["name"] not in gone]

    def helm(self, *argv: str, **_: Any) -> Result:
        if argv[0] == "history":
            revision = {"revision": 1, "status": "deployed", "description": "x"}
            return result(json.dumps([revision])) if self.release in self.releases else result("", "release: not found", 1)
        if argv[0] == "version":
            return result("v4.3.0")
        if argv[0] == "upgrade":
            assert self.release != "monitoring-adapter" or "monitoring" in self.releases, "the adapter asks Prometheus"
            self.releases.add(self.release)
        if argv[0] == "uninstall":
            self.releases.discard(self.release)
        return result("")


def result(stdout: str, stderr: str = "", code: int = 0) -> Result:
    return Result(code, stdout, stderr, 0.0)


def row(metadata: dict[str, Any]) -> str:
    """An object in kubectl's table with labels."""
    labels = ",".join(f"{key}={value}" for key, value in metadata["labels"].items())
    return f"{metadata['name']}   2026-11-24T23:48:06Z   {labels or '<none>'}"


def settings(requests_in_flight: int = 0) -> Settings:
    loaded = load_settings()
    adapter = loaded.monitoring.adapter.model_copy(update={"requests_in_flight": requests_in_flight})
    return loaded.model_copy(update={"monitoring": loaded.monitoring.model_copy(update={"adapter": adapter})})


def without_grafana(folder: Path) -> Settings:
    """The settings, with values that switch Grafana off and are otherwise those of the checkout."""
    loaded = settings()
    values = yaml.safe_load((ROOT / loaded.monitoring.values).read_text())
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump({**values, "grafana": {**values["grafana"], "enabled": False}}))
    return loaded.model_copy(update={"monitoring": loaded.monitoring.model_copy(update={"values": str(file)})})


def project(*releases: str, requests_in_flight: int = 0, **objects: list[dict[str, Any]]) -> Any:
    """A project whose cluster has these releases."""
    namespace = {"metadata": {"name": "any", "labels": OURS}}
    cluster = Told("told", "todo-chatbot", "todo-chatbot", releases=set(releases), objects={"namespace": [namespace], **objects})
    return project_in(cluster, settings(requests_in_flight), **{monitoring.PASSWORD_KEY: "password"})


def kind(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "spec": {"group": "monitoring.coreos.com"}}


@pytest.fixture
def obtained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The names of the charts that were asked for; pods are ready at once."""
    asked: list[str] = []

    def obtain(name: str, *_: Any) -> Path:
        asked.append(name)
        return tmp_path

    def ready(*_: Any, **_options: Any) -> Outcome:
        return unchanged()

    monkeypatch.setattr(charts, "obtain", obtain)
    monkeypatch.setattr(rollout, "watch", ready)
    monkeypatch.setattr(install_monitoring, "_await_prometheus", ready)
    return asked


def test_without_a_wish_for_it_no_adapter_is_fetched_or_installed(obtained: list[str]) -> None:
    made = project()
    install_monitoring.main(made, Step())
    assert obtained == ["kube-prometheus-stack"]
    assert made.engine.cluster.releases == {"monitoring"}


def test_the_adapter_is_a_release_of_its_own_after_prometheus(obtained: list[str]) -> None:
    made = project(requests_in_flight=10)
    install_monitoring.main(made, Step())
    assert obtained == ["kube-prometheus-stack", "prometheus-adapter"]
    assert made.engine.cluster.releases == {"monitoring", "monitoring-adapter"}


def test_an_adapter_that_nobody_wants_any_more_is_removed(obtained: list[str]) -> None:
    made = project("monitoring", "monitoring-adapter")
    install_monitoring.main(made, Step())
    assert made.engine.cluster.releases == {"monitoring"}


def operators(name: str, **labels: str) -> Object:
    return {"metadata": {"name": name, "labels": labels}}


def test_removal_takes_the_adapter_and_what_the_operator_left_and_leaves_the_app() -> None:
    left = operators("monitoring-kubelet", **{"app.kubernetes.io/managed-by": "prometheus-operator"})
    made = project("todo-chatbot", "monitoring", "monitoring-adapter", service=[left], crd=[kind(CRD, **OURS)])
    made.engine.cluster.objects["namespace"] = [operators("monitoring", **OURS)]
    remove_monitoring.main(made, Step())
    assert made.engine.cluster.releases == {"todo-chatbot"}
    assert [made.engine.cluster.names(each) for each in ("namespace", "service", "crd")] == [[], [], [CRD]]


def test_removal_leaves_a_kubelet_service_that_is_not_the_operators() -> None:
    made = project(service=[operators("monitoring-kubelet")])
    remove_monitoring.main(made, Step())
    assert made.engine.cluster.names("service") == ["monitoring-kubelet"]


def test_our_crds_go_after_the_app_that_uses_them_and_its_data_stays() -> None:
    made = project("todo-chatbot", crd=[kind(CRD, **OURS), kind("probes.monitoring.coreos.com")])
    made.engine.cluster.objects["persistentvolumeclaims"] = [operators("data")]
    assert remove_crds.main(made, Step()).detail == "release todo-chatbot, 1 CRDs"
    assert made.engine.cluster.releases == set()
    assert made.engine.cluster.names("crd") == ["probes.monitoring.coreos.com"]
    assert [made.engine.cluster.names(each) for each in ("namespace", "persistentvolumeclaims")] == [["any"], ["data"]]


def write_definition(chart: Path, labels: str = "") -> None:
    """One of the CRDs, as the chart brings them."""
    folder = chart / "charts/crds/crds"
    folder.mkdir(parents=True)
    metadata = f"  annotations:\n    operator.prometheus.io/version: 0.93.1\n{labels}  name: {CRD}\n"
    (folder / "crd-servicemonitors.yaml").write_text(f"kind: CustomResourceDefinition\nmetadata:\n{metadata}spec:\n  labels:\n  - x\n")


@pytest.mark.parametrize("labels", ["", "  labels:\n    theirs: kept\n"])
def test_no_crd_is_in_the_cluster_without_being_marked_as_ours(obtained: list[str], tmp_path: Path, labels: str) -> None:
    write_definition(tmp_path, labels)
    made = project()
    install_crds.main(made, Step())
    (applied,) = made.engine.cluster.objects["crd"]
    assert applied["metadata"]["labels"] == OURS_ALONE | {VERSION: "0.93.1"} | ({"theirs": "kept"} if labels else {})
    assert (applied["metadata"]["name"], applied["spec"]) == (CRD, {"labels": ["x"]})


@pytest.mark.parametrize(("version", "kind_of_outcome"), [("0.93.1", "unchanged"), ("0.92.0", "changed")])
def test_our_crds_are_applied_again_only_for_another_operator(
    obtained: list[str], tmp_path: Path, version: str, kind_of_outcome: str
) -> None:
    write_definition(tmp_path)
    labels = {**OURS, VERSION: version}
    made = project(crd=[kind(CRD, **labels), {"metadata": {"name": "certificates.cert-manager.io", "labels": {}}}])
    assert install_crds.main(made, Step()).kind == kind_of_outcome
    ours, others = sorted(made.engine.cluster.objects["crd"], key=lambda one: one["metadata"]["name"] != CRD)
    assert (ours["metadata"]["labels"][VERSION], others["metadata"]["labels"]) == ("0.93.1", {})
    assert install_crds.main(made, Step()).kind == "unchanged"


def test_crds_of_somebody_else_are_used_and_never_removed(obtained: list[str], tmp_path: Path) -> None:
    write_definition(tmp_path)
    made = project(crd=[kind(CRD)])
    assert install_crds.main(made, Step()).detail == "1 CRDs, installed by somebody else"
    remove_crds.main(made, Step())
    assert made.engine.cluster.names("crd") == [CRD]


def test_old_secrets_are_removed_by_name_and_never_read(obtained: list[str]) -> None:
    made = project(secrets=[{"metadata": {"name": "old"}}])
    install_monitoring.main(made, Step())
    assert len(made.engine.cluster.names("secrets")) == 1
    assert "old" not in made.engine.cluster.names("secrets")


def test_without_a_kubernetes_the_steps_are_skipped_and_say_why() -> None:
    made = project_on(SimpleNamespace(name="docker", deployment=None), settings())
    for step in (install_crds.main, install_monitoring.main):
        outcome = step(made, Step())
        assert (outcome.kind, outcome.detail) == ("skipped", "the docker engine has no Kubernetes to watch")
    assert not made.monitored


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--engine", "docker"], "the docker engine has no Kubernetes to watch"),
        (["--no-monitoring"], "it is switched off, by --no-monitoring or monitoring.enabled in invoke.yaml"),
    ],
)
def test_monitoring_that_is_required_and_cannot_be_is_refused_before_anything(options: list[str], reason: str, tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path / "todo")
    run = checkout.invoke("up", "--require-monitoring", *options)
    assert run.code == 2
    assert reason in run.stderr
    assert not (checkout.path / ".env").exists()


def test_without_grafana_there_is_nothing_of_it_and_the_table_says_so(obtained: list[str], tmp_path: Path) -> None:
    made = project("monitoring")
    made.settings = without_grafana(tmp_path)
    outcome = install_monitoring.main(made, Step())
    assert outcome.detail == f"revision 1; Grafana is off: grafana.enabled in {made.settings.monitoring.values}"
    assert [made.engine.cluster.names(each) for each in ("secrets", "configmap")] == [[], []]


@pytest.mark.parametrize("required", [True, False])
def test_a_monitoring_that_fails_fails_the_run_only_where_it_is_required(required: bool) -> None:
    steps = {step.name: step for step in up.steps(project(), require_monitoring=required)}
    assert [steps[name].optional for name in ("crds", "monitoring")] == [not required] * 2
    assert "monitoring" not in {need for step in steps.values() for need in step.needs}, "nothing may wait for it"


def test_without_monitoring_no_step_of_it_is_planned() -> None:
    off = settings()
    made = project_in(
        Told("told", "todo-chatbot", "todo-chatbot"),
        off.model_copy(update={"monitoring": off.monitoring.model_copy(update={"enabled": False})}),
    )
    steps = {step.name: step for step in up.steps(made)}
    assert not {"crds", "monitoring"} & set(steps)
    assert "crds" not in steps["chart"].needs


def prometheus(status: str, observed: int) -> Any:
    """A project whose cluster has a Prometheus object of generation 2, about which the operator said this."""
    condition = {"type": "Reconciled", "status": status, "observedGeneration": observed, "message": "no such Secret"}
    found = {"metadata": {"generation": 2}, "status": {"conditions": [condition]}}
    return project(**{"prometheuses.monitoring.coreos.com": [found]})


@pytest.mark.parametrize(("status", "observed", "told"), [("False", 2, "no such Secret"), ("True", 1, "it says nothing")])
def test_a_prometheus_that_the_operator_does_not_make_is_explained(
    status: str, observed: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install_monitoring, "ROLLOUT_SECONDS", 0)
    with pytest.raises(TaskError) as caught:
        install_monitoring._await_prometheus(prometheus(status, observed).engine.cluster, settings(), Step())
    assert caught.value.evidence == (told,)


def test_a_look_that_fails_while_the_operator_works_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout, "watch", lambda *_, **__: unchanged("1 pod ready"))
    left = silent_at_first(monkeypatch, Told, "kubectl")
    assert install_monitoring._await_prometheus(prometheus("True", 2).engine.cluster, settings(), Step()).detail == "1 pod ready"
    assert left == []


def test_where_nobody_answers_the_operator_is_not_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    silent_at_first(monkeypatch, Told, "kubectl", calls=1000)
    monkeypatch.setattr(looking, "BORNE_SECONDS", 0.05)
    with pytest.raises(TaskError, match="for the cluster to answer"):
        install_monitoring._await_prometheus(prometheus("True", 2).engine.cluster, settings(), Step())


def test_the_pod_of_prometheus_is_watched_like_any_rollout_which_ends_as_soon_as_a_cause_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    watched: list[str] = []

    def watch(cluster: Cluster, *_: Any) -> Outcome:
        watched.append(f"{cluster.namespace}/{cluster.release}")
        raise TaskError("image prometheus is not on the node")

    monkeypatch.setattr(rollout, "watch", watch)
    with pytest.raises(TaskError, match="image prometheus is not on the node"):
        install_monitoring._await_prometheus(prometheus("True", 2).engine.cluster.within("monitoring", "monitoring"), settings(), Step())
    assert watched == ["monitoring/monitoring-prometheus"]
