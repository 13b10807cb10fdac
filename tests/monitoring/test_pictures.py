"""Pictures of dashboards: a real browser sees what asks for a password, and gets none itself."""

from __future__ import annotations

import base64
import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from scripts.config.settings import load_settings
from scripts.core.paths import ROOT
from scripts.desired.dashboards import rendered
from scripts.kubernetes.cluster import Cluster
from tests.projects import project_in

pytestmark = pytest.mark.monitoring

PASSWORD = "correct-horse"
SIGNED_IN = f"Basic {base64.b64encode(f'admin:{PASSWORD}'.encode()).decode()}"


class Behind(BaseHTTPRequestHandler):
    """Stands for Grafana: it shows a page to who signs in."""

    asked: ClassVar[list[tuple[str, int]]] = []

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        status = 200 if self.headers.get("Authorization") == SIGNED_IN else 401
        self.asked.append((self.path, status))
        body = b"<h1>a dashboard</h1>"
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def behind() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Behind) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def program() -> Any:
    spec = importlib.util.spec_from_file_location("dashboards_program", ROOT / "docs/images/dashboards.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_picture_is_taken_of_what_only_who_signs_in_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dashboards, words = program(), list[str]()
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda argv, **options: (words.extend(argv), run(argv, **options))[1])
    with behind() as port, dashboards.signed_in(port, "admin", PASSWORD) as address:
        try:
            (picture,) = dashboards.take(address, {"todo": 400}, tmp_path)
        except FileNotFoundError as error:
            pytest.skip(str(error))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert ("/d/todo?kiosk", 200) in Behind.asked
    assert not any(PASSWORD in word for word in words)


def test_each_dashboard_of_ours_is_taken_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    dashboards, taken = program(), dict[str, int]()
    made = project_in(Cluster("told", "todo-chatbot", "todo-chatbot"), load_settings(), GRAFANA_ADMIN_PASSWORD=PASSWORD)
    monkeypatch.setattr("scripts.project.Project", lambda: made)
    monkeypatch.setattr("scripts.kubernetes.port_forward.forward", lambda *_: nullcontext(1))

    def take(_: str, wanted: dict[str, int], folder: Path) -> list[Path]:
        taken.update(wanted)
        return [folder]

    monkeypatch.setattr(dashboards, "take", take)
    dashboards.main()
    assert list(taken) == ["todo-chatbot", "todo-chatbot-cluster"]
    for dashboard in map(json.loads, rendered(load_settings()).values()):
        last = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
        assert taken[dashboard["uid"]] > 38 * last
