"""kagent as the settings want it: with few rights, no secret in a value, and nothing changed where it cannot be had."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.ai import kagent, kagent_stack
from scripts.ai.kagent import _send, said_in
from scripts.ai.kagent_stack import Stack
from scripts.ai.reader import beyond_looking
from scripts.config.settings import load_settings
from scripts.core.decision import Decision
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.shell import Result
from scripts.kubernetes import looking
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.deployment import Deployment
from scripts.kubernetes.own_namespace import OwnNamespace
from scripts.monitoring import charts
from tests.doubles import Step, silent_at_first
from tests.projects import project_in

pytestmark = pytest.mark.unit

KEY = "key-of-this-test-0123456789"


def stack(monkeypatch: pytest.MonkeyPatch, **ask: Any) -> Stack:
    monkeypatch.setenv("ASK_KEY", KEY)
    settings = load_settings()
    settings = settings.model_copy(update={"ask": settings.ask.model_copy(update={"key": "ASK_KEY", **ask})})
    return Stack(project_in(Cluster("c", "todo", "r"), settings))


def test_the_key_is_in_a_secret_and_in_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stack(monkeypatch)
    (secret,) = made.secrets
    values = made.values()
    assert values["providers"]["gemini"] == {"model": "gemini-2.5-flash", "apiKeySecretRef": secret.name, "apiKeySecretKey": "API_KEY"}
    assert KEY not in json.dumps(values)
    assert json.loads(secret.manifest("kagent", {}))["stringData"] == {"API_KEY": KEY}


def test_the_secret_of_an_earlier_key_goes_once_nothing_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made, done = stack(monkeypatch), list[object]()
    monkeypatch.setattr(kagent, "_apply", lambda *_: "")
    monkeypatch.setattr(Stack, "releases", lambda *_: ("definitions", "kagent"))
    monkeypatch.setattr(Deployment, "decide_install", lambda *_: Decision("revision 2"))
    monkeypatch.setattr(Deployment, "await_rollout", lambda *_: done.append("rolled out"))
    monkeypatch.setattr(OwnNamespace, "secret_names", lambda _: {"kagent-model-old", made.secrets[0].name})
    monkeypatch.setattr(OwnNamespace, "remove_secrets", lambda _, names: done.append(names))
    assert kagent._kagent(made, Step()).kind == "unchanged"
    assert done == ["rolled out", ["kagent-model-old"]]


def test_a_model_without_a_key_needs_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stack(monkeypatch, provider="ollama", endpoint="http://10.0.0.5:11434", key="")
    assert made.secrets == []
    assert made.values()["providers"] == {
        "default": "ollama",
        "ollama": {"model": "gemini-2.5-flash", "config": {"host": "http://10.0.0.5:11434"}},
    }
    ports = {
        port["port"]
        for each in made.limits()
        if each["kind"] == "NetworkPolicy"
        for rule in each["spec"]["egress"]
        for port in rule.get("ports", ())
    }
    assert 11434 in ports


def test_no_agent_comes_with_it_and_it_gets_no_right_of_the_whole_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    values = stack(monkeypatch).values()
    assert values["rbac"]["namespaces"] == ["kagent"]
    assert values["kagent-tools"]["rbac"] == {"create": False}
    assert "--read-only" in values["kagent-tools"]["tools"]["args"]
    agents = [key for key in values if key.endswith("-agent")]
    assert len(agents) == 10
    assert not [key for key in (*agents, "kmcp", "querydoc", "grafana-mcp", "substrate") if values[key]["enabled"]]


def test_its_tools_may_look_in_the_apps_namespace_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    role, binding = stack(monkeypatch).rights()
    assert (role["kind"], binding["kind"]) == ("Role", "RoleBinding")
    assert not beyond_looking(role["rules"])
    assert {each["metadata"]["namespace"] for each in (role, binding)} == {"todo"}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "kagent-tools", "namespace": "kagent"}]
    agent = stack(monkeypatch).agent()
    (tool,) = agent["spec"]["declarative"]["tools"]
    assert not [name for name in tool["mcpServer"]["toolNames"] if not name.startswith(("k8s_get_", "k8s_describe_"))]
    assert "NAMESPACE" not in json.dumps(agent)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ({"provider": "ollama", "endpoint": "http://localhost:11434"}, "the pod itself"),
        ({"provider": "gemini", "endpoint": "http://10.0.0.5"}, "another address for gemini"),
        ({"key": "NOT_THERE"}, "NOT_THERE is empty"),
    ],
)
def test_what_cannot_work_is_refused(ask: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=words):
        stack(monkeypatch, **ask).refuse_what_cannot_be()


def test_charts_and_images_that_cannot_be_had_end_it_before_a_change(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kagent_stack, "site_answers", lambda url, **_: "ghcr.io" not in url)
    with pytest.raises(MissingError) as caught:
        stack(monkeypatch).refuse_what_cannot_be()
    assert (caught.value.code, caught.value.evidence) == ("kagent-unobtainable", ("ghcr.io does not answer",))
    monkeypatch.setattr(charts, "_refusal", lambda *_: ("dial tcp: no such host",))
    monkeypatch.setattr(charts, "CACHE", tmp_path)
    with pytest.raises(MissingError, match="kagent-crds"):
        stack(monkeypatch).releases(Step())


@pytest.mark.parametrize(
    ("conditions", "missing", "refused"),
    [
        ([], ["kagent has not seen it yet"], False),
        ([("Accepted", "True"), ("Ready", "True")], [], False),
        ([("Accepted", "True"), ("Ready", "False")], ["Ready: Why because"], False),
        ([("Accepted", "False")], ["Accepted: Why because"], True),
    ],
)
def test_an_agent_is_ready_when_kagent_says_so(conditions: list[tuple[str, str]], missing: list[str], refused: bool) -> None:
    told = [{"type": kind, "status": status, "reason": "Why", "message": "because"} for kind, status in conditions]
    found = [{"status": {"conditions": told}}]
    assert (kagent._not_ready(found), kagent._refused(found)) == (missing, refused)
    assert kagent._not_ready([]) == ["it is not there"]


@pytest.mark.parametrize(("silent", "evidence"), [(1, ""), (1000, "the cluster does not answer")])
def test_an_agent_is_looked_at_again_where_nobody_answered(silent: int, evidence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conditions = [{"type": kind, "status": "True"} for kind in ("Accepted", "Ready")]
    monkeypatch.setattr(kagent, "_apply", lambda *_: "agent unchanged")
    monkeypatch.setattr(Cluster, "get", lambda *_: [{"status": {"conditions": conditions}}])
    monkeypatch.setattr(looking, "BORNE_SECONDS", 0.05)
    silent_at_first(monkeypatch, Cluster, "get", silent)
    if evidence:
        with pytest.raises(TaskError) as caught:
            kagent._agent(stack(monkeypatch), Step())
        assert caught.value.evidence == (evidence,)
    else:
        assert kagent._agent(stack(monkeypatch), Step()).kind == "unchanged"


def test_the_agents_words_are_read_and_its_failure_is_told() -> None:
    text = {"kind": "text", "text": "It is well. postgres://a:hidden@db"}
    assert said_in({"status": {"state": "completed"}, "artifacts": [{"parts": [text]}]}) == "It is well. postgres://[secret]@db"
    assert said_in({"kind": "message", "parts": [text, {"kind": "data", "data": {}}]}).startswith("It is well")
    with pytest.raises(TaskError, match="ended as failed") as caught:
        said_in({"status": {"state": "failed", "message": {"parts": [{"kind": "text", "text": "quota"}]}}})
    assert caught.value.evidence == ("quota",)
    with pytest.raises(TaskError, match="without an answer"):
        said_in({"status": {"state": "completed"}})


@pytest.fixture
def answers(request: pytest.FixtureRequest) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert (self.path, body["method"]) == ("/api/a2a/kagent/assistant/", "message/send")
            text = request.param.replace("SAID", body["params"]["message"]["parts"][0]["text"]).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    yield server.server_address[1]
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "answers", ['{"result": {"kind": "message", "parts": [{"kind": "text", "text": "you said SAID"}]}}'], indirect=True
)
def test_a_question_goes_out_and_its_answer_comes(answers: int) -> None:
    assert said_in(_send(answers, "why?", 10)) == "you said why?"


@pytest.mark.parametrize("answers", ['{"error": {"message": "no agent"}}', "no json", "[]"], indirect=True)
def test_an_odd_answer_is_an_error(answers: int) -> None:
    with pytest.raises(TaskError) as caught:
        _send(answers, "why?", 10)
    assert caught.value.code == "assistant-failed"


@pytest.mark.parametrize(
    "result",
    [{"status": "done"}, {"artifacts": ["x"]}, {"parts": [1]}, {"parts": [{"kind": "text"}]}, {"parts": [{"kind": "text", "text": 1}]}],
)
def test_an_answer_of_another_shape_is_no_defect(result: dict[str, Any]) -> None:
    with pytest.raises(TaskError) as caught:
        said_in(result)
    assert caught.value.code == "assistant-failed"


@contextmanager
def speaking(*said: bytes, pause: float = 0.0) -> Iterator[int]:
    """Serve one connection that says this, piece by piece, the last one again and again."""
    ended = threading.Event()

    def serve() -> None:
        with listening.accept()[0] as connection, suppress(OSError):
            connection.recv(65536)
            for piece in itertools.chain(said, itertools.repeat(said[-1])):
                connection.sendall(piece)
                if ended.wait(pause):
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        ended.set()
        thread.join()


@pytest.mark.parametrize("begins", [b"HTTP/1.1 200 OK\r\n\r\n{", b"HTTP/1.1 200 OK\r\nA: "], ids=["body", "head"])
def test_an_answer_that_trickles_in_ends_in_time(begins: bytes) -> None:
    started = time.monotonic()
    with speaking(begins, b" ", pause=0.2) as port, pytest.raises(TaskError) as caught:
        _send(port, "why?", 1)
    assert caught.value.code == "assistant-silent"
    assert time.monotonic() - started < 5


def test_an_answer_without_end_is_not_kept_and_no_other_address_gets_the_question() -> None:
    with speaking(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 500_000) as port, pytest.raises(TaskError) as caught:
        _send(port, "why?", 30)
    assert "more than" in caught.value.evidence[0]
    with speaking(b"HTTP/1.1 200 OK\r\n\r\n", b"stolen") as elsewhere:
        head = f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{elsewhere}/\r\nContent-Length: 0\r\n\r\n"
        with speaking(head.encode(), b"", pause=0.1) as port, pytest.raises(TaskError) as caught:
            _send(port, "why?", 5)
        assert caught.value.code == "assistant-failed"
        assert "stolen" not in str(caught.value)
        socket.create_connection(("127.0.0.1", elsewhere)).close()  # nobody had come there


def test_agents_of_others_are_not_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []

    def kubectl(_: Cluster, *argv: str, **__: Any) -> Result:
        ran.append(argv)
        return Result(0, "kagent elsewhere", "", 0.1)

    monkeypatch.setattr(Cluster, "kubectl", kubectl)
    monkeypatch.setattr(Cluster, "knows", lambda *_: True)
    monkeypatch.setattr(OwnNamespace, "remove", lambda *_, **__: pytest.fail("it removes"))
    with pytest.raises(InputError) as caught:
        kagent._remove(stack(monkeypatch), Step())
    assert caught.value.evidence == ("in elsewhere",)
    assert [argv[0] for argv in ran] == ["get"]


def test_every_file_of_it_is_yaml_for_its_own_namespace() -> None:
    for name in ("agent.yaml", "limits.yaml"):
        for each in yaml.safe_load_all((kagent_stack.FOLDER / name).read_text()):
            assert each["metadata"]["namespace"] == "kagent", name
