"""Each clause of the constitution is broken on purpose, and the audit says so; unbroken, it says that it is kept."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts.audit.checks import scaling
from scripts.audit.facts import (
    CHART,
    Asked,
    Attempt,
    Daemon,
    Facts,
    ImageFacts,
    Inside,
    Leak,
    Monitored,
    Repository,
    Search,
    Unseen,
    Verdict,
)
from scripts.audit.rows import Row, judge
from scripts.audit.rules import load
from scripts.audit.seeing import assistant
from scripts.config.settings import load_settings
from scripts.core.paths import ROOT
from tests.audit import planted
from tests.audit.planted import STATUS, beside, changed, checkout, facts, live, of, without
from tests.doubles import revision

pytestmark = pytest.mark.unit

FIRST = "spec__template__spec__containers__0__"
ROOTED = dataclasses.replace(live().containers[0], status={**STATUS, "Uid": "10001 0 0 0"})
WRITTEN = dataclasses.replace(live().containers[0], write="written")
CAPABLE = dataclasses.replace(live().containers[1], status={**STATUS, "CapEff": "00000000a80425fb"})
CLAIM = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
BY_HAND = {**of("Deployment", ""), "spec": planted.deployment("backend")["spec"]}
BY_HAND["metadata"] = {"name": "by-hand"}


def with_asked(**statuses: int) -> Any:
    return live(asked=[dataclasses.replace(each, status=statuses.get(each.path[1:], 200), samples=0) for each in live().asked])


BREAKS: dict[str, tuple[dict[str, Any], str]] = {
    "core-2": ({"repository": Repository(ROOT, planted.COMMANDS - {"gordon"}, 2, 9)}, "there is no `invoke gordon`"),
    "core-3": ({"objects": dataclasses.replace(beside(), namespace=planted.namespace("baseline"))}, "enforces Pod Security `baseline`"),
    "core-4": ({"repository": Repository(ROOT, planted.COMMANDS | {"nobody-said"}, 2, 9)}, "command nobody-said"),
    "core-5": ({"objects": changed("Pod", "backend", spec__volumes=[CLAIM])}, "backend-1 mounts data (persistentVolumeClaim)"),
    "technology-3": ({"revisions": [revision(2, "pending-upgrade", "")]}, "revision 2 is pending-upgrade"),
    "technology-4": ({"repository": Repository(ROOT, planted.COMMANDS - {"ask"}, 2, 9)}, "there is no `invoke ask`"),
    "architectural-1": ({"objects": changed("Pod", "frontend", metadata__labels={})}, "frontend has no container"),
    "architectural-2": ({"images": [ImageFacts("todo-backend:h1", ("API_TOKEN",), 3)]}, "todo-backend:h1 sets API_TOKEN"),
    "architectural-3": ({"objects": changed("Pod", "backend", spec__containers__0__env=[])}, "backend-1 does not get LOG_LEVEL"),
    "architectural-4": ({"objects": changed("Pod", "backend", status__conditions=[])}, "backend-1 is not ready"),
    "architectural-5": (
        {"objects": changed("Pod", "backend", spec__containers__0__resources__limits=None)},
        "backend-1/backend has no limits of cpu",
    ),
    "architectural-6": ({"objects": without("HorizontalPodAutoscaler")}, "backend has no HorizontalPodAutoscaler"),
    "architectural-7": ({"objects": beside(of("PersistentVolumeClaim", "", "left"))}, "nobody uses the claim left"),
    "development-5": ({"repository": Repository(ROOT, planted.COMMANDS - {"check.ai"}, 2, 9)}, "there is no `invoke check.ai`"),
    "development-6": ({"repository": Repository(ROOT, planted.COMMANDS, 1, 9)}, "specs was never changed"),
    "security-1": ({"live": live(containers=[ROOTED])}, "backend-1/backend: process 1 is user 0"),
    "security-2": ({"live": live(containers=[WRITTEN])}, "backend-1/backend: its root file system was written to"),
    "security-3": ({"live": live(containers=[CAPABLE])}, "frontend-1/frontend: process 1 has capabilities 00000000a80425fb"),
    "security-4": ({"search": Search((), (Leak("API_TOKEN", "ConfigMap x"),))}, "API_TOKEN is in ConfigMap x"),
    "security-5": ({"live": live(attempts=[Attempt("page", "db", allowed=False, opened=True)])}, "page reaches db, which none allows"),
    "deployment-1": ({"objects": beside(BY_HAND)}, "by-hand is of no release"),
    "deployment-2": (
        {"objects": changed("Deployment", "backend", spec__strategy__type="Recreate")},
        "backend takes pods away before others serve",
    ),
    "deployment-3": (
        {"objects": changed("Deployment", "backend", **{f"{FIRST}readinessProbe": None})},
        "backend/backend has no readinessProbe",
    ),
    "deployment-4": (
        {
            "objects": changed(
                "HorizontalPodAutoscaler", "backend", status__conditions=[{"type": "ScalingActive", "status": "False", "reason": "Blind"}]
            )
        },
        "backend: ScalingActive is False: Blind",
    ),
    "deployment-5": ({"objects": without("ResourceQuota")}, "there is no ResourceQuota"),
    "monitoring-1": ({"live": live(logged={"backend-1/backend": False})}, "backend-1/backend has logged nothing"),
    "monitoring-2": ({"live": with_asked(ready=503)}, "backend/ready answers 503"),
    "monitoring-3": ({"live": with_asked()}, "backend/metrics shows no sample"),
    "monitoring-4": ({"monitored": Monitored(4, (), 20, ["CPU (backend) shows nothing"])}, "CPU (backend) shows nothing"),
}
"""What is wrong, and what the audit says of it, of each clause that is a matter of what is seen."""
OF_FILES = {
    "core-1": "CLAUDE.md is missing",
    "technology-6": "app/backend/requirements.in does not hold `fastapi`",
    "development-1": "specs has no feature",
    "development-2": "specs has no feature",
    "development-3": "specs has no feature",
    "development-4": "AGENTS.md is missing",
}
"""What the audit says of a checkout that lacks everything."""
DEVIATIONS: dict[str, dict[str, Any]] = {
    "core-5": {"databases": []},
    "technology-1": {"daemon": Daemon("Debian GNU/Linux", "29.0.0")},
    "technology-2": {"engine": "kube_context"},
    "technology-5": {"databases": ["db.example.com"]},
}
UNKNOWABLE = {"core-1", "development-2", "development-4"}
"""Nobody can see who wrote something."""


def row(clause: str, **changes: Any) -> Row:
    (found,) = judge([each for each in load() if each.clause.name == clause], facts(**changes))
    return found


def test_every_clause_is_broken_here() -> None:
    assert {each.clause.name for each in load()} == BREAKS.keys() | OF_FILES.keys() | DEVIATIONS.keys()


@pytest.mark.parametrize("clause", sorted(BREAKS))
def test_a_broken_clause_is_said_to_be(clause: str) -> None:
    changes, says = BREAKS[clause]
    found = row(clause, **changes)
    assert found.verdict is Verdict.BROKEN
    assert any(says in line for line in found.evidence), found.evidence
    assert found.remedy
    assert not found.reason


@pytest.mark.parametrize("clause", sorted(OF_FILES))
def test_a_checkout_without_it_breaks_a_clause(clause: str, tmp_path: Path) -> None:
    found = row(clause, repository=checkout(tmp_path))
    assert found.verdict is Verdict.BROKEN
    assert any(OF_FILES[clause] in line for line in found.evidence), found.evidence


@pytest.mark.parametrize("clause", sorted(DEVIATIONS))
def test_a_deviation_has_its_reason_and_its_date(clause: str) -> None:
    found = row(clause, **DEVIATIONS[clause])
    assert found.verdict is Verdict.DEVIATES
    assert found.reason
    assert found.decided.startswith("2026-11-")


@pytest.mark.parametrize("clause", sorted(DEVIATIONS))
def test_a_deviation_that_nobody_decided_is_a_breach(clause: str) -> None:
    (ruled,) = (each for each in load() if each.clause.name == clause)
    undecided = dataclasses.replace(ruled, rule=ruled.rule.model_copy(update={"deviation": None}))
    (found,) = judge([undecided], facts(**DEVIATIONS[clause]))
    assert found.verdict is Verdict.BROKEN
    assert found.remedy


def test_an_app_that_keeps_everything_is_said_to() -> None:
    found = {each.clause: each for each in judge(load(), facts())}
    found["core-4"] = row("core-4", repository=Repository(ROOT, frozenset({"up", "audit"}), 2, 9))  # no page names the planted commands
    assert {name for name, each in found.items() if each.verdict is Verdict.BROKEN} == set(), [
        each.evidence for each in found.values() if each.verdict is Verdict.BROKEN
    ]
    assert {name for name, each in found.items() if each.verdict is Verdict.NOT_CHECKABLE} == UNKNOWABLE
    assert {name for name, each in found.items() if each.verdict is Verdict.DEVIATES} == {"core-2"}
    assert all(each.evidence for each in found.values())


@pytest.mark.parametrize("part", ["daemon", "images", "search", "databases", "objects", "live", "revisions", "monitored"])
def test_what_cannot_be_seen_is_never_kept(part: str) -> None:
    kept = {each.clause for each in judge(load(), facts()) if each.verdict is Verdict.KEPT}
    blind = {each.clause: each for each in judge(load(), facts(**{part: Unseen("it is dark")}))}
    lost = [each for name, each in blind.items() if name in kept and each.verdict is not Verdict.KEPT]
    assert all(each.verdict is Verdict.NOT_CHECKABLE and "it is dark" in " ".join(each.evidence) for each in lost)
    assert lost or part in ("revisions", "monitored")


@pytest.mark.parametrize(
    ("clause", "part"),
    [
        ("security-3", {"live": live(containers=[dataclasses.replace(live().containers[0], status={**STATUS, "Seccomp": "0"})])}),
        ("security-3", {"live": live(containers=[dataclasses.replace(live().containers[0], status={**STATUS, "NoNewPrivs": "0"})])}),
        ("security-2", {"live": live(containers=[dataclasses.replace(live().containers[0], write="EACCES")])}),
        ("security-5", {"live": live(attempts=[Attempt("page", "api", allowed=True, opened=False)])}),
        ("security-4", {"objects": changed("Pod", "backend", spec__containers__0__env=[{"name": "API_TOKEN", "value": "x"}])}),
        ("architectural-2", {"search": Search((), (Leak("API_TOKEN", "image x (layers)"),))}),
        ("deployment-2", {"objects": changed("Deployment", "backend", **{f"{FIRST}lifecycle": {}})}),
        ("deployment-5", {"objects": changed("ResourceQuota", "", status__used={"pods": "21"})}),
        ("architectural-7", {"objects": changed("Pod", "backend", spec__volumes=[CLAIM])}),
        ("core-3", {"objects": without("NetworkPolicy")}),
        ("monitoring-2", {"live": live(asked=[Asked("backend", "/health", 200)])}),
        ("monitoring-3", {"monitored": Monitored(3, ["backend is down"], 20, ())}),
        ("architectural-6", {"objects": changed("HorizontalPodAutoscaler", "backend", spec__maxReplicas=2)}),
        ("deployment-4", {"objects": without("HorizontalPodAutoscaler")}),
    ],
)
def test_other_ways_to_break_a_clause(clause: str, part: dict[str, Any]) -> None:
    assert row(clause, **part).verdict is Verdict.BROKEN


def test_a_container_that_cannot_be_looked_into_is_no_evidence() -> None:
    for clause in ("security-1", "security-2", "security-3"):
        found = row(clause, live=live(containers=[*live().containers, Inside("blind/blind")]))
        assert found.verdict is Verdict.NOT_CHECKABLE
        assert "blind/blind cannot be looked into" in found.evidence[0]
        wrong = row(
            clause,
            live=live(
                containers=[
                    dataclasses.replace(ROOTED, write="written", status=CAPABLE.status | ROOTED.status | {"CapEff": "1"}),
                    Inside("blind/blind"),
                ]
            ),
        )
        assert wrong.verdict is Verdict.BROKEN


@pytest.mark.parametrize("clause", ["architectural-2", "security-4"])
def test_what_was_not_searched_is_no_evidence(clause: str) -> None:
    blind = Search(("3 images",), keys=3, not_searched=("image x:1, which Docker does not have",))
    assert row(clause, search=blind).verdict is Verdict.NOT_CHECKABLE
    assert row(clause, search=dataclasses.replace(blind, leaks=(Leak("API_TOKEN", "image y:1 (layers)"),))).verdict is Verdict.BROKEN
    short = row(clause, search=Search(("3 images",), keys=3, too_short=("PIN",)))
    assert (short.verdict, short.evidence[-1]) == (Verdict.KEPT, "too short to be searched for: PIN")


def test_a_leak_is_told_without_a_cluster_too() -> None:
    leaked = Search((), (Leak("API_TOKEN", ".state/x"),))
    for objects in (Unseen("dark"), dataclasses.replace(beside(), on=CHART)):
        assert row("security-4", search=leaked, objects=objects).verdict is Verdict.BROKEN


def test_connections_of_one_sort_alone_prove_nothing() -> None:
    found = row("security-5", live=live(attempts=[Attempt("page", "api", allowed=True, opened=True)]))
    assert found.verdict is Verdict.NOT_CHECKABLE


@pytest.mark.parametrize(("file", "clause"), [("spec.md", "development-1"), ("plan.md", "development-2"), ("tasks.md", "development-3")])
def test_a_feature_that_lacks_a_file_breaks_a_clause(file: str, clause: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    assert row(clause, repository=checkout(tmp_path)).verdict is (Verdict.NOT_CHECKABLE if clause in UNKNOWABLE else Verdict.KEPT)
    (tmp_path / "specs" / "001-constitution-audit" / file).unlink()
    assert row(clause, repository=checkout(tmp_path)).verdict is Verdict.BROKEN


def test_a_plan_with_a_clause_that_was_not_looked_at_breaks_one(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    plan = tmp_path / "specs" / "001-constitution-audit" / "plan.md"
    plan.write_text(plan.read_text().replace("[x]", "[ ]", 2))
    found = row("development-2", repository=checkout(tmp_path))
    assert found.evidence == ("001-constitution-audit/plan.md: 2 clauses are not ticked",)
    assert found.verdict is Verdict.BROKEN


def test_an_assistant_that_was_never_asked_is_not_tested(tmp_path: Path) -> None:
    missing = assistant.score(tmp_path / "none.json")
    assert row("development-5", score=missing).verdict is Verdict.NOT_CHECKABLE
    told = tmp_path / "score.json"
    told.write_text('{"right": 4, "asked": 6, "model": "m", "at": "2026-11-27T10:00:00+00:00"}')
    assert row("development-5", score=assistant.score(told)).evidence == ("4 of 6 answers right, by m, 2026-11-27",)
    for odd in ("", "[]", '{"right": 4}', '{"at": 3, "right": 1, "asked": 1, "model": ""}'):
        told.write_text(odd)
        assert isinstance(assistant.score(told), Unseen)


def test_whether_the_assistant_is_here_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assistant.tools.shell, "which", lambda name: name)
    monkeypatch.setattr(assistant.tools, "version_of", lambda _: (0, 0, 28))
    assert assistant.program(facts().settings.ask.kubectl_ai) == "kubectl-ai 0.0.28"
    monkeypatch.setattr(assistant.tools, "version_of", lambda _: (0, 0, 1))
    assert isinstance(assistant.program(facts().settings.ask.kubectl_ai), Unseen)
    assert row("technology-4").evidence[1] == "kubectl-ai 0.0.28 is here"
    assert row("technology-4", assistant=Unseen("kubectl-ai is not installed")).evidence[1] == "kubectl-ai is not installed"


def test_history_and_another_app_may_tell_nothing() -> None:
    assert row("development-6", repository=Repository(ROOT, planted.COMMANDS, 0, 0)).verdict is Verdict.NOT_CHECKABLE
    other = facts().settings.model_copy(update={"services": {}})
    assert row("technology-6", settings=other).verdict is Verdict.NOT_CHECKABLE


@pytest.mark.parametrize("clause", ["core-3", "deployment-1", "deployment-4", "security-4"])
def test_the_rendered_chart_does_not_stand_for_a_cluster(clause: str) -> None:
    rendered = dataclasses.replace(beside(), on=CHART)
    assert row(clause, objects=rendered).verdict is Verdict.NOT_CHECKABLE


def test_a_rendered_chart_is_judged_by_its_templates() -> None:
    judge_it: Callable[..., Row] = row
    rendered: Facts | Any = dataclasses.replace(beside(), on=CHART)
    for clause in ("architectural-1", "architectural-4", "architectural-5", "deployment-3", "deployment-5"):
        found = judge_it(clause, objects=rendered)
        assert (found.verdict, found.on) == (Verdict.KEPT, CHART)


@pytest.mark.parametrize(("age", "verdict"), [(30, Verdict.NOT_CHECKABLE), (600, Verdict.BROKEN)])
def test_an_autoscaler_of_pods_that_have_just_begun_is_given_time(age: int, verdict: Verdict) -> None:
    began = (datetime.now(UTC) - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    blind = [{"type": "ScalingActive", "status": "False", "reason": "Blind"}]
    seen = changed("HorizontalPodAutoscaler", "backend", status__conditions=blind)
    pods = [{**each, "status": {**each.get("status", {}), "startTime": began}} for each in seen.of("Pod")]
    found = row("deployment-4", objects=dataclasses.replace(seen, items=[*(i for i in seen.items if i["kind"] != "Pod"), *pods]))
    assert found.verdict is verdict


def test_an_image_that_is_taken_needs_no_autoscaler() -> None:
    """It has one pod by default: a database or a cache cannot simply be doubled."""
    settings = load_settings()
    cache = settings.services["frontend"].model_copy(update={"context": None, "image": "redis:8-alpine"})
    seen = facts(settings=settings.model_copy(update={"services": {**settings.services, "cache": cache}}))
    assert scaling.CHECKS["autoscalers"](seen, {}).verdict is Verdict.KEPT
