"""The rendered objects against the API's own schemas, strictly: an unknown field is an error, and no object is passed over."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.render.chart import ALL, CHART, KUBERNETES, MINIMAL, OTHER, ROOT, SCENARIOS, Object, scenario, title

pytestmark = pytest.mark.render

OLDEST = "1.30"  # kubeVersion of Chart.yaml
NEWEST = kubernetes_validate.latest_version()
NOT_OF_KUBERNETES = {"ServiceMonitor"}  # checked below against its own definition


def problem(thing: Object, version: str) -> str | None:
    """Return what the API of this version would not take, or None. An object that has no schema is a problem too."""
    try:
        kubernetes_validate.validate(thing, version, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return f"{title(thing)}: {error.message}"
    return None


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_of_every_scenario_is_valid_and_none_is_skipped(version: str) -> None:
    different = {json.dumps(thing, sort_keys=True): thing for name in SCENARIOS for thing in scenario(name)}
    checked = [thing for thing in different.values() if thing["kind"] not in NOT_OF_KUBERNETES]
    assert {o["kind"] for o in different.values()} - {o["kind"] for o in checked} == NOT_OF_KUBERNETES
    assert [found for thing in checked if (found := problem(thing, version))] == []


def test_the_check_itself_refuses_an_unknown_field_and_an_unknown_kind(minimal: list[Object]) -> None:
    deployment = copy.deepcopy(next(o for o in minimal if o["kind"] == "Deployment"))
    assert problem(deployment, NEWEST) is None
    deployment["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    assert "readynessProbe" in str(problem(deployment, NEWEST))
    assert problem({"apiVersion": "apps/v1", "kind": "Deploymint", "metadata": {"name": "x"}}, NEWEST)


def test_the_oldest_version_is_the_one_that_the_chart_asks_for() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["kubeVersion"].startswith(f">={OLDEST}.")


def service_monitor_schema() -> dict[str, Any]:
    """Return the schema of ServiceMonitor from the operator's chart, closed to unknown fields; skip where there is no copy of it."""
    name = "crd-servicemonitors.yaml"
    for root in (ROOT / ".cache", Path.home() / ".cache" / "kube-prometheus-stack"):
        for path in sorted(root.rglob(name)):
            definition = yaml.load(path.read_text(), yaml.CSafeLoader)
            (version,) = [v for v in definition["spec"]["versions"] if v["name"] == "v1"]
            return closed(version["schema"]["openAPIV3Schema"])
    pytest.skip(f"no copy of the kube-prometheus-stack chart with {name} in .cache or ~/.cache/kube-prometheus-stack")


def closed(schema: Any) -> Any:
    """Return the schema with no unknown fields allowed where fields are named."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(part) for key, part in schema.items()}
    if "properties" in result and result.get("type") == "object":
        result.setdefault("additionalProperties", False)
    return result


def test_every_service_monitor_is_valid_by_its_own_definition() -> None:
    schema = service_monitor_schema()
    del schema["properties"]["metadata"]
    validator = jsonschema.Draft202012Validator(schema)
    monitors = [o for o in scenario("monitored") if o["kind"] == "ServiceMonitor"]
    assert len(monitors) == 3
    for monitor in monitors:
        body = {key: part for key, part in monitor.items() if key != "metadata"}
        validator.validate(body)
        with pytest.raises(jsonschema.ValidationError, match="intervall"):
            validator.validate({**body, "spec": {**body["spec"], "intervall": "1s"}})


def test_every_service_monitor_reads_a_port_that_its_service_has() -> None:
    objects = scenario("monitored")
    services = {o["metadata"]["name"]: o for o in objects if o["kind"] == "Service"}
    for monitor in (o for o in objects if o["kind"] == "ServiceMonitor"):
        service = services[monitor["metadata"]["name"]]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        ports = {port["name"] for port in service["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports


def test_helm_lint_finds_nothing(helm: str) -> None:
    for values in (MINIMAL, ALL, OTHER):
        argv = [helm, "lint", "--strict", "--kube-version", KUBERNETES, str(CHART), "--values", str(values)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "[WARNING]" not in done.stdout
