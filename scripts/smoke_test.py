"""Prove that the app works: health and readiness of every service, then one real use through the page's own way."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from scripts.command import run_alone
from scripts.config.settings import Service
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, unchanged
from scripts.kubernetes.service_client import Answer, ServiceClient
from scripts.project import Project

CHAT_SECONDS = 60
SETTLE_SECONDS = 15.0  # a pod of the old release that drains says for a moment that it is not ready, also to the services that ask it


def main(project: Project, step: StepReport) -> Outcome:
    """Ask every service, then add a todo by chat and look for it in the API and on the page. Raises TaskError with the answer."""
    services = project.settings.services
    with project.engine.open_client() as ask:
        for name, service in services.items():
            step.progress(f"{name}: {service.health}, {service.ready}, {service.metrics}")
            check_service(name, service, ask)
        for name, service in services.items():
            if service.public:
                step.progress(f"{name}: a todo by chat")
                check_use(name, ask)
    return unchanged(f"{len(services)} services are healthy and ready; a todo added by chat is listed and shown")


def check_service(name: str, service: Service, ask: ServiceClient) -> None:
    """Ask a service for its health, for its readiness down to the last dependency, and for its metrics."""
    for path in (service.health, f"{service.ready}?deep=1"):
        deadline = time.monotonic() + SETTLE_SECONDS
        while not _is_ok(answer := ask(name, "GET", path, timeout=30)):
            if time.monotonic() > deadline:
                raise _unexpected(name, path, answer, "status ok")
            shell.pause(0.5)
    answer = ask(name, "GET", service.metrics)
    if answer.status != 200 or "http_requests_total" not in answer.body:
        raise _unexpected(name, service.metrics, answer, "http_requests_total")


def check_use(name: str, ask: ServiceClient) -> None:
    """Add a todo by chat through the service, find it in the API and on the page, and take it away again."""
    title = f"smoke {secrets.token_hex(4)}"
    try:
        answer = ask(name, "POST", "/api/chat", json.dumps({"message": f"add {title}"}), timeout=CHAT_SECONDS)
        if answer.status != 200 or not _json(answer).get("todos_changed"):
            said = _json(answer).get("text")
            if said:
                raise TaskError(f"{name}: the chat added no todo, and said: {said}", "fix what it says, then invoke smoke")
            raise _unexpected(name, "POST /api/chat", answer, "todos_changed")
        listed = ask(name, "GET", f"/api/todos?q={title.replace(' ', '%20')}")
        if not any(title in item["title"] for item in _json(listed).get("items", ())):
            raise _unexpected(name, "/api/todos", listed, f"`{title}`, which the chat has added")
        page = ask(name, "GET", "/")
        if page.status != 200 or title not in page.body:
            raise _unexpected(name, "/", page, f"`{title}`, which the API lists")
    finally:
        _remove(name, title, ask)


def _remove(name: str, title: str, ask: ServiceClient) -> None:
    for item in _json(ask(name, "GET", f"/api/todos?q={title.replace(' ', '%20')}")).get("items", ()):
        ask(name, "DELETE", f"/api/todos/{item['id']}")


def _is_ok(answer: Answer) -> bool:
    return answer.status == 200 and _json(answer).get("status") == "ok"


def _json(answer: Answer) -> dict[str, Any]:
    try:
        content = json.loads(answer.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _unexpected(name: str, what: str, answer: Answer, wanted: str) -> TaskError:
    evidence = [f"HTTP {answer.status}", *answer.body.strip().splitlines()[:5]]
    return TaskError(f"{name}: {what} does not say {wanted}", f"invoke logs {name}", [line[:300] for line in evidence])


if __name__ == "__main__":
    run_alone(main)
