"""Our MCP server, asked by the official client: over stdio, and over HTTP with its token."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
import requests
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from scripts.ai import mcp_http
from scripts.ai.mcp_server import resources
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from tests.checkout import Checkout

pytestmark = pytest.mark.runner

LOOKING = {"status", "diagnose", "doctor", "plan", "logs", "audit"}
TOKEN = "a-token-of-this-test"


@pytest.fixture
def alone(checkout: Checkout, tmp_path: Path) -> dict[str, str]:
    """A checkout where no engine can work, so that every answer is known, and the environment to start its server in."""
    (tmp_path / "bin").mkdir()
    return {
        **os.environ,
        "PATH": str(tmp_path / "bin"),
        "DOCKER_HOST": f"unix://{tmp_path}/no.sock",
        "MCP_TOKEN": TOKEN,
        "KUBECONFIG": "",
        "PWD": str(checkout.path),
    }


def server(alone: dict[str, str], *options: str) -> dict[str, Any]:
    return {"args": ["-m", "invoke", "mcp", "--engine", "docker", *options], "cwd": alone["PWD"], "env": alone}


def test_a_client_over_stdio_sees_the_tools_reads_the_rules_and_gets_a_clear_answer(alone: dict[str, str]) -> None:
    async def ask() -> None:
        async with Client(StdioServerParameters(command=sys.executable, **server(alone))) as client:
            tools = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}
            assert tools.keys() == {*LOOKING, "smoke"}
            assert all(tools[name].read_only_hint for name in LOOKING)
            assert not tools["smoke"].read_only_hint
            assert {str(each.uri) for each in (await client.list_resources()).resources} == set(resources())
            text = (await client.read_resource("project://constitution")).contents[0].text
            assert text == (ROOT / ".specify/memory/constitution.md").read_text()
            answer = await client.call_tool("status")
            assert answer.is_error
            error = answer.structured_content["events"][-1]
            assert (error["event"], error["exit_code"], error["code"]) == ("error", 3, "cluster-silent")
            assert json.loads(answer.content[0].text) == answer.structured_content
            for name, given in (
                ("up", {}),
                ("rollback", {}),
                ("restart", {"service": "a"}),
                ("scale", {"service": "a", "pods": "2"}),
                ("logs", {"service": "--help"}),
                ("logs", {"service": "a", "lines": 501}),
            ):
                assert (await client.call_tool(name, given)).is_error, name

    anyio.run(ask)


def test_what_changes_something_is_there_when_allowed_and_marked(alone: dict[str, str]) -> None:
    hello = {"protocolVersion": "", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    lines = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
    ]
    given = server(alone, "--allow-changes")
    process = subprocess.Popen(
        [sys.executable, *given.pop("args")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **given
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("".join(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines))
    process.stdin.flush()
    said = [json.loads(process.stdout.readline()) for _ in range(2)]  # a line that is no JSON fails here
    rest, talk = process.communicate(timeout=30)
    assert said[0]["result"]["protocolVersion"] == "2025-06-18"  # for a client that names none, as kubectl-ai
    tools = {tool["name"]: tool["annotations"] for tool in said[1]["result"]["tools"]}
    assert tools.keys() - LOOKING == {"smoke", "up", "rollback", "restart", "scale"}
    assert tools["up"]["destructiveHint"]
    assert all(tools[name]["destructiveHint"] for name in ("rollback", "restart", "scale"))
    assert not tools["smoke"]["destructiveHint"]
    assert (process.returncode, rest) == (0, "")
    assert "serving MCP" in talk


@pytest.fixture
def address(alone: dict[str, str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = server(alone, "--port", str(port))
    process = subprocess.Popen([sys.executable, *given.pop("args")], stdout=subprocess.PIPE, text=True, **given)
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", None)  # a token that was given is not shown
    assert process.returncode == 130
    assert time.monotonic() - started < 10


def test_over_http_nobody_gets_in_without_the_token_or_by_another_name(address: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            assert requests.post(address, timeout=10).status_code == 401
            break
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert requests.post(address, headers={"Authorization": f"Bearer {TOKEN}x"}, timeout=10).status_code == 401
    strange = {"Authorization": f"Bearer {TOKEN}", "Host": "attacker.example", "Content-Type": "application/json"}
    assert requests.post(address, headers=strange, json={}, timeout=10).status_code == 421

    async def ask() -> None:
        known = httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False)
        async with known, Client(streamable_http_client(address, http_client=known)) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == {*LOOKING, "smoke"}

    anyio.run(ask)


def test_stdout_is_the_protocols_alone(checkout: Checkout) -> None:
    run = checkout.invoke("mcp", "--json", timeout=30)
    assert run.code == 2
    assert "--json" in run.stdout


def test_a_token_that_can_be_guessed_and_a_port_that_cannot_be_had_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_TOKEN", "short")
    with pytest.raises(InputError, match="16 characters"):
        mcp_http.token()
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(InputError, match="in use"):
        mcp_http.listen(other.getsockname()[1])
    with pytest.raises(InputError, match="--port 70000"):
        mcp_http.listen(70000)
