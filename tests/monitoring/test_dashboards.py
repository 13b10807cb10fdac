"""The dashboards as files: in step with their sources, complete, and asking only for metrics that exist."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.config.settings import Settings, load_settings
from scripts.core.errors import InputError
from scripts.desired import dashboards
from scripts.desired.alert_rules import alerts
from scripts.desired.dashboard_sources import sources
from scripts.monitoring.queries import Query, load_queries
from tests.monitoring import promql
from tests.monitoring.expositions import families, series_types
from tests.monitoring.machine import ROOT, program

SETTINGS = load_settings()
SOURCES = sources(SETTINGS)
RENDERED = dashboards.rendered(SETTINGS)
DASHBOARDS = {name.removesuffix(".json"): json.loads(text) for name, text in RENDERED.items()}
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, dashboard in DASHBOARDS.items()
    for panel in dashboard["panels"]
    if panel["type"] != "row"
]
QUERIES = load_queries(SETTINGS)
EXPRESSIONS = [
    *(pytest.param(q.resolved("todo-chatbot", "2m"), id=f"{q.dashboard}: {q.panel}: {q.legend}") for q in QUERIES),
    *(pytest.param(expr, id=name) for name, expr in alerts(SETTINGS).items()),
]
# What Prometheus makes itself.
OWN_SERIES = {"up", "ALERTS"}
# Exists only where the database uses TLS.
UNRECORDED = {"todo_db_certificate_expiry_timestamp_seconds"}

pytestmark = pytest.mark.monitoring
by_panel = pytest.mark.parametrize("panel", PANELS)
by_expression = pytest.mark.parametrize("expr", EXPRESSIONS)
by_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)


def shop(**changed: Any) -> Settings:
    """Another app: one service with metrics of its own names, and no file of rows."""
    one = SETTINGS.services["backend"].model_copy(update={"replicas": 1, **changed})
    bare = SETTINGS.monitoring.model_copy(update={"rules": (), "dashboard_rows": (), "slow_handlers": ""})
    return SETTINGS.model_copy(update={"release": "corner-shop", "services": {"api": one}, "database": None, "monitoring": bare})


def test_another_app_has_a_dashboard_with_what_it_has() -> None:
    found = dashboards.rendered(shop())
    app = json.loads(found["app.json"])
    assert (app["uid"], app["title"]) == ("corner-shop", "Corner Shop")
    rows = [panel["title"] for panel in app["panels"] if panel["type"] == "row"]
    assert rows == ["Is it all right?", "Pods", "Scaling and quota"]
    assert "todo" not in found["app.json"].lower().replace('"default": "todo-chatbot"', "").replace("todo-chatbot", "")
    assert "Replicas of the autoscaler" not in found["app.json"]
    assert "Replicas of the autoscaler" in dashboards.rendered(shop(replicas=None))["app.json"]
    assert all(query.optional or "http_requests" not in query.expr for query in load_queries(shop()))


@pytest.mark.parametrize(
    ("text", "said"), [("rows: 1\n", "not a list"), ("- a\n", "rows"), ("rows: [", "rows"), ("rows: [{title: A}]\n", "panel")]
)
def test_a_file_that_holds_no_rows_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "rows.yaml").write_text(text)
    update = {"dashboard_rows": (str(tmp_path / "rows.yaml"),)}
    settings = SETTINGS.model_copy(update={"monitoring": SETTINGS.monitoring.model_copy(update=update)})
    with pytest.raises(InputError, match=r"rows\.yaml") as caught:
        dashboards.rendered(settings)
    assert said in str(caught.value)


@by_dashboard
def test_dashboard_can_be_provisioned(dashboard: dict[str, Any]) -> None:
    assert dashboard["id"] is None, "Grafana numbers dashboards itself"
    assert dashboard["uid"] in {"todo-chatbot", "todo-chatbot-cluster"}
    assert dashboard["editable"] is False
    assert "__inputs" not in dashboard, "only an import by hand resolves inputs"


@by_dashboard
def test_dashboard_has_one_data_source_variable_and_uses_no_other_source(dashboard: dict[str, Any]) -> None:
    kinds = Counter(variable["type"] for variable in dashboard["templating"]["list"])
    assert kinds["datasource"] == 1
    assert set(_values_of(dashboard, "datasource")) == {"${datasource}"}


def _values_of(node: Any, key: str) -> list[str]:
    if isinstance(node, dict):
        own = [node[key]["uid"]] if isinstance(node.get(key), dict) and "uid" in node[key] else []
        return own + [uid for child in node.values() for uid in _values_of(child, key)]
    if isinstance(node, list):
        return [uid for child in node for uid in _values_of(child, key)]
    return []


@by_dashboard
def test_no_two_panels_share_an_id_or_a_place(dashboard: dict[str, Any]) -> None:
    ids = Counter(panel["id"] for panel in dashboard["panels"])
    cells = Counter(
        (x, y)
        for panel in dashboard["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    )
    assert max(ids.values()) == 1
    assert max(cells.values()) == 1
    assert max(x for x, _ in cells) < 24


@by_dashboard
def test_data_source_variable_is_as_grafanas_linter_wants_it(dashboard: dict[str, Any]) -> None:
    (variable,) = [variable for variable in dashboard["templating"]["list"] if variable["type"] == "datasource"]
    assert (variable["name"], variable["label"], variable["query"]) == ("datasource", "Data source", "prometheus")


@by_dashboard
def test_variables_of_the_cluster_are_read_again_with_the_time_range(dashboard: dict[str, Any]) -> None:
    queried = [variable for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
    assert {variable["refresh"] for variable in queried} <= {2}


def asked_beside_panels() -> list[Any]:
    """What variables and annotations ask Prometheus, as one expression each."""
    found = []
    for name, dashboard in DASHBOARDS.items():
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                label_values = re.fullmatch(r"label_values\((.+), \w+\)", variable["query"]["query"])
                assert label_values, f"{variable['name']} is no label_values"
                found.append(pytest.param(label_values[1], id=f"{name}: variable {variable['name']}"))
        found += [
            pytest.param(entry["expr"].replace("$namespace", "todo-chatbot"), id=f"{name}: annotation {entry['name']}")
            for entry in dashboard["annotations"]["list"]
        ]
    return found


@pytest.mark.parametrize("expr", asked_beside_panels())
def test_variable_or_annotation_asks_for_a_metric_that_something_exposes(expr: str) -> None:
    assert promql.metric_names(expr) <= set(series_types())


@by_panel
def test_panel_has_queries_that_each_have_an_expression(panel: dict[str, Any]) -> None:
    assert panel["targets"]
    assert all(target["expr"] for target in panel["targets"])


@by_panel
def test_panel_has_a_title_a_description_and_a_unit(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]


@by_panel
def test_series_of_a_panel_have_names(panel: dict[str, Any]) -> None:
    legends = [target["legendFormat"] for target in panel["targets"]]
    assert all(legends)
    assert len(set(legends)) == len(legends)


@by_panel
def test_stat_has_colours_for_good_and_bad_unless_it_shows_traffic(panel: dict[str, Any]) -> None:
    if panel["type"] == "stat" and panel["fieldConfig"]["defaults"]["unit"] != "reqps":
        assert len(panel["fieldConfig"]["defaults"]["thresholds"]["steps"]) > 1


@by_panel
def test_legend_names_only_labels_that_the_query_keeps(panel: dict[str, Any]) -> None:
    """A label in a legend that the aggregation drops shows as nothing."""
    for target in panel["targets"]:
        expr = Query("", "", "", target["expr"]).resolved("todo-chatbot", "2m")
        assert set(_labels_of(target["legendFormat"])) <= promql.grouping_labels(expr), target["legendFormat"]


def _labels_of(legend: str) -> list[str]:
    return [part.split("}}")[0].strip() for part in legend.split("{{")[1:]]


@by_expression
def test_expression_parses_and_every_metric_is_one_that_something_exposes(expr: str) -> None:
    unknown = promql.metric_names(expr) - set(series_types()) - OWN_SERIES - UNRECORDED
    assert not unknown, "not in tests/monitoring/recordings"


@by_expression
def test_counters_stand_under_a_rate_and_gauges_do_not(expr: str) -> None:
    rated = {metric for name, within in promql.calls(expr) if name in {"rate", "increase"} for metric in within}
    for metric in promql.metric_names(expr) & set(series_types()):
        is_counter = series_types()[metric] == "counter"
        # How often a container has been restarted so far is what a table shows, not how fast.
        if is_counter and metric != "kube_pod_container_status_restarts_total":
            assert metric in rated, f"{metric} is a counter without a rate"
        if not is_counter:
            assert metric not in rated, f"{metric} is a gauge under a rate"


@by_expression
def test_expression_is_right_on_both_container_runtimes(expr: str) -> None:
    """The Docker runtime names no container and no image, so to ask for one returns nothing there."""
    for selector in promql.selectors(expr):
        if selector.metric.startswith("container_"):
            asked = {label for label, _, value in selector.matchers if label in {"container", "image", "name"} and value != ".*"}
            assert not asked, f"{selector.metric} is selected by {asked}"
            labels = {label for label, _, _ in selector.matchers}
            assert labels & {"namespace", "pod", "id"}, f"{selector.metric} would count pods and their containers together"


@by_expression
def test_usage_of_pods_is_never_summed_over_cgroups(expr: str) -> None:
    """On containerd the pod's cgroup and its containers' are both there: a sum counts everything twice, max by (pod) once."""
    text = " ".join(expr.split())
    for metric in promql.metric_names(text):
        whole_node = all(s.equals("id", "/") for s in promql.selectors(text) if s.metric == metric)
        if metric.startswith("container_") and not whole_node:
            assert "max by (" in text
            assert f"sum({metric}" not in text
            assert f"sum(rate({metric}" not in text


def test_rate_windows_of_panels_follow_the_zoom_and_the_scrape_interval() -> None:
    fixed = [query.panel for query in QUERIES if "rate(" in query.expr and "[$__rate_interval]" not in query.expr]
    assert not fixed, "use $__rate_interval"


def test_every_metric_of_the_architecture_page_that_the_apps_promise_is_recorded() -> None:
    page = (ROOT / "specs" / "architecture.md").read_text().split("## Metrics")[1].split("\n## ")[0]
    promised = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    missing = promised - set(families()) - UNRECORDED
    assert promised
    assert not missing


def test_changing_one_panel_changes_only_that_panel() -> None:
    source = copy.deepcopy(SOURCES["app"])
    before = dashboards.render_dashboard(source, "todo-chatbot")
    source["rows"][1]["panels"].insert(0, {**source["rows"][1]["panels"][0], "title": "A new panel"})
    after = dashboards.render_dashboard(source, "todo-chatbot")
    kept = {panel["id"]: {**panel, "gridPos": None} for panel in after["panels"]}
    assert len(kept) == len(before["panels"]) + 1
    assert all(kept[panel["id"]] == {**panel, "gridPos": None} for panel in before["panels"])


@pytest.mark.parametrize("name", RENDERED)
def test_grafanas_linter_has_nothing_to_say(name: str, tmp_path: Path) -> None:
    """github.com/grafana/dashboard-linter; dashboards/.lint holds what it may not ask for, each with its reason."""
    linter = program("dashboard-linter", "a build of github.com/grafana/dashboard-linter")
    config = ROOT / "monitoring" / "dashboards" / ".lint"
    dashboard = tmp_path / name
    dashboard.write_text(RENDERED[name])
    run = subprocess.run(
        [linter, "lint", "--strict", "--config", config, dashboard], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    reasons = [rule.get("reason") for rule in yaml.safe_load(config.read_text())["exclusions"].values()]
    assert all(reasons)
