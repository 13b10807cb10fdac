from itertools import product

import httpx2
import pytest

from todo_backend.metrics import Metrics
from todo_backend.tools import TOOL_NAMES

from .conftest import running_app

TOKEN = "s3cret-token"


@pytest.fixture
async def guarded(database_url):
    async with running_app(database_url, API_TOKEN=TOKEN) as client:
        yield client


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", f"bearer-{TOKEN}", TOKEN, f"Bearer {TOKEN}x"])
async def test_without_the_token_nothing_under_api_or_mcp_answers(guarded, header):
    headers = {} if header is None else {"Authorization": header}
    for method, path in [
        ("GET", "/api/todos"),
        ("GET", "/api/nothing"),
        ("POST", "/mcp"),
        ("GET", "/api/openapi.json"),
    ]:
        answer = await guarded.request(method, path, headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_while_the_token_changes_the_other_one_is_taken_too(database_url):
    async with running_app(database_url, API_TOKEN=TOKEN, API_TOKEN_ALSO="other-token") as client:
        tried = (TOKEN, "other-token", "third-token", "")
        answers = [await client.get("/api/todos", headers={"Authorization": f"Bearer {token}"}) for token in tried]
    assert [answer.status_code for answer in answers] == [200, 200, 401, 401]


async def test_with_the_token_the_api_answers_and_probes_need_none(guarded):
    answer = await guarded.get("/api/todos", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    for path in ("/health", "/ready", "/metrics"):
        assert (await guarded.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/health", "/api/todos", "/api/nothing", "/api/todos/x", "/metrics"])
async def test_every_answer_carries_the_security_headers(client, path):
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers
    assert not [name for name in headers if name.startswith("access-control")]


async def test_a_request_keeps_its_id_and_a_strange_id_is_replaced(client):
    assert (await client.get("/health", headers={"X-Request-ID": "abc-1"})).headers["x-request-id"] == "abc-1"
    replaced = (await client.get("/health", headers={"X-Request-ID": 'x"\\ y'})).headers["x-request-id"]
    assert len(replaced) == 32


async def test_an_unexpected_error_answers_500_without_a_trace(client, monkeypatch: pytest.MonkeyPatch):
    async def break_down(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("todo_backend.database.Database.run", break_down)
    answer = await client.get("/api/todos")
    assert answer.status_code == 500
    assert answer.json() == {"detail": f"internal error; request id {answer.headers['x-request-id']}"}


async def test_metrics_count_requests_by_template_and_leave_out_what_users_type(database_url):
    async with running_app(database_url) as client:
        await check_metrics(client)


async def check_metrics(client: httpx2.AsyncClient) -> None:
    made = (await client.post("/api/todos", json={"title": "canary-title"})).json()
    await client.get(f"/api/todos/{made['id']}")
    await client.get("/canary-path")
    await client.request("CANARY", "/api/todos")
    await client.get("/health")
    text = (await client.get("/metrics")).text
    assert 'http_requests_total{handler="/api/todos/{todo_id}",method="GET",status="2xx"} 1.0' in text
    assert 'http_requests_total{handler="unmatched",method="GET",status="4xx"} 1.0' in text
    assert 'todo_db_operation_duration_seconds_count{operation="create_todo"} 1.0' in text
    assert 'todo_db_pool_connections{state="idle"}' in text
    assert 'todo_build_info{version="1.0.0"} 1.0' in text
    assert "/health" not in text
    assert "canary" not in text.lower()
    assert made["id"] not in text


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("todo_db_errors_total", {"kind": ["connect", "timeout", "conflict", "other"]}),
        (
            "todo_chat_requests_total",
            {
                "assistant": ["gemini", "rules"],
                "outcome": ["ok", "rate_limited", "timeout", "blocked", "bad_key", "bad_answer", "error"],
            },
        ),
        ("todo_tool_calls_total", {"outcome": ["ok", "refused", "error"], "tool": [*TOOL_NAMES, "unknown"]}),
        ("todo_model_tokens_total", {"kind": ["prompt", "completion"]}),
    ],
)
def test_counters_exist_at_0_from_the_start(name: str, labels: dict[str, list[str]]):
    (family,) = (found for found in Metrics().registry.collect() if f"{found.name}_total" == name)
    assert {sample.value for sample in family.samples} == {0}
    series = {tuple(sample.labels[label] for label in labels) for sample in family.samples}
    assert series == set(product(*labels.values()))


async def test_the_server_says_that_it_is_open_when_there_is_no_token(database_url, caplog: pytest.LogCaptureFixture):
    async with running_app(database_url):
        pass
    assert [record.message for record in caplog.records if "API_TOKEN" in record.message] == [
        "API_TOKEN is empty: /api and /mcp are open to everyone who can reach this port"
    ]


async def test_at_info_no_text_of_a_todo_or_message_is_logged(database_url, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO", logger="todo_backend")
    async with running_app(database_url, API_TOKEN=TOKEN) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        await client.post("/api/todos", json={"title": "canary"})
        await client.post("/api/todos", json={"title": "canary", "priority": "canary"})
        await client.post("/api/chat", json={"message": "add canary"})
        await client.get("/api/todos", params={"q": "canary"})
    logged = "\n".join(str(vars(record)) for record in caplog.records if record.name.startswith("todo_backend"))
    assert "/api/chat" in logged
    assert "canary" not in logged
    assert TOKEN not in logged
