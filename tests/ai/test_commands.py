"""What an assistant gets of a command: its events, as much as can be read, and no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.ai import commands, privacy
from scripts.ai.commands import LONGEST_ANSWER, LONGEST_TEXT, Answer, bounded, run_command
from scripts.ai.privacy import private

SECRET = "a-value-of-dot-env"

TASKS = """
import json, sys, time
from invoke import Exit, task
def say(event, **fields):
    print(json.dumps({"v": 1, "event": event, **fields}), flush=True)
@task
def tell(_, json=False):
    say("step_started", step="build")
    say("log", text="password SECRET of postgres://todo:other-secret@db/todo")
    print("a line that is no event")
    raise Exit(code=4)
@task
def hang(_, json=False):
    time.sleep(60)
""".replace("SECRET", SECRET)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with commands of its own, and a `.env` that is not valid here."""
    (tmp_path / "tasks.py").write_text(TASKS)
    (tmp_path / ".env").write_text(f"NOT_OF_THIS_PROJECT={SECRET}\nno line\n")
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    monkeypatch.setattr(privacy, "ENV", tmp_path / ".env")
    return tmp_path


@pytest.mark.runner
@pytest.mark.usefixtures("folder")
def test_the_events_of_a_command_come_without_secrets_and_its_steps_while_it_runs() -> None:
    told: list[commands.Event] = []
    answer = run_command(["tell"], seconds=30, on_event=told.append)
    assert answer.exit_code == 4
    assert [event["event"] for event in told] == ["step_started", "log"]
    assert [event["event"] for event in answer.events] == ["log"]
    assert answer.events[0]["text"] == "password [secret] of postgres://[secret]@db/todo"
    assert SECRET not in json.dumps(told)


@pytest.mark.runner
@pytest.mark.usefixtures("folder")
def test_a_command_that_takes_too_long_or_is_not_there_is_an_error_with_a_cause() -> None:
    late = run_command(["hang"], seconds=0.7)
    assert late.is_failure
    assert late.events[0]["code"] == "command-timed-out"
    unknown = run_command(["nothing"], seconds=30)
    assert unknown.is_failure
    assert "nothing" in unknown.events[0]["cause"]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgresql://todo:p%40ss@db.example/todo?sslmode=require", "postgresql://[secret]@db.example/todo?sslmode=require"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer [secret]"),
        ("key AIzaSyA1234567890abcdefghijklmnop", "key [secret]"),
        ("token eyJhbGciOiJSUzI1.eyJpc3MiOiJr.c2lnbmF0dXJl", "token [secret]"),
        ("sk-proj-0123456789abcdefghij", "[secret]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "[secret]"),
        ("GET http://todo-chatbot-backend:8000/api/todos?q=a@b 200", "GET http://todo-chatbot-backend:8000/api/todos?q=a@b 200"),
        ("the bearer of bad news", "the bearer of bad news"),
    ],
)
def test_what_looks_like_a_secret_is_masked_and_nothing_else(text: str, kept: str) -> None:
    assert private(text) == kept


@pytest.mark.unit
def test_an_answer_fits_and_the_error_has_room_first() -> None:
    lines = [{"event": "log", "text": f"{'x' * 9000}{number}"} for number in range(9)]
    answer = bounded(1, [*lines, {"event": "error", "code": "failed", "cause": "why"}])
    assert answer.events[-1]["cause"] == "why"
    assert answer.left_out == 9 - (len(answer.events) - 1) > 0
    assert len(answer.model_dump_json()) < LONGEST_ANSWER + 200


@pytest.mark.unit
def test_of_a_long_text_the_end_is_kept() -> None:
    text = bounded(0, [{"event": "log", "text": "begin" + "x" * LONGEST_TEXT + "end"}]).events[0]["text"]
    assert text.endswith("end")
    assert "begin" not in text
    assert text.startswith("[8 characters left out]")


@pytest.mark.unit
def test_that_something_is_wrong_or_to_be_done_is_an_answer() -> None:
    error = {"event": "error", "code": "not-healthy"}
    assert not Answer(exit_code=1, events=[error]).is_failure
    assert not Answer(exit_code=4, events=[]).is_failure
    assert Answer(exit_code=1, events=[{**error, "code": "cluster-silent"}]).is_failure
