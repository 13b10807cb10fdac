"""What `invoke diagnose` prints."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scripts.config.services import Service
from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.core.report import Report
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.service_client import Answer
from scripts.logs.line import LogLine, LogQuery
from scripts.look import causes, diagnose
from scripts.project import Project

pytestmark = pytest.mark.unit

FOUND = Diagnosis("secret-missing", "todo-backend", "todo-backend: Secret s does not exist", ("event Failed",), "invoke up")

PAGE = Service(image="page:1", port=80, pages={"/todos": ""})


@dataclass
class Engine:
    found: list[Diagnosis] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    lines: list[LogLine] = field(default_factory=list)
    serving: tuple[str, ...] = ("page-1",)
    name: str = "kube_context"
    deployment: None = None

    def deployed(self) -> bool:
        return True

    def diagnose(self) -> list[Diagnosis]:
        return self.found

    def pods(self) -> list[PodState]:
        return [PodState("page", name, "Running", True, 0, "page:1") for name in self.serving]

    def logs(self, _query: LogQuery) -> Iterator[LogLine]:
        return iter(self.lines)

    def open_client(self) -> AbstractContextManager[Callable[..., Answer]]:
        return nullcontext(lambda service, method, path, **_: self.answers.get(path, Answer(200, "")))


def project(engine: object) -> Project:
    settings = SimpleNamespace(release="todo", env={}, services={"page": PAGE}, database=None, monitoring=SimpleNamespace(slow_handlers=""))
    installed = SimpleNamespace(engine=engine, settings=settings, env=None, require_installed=lambda: None)
    return cast("Project", installed)


def test_every_diagnosis_is_printed_and_the_task_fails() -> None:
    stdout = io.StringIO()
    with pytest.raises(TaskError, match="todo is not healthy: 1 cause") as failure:
        diagnose.show_all(project(Engine([FOUND])), Report(stdout=stdout))
    assert failure.value.exit_code == 1
    assert stdout.getvalue() == "todo-backend: Secret s does not exist\n    event Failed\n  -> invoke up  [secret-missing]\n"


def test_a_setting_of_the_database_is_told_before_the_causes_and_a_risk_after_them(monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = io.StringIO()
    said = [replace(FOUND, code=code, cause=code) for code in ("data-at-risk", "database-setting")]
    monkeypatch.setattr(causes.state, "found", lambda _: said)
    with pytest.raises(TaskError, match="todo is not healthy: 3 causes"):
        diagnose.show_all(project(Engine([FOUND])), Report(stdout=stdout))
    assert [line for line in stdout.getvalue().splitlines() if line[0] != " "] == [said[1].cause, FOUND.cause, said[0].cause]


def test_as_json_a_diagnosis_is_one_event_with_its_stable_code() -> None:
    stdout = io.StringIO()
    with pytest.raises(TaskError):
        diagnose.show_all(project(Engine([FOUND])), Report(as_json=True, stdout=stdout))
    event = json.loads(stdout.getvalue())
    assert (event["event"], event["code"], event["workload"]) == ("diagnosis", "secret-missing", "todo-backend")
    assert event["evidence"] == ["event Failed"]


def test_a_release_that_is_well_is_said_to_be() -> None:
    stdout = io.StringIO()
    diagnose.show_all(project(Engine()), Report(stdout=stdout))
    assert stdout.getvalue() == "todo is healthy\n"


def test_a_service_that_answers_wrongly_is_not_well_whatever_its_pods_say() -> None:
    stdout = io.StringIO()
    with pytest.raises(TaskError, match="todo is not healthy"):
        diagnose.show_all(project(Engine(answers={"/todos": Answer(503, '{"detail": "the database is locked"}')})), Report(stdout=stdout))
    assert stdout.getvalue() == (
        'page: /todos does not answer 200\n    HTTP 503\n    {"detail": "the database is locked"}\n  -> invoke logs page  [answers-wrong]\n'
    )


def test_a_service_whose_requests_fail_is_not_well_though_it_answers_us() -> None:
    stdout = io.StringIO()
    failed = LogLine("page", "page-1", "page", "2026-01-02T03:04:05Z", '"POST /todos HTTP/1.1" 500')
    with pytest.raises(TaskError, match="todo is not healthy"):
        diagnose.show_all(project(Engine(lines=[failed])), Report(stdout=stdout))
    assert stdout.getvalue() == (
        "page: POST /todos fails\n"
        "    POST /todos: answered 500 to 1 of 1 requests in the last 5 min, and to the newest, at 03:04:05 UTC\n"
        "  -> invoke logs page --since 5m  [requests-failing]\n"
    )


def test_the_pod_of_several_that_hangs_is_named_whichever_the_service_chose() -> None:
    engine, stdout = Engine(serving=("page-1", "page-2")), io.StringIO()

    def ask(_service: str, _method: str, path: str, *, pod: str = "", **_: Any) -> Answer:
        if pod == "page-2":
            raise TaskError(f"page does not answer at {path}", "invoke status", ["no answer in time"])
        return Answer(200, "")

    engine.open_client = lambda: nullcontext(ask)  # type: ignore[method-assign]
    with pytest.raises(TaskError, match="todo is not healthy"):
        diagnose.show_all(project(engine), Report(stdout=stdout))
    assert stdout.getvalue() == (
        "page does not answer at /todos: page-2 (1 of 2 pods)\n    no answer in time\n"
        "  -> invoke status; a new pod takes its place: kubectl delete pod page-2  [answers-wrong]\n"
    )


@pytest.mark.parametrize("states", [("Terminating", "Terminating"), ("Running", "Terminating")], ids=["it ends", "it began to end"])
def test_a_pod_that_ends_and_answers_so_is_not_wrong(states: tuple[str, str]) -> None:
    looks = iter(states)

    def pods() -> list[PodState]:
        state = next(looks, states[-1])
        return [PodState("page", name, each, True, 0, "page:1") for name, each in (("page-1", "Running"), ("page-2", state))]

    def ask(_service: str, _method: str, path: str, pod: str = "", **_: object) -> Answer:
        return Answer(503, '{"reason": "shutting down"}') if (pod, path) == ("page-2", "/todos") else Answer(200, "")

    engine = Engine()
    engine.pods, engine.open_client = pods, lambda: nullcontext(ask)  # type: ignore[method-assign]
    stdout = io.StringIO()
    diagnose.show_all(project(engine), Report(stdout=stdout))
    assert stdout.getvalue() == "todo is healthy\n"


def test_what_every_pod_answers_wrongly_is_of_no_pod() -> None:
    stdout = io.StringIO()
    with pytest.raises(TaskError):
        diagnose.show_all(project(Engine(answers={"/todos": Answer(503, "")}, serving=("page-1", "page-2"))), Report(stdout=stdout))
    assert stdout.getvalue().startswith("page: /todos does not answer 200\n    HTTP 503\n  -> invoke logs page  [")


def test_a_service_that_is_slow_is_told_after_everything_else() -> None:
    stdout, lines = io.StringIO(), []
    for back in range(60, 0, -10):
        at = f"{datetime.now(UTC) - timedelta(seconds=back):%Y-%m-%dT%H:%M:%SZ}"
        lines.append(LogLine("page", "page-1", "page", at, '{"method": "GET", "path": "/todos", "status": 200, "seconds": 2.5}'))
    engine = Engine([replace(FOUND, code="drain-blocked", follows_from="node")], lines=lines)
    engine.usage = dict  # type: ignore[attr-defined]
    with pytest.raises(TaskError, match="todo is not healthy: 1 cause and 1 that follows, see above"):
        diagnose.show_all(project(engine), Report(stdout=stdout))
    assert "\npage: GET /todos is slow: 2.5 s (median of 6 requests)\n" in stdout.getvalue()


def test_what_an_answer_says_of_the_database_decides_what_to_do() -> None:
    stdout = io.StringIO()
    said = '{"detail":"the database does not answer: the tables do not exist"}'
    with pytest.raises(TaskError):
        diagnose.show_all(project(Engine(answers={"/todos": Answer(503, said)})), Report(stdout=stdout))
    assert "  -> run the migrations: invoke restart SERVICE" in stdout.getvalue()


def test_services_are_asked_beside_what_leaves_the_pods_that_serve_alone() -> None:
    for code, asked in (("autoscaler-blind", True), ("secret-missing", False)):
        stdout = io.StringIO()
        engine = Engine([replace(FOUND, code=code)], answers={"/todos": Answer(503, "")})
        with pytest.raises(TaskError):
            diagnose.show_all(project(engine), Report(stdout=stdout))
        assert ("[answers-wrong]" in stdout.getvalue()) is asked


def test_what_has_no_pod_behind_it_and_what_calls_it_follow_from_why_it_has_none() -> None:
    nobody = '{"message":"no endpoints available for service \\"todo-api\\""}'
    services = {"page": SimpleNamespace(calls=["api"]), "api": SimpleNamespace(calls=[]), "other": SimpleNamespace(calls=[])}
    wrong = [
        Diagnosis("answers-wrong", "page", "", ("HTTP 502",), ""),
        Diagnosis("answers-wrong", "api", "", ("HTTP 503", nobody), ""),
        Diagnosis("answers-wrong", "other", "", ("HTTP 500",), ""),
    ]
    settings = cast("Settings", SimpleNamespace(release="todo", services=services))
    cause = replace(FOUND, workload="todo-api", code="webhook-down")
    assert [each.follows_from for each in causes.traced(settings, wrong, [cause])] == ["todo-api", "todo-api", ""]
    assert [each.follows_from for each in causes.traced(settings, wrong, [])] == ["", "", ""]


def test_who_may_not_ask_the_services_is_told_so_and_nothing_is_said_of_them() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    refused = Answer(403, '{"kind":"Status","message":"cannot get resource \\"services/proxy\\" in API group"}')
    diagnose.show_all(project(Engine(answers={"/todos": refused})), Report(stdout=stdout, stderr=stderr))
    assert stdout.getvalue() == "todo is healthy\n"
    assert "page was not asked" in stderr.getvalue()
