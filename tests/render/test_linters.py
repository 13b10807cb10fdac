"""kube-linter, kube-score and checkov over the rendered chart. They find nothing but what exemptions.yaml answers for."""

from __future__ import annotations

import fnmatch
import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.render.chart import NAMESPACE, need_tool, scenario

pytestmark = pytest.mark.render

EXEMPTIONS = yaml.safe_load((Path(__file__).parent / "exemptions.yaml").read_text())


@dataclass(frozen=True, order=True)
class Finding:
    """What a linter holds against an object, called KIND/NAME."""

    check: str
    target: str
    message: str


def output_of(argv: Sequence[str], *, ends_with: tuple[int, ...]) -> Any:
    """Run a linter and return its JSON. Another exit code than these, or output that is no JSON, fails the test."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode in ends_with, done.stderr[-2000:]
    return json.loads(done.stdout)


def kube_linter(manifest: Path) -> list[Finding]:
    # It downloads schemas for schema-validation; test_schemas.py does that check, with schemas from a package.
    argv = [need_tool("kube-linter"), "lint", "--add-all-built-in", "--exclude", "schema-validation", "--format", "json", str(manifest)]
    reports = output_of(argv, ends_with=(0, 1))["Reports"] or []
    found = []
    for report in reports:
        thing = report["Object"]["K8sObject"]
        target = f"{thing['GroupVersionKind']['Kind']}/{thing['Name']}"
        found.append(Finding(report["Check"], target, report["Diagnostic"]["Message"]))
    return found


def kube_score(manifest: Path) -> list[Finding]:
    argv = [need_tool("kube-score"), "score", "--all-default-optional", "--kubernetes-version", "v1.34"]
    found = []
    for thing in output_of([*argv, "--output-format", "json", str(manifest)], ends_with=(0, 1)):
        target = f"{thing['type_meta']['kind']}/{thing['object_meta']['name']}"
        for check in thing["checks"]:
            if not check["skipped"] and check["grade"] < 10:
                comments = "; ".join(comment["summary"] for comment in check["comments"] or [])
                found.append(Finding(check["check"]["id"], target, comments))
    return found


def checkov(manifest: Path) -> list[Finding]:
    argv = [need_tool("checkov"), "--file", str(manifest), "--framework", "kubernetes", "--output", "json"]
    report = output_of([*argv, "--compact", "--quiet", "--skip-download"], ends_with=(0, 1))
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 100
    found = []
    for check in report["results"]["failed_checks"]:
        kind, _, name = check["resource"].split(".", 2)
        found.append(Finding(check["check_id"], f"{kind}/{name}", check["check_name"]))
    return found


LINTERS: dict[str, Callable[[Path], list[Finding]]] = {"kube-linter": kube_linter, "kube-score": kube_score, "checkov": checkov}


def exempted(exemption: dict[str, Any], finding: Finding) -> bool:
    patterns = exemption.get("objects", ["*"])
    return exemption["check"] == finding.check and any(fnmatch.fnmatch(finding.target, pattern) for pattern in patterns)


@pytest.mark.parametrize("linter", list(LINTERS))
def test_a_linter_finds_nothing_but_what_we_answer_for(linter: str, tmp_path: Path) -> None:
    need_tool(linter)
    objects = [{**o, "metadata": {**o["metadata"], "namespace": NAMESPACE}} for o in scenario("everything switched on")]
    manifest = tmp_path / "objects.yaml"
    manifest.write_text(yaml.safe_dump_all(objects))
    found = LINTERS[linter](manifest)
    entries = EXEMPTIONS[linter]
    unanswered = sorted(finding for finding in found if not any(exempted(entry, finding) for entry in entries))
    assert unanswered == []
    without_use = [entry["check"] for entry in entries if not any(exempted(entry, finding) for finding in found)]
    assert without_use == []


def test_every_exemption_has_a_reason_of_its_own() -> None:
    assert set(EXEMPTIONS) == set(LINTERS)
    entries = [entry for tool in EXEMPTIONS.values() for entry in tool]
    assert all(set(entry) <= {"check", "objects", "reason"} for entry in entries)
    assert all(len(entry["reason"].split()) >= 6 for entry in entries)
