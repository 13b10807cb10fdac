"""Variables in the values of a compose file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.discover.found import Ref
from scripts.discover.interpolation import plain, read

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("plain", "plain"),
        ("$$HOME", "$HOME"),
        ("${A:-b}", "b"),
        ("${A-b}", "b"),
        ("${A:?not set}", ""),
        ("${A:+set}", ""),
        ("$A", ""),
        ("${A:-${B:-c}}", "c"),
        ("x${A:-1}y${B:-2}z", "x1y2z"),
        ("${A:-a}b}", "ab}"),
        ("${A", "${A"),
        ("${}", "${}"),
        ("${A:-http://x:1/?a=b}", "http://x:1/?a=b"),
        ("100%$", "100%$"),
    ],
)
def test_what_a_text_means_while_no_variable_is_set(text: str, means: str) -> None:
    assert plain(text) == means


def test_a_value_that_is_one_variable_is_told_from_one_that_holds_one() -> None:
    assert read("${KEY:-x}").whole == Ref("KEY", "x")
    assert read("a${KEY}").whole is None
    assert read("a${KEY}").refs == (Ref("KEY"),)


@given(st.text("${}:-?+AB_1 ", max_size=30))
def test_any_text_means_something(text: str) -> None:
    assert isinstance(plain(text), str)
