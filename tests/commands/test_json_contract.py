"""The JSON events are a contract: each kind, its exact keys, and the code of every error, as `docs/json.md` tells them."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from invoke import Context, Exit, Task

from scripts import check_monitoring, command
from scripts.ai import ask, context, kagent, kubectl_ai, providers
from scripts.ai import check as ai_check
from scripts.audit.facts import Unseen, Verdict
from scripts.audit.rules import RULES
from scripts.audit.seeing import everything
from scripts.check_monitoring import Answered
from scripts.config.settings import load_settings
from scripts.core import errors, shell, waiting
from scripts.core.decision import Change, Decision
from scripts.core.errors import InputError, TaskError
from scripts.core.paths import ROOT
from scripts.core.pipeline import Step, run_steps, run_to_exit_code
from scripts.core.report import Outcome, Report, StepReport, changed
from scripts.database import state
from scripts.engines.kubernetes import KubernetesEngine
from scripts.images.prune import Superfluous
from scripts.kubernetes import connection
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.deployment import Deployment
from scripts.kubernetes.diagnosis.cause import PATIENCE
from scripts.kubernetes.diagnosis.diagnose import diagnose as causes_of
from scripts.kubernetes.pods import pod_state
from scripts.kubernetes.usage import QuotaUse, Scaling
from scripts.logs.line import LogLine, LogQuery
from scripts.look import status as status_command
from scripts.look.audit import work
from scripts.look.diagnose import diagnose
from scripts.look.logs import LOOKED_THROUGH, logs
from scripts.look.open import open_
from scripts.look.overview import Overview
from scripts.look.plan import show_plan
from scripts.look.status import status
from scripts.look.values import print_values
from scripts.machine import docker_client, tool_downloads
from scripts.monitoring.queries import Query
from scripts.operate import prune
from scripts.project import Project
from tests.audit.planted import facts
from tests.cluster.recordings import read_recording
from tests.json_contract import KEYS, breach
from tests.programs import Programs, Reply, on_path
from tests.projects import project_in, project_on

pytestmark = pytest.mark.unit

DOCUMENT = (ROOT / "docs/json.md").read_text()
POD = {
    "metadata": {"name": "todo-backend-1", "labels": {"app.kubernetes.io/component": "backend"}},
    "spec": {"containers": [{"name": "backend", "image": "todo-backend:h1"}]},
    "status": {"phase": "Running"},
}
Event = dict[str, Any]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    fakes = on_path(tmp_path / "bin", monkeypatch)
    yield fakes
    fakes.check()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[Event]]:
    """Run a command with --json on a project of ours, and return what it printed."""

    def run_command(task: Task[Any], project: object, **options: Any) -> list[Event]:
        monkeypatch.setattr(command, "Project", lambda *_, **_options: project)
        monkeypatch.setattr(connection, "kept_to", lambda *_: None)  # the fakes answer one question each
        with contextlib.suppress(Exit):  # its code is in the last event
            task.body(Context(), json=True, **options)
        return events_in(capsys.readouterr().out)

    return run_command


def events_in(text: str) -> list[Event]:
    return [json.loads(line) for line in text.splitlines()]


def reported(work: Callable[[Report], int | None]) -> list[Event]:
    stdout = io.StringIO()
    report = Report(as_json=True, stdout=stdout)
    run_to_exit_code(lambda: work(report), report)
    return events_in(stdout.getvalue())


def hold(events: list[Event], *kinds: str) -> None:
    """Each event has its exact keys, and these kinds came, in this order."""
    for event in events:
        assert event.pop("v") == 1
        assert not breach(event["event"], {key: value for key, value in event.items() if key != "event"})
    assert tuple(event["event"] for event in events) == kinds


def cluster() -> Cluster:
    settings = load_settings()
    return Cluster("told", settings.namespace, settings.release)


def tell(programs: Programs, argv: tuple[str, ...], reply: str) -> None:
    programs.tell(cluster().kubectl_argv(*argv), Reply(reply))


def tell_installed(programs: Programs) -> None:
    selector = f"owner=helm,name={cluster().release}"
    tell(programs, ("get", "secrets", "--selector", selector, "--output", "name", "--request-timeout=5s"), "secret/one")


def test_a_run_of_steps() -> None:
    def act(step: StepReport) -> Outcome:
        step.progress("half")
        step.say("there")
        step.warn("not quite")
        return changed("all")

    kinds = ("step_started", "step_progress", "message", "warning", "step_finished", "summary", "finished")
    hold(reported(lambda report: run_steps([Step("build", act)], report)), *kinds)


def test_an_error_has_a_code_that_does_not_come_from_its_words() -> None:
    def fail(_: Report) -> None:
        raise InputError("anything", "fix it", ["line"], code="settings-invalid")

    events = reported(fail)
    assert events[0]["code"] == "settings-invalid"
    hold(events, "error", "finished")


def test_a_defect_and_an_interrupt_have_codes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.core.log.DEFECT", tmp_path / "defect.log")
    monkeypatch.setattr("scripts.core.log.ROOT", tmp_path)
    assert reported(lambda _: {}["x"])[0]["code"] == "defect"

    def interrupt(_: Report) -> None:
        raise KeyboardInterrupt

    assert reported(interrupt)[0]["code"] == "interrupted"


def test_status(programs: Programs, run: Callable[..., list[Event]], monkeypatch: pytest.MonkeyPatch) -> None:
    tell_installed(programs)
    taken = Overview(
        [pod_state(POD)],
        scaling=[Scaling("backend", 2, 2, 2, 4, "cpu 12 of 80 %", "")],
        quota=[QuotaUse("pods", "5", "19")],
        certificates=[("DATABASE_URL", datetime(2027, 1, 31, tzinfo=UTC))],
    )
    monkeypatch.setattr(status_command, "take", lambda _: taken)
    kinds = ("engine", "pods", "autoscalers", "quota", "certificate", "differences", "addresses", "finished")
    hold(run(status, project_in(cluster(), load_settings())), *kinds)


def test_diagnose(programs: Programs, run: Callable[..., list[Event]], monkeypatch: pytest.MonkeyPatch) -> None:
    tell_installed(programs)
    monkeypatch.setattr(Deployment, "diagnose", lambda _: causes_of(read_recording("secret")))
    monkeypatch.setattr(KubernetesEngine, "transports", lambda _: [])
    monkeypatch.setattr(state, "found", lambda _: [])
    events = run(diagnose, project_in(cluster(), load_settings()))
    assert [event["code"] for event in events[:2]] == ["secret-missing", "not-healthy"]
    hold(events, "diagnosis", "error", "finished")


def test_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(everything, "see", lambda *_: facts(live=Unseen("nothing runs")))
    events = reported(lambda report: work(project_on(SimpleNamespace(), load_settings()), report, None, RULES))
    assert events[3]["verdict"] == Verdict.NOT_CHECKABLE
    hold(events, "step_started", "step_finished", "summary", *["clause"] * 38, *(["error"] if events[-1]["exit_code"] else []), "finished")


def test_logs(run: Callable[..., list[Event]]) -> None:
    def written(query: LogQuery) -> Iterator[LogLine]:
        assert (query.services, query.lines) == ({"backend"}, LOOKED_THROUGH)  # the probe's line is none of the five
        yield LogLine("backend", "p", "backend", "2026-01-01T00:00:00Z", '{"message": "x", "path": "/health"}')
        yield LogLine("backend", "p", "backend", "2026-01-01T00:00:00Z", '{"message": "y"}')

    docker = SimpleNamespace(deployed=lambda: True, logs=written)
    events = run(logs, project_on(docker, load_settings()), service="backend", lines=5)
    assert events[0]["text"] == '{"message": "y"}'
    hold(events, "log", "finished")


def test_open(run: Callable[..., list[Event]]) -> None:
    docker = SimpleNamespace(name="docker", deployment=None, deployed=lambda: True)
    hold(run(open_, project_on(docker, load_settings())), "address", "finished")


def test_values(monkeypatch: pytest.MonkeyPatch) -> None:
    made = project_on(SimpleNamespace(name="docker", deployment=None), load_settings(), POSTGRES_PASSWORD="told")
    made._images = []
    hold(reported(lambda report: print_values(made, report)), "values", "finished")


def test_the_panels_of_the_monitoring() -> None:
    answered = [Answered(Query("todo-chatbot", "Requests", "", "up", ""), 2)]
    hold(reported(lambda report: check_monitoring.show(answered, StepReport(report, "monitoring"))), "panels", "finished")


def test_plan() -> None:
    decision = Decision("", (Change("build todo-backend:h1", "no such image here"),))
    step = Step("build", lambda _: changed(), decide=lambda _: decision)
    events = reported(lambda report: show_plan([step], report))
    assert events[-1]["exit_code"] == 4
    hold(events, "step_started", "step_finished", "summary", "plan", "finished")


@pytest.fixture
def assisted(monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with an assistant that has an answer to everything."""
    made = project_in(cluster(), load_settings())
    monkeypatch.setattr(Project, "require_installed", lambda _: None)
    monkeypatch.setattr(providers, "environment", lambda _: {})
    monkeypatch.setattr(kubectl_ai, "require", lambda _: None)
    monkeypatch.setattr(context, "prompt", lambda *_, **__: "You may look.")
    monkeypatch.setattr(ask, "put", lambda *_, **__: kubectl_ai.Asked("All is well.", [("kubectl get pods", "allowed")]))
    monkeypatch.setattr(KubernetesEngine, "pods", lambda _: [pod_state(POD)])
    monkeypatch.setattr(KubernetesEngine, "diagnose", lambda _: [])
    return made


def test_ask(assisted: Project, run: Callable[..., list[Event]]) -> None:
    hold(run(ask.ask, assisted, question="why?", show_context=True), "context", "finished")
    hold(run(ask.ask, assisted, question="why?"), "answer", "commands", "finished")


def test_the_score_of_an_assistant(assisted: Project, run: Callable[..., list[Event]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ai_check, "_keep", lambda *_: None)
    hold(run(ai_check.ai, assisted), "questions", "finished")


def test_kagent(assisted: Project, run: Callable[..., list[Event]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kagent, "is_installed", lambda _: True)
    monkeypatch.setattr(Deployment, "exists", lambda _: True)
    monkeypatch.setattr(Cluster, "get", lambda _, kind, *__: [POD] if kind == "pods" else [])
    monkeypatch.setattr(kagent, "forward", lambda *_: contextlib.nullcontext(1))
    monkeypatch.setattr(kagent, "_send", lambda *_: {"parts": [{"kind": "text", "text": "All is well."}]})
    hold(run(kagent.status, assisted), "kagent", "finished")
    hold(run(kagent.ask, assisted, question="why?"), "answer", "finished")


def test_prune(run: Callable[..., list[Event]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune.images, "unique_sizes", lambda: {"todo-backend:h1": 1000})
    monkeypatch.setattr(prune.images, "build_containers", lambda _: [])
    old = Superfluous("this machine", "todo-backend:h1", lambda: None)
    made = project_on(SimpleNamespace(name="docker", superfluous=lambda *_, **__: [old]), load_settings(), POSTGRES_PASSWORD="told")
    made._images = []
    monkeypatch.setattr(command.lock, "held", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(command.log, "open_log", lambda: None)
    hold(run(prune.prune, made, yes=True), "superfluous", "step_started", "step_progress", "step_finished", "summary", "finished")


def test_no_command_prints_another_event() -> None:
    assert {name for path in sources() for name in events_of(ast.parse(path.read_text()))} == KEYS.keys()


def sources() -> Iterator[Path]:
    yield from (ROOT / "scripts").rglob("*.py")


def events_of(tree: ast.AST) -> Iterator[str]:
    """The names of the events that a module prints: the first word of `event()` and `event_of_rows()`, the last of `table()`."""
    positions = {"event": 0, "event_of_rows": 0, "table": 2}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in positions:
            word = node.args[positions[node.func.attr]]
            if isinstance(word, ast.Constant):
                yield str(word.value)


def test_the_document_has_one_example_of_each_event() -> None:
    examples = [json.loads(line) for line in re.findall(r"^\{.*\}$", DOCUMENT, re.MULTILINE)]
    hold(examples, *KEYS)


def table(title: str) -> dict[str, list[str]]:
    """The rows of the table under a title of the document, by the codes in their first cell."""
    section = DOCUMENT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {code: cells[1:] for cells in lines for code in re.findall(r"`([a-z-]+)`", cells[0])}


def codes() -> Iterator[str]:
    """Every code that an error can have: those of the classes, and those that the raise sites name."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            named = isinstance(node, ast.keyword) and node.arg == "code"
            named |= isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "code"
            if named and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                yield node.value.value


def test_every_code_of_an_error_is_in_the_document_and_the_other_way_round() -> None:
    found = set(codes()) - {""}
    assert found - PATIENCE.keys() <= table("Codes of errors").keys() <= found, "some are codes of diagnoses too"
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in found)


def test_every_code_of_a_diagnosis_is_in_the_document_and_the_other_way_round() -> None:
    assert table("Codes of diagnoses").keys() == PATIENCE.keys()


def test_a_class_of_errors_has_a_code_of_its_own() -> None:
    classes = [*vars(errors).values(), shell.CommandError, waiting.OverdueError, docker_client.NotRunningError]
    found = [each for each in [*classes, tool_downloads.UnreachableError] if isinstance(each, type) and issubclass(each, TaskError)]
    assert len({each.code for each in found}) == len(found)
