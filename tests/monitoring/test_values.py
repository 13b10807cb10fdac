"""What the real chart makes of our values: small, unprivileged, and nothing that cannot work on Minikube."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.config.settings import load_settings
from scripts.desired.alert_rules import alerts
from scripts.monitoring.queries import load_queries
from tests.monitoring import promql
from tests.monitoring.machine import ADAPTER_CHART, CHART, ROOT, need_chart, program

pytestmark = pytest.mark.monitoring

Object = dict[str, Any]
VALUES, ADAPTER_VALUES = (ROOT / "monitoring" / name for name in ("values.yaml", "adapter-values.yaml"))
SETTINGS = yaml.safe_load((ROOT / "invoke.yaml").read_text())["monitoring"]

# What kube-state-metrics names a metric after, and the kind as its option --resources spells it.
KINDS = {
    "kube_deployment": "deployments",
    "kube_horizontalpodautoscaler": "horizontalpodautoscalers",
    "kube_node": "nodes",
    "kube_pod": "pods",
    "kube_resourcequota": "resourcequotas",
    "kube_statefulset": "statefulsets",
}


def rendered(release: str, chart: Path, values: Path) -> list[Object]:
    """Every object of a chart with our values."""
    argv = [program("helm", "`invoke setup`"), "template", release, need_chart(chart), "--namespace", SETTINGS["namespace"]]
    run = subprocess.run([*argv, "--values", values], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return [document for document in yaml.safe_load_all(run.stdout) if document]


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    """Every object of kube-prometheus-stack."""
    return rendered(SETTINGS["release"], CHART, VALUES)


@pytest.fixture(scope="module")
def adapter() -> list[Object]:
    """Every object of prometheus-adapter, which is an option."""
    return rendered(f"{SETTINGS['release']}-adapter", ADAPTER_CHART, ADAPTER_VALUES)


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


def pod_specs(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    for item in objects:
        if item["kind"] in {"Deployment", "StatefulSet", "DaemonSet", "Job"}:
            yield f"{item['kind']} {item['metadata']['name']}", item["spec"]["template"]["spec"]


def prometheus(objects: list[Object]) -> Object:
    (only,) = of_kind(objects, "Prometheus").values()
    return only["spec"]


def all_resources(objects: list[Object]) -> dict[str, Object]:
    """Requests and limits of each container, those included that the operator will make from the Prometheus object."""
    found = pod_resources(objects)
    found["Prometheus/prometheus"] = prometheus(objects).get("resources") or {}
    arguments = operator_arguments(objects)
    found["Prometheus/config-reloader"] = {
        part: {unit: arguments.get(f"--config-reloader-{unit}-{part[:-1]}", "") for unit in ("cpu", "memory")}
        for part in ("requests", "limits")
    }
    return found


def pod_resources(objects: list[Object]) -> dict[str, Object]:
    """Requests and limits of each container of a pod template."""
    return {
        f"{owner}/{container['name']}": container.get("resources") or {}
        for owner, pod in pod_specs(objects)
        for container in [*pod["containers"], *pod.get("initContainers", [])]
    }


def operator_arguments(objects: list[Object]) -> dict[str, str]:
    operator = of_kind(objects, "Deployment")["monitoring-operator"]["spec"]["template"]["spec"]["containers"][0]
    return dict(argument.split("=", 1) for argument in operator["args"] if "=" in argument)


def cores(quantity: str) -> float:
    return int(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def mebibytes(quantity: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", quantity).groups()  # type: ignore[union-attr]
    return int(number) * {"Mi": 1, "Gi": 1024}[unit]


@pytest.mark.parametrize(
    ("chart", "pin"), [(CHART, SETTINGS), (ADAPTER_CHART, SETTINGS["adapter"])], ids=lambda it: getattr(it, "name", "")
)
def test_chart_in_the_cache_is_the_one_that_the_settings_pin(chart: Path, pin: dict[str, Any]) -> None:
    assert yaml.safe_load((need_chart(chart) / "Chart.yaml").read_text())["version"] == pin["chart_version"]
    assert f"{chart.name} {pin['chart_version']}" in (ROOT / pin["values"]).read_text().splitlines()[0]


def test_every_container_has_requests_and_limits(objects: list[Object], adapter: list[Object]) -> None:
    without = [
        f"{name} {part}.{unit}"
        for name, resources in {**all_resources(objects), **pod_resources(adapter)}.items()
        for part in ("requests", "limits")
        for unit in ("cpu", "memory")
        if not (resources.get(part) or {}).get(unit)
    ]
    assert not without


def test_requests_stay_under_half_a_core_and_one_gibibyte_even_with_the_adapter(objects: list[Object], adapter: list[Object]) -> None:
    requests = [resources["requests"] for resources in {**all_resources(objects), **pod_resources(adapter)}.values()]
    assert sum(cores(request["cpu"]) for request in requests) <= 0.5
    assert sum(mebibytes(request["memory"]) for request in requests) <= 1024


def test_spec_states_the_totals_that_the_chart_renders(objects: list[Object]) -> None:
    requests = [resources["requests"] for resources in all_resources(objects).values()]
    cpu, memory = sum(cores(r["cpu"]) for r in requests), sum(mebibytes(r["memory"]) for r in requests)
    total = re.search(r"\| \*\*total\*\* \| \*\*(\d+)m, (\d+)Mi\*\*", (ROOT / "specs" / "monitoring.md").read_text())
    assert total
    assert (int(total[1]), int(total[2])) == (round(cpu * 1000), round(memory))


def test_pods_satisfy_pod_security_restricted(objects: list[Object], adapter: list[Object]) -> None:
    for owner, pod in pod_specs([*objects, *adapter]):
        assert not {"hostNetwork", "hostPID", "hostIPC"} & {key for key, value in pod.items() if value}, owner
        assert not [volume for volume in pod.get("volumes") or [] if "hostPath" in volume], owner
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            effective = {**(pod.get("securityContext") or {}), **container["securityContext"]}
            assert effective["runAsNonRoot"] is True, owner
            assert effective["seccompProfile"] == {"type": "RuntimeDefault"}, owner
            assert effective["allowPrivilegeEscalation"] is False, owner
            assert effective["capabilities"]["drop"] == ["ALL"], owner
            assert effective["readOnlyRootFilesystem"] is True, owner


def test_grafana_can_read_nothing_of_the_cluster(objects: list[Object]) -> None:
    assert of_kind(objects, "Role")["monitoring-grafana"]["rules"] == []
    assert not [name for name in of_kind(objects, "ClusterRole") if "grafana" in name]
    grafana = of_kind(objects, "Deployment")["monitoring-grafana"]["spec"]["template"]["spec"]
    assert grafana["automountServiceAccountToken"] is False
    assert [container["name"] for container in grafana["containers"]] == ["grafana"]


def test_only_the_operator_may_read_secrets(objects: list[Object]) -> None:
    """The operator keeps Prometheus' own configuration in one."""
    may = {
        role["metadata"]["name"]
        for kind in ("ClusterRole", "Role")
        for role in of_kind(objects, kind).values()
        for rule in role["rules"] or []
        if {"secrets", "*"} & set(rule.get("resources", []))
    }
    assert may == {"monitoring-operator"}


def test_grafanas_password_is_in_no_object_of_the_release(objects: list[Object]) -> None:
    assert not of_kind(objects, "Secret")
    grafana = of_kind(objects, "Deployment")["monitoring-grafana"]["spec"]["template"]["spec"]["containers"][0]
    password = next(item for item in grafana["env"] if item["name"] == "GF_SECURITY_ADMIN_PASSWORD")
    assert password["valueFrom"]["secretKeyRef"] == {"name": "grafana-admin", "key": "admin-password"}


def test_prometheus_takes_every_monitor_and_rule_of_the_cluster(objects: list[Object]) -> None:
    spec = prometheus(objects)
    for kind in ("serviceMonitor", "podMonitor", "rule", "probe", "scrapeConfig"):
        assert spec[f"{kind}Selector"] == {}, kind
        assert spec[f"{kind}NamespaceSelector"] == {}, kind


def test_history_ends_by_time_and_by_size_and_fits_its_volume(objects: list[Object]) -> None:
    spec = prometheus(objects)
    assert spec["retention"] == "6h"
    assert spec["retentionSize"] == "512MB"
    assert mebibytes(spec["storage"]["emptyDir"]["sizeLimit"]) >= 2 * 512 * 1e6 / 2**20


def test_nothing_is_there_that_minikube_cannot_scrape(objects: list[Object]) -> None:
    monitors = set(of_kind(objects, "ServiceMonitor"))
    assert monitors == {"monitoring-kubelet", "monitoring-kube-state-metrics", "monitoring-prometheus"}
    assert not of_kind(objects, "PrometheusRule"), "the chart's rules about what is not scraped would alert forever"
    assert not of_kind(objects, "DaemonSet")
    assert not of_kind(objects, "Job")


def test_adapter_offers_one_metric_and_asks_our_prometheus(objects: list[Object], adapter: list[Object]) -> None:
    (config,) = of_kind(adapter, "ConfigMap").values()
    rules = yaml.safe_load(config["data"]["config.yaml"])
    assert set(rules) == {"rules"}
    assert [promql.metric_names(rule["seriesQuery"]) for rule in rules["rules"]] == [{"http_requests_in_flight"}]
    assert [api["spec"]["group"] for api in of_kind(adapter, "APIService").values()] == ["custom.metrics.k8s.io"]
    arguments = of_kind(adapter, "Deployment")["monitoring-adapter"]["spec"]["template"]["spec"]["containers"][0]["args"]
    (url,) = [argument.partition("=")[2] for argument in arguments if argument.startswith("--prometheus-url=")]
    host, port = re.fullmatch(r"http://([\w-]+):(\d+)", url).groups()  # type: ignore[union-attr]
    assert int(port) in {item["port"] for item in of_kind(objects, "Service")[host]["spec"]["ports"]}


def test_adapter_may_read_no_secret(adapter: list[Object]) -> None:
    rules = [rule for kind in ("ClusterRole", "Role") for role in of_kind(adapter, kind).values() for rule in role["rules"]]
    assert rules
    for rule in rules:
        everything_of_its_own = rule["apiGroups"] == ["custom.metrics.k8s.io"]
        assert everything_of_its_own or not {"secrets", "*"} & set(rule["resources"])


def test_no_object_is_a_custom_resource_definition(objects: list[Object]) -> None:
    """The installer applies them; Helm would never upgrade them."""
    assert not of_kind(objects, "CustomResourceDefinition")


def test_grafana_has_our_data_source_and_our_dashboards_folder(objects: list[Object]) -> None:
    files = of_kind(objects, "ConfigMap")["monitoring-grafana"]["data"]
    (source,) = yaml.safe_load(files["datasources.yaml"])["datasources"]
    host, port = re.fullmatch(r"http://([\w-]+):(\d+)", source["url"]).groups()  # type: ignore[union-attr]
    assert source["uid"] == "prometheus"
    assert int(port) in {item["port"] for item in of_kind(objects, "Service")[host]["spec"]["ports"]}
    assert source["jsonData"]["timeInterval"] == prometheus(objects)["scrapeInterval"]
    (provider,) = yaml.safe_load(files["dashboardproviders.yaml"])["providers"]
    grafana = of_kind(objects, "Deployment")["monitoring-grafana"]["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in grafana["volumes"]}
    mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in grafana["containers"][0]["volumeMounts"]}
    assert mounts[provider["options"]["path"]]["configMap"]["name"] == "todo-chatbot-dashboards"


def asked_metrics() -> set[str]:
    expressions = [query.resolved("todo-chatbot", "2m") for query in load_queries(load_settings())] + list(alerts(load_settings()).values())
    return {name for expression in expressions for name in promql.metric_names(expression)}


def kept(relabelings: list[Object], series: dict[str, str]) -> bool:
    """Whether Prometheus keeps a series after these relabelings; only the actions keep and drop are known here."""
    for rule in relabelings:
        value = ";".join(series.get(label, "") for label in rule["sourceLabels"])
        matches = re.fullmatch(rule["regex"], value) is not None
        if {"keep": not matches, "drop": matches}[rule["action"]]:
            return False
    return True


def test_kubelets_relabeling_keeps_what_queries_ask_for_and_little_else(objects: list[Object]) -> None:
    endpoints = of_kind(objects, "ServiceMonitor")["monitoring-kubelet"]["spec"]["endpoints"]
    cadvisor = next(item for item in endpoints if item.get("path") == "/metrics/cadvisor")["metricRelabelings"]
    asked = {name for name in asked_metrics() if name.startswith(("container_", "machine_"))}
    assert asked
    for name in asked:
        assert kept(cadvisor, {"__name__": name, "id": "/", "pod": ""}), name
        assert kept(cadvisor, {"__name__": name, "id": "/kubepods/pod1", "pod": "backend-1"}), name
        assert not kept(cadvisor, {"__name__": name, "id": "/system.slice", "pod": ""}), name
    assert not kept(cadvisor, {"__name__": "container_blkio_device_usage_total", "id": "/", "pod": ""})
    (names,) = [rule["regex"] for rule in cadvisor if rule["action"] == "keep"]
    unused = [name for name in _alternatives(names) if name not in asked]
    assert not unused, "kept, and no query asks for it"


def _alternatives(regex: str) -> set[str]:
    """Every name that a regular expression of alternatives and one-level groups matches."""
    names: set[str] = set()
    for part in re.split(r"\|(?![^(]*\))", regex):
        group = re.search(r"\(([^)]*)\)(\??)", part)
        if not group:
            names.add(part)
            continue
        for word in [*group[1].split("|"), *([""] if group[2] else [])]:
            names.add(part.replace(group[0], word))
    return names


def test_kube_state_metrics_watches_exactly_the_kinds_that_queries_ask_for(objects: list[Object]) -> None:
    container = of_kind(objects, "Deployment")["monitoring-kube-state-metrics"]["spec"]["template"]["spec"]["containers"][0]
    (resources,) = [argument.split("=")[1] for argument in container["args"] if argument.startswith("--resources=")]
    asked = {kind for prefix, kind in KINDS.items() if any(name.startswith(prefix) for name in asked_metrics())}
    unknown = [name for name in asked_metrics() if name.startswith("kube_") and not name.startswith(tuple(KINDS))]
    assert not unknown
    assert set(resources.split(",")) == asked
