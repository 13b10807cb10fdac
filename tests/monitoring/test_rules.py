"""The alert rules: valid, tested three ways each, and each with its section in the runbook."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from scripts.config.settings import load_settings
from scripts.desired.alert_rules import rules
from tests.monitoring.machine import ROOT, program, written_rules

CASES = sorted([*(ROOT / "monitoring/rules/tests").glob("*.yaml"), *(ROOT / "app/monitoring/tests").glob("*.yaml")])
ALERTS = [rule for group in rules(load_settings())["groups"] for rule in group["rules"]]

pytestmark = pytest.mark.monitoring
by_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])


@pytest.fixture(scope="module")
def promtool() -> str:
    return program("promtool", "Debian's package `prometheus`")


def headings(markdown: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them of its headings."""
    titles = re.findall(r"^#+ (.+)$", markdown.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.fixture(scope="module")
def rules_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules as they are installed."""
    return written_rules(tmp_path_factory.mktemp("rules"))


def test_promtool_accepts_the_rules(promtool: str, rules_file: Path) -> None:
    run = subprocess.run([promtool, "check", "rules", rules_file], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_promtool_case_passes(promtool: str, rules_file: Path, case: Path, tmp_path: Path) -> None:
    placed = tmp_path / case.name
    placed.write_text(yaml.safe_dump({**yaml.safe_load(case.read_text()), "rule_files": [str(rules_file)]}))
    run = subprocess.run([promtool, "test", "rules", placed], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_file_of_cases_is_for_an_alert_that_exists() -> None:
    assert {path.stem for path in CASES} == {alert["alert"] for alert in ALERTS}


@by_alert
def test_alert_has_a_case_that_fires_one_just_below_and_one_without_data(alert: dict) -> None:
    (case,) = [path for path in CASES if path.stem == alert["alert"]]
    cases = yaml.safe_load(case.read_text())["tests"]
    names = [case["name"] for case in cases]
    for kind in ("fires", "just below", "no data"):
        assert any(name.startswith(kind) for name in names), f"no case `{kind}` among {names}"
    for case in cases:
        checks = case["alert_rule_test"]
        assert {check["alertname"] for check in checks} == {alert["alert"]}, case["name"]
        if case["name"].startswith("fires"):
            assert any(check["exp_alerts"] for check in checks), case["name"]
        if case["name"].startswith("just below"):
            assert not any(check["exp_alerts"] for check in checks), case["name"]


@by_alert
def test_alert_says_what_it_is_and_what_to_do(alert: dict) -> None:
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    path, anchor = alert["annotations"]["runbook_url"].split("#")
    assert anchor in headings(ROOT / path), f"{path} has no section for {anchor}"


def test_runbook_has_no_section_for_an_alert_that_is_gone() -> None:
    sections = {anchor for anchor in headings(ROOT / "docs" / "runbook.md") if anchor.startswith(("app", "todo"))}
    assert sections == {alert["alert"].lower() for alert in ALERTS}


@by_alert
def test_runbook_names_the_alerts_own_delay_and_severity(alert: dict) -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    section = text.split(f"## {alert['alert']}\n")[1].split("\n## ")[0]
    first = section.strip().splitlines()[0]
    assert first.lower().startswith(f"**{alert['labels']['severity']}"), first
    minutes = re.fullmatch(r"(\d+)m", alert["for"])
    if minutes:
        assert f"after {minutes[1]} minutes" in first, first
