"""`invoke outdated` says what is newer and what is safe, by an index on this machine, and what could not be asked about."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from scripts.config.settings import load_settings
from scripts.core import paths
from scripts.core.report import Report
from scripts.dev import outdated
from scripts.dev.pinned import LOCKED, PACKAGE_JSON, Pin, pins
from scripts.dev.versions import newest, safe
from tests.serving import Quiet, serving

pytestmark = pytest.mark.runner

FILES = [
    {"filename": "some_thing-1.2.0-py3-none-any.whl", "requires-python": ">=3.9"},
    {"filename": "some_thing-1.4.0.tar.gz"},
    {"filename": "some_thing-1.5.0.tar.gz", "yanked": "it deletes things"},
    {"filename": "some_thing-1.6.0.tar.gz", "requires-python": ">=3.14"},
    {"filename": "some_thing-2.0.0.tar.gz"},
    {"filename": "some_thing-3.0.0rc1.tar.gz"},
]
ANSWERS = {
    "/py/some-thing/": json.dumps({"files": FILES}),
    "/npm/@a%2Fb": json.dumps(
        {"versions": {"0.2.3": {}, "0.2.4": {}, "0.2.5": {"deprecated": "use 0.2.4"}, "0.3.0": {}, "1.0.0-beta": {}}}
    ),
    "/go/github.com/!acme/tool/@v/list": "v1.2.3\nv1.2.9\nv1.4.0\nv2.0.0-rc.1\n",
    "/token?service=here&scope=repository%3Aa%2Fpy%3Apull": json.dumps({"token": "for-all"}),
    "/v2/a/py/tags/list": json.dumps({"tags": ["3.13-slim", "3.16", "3.13.2-slim", "4-slim", "3.15-rc-slim"]}),
    "/v2/a/py/tags/list?last=x": json.dumps({"tags": ["3.14-slim", "latest"]}),
    "/npm/odd": "<html>a login page</html>",
}
HELM = """#!/bin/sh
case "$*" in
  *no-such*) echo 'Error: looks like it is not a valid chart repository' >&2; exit 1 ;;
  *--version\\ ^8.1.0) echo 'version: 8.4.1' ;;
  *) echo 'version: 9.0.0' ;;
esac
"""


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """An index for all, and helm; the paths that it was asked for."""
    asked = list[str]()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = ANSWERS.get(self.path, "").encode()
            if self.path.startswith("/v2/") and self.headers["Authorization"] != "Bearer for-all":
                self.send_response(401)
                realm = f"http://127.0.0.1:{self.server.server_port}/token"  # type: ignore[attr-defined]
                self.send_header("WWW-Authenticate", f'Bearer realm="{realm}",service="here",scope="repository:a/py:pull"')
                body = b""
            else:
                self.send_response(200 if body else 404)
            if self.path == "/v2/a/py/tags/list":
                self.send_header("Link", '</v2/a/py/tags/list?last=x>; rel="next"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as url:
        for name, value in {
            "PIP_INDEX_URL": f"{url}/py",
            "NPM_CONFIG_REGISTRY": f"{url}/npm/",
            "GOPROXY": f"off,{url}/go",
            "NO_PROXY": "*",
        }.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "helm").write_text(HELM)
        (tmp_path / "helm").chmod(0o755)
        monkeypatch.setattr(paths, "TOOLS", tmp_path)
        yield asked


def shown(*wanted: Pin) -> dict[str, list[str]]:
    """Now, newest, safe and note of each pin that is shown."""
    out = StringIO()
    outdated.show(wanted, Report(as_json=True, stdout=out, stderr=StringIO()))
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    return {each["pin"]: [each[key] for key in outdated.COLUMNS[3:]] for each in events[0]["rows"]}


def test_each_index_is_understood(index: list[str]) -> None:
    found = shown(
        Pin("some_thing", "x", "1.2.0", "python"),
        Pin("@a/b", "x", "0.2.3", "npm"),
        Pin("tool", "x", "1.2.3", "go", "github.com/Acme/tool"),
        Pin("fixed", "x", "v1.2.3", "go", "github.com/Acme/tool", patches=True),
        Pin("ending", "x", "1.2.3", "go", "github.com/Acme/tool", below="1.4.0"),
        Pin("chart", "x", "8.1.0", "chart", "https://charts.example"),
    )
    assert found == {
        "some_thing": ["2.0.0", "1.4.0", ""],
        "@a/b": ["0.3.0", "0.2.4", ""],
        "tool": ["1.4.0", "1.4.0", ""],
        "fixed": ["v1.4.0", "v1.2.9", ""],
        "ending": ["1.4.0", "1.2.9", ""],
        "chart": ["9.0.0", "8.4.1", ""],
    }


def test_a_base_image_is_compared_with_tags_of_its_own_form(index: list[str]) -> None:
    registry = urlsplit(os.environ["PIP_INDEX_URL"]).netloc
    assert shown(Pin("py:*-slim", "x", "3.13", "image", f"{registry}/a/py")) == {"py:*-slim": ["3.14", "", ""]}


def test_what_is_the_newest_has_no_row(index: list[str]) -> None:
    assert shown(Pin("some_thing", "x", "2.0.0", "python"), Pin("tool", "x", "1.5.0", "go", "github.com/Acme/tool")) == {}
    assert len(index) == 2


def test_an_index_that_refuses_is_said_to_in_its_row(index: list[str]) -> None:
    found = shown(Pin("gone", "x", "1.0.0", "npm"), Pin("odd", "x", "1.0.0", "npm"), Pin("chart", "x", "1.0.0", "chart", "no-such"))
    assert {name: rest[2] for name, rest in found.items()} == {
        "gone": "127.0.0.1 answered 404 Not Found",
        "odd": "the index's answer cannot be understood",
        "chart": "Error: looks like it is not a valid chart repository",
    }


def test_without_a_network_each_row_says_so_and_nobody_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = list[str]()

    def refuse(_: str, url: str, **__: Any) -> None:
        tries.append(url)
        raise requests.ConnectionError("no route with user:password")

    monkeypatch.setattr("scripts.dev.indexes.requests.request", refuse)
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:password@mirror.example/simple")
    indexes = outdated.Indexes()
    rows = [outdated.row(Pin(name, "x", "1.0.0", "python"), indexes) for name in ("a", "b")]
    assert [row[-1] for row in rows if row] == ["mirror.example cannot be reached"] * 2
    assert len(tries) == 1


@pytest.mark.parametrize(
    ("now", "there", "wanted"),
    [
        ("1.2.3", ["1.2.4", "1.10.0", "1.9.9", "2.0.0"], "1.10.0"),
        ("1.2.3", ["1.2.3", "1.1.9"], ""),
        ("0.9.12", ["0.9.13", "0.10.0"], "0.9.13"),
        ("24.1", ["24.2", "25.1"], ""),
        ("7.2.0.20261006", ["7.2.0.20261101", "8.0.0.1"], "7.2.0.20261101"),
        ("1.2.3", ["1.3.0a1", "1.3.0-beta"], ""),
    ],
)
def test_what_is_safe_keeps_what_the_number_promises(now: str, there: list[str], wanted: str) -> None:
    assert safe(now, there) == wanted


def test_the_newest_is_by_number_and_final() -> None:
    assert newest(["1.9.0", "1.10.0", "2.0.0rc1"]) == "1.10.0"
    assert newest(["nightly"]) == ""


def test_every_pin_of_this_checkout_is_asked_about() -> None:
    found = pins(load_settings())
    assert {pin.where for pin in found} >= {*LOCKED.values(), PACKAGE_JSON, "invoke.yaml", "scripts/go.lock.txt", "scripts/syft.lock.txt"}
    assert {"helm", "kubectl", "minikube", "kubectl-ai", "kubernetes", "kube-prometheus-stack", "kagent", "next", "fastapi"} <= {
        pin.name for pin in found
    }
    assert all(pin.asked for pin in found if pin.index in ("go", "chart"))
    assert {(pin.name, pin.now, pin.asked) for pin in found if pin.index == "image"} >= {
        ("python:*-slim-trixie", "3.13", "registry-1.docker.io/library/python"),
        ("prometheuscommunity/postgres-exporter:*", "v0.17.1", "registry-1.docker.io/prometheuscommunity/postgres-exporter"),
    }
    assert len(set(found)) == len(found)
