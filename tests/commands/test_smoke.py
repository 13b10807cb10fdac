"""What the smoke test asks, what it takes for an answer, and that it leaves no todo and no conversation behind."""

from __future__ import annotations

import io
import json
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts import smoke_test
from scripts.config.services import Service
from scripts.config.settings import load_settings
from scripts.core.errors import InputError, TaskError
from scripts.core.paths import ROOT
from scripts.core.report import Report, StepReport
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.service_client import Answer
from scripts.traffic import app_proof, asking, last_proof
from scripts.traffic.asking import check_service, check_services
from tests.doubles import Step
from tests.projects import project_on

pytestmark = pytest.mark.unit


class App:
    """An app of one service, as it answers when it is well."""

    def __init__(self, **answers: Answer) -> None:
        self.todos: dict[str, str] = {}
        self.done: set[str] = set()
        self.chats = {"earlier": "add milk"}
        self.capital = False
        self.answers = answers

    def __call__(self, service: str, method: str, path: str, body: str | None = None, timeout: float = 10, pod: str = "") -> Answer:
        kind = "page" if path == "/" else path.strip("/").split("/")[-1].split("?")[0]
        if method == "POST" and "chat" not in self.answers:
            message = json.loads(body or "")["message"]
            self.chats[str(len(self.chats))] = message
            title = message.removeprefix("add ")
            self.todos[str(len(self.todos))] = title.capitalize() if self.capital else title
        if method == "PATCH" and "changed" not in self.answers:
            self.done |= {kind} if json.loads(body or "")["done"] else set()
        if method == "DELETE" and "deleted" in self.answers:
            return self.answers["deleted"]
        if method == "DELETE":
            del (self.chats if "/conversations/" in path else self.todos)[kind]
        return self.answers.get("changed" if method == "PATCH" else kind) or self.well(kind)

    def well(self, kind: str) -> Answer:
        known: dict[str, Any] = {
            "health": {"status": "ok"},
            "ready": {"status": "ok"},
            "chat": {"todos_changed": True, "text": "Added."},
            "todos": {"items": [self.todo(number) for number in self.todos]},
            "conversations": {"items": [{"id": number, "title": title} for number, title in self.chats.items()]},
        }
        plain = {"metrics": "http_requests_total 1", "info": "assistant", "page": " ".join(["Todo", *self.todos.values()])}
        return Answer(200, plain.get(kind) or json.dumps(known.get(kind)))

    def todo(self, number: str) -> dict[str, Any]:
        return {"id": number, "title": self.todos[number], "done": number in self.done, "version": 1}


PROOF = ROOT / "app/smoke.py"
SERVICE = next(iter(load_settings().services.values()))


def test_an_app_that_is_well_passes_and_keeps_nothing_of_the_test() -> None:
    app = App()
    check_service("app", SERVICE, app, 5.0)
    app_proof.prove(PROOF, app)
    assert app.todos == {}
    assert app.chats == {"earlier": "add milk"}


@pytest.mark.parametrize(
    ("kind", "answer", "message"),
    [
        ("health", Answer(503, '{"status": "unavailable"}'), "app: /health does not answer 2xx"),
        ("ready", Answer(302, "<html>"), "app: /ready does not answer 2xx"),
        ("metrics", Answer(404, "nothing"), "app: /metrics does not answer 200"),
    ],
)
def test_a_service_that_is_not_well_is_named_with_what_it_was_asked(kind: str, answer: Answer, message: str) -> None:
    with pytest.raises(TaskError, match=message) as error:
        check_service("app", SERVICE, App(**{kind: answer}), 0.0)
    assert error.value.evidence[0] == f"HTTP {answer.status}"


@pytest.mark.parametrize("kind", ["ready", "metrics"])
def test_a_service_may_be_unready_for_a_moment_after_a_rollout(kind: str) -> None:
    app = App(**{kind: Answer(503, '{"status": "not_ready"}')})
    threading.Timer(0.3, app.answers.clear).start()
    check_service("app", SERVICE, app, 5.0)


@pytest.mark.parametrize(
    ("kind", "answer", "message"),
    [
        (
            "chat",
            Answer(200, '{"todos_changed": false, "text": "Gemini refuses the key."}'),
            "added no todo, and said: Gemini refuses the key",
        ),
        ("chat", Answer(502, "bad gateway"), "POST /api/chat answers 502: bad gateway"),
        ("todos", Answer(200, '{"items": []}'), "/api/todos does not list `smoke"),
        ("page", Answer(200, "<main></main>"), "/ does not show `smoke"),
        ("changed", Answer(503, "no"), "PATCH /api/todos/ID answers 503: no"),
        ("changed", Answer(200, "{}"), "was marked done, and /api/todos does not say so"),
        ("deleted", Answer(503, "no"), "DELETE /api/todos/0 answers 503: no"),
    ],
)
def test_a_use_that_fails_says_where(kind: str, answer: Answer, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        app_proof.prove(PROOF, App(**{kind: answer}))


def test_todo_and_conversation_are_taken_away_when_the_page_does_not_show_the_todo() -> None:
    app = App(page=Answer(500, ""))
    with pytest.raises(TaskError):
        app_proof.prove(PROOF, app)
    assert app.todos == {}
    assert app.chats == {"earlier": "add milk"}


def test_a_title_that_the_model_has_capitalised_is_found() -> None:
    app = App()
    app.capital = True
    assert app_proof.prove(PROOF, app) == "a todo added by chat is listed and shown, changed and deleted"
    assert app.todos == {}


def test_what_fails_first_is_told_and_not_the_clean_up_after_it() -> None:
    class Broken(App):
        def __call__(self, service: str, method: str, path: str, body: str | None = None, timeout: float = 10, pod: str = "") -> Answer:
            if method == "DELETE" or (method == "GET" and "todos" in path and len(self.todos) > 0):
                raise TaskError("the app is gone")
            return super().__call__(service, method, path, body, timeout)

    broken = Broken(chat=Answer(502, "bad gateway"))
    broken.todos["0"] = "smoke"
    with pytest.raises(TaskError, match="POST /api/chat answers 502"):
        app_proof.prove(PROOF, broken)


def test_a_public_page_that_does_not_answer_is_named() -> None:
    page = next(service for service in load_settings().services.values() if service.public)
    with pytest.raises(TaskError, match="app: / does not answer 200"):
        check_service("app", page, App(page=Answer(500, "")), 0.0)
    with pytest.raises(TaskError, match="app: / does not hold `Todo`"):
        check_service("app", page, App(page=Answer(200, "an error page")), 5.0)


@pytest.mark.parametrize("status", [200, 204])
def test_any_answer_of_2xx_on_the_path_of_a_probe_is_healthy_whatever_it_says(status: int) -> None:
    service = SERVICE.model_copy(update={"pages": {}})
    check_service("app", service, App(health=Answer(status, "healthy"), ready=Answer(status, "")), 5.0)


def test_a_service_without_a_path_is_not_asked() -> None:
    def ask(*_: Any, **__: Any) -> Answer:
        raise AssertionError("it has no HTTP")

    check_service("queue", Service(image="redis:8", port=6379), ask, 5.0)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("def prove(ask): assert ask('a', 'GET', '/').status == 200, 'no page'", TaskError, "no page"),
        ("def prove(ask): return 1 / 0", TaskError, "ZeroDivisionError: division by zero"),
        ("prove = 1", InputError, r"has no function `prove\(ask\)`"),
        ("def prove(", InputError, "cannot be loaded: SyntaxError"),
    ],
)
def test_another_apps_proof_fails_in_its_own_words(text: str, error: type[TaskError], message: str, tmp_path: Path) -> None:
    file = tmp_path / "smoke.py"
    file.write_text(text)
    with pytest.raises(error, match=message):
        app_proof.prove(file, App(page=Answer(500, "")))


def test_a_check_has_passed_rather_than_left_things_unchanged() -> None:
    engine = SimpleNamespace(open_client=lambda: nullcontext(App()), deployment=None)
    outcome = smoke_test.main(project_on(engine, load_settings()), StepReport(Report(stderr=io.StringIO()), "smoke"))
    assert outcome.kind == "passed"
    assert "a todo added by chat is listed and shown, changed and deleted" in outcome.detail


def test_without_a_public_page_and_a_proof_nothing_more_is_claimed_than_was_asked() -> None:
    hidden = dict.fromkeys(("one", "two"), SERVICE.model_copy(update={"public": False, "pages": {}}))
    settings = load_settings().model_copy(update={"services": hidden, "smoke": None})
    engine = SimpleNamespace(open_client=lambda: nullcontext(App()), deployment=None)
    assert smoke_test.main(project_on(engine, settings), Step()).detail == "2 services are healthy and ready"


@pytest.mark.parametrize(("path", "warned"), [("/api/todos", True), ("/api/chat", False)], ids=["an answer", "one that is slow by nature"])
def test_an_answer_that_nobody_would_wait_for_is_warned_of(path: str, warned: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(App):
        def __call__(self, service: str, method: str, asked: str, body: str | None = None, timeout: float = 10, pod: str = "") -> Answer:
            if asked.startswith(path):
                time.sleep(0.02)
            return super().__call__(service, method, asked, body, timeout)

    monkeypatch.setattr(smoke_test, "SLOW_SECONDS", 0.02)
    engine = SimpleNamespace(open_client=lambda: nullcontext(Slow()), deployment=None)
    step = Step()
    last_proof.PATH.write_text("{}")
    smoke_test.main(project_on(engine, load_settings()), step)
    assert not last_proof.PATH.exists(), "it has passed"
    assert any("where that lasts, invoke diagnose says why" in line for line in step.warned) is warned


@pytest.mark.parametrize("seen", [True, False])
def test_a_failure_tells_its_cause_where_one_is_seen(*, seen: bool) -> None:
    strange = Diagnosis("pod-strange", "backend", "backend: a pod debug wears its labels", ("app=backend",), "kubectl delete pod debug")
    drain = Diagnosis("drain-blocked", "backend", "backend: a budget lets no drain through", (), "lower it")
    app = App(metrics=Answer(404, "nothing"))
    engine = SimpleNamespace(
        open_client=lambda: nullcontext(app),
        deployment=None,
        diagnose=lambda: [drain, strange] if seen else [],
        pods=list,
        logs=lambda _: iter([]),
    )
    with pytest.raises(TaskError) as error:
        smoke_test.main(project_on(engine, load_settings()), StepReport(Report(stderr=io.StringIO()), "smoke"))
    assert error.value.cause == "backend: /metrics does not answer 200"
    assert "/metrics does not answer 200" in last_proof.PATH.read_text(), "diagnose is to tell"
    told = ("HTTP 404", "nothing", "backend: a pod debug wears its labels  [pod-strange]", "app=backend")
    assert error.value.evidence == (told if seen else told[:2])
    assert error.value.action == ("kubectl delete pod debug" if seen else "invoke logs backend")


def test_services_are_asked_side_by_side_and_the_first_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "SETTLE_SECONDS", 0.5)
    both = threading.Barrier(2, timeout=10)

    def ask(service: str, method: str, path: str, body: str | None = None, timeout: float = 10, pod: str = "") -> Answer:
        if path == SERVICE.probe("live")["path"]:
            both.wait()
        return Answer(404, "nothing")

    step = StepReport(Report(stdout=io.StringIO(), stderr=io.StringIO()), "smoke")
    with pytest.raises(TaskError, match="one: /health does not answer 2xx"):
        check_services({"one": SERVICE, "two": SERVICE}, ask, step)


def test_what_the_proof_says_of_the_database_decides_what_to_do(tmp_path: Path) -> None:
    for said, action in (("the database is read-only", "default_transaction_read_only"), ("no such todo", "the test is proof.py")):
        file = tmp_path / "proof.py"
        file.write_text(f"def prove(ask):\n    assert False, {said!r}\n")
        with pytest.raises(TaskError) as failure:
            app_proof.prove(file, App())
        assert action in failure.value.action
