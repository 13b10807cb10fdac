"""A cluster that does not answer is not one where the app is not installed."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from scripts.config.settings import load_settings
from scripts.core import lock
from scripts.core.errors import MissingError, TaskError
from scripts.core.report import Report
from scripts.engines.installed import is_installed
from scripts.engines.protocol import Engine
from tests.projects import project_on

pytestmark = pytest.mark.unit


@dataclass
class Told:
    there: bool
    reason: str = ""
    name: str = "kube_context"

    def deployed(self) -> bool:
        return self.there

    def silent(self) -> str:
        return self.reason


def engine(there: bool, reason: str = "", name: str = "kube_context") -> Engine:
    return cast("Engine", Told(there, reason, name))


def require_installed(found: Engine) -> None:
    project_on(found, load_settings()).require_installed()


def test_an_app_that_is_there_is_found_without_another_question() -> None:
    assert is_installed(engine(True, "never asked"))


def test_a_cluster_that_answers_and_has_no_app_says_what_to_do() -> None:
    assert not is_installed(engine(False))
    with pytest.raises(TaskError, match="todo-chatbot is not installed") as caught:
        require_installed(engine(False))
    assert (caught.value.action, caught.value.exit_code) == ("invoke up", 1)


def test_while_another_run_is_at_work_a_person_is_told_to_wait_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATH", tmp_path / "lock")
    with pytest.raises(TaskError) as caught:
        require_installed(engine(False))
    assert (caught.value.action, lock.PATH.exists()) == ("invoke up", False)
    lock.PATH.write_text(json.dumps({"pid": os.getppid(), "task": "up", "since": time.time()}))
    with lock.PATH.open() as other_run:
        fcntl.flock(other_run, fcntl.LOCK_EX)
        with pytest.raises(TaskError) as caught:
            require_installed(engine(False))
    assert caught.value.action == f"wait: `invoke up` (process {os.getppid()}, started 0 s ago) is running"


def test_a_run_is_not_told_to_wait_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATH", tmp_path / "lock")
    with lock.held("restart", Report()), pytest.raises(TaskError) as caught:
        require_installed(engine(False))
    assert caught.value.action == "invoke up"


def test_a_cluster_that_does_not_answer_is_a_missing_service_and_says_why() -> None:
    with pytest.raises(MissingError, match="the cluster does not answer: the profile todo is not running"):
        require_installed(engine(False, "the profile todo is not running"))


@pytest.mark.parametrize(
    ("name", "reason", "action"),
    [
        (
            "kube_context",
            "You must be logged in (the server has asked for the client to provide credentials)",
            "log in again",
        ),
        ("kube_context", "Unable to connect to the server: x509: certificate signed by unknown authority", "make the context again"),
        ("kube_context", "said nothing that is known", "invoke up starts a cluster"),
        ("minikube", "the profile todo is Stopped", "invoke up starts a cluster"),
        ("minikube", "connect: connection refused", "invoke up starts a cluster"),
    ],
)
def test_what_to_do_follows_from_why_it_does_not_answer(name: str, reason: str, action: str) -> None:
    with pytest.raises(MissingError) as caught:
        require_installed(engine(False, reason, name))
    assert caught.value.action.startswith(action)
