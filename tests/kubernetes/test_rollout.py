"""When watching gives up, and what `invoke diagnose` prints."""

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
from scripts.core.log_line import LogLine, LogQuery
from scripts.core.report import Report
from scripts.kubernetes import rollout
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.service_client import Answer
from scripts.look import causes, diagnose
from scripts.project import Project
from tests.doubles import Step

pytestmark = pytest.mark.unit

FOUND = Diagnosis("secret-missing", "todo-backend", "todo-backend: Secret s does not exist", ("event Failed",), "invoke up")

PAGE = Service(image="page:1", port=80, pages={"/todos": ""})


def release(*workloads: tuple[str, bool]) -> Snapshot:
    """A release with workloads of these kinds, rolled out or not."""
    objects: list[dict[str, Any]] = []
    for kind, complete in workloads:
        ready = 1 if complete else 0
        counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), ready)
        objects.append({"kind": kind, "metadata": {"name": kind.lower(), "uid": kind}, "spec": {"replicas": 1}, "status": counts})
    return Snapshot("todo", "todo", datetime.now(UTC), workloads=objects)


def test_a_volume_that_ends_with_its_pod_is_told_by_up_while_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    now = release(("StatefulSet", True))
    owner = [{"uid": "StatefulSet", "kind": "StatefulSet", "name": "statefulset"}]
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}]
    pod = {
        "metadata": {"name": "db-0", "ownerReferences": owner},
        "spec": {"volumes": volumes},
        "status": {"phase": "Running"},
    }
    claim = {"metadata": {"name": "data-0", "deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": {"phase": "Bound"}}
    monkeypatch.setattr(rollout.observation, "quick_snapshot", lambda _: replace(now, pods=[pod], claims=[claim]))
    step = Step()
    assert rollout.watch(Cluster("any", "todo", "todo"), 1, step).kind == "unchanged"
    (warning,) = step.warned
    assert "its volume claim data-0 is being deleted: its data ends with the pod db-0 -> invoke backup FILE" in warning


def test_a_cause_is_final_once_it_has_lasted_and_begins_again_after_it_healed() -> None:
    since: dict[tuple[str, str], float] = {}
    snapshot = release(("Deployment", False))
    assert rollout.final_causes([FOUND], snapshot, since, now=100) == []
    assert rollout.final_causes([FOUND], snapshot, since, now=104) == []
    assert rollout.final_causes([FOUND], snapshot, since, now=105) == [FOUND]
    assert rollout.final_causes([], snapshot, since, now=106) == []
    assert rollout.final_causes([FOUND], snapshot, since, now=107) == []


def test_a_program_that_failed_before_this_run_may_end_once_more() -> None:
    crashed = Diagnosis("crash-on-start", "todo-backend", "c", (), "a", exits=1)
    snapshot = release(("Deployment", False))
    assert rollout.final_causes([crashed], snapshot, {}, now=100) == []
    assert [each.code for each in rollout.final_causes([crashed], snapshot, {}, 100, {"todo-backend"})] == ["crash-on-start"]
    assert rollout.final_causes([replace(crashed, exits=0)], snapshot, {}, 100, {"todo-backend"}) == []


def test_a_database_cause_has_time_while_our_own_database_comes_up() -> None:
    refused = Diagnosis("database-refused", "todo-backend", "c", (), "a")
    since: dict[tuple[str, str], float] = {}
    coming, there = release(("Deployment", False), ("StatefulSet", False)), release(("Deployment", False), ("StatefulSet", True))
    assert rollout.final_causes([refused], coming, since, now=0) == []
    assert rollout.final_causes([refused], coming, since, now=500) == []
    assert rollout.final_causes([refused], there, since, now=501) == []
    assert rollout.final_causes([refused], there, since, now=561) == [refused]


def test_a_migration_that_ends_without_its_database_is_tried_again_when_that_is_there() -> None:
    failed = Diagnosis("migration-failed", "todo-backend", "it ended", (), "fix it", exits=2)
    coming, there = release(("Deployment", False), ("StatefulSet", False)), release(("Deployment", False), ("StatefulSet", True))
    since: dict[tuple[str, str], float] = {}
    assert rollout.final_causes([failed], coming, since, now=0) == []
    assert rollout.final_causes([failed], there, since, now=30) == []
    assert rollout.final_causes([failed], there, since, now=46) == [failed]
    assert rollout.final_causes([failed], there, {}, now=0) == [failed], "it has been there all the time"


def test_a_database_that_crashes_itself_is_not_waited_for() -> None:
    crashes = Diagnosis("crash-on-start", "statefulset", "its settings are wrong", (), "fix them", exits=3)
    without_it = Diagnosis("crash-on-start", "deployment", "no database", (), "see its log", exits=3)
    coming = release(("Deployment", False), ("StatefulSet", False))
    assert rollout.final_causes([without_it, crashes], coming, {}, now=0) == [crashes]


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
    monkeypatch.setattr(causes.database_state, "found", lambda _: said)
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


def test_a_rollout_that_fails_has_the_code_of_its_first_cause() -> None:
    assert rollout.failure([FOUND], release(("Deployment", False)), 1.0).code == "secret-missing"
    assert rollout.failure([], release(("Deployment", False)), 300.0).code == "not-rolled-out"
