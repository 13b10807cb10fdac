"""The app behind one host: each page is asked for by that name, and what keeps it from answering is told apart."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from scripts.config.settings import Settings, load_settings
from scripts.core.errors import TaskError
from scripts.kubernetes import ingress, looking
from tests.doubles import GONE, Step, failed, silent_at_first

pytestmark = pytest.mark.runner
HOST = "app.test"


class Controller(BaseHTTPRequestHandler):
    """Serves one host, as an ingress controller does."""

    served = "Todo, with its items"

    def do_GET(self) -> None:
        known = self.headers["Host"] == HOST
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(self.served.encode() if known else b"default backend")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Cluster:
    """Answers with the objects that a cluster has, by their kind."""

    def __init__(self, **there: Any) -> None:
        self.there = there

    def get(self, kind: str, _name: str) -> list[Any]:
        return self.there.get(kind, [])


def at(address: str) -> Cluster:
    point = {"hostname" if address == "localhost" else "ip": address}
    return Cluster(ingressclass=[{}], ingress=[{"status": {"loadBalancer": {"ingress": [point]}}}])


@pytest.fixture(autouse=True)
def controller(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("ADDRESS_SECONDS", "PAGE_SECONDS"):
        monkeypatch.setattr(ingress, name, 0.05)
    with ThreadingHTTPServer(("127.0.0.1", 0), Controller) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(ingress, "HTTP", server.server_address[1])
        yield
        server.shutdown()


def settings(host: str = HOST) -> Settings:
    return load_settings().model_copy(update={"ingress": load_settings().ingress.model_copy(update={"host": host})})


def refusal(cluster: Cluster, host: str = HOST) -> TaskError:
    with pytest.raises(TaskError) as caught:
        ingress.prove(cluster, settings(host), Step())  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost"])
def test_each_page_answers_by_the_hosts_name_and_the_line_for_the_hosts_file_is_said(address: str) -> None:
    step = Step()
    assert ingress.prove(at(address), settings(), step) == f"{HOST} answers at {address}"  # type: ignore[arg-type]
    assert step.said == [f"to open http://{HOST} in a browser, add this line to the hosts file: 127.0.0.1 {HOST}"]
    assert [text for text in step.heard if "/api/todos" in text]


def test_a_name_that_resolves_needs_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingress, "_resolves", lambda host: True)
    step = Step()
    ingress.prove(at("127.0.0.1"), settings(), step)  # type: ignore[arg-type]
    assert not step.said


def test_what_keeps_it_from_answering_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(Cluster()).code == "ingress-missing"
    assert "IngressClass nginx" in str(refusal(Cluster()))
    assert refusal(Cluster(ingressclass=[{}], ingress=[{"status": {"loadBalancer": {}}}])).code == "ingress-without-address"
    other = refusal(at("127.0.0.1"), "other.test")
    assert (other.code, other.evidence[0]) == ("ingress-silent", "HTTP 404")
    monkeypatch.setattr(Controller, "served", "a page of another app")
    assert "does not show its page" in str(refusal(at("127.0.0.1")))
    monkeypatch.setattr(ingress, "HTTP", 1)
    assert "minikube tunnel" in refusal(at("127.0.0.1")).action


class Interrupted(Cluster):
    """Answers the second time that it is asked for objects of a kind."""

    def get(self, kind: str, name: str) -> list[Any]:
        if kind in self.there:
            return super().get(kind, name)
        self.there[kind] = at("127.0.0.1").there[kind]
        raise failed(GONE)


def test_a_look_that_fails_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "PAUSE_SECONDS", 0.01)
    cluster = Interrupted()
    assert ingress.prove(cluster, settings(), Step()) == f"{HOST} answers at 127.0.0.1"  # type: ignore[arg-type]
    assert {*cluster.there} == {"ingressclass", "ingress"}


def test_where_nobody_answers_the_controller_is_not_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "BORNE_SECONDS", 0.05)
    cluster = at("127.0.0.1")
    there = iter([cluster.get("ingressclass", "nginx")])
    silent_at_first(monkeypatch, cluster, "get", 1000)
    silent = cluster.get
    monkeypatch.setattr(cluster, "get", lambda *argv: next(there, None) or silent(*argv))
    assert GONE in refusal(cluster).evidence
