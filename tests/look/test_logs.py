"""What `invoke logs` is told by its options."""

from __future__ import annotations

import pytest

from scripts.core.errors import InputError
from scripts.look import logs

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("text", "seconds"), [("", 0), ("30s", 30), ("2h30m", 9000), ("1d", 86_400)])
def test_a_length_of_time(text: str, seconds: int) -> None:
    assert logs._seconds(text) == seconds


@pytest.mark.parametrize("bad", ["10", "m", "10 m", "1w", "-5m"])
def test_what_is_not_a_duration_is_refused(bad: str) -> None:
    with pytest.raises(InputError, match="is not a duration"):
        logs._seconds(bad)


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="is not a regular expression"):
        logs._pattern("(")
