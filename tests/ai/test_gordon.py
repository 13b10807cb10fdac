"""`invoke gordon`: what the copy holds, and how it ends where Docker's assistant is not there."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from scripts.ai import gordon, privacy
from scripts.ai.gordon import copied
from scripts.config.services import Service
from scripts.config.settings import load_settings
from scripts.core.errors import InputError, MissingError
from scripts.core.report import Report
from tests.programs import Programs, Reply, on_path
from tests.projects import project_on

pytestmark = pytest.mark.unit

SECRET = "a-value-of-dot-env"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service whose folder holds what must not leave."""
    context = tmp_path / "app"
    (context / "src").mkdir(parents=True)
    for name, text in {
        "Dockerfile": "FROM x\n",
        "src/main.py": "print()",
        "src/config.py": f'TOKEN = "{SECRET}"',
        ".env": "A=b",
        ".env.local": "A=b",
        ".env.example": "A=",
        "ignored": "x",
        ".dockerignore": "ignored\n",
    }.items():
        (context / name).write_text(text)
    (context / "large").write_bytes(b"x" * (gordon.LARGEST + 1))
    (context / "link").symlink_to("/etc/passwd")
    (tmp_path / ".env").write_text(f"API_TOKEN={SECRET}\n")
    monkeypatch.setattr(privacy, "ENV", tmp_path / ".env")
    return Service.model_validate({"context": str(context)})


def test_the_copy_is_what_docker_would_take_without_what_is_secret(source: Service, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/old").write_text("of the last time")
    copy = copied(source, tmp_path / "copy")
    found = {str(path.relative_to(copy.folder)) for path in copy.folder.rglob("*") if not path.is_dir()}
    assert found == {"Dockerfile", "src/main.py", "src/config.py", ".env.example"}
    assert (copy.folder / "src/config.py").read_text() == 'TOKEN = "[secret]"'
    assert {line.partition(":")[0] for line in copy.changes} == {".env", ".env.local", "src/config.py", "large"}


def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *answers: Reply) -> tuple[Any, Programs]:
    programs = on_path(tmp_path / "bin", monkeypatch)
    programs.tell(["docker", "ai", "version"], *answers)
    monkeypatch.setattr(gordon, "COPIES", tmp_path / "copies")
    monkeypatch.setattr(gordon, "ROOT", tmp_path)
    return project_on(None, load_settings()), programs


def review(project: Any, *, service: str = "", run: bool = False) -> str:
    out = io.StringIO()
    try:
        gordon.review(project, Report(stdout=out, stderr=io.StringIO()), service or next(iter(project.settings.services)), run=run)
    finally:
        project.said = out.getvalue()
    return str(project.said)


def test_where_it_is_not_there_the_prompt_is_still_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, programs = prepared(tmp_path, monkeypatch, Reply("", "docker: 'ai' is not a docker command.", 1))
    with pytest.raises(MissingError) as caught:
        review(project)
    assert caught.value.code == "gordon-missing"
    assert "Review the Dockerfile" in project.said
    assert (tmp_path / caught.value.evidence[0] / "Dockerfile").is_file()
    programs.check()


def test_where_it_is_there_the_command_is_printed_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, programs = prepared(tmp_path, monkeypatch, Reply("1.9.11"))
    assert "docker ai --working-dir" in review(project)
    assert len(programs.asked("docker")) == 1


@pytest.mark.parametrize("options", [{"service": "nothing"}, {"run": True}])
def test_bad_input_makes_no_copy(options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, _ = prepared(tmp_path, monkeypatch)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(InputError):
        review(project, **options)
    assert not (tmp_path / "copies").exists()
