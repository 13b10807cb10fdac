import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from todo_backend.app import create_app
from todo_backend.tools import TOOL_NAMES

from .conftest import make_settings, serving


@pytest.fixture
def url(database_url):
    with serving(create_app(make_settings(database_url, API_TOKEN="t"))) as url:
        yield url


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_official_client_uses_every_tool_over_http(url, mode):
    http = httpx2.AsyncClient(headers={"Authorization": "Bearer t"}, timeout=60)
    async with http, Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client:

        async def call(name: str, **arguments: object) -> dict:
            result = await client.call_tool(name, arguments)
            assert result.is_error is False, result
            return result.structured_content

        assert {tool.name for tool in (await client.list_tools()).tools} == set(TOOL_NAMES)
        milk = await call("add_todo", title="buy milk", due_date="2026-12-01", priority="high", tags=["shop"])
        tea = await call("add_todo", title="buy tea")
        assert [todo["id"] for todo in (await call("list_todos"))["items"]] == [milk["id"], tea["id"]]
        assert (await call("search_todos", text="SHOP"))["items"] == [milk]
        assert (await call("complete_todo", todo_id=milk["id"]))["done"] is True
        assert (await call("list_todos"))["items"] == [tea]
        changed = await call(
            "update_todo", todo_id=milk["id"], version=2, title="buy oats", clear_due_date=True, done=False
        )
        assert (changed["title"], changed["due_date"], changed["done"], changed["priority"]) == (
            "buy oats",
            None,
            False,
            "high",
        )
        assert await call("delete_todo", todo_id=tea["id"]) == {"deleted": tea["id"]}
        assert (await call("list_todos", state="all"))["total"] == 1

        stale = await client.call_tool("update_todo", {"todo_id": milk["id"], "version": 1, "title": "x"})
        gone = await client.call_tool("delete_todo", {"todo_id": tea["id"]})
        wrong = await client.call_tool("add_todo", {"title": ""})
        unknown = await client.call_tool("run_shell", {"command": "id"})
        for refused in (stale, gone, wrong, unknown):
            assert refused.is_error is True
            assert refused.meta["outcome"] == "refused"
        assert "changed in the meantime" in stale.content[0].text
    counted = httpx2.get(f"{url}/metrics").text
    assert 'todo_tool_calls_total{outcome="refused",tool="unknown"} 1.0' in counted
    assert 'todo_tool_calls_total{outcome="ok",tool="add_todo"} 2.0' in counted
    assert "run_shell" not in counted


def test_without_the_token_no_tool_answers(url):
    assert httpx2.post(f"{url}/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).status_code == 401


def test_a_get_is_refused_since_there_are_no_sessions(url):
    headers = {"Authorization": "Bearer t", "Accept": "text/event-stream"}
    assert httpx2.get(f"{url}/mcp", headers=headers).status_code == 405
