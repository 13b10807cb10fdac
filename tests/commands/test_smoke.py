"""What the smoke test asks, what it takes for an answer, and that it leaves no todo behind."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from scripts import smoke_test
from scripts.config.settings import load_settings
from scripts.core.errors import TaskError
from scripts.kubernetes.service_client import Answer
from scripts.smoke_test import check_service, check_use

pytestmark = pytest.mark.unit


class App:
    """An app of one service, as it answers when it is well."""

    def __init__(self, **answers: Answer) -> None:
        self.todos: dict[str, str] = {}
        self.answers = answers

    def __call__(self, service: str, method: str, path: str, body: str | None = None, timeout: float = 10) -> Answer:
        kind = "page" if path == "/" else path.strip("/").split("/")[-1].split("?")[0]
        if method == "POST" and "chat" not in self.answers:
            self.todos[str(len(self.todos))] = json.loads(body or "")["message"].removeprefix("add ")
        if method == "DELETE":
            del self.todos[kind]
        return self.answers.get(kind) or self.well(kind)

    def well(self, kind: str) -> Answer:
        known: dict[str, Any] = {
            "health": {"status": "ok"},
            "ready": {"status": "ok"},
            "chat": {"todos_changed": True, "text": "Added."},
            "todos": {"items": [{"id": number, "title": title} for number, title in self.todos.items()]},
        }
        plain = {"metrics": "http_requests_total 1", "page": " ".join(self.todos.values())}
        return Answer(200, plain.get(kind) or json.dumps(known.get(kind)))


SERVICE = next(iter(load_settings().services.values()))


def test_an_app_that_is_well_passes_and_has_no_todo_more() -> None:
    app = App()
    check_service("app", SERVICE, app)
    check_use("app", app)
    assert app.todos == {}


@pytest.mark.parametrize(
    ("kind", "answer", "message"),
    [
        ("health", Answer(503, '{"status": "unavailable"}'), "app: /health does not say status ok"),
        ("ready", Answer(200, "<html>"), r"app: /ready\?deep=1 does not say status ok"),
        ("metrics", Answer(200, "nothing"), "app: /metrics does not say http_requests_total"),
    ],
)
def test_a_service_that_is_not_well_is_named_with_what_it_was_asked(
    kind: str, answer: Answer, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoke_test, "SETTLE_SECONDS", 0.0)
    with pytest.raises(TaskError, match=message) as error:
        check_service("app", SERVICE, App(**{kind: answer}))
    assert error.value.evidence[0] == f"HTTP {answer.status}"


def test_a_service_may_be_unready_for_a_moment_after_a_rollout() -> None:
    app = App(ready=Answer(503, '{"status": "not_ready"}'))
    threading.Timer(0.3, app.answers.clear).start()
    check_service("app", SERVICE, app)


@pytest.mark.parametrize(
    ("kind", "answer", "message"),
    [
        (
            "chat",
            Answer(200, '{"todos_changed": false, "text": "Gemini refuses the key."}'),
            "added no todo, and said: Gemini refuses the key",
        ),
        ("chat", Answer(502, "bad gateway"), "POST /api/chat does not say todos_changed"),
        ("todos", Answer(200, '{"items": []}'), "/api/todos does not say `smoke"),
        ("page", Answer(200, "<main></main>"), "/ does not say `smoke"),
    ],
)
def test_a_use_that_fails_says_where(kind: str, answer: Answer, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        check_use("app", App(**{kind: answer}))


def test_the_todo_is_taken_away_when_the_page_does_not_show_it() -> None:
    app = App(page=Answer(500, ""))
    with pytest.raises(TaskError):
        check_use("app", app)
    assert app.todos == {}
