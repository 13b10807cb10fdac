"""`invoke init PATH`: what it asks, shows and writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from invoke import Context, Exit

from scripts import init as command
from scripts.config import services, settings
from scripts.core import lock, log
from scripts.core.paths import ROOT
from scripts.core.report import Report
from tests.discover.folders import make_files
from tests.discover.test_draft import SHOP

pytestmark = pytest.mark.unit

SMOKE = "# The app's own proof of one real use, which `invoke smoke` runs after it has asked for health, readiness and pages."


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with our settings, beside the folder `shop` of an app."""
    checkout = make_files(tmp_path / "checkout", {name: (ROOT / name).read_text() for name in command.FILES})
    (checkout / "docker").symlink_to(ROOT / "docker")
    for module in (command, services):
        monkeypatch.setattr(module, "ROOT", checkout)
    monkeypatch.setattr(command, "todays_digest", lambda _: "")
    monkeypatch.setattr(log, "open_log", lambda: None)
    monkeypatch.setattr(lock, "PATH", tmp_path / "lock")
    make_files(tmp_path / "shop", SHOP)
    return checkout


def run(path: Path, **options: object) -> int:
    try:
        command.init.body(Context(), str(path), **options)
    except Exit as end:
        return int(end.code)
    return 0


def texts(root: Path) -> dict[str, str]:
    return {name: (root / name).read_text() for name in command.FILES}


def test_it_writes_settings_that_hold_and_a_second_run_changes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(root.parent / "shop", yes=True) == 0
    written = texts(root)
    made = settings.parse_settings(written["invoke.yaml"])
    assert (made.project, made.namespace, made.release) == ("shop", "shop", "shop")
    assert made.services["api"].context == "../shop/api"
    assert made.smoke is None
    assert made.chart.values == {"test": {"imageOf": "api"}}
    assert made.database
    assert set(made.env) == {
        "DATABASE_URL",
        "JWT_SECRET",
        "OPENAI_API_KEY",
        "GREETING",
        "POSTGRES_PASSWORD",
        "GRAFANA_ADMIN_PASSWORD",
        "REGISTRY_LOGIN",
    }
    assert "next: invoke doctor" in capsys.readouterr().err
    assert run(root.parent / "shop") == 0
    assert texts(root) == written
    assert "nothing changed" in capsys.readouterr().err


def test_what_belongs_to_no_app_stays_as_it_is(root: Path) -> None:
    before = texts(root)["invoke.yaml"]
    run(root.parent / "shop", yes=True)
    after = texts(root)["invoke.yaml"]
    for section in ("minikube", "kube_context", "needs", "tools", "build", "base_images", "engine"):
        assert yaml.safe_load(after)[section] == yaml.safe_load(before)[section]
    watched = {
        key: value for key, value in yaml.safe_load(before)["monitoring"].items() if key not in ("rules", "dashboard_rows", "slow_handlers")
    }
    assert yaml.safe_load(after)["monitoring"] == watched
    assert after.endswith(before[before.index("\n# Checked before") :])
    assert {line for line in before.splitlines() if line.startswith("#")} - {*after.splitlines()} == {SMOKE}
    assert after.startswith(before[: before.index("project:")])


def test_an_app_without_a_database_has_none_and_gets_it_back_with_the_next(root: Path) -> None:
    small = make_files(root.parent / "small", {"Dockerfile": "FROM python:3\nUSER 1000\nEXPOSE 80"})
    run(small, yes=True)
    assert settings.parse_settings(texts(root)["invoke.yaml"]).database is None
    run(root.parent / "shop", yes=True)
    assert settings.parse_settings(texts(root)["invoke.yaml"]).database


def test_every_guess_has_its_reason_and_no_secret_is_written_or_shown(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(root.parent / "shop", yes=True)
    for text in (*texts(root).values(), *capsys.readouterr()):
        assert "hunter2secret" not in text
        assert "not-to-be-copied" not in text
    assert "    # A browser calls it.\n    public: true\n" in texts(root)["invoke.yaml"]
    assert "# The image of redis starts as root, and goes on as this user.\n    user: 999\n" in texts(root)["invoke.yaml"]


@pytest.mark.parametrize("answer", [False, True])
def test_it_asks_before_it_writes(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: bool) -> None:
    before = texts(root)
    asked: list[str] = []

    def confirm(_: Report, question: str) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(Report, "confirm", confirm)
    assert run(root.parent / "shop") == 0
    assert asked == ["Write invoke.yaml and .env.example?"]
    assert (texts(root) == before) != answer
    shown = capsys.readouterr().out
    assert "--- invoke.yaml" in shown
    assert "-project: todo" in shown
    assert "+project: shop" in shown


def test_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = texts(root)
    assert run(root.parent / "shop", json=True) == 2
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["file"] for each in events if each["event"] == "difference"] == list(command.FILES)
    assert [each["code"] for each in events if each["event"] == "error"] == ["confirmation-needed"]
    assert texts(root) == before
    assert run(root.parent / "shop", json=True, yes=True) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (unknown,) = [each for each in events if each["event"] == "unknown"]
    assert {"about", "what"} == unknown["rows"][0].keys()
    assert events[-1] == {"v": 1, "event": "finished", "exit_code": 0}


def test_another_compose_file_can_be_named(root: Path) -> None:
    make_files(root.parent / "shop", {"prod.yaml": "services: {only: {build: api, ports: [8000]}}"})
    assert run(root.parent / "shop", compose=["prod.yaml"], yes=True) == 0
    assert settings.parse_settings(texts(root)["invoke.yaml"]).services.keys() == {"only"}


@pytest.mark.parametrize(("path", "says"), [("none", "is not a folder"), ("empty", "nothing in")])
def test_what_is_no_app_is_refused_and_nothing_is_written(root: Path, path: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    (root.parent / "empty").mkdir()
    before = texts(root)
    assert run(root.parent / path, yes=True) == 2
    assert says in capsys.readouterr().err
    assert texts(root) == before


def test_what_the_settings_refuse_is_told_as_what_is_left_to_do(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = make_files(root.parent / "app", {"compose.yaml": "services: {queue: {image: 'nats:latest'}, api: {build: api}}", "api/x": ""})
    assert run(app, yes=True) == 0
    said = capsys.readouterr().out
    assert "services.queue.image: nats:latest has the tag latest" in said
    assert "its Dockerfile api/Dockerfile is not there" in said


def test_an_image_without_a_version_is_pinned_to_what_it_means_today(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = "sha256:" + "a" * 64
    monkeypatch.setattr(command, "todays_digest", lambda image: digest if image == "nats" else "")
    text = "services: {queue: {image: nats}, cache: {image: 'redis:7'}, proxy: {image: 'caddy:latest'}}"
    assert run(make_files(root.parent / "app", {"compose.yaml": text}), yes=True) == 0
    written = texts(root)["invoke.yaml"]
    assert f"# `nats` may mean another image tomorrow; this is today's.\n    image: nats@{digest}\n" in written
    assert "image: redis:7\n" in written
    assert "image: caddy:latest\n" in written


def test_an_app_of_which_nothing_is_left_is_refused_with_what_was_left_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = texts(root)
    text = "services: {db: {image: 'postgres:17'}, admin: {image: 'dpage/pgadmin4:9'}}"
    assert run(make_files(root.parent / "app", {"compose.yaml": text}), yes=True) == 2
    said = capsys.readouterr().err
    assert "is left to deploy" in said
    assert "admin: is left out" in said
    assert texts(root) == before


@pytest.mark.parametrize(("name", "made"), [("My App", "my-app"), ("x" * 50, "x" * 36), ("...", "app"), ("Todo_v2.1", "todo-v2-1")])
def test_names_of_projects(name: str, made: str) -> None:
    assert command.project_name(name) == made
