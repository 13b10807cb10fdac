"""A container that goes already is waited for, not tripped over."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, NotFound

from scripts.engines.docker.containers import remove_container

pytestmark = pytest.mark.unit


class Container:
    """A container whose removal Docker answers so."""

    def __init__(self, *answers: Exception) -> None:
        self.answers = list(answers)
        self.waited = ""

    def remove(self, *, force: bool) -> None:
        assert force
        if self.answers:
            raise self.answers.pop(0)

    def wait(self, *, condition: str, timeout: int) -> None:
        assert timeout
        self.waited = condition


def refused(status: int) -> APIError:
    return APIError("removal of container x is already in progress", response=SimpleNamespace(status_code=status, reason="", url=""))


@pytest.mark.parametrize(("answers", "waited"), [([], ""), ([NotFound("gone")], ""), ([refused(409)], "removed")])
def test_a_container_that_somebody_else_removes_is_gone_at_the_end(answers: list[Any], waited: str) -> None:
    container = Container(*answers)
    remove_container(container)
    assert container.waited == waited


def test_any_other_refusal_is_one() -> None:
    with pytest.raises(APIError):
        remove_container(Container(refused(500)))
