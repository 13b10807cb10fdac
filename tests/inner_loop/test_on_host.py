"""A service on this machine has what its pods have, where this machine finds it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from scripts.config.settings import Settings, parse_settings
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from scripts.inner_loop.on_host import environment, running, wanted
from tests.projects import project_on

pytestmark = pytest.mark.runner

RAW = yaml.safe_load((ROOT / "invoke.yaml").read_text())
SHOW = """
import os, time
print(os.environ["BACKEND_URL"], os.environ["API_TOKEN"], os.environ["PORT"], os.getcwd(), flush=True)
time.sleep(60)
"""


def settings() -> Settings:
    services = {**RAW["services"]}
    services["frontend"] = {**services["frontend"], "dev": {"on_host": [sys.executable, "-c", SHOW]}}
    return parse_settings(yaml.safe_dump({**RAW, "services": services}))


@contextlib.contextmanager
def reach(service: str, port: int) -> Iterator[tuple[str, int]]:
    yield "127.0.0.1", port + 20000


def test_it_runs_in_its_context_with_ways_to_what_it_calls_and_ends_with_the_block() -> None:
    engine = SimpleNamespace(name="docker", deployment=None, reach=reach)
    project = project_on(engine, settings(), API_TOKEN="told-to-nobody", POSTGRES_PASSWORD="p")
    lines: list[str] = []
    with running(project, "frontend", lines.append) as (port, alive):
        deadline = time.monotonic() + 10
        while not lines and time.monotonic() < deadline:
            time.sleep(0.02)
        assert alive()
    url, token, told_port, folder = lines[0].split()
    assert url == "http://127.0.0.1:28000"
    assert (int(told_port), Path(folder)) == (port, ROOT / "app/frontend")
    assert token in ("[secret]", "told-to-nobody")
    assert not alive()


def test_the_bundled_database_is_where_this_machine_reaches_it() -> None:
    made = settings()
    secrets = {"DATABASE_URL": f"postgresql://todo:{'p'}@{made.release}-postgres:5432/todo"}
    found = environment(made, made.services["backend"], secrets, {"postgres": ("127.0.0.1", 5)}, 8000)
    assert found["DATABASE_URL"] == "postgresql://todo:p@127.0.0.1:5/todo"
    assert (found["PORT"], found["LOG_LEVEL"]) == ("8000", "info")


def test_what_cannot_run_here_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean `frontend`"):
        wanted(settings(), "fronted")
    made = settings()
    made.services["frontend"] = made.services["frontend"].model_copy(update={"dev": type(made.services["frontend"].dev)()})
    with pytest.raises(InputError, match="nothing says how frontend runs on this machine"):
        wanted(made, "frontend")
