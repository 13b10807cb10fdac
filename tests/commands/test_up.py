"""What `up` says when it is done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from scripts.config.settings import load_settings
from scripts.project import Project
from scripts.up import offers

pytestmark = pytest.mark.unit


def test_what_a_key_would_give_is_said_while_it_is_empty() -> None:
    settings = load_settings()
    (offer,) = offers(cast("Project", SimpleNamespace(settings=settings, env={})))
    assert offer.startswith("GEMINI_API_KEY in .env is empty: ")
    assert "https://aistudio.google.com/apikey" in offer
    assert "`invoke up`" in offer
    assert offers(cast("Project", SimpleNamespace(settings=settings, env={"GEMINI_API_KEY": "something"}))) == []
