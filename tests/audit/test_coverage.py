"""Every command, every key of invoke.yaml and every value of the chart is named in a specification, and every part has one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from invoke import Collection

import tasks
from scripts.audit import coverage
from scripts.core.paths import ROOT

pytestmark = pytest.mark.unit


def commands() -> set[str]:
    assert isinstance(tasks.ns, Collection)
    return set(tasks.ns.task_names)


def test_everything_that_a_user_can_name_is_specified() -> None:
    assert coverage.unnamed(ROOT, commands()) == []
    assert coverage.parts_without_page(ROOT) == []


def test_keys_and_values_are_found_wherever_they_stand() -> None:
    keys = {".".join(key) for key in coverage.keys(ROOT)}
    assert {"engine", "services.*.probes.live", "env.*.overlap", "tools.*.below", "monitoring.adapter.values"} <= keys
    values = {".".join(value) for value in coverage.values(ROOT)}
    assert {"serviceDefaults.autoscaling.scaleUp.pods", "networkPolicy.dns.podLabels", "trustedCa"} <= values
    assert "networkPolicy.dns.podLabels.k8s-app" not in values


def test_what_no_page_names_is_told(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    (tmp_path / "helm" / "todo-chatbot").mkdir(parents=True)
    (tmp_path / coverage.VALUES).write_text("trustedCa: ''\nsecretDoor: x\n")
    schema = json.loads((ROOT / coverage.SCHEMA).read_text())
    schema["properties"]["wormhole"] = {"type": "string"}
    (tmp_path / coverage.SCHEMA).write_text(json.dumps(schema))
    assert coverage.unnamed(tmp_path, {"up", "teleport"}) == ["command teleport", "invoke.yaml: wormhole", "chart: secretDoor"]
    page = tmp_path / "specs" / "architecture.md"
    page.write_text(page.read_text().replace("`plan.md` |", "`plans.md` |").replace("`diagnosis.md` |", "diagnosis |"))
    assert [line.partition("`")[2][:9] for line in coverage.parts_without_page(tmp_path)] == ["decisions", "rollout a"]
    (tmp_path / "specs" / "tasks.md").write_text("The words up and down in a sentence name nothing, `teleport` does.\n")
    assert "command up" not in coverage.unnamed(tmp_path, {"teleport"})
