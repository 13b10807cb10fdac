"""The Todo Chatbot's own smoke test: a todo added by chat is listed by the API and shown on the page, can be changed, and goes.

Neither the todo nor the conversation stays.
`invoke smoke` runs `prove(ask)`. `ask(service, method, path, body=None, timeout=10)` sends an HTTP request through the cluster's own
Service and returns an answer with `status` and `body`. What `prove` returns is one line for the report; an AssertionError fails the test.
"""

import contextlib
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

PAGE = "frontend"
CHAT_SECONDS = 60
SETTLE_SECONDS = 15.0  # a pod of the old release that drains says for a moment that it is not ready, also to the services that ask it


def prove(ask: Callable[..., Any]) -> str:
    """Ask for readiness down to the database; add a todo by chat, find it in the API and on the page, change it, and take it away again."""
    for service in ("backend", PAGE):
        _await_ready(ask, service)
    title = f"smoke {secrets.token_hex(4)}"
    try:
        _use(ask, title)
        _change(ask, title)
    except BaseException:
        with contextlib.suppress(Exception):  # the failure that brought us here is what counts
            _remove(ask, title)
        raise
    _remove(ask, title)
    return "a todo added by chat is listed and shown, changed and deleted"


def _await_ready(ask: Callable[..., Any], service: str) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while (answer := ask(service, "GET", "/ready?deep=1", timeout=30)).status != 200:
        assert time.monotonic() < deadline, f"{service}: /ready?deep=1 answers {answer.status}: {answer.body[:300]}"
        time.sleep(0.5)


def _use(ask: Callable[..., Any], title: str) -> None:
    answer = ask(PAGE, "POST", "/api/chat", json.dumps({"message": f"add {title}"}), timeout=CHAT_SECONDS)
    said = _json(answer)
    assert answer.status == 200, f"POST /api/chat answers {answer.status}: {answer.body[:300]}"
    assert said.get("todos_changed"), f"the chat added no todo, and said: {said.get('text') or answer.body[:300]}"
    assert _todos(ask, title), f"/api/todos does not list `{title}`, which the chat has added"
    page = ask(PAGE, "GET", "/")
    assert page.status == 200, f"/ answers {page.status}"
    assert title in page.body.lower(), f"/ does not show `{title}`, which the API lists"


def _change(ask: Callable[..., Any], title: str) -> None:
    todo = _todos(ask, title)[0]
    body = json.dumps({"done": True, "version": todo["version"]})
    answer = ask(PAGE, "PATCH", f"/api/todos/{todo['id']}", body)
    assert answer.status == 200, f"PATCH /api/todos/ID answers {answer.status}: {answer.body[:300]}"
    assert [each["done"] for each in _todos(ask, title)] == [True], f"`{title}` was marked done, and /api/todos does not say so"


def _todos(ask: Callable[..., Any], title: str) -> list[dict[str, Any]]:
    """Return the todos with this title, however the assistant has capitalised it."""
    listed = _json(ask(PAGE, "GET", f"/api/todos?q={title.replace(' ', '%20')}")).get("items", ())
    return [todo for todo in listed if title in todo["title"].lower()]


def _remove(ask: Callable[..., Any], title: str) -> None:
    """Remove the todo, and the conversation, which the page would list among a person's own."""
    paths = [f"/api/todos/{todo['id']}" for todo in _todos(ask, title)]
    chats = _json(ask(PAGE, "GET", "/api/conversations")).get("items", ())
    paths += [f"/api/conversations/{chat['id']}" for chat in chats if title in chat["title"]]
    answers = {path: ask(PAGE, "DELETE", path) for path in paths}
    for path, answer in answers.items():
        assert answer.status < 300, f"DELETE {path} answers {answer.status}: {answer.body[:300]}"


def _json(answer: Any) -> dict[str, Any]:
    try:
        content = json.loads(answer.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
