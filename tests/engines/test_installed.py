"""A cluster that does not answer is not one where the app is not installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from scripts.core.errors import MissingError, TaskError
from scripts.engines.installed import is_installed, require_installed
from scripts.engines.protocol import Engine

pytestmark = pytest.mark.unit


@dataclass
class Told:
    there: bool
    reason: str = ""

    def deployed(self) -> bool:
        return self.there

    def silent(self) -> str:
        return self.reason


def engine(there: bool, reason: str = "") -> Engine:
    return cast("Engine", Told(there, reason))


def test_an_app_that_is_there_is_found_without_another_question() -> None:
    assert is_installed(engine(True, "never asked"))


def test_a_cluster_that_answers_and_has_no_app_says_what_to_do() -> None:
    assert not is_installed(engine(False))
    with pytest.raises(TaskError, match="todo is not installed") as caught:
        require_installed(engine(False), "todo")
    assert (caught.value.action, caught.value.exit_code) == ("invoke up", 1)


def test_a_cluster_that_does_not_answer_is_a_missing_service_and_says_why() -> None:
    with pytest.raises(MissingError, match="the cluster does not answer: the profile todo is not running"):
        require_installed(engine(False, "the profile todo is not running"), "todo")
