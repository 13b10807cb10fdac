"""A secret value is masked in every form that a program could print it in."""

import base64
import json
import threading
import urllib.parse

import pytest

from scripts.core.redaction import MASK, Redactor

pytestmark = pytest.mark.unit

VALUE = "p@ss word/+é"


@pytest.mark.parametrize(
    "shown",
    [VALUE, urllib.parse.quote(VALUE, safe=""), urllib.parse.quote_plus(VALUE), base64.b64encode(VALUE.encode()).decode()],
    ids=["as it is", "URL-quoted", "form-quoted", "base64"],
)
def test_a_value_is_masked(shown: str) -> None:
    redactor = Redactor()
    redactor.learn(VALUE)
    assert redactor(f"before {shown} after") == f"before {MASK} after"


def test_each_line_of_a_long_value_is_masked() -> None:
    redactor = Redactor()
    redactor.learn("first line\nsecond line")
    assert redactor("says: second line") == f"says: {MASK}"


def test_a_value_is_masked_inside_json() -> None:
    redactor = Redactor()
    redactor.learn('quote"and\\slash', "schlüssel")
    assert "slash" not in redactor(json.dumps({"a": 'quote"and\\slash', "b": "schlüssel"}))
    assert "schl" not in redactor(json.dumps({"b": "schlüssel"}))


def test_a_longer_value_that_holds_a_shorter_one_is_masked_whole() -> None:
    redactor = Redactor()
    redactor.learn("token", "token-and-more")
    assert redactor("token-and-more") == MASK


def test_ordinary_words_stay() -> None:
    redactor = Redactor()
    redactor.learn("", "abc")
    assert redactor("abc and nothing") == "abc and nothing"


class ContestedLock:
    """A lock that another thread gets first, and holds until it has learned its value."""

    def __init__(self, redactor: Redactor, value: str) -> None:
        self._others = [threading.Thread(target=redactor.learn, args=(value,))]

    def __enter__(self) -> None:
        while self._others:
            other = self._others.pop()
            other.start()
            other.join()

    def __exit__(self, *_: object) -> None:
        """Nobody else wants it."""


def test_values_learned_by_two_threads_at_once_are_both_masked() -> None:
    redactor = Redactor()
    redactor._lock = ContestedLock(redactor, "the first value")  # type: ignore[assignment]
    redactor.learn("the second value")
    assert redactor("the first value, the second value") == f"{MASK}, {MASK}"
