"""Sample values are told from real ones."""

from __future__ import annotations

import base64
import random

import pytest
import yaml

from scripts.config.placeholders import is_placeholder, is_shell, placeholder_in_url
from scripts.core.paths import ROOT

pytestmark = pytest.mark.unit

REPORTED = yaml.safe_load((ROOT / "tests/reports/placeholders.yaml").read_text())


@pytest.mark.parametrize("value", REPORTED["placeholders"])
def test_a_sample_is_recognised(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize("value", REPORTED["real"])
def test_a_real_value_is_not_accused(value: str) -> None:
    assert not is_placeholder(value)


@pytest.mark.parametrize("value", ["GEMINI_API_KEY", "gemini-api-key", "GeminiApiKey"])
def test_a_value_that_is_its_own_key_is_a_sample(value: str) -> None:
    assert is_placeholder(value, "GEMINI_API_KEY")
    assert is_placeholder("MY_SPECIAL_THING", "MY_SPECIAL_THING")


@pytest.mark.parametrize("value", ["todo", "none", "example-db", "sample_data", "production", "my-app-db"])
def test_a_word_is_a_fine_value_of_what_is_no_secret(value: str) -> None:
    assert not is_placeholder(value, "DATABASE_NAME")


@pytest.mark.parametrize("value", REPORTED["shell"])
def test_what_only_a_shell_would_fill_in_is_recognised(value: str) -> None:
    assert is_shell(value)


@pytest.mark.parametrize("value", [*REPORTED["real"], *REPORTED["placeholders"]])
def test_a_dollar_in_a_value_is_no_shell(value: str) -> None:
    assert not is_shell(value)


@pytest.mark.parametrize(("url", "part"), REPORTED["placeholder_urls"].items())
def test_the_part_of_a_url_that_is_a_sample_is_named(url: str, part: str) -> None:
    assert placeholder_in_url(url) == part


@pytest.mark.parametrize("url", REPORTED["real_urls"])
def test_a_real_url_is_not_accused(url: str) -> None:
    assert placeholder_in_url(url) == ""


def test_what_a_generator_makes_is_never_a_sample() -> None:
    chance = random.Random(0)
    for _ in range(5000):
        made = base64.urlsafe_b64encode(chance.randbytes(24)).decode()
        assert not is_placeholder(made)
        assert not is_placeholder(chance.randbytes(16).hex())
