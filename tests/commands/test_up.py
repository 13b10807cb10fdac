"""What `up` says when it is done."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import cast

import pytest

from scripts.config.settings import load_settings
from scripts.core.paths import ROOT
from scripts.project import Project
from scripts.up import offers, steps

pytestmark = pytest.mark.unit


def test_what_a_key_would_give_is_said_while_it_is_empty() -> None:
    settings = load_settings()
    (offer,) = offers(cast("Project", SimpleNamespace(settings=settings, env={})))
    assert offer.startswith("GEMINI_API_KEY in .env is empty: ")
    assert "https://aistudio.google.com/apikey" in offer
    assert "`invoke up`" in offer
    assert offers(cast("Project", SimpleNamespace(settings=settings, env={"GEMINI_API_KEY": "something"}))) == []


def test_the_page_for_newcomers_shows_the_graph_as_it_is() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    shown = {
        name: set(re.findall(r"\w+", needs)) - {"beside"}
        for name, needs in re.findall(r"^\| `(\w+)` \|([\w, ]*)\| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)
    }
    project = cast("Project", SimpleNamespace(engine=SimpleNamespace(deployment="any"), monitored=True))
    assert shown == {step.name: {*step.needs, *step.follows} for step in steps(project)}
